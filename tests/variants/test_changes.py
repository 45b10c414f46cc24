"""What an allele changes: trimmed, checked, and the same however it is written."""

from pathlib import Path

import pytest
from made.variants import write_genome

from zoo.formats.alleles import Variant
from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode
from zoo.variants.changes import Change, read_change
from zoo.variants.windows import Windows

#        0         10        20        30
BASES = "ACGTTTTTGACACACACAGGCATNNACGTacgtCC"
CONTIGS: dict[str, str | None] = {"chr1": "chr1", "chr9": None}


@pytest.fixture
def genome(tmp_path: Path) -> Genome:
    return write_genome(tmp_path, chr1=BASES)


def change(genome: Genome, position: int, ref: str, alt: str, length: int = 20) -> Change:
    result = read_change(Variant(1, "chr1", position, "", ref, alt), genome, CONTIGS, length)
    assert isinstance(result, Change), result
    return result


@pytest.mark.parametrize(
    ("position", "ref", "alt", "expected"),
    [
        (3, "G", "A", (2, "G", "A", 2, 3)),
        (3, "g", "a", (2, "G", "A", 2, 3)),
        (30, "a", "G", (29, "A", "G", 29, 30)),  # lower case in the genome
        (2, "CGT", "CAT", (2, "G", "A", 2, 3)),
        (2, "CGT", "GGC", (1, "CGT", "GGC", 1, 4)),  # what lies between stays part of it
        (3, "GT", "G", (3, "T", "", 3, 8)),  # one of five T, whichever
        (7, "TT", "T", (6, "T", "", 3, 8)),
        (4, "T", "-", (3, "T", "", 3, 8)),
        (3, "G", "GT", (3, "", "T", 3, 8)),
        (8, "T", "TT", (7, "", "T", 3, 8)),
        (10, "ACA", "A", (10, "CA", "", 9, 18)),  # ACACACACA without two, in a circle: AC or CA
        (9, "GAC", "G", (9, "AC", "", 9, 18)),
        (9, "G", "GAC", (9, "", "AC", 9, 18)),
        (20, "GC", "T", (19, "GC", "T", 19, 21)),
        (1, "AC", "C", (0, "A", "", 0, 1)),  # the first base
        (34, "CC", "C", (34, "C", "", 33, 35)),  # the last
    ],
)
def test_a_change_is_trimmed_and_knows_all_places(
    position: int, ref: str, alt: str, expected: tuple[int, str, str, int, int], genome: Genome
) -> None:
    one = change(genome, position, ref, alt)
    start, removed, added, first, last = expected
    assert (decode(one.ref), decode(one.alt), one.first, one.last) == (removed, added, first, last) or (
        # An indel of a repeat may be trimmed to another of its places.
        sorted(decode(one.ref)) == sorted(removed) and (one.first, one.last) == (first, last)
    )
    assert one.first <= one.start <= one.last
    if removed and added:
        assert one.start == start


def test_a_repeat_that_is_longer_than_a_window_is_read_in_its_middle(genome: Genome) -> None:
    shorter, longer = BASES[:9] + BASES[11:], BASES[:9] + "AC" + BASES[9:]
    ways = [(9, "GAC", "G"), (10, "ACA", "A"), (11, "CAC", "C"), (9, "G", "GAC"), (10, "A", "ACA"), (13, "C", "CAC")]
    for position, ref, alt in ways:
        one = change(genome, position, ref, alt, length=8)
        assert (one.first, one.last) == (9, 18)
        text, growth = (shorter, -2) if len(ref) > len(alt) else (longer, 2)
        for held, start in (("left", 9), ("right", 10)):
            windows = Windows(genome, [one], 8, held=held)  # type: ignore[arg-type]
            assert windows.start.tolist() == [start]
            moved = start + (growth if held == "right" else 0)
            assert decode(windows.alternative()[0]) == text[moved : moved + 8]
            assert windows.middle().tolist() == [13.5 - start]


def test_a_repeat_of_any_length_is_followed_to_its_ends(tmp_path: Path) -> None:
    genome = write_genome(tmp_path, chr1="G" + "AC" * 5_000 + "T", chr2="AC" * 5_000)
    for position in (2, 5_000, 9_998):
        ref = "ACA" if position % 2 == 0 else "CAC"
        one = read_change(Variant(1, "chr1", position, "", ref, ref[0]), genome, {"chr1": "chr1"}, 100)
        assert isinstance(one, Change) and (one.first, one.last) == (1, 10_001)
    one = read_change(Variant(1, "chr2", 501, "", "ACA", "A"), genome, {"chr2": "chr2"}, 100)
    assert isinstance(one, Change) and (one.first, one.last) == (0, 10_000)


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        (Variant(1, "chr1", 3, "", "A", "C"), "REF differs from the genome: A, the genome has G"),
        (Variant(1, "chr1", 24, "", "A", "C"), "REF differs from the genome: A, the genome has N"),
        (Variant(1, "chr1", 3, "", "GTT", "CAA" * 4), "longer than half of what the model reads: 10 bases"),
        (Variant(1, "chr9", 3, "", "A", "C"), "the genome does not have the contig: chr9"),
        (Variant(1, "chr1", 0, "", "A", "C"), "position outside of the contig: it has 35 bases"),
        (Variant(1, "chr1", 35, "", "CA", "C"), "position outside of the contig: it has 35 bases"),
        (Variant(1, "chr1", 3, "", "G", "<DEL>"), "symbolic allele: <DEL>"),
        (Variant(1, "chr1", 3, "", "G", "G[chr2:5["), "breakend"),
        (Variant(1, "chr1", 3, "", "G", ".A"), "breakend"),
        (Variant(1, "chr1", 3, "", "G", "*"), "spanning deletion (*), which another record describes"),
        (Variant(1, "chr1", 3, "", "G", "."), "no alternative allele"),
        (Variant(1, "chr1", 3, "", "G", "N"), "letters other than A, C, G and T"),
        (Variant(1, "chr1", 3, "", "R", "C"), "letters other than A, C, G and T"),
        (Variant(1, "chr1", 3, "", "G", "G"), "REF and ALT are the same"),
        (Variant(1, "chr1", 3, "", "-", "G"), "REF is empty, which does not say where ALT is inserted"),
    ],
)
def test_why_an_allele_has_no_scores(variant: Variant, reason: str, genome: Genome) -> None:
    assert str(read_change(variant, genome, CONTIGS, 20)).startswith(reason)
