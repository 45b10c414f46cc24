"""From a cooler to a model: boundaries that are planted in a made genome are found in one that was never seen."""

import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from made.contacts import BIN, make_contacts

from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.hub.config import read_config
from zoo.hub.load import load
from zoo.inference.contacts import ContactPredictor
from zoo.training.run import train

WINDOW = 32


def recipe(genome: Path, cooler: Path) -> dict[str, object]:
    """A small Akita of bins of 256 bases."""
    return {
        "name": "akita.made",
        "seed_everything": 1,
        "monitor": "val_pearson",
        "model": {
            "class_path": "zoo.models.akita.Akita",
            "init_args": {
                "trunk": {
                    "stem_filters": 24,
                    "stem_width_bases": 17,
                    "stem_pool": 4,
                    "tower_filters": [24, 24, 24],
                    "tower_pools": [4, 4, 4],
                    "residual_filters": 16,
                    "dilations": [1, 2],
                    "dropout": 0.1,
                },
                "pair_map": {
                    "reduced_filters": 24,
                    "filters": 16,
                    "residual_filters": 16,
                    "dilations": [1, 2, 4],
                },
                "rc_average": True,
            },
        },
        "data": {
            "class_path": "zoo.data.contacts.ContactDataModule",
            "init_args": {
                "genome": str(genome),
                "coolers": {"made": str(cooler)},
                "length": WINDOW * BIN,
                "split": {"val": ["chr2"], "test": ["chr3"]},
                "shift": 16 * BIN,
                "batch_size": 8,
            },
        },
        "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 6.0e-3, "weight_decay": 0.05}},
        "lr_scheduler": {
            "class_path": "torch.optim.lr_scheduler.OneCycleLR",
            "init_args": {"pct_start": 0.1, "cycle_momentum": False},
        },
        "trainer": {"max_epochs": 12, "accelerator": "cpu", "enable_progress_bar": False, "gradient_clip_val": 1.0},
        "card": {"summary": "Made"},
    }


@pytest.mark.slow
def test_planted_boundaries_are_learned_in_two_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = make_contacts(tmp_path, {"chr1": 1_500_000, "chr2": 60_000, "chr3": 60_000}, depth=240)
    Path("akita.made.yaml").write_text(yaml.safe_dump(recipe(made.genome, made.cooler)))
    begun = time.process_time()
    folder = train(["akita.made.yaml"])
    assert time.process_time() - begun < 2 * 120  # of two cores
    metrics = read_config(folder).facts.training.metrics["test"]
    assert metrics["pearson"] > 0.8
    # What is predicted for the contig that was never seen is what its boundaries imply, not only what was measured.
    model, genome = load(f"local-dir:{folder}"), Genome(made.genome)
    found = ContactPredictor(model).predict(genome, [Interval("chr3", 0, genome.contigs["chr3"])])
    ((_, maps),) = found.maps().items()
    there = ~np.isnan(maps[0])
    assert there.sum() > 10_000
    assert np.corrcoef(maps[0][there], made.truth["chr3"][there])[0, 1] > 0.8
