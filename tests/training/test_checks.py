"""A model is checked before any data are prepared: that it fits their specification, and that it can be saved."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import yaml
from test_contract import build
from torch import Tensor

from zoo.batch import DataSpec, InputSpec
from zoo.errors import ConfigError, IntegrityError
from zoo.hub.example import check_loadable, example_for
from zoo.models._base import SequenceModel
from zoo.models.mlp import MLP
from zoo.outputs import Contacts, Tracks
from zoo.training.checks import check_spec
from zoo.training.run import train


def spec_of(model: SequenceModel) -> DataSpec:
    output = model.output
    if not isinstance(output, Tracks | Contacts):
        return DataSpec("labels", output.targets, model.length)
    diagonal = output.diagonal if isinstance(output, Contacts) else None
    kind = "contacts" if isinstance(output, Contacts) else "tracks"
    crop = output.crop // output.bin_size
    return DataSpec(kind, output.targets, model.length, output.bin_size, crop, diagonal)  # type: ignore[arg-type]


@pytest.mark.parametrize("architecture", ["mlp", "basenji", "akita"])
def test_data_that_fit_are_taken(architecture: str) -> None:
    model = build(architecture)
    check_spec(model, spec_of(model))


@pytest.mark.parametrize(
    ("architecture", "change", "message"),
    [
        ("mlp", {"kind": "tracks"}, "the model predicts labels, the data are tracks"),
        ("mlp", {"targets": ("one",)}, "2 targets, not the 1 of the data"),
        ("mlp", {"length": 7}, "the model reads 200 bases, the data have 7"),
        ("mlp", {"inputs": InputSpec(("dnase",), 1)}, "0 tracks in addition to the sequence, the data have 1"),
        ("basenji", {"bin_size": 32}, "the model's bins have 8 bases, the data's 32"),
        ("basenji", {"crop": 5}, "the model crops 2 bins a side, the data 5"),
        ("akita", {"diagonal": 1}, "the model's first diagonal is 2, the data's 1"),
    ],
)
def test_the_first_difference_is_named(architecture: str, change: dict[str, object], message: str) -> None:
    model = build(architecture)
    with pytest.raises(ConfigError, match=message):
        check_spec(model, replace(spec_of(model), **change))  # type: ignore[arg-type]


class LooksAtValues(MLP):
    """An own architecture whose prediction depends on what it sees in a tensor."""

    def forward(self, codes: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Predict; raises where the largest logit is not finite."""
        result = super().forward(codes, inputs)
        if result.amax().item() == float("inf"):
            raise ValueError("infinite")
        return result


class BuiltOfValues(MLP):
    """An own architecture whose constructor looks at a random number."""

    def __init__(self, targets: list[str], length: int, **kwargs: Any) -> None:
        super().__init__(targets, length, **kwargs)
        self.is_odd = bool(torch.rand(1) > 0.5)


class WithReach(MLP):
    """An own architecture with a large number, and one without a type hint, among its arguments."""

    def __init__(self, targets: list[str], length: int, reach: int = 20_261_128, rate=0.5) -> None:  # type: ignore[no-untyped-def]
        super().__init__(targets, length)
        self.reach, self.rate = reach, rate


def test_a_model_whose_checkpoint_could_not_be_loaded_is_named() -> None:
    with pytest.raises(IntegrityError, match=r"LooksAtValues fails when it predicts on PyTorch's meta device.*values"):
        check_loadable(LooksAtValues(["a"], 12), 12)
    with pytest.raises(IntegrityError, match="BuiltOfValues fails when it is built on PyTorch's meta device"):
        check_loadable(BuiltOfValues(["a"], 12), 12)
    with pytest.raises(IntegrityError, match="its example would hold 20,000,000 bases"):
        check_loadable(MLP(["a"], 12), 20_000_000)


def test_large_numbers_and_arguments_without_hints_are_no_obstacle() -> None:
    model = WithReach(["a"], 12, 30_000_000, rate="fast")
    check_loadable(model, 12)
    assert len(example_for(model, 12)["codes"]) == 8


def test_it_is_refused_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("zoo.models.looks")
    monkeypatch.setattr(LooksAtValues, "__module__", module.__name__)
    module.LooksAtValues = LooksAtValues  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    rows = [f"{'ACGT'[i % 4] * 12}\t{i % 2}\n" for i in range(40)]
    Path("table.tsv").write_text("sequence\tlabel\n" + "".join(rows))
    config = {
        "name": "looks.tiny",
        "model": {"class_path": "zoo.models.looks.LooksAtValues"},
        "data": {
            "class_path": "zoo.data.sequences.SequenceDataModule",
            "init_args": {"table": "table.tsv", "label_columns": ["label"]},
        },
        "trainer": {"max_epochs": 1},
    }
    Path("looks.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError, match="no checkpoint of this model could be loaded: LooksAtValues fails when it"):
        train(["looks.yaml"])
    assert not Path("runs").exists()
