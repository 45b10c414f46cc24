"""Motifs of a net's first layer: the filters that matter most, each as the counts of the bases that it responds to.

Shapes: N sequences, L bases, K filters, m their width, P positions, T targets.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from zoo.genome.sequence import one_hot
from zoo.nn.filters import FilterBank
from zoo.site.network import Network, Sequences

__all__ = ["FilterMotif", "FilterMotifs", "information", "strongest_filters"]

MOST_FILTERS = 8  # of which motifs are shown
_POSITIONS = 1_000_000  # of random sequences that are scanned
_MOST_CONSIDERED = 512  # filters
_RESPONSES = 1 << 20  # numbers that are computed at once
# Sequences in which a filter is silenced: at most, at least, and multiplications and additions for all filters.
_MOST_SILENCED, _LEAST_SILENCED, _FLOPS = 16, 2, 10**11


@dataclass(frozen=True)
class FilterMotif:
    """What one filter responds to, and what depends on it.

    Attributes:
        index: index of the filter.
        effect: mean absolute change of the raw output, over targets, when it is silenced.
        target: index of the target that changes most.
        change: mean change of that target that is due to the filter.
        counts: bases of the aligned subsequences (m, 4), in the order A C G T.
    """

    index: int
    effect: float
    target: int
    change: float
    counts: NDArray[np.int64]

    @property
    def subsequences(self) -> int:
        """Number of the aligned subsequences."""
        return int(self.counts[0].sum())


@dataclass(frozen=True)
class FilterMotifs:
    """The motifs of the filters with the largest effects, the largest first.

    Attributes:
        motifs: the motifs.
        filters: number of filters of the net.
        considered: of these, the first so many were considered.
        sequences: random sequences that were scanned.
        silenced: of these, for each filter, the sequences in which it was silenced.
        width: bases of a filter.
    """

    motifs: list[FilterMotif]
    filters: int
    considered: int
    sequences: int
    silenced: int
    width: int


def information(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Heights of letters in bits (m, 4): shares of the bases times the information of the position.

    The information is that of Schneider and Stephens 1990 (doi:10.1093/nar/18.20.6097), with their correction for few
    subsequences; it is not below 0.
    """
    number = max(int(counts[0].sum()), 1)
    shares = counts / number
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    bits = 2 + (shares * logs).sum(1) - 3 / (2 * np.log(2) * number)
    heights: NDArray[np.float64] = shares * np.maximum(bits, 0)[:, None]
    return heights


def strongest_filters(network: Network, bank: FilterBank) -> FilterMotifs | None:
    """Find the filters of the first layer with the largest effects, and align what they respond to.

    A filter's effect is measured where it responds: in those of many random sequences in which its response is highest,
    its responses are set to 0 and the change of the raw output is taken.

    Args:
        network: the net.
        bank: filters of its first layer.

    Returns:
        The motifs; None for a net whose sequences are shorter than its filters, or far too long.
    """
    filters, width, length = len(bank.weight), bank.weight.shape[2], network.model.length
    if width > length or not network.is_short:
        return None
    sequences = network.random(max(_POSITIONS // length, _MOST_SILENCED))
    considered = min(filters, _MOST_CONSIDERED)
    affordable = _FLOPS // (2 * considered * network.flops())
    silenced = min(max(affordable, _LEAST_SILENCED), _MOST_SILENCED)
    best = _highest(bank, sequences.codes, torch.arange(considered))  # (N, K)
    chosen = (sequences.chosen(best[:, index].topk(silenced).indices) for index in range(considered))
    changes = torch.stack([_changes(network, bank, index, some) for index, some in enumerate(chosen)])  # (K, n, T)
    effects = changes.abs().mean((1, 2))
    strongest = effects.argsort(descending=True, stable=True)[:MOST_FILTERS]
    counts = _aligned(bank, sequences.codes, strongest, best[:, strongest].amax(0))
    motifs = []
    for index, bases in zip(strongest.tolist(), counts, strict=True):
        means = changes[index].mean(0)  # (T,)
        target = int(means.abs().argmax())
        motifs.append(FilterMotif(index, float(effects[index]), target, float(means[target]), bases.numpy()))
    return FilterMotifs(motifs, filters, considered, len(sequences.codes), silenced, width)


def _changes(network: Network, bank: FilterBank, index: int, sequences: Sequences) -> Tensor:
    """Raw output with a filter minus that without it (n, T)."""
    whole = network.raw(sequences)
    with bank.silenced(index):
        return whole - network.raw(sequences)


def _highest(bank: FilterBank, codes: Tensor, filters: Tensor) -> Tensor:
    """The highest rectified response of each filter in each sequence (N, K)."""
    blocks = _blocks(codes, len(filters))
    return torch.cat([bank.responses(one_hot(block), filters).amax(2) for block in blocks]).relu()


def _aligned(bank: FilterBank, codes: Tensor, filters: Tensor, highest: Tensor) -> Tensor:
    """Counts of bases (K', m, 4) of the subsequences whose response is over half the highest (K',)."""
    width = bank.weight.shape[2]
    counts = torch.zeros(len(filters), width, 4, dtype=torch.long)
    for block in _blocks(codes, len(filters)):
        responds = bank.responses(one_hot(block), filters) > highest[:, None] / 2  # (N, K', P)
        windows = block.unfold(1, width, 1)  # (N, P, m)
        for row in range(len(filters)):
            counts[row] += F.one_hot(windows[responds[:, row]].long(), 4).sum(0)
    return counts


def _blocks(codes: Tensor, filters: int) -> Iterator[Tensor]:
    """Blocks of sequences of which the responses of so many filters are computed at once."""
    return iter(torch.split(codes, max(1, _RESPONSES // (filters * codes.shape[1]))))
