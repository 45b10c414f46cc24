"""Blocks that at least two architectures use. Shapes: B batch, C channels, P positions."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from zoo.errors import ConfigError

__all__ = [
    "ACTIVATIONS",
    "BATCH_NORM_EPS",
    "Conv1d",
    "Conv2d",
    "ConvBlock",
    "QuickGELU",
    "Residual",
    "check_numbers",
    "checkpointed",
    "conv_tower",
    "dilated_residual",
    "he_normal_",
    "pointwise",
    "with_spare_channel",
]

# Positions of a sequence that go through a block at once, when memory need not be kept for a backward pass.
_PIECE = 4_096
# Keras' own; PyTorch's is 1e-5.
BATCH_NORM_EPS = 1e-3


class QuickGELU(nn.Module):
    """x * sigmoid(1.702 x): what TensorFlow models of the field call GELU."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, unchanged."""
        return F.silu(1.702 * x) / 1.702


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"quick_gelu": QuickGELU, "gelu": nn.GELU, "relu": nn.ReLU}


class Pool(nn.Module):
    """The maximum of each `width` positions: (B, C, P) -> (B, C, P / width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x.view(*x.shape[:-1], -1, self.width).max(-1).values


def with_spare_channel(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Input (B, C, ...) and weight (C', C, ...) of a convolution, with a channel of zeros more where bf16 needs it.

    On CPUs with AMX oneDNN's bf16 convolutions of an even number of channels up to 24 are wrong where these times the
    width is a multiple of 32, as with one-hot bases and a width of 16 or 24 (seen with torch 2.13). Those of an odd
    number are right.
    """
    low = torch.is_autocast_enabled("cpu") or weight.dtype == torch.bfloat16
    if x.device.type != "cpu" or not low or x.shape[1] % 2 or x.shape[1] >= 32:
        return x, weight
    more = (0, 0) * (x.ndim - 2) + (0, 1)
    return F.pad(x, more), F.pad(weight, more)


class Conv1d(nn.Conv1d):
    """PyTorch's, right in bf16 too: see `with_spare_channel`."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, P) -> (B, C', P')."""
        found: Tensor = self._conv_forward(*with_spare_channel(input, self.weight), self.bias)
        return found


class Conv2d(nn.Conv2d):
    """PyTorch's, right in bf16 too: see `with_spare_channel`."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, P, Q) -> (B, C', P', Q')."""
        found: Tensor = self._conv_forward(*with_spare_channel(input, self.weight), self.bias)
        return found


class ConvBlock(nn.Sequential):
    """Activation, convolution without bias, batch normalisation, dropout, max-pool: (B, C, P) -> (B, C', P').

    Args:
        channels: C and C'.
        width: positions that the convolution spans.
        stride: positions by which it moves; P' = P / stride / pool.
        dilation: positions from one tap to the next.
        pool: positions pooled by their maximum.
        dropout: share of the values that is left out in training.
        channel_dropout: leave out whole channels instead: stronger, and cheaper.
        momentum: of the batch normalisation, as PyTorch counts it: 1 - Keras'.
        activation: a name in `ACTIVATIONS`.
    """

    def __init__(
        self,
        channels: tuple[int, int],
        width: int = 1,
        *,
        stride: int = 1,
        dilation: int = 1,
        pool: int = 1,
        dropout: float = 0.0,
        channel_dropout: bool = False,
        momentum: float,
        activation: str,
    ) -> None:
        padding, odd = divmod(dilation * (width - 1) + 1 - stride, 2)
        if odd or padding < 0:
            raise ConfigError(
                f"a convolution of width {width} cannot be centred on steps of {stride}: their difference must be even"
            )
        super().__init__()
        self.activation = ACTIVATIONS[activation]()
        self.conv = Conv1d(*channels, width, stride=stride, dilation=dilation, padding=padding, bias=False)
        self.norm = nn.BatchNorm1d(channels[1], eps=BATCH_NORM_EPS, momentum=momentum)
        if dropout:
            self.dropout = nn.Dropout1d(dropout) if channel_dropout else nn.Dropout(dropout)
        if pool > 1:
            self.pool = Pool(pool)
        he_normal_(self.conv.weight)
        # Positions of the input for one of the output, and those of neighbours that it depends on, in whole steps.
        self._step = stride * pool
        self._halo = -(-dilation * (width - 1) // self._step) * self._step

    def forward(self, x: Tensor) -> Tensor:
        """See the class. In use, long sequences go through in pieces, which gives the same in less memory."""
        length, piece = x.shape[-1], _PIECE // self._step * self._step
        if self.training or torch.is_grad_enabled() or length <= 2 * piece or length % self._step:
            whole: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
            return whole
        found = x.new_empty(len(x), self.conv.out_channels, length // self._step)
        for start in range(0, length, piece):
            end = min(start + piece, length)
            low, high = max(start - self._halo, 0), min(end + self._halo, length)
            here: Tensor = super().forward(x[..., low:high])  # type: ignore[no-untyped-call]
            first, last = (start - low) // self._step, (end - low) // self._step
            found[..., start // self._step : end // self._step] = here[..., first:last]
        return found


class Residual(nn.Module):
    """What the blocks make of their input, added to it: (B, C, P) -> (B, C, P)."""

    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        summed: Tensor = x + self.blocks(x)
        return summed


def check_numbers(sizes: Iterable[int], dropouts: Iterable[float], momentum: float) -> None:
    """Raises: ConfigError: a size below 1, a dropout that is no share, or a momentum that is none."""
    if min(sizes) < 1:
        raise ConfigError("filters, widths, strides, pools and dilations are numbers from 1 up")
    if not all(0 <= dropout < 1 for dropout in dropouts) or not 0 < momentum < 1:
        raise ConfigError("dropout is a share from 0 to below 1, norm_momentum lies between 0 and 1")


def conv_tower(channels: Sequence[int], width: int, pools: Sequence[int], common: dict[str, Any]) -> list[ConvBlock]:
    """Blocks from each number of channels to the next, each with its pool."""
    ends = zip(pairwise(channels), pools, strict=True)
    return [ConvBlock(pair, width, pool=pool, **common) for pair, pool in ends]


def dilated_residual(
    channels: int, filters: int, dilation: int, common: dict[str, Any], dropout: float, channel_dropout: bool
) -> Residual:
    """A dilated convolution to fewer channels and a pointwise one back, which begins at zero."""
    narrow = ConvBlock((channels, filters), 3, dilation=dilation, **common)
    back = ConvBlock((filters, channels), dropout=dropout, channel_dropout=channel_dropout, **common)
    nn.init.zeros_(back.norm.weight)
    return Residual(narrow, back)


def he_normal_(weight: Tensor) -> None:
    """Keras' he_normal: a normal distribution cut at two standard deviations, of variance 2 / fan-in, in place."""
    fan_in = weight[0].numel()
    deviation = math.sqrt(2 / fan_in) / 0.87962566103423978  # that of a standard normal cut at two
    nn.init.trunc_normal_(weight, std=deviation, a=-2 * deviation, b=2 * deviation)


def pointwise(inputs: int, outputs: int) -> nn.Conv1d:
    """A dense layer at each position: (B, C, P) -> (B, C', P), begun as Keras does."""
    layer = nn.Conv1d(inputs, outputs, 1)
    he_normal_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def checkpointed(module: nn.Module, x: Tensor) -> Tensor:
    """Apply a module and keep only its input for the backward pass, which computes the rest again.

    Batch statistics are counted once, not twice.
    """
    found: Tensor = checkpoint(module, x, use_reentrant=False, context_fn=lambda: (nullcontext(), _uncounted(module)))
    return found


@contextmanager
def _uncounted(module: nn.Module) -> Iterator[None]:
    """While a forward pass is repeated, running statistics stay as they are."""
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
