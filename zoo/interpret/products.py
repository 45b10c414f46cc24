"""Products with one matrix: on a CPU by oneDNN, which is up to three times as fast with some processors."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Product"]

# Smaller matrices take no longer otherwise.
_SMALLEST = 1 << 14
# Calls after which the matrix is kept in the layout that oneDNN reads fastest: changing it takes as long as a few.
_OFTEN = 8


class Product:
    """The function x @ weight.T + bias, (N, inputs) -> (N, outputs), in float32.

    Args:
        weight: (outputs, inputs).
        bias: (outputs,), or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.outputs, self.bias = len(weight), bias
        fits = weight.device.type == "cpu" and weight.dtype == torch.float32 and weight.numel() >= _SMALLEST
        self._by_onednn = fits and _has_onednn()
        self._weight, self._calls = weight, 0

    def __call__(self, x: Tensor) -> Tensor:
        """(N, inputs) -> (N, outputs)."""
        if not len(x):
            return x.new_empty(0, self.outputs)
        if not self._by_onednn:
            return F.linear(x, self._weight, self.bias)
        self._calls += 1
        if self._calls == _OFTEN:
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight)
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self.bias, "none", [], "")
        return y


def _has_onednn() -> bool:
    """Whether this build of torch has the operations of oneDNN that torch.compile calls."""
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    names = ("_reorder_linear_weight", "_linear_pointwise")
    return available and all(hasattr(torch.ops.mkldnn, name) for name in names)
