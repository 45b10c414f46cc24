"""Basenji: predicted tracks of yeast on held-out chromosomes, against ablations, a linear baseline and replicates.

    zoo benchmark basenji [--models basenji undilated ...] [--split test] [--seed 1]

Metrics of each track over the bins of chrIX and chrXIV (`--split val`: chrXI): Pearson r, R2, and Spearman's rank
correlation over the bins with signal. The nucleosome track (mnase) is scored in bins of 16 bp with any coverage;
`mnase detrended` is scored after the moving average of 1 kb is subtracted from both tracks. The tracks of transcription
starts are scored as log1p of tags per million in bins of 32 bp. `opposite strand` is a control: predictions of the
transcription starts against the measured tracks of the other strand.

Models (columns):
- `basenji`: the shipped checkpoint, trained with Poisson losses that are weighted by 1 / mean of each track, and the
  nucleosome track ten times more.
- `undilated`: the same network with dilations of 1. `no_residual`: without the dilated residual blocks.
- `squared_error`: squared errors weighted by 1 / variance of each track, the nucleosome track ten times more.
  `squared_error_equal`: the same without the factor of ten.
- `linear`: ridge regression on the dinucleotide counts of the bins around. For transcription starts it is fitted to the
  log1p values on which it is scored, which gives it an advantage in R2.
- `replicates`: mean Pearson r of pairs of replicates of the transcription starts. `ceiling`: Pearson r that the true
  signal would reach with the average of all replicates if their noise is independent (Spearman-Brown formula).

Each network was trained once, with one seed and the settings that were chosen for `basenji`: differences of .01 may be
chance.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from accuracy.linear_tracks import BIN, fit_linear_tracks, read_measured_tracks
from accuracy.receptive_field import receptive_field
from accuracy.replicate_tracks import score_ceiling, score_replicates
from accuracy.track_scores import Column, score_tracks
from common import WORK, Values, make_parser, model_folder, run_facts, table_name, training_command, write_results

from zoo.data.splits import Split
from zoo.data.tracks.table import Transform
from zoo.datasets.yeast import YeastDataModule
from zoo.datasets.yeast_genome import TEST, VAL
from zoo.genome.intervals import Interval
from zoo.hub.loading import load_folder
from zoo.inference.tracks import TrackPredictor
from zoo.models._base import SequenceModel

CHECKPOINT = "basenji.yeast"
CHROMOSOMES: dict[Split, list[str]] = {"val": list(VAL), "test": list(TEST)}
# Weights of the squared errors, proportional to 1 / variance of each track on the training chromosomes (bins of 16 bp,
# soft-clipped). The first is that of the nucleosomes, with or without the factor of ten.
INVERSE_VARIANCES = "[{}, 1.228, 1.312, 1.276, 1.354, 0.974, 0.970, 0.957, 0.925]"
SQUARED_ERROR = ["--model.loss", "softplus_squared_error", "--target_weights"]
# Column of the table -> options that differ from the configuration of the checkpoint.
NETWORKS: dict[str, list[str]] = {
    "basenji": [],
    "undilated": ["--model.trunk.dilations", "[1, 1, 1, 1, 1, 1]"],
    "no_residual": ["--model.trunk.dilations", "[]"],
    "squared_error": [*SQUARED_ERROR, INVERSE_VARIANCES.format(0.0074)],
    "squared_error_equal": [*SQUARED_ERROR, INVERSE_VARIANCES.format(0.0007)],
}
MODELS = [*NETWORKS, "linear", "replicates", "ceiling"]


def main(arguments: Sequence[str]) -> None:
    """Train the models that are missing, score them, print and write the table."""
    parser = make_parser("basenji", __doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="columns of the table")
    parser.add_argument("--split", choices=list(CHROMOSOMES), default="test", help="chromosomes that are scored")
    parser.add_argument("--seed", type=int, default=1, help="seed of the training runs")
    options = parser.parse_args(arguments)
    data = YeastDataModule(resolution=BIN)
    chromosomes = CHROMOSOMES[options.split]
    measured = {name: read_measured_tracks(data, name) for name in chromosomes}
    columns: dict[str, Column] = {}
    facts: dict[str, object] = {"chromosomes": chromosomes}
    for model in options.models:
        columns[model], run = score_model(model, data, measured, options.seed)
        facts |= {} if run is None else {model: run}
    keys = dict.fromkeys(key for column in columns.values() for key in column)
    rows = [[*key, *(column.get(key, "") for column in columns.values())] for key in keys]
    name = table_name("basenji_yeast", options.models == MODELS, options.split, options.seed)
    print(write_results(name, ["track", "score", *columns], rows, facts))


def score_model(
    model: str, data: YeastDataModule, measured: dict[str, Values], seed: int
) -> tuple[Column, dict[str, object] | None]:
    """Score one column of the table; return its scores and the facts of its run, None for replicates."""
    chromosomes = list(measured)
    if model == "replicates":
        return score_replicates(data, chromosomes), None
    if model == "ceiling":
        return score_ceiling(data, chromosomes), None
    if model == "linear":
        predicted, run = fit_linear_tracks(data, chromosomes)
        return score_tracks(data, predicted, measured), run
    command = training_command(CHECKPOINT, NETWORKS[model], seed)
    folder = model_folder(CHECKPOINT, command, WORK / "basenji", f"{CHECKPOINT}.{model}.seed{seed}")
    network = load_folder(folder)
    predicted = predict_chromosomes(data, network, chromosomes)
    return measure_size(network) | score_tracks(data, predicted, measured), run_facts(folder)


def measure_size(network: SequenceModel) -> Column:
    """Count the trainable parameters, and the bases that reach the prediction of one bin."""
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return {("network", "parameters"): parameters, ("network", "receptive field, bp"): receptive_field(network)}


def predict_chromosomes(data: YeastDataModule, network: SequenceModel, chromosomes: list[str]) -> dict[str, Values]:
    """Predict the tracks (T, P) of whole chromosomes, with the soft clip of the transcription starts inverted."""
    genome = data.reference
    regions = [Interval(name, 0, genome.contigs[name]) for name in chromosomes]
    inverse = Transform(data.tracks).inverse
    predicted = {}
    for segment in TrackPredictor(network).predict(genome, regions).segments:
        bins = genome.contigs[segment.contig] // BIN
        # (T, P) -> (T, 1, P), as the transform takes it, and back
        predicted[segment.contig] = inverse(segment.values[:, None])[:, 0, :bins].astype(np.float64)
    return predicted


if __name__ == "__main__":
    main(sys.argv[1:])
