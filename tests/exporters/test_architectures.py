"""Every architecture, also a new one, predicts the same in onnxruntime and as a program of torch.export."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from exporters.exported import Array, difference, predicted, random_batch
from test_contract import build

import zoo
from zoo.hub.architectures import architectures
from zoo.hub.cards import checkpoint_folders
from zoo.hub.config import read_config
from zoo.hub.loading import load_folder
from zoo.models._base import SequenceModel

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
pytestmark = pytest.mark.slow

# A checkpoint of each architecture that has some.
SHIPPED = {folder.name.split(".")[0]: folder for folder in checkpoint_folders()}


class Session(NamedTuple):
    """An ONNX file in onnxruntime."""

    session: Any  # onnxruntime.InferenceSession

    def __call__(self, *arrays: Array) -> Array:
        names = [value.name for value in self.session.get_inputs()]
        (values,) = self.session.run(["predictions"], dict(zip(names, arrays, strict=True)))
        return np.asarray(values)


def opened(path: Path) -> Session:
    return Session(onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]))


def check(path: Path, model: SequenceModel, rows: tuple[int, ...]) -> None:
    run = opened(path)
    sizes = {value.name: value.shape for value in run.session.get_inputs()}
    assert sizes.pop("sequence") == ["batch", 4, model.length]
    tracks = ["batch", len(model.inputs.names), model.length // model.inputs.size]
    assert sizes == ({"inputs": tracks} if model.inputs.names else {})
    (output,) = run.session.get_outputs()
    assert (output.name, output.shape) == ("predictions", ["batch", *model.output.shape])
    for count in rows:
        arrays = random_batch(model, count, seed=count)
        assert difference(run(*arrays), predicted(model, *arrays)) <= 1e-4


@pytest.mark.parametrize("architecture", architectures())
def test_onnx_and_torch_export_of_every_architecture_predict_the_same(architecture: str, tmp_path: Path) -> None:
    model = build(architecture).eval().cpu()
    paths = [tmp_path / "model.onnx", tmp_path / "model.pt2"]
    for path in paths:
        exported = zoo.export(model, path)
        assert exported.size == path.stat().st_size
        assert exported.comparison.difference <= 1e-4
    assert sorted(tmp_path.iterdir()) == paths  # no external data
    check(paths[0], model, (1, 3, 8))
    extra = {"metadata.json": ""}
    program = torch.export.load(paths[1], extra_files=extra).module()
    for rows in (1, 3, 8):
        arrays = random_batch(model, rows, seed=rows)
        with torch.inference_mode():
            values = program(*map(torch.from_numpy, arrays)).numpy()
        assert difference(values, predicted(model, *arrays)) <= 1e-4
    metadata = json.loads(extra["metadata.json"])
    assert metadata == opened(paths[0]).session.get_modelmeta().custom_metadata_map == exported.metadata
    assert metadata["architecture"] == architecture
    assert json.loads(metadata["targets"]) == ["one", "two"]


@pytest.mark.parametrize("folder", SHIPPED.values(), ids=lambda folder: folder.name)
def test_a_shipped_checkpoint_predicts_the_same_and_its_file_says_what_it_is(folder: Path, tmp_path: Path) -> None:
    exported = zoo.export(f"local-dir:{folder}", tmp_path / "model.onnx")
    model, config = load_folder(folder), read_config(folder)
    check(exported.path, model, (1, 3) if model.length < 100_000 else (1,))
    assert exported.comparison.stored >= 8
    known = opened(exported.path).session.get_modelmeta().custom_metadata_map
    facts = config.facts
    assert (known["name"], known["licence"], known["source"]) == (facts.name, facts.licence, facts.source)
    assert known["weights_sha256"] == config.sha256["model.safetensors"]
    assert json.loads(known["targets"]) == list(facts.targets)
    assert len(json.loads(known["units"])) == len(facts.targets)
    assert (known["output"], known["channels"], known["regzoo_version"]) == (facts.output, "ACGT", zoo.__version__)
    assert known["length"] == known["shortest"] == known["longest"] == str(model.length)
    assert json.loads(known.get("input_names", "[]")) == list(model.inputs.names)


def test_every_architecture_of_which_there_are_checkpoints_is_tried() -> None:
    assert SHIPPED.keys() >= {"mlp", "deepbind", "basset", "basenji", "akita"}
