"""Every argument of every verb changes what is computed or written, or is refused; none is ignored.

The arguments are read from the parsers, so that a new one without a case fails here.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import commands.data_cases
import commands.evaluate_cases
import commands.finetune_cases
import commands.mutagenesis_cases
import commands.other_cases
import commands.predict_cases
import commands.publish_cases
import commands.tune_cases
import commands.variants_cases  # noqa: F401  (they register the cases)
import pytest
from commands.desk import CASES, SEQUENCES, Desk
from made.models import Made

from zoo.cli import build_parser
from zoo.commands.predict.options import KINDS, kind_parser

Run = Callable[..., tuple[int, str, str]]


def arguments_of(parser: argparse.ArgumentParser, command: str) -> Iterator[tuple[str, str]]:
    """Command and argument of a parser and of those below it; an option by its last name, such as --output."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb, below in action.choices.items():
                if verb != "predict":  # each kind of model has a parser of its own
                    yield from arguments_of(below, f"{command} {verb}".strip())
        elif not isinstance(action, argparse._HelpAction):
            yield command, action.option_strings[-1] if action.option_strings else action.dest


ARGUMENTS = sorted(
    {
        *arguments_of(build_parser(), ""),
        *(pair for kind in KINDS for pair in arguments_of(kind_parser(kind), f"predict {kind}")),
    }
)


@pytest.fixture
def desk(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_zoo: Run) -> Desk:
    monkeypatch.chdir(tmp_path)
    Path("in.fa").write_text("".join(f">s{i}\n{sequence}\n" for i, sequence in enumerate(SEQUENCES)))
    Path("a.bed").write_text("chr1\t100\t120\tsite\nchr2\t60\t80\t.\n")
    Path("regions.bed").write_text("chr1\t1000\t3000\n")
    return Desk(made, run_zoo, monkeypatch)


@pytest.mark.parametrize(("command", "argument"), ARGUMENTS, ids=[" ".join(pair) for pair in ARGUMENTS])
def test_every_argument_is_used_or_refused(command: str, argument: str, desk: Desk) -> None:
    assert (command, argument) in CASES, f"write a case for {argument} of `zoo {command}`"
    CASES[command, argument](desk)


def test_no_case_is_of_an_argument_that_does_not_exist() -> None:
    assert set(CASES) <= set(ARGUMENTS)


FOREIGN = [
    (kind, argument)
    for kind in KINDS
    for argument in sorted({name for command, name in ARGUMENTS if command.startswith("predict ")})
    if (f"predict {kind}", argument) not in ARGUMENTS
]


@pytest.mark.parametrize(("kind", "argument"), FOREIGN)
def test_an_option_of_another_kind_is_refused_by_name(kind: str, argument: str, desk: Desk) -> None:
    desk.monkeypatch.setattr("zoo.hub.load.load", None)  # before a model is loaded
    others = [other for other in KINDS if (f"predict {other}", argument) in ARGUMENTS]
    takes_value = argument not in ("--resize", "--best", "--same-scale")
    err = desk.refused("predict", desk.made.models[kind], "in.fa", argument, *(["1"] if takes_value else []))
    assert f"{argument} is for models of {' or '.join(others)}, and {desk.made.models[kind]} predicts {kind};" in err


@pytest.mark.parametrize("kind", KINDS)
def test_help_after_a_name_lists_the_options_of_its_kind(kind: str, desk: Desk) -> None:
    out = desk.run_zoo("predict", desk.made.models[kind], "--help")[1]
    assert f"predicts {kind}." in " ".join(out.split())
    for command, argument in ARGUMENTS:
        if command == f"predict {kind}" and argument.startswith("--"):
            assert argument in out
    for _, argument in (pair for pair in FOREIGN if pair[0] == kind):
        assert f"{argument} " not in out
