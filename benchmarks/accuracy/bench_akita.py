"""Akita: Pearson r of predicted contact maps, for the published human model and for models trained on yeast.

    zoo benchmark akita [--models "sequence" "ceiling" ...] [--split test] [--seed 1] [--skip-human]

Table `akita_human`: the published weights on one window of human chr11, 1 Mb, against the measured maps of five cell
types. Control: the same sequence, shuffled so that its dinucleotide counts stay.

Table `akita_yeast`: Hi-C of yeast at 2 kb on held-out chromosomes, chrIX and chrXIV (`--split val`: chrXI). Rows are
models, a baseline (ridge regression on distance and GC content) and an upper bound of r: the contacts are split into
two random halves, and the Spearman-Brown formula turns the r between the halves into the r that a perfect prediction
could reach. Table `akita_yeast_distance`: Pearson r for each distance between the two bins.

How to read the yeast tables: the measured maps are smoothed by a Gaussian of sigma 1.5 or 2 bins, and r rises with
sigma. Every model is scored on both maps but was trained on one of them, which the table names: the models of sequence
on sigma 1.5 for eight epochs, the models that are also given positions on sigma 2 for ten. Compare models within one of
these groups only. The settings were chosen for `sequence` (mean of the two bins, frozen trunk of basenji.yeast) and
were not tuned again for the other rows. Each model was trained with one seed: differences of a few hundredths may be
chance.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
from accuracy.contact_ceilings import correlate_experiments, correlate_halves
from accuracy.gc_baseline import score_gc_baseline
from common import WORK, make_parser, model_folder, pearson, run_facts, table_name, training_command, write_results

from zoo.data.contacts.maps import MapRules
from zoo.data.shuffle import dinucleotide_shuffle
from zoo.data.splits import Split
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_contacts import YeastContactDataModule
from zoo.datasets.yeast_genome import TEST, VAL
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.hub.load import load
from zoo.hub.loading import load_folder
from zoo.hub.registry import shipped_folder
from zoo.inference.engine import inference, predict_batch
from zoo.metrics.contacts import ContactMetrics
from zoo.outputs import Contacts
from zoo.utils.download import fetch

SEQUENCE, POSITION = "akita.yeast", "akita.yeast_position"
POSITION_ONLY = "position alone"
# Options of a trunk that learns, before its rate.
TRUNK_RATE = ["--transfer.train_mode", "false", "--transfer.trunk_rate"]
# Row of the table -> its configuration, and the options that differ from it.
MODELS: dict[str, tuple[str, list[str]]] = {
    "sequence": (SEQUENCE, []),
    "sequence, concatenated": (SEQUENCE, ["--model.pair_map.combine", "concatenate"]),
    "sequence, maximum": (SEQUENCE, ["--model.pair_map.combine", "max"]),
    "sequence, geometric mean": (SEQUENCE, ["--model.pair_map.combine", "geometric_mean"]),
    "sequence, dot product": (SEQUENCE, ["--model.pair_map.combine", "dot"]),
    "sequence, trunk from scratch": (SEQUENCE, ["--transfer.trunk_from", "null", *TRUNK_RATE, "1"]),
    "sequence, trunk fine-tuned": (SEQUENCE, [*TRUNK_RATE, "0.1"]),
    "sequence and position": (POSITION, []),
    POSITION_ONLY: (POSITION, ["--data.sequence", "false"]),
}
BASELINE, CEILING = "distance and GC", "ceiling"
ROWS = [*MODELS, BASELINE, CEILING]
SIGMAS = (1.5, 2.0)  # of the Gaussian that smooths the measured map, in bins of 2 kb
METRICS = ("pearson", "spearman", "mse", "pearson_window")
CHROMOSOMES: dict[Split, tuple[str, ...]] = {"val": tuple(VAL), "test": tuple(TEST)}
# The window of the human model: its first base in the FASTA file, the bins of the measured map, and the bins on each
# side of it that the model does not predict.
HUMAN_START, HUMAN_BINS, HUMAN_CROP = 131_072, 512, 32
HUMAN_DIAGONAL = 2
SHUFFLE_SEED = 1


def main(arguments: Sequence[str]) -> None:
    """Train the models that are missing, score them, print and write the tables."""
    parser = make_parser("akita", __doc__)
    parser.add_argument("--models", nargs="+", choices=ROWS, default=ROWS, help="rows of the yeast tables")
    parser.add_argument("--split", choices=list(CHROMOSOMES), default="test", help="chromosomes that are scored")
    parser.add_argument("--seed", type=int, default=1, help="seed of the training runs")
    parser.add_argument("--skip-human", action="store_true", help="do not score the published human model")
    options = parser.parse_args(arguments)
    if not options.skip_human:
        print(human_table())
    print(yeast_tables(options.models, options.split, options.seed))


def human_table() -> str:
    """Score the published weights on the measured window of chr11, and on its dinucleotide shuffle."""
    fasta, maps = (fetch(file) for file in files_of("hic_human_window"))
    model = load("akita.human_1mb")
    assert isinstance(model.output, Contacts)
    genome = Genome(fasta)
    (contig,) = genome.contigs
    codes = genome.codes(Interval(contig, HUMAN_START, HUMAN_START + model.length))
    shuffled = dinucleotide_shuffle(codes[None], np.random.default_rng(SHUFFLE_SEED))[0]
    measured = read_human_window(maps)
    predictions = [
        predict_batch(model, torch.from_numpy(window)[None], [name], "32")[0]
        for name, window in ((contig, codes), ("shuffled", shuffled))
    ]
    scores = [[pearson(prediction[t], measured[t]) for t in range(len(measured))] for prediction in predictions]
    rows = [[target, *values] for target, *values in zip(model.output.targets, *scores, strict=True)]
    facts = {"window": "hg38 chr11:100,059,136-101,107,712", "shuffle_seed": SHUFFLE_SEED}
    return write_results("akita_human", ["cell type", "Pearson r", "Pearson r, shuffled sequence"], rows, facts)


def read_human_window(path: Path) -> NDArray[np.float64]:
    """Read the measured maps of T cell types, cropped to the pixels that the model predicts: (T, P)."""
    pixels = np.load(path)[0].astype(np.float64)  # (P of all bins, T)
    full = np.full((HUMAN_BINS, HUMAN_BINS, pixels.shape[1]), np.nan)
    full[np.triu_indices(HUMAN_BINS, HUMAN_DIAGONAL)] = pixels
    cropped = full[HUMAN_CROP : HUMAN_BINS - HUMAN_CROP, HUMAN_CROP : HUMAN_BINS - HUMAN_CROP]
    return cropped[np.triu_indices(len(cropped), HUMAN_DIAGONAL)].T


def yeast_tables(names: Sequence[str], split: Split, seed: int) -> str:
    """Write the table of scores and that of Pearson r by distance; return the first as Markdown."""
    facts: dict[str, object] = {"chromosomes": CHROMOSOMES[split]}
    columns = [f"{metric}, sigma {sigma:g}" for sigma in SIGMAS for metric in METRICS]
    rows: list[list[object]] = []
    by_distance: dict[str, list[float]] = {}
    for name in names:
        if name == CEILING:
            continue
        metrics, facts[name] = score_row(name, split, seed)
        scores: dict[str, float] = {}
        for sigma, result in metrics.items():
            scores |= {f"{key}, sigma {sigma:g}": float(value) for key, value in result.per_target().items()}
            by_distance[f"{name}, sigma {sigma:g}"] = result.by_distance()["pearson"][:, 0].tolist()
        rows.append([name, trained_sigma(name), *(scores[column] for column in columns)])
    if CEILING in names:
        ceilings = ceiling_facts(split)
        facts |= ceilings
        rows += ceiling_rows(ceilings)
    complete = list(names) == ROWS
    if by_distance:
        write_distance_table(table_name("akita_yeast_distance", complete, split, seed), by_distance, facts)
    header = ["model", "trained on sigma", *columns]
    return write_results(table_name("akita_yeast", complete, split, seed), header, rows, facts)


def write_distance_table(name: str, by_distance: dict[str, list[float]], facts: object) -> None:
    """Write Pearson r of each model (column) for each distance (row); the first predicted diagonal is 4 kb away."""
    first, *_ = by_distance.values()
    distances = [f"{2 * (2 + diagonal)} kb" for diagonal in range(len(first))]
    rows = [[distance, *values] for distance, *values in zip(distances, *by_distance.values(), strict=True)]
    write_results(name, ["distance", *by_distance], rows, facts)


def score_row(name: str, split: Split, seed: int) -> tuple[dict[float, ContactMetrics], object]:
    """Score a model or the baseline on the map of each sigma; return the metrics and the facts of its run."""
    if name == BASELINE:
        return {sigma: score_gc_baseline(yeast_data(sigma), split) for sigma in SIGMAS}, "ridge regression, penalty 1"
    config, options = MODELS[name]
    folder = model_folder(config, training_command(config, options, seed), WORK)
    return {sigma: score_network(folder, name, sigma, split) for sigma in SIGMAS}, run_facts(folder)


def score_network(folder: Path, name: str, sigma: float, split: Split) -> ContactMetrics:
    """Score a trained model, one window at a time; its predictions are averaged over both strands."""
    model = load_folder(folder)
    inputs = {"position": bool(model.inputs.names), "sequence": name != POSITION_ONLY}
    data = yeast_data(sigma, length=model.length, crop=model.arguments["crop_bins"], **inputs)
    metrics = ContactMetrics(model.output.targets, data.bins, data.diagonal)
    dataset = data.dataset(split)
    with inference(model, "32"):
        for index in range(len(dataset)):
            batch = dataset.__getitems__([index])
            metrics.update(model.predict(batch.codes, batch.inputs), batch.target)
    return metrics


def yeast_data(sigma: float, **options: Any) -> YeastContactDataModule:
    """Open the yeast map smoothed by sigma, in windows of 64 bins unless the options say otherwise."""
    return YeastContactDataModule(maps=MapRules(smooth=sigma), **options)


def trained_sigma(name: str) -> str:
    """Return the sigma of the map that a row was trained on; the baseline is fitted to the map that is scored."""
    if name == BASELINE:
        return "both"
    path = shipped_folder("configs") / f"{MODELS[name][0]}.yaml"
    return f"{yaml.safe_load(path.read_text())['data']['init_args']['maps']['smooth']:g}"


def ceiling_facts(split: Split) -> dict[str, Any]:
    """Compute the agreement of two halves of the contacts for each sigma, and of two experiments."""
    halves = {f"ceiling, sigma {sigma:g}": correlate_halves(yeast_data(sigma), CHROMOSOMES[split]) for sigma in SIGMAS}
    return {**halves, "ceiling, 10 kb": correlate_experiments(yeast_data(0.0), CHROMOSOMES[split])}


def ceiling_rows(ceilings: dict[str, Any]) -> list[list[object]]:
    """Make the last two rows of the table, which have values in the two columns of Pearson r only."""
    empty = [""] * (len(METRICS) - 1)
    rows: list[list[object]] = []
    for title, key in (
        ("half of the contacts against the other half", "halves"),
        ("ceiling: upper bound of r from these halves", "attainable"),
    ):
        cells = [cell for sigma in SIGMAS for cell in (ceilings[f"ceiling, sigma {sigma:g}"][key], *empty)]
        rows.append([title, "", *cells])
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
