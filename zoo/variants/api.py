"""`zoo.score_variants`: variants in, the scores of a model out, in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.formats.alleles import Variant
from zoo.genome.fasta import Genome
from zoo.hub.background import read_background
from zoo.hub.load import load, resolve
from zoo.inference.engine import Precision
from zoo.models._base import SequenceModel
from zoo.utils.text import counted, some_of
from zoo.variants.report import check_counts, count_sentences
from zoo.variants.scored import ScoredAlleles
from zoo.variants.scorer import VariantOptions, VariantScorer
from zoo.variants.sources import GenomeSource, PairSource, Source, are_pairs
from zoo.variants.table import allele_columns, score_columns, write_table
from zoo.variants.windows import Hold

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["VariantScores", "score_variants"]


@dataclass(frozen=True)
class VariantScores:
    """Scores of variants.

    Attributes:
        variants: the alleles (N).
        values: float64 (N, S, T), NaN for an allele without scores.
        scores: names of the scores (S).
        targets: names of the targets (T).
        notes: for each allele why it has no scores, or what is to be known of them; empty for nothing (N).
        messages: sentences on what has no scores.
    """

    variants: list[Variant]
    values: NDArray[np.float64]
    scores: list[str]
    targets: list[str]
    notes: list[str]
    messages: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.variants)

    def __repr__(self) -> str:
        return (
            f"VariantScores({counted(len(self), 'allele')}; scores {some_of(self.scores)}; targets "
            f"{some_of(self.targets)})"
        )

    def score(self, name: str) -> NDArray[np.float64]:
        """One score of all targets (N, T).

        Raises:
            ConfigError: there is no such score.
        """
        if name not in self.scores:
            raise ConfigError(f"there is no score {name!r}: there are {', '.join(self.scores)}")
        return self.values[:, self.scores.index(name)]

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each allele: what it is, its note, and a column for each score and target."""
        import pandas as pd

        values = self.values.reshape(len(self), -1)
        columns: dict[str, Any] = dict(allele_columns(self._block()))
        columns |= {name: values[:, i] for i, name in enumerate(score_columns(self.scores, self.targets))}
        return pd.DataFrame(columns)

    def write(self, path: str | Path) -> None:
        """Write a table: .tsv, .csv (also .gz) or .parquet.

        Raises:
            ConfigError: another ending.
            OutputError: it cannot be written.
        """
        write_table(str(path), [self._block()], self.scores, self.targets)

    def _block(self) -> ScoredAlleles:
        return ScoredAlleles(self.variants, self.notes, self.values)


def score_variants(
    model: SequenceModel | str,
    variants: str | Path | Iterable[Variant | Sequence[Any]],
    genome: Genome | str | Path | None = None,
    *,
    hold: Hold = "both",
    shifts: Sequence[int] = (0,),
    both_strands: bool = False,
    scores: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    within: int | None = None,
    batch_size: int | None = None,
    precision: Precision = "32",
) -> VariantScores:
    """Score the effects of variants with a model of any kind.

    The window of each variant has the middle of the change in its middle; N past the ends of a contig.

    Args:
        model: a loaded model, or the name of one.
        variants: a VCF, BCF or table (see `zoo variants --help`); or (chrom, position from 1, ref, alt) of each.
        genome: the genome, or its FASTA; None for a table with the sequences of both alleles.
        hold: of insertions and deletions, the side of the change on which the bases stay where they are in the window;
            `both` for the mean of the scores of either, which is the same for both strands of a genome.
        shifts: bases by which the windows are moved; the scores are the mean over them.
        both_strands: whether both strands are read and averaged, also by a model that does not do so itself.
        scores: names of the scores; None for all, with `percentile` and `z_score` where the model is named and has
            random variants (`zoo background`): `log_odds`, `log2_ratio`, `difference`, `ref` and `alt` of labels;
            `log2_ratio`, `sum_difference`, `absolute_difference`, `jsd`, `ref` and `alt` of tracks; `mean_change`,
            `max_change` and `insulation` of contacts; as far as the model has them.
        targets: names of the targets; None for all.
        within: of tracks, bases on either side of the change in which bins count; None for all bins.
        batch_size: pairs that are predicted at once; None for the usual number of the kind.
        precision: `32`, or `bf16` / `16` for autocast.

    Raises:
        InputError: variants or a genome that cannot be read, or none of the alleles can be scored.
        ConfigError: an option that the model does not have.
        UnknownNameError: no model of that name.
    """
    background = read_background(resolve(model)) if isinstance(model, str) else None
    model = load(model) if isinstance(model, str) else model
    options = VariantOptions(hold, shifts, both_strands, scores, targets, within, batch_size, precision)
    scorer = VariantScorer(model, options, background)
    source, shown = _source(variants, genome)
    blocks = list(scorer.stream(source))
    check_counts(scorer.counts, shown, str(getattr(genome, "path", genome)))
    return VariantScores(
        [one for block in blocks for one in block.variants],
        np.concatenate([block.values for block in blocks]),
        list(scorer.columns),
        list(scorer.targets),
        [note for block in blocks for note in block.notes],
        count_sentences(scorer.counts),
    )


def _source(variants: Any, genome: Genome | str | Path | None) -> tuple[Source, str]:
    """The alleles, and what a message calls them."""
    is_file = isinstance(variants, str | Path)
    if is_file and genome is None and are_pairs(str(variants)):
        return PairSource(str(variants)), str(variants)
    if genome is None:
        raise ConfigError("variants are of a genome: name its FASTA")
    genome = genome if isinstance(genome, Genome) else Genome(genome)
    if is_file:
        return GenomeSource.of_file(str(variants), genome), str(variants)
    return GenomeSource(map(_variant, enumerate(variants, 1)), genome), "the variants"


def _variant(item: tuple[int, Any]) -> Variant:
    """An allele that is given as one, or as chrom, position, ref and alt."""
    number, given = item
    if isinstance(given, Variant):
        return given
    if isinstance(given, str) or len(given) != 4:
        raise ConfigError(f"variant {number}: (chrom, position, ref, alt) was expected, not {given!r:.80}")
    chrom, position, ref, alt = given
    try:
        whole = index(position)  # also of numpy, and no float
    except TypeError:
        raise ConfigError(f"variant {number}: the position is a whole number, from 1, not {position!r:.40}") from None
    return Variant(number, str(chrom), whole, "", str(ref), str(alt))
