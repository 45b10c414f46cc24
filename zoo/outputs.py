"""What a model predicts: `Labels`, `Tracks` or `Contacts`.

These three classes define whatever varies with the kind of prediction: the shape of the tensor, what a reverse
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
    """Names of the targets, in the order of the tensor's first axis; the three kinds extend it.

    Args:
        targets: their names (T).

    Raises:
        ConfigError: no target, or two of one name.
    """

    targets: tuple[str, ...]
    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if not self.targets:
            raise ConfigError("a model needs at least one target")
        if len(set(self.targets)) != len(self.targets):
            repeated = next(name for name in self.targets if self.targets.count(name) > 1)
            raise ConfigError(f"two targets are named {repeated!r}")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one prediction, without the batch axis."""
        raise NotImplementedError

    def reverse_complement(self, values: Tensor) -> Tensor:
        """Map the prediction (B, *shape) for the reverse complement of a sequence onto the sequence itself."""
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
        """The values themselves: a label belongs to both strands."""
        return values


@dataclass(frozen=True)
class Tracks(Output):
    """One value per target and bin along the sequence: shape (T, N).

    Args:
        bins: number of bins N that are predicted.
        bin_size: bases per bin.
        crop: bases of context on each side of the predicted bins, for which nothing is predicted.
        strand_pairs: for each target the index of its partner on the other strand (itself when unstranded).

    Raises:
        ConfigError: as `Output`, or strand pairs of which two targets are not each other's partners.
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
        for target, partner in enumerate(pairs):
            if not 0 <= partner < targets or pairs[partner] != target:
                raise ConfigError(
                    f"strand_pairs: {self.targets[target]!r} and the target of index {partner} are not each other's "
                    "partners"
                )

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, N)."""
        return (len(self.targets), self.bins)

    def reverse_complement(self, values: Tensor) -> Tensor:
        """Reverse the order of the bins and swap strand partners."""
        flipped = values.flip(-1)
        return flipped[:, list(self.strand_pairs)] if self.strand_pairs else flipped

    def bin_interval(self, window: Interval, index: int) -> Interval:
        """The genomic interval of bin `index` of a prediction for `window`, which is read on its strand."""
        return _bin_interval(self, window, index)


@dataclass(frozen=True)
class Contacts(Output):
    """One value per target and pair of bins, from a diagonal on: shape (T, P), the upper triangle in row order.

    Args:
        bins: number of bins N on a side of the map.
        bin_size: bases per bin.
        crop: bases of context on each side of the predicted bins, for which nothing is predicted.
        diagonal: the first diagonal that is predicted (2: neither self-contacts nor direct neighbours).
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
        return values[..., self.reverse_complement_order().to(values.device)]

    def pixels(self) -> tuple[Tensor, Tensor]:
        """Rows and columns (P,) of the predicted pixels."""
        return upper_triangle(self.bins, self.diagonal)

    def reverse_complement_order(self) -> Tensor:
        """For each pixel the index (P,) of the pixel that it becomes in the reverse complement."""
        rows, columns = self.pixels()
        index = torch.zeros(self.bins, self.bins, dtype=torch.long)
        index[rows, columns] = torch.arange(len(rows))
        return index[self.bins - 1 - columns, self.bins - 1 - rows]

    def contact_maps(self, values: Tensor) -> Tensor:
        """Unfold predictions (..., P) into symmetric contact maps (..., N, N), NaN below the first diagonal."""
        rows, columns = self.pixels()
        maps = values.new_full((*values.shape[:-1], self.bins, self.bins), torch.nan)
        maps[..., rows, columns] = values
        maps[..., columns, rows] = values
        return maps

    def bin_interval(self, window: Interval, index: int) -> Interval:
        """The genomic interval of bin `index` on a side of the contact map of `window`, which is read on its strand."""
        return _bin_interval(self, window, index)


def upper_triangle(bins: int, diagonal: int) -> tuple[Tensor, Tensor]:
    """Rows and columns (P,) of the pixels of a contact map from a diagonal on, in row order."""
    rows, columns = torch.triu_indices(bins, bins, diagonal)
    return rows, columns


def _bin_interval(output: Tracks | Contacts, window: Interval, index: int) -> Interval:
    """The genomic interval of a bin; of a window on the minus strand, bins are counted from its end."""
    if window.strand == "-":
        index = output.bins - 1 - index
    start = window.start + output.crop + index * output.bin_size
    return Interval(window.chrom, start, start + output.bin_size)
