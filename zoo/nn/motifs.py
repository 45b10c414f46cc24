"""The trunk of DeepBind: motif filters, pooled over the sequence.

Shapes: B batch, L bases, I input tracks, M ensemble members, K filters of each, m their width, P = L + m - 1 positions,
S strands, F pooled features of a member.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.errors import ConfigError
from zoo.nn.configs import check_dropout, check_positive
from zoo.nn.filters import FilterBank
from zoo.nn.inputs import as_channels
from zoo.nn.layers import with_spare_channel
from zoo.nn.maxima import Highest, PartialMaxPool
from zoo.nn.steps import AppendTracks, Filters, InFull, Pool, PoolPositions, Step

__all__ = ["MotifConfig", "MotifTrunk", "Pooling", "Strands"]

Pooling = Literal["max", "max_mean", "positions"]
Strands = Literal["forward", "best_score", "best_filter"]


@dataclass(frozen=True)
class MotifConfig:
    """Sizes of motif filters; the defaults are those of the published ChIP-seq models (Alipanahi 2015).

    Args:
        filters: number K of motif filters.
        width_bases: bases m of a filter.
        pool_bases: bases over which the maximum of a filter's scores is taken first; 1 as published.
        pooling: which of those, rectified, become features: the highest (`max`), the highest and the mean
            (`max_mean`), both as published, or all of them in order (`positions`), for sequences that are aligned and
            read on one strand.
        strands: `forward` reads one strand (RNA, oriented promoters); `best_score` scores both and takes the higher
            score, as published; `best_filter` takes each pooled feature from the strand where it is higher.
        dropout: probability with which a filter is dropped in training.
    """

    filters: int = 16
    width_bases: int = 24
    pool_bases: int = 1
    pooling: Pooling = "max"
    strands: Strands = "best_score"
    dropout: float = 0.0

    def check(self) -> None:
        """Check sizes before anything is built.

        Raises:
            ConfigError: sizes or words of which no net can be built.
        """
        check_positive({f"motifs.{name}": getattr(self, name) for name in ("filters", "width_bases", "pool_bases")})
        check_dropout({"motifs.dropout": self.dropout})
        for name, value, choices in (
            ("pooling", self.pooling, get_args(Pooling)),
            ("strands", self.strands, get_args(Strands)),
        ):
            if value not in choices:
                raise ConfigError(f"motifs.{name} must be one of {', '.join(choices)}, not {value!r}")
        if self.pooling == "positions" and self.strands != "forward":
            raise ConfigError("motifs.pooling positions is for sequences of one strand: set motifs.strands to forward")

    def features(self, length: int) -> int:
        """Count the pooled features F of a sequence of `length` bases."""
        positions = -(-(length + self.width_bases - 1) // self.pool_bases)
        return self.filters * {"max": 1, "max_mean": 2, "positions": positions}[self.pooling]


class MotifTrunk(nn.Module):
    """One-hot sequence (B, 4, L) -> pooled features of each strand and ensemble member (B, S, M, F).

    The sequence is padded with width - 1 unknown bases on both sides, so that a motif may extend over an end. The
    filters of all members are one convolution. S is 2 for `best_score`, 1 otherwise.

    Args:
        config: the sizes; checked.
        length: bases L.
        members: ensemble members M.
        inputs: further tracks, read as channels of the convolution; 0 past the ends.
        unknown_base: value of the four channels at an unknown base.
    """

    def __init__(self, config: MotifConfig, length: int, members: int, inputs: InputSpec, unknown_base: float) -> None:
        super().__init__()
        self.width, self.pooling = config.width_bases, config.pooling
        self.members, self.feature_count = members, config.features(length)
        self.input_size, self.unknown_base = inputs.size, unknown_base
        channels = 4 + len(inputs.names)
        self.filters = nn.Parameter(torch.empty(members * config.filters, channels, config.width_bases))
        self.biases = nn.Parameter(torch.zeros(members * config.filters))
        nn.init.kaiming_uniform_(self.filters, a=5**0.5)  # PyTorch's own rule for convolutions
        self.both_strands = config.strands != "forward"
        tracks = inputs.strand_pairs or range(len(inputs.names))
        self._partners = [4 + partner for partner in tracks]
        self.pool = PartialMaxPool(config.pool_bases) if config.pool_bases > 1 else nn.Identity()
        self.dropout = nn.Dropout2d(config.dropout) if config.dropout else nn.Identity()
        self.highest = Highest(2, shared=False)
        # A module for each use: hooks tell them apart.
        self.activation, self.mean_activation = nn.ReLU(), nn.ReLU()
        self.best_filter = Highest(1, keep=True) if config.strands == "best_filter" else nn.Identity()

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """One-hot (B, 4, L), and inputs (B, I, L / size) -> (B, S, M, F)."""
        weight, bias = self._of_strands()
        margin = (self.width - 1, self.width - 1)
        padded = F.pad(onehot, margin, value=self.unknown_base)  # (B, 4, P + m - 1)
        if inputs is not None:
            tracks = as_channels(onehot, inputs, self.input_size)[:, 4:]
            padded = torch.cat([padded, F.pad(tracks, margin)], 1)
        padded, weight = with_spare_channel(padded, weight)
        # As an image of one row, channels last: a third faster than conv1d on a CPU, the same numbers.
        image, kernels = (t.unsqueeze(2).to(memory_format=torch.channels_last) for t in (padded, weight))
        scores = self.pool(F.conv2d(image, kernels, bias))  # (B, S M K, 1, P)
        scores = self.dropout(scores).squeeze(2)  # (B, S M K, P)
        return self._features(self._pooled(scores))

    def _pooled(self, scores: Tensor) -> Tensor:
        """Scores (B, S M K, P) -> rectified features (B, S M K, ...)."""
        if self.pooling == "positions":
            return torch.as_tensor(self.activation(scores))
        highest: Tensor = self.activation(self.highest(scores))  # (B, S M K)
        if self.pooling == "max":
            return highest
        return torch.stack([highest, self.mean_activation(scores).mean(2)], 2)  # (B, S M K, 2)

    def steps(self) -> list[Step]:
        """List the convolution of both strands, and the pools."""
        weight, bias = self._of_strands()
        fill = torch.zeros(weight.shape[1], device=weight.device)
        fill[:4] = self.unknown_base
        tracks = [AppendTracks(self.input_size)] if self._partners else []
        scores = [*tracks, Filters(weight, bias, self.width - 1, fill), self.pool, self.activation]
        if self.pooling == "positions":
            return [*scores, InFull(lambda x, tracks: self._features(x))]
        kinds: tuple[Pool, ...] = ("max",) if self.pooling == "max" else ("max", "mean")
        return [*scores, PoolPositions(kinds, self._features)]

    def _features(self, pooled: Tensor) -> Tensor:
        """Rectified features of all filters (B, S M K, ...) -> (B, S, M, F)."""
        features: Tensor = self.best_filter(pooled.reshape(pooled.shape[0], -1, self.members, self.feature_count))
        return features

    def _of_strands(self) -> tuple[Tensor, Tensor]:
        """Filters (S M K, 4 + I, m) and biases (S M K,) of each strand that is read.

        A filter's score on the other strand equals the score of its reverse complement on this strand.
        """
        if not self.both_strands:
            return self.filters, self.biases
        other = self.filters[:, :4].flip(1, 2)
        if self._partners:
            other = torch.cat([other, self.filters[:, self._partners].flip(2)], 1)
        return torch.cat([self.filters, other]), torch.cat([self.biases, self.biases])

    def filter_bank(self) -> FilterBank:
        """The motif filters of the first member."""
        every = len(self.filters)
        count = every // self.members
        strands = range(2 if self.both_strands else 1)
        channels = tuple(tuple(strand * every + index for strand in strands) for index in range(count))
        activations = (self.activation, self.mean_activation)
        return FilterBank(self.filters[:count], self.biases[:count], activations, channels)
