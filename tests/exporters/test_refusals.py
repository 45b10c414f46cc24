"""What cannot be exported is one sentence, and leaves no file; what works prints nothing and changes no model."""

import copy
import doctest
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from zoo.errors import ConfigError, IntegrityError, MissingExtraError, OutputError, UnknownNameError, ZooError
from zoo.exporters import export as exporting
from zoo.exporters import onnx
from zoo.exporters.graph import trace
from zoo.models._base import SequenceModel
from zoo.models.mlp import MLP

pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
pytestmark = pytest.mark.slow


@pytest.fixture
def model() -> SequenceModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MLP(["a", "b"], 20, hidden=(6,))


def refused(model: Any, path: Path, error: type[ZooError]) -> str:
    """The sentence of an export that is refused, after which nothing has changed in the folder."""
    before = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    with pytest.raises(error) as raised:
        zoo.export(model, path)
    assert (sorted(path.parent.iterdir()) if path.parent.is_dir() else []) == before
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_wrong_files_and_names_are_refused_before_anything_is_traced(
    model: SequenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.exporters.export.trace", None)
    for name in ("model.pt", "model", "model.onnx.gz"):
        assert "ends in .onnx (ONNX) or .pt2 (" in refused(model, tmp_path / name, ConfigError)
    (tmp_path / "here.onnx").write_text("mine")
    assert "here.onnx exists already" in refused(model, tmp_path / "here.onnx", OutputError)
    assert (tmp_path / "here.onnx").read_text() == "mine"
    assert "there is no folder" in refused(model, tmp_path / "none" / "a.pt2", OutputError)
    assert "nearest names" in refused("deepbind.encode_usf1", tmp_path / "a.onnx", UnknownNameError)


def test_a_missing_package_is_named_with_its_extra(
    model: SequenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.utils.extras.find_spec", lambda name: None if name == "onnxruntime" else name)
    sentence = refused(model, tmp_path / "a.onnx", MissingExtraError)
    assert sentence == "exporting to ONNX needs onnxruntime: pip install 'regzoo[onnx]'"
    zoo.export(model, tmp_path / "a.pt2")


def test_what_no_onnx_file_can_hold_is_refused(
    model: SequenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = 4 * (80 * 6 + 6 + 2 * 6 + 2)
    monkeypatch.setattr(onnx, "LARGEST", weights + 1)  # the file holds the graph too
    assert "the file would take" in refused(model, tmp_path / "a.onnx", ConfigError)
    monkeypatch.setattr(onnx, "LARGEST", weights - 1)
    monkeypatch.setattr("zoo.exporters.export.trace", None)
    sentence = refused(model, tmp_path / "a.onnx", ConfigError)
    assert f"the weights would take {weights:,} bytes" in sentence
    assert sentence.endswith("write a .pt2 file, which may be larger")


class OneBatch(MLP):
    """A net whose graph holds for the size of one batch alone."""

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        return super().forward(onehot, inputs).reshape(len(onehot), -1)


class Bessel(MLP):
    """A net with a function that ONNX lacks."""

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        values: Tensor = torch.special.bessel_j0(super().forward(onehot, inputs))
        return values


@pytest.mark.parametrize(
    ("architecture", "ending", "tool"),
    [(OneBatch, "pt2", "torch.export"), (OneBatch, "onnx", "torch.export"), (Bessel, "onnx", "torch.onnx")],
)
def test_what_torch_refuses_is_said(architecture: type[MLP], ending: str, tool: str, tmp_path: Path) -> None:
    model = architecture(["a", "b"], 20, hidden=(6,))
    sentence = refused(model, tmp_path / f"a.{ending}", ConfigError)
    assert sentence.startswith(f"{architecture.__name__} cannot be exported, because {tool} refuses it: ")


@pytest.mark.parametrize("ending", ["onnx", "pt2"])
def test_a_file_that_predicts_something_else_is_not_written(
    ending: str, model: SequenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trace_other(model: SequenceModel, subject: str) -> Any:
        other = copy.deepcopy(model)
        with torch.no_grad():
            other.head[0].bias.add_(1e-3)  # type: ignore[index]
        return trace(other, subject)

    monkeypatch.setattr(exporting, "trace", trace_other)
    sentence = refused(model, tmp_path / f"a.{ending}", IntegrityError)
    assert sentence.startswith(f"{tmp_path}/a.{ending} is not written: in a batch of 8 x 20 bases it predicts 0.000")
    assert "off the model, where 0.0001 is allowed" in sentence


@pytest.mark.parametrize("ending", ["onnx", "pt2"])
def test_a_file_that_cannot_be_loaded_again_is_not_written(
    ending: str, model: SequenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for save in ("save_onnx", "save_program"):
        monkeypatch.setattr(exporting, save, lambda *arguments: arguments[-1].write_bytes(b"nothing of the sort"))
    assert "is not written, for it cannot be loaded: " in refused(model, tmp_path / f"a.{ending}", IntegrityError)


def test_predictions_that_are_no_numbers_are_not_exported(model: SequenceModel, tmp_path: Path) -> None:
    with torch.no_grad():
        model.head[0].bias.fill_(torch.nan)  # type: ignore[index]
    assert "predicts nan off" in refused(model, tmp_path / "a.pt2", IntegrityError)


def test_nothing_is_printed_and_the_model_stays_as_it_is(
    model: SequenceModel, tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    model.train()
    before = copy.deepcopy(model.state_dict())
    for ending in ("onnx", "pt2"):
        zoo.export(model, tmp_path / f"a.{ending}")
    assert capfd.readouterr() == ("", "")
    assert not list(recwarn)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_the_example_of_the_docstring_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(exporting) == (0, 3)


def test_a_file_names_no_folder_of_the_computer_and_is_the_same_each_time(model: SequenceModel, tmp_path: Path) -> None:
    for ending in ("onnx", "pt2"):
        contents = [zoo.export(model, tmp_path / f"{name}.{ending}").path.read_bytes() for name in ("one", "two")]
        assert contents[0] == contents[1]
        for folder in (Path(zoo.__file__).parents[1], Path(torch.__file__).parents[1], tmp_path):
            assert os.fsencode(folder) not in contents[0]
