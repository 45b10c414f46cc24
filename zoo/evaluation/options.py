"""Options of labelled files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FileOptions"]


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """Options of labelled files.

    Args:
        genome: FASTA file, for all but sequences.
        negatives: FASTA file of sequences whose labels are all 0, with FASTA files.
        inputs: table of the input tracks, for a model that reads some.
        contigs: contigs, or BED files of regions, to which data on a genome are restricted; None for all.
        blacklist: BED file of regions that do not count.
        resize: cut sequences to the model's length, or pad them with N, around their centres.
        measurements: labels of a table are measurements, also those of a model of classes: scores are correlations.
        smooth: standard deviation of the Gaussian that smooths measured contact maps, in bins; None for that of `maps`.
        maps: further options of `MapRules`, as the model was trained with.
    """

    genome: str | None = None
    negatives: str | None = None
    inputs: str | None = None
    contigs: Sequence[str] | None = None
    blacklist: str | None = None
    resize: bool = False
    measurements: bool = False
    smooth: float | None = None
    maps: Mapping[str, Any] = field(default_factory=dict)
