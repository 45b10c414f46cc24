"""basenji.yeast on held-out chromosomes: the scores on its card and in the benchmark table, recomputed."""

from pathlib import Path

import numpy as np
import pyBigWig
import pytest
import torch
from accuracy.bench_basenji import predict_chromosomes
from accuracy.linear_tracks import read_measured_tracks
from accuracy.track_scores import MEAN_OF_STARTS, OPPOSITE_STRAND, score_with
from common import pearson
from torch import Tensor

from zoo.datasets.yeast import YeastDataModule, yeast_folder
from zoo.datasets.yeast_genome import TEST
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.hub.config import read_config
from zoo.hub.load import load, resolve
from zoo.inference.engine import inference
from zoo.inference.tracks import TrackPredictor
from zoo.metrics.tracks import TrackMetrics

pytestmark = pytest.mark.public_data
NAME = "basenji.yeast"


@pytest.mark.slow
def test_the_card_has_the_recomputed_scores() -> None:
    model = load(NAME)
    metrics = TrackMetrics(model.output.targets)
    with inference(model, "32"):
        for batch in YeastDataModule(resolution=4).test_dataloader():
            metrics.update(model.predict(batch.codes), batch.target)
    card: dict[str, float] = read_config(resolve(NAME)).facts.training.metrics["test"]
    scores: dict[str, Tensor] = metrics.compute()
    for name, value in scores.items():
        assert float(value) == pytest.approx(card[name], abs=1e-4)


@pytest.mark.slow
def test_pearson_r_on_held_out_chromosomes_is_above_the_targets() -> None:
    data, chromosomes = YeastDataModule(resolution=16), list(TEST)
    measured = {name: read_measured_tracks(data, name) for name in chromosomes}
    scores = score_with(pearson, data, predict_chromosomes(data, load(NAME), chromosomes), measured)
    assert scores["mnase"] >= 0.87
    assert scores["mnase detrended"] >= 0.85
    assert scores[MEAN_OF_STARTS] >= 0.67
    assert min(scores[name] for name in data.targets[1:]) >= 0.63
    assert scores[OPPOSITE_STRAND] < 0.05


@pytest.mark.slow
def test_the_bigwigs_of_a_chromosome_hold_the_tensor_and_windows_may_start_anywhere(tmp_path: Path) -> None:
    model, genome = load(NAME), Genome(yeast_folder() / "genome.fa")
    length = genome.contigs["chrI"]
    whole = TrackPredictor(model).predict(genome, [Interval("chrI", 0, length)])
    (segment,) = whole.segments
    for path, values in zip(whole.write(tmp_path), segment.values, strict=True):
        with pyBigWig.open(str(path)) as file:
            written = file.values("chrI", 0, length, numpy=True)
        np.testing.assert_allclose(written, values.repeat(16)[:length], rtol=0, atol=1e-6)
    half = (448 - 2 * 56) // 2
    shifted = TrackPredictor(model, phase=half).predict(genome, [Interval("chrI", 0, length)])
    for track, shifted_track in zip(segment.values, shifted.segments[0].values, strict=True):
        assert np.corrcoef(track, shifted_track)[0, 1] > 0.999
    assert torch.is_grad_enabled()
