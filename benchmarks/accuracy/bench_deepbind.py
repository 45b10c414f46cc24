"""DeepBind: best known motif, published weights and our retrained models on the authors' held-out ENCODE peaks.

    zoo benchmark deepbind [--motifs JASPAR.meme] [--seeds 1 2 3] [--experiments usf1_h1hesc ...]

AUROC on file B of each experiment: 500 peaks against their 500 dinucleotide shuffles. Seed 1 is the shipped checkpoint.
Other seeds that are named are trained where they are not at hand; what they scored is kept in
`results/deepbind_seeds.json` and joins the table from there, as long as the configuration stays. The motif is the one
among all in the file that scores best on the 500 strongest training peaks and their shuffles, never on the test file.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torchmetrics.functional.classification import binary_auroc

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from common import RESULTS, WORK, run_facts, shipped, trained, write_results

from zoo.data.labelled import LabelledSequences
from zoo.data.shuffle import dinucleotide_shuffle
from zoo.datasets.encode_tf import EncodeDataModule, Experiment, encode_experiments
from zoo.formats.meme import Motif, best_matches, read_meme
from zoo.genome.sequence import Codes, one_hot
from zoo.hub.checkpoint import load_folder
from zoo.hub.facts import ModelFacts
from zoo.hub.load import load
from zoo.hub.registry import list_models
from zoo.inference.labels import predict_codes
from zoo.metrics.labels import CLASSIFICATION, per_target
from zoo.models._base import SequenceModel
from zoo.training.finish import recipe

SHIPPED_SEED = 1
TOP_PEAKS = 500
RECORD = RESULTS / "deepbind_seeds.json"
# The ten experiments whose published weights the project was measured against from the start.
TEN = [
    "arid3a_k562",
    "ctcfl_k562",
    "elk1_gm12878",
    "foxa1_hepg2",
    "gabpa_gm12878",
    "myc_h1hesc",
    "rest_gm12878",
    "sp1_gm12878",
    "usf1_hepg2",
    "zbtb7a_hepg2",
]
HEADER = [
    *("experiment", "training peaks", "best motif", "best motif AUROC", "published model", "published AUROC"),
    *("ours AUROC", "ours mean", "seeds", "ours - published"),
]


def main(arguments: Sequence[str]) -> None:
    """Score every experiment, print and write the table."""
    parser = argparse.ArgumentParser(prog="zoo benchmark deepbind", description=__doc__)
    parser.add_argument(
        "--experiments", nargs="+", choices=list(encode_experiments()), default=list(encode_experiments())
    )
    parser.add_argument("--motifs", help="MEME file of known motifs; without it that column is empty")
    parser.add_argument("--seeds", nargs="+", type=int, default=[SHIPPED_SEED])
    options = parser.parse_args(arguments)
    motifs = read_meme(options.motifs) if options.motifs else []
    record = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
    rows = []
    for key in track(options.experiments, description="experiments"):
        data = EncodeDataModule(key)
        for seed in sorted({SHIPPED_SEED, *options.seeds}):
            folder = model_folder(key, seed)
            score = auroc(load_folder(folder), data.subset("test"))
            record.setdefault(key, {})[str(seed)] = {"auroc": score, **run_facts(folder)}
        record[key] = of_this_recipe(key, record[key])
        rows.append(table_row(data, record[key], motifs))
    rows += [mean_row("mean of the ten", [row for row in rows if row[0] in TEN], len(TEN))]
    rows += [mean_row("mean of all", rows[:-1], len(encode_experiments()))]
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    complete = options.experiments == list(encode_experiments())
    print(write_results("deepbind" if complete else "deepbind_part", HEADER, rows, record))


def model_folder(key: str, seed: int) -> Path:
    """The checkpoint of one experiment and seed: the shipped one, or one that is trained for this table."""
    name, command = f"deepbind.encode_{key}", command_of(key, seed)
    folder = shipped(name, command) if seed == SHIPPED_SEED else None
    return folder or trained(name, WORK / "deepbind", command)


def command_of(key: str, seed: int) -> list[str]:
    """What trains the model of one experiment and seed."""
    command = ["configs/deepbind.encode.yaml", "--data.experiment", key]
    return command if seed == SHIPPED_SEED else [*command, "--seed_everything", str(seed)]


def of_this_recipe(key: str, seeds: dict[str, Any]) -> dict[str, Any]:
    """What was recorded of the configuration as it stands: scores of an older one stay out of the table."""
    return {seed: found for seed, found in seeds.items() if found.get("recipe") == recipe(command_of(key, int(seed)))}


def table_row(data: EncodeDataModule, seeds: dict[str, dict[str, float]], motifs: list[Motif]) -> list[object]:
    """One experiment's line."""
    test = data.subset("test")
    published, note = published_model(data.experiment)
    reference = auroc(load(published.name), test)
    scores = [found["auroc"] for found in seeds.values()]
    name, motif_score = best_motif(data, motifs) if motifs else ("", "")
    ours = seeds[str(SHIPPED_SEED)]["auroc"]
    peaks = len(data.data) - len(test)
    start: list[object] = [data.experiment.key, peaks, name, motif_score, published.name + note, reference]
    return [*start, ours, mean(scores), len(scores), mean(scores) - reference]


def mean_row(title: str, rows: list[list[object]], wanted: int) -> list[object]:
    """The means of a table's numeric columns, over the experiments that are there."""
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in HEADER]
    averages: list[object] = [title if len(rows) == wanted else f"{title} ({len(rows)} of {wanted})"]
    for name, values in list(zip(HEADER, columns, strict=True))[1:]:
        numbers = [value for value in values if isinstance(value, float)]
        averages.append(mean(numbers) if numbers and len(numbers) == len(values) and name != "seeds" else "")
    return averages


def published_model(experiment: Experiment) -> tuple[ModelFacts, str]:
    """The published model of the same experiment, or of the protein in another cell line, which the note names."""
    candidates = [e for e in list_models("deepbind.D*", search=experiment.protein) if e.assay == "ChIP-seq"]
    candidates = [e for e in candidates if e.targets == (experiment.protein,)]
    _, cell, antibody, laboratory = experiment.title.split("_", 3)
    antibody, _, laboratory = f"{antibody}_{laboratory}".rpartition("_")
    details = f"(CellLine={cell}; Antibody={antibody}; Lab={laboratory})"
    for entry in candidates:
        if entry.summary.endswith(details):
            return entry, ""
    (entry,) = candidates
    return entry, f" ({entry.summary.partition('CellLine=')[2].partition(';')[0]})"


def best_motif(data: EncodeDataModule, motifs: list[Motif]) -> tuple[str, float]:
    """The motif that is best on the strongest training peaks, and its AUROC on the test file."""
    peaks = data.data.codes[:TOP_PEAKS]
    shuffled = dinucleotide_shuffle(peaks, np.random.default_rng(0))
    label = torch.cat([torch.ones(len(peaks)), torch.zeros(len(shuffled))])[:, None]
    training = motif_scores(np.concatenate([peaks, shuffled]), motifs)
    chosen = int(per_target(CLASSIFICATION["auroc"], training, label.expand_as(training)).argmax())
    test = data.subset("test")
    score = per_target(
        CLASSIFICATION["auroc"], motif_scores(test.codes, [motifs[chosen]]), torch.from_numpy(test.labels)
    )
    return motifs[chosen].name, float(score)


def motif_scores(codes: Codes, motifs: list[Motif]) -> torch.Tensor:
    """The best match of each motif in each sequence (N, M)."""
    return torch.cat([best_matches(one_hot(part), motifs) for part in torch.from_numpy(codes).split(64)])


def auroc(model: SequenceModel, test: LabelledSequences) -> float:
    """AUROC of a model's predictions."""
    prediction = predict_codes(model, list(test.codes), [""] * len(test))[:, 0]
    return float(binary_auroc(torch.from_numpy(prediction).double(), torch.from_numpy(test.labels[:, 0]).long()))


if __name__ == "__main__":
    main(sys.argv[1:])
