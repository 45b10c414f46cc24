"""What a model predicts: `Labels`, `Tracks` or `Contacts`.

Whatever varies with the kind of prediction hangs on these three values: the shape of the tensor, what a reverse
complement does to it, and the genomic coordinates of a bin.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from zoo.errors import ConfigError
from zoo.genome.intervals import Interval

__all__ = ["Contacts", "Labels", "Output", "Tracks", "upper_triangle"]


@dataclass(frozen=True)
class Output:
    """What the three kinds share: the names of their targets, in the order of the tensor's first axis."""

    targets: tuple[str, ...]
    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if not self.targets:
            raise ConfigError("a model needs at least one target")
        if len(set(self.targets)) != len(self.targets):
            twice = next(name for name in self.targets if self.targets.count(name) > 1)
            raise ConfigError(f"two targets are named {twice!r}")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one prediction, without the batch axis."""
        raise NotImplementedError

    def reverse_complement(self, values: Tensor) -> Tensor:
        """Map the prediction (B, *shape) for the other strand back onto this one."""
        raise NotImplementedError


@dataclass(frozen=True)
class Labels(Output):
    """One value per target and sequence: shape (T,)."""

    kind: ClassVar[str] = "labels"

    @property
    def shape(self) -> tuple[int, ...]:
        """(T,)."""
        return (len(self.targets),)

    def reverse_complement(self, values: Tensor) -> Tensor:
        """A label belongs to both strands: nothing moves."""
        return values


@dataclass(frozen=True)
class Tracks(Output):
    """One value per target and bin along the sequence: shape (T, N).

    Args:
        bins: number of bins N that are predicted.
        bin_size: bases per bin.
        crop: bases of context left out on each side of the predicted bins.
        strand_pairs: for each target the index of its partner on the other strand (itself when unstranded).
    """

    bins: int
    bin_size: int
    crop: int = 0
    strand_pairs: tuple[int, ...] = field(default=())
    kind: ClassVar[str] = "tracks"

    def __post_init__(self) -> None:
        super().__post_init__()
        pairs, targets = self.strand_pairs, len(self.targets)
        if pairs and len(pairs) != targets:
            raise ConfigError(f"there are {len(pairs)} strand_pairs for {targets} targets")
        odd = [t for t, partner in enumerate(pairs) if not 0 <= partner < targets or pairs[partner] != t]
        if odd:
            raise ConfigError(
                f"strand_pairs: {self.targets[odd[0]]!r} and the target of index {pairs[odd[0]]} are not each other's "
                "partners"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, N)."""
        return (len(self.targets), self.bins)

    def reverse_complement(self, values: Tensor) -> Tensor:
        """Turn the bins round and swap strand partners."""
        flipped = values.flip(-1)
        return flipped[:, list(self.strand_pairs)] if self.strand_pairs else flipped

    def bin_interval(self, window: Interval, index: int) -> Interval:
        """The genomic interval of bin `index` of a prediction for `window`."""
        if window.strand == "-":
            index = self.bins - 1 - index
        start = window.start + self.crop + index * self.bin_size
        return Interval(window.chrom, start, start + self.bin_size)


@dataclass(frozen=True)
class Contacts(Output):
    """One value per target and pair of bins, from a diagonal on: shape (T, P), the upper triangle in row order.

    Args:
        bins: number of bins N on a side of the map.
        bin_size: bases per bin.
        crop: bases of context left out on each side of the predicted bins.
        diagonal: the first diagonal that is predicted (2 leaves out self-contacts and direct neighbours).
    """

    bins: int
    bin_size: int
    crop: int = 0
    diagonal: int = 2
    kind: ClassVar[str] = "contacts"

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, P) with P = k (k + 1) / 2 for k = N - diagonal."""
        side = self.bins - self.diagonal
        return (len(self.targets), side * (side + 1) // 2)

    def reverse_complement(self, values: Tensor) -> Tensor:
        """Flip the map along both axes: pixel (i, j) comes from (N-1-j, N-1-i)."""
        return values[..., self.turned().to(values.device)]

    def pixels(self) -> tuple[Tensor, Tensor]:
        """Rows and columns (P,) of what is predicted."""
        return upper_triangle(self.bins, self.diagonal)

    def turned(self) -> Tensor:
        """For each pixel the place (P,) of the one that it is on the other strand."""
        rows, columns = self.pixels()
        position = torch.zeros(self.bins, self.bins, dtype=torch.long)
        position[rows, columns] = torch.arange(len(rows))
        return position[self.bins - 1 - columns, self.bins - 1 - rows]

    def maps(self, values: Tensor) -> Tensor:
        """Unfold predictions (..., P) into symmetric maps (..., N, N), NaN below the first diagonal."""
        rows, columns = self.pixels()
        found = values.new_full((*values.shape[:-1], self.bins, self.bins), torch.nan)
        found[..., rows, columns] = values
        found[..., columns, rows] = values
        return found

    def bin_interval(self, window: Interval, index: int) -> Interval:
        """The genomic interval of bin `index` on a side of the map predicted for `window`."""
        if window.strand == "-":
            index = self.bins - 1 - index
        start = window.start + self.crop + index * self.bin_size
        return Interval(window.chrom, start, start + self.bin_size)


def upper_triangle(bins: int, diagonal: int) -> tuple[Tensor, Tensor]:
    """Rows and columns (P,) of the pixels of a map from a diagonal on, in row order."""
    rows, columns = torch.triu_indices(bins, bins, diagonal)
    return rows, columns
