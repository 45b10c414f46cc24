"""`zoo completion`: a script that completes verbs, options and names in a shell, and what it offers.

The script asks this program at each press of the tab key (argcomplete does that), because names depend on the
checkpoints that are there. Only then is argcomplete imported.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["add_completion", "complete"]

_SHELLS = ("bash", "zsh", "fish")
Completer = Callable[..., Iterable[str]]


def add_completion(verbs: Any) -> None:
    """Add the verb `completion` and its options."""
    verb = verbs.add_parser(
        "completion",
        help="print a script that completes commands in your shell",
        description='Print a script that completes commands and names. bash and zsh: eval "$(zoo completion bash)" in '
        "~/.bashrc or ~/.zshrc; fish: zoo completion fish > ~/.config/fish/completions/zoo.fish",
    )
    verb.add_argument("shell", metavar="SHELL", choices=_SHELLS, help="bash, zsh or fish")
    verb.set_defaults(run=completion_command)


def completion_command(options: argparse.Namespace) -> None:
    """Print the script of a shell."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["zoo"], True, options.shell))


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and end, where it asks for completions; else do nothing."""
    if "_ARGCOMPLETE" not in os.environ:
        return
    from argcomplete import autocomplete
    from argcomplete.completers import FilesCompleter

    def configurations_and_files(prefix: str, **_: Any) -> list[str]:
        """Names of configurations, and files that begin with a prefix."""
        return [*_configurations(), *FilesCompleter()(prefix)]

    verbs = _below(parser)
    predict = verbs["predict"]
    predict.add_argument("name")  # the verb itself leaves NAME and INPUT to the parser of the model's kind
    predict.add_argument("input")
    completers: dict[tuple[argparse.ArgumentParser, str], Completer] = {
        (predict, "name"): _models,
        (predict, "targets"): _targets,
        (verbs["evaluate"], "name"): _models,
        (verbs["evaluate"], "targets"): _targets,
        (verbs["evaluate"], "files"): configurations_and_files,
        (verbs["list"], "words"): _models,
        (verbs["info"], "name"): _models,
        (verbs["verify"], "names"): _models,
        (verbs["merge"], "name"): _models,
        (verbs["export"], "name"): _models,
        (verbs["site"], "names"): _models,
        (verbs["train"], "config"): configurations_and_files,
        (verbs["check"], "config"): configurations_and_files,
        (verbs["config"], "name"): _configurations,
        (verbs["benchmark"], "name"): _benchmarks,
        (_below(verbs["data"])["get"], "name"): _data_sets,
    }
    for (verb, argument), completer in completers.items():
        (action,) = [one for one in verb._actions if one.dest == argument]
        action.completer = completer  # type: ignore[attr-defined]
    autocomplete(parser)


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the verbs below a parser."""
    (verbs,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(verbs.choices)


def _models(**_: Any) -> list[str]:
    from zoo.hub.registry import model_names

    return model_names()


def _targets(parsed_args: argparse.Namespace, **_: Any) -> tuple[str, ...]:
    from zoo.hub.registry import find

    return find(parsed_args.name).facts.targets


def _configurations(**_: Any) -> list[str]:
    from zoo.hub.configs import config_names

    return config_names()


def _benchmarks(**_: Any) -> list[str]:
    from zoo.hub.benchmarks import benchmark_scripts

    return sorted(benchmark_scripts())


def _data_sets(**_: Any) -> list[str]:
    from zoo.datasets.sources import data_sets

    return data_sets()
