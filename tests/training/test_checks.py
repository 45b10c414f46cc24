"""A model is checked against the specification of the data, without any data."""

from dataclasses import replace

import pytest
from test_contract import build

from zoo.batch import DataSpec, InputSpec
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts, Tracks
from zoo.training.checks import check_spec


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
