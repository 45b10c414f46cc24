"""Nets other than the defaults: any length, tracks, ensembles, both strands, scales, deltas; ONNX without torch."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exporters.exported import difference, predicted, random_batch
from exporters.test_architectures import opened
from made.deltas import fine_tuned, save_delta, save_whole

import zoo
from zoo.batch import InputSpec
from zoo.hub.config import read_config
from zoo.models._base import SequenceModel
from zoo.models.akita import Akita
from zoo.models.basenji import Basenji
from zoo.models.basset import Basset
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP

pytestmark = pytest.mark.slow
TARGETS = ("a", "b")
BASES = InputSpec(("left", "right"), 1, (1, 0))
BINS = InputSpec(("left", "right"), 4, (1, 0))
TRUNK = {"stem_filters": 4, "stem_pool": 2, "tower_filters": [5], "tower_pools": [2], "dilations": [1]}
PAIRS = {"reduced_filters": 4, "filters": 4, "residual_filters": 4, "dilations": [1], "combine": "geometric_mean"}
CLIPPED = {"spread": [2.0, 3.0], "soft_clip": [4.0, 5.0], "scaled_loss": True}


def shaken(architecture: type[SequenceModel], **arguments: Any) -> SequenceModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = architecture(targets=TARGETS, **arguments)  # type: ignore[call-arg]
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def motifs(**options: Any) -> dict[str, Any]:
    return {"filters": 3, "width_bases": 6, **options}


SCANNING: dict[str, dict[str, Any]] = {
    "as published": {"motifs": motifs()},
    "all options": {
        "motifs": motifs(pool_bases=3, pooling="max_mean", strands="best_filter"),
        "hidden": 5,
        "ensemble_members": 2,
        "inputs": BASES,
        "loss": "mean_squared_error",
        "target_scale": {"centre": [1.0, -2.0], "spread": [3.0, 4.0]},
    },
}


@pytest.mark.parametrize("name", SCANNING)
def test_a_model_that_scans_takes_sequences_of_any_length(name: str, tmp_path: Path) -> None:
    model = shaken(DeepBind, length=20, scan=True, **SCANNING[name])
    exported = zoo.export(model, tmp_path / "scan.onnx")
    assert exported.shapes["sequence"] == ("batch", 4, "length")
    assert {bases for _, bases in exported.comparison.batches} == {10, 20, 41}
    assert (exported.metadata["shortest"], "longest" in exported.metadata) == ("2", False)
    run = opened(exported.path)
    assert run.session.get_inputs()[0].shape == ["batch", 4, "length"]
    program = torch.export.load(zoo.export(model, tmp_path / "scan.pt2").path).module()
    for rows, length in ((1, 2), (3, 7), (2, 19), (1, 20), (4, 21), (3, 22), (1, 100)):
        arrays = random_batch(model, rows, length)
        expected = predicted(model, *arrays)
        assert difference(run(*arrays), expected) <= 1e-4
        with torch.inference_mode():
            assert difference(program(*map(torch.from_numpy, arrays)).numpy(), expected) <= 1e-4


OTHERS: dict[str, tuple[type[SequenceModel], dict[str, Any]]] = {
    "ensemble, both strands, tracks": (
        Basset,
        {
            "length": 40,
            "conv": {"filters": [6, 8], "widths": [5, 5], "pools": [2, 2]},
            "hidden": [7, 6],
            "rc_equivariant": True,
            "ensemble_members": 2,
            "inputs": BINS,
        },
    ),
    "strand pairs, soft clip, tracks": (
        Basenji,
        {
            "length": 64,
            "trunk": TRUNK,
            "head_filters": 4,
            "crop_bins": 1,
            "strand_pairs": [1, 0],
            "target_scale": CLIPPED,
            "inputs": BINS,
        },
    ),
    "both strands of a map, tracks of pairs": (
        Akita,
        {
            "length": 80,
            "trunk": TRUNK,
            "pair_map": PAIRS,
            "crop_bins": 1,
            "inputs": BINS,
            "inputs_join": "pairs",
            "rc_average": True,
        },
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_options_of_architectures_are_in_the_file(name: str, tmp_path: Path) -> None:
    architecture, arguments = OTHERS[name]
    model = shaken(architecture, **arguments)
    run = opened(zoo.export(model, tmp_path / "model.onnx").path)
    for rows in (1, 3):
        arrays = random_batch(model, rows)
        assert difference(run(*arrays), predicted(model, *arrays)) <= 1e-4


def test_a_delta_is_exported_whole_and_names_its_base(tmp_path: Path) -> None:
    source = MLP(["one", "two"], 40, hidden=(20,)).eval()
    base = save_whole(source, tmp_path / "mlp.base")
    save_delta(fine_tuned(source, "lora"), tmp_path / "mlp.tuned", base, "lora")
    name = f"local-dir:{tmp_path / 'mlp.tuned'}"
    exported = zoo.export(name, tmp_path / "tuned.onnx")
    model = zoo.load(name)
    arrays = random_batch(model, 3)
    assert difference(opened(exported.path)(*arrays), predicted(model, *arrays)) <= 1e-4
    config = read_config(tmp_path / "mlp.tuned")
    known = exported.metadata
    assert known["weights_sha256"] == config.sha256["delta.safetensors"]
    assert known["base_weights_sha256"] == read_config(tmp_path / "mlp.base").sha256["model.safetensors"]
    assert known["base"] == base


def test_an_onnx_file_runs_without_this_package_and_without_torch(tmp_path: Path) -> None:
    model = shaken(MLP, length=30)
    zoo.export(model, tmp_path / "model.onnx")
    (onehot,) = random_batch(model, 2)
    np.save(tmp_path / "onehot.npy", onehot)
    script = (
        "import sys, numpy, onnxruntime; onehot = numpy.load('onehot.npy')\n"
        "values = onnxruntime.InferenceSession('model.onnx').run(None, {'sequence': onehot})[0]\n"
        "assert not {'torch', 'zoo'} & sys.modules.keys()\n"
        "numpy.save('values.npy', values)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True)
    assert difference(np.load(tmp_path / "values.npy"), predicted(model, onehot)) <= 1e-4
