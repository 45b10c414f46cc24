"""Blocks that at least two architectures use. Shapes: B batch, C channels, P positions."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from zoo.errors import ConfigError
from zoo.nn.maxima import MaxPool

__all__ = [
    "ACTIVATIONS",
    "BATCH_NORM_EPS",
    "Conv1d",
    "Conv2d",
    "ConvBlock",
    "QuickGELU",
    "Residual",
    "checkpointed",
    "dilated_residual",
    "he_normal_",
    "pointwise",
    "with_spare_channel",
]

# Positions of a sequence that go through a block at once when no backward pass follows.
_PIECE = 4_096
# Keras' own; PyTorch's is 1e-5.
BATCH_NORM_EPS = 1e-3


class QuickGELU(nn.Module):
    """x * sigmoid(1.702 x): the approximate GELU of the published TensorFlow models."""

    def forward(self, x: Tensor) -> Tensor:
        """Activation of values of any shape."""
        return F.silu(1.702 * x) / 1.702


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"quick_gelu": QuickGELU, "gelu": nn.GELU, "relu": nn.ReLU}


def with_spare_channel(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Append a channel of zeros to the input and the weight of a convolution where bf16 needs it.

    On CPUs with AMX oneDNN's bf16 convolutions of an even number of channels up to 24 are wrong where these times the
    width is a multiple of 32, as with one-hot bases and a width of 16 or 24 (seen with torch 2.13). Those of an odd
    number are right.

    Args:
        x: input (B, C, ...).
        weight: (C', C, ...).

    Returns:
        Both, with C or C + 1 channels.
    """
    low = torch.is_autocast_enabled("cpu") or weight.dtype == torch.bfloat16
    if x.device.type != "cpu" or not low or x.shape[1] % 2 or x.shape[1] >= 32:
        return x, weight
    padding = (0, 0) * (x.ndim - 2) + (0, 1)
    return F.pad(x, padding), F.pad(weight, padding)


class Conv1d(nn.Conv1d):
    """PyTorch's convolution, correct in bf16 too: see `with_spare_channel`."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, P) -> (B, C', P')."""
        output: Tensor = self._conv_forward(*with_spare_channel(input, self.weight), self.bias)
        return output


class Conv2d(nn.Conv2d):
    """PyTorch's convolution, correct in bf16 too: see `with_spare_channel`."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, P, Q) -> (B, C', P', Q')."""
        output: Tensor = self._conv_forward(*with_spare_channel(input, self.weight), self.bias)
        return output


class ConvBlock(nn.Sequential):
    """Activation, convolution without bias, batch normalisation, dropout, max-pool: (B, C, P) -> (B, C', P').

    Args:
        channels: C and C'.
        width: positions that the convolution spans.
        stride: positions by which it moves; P' = P / stride / pool.
        dilation: positions from one tap to the next.
        pool: positions over which the maximum is taken.
        dropout: probability with which a value is set to zero in training.
        channel_dropout: drop whole channels instead of single values: stronger, and cheaper.
        momentum: momentum of batch normalisation as PyTorch counts it: 1 - Keras'.
        activation: a name in `ACTIVATIONS`.

    Raises:
        ConfigError: a width and a stride whose difference is odd.
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
        padding, remainder = divmod(dilation * (width - 1) + 1 - stride, 2)
        if remainder or padding < 0:
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
            self.pool = MaxPool(pool)
        he_normal_(self.conv.weight)
        # Positions of the input for one of the output, and those of neighbours that it depends on, in whole steps.
        self._step = stride * pool
        self._halo = -(-dilation * (width - 1) // self._step) * self._step

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, P) -> (B, C', P'). Long sequences go through in pieces when no gradient is needed: less memory."""
        length, piece = x.shape[-1], _PIECE // self._step * self._step
        # The graph of an exported file is that of the whole sequence.
        is_whole = self._needs_gradient(x) or torch.compiler.is_exporting()
        if is_whole or length <= 2 * piece or length % self._step:
            whole: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
            return whole
        output = x.new_empty(len(x), self.conv.out_channels, length // self._step)
        for start in range(0, length, piece):
            end = min(start + piece, length)
            low, high = max(start - self._halo, 0), min(end + self._halo, length)
            values: Tensor = super().forward(x[..., low:high])  # type: ignore[no-untyped-call]
            first, last = (start - low) // self._step, (end - low) // self._step
            output[..., start // self._step : end // self._step] = values[..., first:last]
        return output

    def _needs_gradient(self, x: Tensor) -> bool:
        """Whether statistics of the whole batch or a backward pass are wanted; not for a frozen block in training."""
        learns = x.requires_grad or self.conv.weight.requires_grad
        return self.training or (torch.is_grad_enabled() and learns)


class Residual(nn.Module):
    """Residual connection x + blocks(x): (B, C, P) -> (B, C, P).

    Args:
        blocks: applied one after the other.
    """

    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, P) -> (B, C, P)."""
        result: Tensor = x + self.blocks(x)
        return result


def dilated_residual(
    channels: int, filters: int, dilation: int, common: dict[str, Any], dropout: float, channel_dropout: bool
) -> Residual:
    """Build a residual block: a dilated convolution to fewer channels and a pointwise one back.

    The block begins as the identity.

    Args:
        channels: channels of its input and output.
        filters: channels of the dilated convolution.
        dilation: positions from one tap to the next.
        common: `momentum` and `activation` of both, see `ConvBlock`.
        dropout: at the end of the block.
        channel_dropout: drop whole channels instead of single values.
    """
    narrow = ConvBlock((channels, filters), 3, dilation=dilation, **common)
    back = ConvBlock((filters, channels), dropout=dropout, channel_dropout=channel_dropout, **common)
    nn.init.zeros_(back.norm.weight)
    return Residual(narrow, back)


def he_normal_(weight: Tensor) -> None:
    """Initialise a weight in place as Keras' he_normal: truncated at two standard deviations, variance 2 / fan-in."""
    fan_in = weight[0].numel()
    deviation = math.sqrt(2 / fan_in) / 0.87962566103423978  # that of a standard normal cut at two
    nn.init.trunc_normal_(weight, std=deviation, a=-2 * deviation, b=2 * deviation)


def pointwise(inputs: int, outputs: int) -> nn.Conv1d:
    """Build a dense layer at each position, initialised as Keras does: (B, C, P) -> (B, C', P).

    Args:
        inputs: C.
        outputs: C'.
    """
    layer = nn.Conv1d(inputs, outputs, 1)
    he_normal_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def checkpointed(module: nn.Module, x: Tensor) -> Tensor:
    """Apply a module and keep only its input for the backward pass, which computes the rest again.

    Batch statistics are counted once, not twice.

    Args:
        module: module of one input and one output.
        x: its input.

    Returns:
        Its output.
    """
    output: Tensor = checkpoint(module, x, use_reentrant=False, context_fn=lambda: (nullcontext(), _uncounted(module)))
    return output


@contextmanager
def _uncounted(module: nn.Module) -> Iterator[None]:
    """Keep running statistics as they are while a forward pass is repeated."""
    norms = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
