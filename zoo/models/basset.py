"""Basset: three convolutions, two dense layers, one output for each task (Kelley 2016, doi:10.1101/gr.200535.115).

Shapes: B batch, L input bases, M members, C channels, P positions, T targets.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.model import SequenceModel
from zoo.outputs import Labels

__all__ = ["Basset", "MirroredConv", "StrandedConv"]


class Basset(SequenceModel):
    """Convolution, batch normalisation, ReLU and max-pool, block after block; flattened; dense layers; T outputs.

    Convolutions are valid (not padded), as those of the published weights. The defaults are the published net:
    4,135,064 parameters at 600 bases and 164 targets.

    Args:
        targets: names of the T targets.
        length: bases L that the model reads, exactly.
        filters: channels of each convolution.
        widths: positions that each convolution spans.
        pools: positions over which each block's output is pooled by its maximum; 1 for none.
        hidden: units of each dense layer.
        dropout: share of the units of each dense layer that is left out in training.
        conv_dropout: share of the channels of each block that is left out in training; 0 as published.
        pool_first: pool right after the convolution, so that the batch is normalised over pooled values: half as much
            work on a CPU; not as published.
        members: number M of independent nets whose raw outputs are averaged; each is trained on its own loss. 1 as
            published.
        shared_strands: read each filter, and each unit of the first dense layer, on both strands and keep the higher
            response, so that a motif and an arrangement of motifs are learnt once and not for each orientation. What
            is predicted for a sequence and for its reverse complement is then the same. No position may be left over
            by a pool; not as published.
        centre: for measurements: the mean of each target in training (T,). The net then learns deviations from it, in
            units of `spread`.
        spread: the standard deviation of each target in training (T,).
        both_strands: predict the average over both strands; as published, only the given one is read.
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
        hidden: Sequence[int] = (1000, 1000),
        dropout: float = 0.3,
        conv_dropout: float = 0.0,
        pool_first: bool = False,
        members: int = 1,
        shared_strands: bool = False,
        centre: Sequence[float] | None = None,
        spread: Sequence[float] | None = None,
        both_strands: bool = False,
        loss: str = "binary_cross_entropy",
    ) -> None:
        super().__init__(Labels(tuple(targets)), length, loss)
        self.both_strands = both_strands
        if not len(filters) == len(widths) == len(pools):
            raise ConfigError(f"{len(filters)} filters, {len(widths)} widths and {len(pools)} pools: give one of each")
        if min([*filters, *widths, *pools, *hidden, members]) < 1:
            raise ConfigError("filters, widths, pools, hidden units and members are numbers from 1 up")
        if length < (shortest := _shortest(widths, pools)):
            raise ConfigError(
                f"of {length} bases nothing is left after these convolutions and pools: at least {shortest}"
            )
        for name, values, default in (("centre", centre, 0.0), ("spread", spread, 1.0)):
            values = [default] * len(targets) if values is None else list(values)
            if len(values) != len(targets):
                raise ConfigError(f"there are {len(values)} values of {name} for {len(targets)} targets")
            self.register_buffer(name, torch.tensor(values), persistent=False)  # the arguments hold them
        self.members = nn.ModuleList(
            BassetNet(
                length,
                len(targets),
                filters,
                widths,
                pools,
                hidden,
                dropout=dropout,
                conv_dropout=conv_dropout,
                pool_first=pool_first,
                shared_strands=shared_strands,
            )
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
        filters: Sequence[int],
        widths: Sequence[int],
        pools: Sequence[int],
        hidden: Sequence[int],
        *,
        dropout: float,
        conv_dropout: float,
        pool_first: bool,
        shared_strands: bool,
    ) -> None:
        super().__init__()
        channels = [4, *filters]
        left = _positions(length, widths, pools)
        kinds: list[type[nn.Conv2d]] = [nn.Conv2d] * len(filters)
        if shared_strands:
            kinds = [StrandedConv, *[MirroredConv] * (len(filters) - 1)]
        blocks = [
            ConvBlock(*plan, conv_dropout, pool_first)
            for plan in zip(kinds, channels[:-1], filters, widths, pools, strict=True)
        ]
        units = [channels[-1] * left, *hidden]
        if shared_strands:
            _check_mirrored(length, widths, pools)
            if not hidden and left > 1:
                raise ConfigError(f"{left} positions are left; give a hidden layer, or pool all, for shared_strands")
            if hidden:  # the first dense layer is a convolution over all positions that are left
                blocks.append(ConvBlock(MirroredConv, channels[-1], hidden[0], left, 1, dropout, pool_first))
                units = [*hidden]
        self.trunk = nn.Sequential(*blocks)
        dense = [DenseBlock(*plan, dropout=dropout) for plan in pairwise(units)]
        self.head = nn.Sequential(*dense, nn.Linear(units[-1], outputs))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 4, 1, L) -> raw (B, T)."""
        features = self.trunk(image).flatten(1)  # (B, C P): the positions of a channel side by side
        raw: Tensor = self.head(features)
        return raw


class ConvBlock(nn.Module):
    """Valid convolution, batch normalisation, ReLU, max-pool: (B, C, 1, P) -> (B, C', 1, P')."""

    def __init__(
        self,
        convolution: type[nn.Conv2d],
        inputs: int,
        outputs: int,
        width: int,
        pool: int,
        dropout: float,
        pool_first: bool,
    ) -> None:
        super().__init__()
        self.conv = convolution(inputs, outputs, (1, width))
        self.norm = nn.BatchNorm2d(outputs)
        self.pool = nn.MaxPool2d((1, pool)) if pool > 1 else nn.Identity()
        self.dropout = nn.Dropout2d(dropout) if dropout else nn.Identity()
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
        kernels = torch.cat([self.weight, self.weight.flip(self.turned)])
        assert self.bias is not None
        return F.conv2d(x, kernels, torch.cat([self.bias, self.bias]))


class MirroredConv(StrandedConv):
    """A convolution of features that both strands have alike, in reverse order: (B, C, 1, P) -> (B, 2 C', 1, P')."""

    turned = (3,)


class DenseBlock(nn.Sequential):
    """Linear, batch normalisation, ReLU, dropout: (B, inputs) -> (B, outputs)."""

    def __init__(self, inputs: int, outputs: int, dropout: float) -> None:
        super().__init__(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(dropout))


def _check_mirrored(length: int, widths: Sequence[int], pools: Sequence[int]) -> None:
    """A pool that leaves positions over would leave others over on the other strand."""
    for width, pool in zip(widths, pools, strict=True):
        length = length - width + 1
        if length % pool:
            where = f"the convolution of width {width} gives {length} positions"
            raise ConfigError(f"shared_strands: {where}, which its pool of {pool} does not divide; change one of them")
        length //= pool


def _positions(length: int, widths: Sequence[int], pools: Sequence[int]) -> int:
    """Positions that are left of a length after all blocks."""
    for width, pool in zip(widths, pools, strict=True):
        length = (length - width + 1) // pool
    return length


def _shortest(widths: Sequence[int], pools: Sequence[int]) -> int:
    """The shortest length of which one position is left."""
    length = 1
    for width, pool in zip(reversed(widths), reversed(pools), strict=True):
        length = length * pool + width - 1
    return length
