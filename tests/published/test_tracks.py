"""basenji.yeast on the chromosomes that it has not seen: what its card and its table say, recomputed."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
import pytest
import torch
from torch import Tensor

from zoo.datasets.yeast import YeastDataModule, yeast_folder
from zoo.datasets.yeast_genome import TEST
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.hub.config import read_config
from zoo.hub.load import load, resolve
from zoo.hub.registry import shipped_folder
from zoo.inference.engine import inference
from zoo.inference.tracks import TrackPredictor
from zoo.metrics.tracks import TrackMetrics

pytestmark = pytest.mark.public_data
NAME = "basenji.yeast"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def one_cache_for_all(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The yeast data set is built once."""
    monkeypatch.setenv("ZOO_CACHE", str(cache))


def test_the_card_tells_the_truth() -> None:
    model = load(NAME)
    metrics = TrackMetrics(model.output.targets)
    with inference(model, "32"):
        for batch in YeastDataModule(resolution=4).test_dataloader():
            metrics.update(model.predict(batch.codes), batch.target)
    said: dict[str, float] = read_config(resolve(NAME)).facts.training.metrics["test"]
    found: dict[str, Tensor] = metrics.compute()
    for name, value in found.items():
        assert float(value) == pytest.approx(said[name], abs=1e-4)


def test_held_out_chromosomes_are_predicted_as_well_as_was_asked() -> None:
    script: dict[str, Any] = runpy.run_path(str(shipped_folder("benchmarks") / "accuracy" / "bench_basenji.py"))
    data = YeastDataModule(resolution=16)
    measured = {name: script["measured_tracks"](data, name) for name in TEST}
    found = script["scores"](
        data, script["network_predictions"](data, load(NAME), TEST), measured, script["correlation"]
    )
    assert found["mnase"] >= 0.87
    assert found["mnase detrended"] >= 0.85
    assert found["mean of the starts"] >= 0.67
    assert min(found[name] for name in data.targets[1:]) >= 0.63
    assert found["other strand"] < 0.05


def test_the_bigwigs_of_a_chromosome_hold_the_tensor_wherever_windows_begin(tmp_path: Path) -> None:
    model, genome = load(NAME), Genome(yeast_folder() / "genome.fa")
    length = genome.contigs["chrI"]
    whole = TrackPredictor(model).predict(genome, [Interval("chrI", 0, length)])
    (segment,) = whole.segments
    for path, values in zip(whole.write(tmp_path), segment.values, strict=True):
        with pyBigWig.open(str(path)) as file:
            found = file.values("chrI", 0, length, numpy=True)
        np.testing.assert_allclose(found, values.repeat(16)[:length], rtol=0, atol=1e-6)
    half = (448 - 2 * 56) // 2
    moved = TrackPredictor(model, phase=half).predict(genome, [Interval("chrI", 0, length)])
    for ours, theirs in zip(segment.values, moved.segments[0].values, strict=True):
        assert np.corrcoef(ours, theirs)[0, 1] > 0.999
    assert torch.is_grad_enabled()
