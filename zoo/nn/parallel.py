"""Arithmetic of a model that several processes train: what one process would compute of all their batches together."""

from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from zoo.nn.losses import LossSum

__all__ = ["broadcast_buffers", "mean_over_processes", "share_batch_norms"]


def _processes() -> int:
    """Number of processes that train together."""
    is_one = not torch.distributed.is_available() or not torch.distributed.is_initialized()
    return 1 if is_one else torch.distributed.get_world_size()


def mean_over_processes(loss: LossSum) -> Tensor:
    """Loss (scalar) whose gradient, averaged over processes, is that of the mean loss over the values of all of them.

    Args:
        loss: the loss of this process's batch.
    """
    processes = _processes()
    if processes == 1:
        return loss.mean()
    weight = loss.weight.detach().to(loss.total.dtype, copy=True)
    torch.distributed.all_reduce(weight)
    return LossSum(processes * loss.total, weight).mean()


def broadcast_buffers(module: nn.Module) -> None:
    """Give the buffers of the first process, such as the statistics of batch norms, to all."""
    if _processes() > 1:
        for buffer in module.buffers():
            torch.distributed.broadcast(buffer, 0)


class _SumOverProcesses(torch.autograd.Function):
    """Sum of a tensor over processes, each of which needs it for its own loss."""

    @staticmethod
    def forward(context: Any, value: Tensor) -> Tensor:
        """Sum the values."""
        total = value.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        """Sum the gradients, for each process's value changes the losses of all."""
        total = gradient.clone()
        torch.distributed.all_reduce(total)
        return total


class _Shared(_BatchNorm):
    """Batch norm over the batches of all processes, on any device; torch's `SyncBatchNorm` takes GPUs only."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalize (B, C, ...); in evaluation, and with one process, as the layer that it replaces."""
        if not self.training or _processes() == 1:
            return super().forward(input)
        values = input.float()
        axes = [axis for axis in range(values.ndim) if axis != 1]
        size = values.new_tensor([values.numel() / values.shape[1]])
        sums: Tensor = _SumOverProcesses.apply(torch.cat([values.sum(axes), size]))  # type: ignore[no-untyped-call]
        mean, count = sums[:-1] / sums[-1], sums[-1]
        shape = [1, -1, *[1] * (values.ndim - 2)]  # of what each channel has
        centred = values - mean.view(shape)
        variance: Tensor = _SumOverProcesses.apply((centred * centred).sum(axes)) / count  # type: ignore[no-untyped-call]
        self._track(mean.detach(), variance.detach() * count / (count - 1).clamp(min=1))
        result = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            result = result * self.weight.view(shape) + self.bias.view(shape)
        return result.to(input.dtype)

    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics (C,)."""
        if self.running_mean is None or self.running_var is None:
            return
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked or 1) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)


class _Shared1d(_Shared, nn.BatchNorm1d): ...


class _Shared2d(_Shared, nn.BatchNorm2d): ...


_SHARED = {nn.BatchNorm1d: _Shared1d, nn.BatchNorm2d: _Shared2d}


def share_batch_norms(module: nn.Module, shared: bool = True) -> None:
    """Let the batch norms in a module normalize over the batches of all processes, or each over its own again.

    Args:
        module: changed in place; its tensors stay the same.
        shared: False for batch norms of one process.
    """
    pairs = _SHARED.items() if shared else ((new, old) for old, new in _SHARED.items())
    classes: dict[type[nn.Module], type[nn.Module]] = dict(pairs)
    for layer in module.modules():
        if type(layer) in classes:
            layer.__class__ = classes[type(layer)]
