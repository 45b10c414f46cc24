"""Where positions end: the first layer that reads all of them.

Shapes: R references, P positions, C channels, N mutants, n positions of a window, F features, I input tracks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from zoo.interpret.products import Product
from zoo.interpret.windows import Index, Window, difference, gather, groups_of, outside

__all__ = ["Dense", "Ending", "PoolAll", "Whole", "in_place"]

# Channels up to which positions are not worth a product each, and groups of mutants from which they are not.
_NARROW = 8


class Ending(Protocol):
    """A layer from all positions to the raw output."""

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, Any]:
        """Compute references (R, P, C) in full: raw output (R, ...), and what `mutate` needs of them."""
        ...

    def mutate(self, window: Window, before: Tensor, kept: Any) -> tuple[Tensor, Index]:
        """Compute raw outputs of mutants (N, ...), and which they are (N,); arguments as of a `Layer`."""
        ...


@dataclass
class Dense:
    """A dense layer of all positions: mutants add only the products of the positions that changed.

    Attributes:
        weight: (F, values of all positions, then those of the input tracks if it reads them).
        bias: (F,).
        channels_first: the channels are the slower axis of the values.
        reads_tracks: read the flattened input tracks too.
        rest: what follows, (N, F) -> raw output.
    """

    weight: Tensor
    bias: Tensor
    channels_first: bool
    reads_tracks: bool
    rest: Callable[[Tensor], Tensor]
    _kept_products: dict[int, list[Product]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._whole = Product(self.weight, self.bias)

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, Tensor]:
        """Compute references."""
        values = [(x.transpose(1, 2) if self.channels_first else x).flatten(1)]
        if self.reads_tracks:
            assert tracks is not None
            values.append(tracks.to(x.dtype).flatten(1))
        hidden = self._whole(torch.cat(values, 1))
        return self.rest(hidden), hidden

    def mutate(self, window: Window, before: Tensor, kept: Tensor) -> tuple[Tensor, Index]:
        """Add to the reference's units what the positions that changed contribute."""
        changed = replace(window, values=difference(window, before))
        by, starts = changed.grouped_by(window.starts)
        hidden = kept.index_select(0, torch.from_numpy(by.rows).to(kept.device))
        groups, (positions, channels) = groups_of(starts), before.shape[1:]
        if channels <= _NARROW and len(groups) > _NARROW:
            self._add_narrow(hidden, by, self._by_position(positions, channels))
            return self.rest(hidden), by.order
        products = self._products(positions, channels)
        for start, of in groups:
            for index in range(max(0, -start), min(by.width, positions - start)):
                hidden[of] += products[start + index](by.values[index, of])
        return self.rest(hidden), by.order

    def _add_narrow(self, hidden: Tensor, changed: Window, weight: Tensor) -> None:
        """Add what changes of few channels contribute, with a matrix for each mutant (C, F), in place."""
        for index in range(changed.width):
            at = np.clip(changed.starts + index, 0, len(weight) - 1)  # of positions that do not exist the change is 0
            of_mutant = weight.index_select(0, torch.from_numpy(at).to(weight.device))
            hidden += (changed.values[index, :, None] @ of_mutant)[:, 0]

    def _by_position(self, positions: int, channels: int) -> Tensor:
        """The weight as one matrix for each position, (P, C, F)."""
        weight = self.weight[:, : positions * channels].T
        if self.channels_first:
            return weight.view(channels, positions, -1).transpose(0, 1)
        return weight.view(positions, channels, -1)

    def _products(self, positions: int, channels: int) -> list[Product]:
        """The products with these matrices."""
        if positions not in self._kept_products:
            matrices = self._by_position(positions, channels).transpose(1, 2)  # (P, F, C)
            self._kept_products[positions] = [Product(matrix.contiguous()) for matrix in matrices]
        return self._kept_products[positions]


@dataclass
class PoolAll:
    """The highest value, or the mean, of each channel over all positions.

    Attributes:
        kinds: `max` or `mean`.
        rest: what follows: (N, C, kinds) -> raw output.
    """

    kinds: tuple[str, ...]
    rest: Callable[[Tensor], Tensor]

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Pool references, and keep the highest values up to each position and from it on, (2, R, P + 1, C)."""
        pooled = [x.amax(1) if kind == "max" else x.mean(1) for kind in self.kinds]
        lowest = x.new_full((len(x), 1, x.shape[2]), -torch.inf)
        up_to = torch.cat([lowest, x.cummax(1).values], 1)
        onward = torch.cat([x.flip(1).cummax(1).values.flip(1), lowest], 1)
        return self.rest(torch.stack(pooled, -1)), (up_to, onward)

    def mutate(self, window: Window, before: Tensor, kept: tuple[Tensor, Tensor]) -> tuple[Tensor, Index]:
        """Combine the window with what lies outside of it."""
        pooled = []
        for kind in self.kinds:
            if kind == "mean":
                mean = before.mean(1).index_select(0, torch.from_numpy(window.rows).to(before.device))
                pooled.append(mean + difference(window, before).sum(0) / before.shape[1])
                continue
            values = window.values
            for row, absent in outside(window.starts, window.width, before.shape[1]):
                values[row, torch.from_numpy(absent).to(values.device)] = -torch.inf
            left = gather(kept[0], window.starts, window.rows, 1)[0]
            right = gather(kept[1], window.starts + window.width, window.rows, 1)[0]
            pooled.append(torch.maximum(values.amax(0), torch.maximum(left, right)))
        return self.rest(torch.stack(pooled, -1)), window.order


@dataclass
class Whole:
    """Everything else, which reads mutants in full.

    Attributes:
        rest: what follows: (N, C, P) and the tracks of each, or None -> raw output.
    """

    rest: Callable[[Tensor, Tensor | None], Tensor]

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Compute references."""
        return self.rest(x.transpose(1, 2), tracks), tracks

    def mutate(self, window: Window, before: Tensor, kept: Tensor | None) -> tuple[Tensor, Index]:
        """Compute mutants."""
        rows = torch.from_numpy(window.rows).to(before.device)
        tracks = None if kept is None else kept.index_select(0, rows)
        return self.rest(in_place(window, before).transpose(1, 2), tracks), window.order


def in_place(window: Window, reference: Tensor) -> Tensor:
    """All positions of mutants (N, P, C): the reference's, with those of the window put into them."""
    positions, channels = reference.shape[1:]
    full = reference.index_select(0, torch.from_numpy(window.rows).to(reference.device))
    at = window.starts + np.arange(window.width)[:, None]  # (n, N)
    exist = (at >= 0) & (at < positions)
    flat = torch.from_numpy((at + np.arange(len(window.rows)) * positions)[exist]).to(full.device)
    values = window.values if exist.all() else window.values[torch.from_numpy(exist).to(full.device)]
    full.view(-1, channels).index_copy_(0, flat, values.reshape(-1, channels))
    return full
