"""Predict tracks along one random contig with `zoo predict`, and measure it."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from speed.child_process import run_measured

from zoo.genome.sequence import decode
from zoo.hub.checkpoint import save
from zoo.hub.facts import ModelFacts
from zoo.hub.targets import TargetRow
from zoo.models.basenji import Basenji

__all__ = ["SMALL_NETWORK", "predict_contig"]

SMALL_NETWORK: dict[str, Any] = {
    "length": 65_536,
    "trunk": {
        "stem_filters": 8,
        "stem_width_bases": 16,
        "stem_stride_bases": 8,
        "stem_pool": 2,
        "tower_filters": (8, 8),
        "tower_pools": (4, 2),
        "residual_filters": 8,
        "dilations": (1, 2, 4),
    },
    "head_filters": 8,
    "crop_bins": 16,
}


def predict_contig(folder: Path, megabases: int) -> list[float]:
    """Make a genome and a model in a folder and predict.

    Returns:
        Seconds and peak memory (gigabytes) of `zoo predict`, megabytes of the FASTA file and of the bigWig file.
    """
    genome, checkpoint = folder / "genome.fa", folder / "basenji.small"
    write_genome(genome, megabases)
    save_model(checkpoint)
    command = [sys.executable, "-m", "zoo.cli", "predict", f"local-dir:{checkpoint}", str(genome)]
    process = run_measured([*command, "-o", str(folder / "tracks")])
    written = (folder / "tracks" / "random.bw").stat().st_size / 1e6
    return [process.seconds, process.gigabytes, genome.stat().st_size / 1e6, written]


def write_genome(path: Path, megabases: int) -> None:
    """Write one contig of random bases, a megabase at a time."""
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        file.write(">chr1\n")
        for _ in range(megabases):
            letters = decode(rng.integers(0, 4, 1_000_000).astype(np.uint8))
            file.writelines(f"{letters[i : i + 100]}\n" for i in range(0, len(letters), 100))


def save_model(folder: Path) -> None:
    """Save a small Basenji with random weights as a checkpoint."""
    torch.manual_seed(0)
    model = Basenji(["random"], **SMALL_NETWORK)
    example = {"codes": torch.zeros(8, model.length, dtype=torch.uint8)}
    save(model, folder, ModelFacts(folder.name, "random weights"), [TargetRow("random", "", "")], example)
