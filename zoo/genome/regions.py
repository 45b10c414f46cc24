"""Regions of a genome as arrays, with the lengths of its contigs, by which the same assembly is known again."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.genome.contigs import find_contigs

__all__ = ["REGION_BLOCK", "Regions"]

# Bases of a block in which regions are compared with what a model was trained on.
REGION_BLOCK = 2_000


class Regions(NamedTuple):
    """Regions of a genome.

    Attributes:
        contigs: contig -> length, of the contigs with regions.
        spans: index of the contig, first base (from 0) and end of each region, int64 (R, 3).
    """

    contigs: dict[str, int]
    spans: NDArray[np.int64]

    @classmethod
    def of(cls, contigs: Mapping[str, int], spans: NDArray[np.int64]) -> "Regions":
        """Merge spans (R, 3) that overlap or touch, and keep the contigs that have some."""
        if not len(spans):
            return cls({}, spans)
        spans = spans[np.lexsort((spans[:, 1], spans[:, 0]))]
        # One coordinate for all contigs, one after the other with a gap.
        offset = _offsets(contigs)
        start, end = offset[spans[:, 0]] + spans[:, 1], offset[spans[:, 0]] + spans[:, 2]
        reach = np.maximum.accumulate(end)
        first = np.flatnonzero(np.append(True, start[1:] > reach[:-1]))
        last = np.append(first[1:], len(start)) - 1
        merged = np.stack([spans[first, 0], spans[first, 1], reach[last] - offset[spans[first, 0]]], 1)
        used, index = np.unique(merged[:, 0], return_inverse=True)
        names = list(contigs)
        merged[:, 0] = index
        return cls({names[number]: contigs[names[number]] for number in used.tolist()}, merged)

    @property
    def bases(self) -> int:
        """Number of bases in the regions."""
        return int((self.spans[:, 2] - self.spans[:, 1]).sum())

    def is_of(self, contigs: Mapping[str, int]) -> bool:
        """Whether a genome's contigs (contig -> length) are of the same assembly: those in common have one length."""
        matched = {
            name: other for name, other in find_contigs(list(self.contigs), contigs).items() if other is not None
        }
        return bool(matched) and all(self.contigs[name] == contigs[other] for name, other in matched.items())

    def shared_bases(self, other: "Regions") -> int:
        """Number of bases of these regions that are in the other ones too; both of one assembly, and merged."""
        matched = find_contigs(list(other.contigs), self.contigs)
        numbers = {name: index for index, name in enumerate(self.contigs)}
        ours = np.array([numbers[name] if name is not None else -1 for name in matched.values()], np.int64)
        spans = other.spans[ours[other.spans[:, 0]] >= 0] if len(ours) else other.spans[:0]
        offset = _offsets(self.contigs)
        edges = []
        for contig, rows in ((self.spans[:, 0], self.spans), (ours[spans[:, 0]], spans)):
            edges.append((offset[contig] + rows[:, 1], offset[contig] + rows[:, 2]))
        # Walk along all edges: bases where both are open are shared.
        position = np.concatenate([edge for pair in edges for edge in pair])
        step = np.repeat([1, -1, 1, -1], [len(edge) for pair in edges for edge in pair])
        order = np.lexsort((step, position))
        depth = step[order].cumsum()
        length = np.diff(position[order], append=0)
        return int(length[depth == 2].sum())


def _offsets(contigs: Mapping[str, int]) -> NDArray[np.int64]:
    """Position of the first base of each contig, where all lie one after the other with a gap between."""
    lengths = np.array(list(contigs.values()), np.int64) + 1
    offsets: NDArray[np.int64] = lengths.cumsum() - lengths
    return offsets
