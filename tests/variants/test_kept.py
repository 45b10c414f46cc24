"""Scores that are kept for a command that was stopped: those of the same alleles and sequences, and of no others."""

from pathlib import Path

import numpy as np
from made.variants import Counting

from zoo.variants.kept import KeptBlocks
from zoo.variants.scorer import VariantOptions, VariantScorer
from zoo.variants.sources import PairSource

LENGTH = 20


def scored(path: Path, kept: KeptBlocks) -> list[list[float]]:
    blocks = VariantScorer(Counting(["A", "CG"], LENGTH), VariantOptions(scores=["difference", "ref"])).stream(
        PairSource(str(path)), kept
    )
    values: list[list[float]] = np.concatenate([one.values[:, 1] for one in blocks]).tolist()
    return values


def pairs(path: Path, flank: str) -> Path:
    """One change, A to C in the middle, between flanks."""
    path.write_text(f"name\tref_sequence\talt_sequence\nsite\t{flank}A{flank[:9]}\t{flank}C{flank[:9]}\n")
    return path


def test_the_same_change_between_other_flanks_is_scored_anew(tmp_path: Path) -> None:
    kept = KeptBlocks(tmp_path / "out.tsv", {})
    one, other = pairs(tmp_path / "one.tsv", "T" * 10), pairs(tmp_path / "other.tsv", "CGCGCGCGCG")
    assert scored(one, kept) == [[1.0, 0.0]]
    assert scored(other, kept) == [[1.0, 9.0]]
    assert kept.loaded == 0
    assert scored(one, kept) == [[1.0, 0.0]]
    assert scored(other, kept) == [[1.0, 9.0]]
    assert kept.loaded == 2
