"""Akita: the published human weights on a measured window, and nets of yeast against baselines and ceilings.

Every figure of yeast says what Gaussian (sigma, in bins of 2 kb) smoothed the map that was measured: r rises with it.
Nets are scored against both maps, but each learned from one, which the table says: those of sequence from that of
sigma 1.5, in eight epochs, those that are given position from that of sigma 2, in ten; compare within them. One seed
each: differences of a few hundredths are within its reach. The settings were chosen for the mean of pairs and for the
trunk of basenji.yeast left as it is, and not again for the other rows.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from zoo.data.contacts.maps import MapRules
from zoo.data.shuffle import dinucleotide_shuffle
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_contacts import YeastContactDataModule
from zoo.datasets.yeast_genome import TEST, VAL
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.hub.checkpoint import load_folder
from zoo.hub.load import load
from zoo.hub.registry import shipped_folder
from zoo.inference.engine import inference, predict_batch
from zoo.metrics.contacts import ContactMetrics
from zoo.outputs import Contacts
from zoo.utils.download import fetch

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from common import WORK, run_facts, shipped, trained, write_results
from contact_baselines import experiments_agreement, gc_scores, halves_agreement

SEQUENCE, POSITION = "akita.yeast", "akita.yeast_position"
# Row -> the configuration that it begins from, and what is changed.
ROWS: dict[str, tuple[str, list[str]]] = {
    "sequence": (SEQUENCE, []),
    "sequence, concatenated": (SEQUENCE, ["--model.combine", "concatenate"]),
    "sequence, maximum": (SEQUENCE, ["--model.combine", "max"]),
    "sequence, geometric mean": (SEQUENCE, ["--model.combine", "geometric_mean"]),
    "sequence, dot product": (SEQUENCE, ["--model.combine", "dot"]),
    "sequence, trunk from scratch": (SEQUENCE, ["--optimization.trunk_from", "null"]),
    "sequence, trunk tuned": (SEQUENCE, ["--optimization.trunk_rate", "0.1"]),
    "sequence and position": (POSITION, []),
    "position alone": (POSITION, ["--data.sequence", "false"]),
}
BASELINE, CEILING = "distance and GC", "ceiling"
SIGMAS = (1.5, 2.0)
CHROMOSOMES = {"val": VAL, "test": TEST}
# Where the authors' window begins in the file, and the bins of its measured map that it predicts.
WINDOW, MEASURED, CROP = 131_072, 512, 32
SHUFFLE_SEED = 1


def main(arguments: Sequence[str]) -> None:
    """Train what is missing, score it, print and write the tables."""
    parser = argparse.ArgumentParser(prog="zoo benchmark akita", description=__doc__)
    models = [*ROWS, BASELINE, CEILING]
    parser.add_argument("--models", nargs="+", choices=models, default=models)
    parser.add_argument("--part", choices=list(CHROMOSOMES), default="test")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-human", action="store_true", help="leave out the window of the human model")
    options = parser.parse_args(arguments)
    if not options.skip_human:
        print(human_table())
    yeast_tables(options.models, options.part, options.seed, models)


def human_table() -> str:
    """The published weights on the measured window of chr11, and on its dinucleotide-preserving shuffle."""
    fasta, maps = (fetch(file) for file in files_of("hic_human_window"))
    model = load("akita.human_1mb")
    assert isinstance(model.output, Contacts)
    genome = Genome(fasta)
    (name,) = genome.contigs
    codes = genome.codes(Interval(name, WINDOW, WINDOW + model.length))
    shuffled = dinucleotide_shuffle(codes[None], np.random.default_rng(SHUFFLE_SEED))[0]
    measured = measured_window(maps)
    with inference(model, "32"):
        found = [predict_batch(model, torch.from_numpy(each)[None])[0] for each in (codes, shuffled)]
    scores = [[float(np.corrcoef(each[t], measured[t])[0, 1]) for t in range(len(measured))] for each in found]
    rows = [[target, *values] for target, *values in zip(model.output.targets, *scores, strict=True)]
    facts = {"window": "hg38 chr11:100,059,136-101,107,712", "shuffle_seed": SHUFFLE_SEED}
    return write_results("akita_human", ["cell type", "Pearson r", "r of a shuffled window"], rows, facts)


def measured_window(path: Path) -> np.ndarray:
    """The measured maps, as the model predicts them: (T, pixels)."""
    values = np.load(path)[0].astype(np.float64)  # (pixels of all bins, T)
    whole = np.full((MEASURED, MEASURED, values.shape[1]), np.nan)
    whole[np.triu_indices(MEASURED, 2)] = values
    inner = whole[CROP : MEASURED - CROP, CROP : MEASURED - CROP]
    return inner[np.triu_indices(len(inner), 2)].T


def yeast_tables(models: Sequence[str], part: str, seed: int, every: Sequence[str]) -> None:
    """One table of scores, one of Pearson r by distance."""
    scores: dict[str, dict[str, float]] = {}
    by_distance: dict[str, list[float]] = {}
    learned: dict[str, str] = {}
    facts: dict[str, object] = {"chromosomes": CHROMOSOMES[part]}
    for row in models:
        if row == CEILING:
            continue
        folder = model_folder(row, seed) if row in ROWS else None
        facts[row] = run_facts(folder) if folder else "ridge regression, penalty 1"
        found: dict[str, float] = {}
        for sigma in SIGMAS:
            metrics = network_scores(folder, row, sigma, part) if folder else gc_scores(data_of(sigma), part)
            found |= {f"{name}, sigma {sigma:g}": float(value) for name, value in metrics.per_target().items()}
            by_distance[f"{row}, sigma {sigma:g}"] = metrics.by_distance()["pearson"][:, 0].tolist()
        scores[row] = found
        learned[row] = learned_sigma(row) if row in ROWS else "each"
    suffix = "" if part == "test" else f"_{part}"
    suffix += "" if seed == 1 else f"_seed{seed}"
    suffix += "" if list(models) == list(every) else "_part"  # of the table
    kinds = ("pearson", "spearman", "mse", "pearson_window")
    columns = [f"{kind}, sigma {sigma:g}" for sigma in SIGMAS for kind in kinds]
    rows: list[list[object]] = [
        [row, learned[row], *(found[column] for column in columns)] for row, found in scores.items()
    ]
    if CEILING in models:
        for sigma in SIGMAS:
            facts[f"ceiling, sigma {sigma:g}"] = halves_agreement(data_of(sigma), CHROMOSOMES[part])
        facts["ceiling, 10 kb"] = experiments_agreement(data_of(0.0), CHROMOSOMES[part])
        for row, key in (
            ("one half of the contacts against the other", "halves"),
            ("ceiling: what these halves let a prediction reach at most", "attainable"),
        ):
            reached = [facts[f"ceiling, sigma {sigma:g}"][key] for sigma in SIGMAS]  # type: ignore[index]
            rows.append([row, "", reached[0], "", "", "", reached[1], "", "", ""])
    print(write_results(f"akita_yeast{suffix}", ["model", "learned from sigma", *columns], rows, facts))
    distances = [f"{2 * (2 + index)} kb" for index in range(len(next(iter(by_distance.values()))))]
    table = [[distance, *values] for distance, *values in zip(distances, *by_distance.values(), strict=True)]
    write_results(f"akita_yeast_distance{suffix}", ["distance", *by_distance], table, facts)


def data_of(sigma: float, **options: Any) -> YeastContactDataModule:
    """The map smoothed by sigma, in windows of 64 bins."""
    return YeastContactDataModule(maps=MapRules(smooth=sigma), **options)


def learned_sigma(row: str) -> str:
    """The Gaussian of the map that a row's net learned from."""
    path = shipped_folder("configs") / f"{ROWS[row][0]}.yaml"
    return f"{yaml.safe_load(path.read_text())['data']['init_args']['maps']['smooth']:g}"


def model_folder(row: str, seed: int) -> Path:
    """The shipped checkpoint where it is what is asked for, else one that is trained for this table."""
    name, changes = ROWS[row]
    command = [str(shipped_folder("configs") / f"{name}.yaml"), *changes]
    command += [] if seed == 1 else ["--seed_everything", str(seed)]
    return shipped(name, command) or trained(name, WORK, command)


def network_scores(folder: Path, row: str, sigma: float, part: str) -> ContactMetrics:
    """Of a net's predictions, over both strands."""
    net = load_folder(folder)
    reads = {"position": bool(net.inputs), "sequence": row != "position alone"}
    data = data_of(sigma, length=net.length, crop=net.arguments["crop"], **reads)
    metrics = ContactMetrics(net.output.targets, data.bins, data.diagonal)
    dataset = data.dataset(part)  # type: ignore[arg-type]
    with inference(net, "32"):
        for index in range(len(dataset)):
            batch = dataset.__getitems__([index])
            metrics.update(net.predict(batch.codes, batch.inputs), batch.target)
    return metrics
