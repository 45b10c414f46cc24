"""Build a model, and let it predict, on PyTorch's meta device: shapes are computed, no memory is taken.

So what a checkpoint would take is known, and refused if out of proportion, before anything of that size exists.
"""

from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from zoo.errors import IntegrityError
from zoo.hub.weights import TensorForm
from zoo.models._base import SequenceModel
from zoo.nn.configs import check_arguments

__all__ = ["build_on_meta", "check_work"]

# Building: what is always granted, and what on top for each tensor and byte that is stored. Weights and their running
# statistics take their bytes once; the pixels of a contact map are kept as whole numbers, in the metrics too.
_FREE_CALLS, _CALLS_PER_TENSOR = 10_000, 100
_FREE_BYTES, _TIMES_STORED = 64 << 20, 32
_LARGEST_NUMBER = (1 << 31) - 1  # among the arguments: sizes, strides, dilations, seeds
# Predicting an example: operations, multiplications and additions, which take a few minutes on two cores.
_MOST_STEPS, _MOST_FLOPS = 50_000, 2 * 10**13
# Bytes of memory at once: what is always granted, and what on top for each byte that is stored; and for each base
# between 1 and 4 Mb of a sequence, as long as those of contact maps can be.
_MOST_BYTES, _BYTES_PER_STORED = 1 << 30, 16
_BYTES_PER_BASE, _SHORT, _LONGEST = 1 << 10, 1 << 20, 4 << 20


class _Building(TorchFunctionMode):
    """Counts what the building of a model calls and makes, and stops at the limits.

    Args:
        calls: calls of functions of torch; each layer takes a few.
        size: bytes of all tensors.
    """

    def __init__(self, calls: int, size: int) -> None:
        super().__init__()
        self.calls, self.size = calls, size
        self.calls_so_far = self.bytes_so_far = 0

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call one function, and count it."""
        result = function(*args, **(kwargs or {}))
        self.calls_so_far += 1
        if isinstance(result, Tensor) and not (args and args[0] is result):
            self.bytes_so_far += result.numel() * result.itemsize
        if self.calls_so_far > self.calls:
            raise IntegrityError("the model would have far more layers than tensors are stored")
        if self.bytes_so_far > self.size:
            raise IntegrityError(
                f"the model would take more than {self.size:,} bytes of memory, far more than are stored"
            )
        return result


class _Limits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what the operations of a prediction do, and stops at the limits.

    Args:
        size: bytes of memory at once.
    """

    def __init__(self, size: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.size, self.flops, self.steps = size, 0, 0
        self.held: list[tuple[StorageWeakRef, int]] = []
        self.bytes = 0  # of what is held, and of what is not used any more since the last look

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operation, and count it."""
        result = operation(*args, **(kwargs or {}))
        if all(returned.alias_info is None for returned in operation._schema.returns):  # neither a view nor in place
            self._hold([leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)])
        count = flop_registry.get(operation.overloadpacket)
        self.flops += count(*args, **(kwargs or {}), out_val=result) if count else 0
        self.steps += 1
        for number, most, unit in (
            (self.steps, _MOST_STEPS, "operations"),
            (self.flops, _MOST_FLOPS, "multiplications and additions"),
        ):
            if number > most:
                raise IntegrityError(f"the prediction would take more than {most:,} {unit}")
        return result

    def _hold(self, tensors: list[Tensor]) -> None:
        """Count new tensors as long as somebody uses them."""
        for tensor in tensors:
            size = tensor.numel() * tensor.itemsize
            self.held.append((StorageWeakRef(tensor.untyped_storage()), size))  # type: ignore[no-untyped-call]
            self.bytes += size
        if self.bytes > self.size:
            self.held = [(storage, size) for storage, size in self.held if not storage.expired()]  # type: ignore[no-untyped-call]
            self.bytes = sum(size for _, size in self.held)
        if self.bytes > self.size:
            raise IntegrityError(f"the prediction would take more than {self.size:,} bytes of memory")


def build_on_meta(
    architecture: type[SequenceModel], arguments: dict[str, Any], weights: dict[str, TensorForm], stored: int
) -> SequenceModel:
    """Build a model without memory.

    Args:
        architecture: its class.
        arguments: arguments of its constructor, as `config.json` holds them.
        weights: the tensors that are stored: the net cannot have many more.
        stored: bytes of weights and example: what is built can only take a few times as much.

    Returns:
        A model of the right shapes, on the meta device.

    Raises:
        IntegrityError: the net would be out of proportion to its files.
        ConfigError: an argument that does not exist, of a wrong type or value.
    """
    check_arguments(architecture, arguments)
    for name, value in arguments.items():
        if (largest := _largest_whole(value)) > _LARGEST_NUMBER:
            raise IntegrityError(f"{name} holds the number {largest:,}, beyond the largest of {_LARGEST_NUMBER:,}")
    granted = _FREE_CALLS + _CALLS_PER_TENSOR * len(weights), _FREE_BYTES + _TIMES_STORED * stored
    with torch.device("meta"), _Building(*granted):
        return architecture(**arguments)


def _largest_whole(value: Any) -> int:
    """The largest whole number in an argument, without its sign; 0 where there is none."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return max(map(_largest_whole, value), default=0)
    return abs(value) if isinstance(value, int) else 0


def check_work(model: SequenceModel, example: dict[str, tuple[int, ...]], stored: int) -> None:
    """Let a model predict without memory, and refuse what would take very long or very much of it.

    Args:
        model: on the meta device.
        example: shapes of the arguments of `predict`: `codes`, and `inputs` where the model reads some.
        stored: bytes of weights and example: large files may take more memory.

    Raises:
        IntegrityError: it would.
    """
    shapes = {name: torch.empty(shape, device="meta") for name, shape in example.items()}
    shapes["codes"] = shapes["codes"].to(torch.uint8)
    beyond = max(0, min(example["codes"][1], _LONGEST) - _SHORT)
    granted = _MOST_BYTES + _BYTES_PER_BASE * beyond + _BYTES_PER_STORED * stored
    # Not inference_mode, in which some operations do not say of which others they consist.
    with torch.device("meta"), torch.no_grad(), _Limits(granted):
        model.to("meta").predict(**shapes)
