"""A small run of each architecture on made data: dropout, batch norms, targets that are missing, odd numbers of items.

    python tests/made/runs.py KILL CONFIG [--key value ...]

trains a configuration and kills itself where KILL says; see `killing`.
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import numpy as np
import pyBigWig
import torch
import yaml
from made.contacts import BIN, make_contacts
from numpy.typing import NDArray

from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode

__all__ = ["ARCHITECTURES", "KILLS", "killing", "make_runs"]

ARCHITECTURES = ("mlp", "deepbind", "basset", "basenji", "basenji_labels", "akita")
LENGTHS = {"chr1": 163_840, "chr2": 47_360, "chr3": 47_360}
WINDOW = 24 * BIN  # of tracks and contacts
SEQUENCES = 83


def make_runs(folder: Path, epochs: int = 4) -> dict[str, Path]:
    """Write made data and a configuration for each architecture.

    Returns:
        Architecture -> its configuration.
    """
    made = make_contacts(folder, LENGTHS, depth=240)
    rng = np.random.default_rng(0)
    genome = Genome(made.genome)
    rich = {name: _richness(genome, name) for name in LENGTHS}
    _write_bigwig(folder / "one.bw", rich, rng)
    (folder / "targets.tsv").write_text(f"name\tpath\none\t{folder}/one.bw\n")
    peaks = [(name, 64 * bin) for name, values in rich.items() for bin in np.flatnonzero(values > 1.2)[1:-1]]
    (folder / "peaks.bed").write_text("".join(f"{name}\t{start}\t{start + 64}\n" for name, start in peaks))
    labels = np.stack([rich["chr1"][:SEQUENCES] > limit for limit in (0.95, 1.05)], 1).astype(int).astype(str)
    labels[rng.random(labels.shape) < 0.3] = "nan"
    rows = [decode(genome.codes(Interval("chr1", 64 * row, 64 * row + 64))) for row in range(SEQUENCES)]
    table = "".join(f"{row}\t{a}\t{b}\n" for row, (a, b) in zip(rows, labels, strict=True))
    (folder / "table.tsv").write_text("sequence\ta\tb\n" + table)
    with h5py.File(made.cooler, "r+") as file:  # bins without a weight
        file["bins/weight"][rng.random(len(file["bins/weight"])) < 0.1] = np.nan
    paths = {}
    for name in ARCHITECTURES:
        paths[name] = folder / f"{name}.yaml"
        paths[name].write_text(yaml.safe_dump(_config(name, folder, epochs)))
    return paths


def _richness(genome: Genome, name: str) -> NDArray[np.float64]:
    """How many times its mean the number of C and G in each bin of 64 bases is: what can be learnt of a sequence."""
    codes = genome.codes(Interval(name, 0, LENGTHS[name])).reshape(-1, 64)
    rich: NDArray[np.float64] = ((codes == 1) | (codes == 2)).mean(1) / 0.5
    return rich


def _write_bigwig(path: Path, rich: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> None:
    """Values that grow with C and G; a tenth of the genome is not measured."""
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(LENGTHS.items()))
        for name, size in LENGTHS.items():
            values = 10 * rich[name] ** 4
            kept = rng.random(size // 6_400 + 1).repeat(100)[: len(values)] > 0.1
            starts = 64 * np.flatnonzero(kept)
            file.addEntries([name] * len(starts), starts.tolist(), ends=(starts + 64).tolist(), values=values[kept])


_TRUNK = {
    "stem_filters": 8,
    "stem_width_bases": 9,
    "stem_pool": 4,
    "tower_filters": [8, 8, 8],
    "tower_pools": [4, 4, 4],
    "residual_filters": 8,
    "dilations": [1, 2],
    "dropout": 0.1,
    "norm_momentum": 0.5,
}


def _config(name: str, folder: Path, epochs: int) -> dict[str, Any]:
    """The configuration of a small run; each has another scheduler, and callbacks that keep a state."""
    callbacks = "lightning.pytorch.callbacks"
    schedulers = "torch.optim.lr_scheduler"
    sequences = _cls(
        "zoo.data.sequences.SequenceDataModule",
        table=f"{folder}/table.tsv",
        label_columns=["a", "b"],
        batch_size=8,
        val_fraction=0.3,
        test_fraction=0.2,
    )
    split = {"val": ["chr2"], "test": ["chr3"]}
    windows: dict[str, Any] = {
        "genome": f"{folder}/genome.fa",
        "length": WINDOW,
        "stride": 6,
        "epoch_size": 23,
        "split": split,
        "batch_size": 4,
    }
    runs: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None, list[dict[str, Any]]]] = {
        "mlp": (
            {"hidden": [8], "dropout": 0.2},
            sequences,
            _cls("lightning.pytorch.cli.ReduceLROnPlateau", monitor="val_loss", patience=0, factor=0.5),
            [_cls(f"{callbacks}.EarlyStopping", monitor="val_loss", patience=30)],
        ),
        "deepbind": (
            {"motifs": {"filters": 8, "width_bases": 10}, "hidden": 4, "dropout": 0.2},
            sequences,
            _cls(f"{schedulers}.OneCycleLR", pct_start=0.1, cycle_momentum=False),
            [_cls(f"{callbacks}.EMAWeightAveraging", decay=0.9)],
        ),
        "basset": (
            {"conv": {"filters": [8, 8, 8], "widths": [9, 5, 3], "pools": [3, 4, 4]}, "hidden": [8]},
            _peaks(folder, 200),
            _cls(f"{schedulers}.StepLR", step_size=1, gamma=0.7),
            [_cls("zoo.training.callbacks.MaxNorm", max_norm=3.0)],
        ),
        "basenji_labels": (
            {"trunk": _TRUNK},
            _peaks(folder, 512),
            _cls(f"{schedulers}.LinearLR", total_iters=3),
            [],
        ),
        "basenji": (
            {"trunk": _TRUNK, "head_filters": 8},
            _cls("zoo.data.tracks.TrackDataModule", targets_table=f"{folder}/targets.tsv", bin_size=256, **windows),
            _cls(f"{schedulers}.CosineAnnealingLR", T_max=10),
            [],
        ),
        "akita": (
            {
                "trunk": _TRUNK,
                "pair_map": {"reduced_filters": 8, "filters": 8, "residual_filters": 4, "dilations": [1, 2]},
            },
            _cls("zoo.data.contacts.ContactDataModule", coolers={"made": f"{folder}/made.cool"}, **windows),
            None,
            [],
        ),
    }
    model, data, scheduler, extra = runs[name]
    return {
        "name": f"{name}.made",
        "monitor": "val_loss",
        "model": _cls(f"zoo.models.{name}.{_CLASSES[name]}", **model),
        "data": data,
        "optimizer": _cls("torch.optim.AdamW", lr=_RATES.get(name, 3e-3), weight_decay=0.01),
        "lr_scheduler": scheduler,
        "trainer": {
            "max_epochs": epochs,
            "accelerator": "cpu",
            "devices": 1,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "callbacks": extra,
            "accumulate_grad_batches": 2 if name == "basenji" else 1,
        },
        "card": {"summary": "Made"},
    }


def _peaks(folder: Path, length: int) -> dict[str, Any]:
    rules = {"length": length, "val": ["chr2"], "test": ["chr3"]}
    genome, peaks = f"{folder}/genome.fa", [f"{folder}/peaks.bed"]
    return _cls("zoo.data.peaks.PeakDataModule", genome=genome, peaks=peaks, rules=rules, batch_size=16)


# Learning rates with which the last of four epochs is the best.
_RATES = {"basenji": 1e-2, "basenji_labels": 2e-4, "akita": 3e-4}
_CLASSES = {
    "mlp": "MLP",
    "deepbind": "DeepBind",
    "basset": "Basset",
    "basenji": "Basenji",
    "basenji_labels": "BasenjiLabels",
    "akita": "Akita",
}


def _cls(path: str, **arguments: Any) -> dict[str, Any]:
    return {"class_path": path, "init_args": arguments}


# Where a run is killed: its process, its epoch, and what it does there.
KILLS = ("train", "validate", "write best", "write last", "before last", "after last")


@contextmanager
def killing(kill: str) -> Iterator[None]:
    """Kill this process where a run comes to a place, by SIGKILL.

    Args:
        kill: `EPOCH PLACE`, PLACE being one of `KILLS`: in a batch of training or of validation, half way through
            writing a checkpoint, or just before or after one replaces that of the epoch before; empty for nowhere.
    """
    if not kill:
        yield
        return
    from zoo.training.callbacks import SeedEachEpoch

    epoch, place = int(kill.split()[0]), kill.partition(" ")[2]
    word, file = [*place.split(), ""][:2]
    now = {"epoch": -1}
    save, replace, begin = torch.save, os.replace, SeedEachEpoch.on_train_batch_start

    def on_train_batch_start(self: Any, trainer: Any, module: Any, batch: Any, index: int) -> None:
        now["epoch"] = trainer.current_epoch
        if place == "train" and trainer.current_epoch == epoch and index == 1:
            _die()
        begin(self, trainer, module, batch, index)

    def on_validation_batch_start(self: Any, trainer: Any, *_: Any) -> None:
        if not trainer.sanity_checking and trainer.current_epoch == epoch:
            _die()

    def half_saved(content: Any, path: Any) -> None:
        save(content, path)
        if word == "write" and now["epoch"] == epoch and f"{file}." in Path(path).name:
            os.truncate(path, Path(path).stat().st_size // 2)
            _die()

    def replaced(source: Any, target: Any, **options: Any) -> None:
        is_here = now["epoch"] == epoch and Path(target).name == f"{file}.ckpt"
        if is_here and word == "before":
            _die()
        replace(source, target, **options)
        if is_here and word == "after":
            _die()

    with (
        mock.patch.object(SeedEachEpoch, "on_train_batch_start", on_train_batch_start),
        mock.patch.object(torch, "save", half_saved),
        mock.patch.object(os, "replace", replaced),
    ):
        if place == "validate":
            with mock.patch.object(SeedEachEpoch, "on_validation_batch_start", on_validation_batch_start):
                yield
        else:
            yield


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(words: Sequence[str]) -> int:
    """Train as a process of its own: the rank that `RANK_TO_KILL` names is killed, 0 by default."""
    from zoo.cli import main as zoo

    rank = os.environ.get("LOCAL_RANK", "0")
    with killing(words[0] if rank == os.environ.get("RANK_TO_KILL", "0") else ""):
        return zoo(["train", *words[1:]])


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main(sys.argv[1:]))
