"""Every role has a file for each kind of output, and one table that chooses by kind."""

from pathlib import Path

import pytest

import zoo
from zoo.commands.predict.options import KINDS, kind_module
from zoo.errors import ConfigError
from zoo.inference.choose import predictor_for
from zoo.inference.engine import Predictor
from zoo.models.mlp import MLP
from zoo.outputs import Contacts, Labels, Output, Tracks

OUTPUTS: list[Output] = [Labels(("a",)), Tracks(("a",), bins=4, bin_size=8), Contacts(("a",), bins=4, bin_size=8)]
ROLES = ("metrics", "inference", "writers", "scoring", "site", "commands/predict")


def test_the_kinds_are_those_of_the_outputs() -> None:
    assert set(KINDS) == {output.kind for output in Output.__subclasses__()} == {output.kind for output in OUTPUTS}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_a_file_for_each_kind(role: str) -> None:
    assert [kind for kind in KINDS if not (Path(zoo.__file__).parent / role / f"{kind}.py").is_file()] == []


@pytest.mark.parametrize("output", OUTPUTS, ids=KINDS)
def test_each_kind_has_one_predictor_and_refuses_models_of_another(output: Output) -> None:
    predictor = predictor_for(output)
    assert issubclass(predictor, Predictor)
    assert (predictor.kind, predictor.__module__) == (output.kind, f"zoo.inference.{output.kind}")
    if output.kind != "labels":
        with pytest.raises(ConfigError, match=f"the model predicts labels, not {output.kind}"):
            predictor(MLP(["a"], 20))


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_of_each_kind_declares_the_same_steps(kind: str) -> None:
    module = kind_module(kind)
    assert [name for name in ("check", "settings", "plan", "write") if not callable(getattr(module, name))] == []
    assert module.DESCRIPTION and module.INPUT_HELP and module.OPTIONS
