"""The windows of both alleles, against text that is cut and joined."""

from pathlib import Path

import numpy as np
import pytest
from made.variants import write_genome

from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode, encode, reverse_complement
from zoo.variants.changes import Change
from zoo.variants.windows import Windows, past_the_ends

LENGTH = 16
BASES = "".join(np.random.default_rng(1).choice(list("ACGT"), 90))


@pytest.fixture
def genome(tmp_path: Path) -> Genome:
    return write_genome(tmp_path, other="ACGT", chr1=BASES)


def make(start: int, removed: int, alt: str, strand: str = "+") -> Change:
    ref = encode(BASES[start : start + removed])
    return Change("chr1", start, ref, encode(alt), start, start + removed, strand)


def expected(change: Change, start: int, held: str) -> str:
    """The window of the alternative, of the text of its whole contig with N around it."""
    margin = "N" * 40
    text = margin + BASES[: change.start] + decode(change.alt) + BASES[change.start + len(change.ref) :] + margin
    begin = start + 40 + (0 if held == "left" else len(change.alt) - len(change.ref))
    return text[begin : begin + LENGTH]


@pytest.mark.parametrize("held", ["left", "right"])
@pytest.mark.parametrize("shift", [0, -2, 2])
def test_windows_are_those_of_the_whole_text(held: str, shift: int, genome: Genome) -> None:
    rng = np.random.default_rng(2)
    changes = []
    for _ in range(300):
        removed, added = rng.integers(0, 9, 2)
        start = int(rng.integers(0, len(BASES) - removed + 1))
        alt = "".join(rng.choice(list("ACGT"), added))
        changes.append(make(start, int(removed), alt, rng.choice(["+", "-"])))
    windows = Windows(genome, changes, LENGTH, shift, held)  # type: ignore[arg-type]
    margin = "N" * 40
    for row, change in enumerate(changes):
        middle = (2 * change.start + len(change.ref) - LENGTH + (held == "right")) // 2 + shift
        assert windows.start[row] == middle
        turn = reverse_complement if change.strand == "-" else np.asarray
        reference = (margin + BASES + margin)[middle + 40 : middle + 40 + LENGTH]
        assert decode(windows.reference()[row]) == decode(turn(encode(reference)))
        assert decode(windows.alternative()[row]) == decode(turn(encode(expected(change, middle, held))))
    ends = [one < 0 or one + LENGTH > len(BASES) for one in windows.start]
    assert past_the_ends(windows).tolist() == ends


def test_the_bases_that_differ_are_known_on_both_strands(genome: Genome) -> None:
    changes = [make(40, 3, "".join("ACGT"["ACGT".index(base) - 1] for base in BASES[40:43]), s) for s in "+-"]
    windows = Windows(genome, changes, LENGTH)
    differ = windows.reference() != windows.alternative()
    first, last = windows.changed()
    for row in range(2):
        assert np.flatnonzero(differ[row]).tolist() == list(range(first[row], last[row]))
