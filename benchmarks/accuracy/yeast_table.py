"""Table `variants_yeast`: effects of natural promoter variants of yeast in a reporter assay (Renganaath 2020).

The protocol, which was written before the final models were scored. All 5,312 measurements of single-base variants
count, and those alone; the 395 at the authors' false discovery rate of 5 % are called causal. Measurements of one
variant in two oligos, such as those of two genes that share a promoter, are two rows.

- r: Pearson's, with the standard error of 1,000 bootstrap samples of rows, and Spearman's, of predicted and measured
  log2 effects, other allele minus reference: over the causal variants, over all, and over the causal ones of chrIX and
  chrXIV, which no model that is scored here was trained or chosen on.
- AUROC and AUPRC of |predicted effect|, for causal against matched variants: each causal variant has one partner that
  was measured in the same library and is not causal in any measurement, with the same reference and other base, and
  whose distance from its gene's start differs by 10 bases at most, or, where none is left, by 200; drawn without
  replacement, 100 times. Given is the mean over draws; the standard error is that of draws in each of which pairs are
  also sampled with replacement. Once for all causal variants, once for the 142 of the TSS library.

What is predicted:

- basset.yeast_reporter: the difference between both oligos of the variant, for the library in which it was measured.
  Eight networks of one configuration, each trained without the contigs whose variants it scores; for chrIX and chrXIV
  it is the shipped one. Its configuration was chosen by the same scores without chrIX and chrXIV.
- 6-mers: a ridge regression of the same oligos, in the same way (`kmer_effects`).
- basenji.yeast: both alleles in the genome (`track_effects`). It was trained on the genome with the reference alleles,
  of all contigs but chrIX, chrXIV and chrXI, and on no effect of a variant. It knows nothing of the libraries.

`published` are AUROC and AUPRC of Shorkie's paper (Chao 2025, doi:10.1101/2025.09.19.677475), not computed here. That
protocol is the model of ours, but not the same: its partners are common non-coding variants (frequency of 5 % or more)
of 1,011 isolates that were not measured, with the same bases, and any gene of the same distance; one for each causal
variant, four draws. Ours were measured in the same assay, and some are not causal for lack of power alone. It scores
the 142 variants of the TSS library; its repository says that over all 395 Shorkie has .536 and .555.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from accuracy.yeast_models import REPORTER, TRACKS, kmer_effects, reporter_effects, track_effects
from common import pearson
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from zoo.datasets.yeast_genome import TEST
from zoo.datasets.yeast_variants import LIBRARIES, PromoterVariants, read_variants

__all__ = ["Correlation", "Matched", "correlation", "draw_pairs", "matched_scores", "yeast_table"]

# Model -> AUROC and AUPRC of the 142 variants of the TSS library, as published.
PUBLISHED = {
    "Shorkie": (0.618, 0.629),
    "DREAM-CNN": (0.596, 0.593),
    "DREAM-RNN": (0.590, 0.596),
    "DREAM-Atten": (0.585, 0.588),
    "Shorkie, random weights": (0.424, 0.447),
}
# Largest differences of the distance from the gene's start between a causal variant and its partner, in bases.
_TOLERANCES = (10, 200)
_DRAWS = 100
_BOOTSTRAPS = 1000
_SEED = 0

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]


class Correlation(NamedTuple):
    """Pearson's correlation of predicted and measured effects of variants, its standard error, and Spearman's."""

    number: int
    pearson: float
    error: float
    spearman: float


class Matched(NamedTuple):
    """Scores of causal against matched variants: number of causal ones with a partner, means over draws, and errors."""

    number: int
    auroc: float
    auroc_error: float
    auprc: float
    auprc_error: float


def yeast_table() -> tuple[list[str], list[list[object]], dict[str, object]]:
    """Header and rows of the table, and the facts of the training runs."""
    variants = read_variants()
    ours, facts = reporter_effects(variants)
    effects = {(REPORTER, "oligo"): ours, ("6-mers", "oligo"): kmer_effects(variants)}
    effects |= {(TRACKS, output): values for output, values in track_effects(variants).items()}
    snv, causal = variants.is_snv, variants.is_causal & variants.is_snv
    sets = {"causal": causal, "all": snv, "causal, chrIX and chrXIV": causal & np.isin(variants.contig, TEST)}
    tss = variants.library == LIBRARIES.index("TSS")
    draws = {"causal": _draws(variants, causal), "TSS library": _draws(variants, causal & tss)}
    rows: list[list[object]] = []
    for (model, output), values in effects.items():
        row: list[object] = [model, output]
        for chosen in sets.values():
            row += correlation(values[chosen], variants.effect[chosen])
        for pairs in draws.values():
            row += matched_scores(np.abs(values), pairs)
        rows.append(row)
    blank = [""] * (4 * len(sets) + 5)
    rows += [
        [f"{model}, published", "", *blank, 142, auroc, "", auprc, ""] for model, (auroc, auprc) in PUBLISHED.items()
    ]
    header = ["model", "output"]
    header += [f"{name}: {column}" for name in sets for column in ("SNVs", "r", "r SE", "Spearman")]
    columns = ("matched SNVs", "AUROC", "AUROC SE", "AUPRC", "AUPRC SE")
    header += [f"{name}: {column}" for name in draws for column in columns]
    return header, rows, facts


def correlation(predicted: Numbers, measured: Numbers) -> Correlation:
    """Correlate predicted with measured effects (N,)."""
    rng = np.random.default_rng(_SEED)
    samples = rng.integers(0, len(measured), (_BOOTSTRAPS, len(measured)))
    resampled = [pearson(predicted[rows], measured[rows]) for rows in samples]
    rank = float(spearmanr(predicted, measured).statistic)
    return Correlation(len(measured), pearson(predicted, measured), float(np.std(resampled, ddof=1)), rank)


def _draws(variants: PromoterVariants, causal: NDArray[np.bool_]) -> list[tuple[Rows, Rows]]:
    """Draw partners many times."""
    rng = np.random.default_rng(_SEED)
    candidates = partners(variants, np.flatnonzero(causal))
    return [draw_pairs(candidates, rng) for _ in range(_DRAWS)]


def partners(variants: PromoterVariants, causal: Rows) -> dict[int, list[Rows]]:
    """List the possible partners of each causal variant, for each tolerance: row -> rows."""
    columns = (variants.contig, variants.position, variants.reference, variants.alternative)
    keys = list(zip(*(column.tolist() for column in columns), strict=True))
    known = {keys[row] for row in np.flatnonzero(variants.is_causal)}
    free = variants.is_snv & np.array([key not in known for key in keys])
    candidates = {}
    for row in causal.tolist():
        same = free & (variants.library == variants.library[row])
        same &= (variants.reference == variants.reference[row]) & (variants.alternative == variants.alternative[row])
        apart = np.abs(variants.distance - variants.distance[row])
        candidates[row] = [np.flatnonzero(same & (apart <= tolerance)) for tolerance in _TOLERANCES]
    return candidates


def draw_pairs(candidates: dict[int, list[Rows]], rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Draw one partner for each causal variant, in random order, without replacement: the nearest tolerance first.

    Args:
        candidates: as of `partners`.
        rng: of the draw.

    Returns:
        Rows of the causal variants that have a partner, and of their partners.
    """
    used: set[int] = set()
    pairs = []
    for causal in rng.permutation(list(candidates)).tolist():
        for rows in candidates[causal]:
            free = [row for row in rows.tolist() if row not in used]
            if free:
                partner = free[rng.integers(len(free))]
                used.add(partner)
                pairs.append((causal, partner))
                break
    drawn = np.array(pairs, np.int64).reshape(-1, 2)
    return drawn[:, 0], drawn[:, 1]


def matched_scores(score: Numbers, draws: Sequence[tuple[Rows, Rows]]) -> Matched:
    """Score causal variants against their partners.

    Args:
        score: of each variant (V,); higher means causal.
        draws: rows of causal variants and of their partners.
    """
    rng = np.random.default_rng(_SEED)
    means, errors = [], []
    metrics: list[Callable[[Rows, Numbers], float]] = [roc_auc_score, average_precision_score]
    for metric in metrics:
        values, resampled = [], []
        for causal, partner in draws:
            label = np.repeat([1, 0], len(causal))
            values.append(metric(label, score[np.concatenate([causal, partner])]))
            rows = rng.integers(0, len(causal), len(causal))
            resampled.append(metric(label, score[np.concatenate([causal[rows], partner[rows]])]))
        means.append(float(np.mean(values)))
        errors.append(float(np.std(resampled, ddof=1)))
    count = round(float(np.mean([len(causal) for causal, _ in draws])))
    return Matched(count, means[0], errors[0], means[1], errors[1])
