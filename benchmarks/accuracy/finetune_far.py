"""Fine-tuning far from home: a base of human ChIP-seq peaks on the strength of plant terminators (Plant STARR-seq).

The base reads 101 of the 170 bases of a terminator, their centre; so does the same network from scratch.
"""

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

import numpy as np
from accuracy.finetune_runs import Run, is_run, origins, run_mode, training_facts
from common import WORK, run_facts, table_name, write_results

from zoo.data.sequences.similarity import group_overlapping
from zoo.data.splits import SPLITS, draw_splits
from zoo.datasets.plant_terminators import TARGETS, read_terminators
from zoo.genome.sequence import decode
from zoo.utils.atomic import whole_path

__all__ = ["far_table"]

# Learning rate from scratch: that of configs/basset.plant_terminators.yaml is for a deeper net; chosen on validation.
SCRATCH_RATE = 3.0e-3
_SCORES = ("pearson", "r2")
_OVERLAP = 24
_TEST_SHARE = 0.1
_TEST_SIZE = 4_000


def far_table(base: Path, sizes: Sequence[int], modes: Sequence[str], seeds: Sequence[int], is_complete: bool) -> str:
    """Train the runs that are missing and write the table: Pearson r and R2 of the test split.

    Both are means over targets and seeds. Epochs are chosen by Pearson r of validation data, which does not see the
    scale: R2 is low, also below 0, where predictions have the right order and not the right scale.

    Args:
        base: folder of the base.
        sizes: training sequences.
        modes: columns, keys of `accuracy.finetune_runs.MODES`.
        seeds: seeds of samples and of training.
        is_complete: these are all sizes, modes and seeds; a table of some of them gets its own name.
    """
    runs: dict[str, Run] = {}
    rows: list[list[object]] = []
    for size in sizes:
        cells = {score: list[object]() for score in _SCORES}
        for mode in modes:
            of_cell = {
                f"{mode}, {size}, seed {seed}": _run(base, mode, size, seed) for seed in seeds if is_run(mode, size)
            }
            for score, values in cells.items():
                values.append(mean(run.test[score] for run in of_cell.values()) if of_cell else "")
            runs |= of_cell
        rows += [[size, score, *values] for score, values in cells.items()]
    scores = {score: {label: run.test[score] for label, run in runs.items()} for score in _SCORES}
    facts = {"base": run_facts(base), **scores, "seconds": training_facts(runs)}
    name = table_name("finetune_far", is_complete)
    return write_results(name, ["training sequences", "score", *modes], rows, facts, origins(runs))


def _run(base: Path, mode: str, size: int, seed: int) -> Run:
    """Return how a run on a sample of terminators ended; train it if it is not recorded."""
    words = [str(_sample(size, seed)), "--seed_everything", str(seed)]
    return run_mode(base, mode, words, f"basset.terminators_{size}_seed{seed}", SCRATCH_RATE)


def _sample(size: int, seed: int) -> Path:
    """A table of terminators with their splits, `size` of them for training; the test split is always the same."""
    wanted = {"train": size, "val": max(20, size // 4), "test": _TEST_SIZE}
    rule = hashlib.sha256(json.dumps([_OVERLAP, _TEST_SHARE, wanted]).encode()).hexdigest()[:8]
    path = WORK / "finetune" / "samples" / f"terminators_{size}_{seed}_{rule}.tsv"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_path(path) as draft:  # another process may look for it meanwhile
            _write_sample(draft, wanted, seed)
    return path


def _write_sample(path: Path, wanted: Mapping[str, int], seed: int) -> None:
    """Write a table of so many terminators of each split."""
    data = read_terminators()
    groups = group_overlapping(data.codes, _OVERLAP)
    split = draw_splits(groups, np.zeros(len(groups), np.int64), val=_TEST_SHARE, test=_TEST_SHARE, seed=0)
    rng = np.random.default_rng(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["sequence", "split", *TARGETS])
        for index, name in enumerate(SPLITS):
            rows = np.flatnonzero(split == index)
            chosen = (np.random.default_rng(0) if name == "test" else rng).permutation(rows)[: wanted[name]]
            for row in chosen.tolist():
                writer.writerow([decode(data.codes[row]), name, *(f"{value:.4f}" for value in data.labels[row])])
