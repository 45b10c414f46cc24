"""Commands in Markdown texts, read with the parsers of the command line."""

import re
import shlex

from zoo.cli import build_parser
from zoo.commands.predict.options import kind_of, kind_parser

__all__ = ["check_command", "commands", "python_blocks"]


def commands(text: str) -> list[str]:
    """The commands of zoo in the blocks of a text, without the comments behind them."""
    blocks = re.findall(r"```(?:bash|sh)?\n(.*?)```", text, re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("zoo ")]


def python_blocks(text: str) -> list[str]:
    """The blocks of Python in a text."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def check_command(command: str, text: str) -> None:
    """Parse a command; models that commands of `text` make are not looked for."""
    words = shlex.split(command.split("|")[0].split(">")[0])[1:]
    options, rest = build_parser().parse_known_args(words)
    assert not rest or getattr(options, "takes_rest", False)
    if options.verb == "predict" and f"--name {rest[0]}" not in text:
        kind_parser(kind_of(rest[0])).parse_args(words[1:])
