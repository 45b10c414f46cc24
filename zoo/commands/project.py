"""`zoo benchmark` and `zoo card`: the tables and cards of the project itself."""

import argparse
import runpy
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, OutputError, UnknownNameError

__all__ = ["add_benchmark", "add_card"]


def add_benchmark(verbs: Any) -> None:
    """Add the verb `benchmark` and its options."""
    verb = verbs.add_parser(
        "benchmark", help="recompute a table", description="Recompute a table; what follows NAME goes to its script."
    )
    verb.add_argument("name", metavar="NAME")
    verb.set_defaults(run=benchmark_command, takes_rest=True)


def benchmark_command(options: argparse.Namespace) -> None:
    """Recompute a table."""
    from zoo.hub.registry import shipped_folder

    scripts = {path.stem: path for path in shipped_folder("benchmarks").glob("*/bench_*.py")}
    script = scripts.get(f"bench_{options.name}")
    if script is None:
        names = ", ".join(sorted(name.removeprefix("bench_") for name in scripts))
        raise UnknownNameError(f"there is no benchmark {options.name!r}; there are {names}")
    runpy.run_path(str(script))["main"](options.rest)


def add_card(verbs: Any) -> None:
    """Add the verb `card` and its options."""
    verb = verbs.add_parser(
        "card", help="render the model cards", description="Render every checkpoint's card and MODEL_CARDS.md."
    )
    verb.add_argument("-o", "--output", default="MODEL_CARDS.md")
    verb.add_argument("--check", action="store_true", help="only say whether they are up to date")
    verb.set_defaults(run=card_command)


def card_command(options: argparse.Namespace) -> None:
    """Render the model cards, or say which is not up to date."""
    from zoo.hub.cards import checkpoint_folders, render_all, render_folder

    texts = {folder / "README.md": render_folder(folder) for folder in checkpoint_folders()}
    texts[Path(options.output)] = render_all()
    if not Path(options.output).parent.is_dir():
        raise OutputError(f"{options.output} cannot be written: there is no such folder")
    for path, text in texts.items():
        if not options.check:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            raise ConfigError(f"{path} is not what the checkpoints say: run `zoo card`")
