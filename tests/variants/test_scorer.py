"""Variants scored by models that count: each score is known from the text of both alleles."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.variants import Counting, write_genome

from zoo.formats.alleles import Variant
from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode, encode, reverse_complement
from zoo.variants.changes import Change, read_change
from zoo.variants.scored import ScoredAlleles
from zoo.variants.scorer import VariantOptions, VariantScorer
from zoo.variants.sources import GenomeSource

LENGTH = 20
#        0         10        20        30        40        50        60
BASES = "GATTACAGATTACANNGGCCGGCCAAAAAAAATTGATTACAcgcgcgatGATTACAGGATCCTA"


@pytest.fixture
def genome(tmp_path: Path) -> Genome:
    return write_genome(tmp_path, chr1=BASES, chr2=BASES[::-1])


def score(genome: Genome, variants: list[Variant], model: Counting | None = None, **options: Any) -> ScoredAlleles:
    model = model or Counting(["GATTACA", "A"], LENGTH)
    blocks = list(VariantScorer(model, VariantOptions(**options)).stream(GenomeSource(iter(variants), genome)))
    return ScoredAlleles(
        [one for block in blocks for one in block.variants],
        [one for block in blocks for one in block.notes],
        np.concatenate([block.values for block in blocks]),
    )


def variant(position: int, ref: str, alt: str, chrom: str = "chr1", strand: str = "+") -> Variant:
    return Variant(1, chrom, position, "", ref, alt, strand)


# Position (from 1), REF, ALT, held side -> windows of 20 bases, of the reference and of the alternative.
BY_HAND = {
    "a substitution in the motif": (37, "T", "C", "both", [("AAAAAATTGATTACACGCGC", "AAAAAATTGACTACACGCGC")]),
    "two bases": (36, "AT", "CC", "both", [("AAAAAATTGATTACACGCGC", "AAAAAATTGCCTACACGCGC")]),
    "one base less, left held": (38, "TA", "T", "left", [("AAAATTGATTACACGCGCGA", "AAAATTGATTCACGCGCGAT")]),
    # A single base has no place in the middle of an even window: it is right of it, or left of it.
    "one base less, right held": (38, "TA", "T", "right", [("AAATTGATTACACGCGCGAT", "AAAATTGATTCACGCGCGAT")]),
    "one base less": (
        38,
        "TA",
        "T",
        "both",
        [("AAAATTGATTACACGCGCGA", "AAAATTGATTCACGCGCGAT"), ("AAATTGATTACACGCGCGAT", "AAAATTGATTCACGCGCGAT")],
    ),
    "three more": (
        38,
        "T",
        "TGGG",
        "both",
        [("AAAATTGATTACACGCGCGA", "AAAATTGATTGGGACACGCG"), ("AAAATTGATTACACGCGCGA", "ATTGATTGGGACACGCGCGA")],
    ),
    "in lower case": (44, "C", "A", "both", [("TGATTACACGCGCGATGATT", "TGATTACACGAGCGATGATT")]),
    "beside N": (14, "A", "T", "both", [("TACAGATTACANNGGCCGGC", "TACAGATTACTNNGGCCGGC")]),
    "the first base": (1, "G", "C", "both", [("NNNNNNNNNNGATTACAGAT", "NNNNNNNNNNCATTACAGAT")]),
    "the last base": (64, "A", "G", "both", [("ACAGGATCCTANNNNNNNNN", "ACAGGATCCTGNNNNNNNNN")]),
}


def test_windows_of_the_table_are_those_that_are_scored(genome: Genome) -> None:
    for name, (position, ref, alt, hold, windows) in BY_HAND.items():
        model = Counting(["GATTACA", "A", "T", "CG", "GGG"], LENGTH)
        result = score(genome, [variant(position, ref, alt)], model, hold=hold, scores=["difference", "ref"])
        counts = np.array(
            [[[occurrences(text, motif) for motif in model.output.targets] for text in pair] for pair in windows]
        )
        assert result.values[0, 1] == pytest.approx(counts[:, 0].mean(0)), name
        assert result.values[0, 0] == pytest.approx((counts[:, 1] - counts[:, 0]).mean(0)), name
        padded = "NNN" in windows[0][0]
        assert result.notes[0] == ("window reaches past the end of the contig, where it is N" if padded else ""), name


def occurrences(text: str, motif: str) -> int:
    return sum(text.upper().startswith(motif, start) for start in range(len(text)))


def random_variants(rng: np.random.Generator, count: int) -> list[Variant]:
    text = BASES.upper()
    variants = []
    for _ in range(count):
        start, removed = int(rng.integers(0, len(text) - 4)), int(rng.integers(1, 4))
        alt = text[start] + "".join(rng.choice(list("ACGT"), rng.integers(0, 4)))
        ref = text[start : start + removed]
        if "N" not in ref and ref != alt:
            variants.append(variant(start + 1, ref, alt))
    return variants


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_scores_do_not_depend_on_order_neighbours_or_batches(batch_size: int, genome: Genome) -> None:
    rng = np.random.default_rng(0)
    variants = random_variants(rng, 60)
    variants += variants[:5]  # the same position twice
    whole = score(genome, variants)
    order = rng.permutation(len(variants))
    mixed = score(genome, [variants[i] for i in order], batch_size=batch_size)
    assert np.array_equal(mixed.values, whole.values[order], equal_nan=True)
    alone = score(genome, variants[7:8], batch_size=batch_size)
    assert np.array_equal(alone.values[0], whole.values[7])


@pytest.mark.parametrize("length", [19, 20])
def test_both_sides_held_is_the_same_on_the_other_strand(length: int, tmp_path: Path, genome: Genome) -> None:
    """A deletion must not have another score because the genome is written from its other end."""
    variants = [one for one in random_variants(np.random.default_rng(1), 60) if len(one.ref) != len(one.alt)]
    variants.append(variant(len(BASES) - 3, "CC", "C"))
    (tmp_path / "turned").mkdir()
    turned = write_genome(tmp_path / "turned", chr1=turn(BASES))
    there = [
        variant(len(BASES) - (one.position + len(one.ref) - 1) + 1, turn(one.ref), turn(one.alt)) for one in variants
    ]
    ours = score(genome, variants, Counting(["GATTACA", "CG"], length), scores=["difference"])
    theirs = score(turned, there, Counting([turn("GATTACA"), "CG"], length), scores=["difference"])
    changes = [read_change(one, genome, {"chr1": "chr1"}, length) for one in variants]
    odd = [(one.first + one.last - length) % 2 for one in changes if isinstance(one, Change)]
    assert 10 < sum(odd) < len(odd) - 10 and len(odd) == len(variants)
    assert np.array_equal(ours.values, theirs.values)
    left = score(genome, variants, Counting(["GATTACA", "CG"], length), scores=["difference"], hold="left")
    assert not np.allclose(left.values, ours.values, equal_nan=True)


def turn(text: str) -> str:
    return decode(reverse_complement(encode(text)))


def test_the_same_deletion_written_elsewhere_has_the_same_scores(genome: Genome) -> None:
    ways = [variant(place, "AA", "A") for place in range(25, 32)]
    values = score(genome, ways).values
    assert (values == values[0]).all()
    assert not np.isnan(values).any()


def test_shifts_are_a_mean_and_strands_are_turned(genome: Genome) -> None:
    one = [variant(37, "T", "C")]
    model = Counting(["TTGATTA", "AAAAAA"], LENGTH)
    shifted = [score(genome, one, model, shifts=[shift]).values for shift in (-2, 0, 2)]
    assert not np.array_equal(shifted[0], shifted[2])
    assert score(genome, one, model, shifts=[-2, 0, 2]).values == pytest.approx(np.mean(shifted, 0))
    backward = score(genome, [variant(37, "T", "C", strand="-")], Counting(["TAATCAA", "TTTTTT"], LENGTH)).values
    assert np.array_equal(backward, score(genome, one, model).values)
    both = score(genome, one, Counting(["TTGATTA"], LENGTH), both_strands=True, scores=["ref"]).values
    assert both[0, 0, 0] == 0.5
