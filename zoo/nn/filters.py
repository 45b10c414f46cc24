"""The first layer of a net as a bank of filters over bases: what each responds to, and the net without one of them.

Shapes: B batch, L bases, I input tracks, K filters, m their width, P = L - m + 1 positions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["FilterBank", "HasFilterBank", "normed"]


class FilterBank(NamedTuple):
    """Filters of the first layer, and where their rectified responses leave it.

    Attributes:
        weight: (K, 4 + I, m), with the scale of a batch normalisation in it.
        bias: (K,), likewise.
        activations: the modules whose outputs are the rectified responses, channels on axis 1.
        channels: for each filter its channels there: one, or one for each strand.
    """

    weight: Tensor
    bias: Tensor
    activations: tuple[nn.Module, ...]
    channels: tuple[tuple[int, ...], ...]

    def responses(self, onehot: Tensor, filters: Tensor) -> Tensor:
        """Responses of some filters (B, K', P) to one-hot (B, 4, L) on its given strand, before they are rectified."""
        return F.conv1d(onehot, self.weight[filters, :4], self.bias[filters])

    @contextmanager
    def silenced(self, index: int) -> Iterator[None]:
        """Set the responses of one filter to 0, on both strands where it reads both, while the block runs."""

        def silence(module: nn.Module, arguments: Any, output: Tensor) -> Tensor:
            """The responses (B, C, P) with those of the filter at 0."""
            output = output.clone()
            output[:, list(self.channels[index])] = 0
            return output

        handles = [module.register_forward_hook(silence) for module in self.activations]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


@runtime_checkable
class HasFilterBank(Protocol):
    """A trunk whose first layer is a convolution of filters over bases, rectified."""

    def filter_bank(self) -> FilterBank:
        """The filters; of an ensemble in one trunk, those of its first member."""
        ...


def normed(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight (K, C, m) and bias (K,) of a convolution (1, m) and the batch normalisation behind it, in evaluation."""
    assert conv.bias is not None and norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return conv.weight.squeeze(2) * scale[:, None, None], (conv.bias - norm.running_mean) * scale + norm.bias
