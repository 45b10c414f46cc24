"""Options of the command line: a parser whose errors are one sentence, and options declared as values."""

import argparse
from typing import Any, NamedTuple, NoReturn

from zoo.errors import ConfigError

__all__ = ["DEVICES", "PICTURES", "PRECISION", "Option", "Parser", "add_options"]

# Endings of files that are pictures.
PICTURES = (".png", ".svg", ".pdf")


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, like all other errors of the command line; empty values are refused."""

    def parse_known_args(self, *arguments: Any, **settings: Any) -> Any:
        """Parse as argparse does, and refuse empty values, such as those of shell variables that are not set."""
        options, rest = super().parse_known_args(*arguments, **settings)
        for name, value in vars(options).items():
            if value == "" or (isinstance(value, list) and "" in value):
                self.error(f"the value of {self._called(name)} is empty")
        return options, rest

    def _called(self, name: str) -> str:
        """The option, or the placeholder of the argument, whose value has a name."""
        for action in self._actions:
            if action.dest == name:
                return action.option_strings[-1] if action.option_strings else str(action.metavar or name)
        return name

    def error(self, message: str) -> NoReturn:
        """Raise a ConfigError, where argparse would print the usage and exit."""
        raise ConfigError(f"{message}; `{self.prog} --help` lists its arguments")


class Option(NamedTuple):
    """An option before it is added to a parser.

    Attributes:
        flags: its name, or names, as `add_argument` takes them.
        settings: the keyword arguments of `add_argument`.
    """

    flags: tuple[str, ...]
    settings: dict[str, Any]


# Options of all verbs that predict in batches.
DEVICES = (
    Option(("--device",), {"default": "auto", "help": "cpu, cuda, cuda:1, mps; auto takes an accelerator if any"}),
    Option(
        ("--devices",),
        {
            "type": int,
            "metavar": "N",
            "help": "processes that share the batches, each on a GPU where there are some (default: 1, or those that "
            "torchrun or srun started); the output is the same",
        },
    ),
)
PRECISION = Option(
    ("--precision",), {"choices": ("32", "bf16", "16"), "default": "32", "help": "arithmetic (default 32)"}
)


def add_options(parser: argparse.ArgumentParser | argparse._ArgumentGroup, *options: Option, **changes: Any) -> None:
    """Add options to a parser or to a group of one, with some of their settings changed."""
    for option in options:
        parser.add_argument(*option.flags, **{**option.settings, **changes})
