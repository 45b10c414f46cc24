"""DeepBind: best known motif, published weights and our retrained models on the authors' held-out ENCODE peaks.

    zoo benchmark deepbind [--motifs JASPAR.meme] [--seeds 1 2 3] [--experiments usf1_h1hesc ...]

Metric: AUROC on the authors' test file (B) of each experiment, 500 peaks against their 500 dinucleotide shuffles.

Seed 1 is the shipped checkpoint. Models of other seeds are trained if they are missing; their scores are kept in
`deepbind_seeds.json` next to the table and enter it from there as long as the configuration stays the same. The best
motif is chosen among all in the MEME file by AUROC on the 500 strongest training peaks and their shuffles, never on the
test file.
"""

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

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import (
    RECORDED,
    WORK,
    make_parser,
    model_folder,
    results_folder,
    run_facts,
    table_name,
    training_command,
    write_results,
)

from zoo.data.labelled import LabelledSequences
from zoo.data.shuffle import dinucleotide_shuffle
from zoo.datasets.encode_tf import EncodeDataModule, Experiment, encode_experiments
from zoo.formats.meme import Motif, best_matches, read_meme
from zoo.genome.sequence import Codes, one_hot
from zoo.hub.facts import ModelFacts
from zoo.hub.load import load
from zoo.hub.loading import load_folder
from zoo.hub.registry import list_models
from zoo.inference.labels import predict_codes
from zoo.metrics.labels import CLASSIFICATION, per_target
from zoo.models._base import SequenceModel
from zoo.training.recipe import recipe
from zoo.utils.atomic import whole_file

SHIPPED_SEED = 1
TOP_PEAKS = 500
SEED_SCORES = "deepbind_seeds.json"
EXPERIMENTS = list(encode_experiments())
# The ten experiments for which several seeds were trained.
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
    *("ours AUROC", "ours mean over seeds", "seeds", "ours - published"),
]


def main(arguments: Sequence[str]) -> None:
    """Score every experiment, print and write the table."""
    parser = make_parser("deepbind", __doc__)
    parser.add_argument(
        "--experiments", nargs="+", choices=EXPERIMENTS, default=EXPERIMENTS, metavar="NAME", help="rows of the table"
    )
    parser.add_argument("--motifs", help="MEME file of known motifs; without it their columns stay empty")
    parser.add_argument("--seeds", nargs="+", type=int, default=[SHIPPED_SEED], help="seeds of our models (default: 1)")
    options = parser.parse_args(arguments)
    motifs = read_meme(options.motifs) if options.motifs else []
    scores = results_folder() / SEED_SCORES
    record = json.loads((scores if scores.is_file() else RECORDED / SEED_SCORES).read_text())
    rows = []
    for name in track(options.experiments, description="experiments"):
        data = EncodeDataModule(name)
        for seed in sorted({SHIPPED_SEED, *options.seeds}):
            folder = experiment_folder(name, seed)
            score = auroc(load_folder(folder), data.subset("test"))
            record.setdefault(name, {})[str(seed)] = {"auroc": score, **run_facts(folder)}
        record[name] = drop_old_recipes(name, record[name])
        rows.append(experiment_row(data, record[name], motifs))
    rows += [mean_row("mean of the ten", [row for row in rows if row[0] in TEN], len(TEN))]
    rows += [mean_row("mean of all", rows[:-1], len(EXPERIMENTS))]
    with whole_file(scores) as file:
        file.write(json.dumps(record, indent=1) + "\n")
    print(write_results(table_name("deepbind", options.experiments == EXPERIMENTS), HEADER, rows, record))


def experiment_folder(experiment: str, seed: int) -> Path:
    """Return the checkpoint folder of one experiment and seed: the shipped one, or a run for this table."""
    return model_folder(f"deepbind.encode_{experiment}", experiment_command(experiment, seed), WORK / "deepbind")


def experiment_command(experiment: str, seed: int) -> list[str]:
    """Return the arguments of `zoo train` that make the model of one experiment and seed."""
    return training_command("deepbind.encode", ["--data.experiment", experiment], seed)


def drop_old_recipes(experiment: str, seeds: dict[str, Any]) -> dict[str, Any]:
    """Keep the recorded scores whose recipe is that of the present configuration."""
    return {
        seed: facts
        for seed, facts in seeds.items()
        if facts.get("recipe") == recipe(experiment_command(experiment, int(seed)))
    }


def experiment_row(data: EncodeDataModule, seeds: dict[str, dict[str, float]], motifs: list[Motif]) -> list[object]:
    """Make the row of one experiment."""
    test = data.subset("test")
    published, note = published_model(data.experiment)
    published_auroc = auroc(load(published.name), test)
    scores = [facts["auroc"] for facts in seeds.values()]
    motif, motif_auroc = best_motif(data, motifs) if motifs else ("", "")
    training_peaks = len(data.data) - len(test)
    return [
        *(data.experiment.key, training_peaks, motif, motif_auroc, published.name + note, published_auroc),
        *(seeds[str(SHIPPED_SEED)]["auroc"], mean(scores), len(scores), mean(scores) - published_auroc),
    ]


def mean_row(title: str, rows: list[list[object]], expected: int) -> list[object]:
    """Average the columns of AUROC over the rows; the title says so if there are fewer rows than expected."""
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in HEADER]
    averages: list[object] = [title if len(rows) == expected else f"{title} ({len(rows)} of {expected})"]
    for name, values in list(zip(HEADER, columns, strict=True))[1:]:
        numbers = [value for value in values if isinstance(value, float)]
        averages.append(mean(numbers) if numbers and len(numbers) == len(values) and name != "seeds" else "")
    return averages


def published_model(experiment: Experiment) -> tuple[ModelFacts, str]:
    """Return the published model of an experiment, or of its protein in another cell line, which the note names."""
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
    """Choose the motif with the best AUROC on the strongest training peaks; return its name and its test AUROC."""
    peaks = data.data.codes[:TOP_PEAKS]
    shuffled = dinucleotide_shuffle(peaks, np.random.default_rng(0))
    label = torch.cat([torch.ones(len(peaks)), torch.zeros(len(shuffled))])[:, None]
    training = score_motifs(np.concatenate([peaks, shuffled]), motifs)
    best = motifs[int(per_target(CLASSIFICATION["auroc"], training, label.expand_as(training)).argmax())]
    test = data.subset("test")
    matches = score_motifs(test.codes, [best])
    return best.name, float(per_target(CLASSIFICATION["auroc"], matches, torch.from_numpy(test.labels)))


def score_motifs(codes: Codes, motifs: list[Motif]) -> torch.Tensor:
    """Return the score of the best match of each motif in each sequence (N, M)."""
    return torch.cat([best_matches(one_hot(batch), motifs) for batch in torch.split(torch.from_numpy(codes), 64)])


def auroc(model: SequenceModel, test: LabelledSequences) -> float:
    """Return the AUROC of a model's predictions."""
    prediction = predict_codes(model, list(test.codes), [""] * len(test))[:, 0]
    return float(binary_auroc(torch.from_numpy(prediction).double(), torch.from_numpy(test.labels[:, 0]).long()))


if __name__ == "__main__":
    main(sys.argv[1:])
