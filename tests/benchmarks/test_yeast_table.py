"""The table of yeast variants: partners by hand, and scores of models that know the truth or nothing."""

import numpy as np
import pytest
from accuracy.yeast_table import correlation, draw_pairs, matched_scores, partners

from zoo.datasets.yeast_variants import PromoterVariants

# contig, position, alleles, library, adjusted p, distance
ROWS = [
    ("chrI", 10, "AC", 0, 0.01, 100),
    ("chrI", 20, "AC", 0, 0.50, 108),  # a partner
    ("chrI", 30, "AC", 0, 0.50, 290),  # one that is farther away
    ("chrI", 40, "AC", 0, 0.50, 301),  # too far
    ("chrI", 50, "AC", 1, 0.50, 100),  # of the other library
    ("chrI", 60, "AG", 0, 0.50, 100),  # of other bases
    ("chrI", 70, "AC", 0, 0.50, 100),  # causal in the next row, its other oligo
    ("chrI", 70, "AC", 1, 0.01, 100),
]


def made(rows: list[tuple[str, int, str, int, float, int]] = ROWS) -> PromoterVariants:
    contig, position, alleles, library, adjusted_p, distance = (np.array(column) for column in zip(*rows, strict=True))
    names, zeros = [str(i) for i in range(len(rows))], np.zeros(len(rows))
    reference, alternative = (np.array([pair[i] for pair in alleles]) for i in range(2))
    places = (contig, position, reference, alternative, contig, zeros > 0, library)
    return PromoterVariants(names, *places, zeros, zeros, adjusted_p, distance.astype(float), [], [])


def test_partners_have_the_same_bases_library_and_distance() -> None:
    listed = partners(made(), np.array([0, 7]))
    assert [rows.tolist() for rows in listed[0]] == [[1], [1, 2]]
    assert [rows.tolist() for rows in listed[7]] == [[4], [4]]


def test_no_partner_is_drawn_twice_and_near_ones_come_first() -> None:
    candidates = {0: [np.array([5]), np.array([5, 6])], 1: [np.array([5]), np.array([5, 6])], 2: [np.array([])] * 2}
    seen = set()
    for seed in range(20):
        causal, partner = draw_pairs(candidates, np.random.default_rng(seed))
        assert sorted(causal.tolist()) == [0, 1] and sorted(partner.tolist()) == [5, 6]
        seen.add(tuple(partner[np.argsort(causal)].tolist()))
    assert seen == {(5, 6), (6, 5)}


def test_scores_of_matched_variants() -> None:
    draws = [(np.arange(50), np.arange(50, 100))] * 5
    score = np.arange(100.0)[::-1]
    perfect = matched_scores(score, draws)
    assert (perfect.number, perfect.auroc, perfect.auprc, perfect.auroc_error) == (50, 1, 1, 0)
    assert matched_scores(-score, draws).auroc == 0
    # On paper: one causal variant of two is above both partners, the other below both.
    half = matched_scores(np.array([3.0, 0.0, 1.0, 2.0]), [(np.array([0, 1]), np.array([2, 3]))] * 2)
    assert half.auroc == 0.5
    assert half.auprc == pytest.approx((1 + 2 / 4) / 2)


def test_the_standard_error_of_a_correlation_is_that_of_a_normal_sample() -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 400))
    result = correlation(x + noise, x)
    assert result.number == 400
    assert correlation(2 * x + 1, x).pearson == pytest.approx(1)
    assert result.error == pytest.approx((1 - result.pearson**2) / np.sqrt(400), rel=0.2)
