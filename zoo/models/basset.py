"""Basset: three convolutions, two dense layers, one output for each task (Kelley 2016, doi:10.1101/gr.200535.115).

Shapes: B batch, L input bases, M members, C channels, P positions, T targets.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.batch import Batch
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.nn.layers import Conv2d, with_spare_channel
from zoo.outputs import Labels

__all__ = ["Basset", "MirroredConv", "StrandedConv"]


class Basset(SequenceModel):
    """Convolution, batch normalisation, ReLU and max-pool, block after block; flattened; dense layers; T outputs.

    The defaults are the published net: 4,135,064 parameters at 600 bases and 164 targets.

    Args:
        targets: names of the T targets.
        length: bases L that the model reads, exactly.
        filters: channels of each convolution.
        widths: positions that each convolution spans.
        pools: positions over which each block's output is pooled by its maximum; 1 for none.
        padding: `valid`, as published: a convolution of width W takes W - 1 positions off; or `same`: zeros on both
            sides keep them all, for nets of more layers.
        hidden: units of each dense layer.
        dropout: share of the units of each dense layer that is left out in training.
        conv_dropout: share of the values that each block gives that is left out in training; 0 as published.
        pool_first: pool right after the convolution, so that the batch is normalised over pooled values: half as much
            work on a CPU; not as published.
        members: number M of nets, each trained on its own loss, whose raw outputs are averaged; 1 as published.
        rc_equivariant: read each filter, and each unit of the first dense layer, on both strands and keep the higher
            response: a motif and an arrangement of motifs are learnt once, and what is predicted for both strands of a
            sequence is the same. No position may be left over by a pool; not as published.
        centre: for measurements: the mean of each target in training (T,). The net then learns deviations from it, in
            units of `spread`.
        spread: the standard deviation of each target in training (T,).
        rc_average: predict the average over both strands; as published, only the given one is read.
        loss: `binary_cross_entropy` (peaks) or `mean_squared_error` (measurements).
    """

    centre: Tensor
    spread: Tensor

    def __init__(
        self,
        targets: Sequence[str],
        length: int = 600,
        filters: Sequence[int] = (300, 200, 200),
        widths: Sequence[int] = (19, 11, 7),
        pools: Sequence[int] = (3, 4, 4),
        padding: str = "valid",
        hidden: Sequence[int] = (1000, 1000),
        dropout: float = 0.3,
        conv_dropout: float = 0.0,
        pool_first: bool = False,
        members: int = 1,
        rc_equivariant: bool = False,
        centre: Sequence[float] | None = None,
        spread: Sequence[float] | None = None,
        rc_average: bool = False,
        loss: str = "binary_cross_entropy",
    ) -> None:
        super().__init__(Labels(tuple(targets)), length, loss)
        self.rc_average = rc_average
        plan = Plan(filters, widths, pools, padding)
        plan.check(length)
        if min([*hidden, members]) < 1 or not (0 <= dropout < 1 and 0 <= conv_dropout < 1):
            raise ConfigError("hidden units and members are numbers from 1 up, dropout a share from 0 to below 1")
        for name, values, default in (("centre", centre, 0.0), ("spread", spread, 1.0)):
            values = [default] * len(targets) if values is None else list(values)
            if len(values) != len(targets):
                raise ConfigError(f"there are {len(values)} values of {name} for {len(targets)} targets")
            self.register_buffer(name, torch.tensor(values), persistent=False)  # the arguments hold them
        if not (self.spread > 0).all():
            raise ConfigError("a target's spread is a number above 0")
        self.members = nn.ModuleList(
            BassetNet(length, len(targets), plan, hidden, dropout, conv_dropout, pool_first, rc_equivariant)
            for _ in range(members)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) -> raw (B, T), the mean over the members."""
        return self._member_scores(x).mean(0)

    def training_loss(self, batch: Batch) -> Tensor:
        """The mean of the members' own losses: training the average would make them lean on each other."""
        scores = self._member_scores(self.encode(batch.codes))  # (M, B, T)
        return self.loss.function(scores, batch.target.expand_as(scores), self.target_weight())

    def _member_scores(self, x: Tensor) -> Tensor:
        """(B, 4, L) -> (M, B, T)."""
        # In two dimensions, channels last: about twice as fast as Conv1d on a CPU, the same numbers.
        image = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)  # (B, 4, 1, L)
        return torch.stack([member(image) for member in self.members]) * self.spread + self.centre


class BassetNet(nn.Module):
    """One net: convolutions, then dense layers. (B, 4, 1, L) -> raw (B, T). See `Basset`."""

    def __init__(
        self,
        length: int,
        outputs: int,
        plan: "Plan",
        hidden: Sequence[int],
        dropout: float,
        conv_dropout: float,
        pool_first: bool,
        rc_equivariant: bool,
    ) -> None:
        super().__init__()
        channels, left = [4, *plan.filters], plan.positions(length)
        first, later = (StrandedConv, MirroredConv) if rc_equivariant else (Conv2d, Conv2d)
        kinds = [first, *[later] * (len(plan.filters) - 1)]
        blocks = [
            ConvBlock(kind(*ends, (1, width), padding=plan.padding), pool, conv_dropout, pool_first)
            for kind, ends, width, pool in zip(kinds, pairwise(channels), plan.widths, plan.pools, strict=True)
        ]
        units = [channels[-1] * left, *hidden]
        if rc_equivariant:
            plan.check_mirrored(length)
            if not hidden and left > 1:
                raise ConfigError(f"{left} positions are left; give a hidden layer, or pool all, for rc_equivariant")
            if hidden:  # the first dense layer is a convolution over all positions that are left
                whole = MirroredConv(channels[-1], hidden[0], (1, left))
                blocks.append(ConvBlock(whole, 1, dropout, pool_first))
                units = [*hidden]
        self.trunk = nn.Sequential(*blocks)
        dense = [DenseBlock(*ends, dropout=dropout) for ends in pairwise(units)]
        self.head = nn.Sequential(*dense, nn.Linear(units[-1], outputs))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 4, 1, L) -> raw (B, T)."""
        features = self.trunk(image).flatten(1)  # (B, C P): the positions of a channel side by side
        raw: Tensor = self.head(features)
        return raw


class ConvBlock(nn.Module):
    """Convolution, batch normalisation, ReLU, max-pool: (B, C, 1, P) -> (B, C', 1, P')."""

    def __init__(self, conv: nn.Conv2d, pool: int, dropout: float, pool_first: bool) -> None:
        super().__init__()
        self.conv = conv
        self.norm = nn.BatchNorm2d(conv.out_channels)
        self.pool = nn.MaxPool2d((1, pool)) if pool > 1 else nn.Identity()
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.pool_first = pool_first

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 1, P) -> (B, C', 1, P')."""
        x = self.conv(x)
        if self.pool_first:
            x = self.norm(self._higher(self.pool(x))).relu()
        else:
            x = self.pool(self.norm(self._higher(x)).relu())
        out: Tensor = self.dropout(x)
        return out

    def _higher(self, x: Tensor) -> Tensor:
        """The higher response of the two strands, where both were read: (B, 2 C', 1, P) -> (B, C', 1, P)."""
        return torch.maximum(*x.chunk(2, 1)) if isinstance(self.conv, StrandedConv) else x


class StrandedConv(nn.Conv2d):
    """A convolution of one-hot DNA whose filters are read on both strands: (B, 4, 1, P) -> (B, 2 C', 1, P').

    The response on the other strand is that of the filter's reverse complement on this one: in the base order A C G T,
    both axes turned round.
    """

    # The axes of a kernel that its counterpart on the other strand has in reverse order: bases and positions.
    turned: ClassVar[tuple[int, ...]] = (1, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Responses on this strand, then on the other."""
        assert self.bias is not None
        kernels, bias = torch.cat([self.weight, self.weight.flip(self.turned)]), torch.cat([self.bias, self.bias])
        return F.conv2d(*with_spare_channel(x, kernels), bias, padding=self.padding)


class MirroredConv(StrandedConv):
    """A convolution of features that both strands have alike, in reverse order: (B, C, 1, P) -> (B, 2 C', 1, P')."""

    turned = (3,)


class DenseBlock(nn.Sequential):
    """Linear, batch normalisation, ReLU, dropout: (B, inputs) -> (B, outputs)."""

    def __init__(self, inputs: int, outputs: int, dropout: float) -> None:
        super().__init__(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(dropout))


class Plan(NamedTuple):
    """What each block does, and to how many positions. See `Basset`."""

    filters: Sequence[int]
    widths: Sequence[int]
    pools: Sequence[int]
    padding: str

    def check(self, length: int) -> None:
        """Raises: ConfigError: no such net can be built for this length."""
        filters, widths, pools = (len(sizes) for sizes in self[:3])
        if not filters == widths == pools or not filters:
            raise ConfigError(f"{filters} filters, {widths} widths and {pools} pools: give one of each, or more")
        if min([*self.filters, *self.widths, *self.pools]) < 1:
            raise ConfigError("filters, widths and pools are numbers from 1 up")
        if self.padding not in ("valid", "same"):
            raise ConfigError(f"padding {self.padding!r} is neither valid nor same")
        shortest = 1
        for taken, pool in zip(reversed(self._taken()), reversed(self.pools), strict=True):
            shortest = shortest * pool + taken
        if length < shortest:
            raise ConfigError(f"of {length} bases these convolutions and pools leave nothing: at least {shortest}")

    def check_mirrored(self, length: int) -> None:
        """Raises: ConfigError: one end would be treated unlike the other, so the strands unlike each other."""
        for width, taken, pool in zip(self.widths, self._taken(), self.pools, strict=True):
            length -= taken
            if self.padding == "same" and width % 2 == 0:
                raise ConfigError(
                    f"rc_equivariant: the width {width} pads one end more than the other; take an odd one"
                )
            if length % pool:
                where = f"the convolution of width {width} gives {length} positions"
                raise ConfigError(f"rc_equivariant: {where}, which its pool of {pool} does not divide; change one")
            length //= pool

    def positions(self, length: int) -> int:
        """Positions that are left of a length after all blocks."""
        for taken, pool in zip(self._taken(), self.pools, strict=True):
            length = (length - taken) // pool
        return length

    def _taken(self) -> list[int]:
        """Positions that each convolution takes off."""
        return [0 if self.padding == "same" else width - 1 for width in self.widths]
