"""Build a model, and let it predict, on PyTorch's meta device: shapes are computed, no memory is taken.

So what a checkpoint would take is known, and refused if out of proportion, before anything of that size exists.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
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
_FREE_MODULES, _MODULES_PER_TENSOR = 1_000, 10
_FREE_BYTES, _TIMES_STORED = 64 << 20, 32
# Predicting an example: the largest tensor, all tensors together, operations, and multiplications and additions, which
# take a few minutes on two cores.
_MOST_BYTES, _MOST_TOTAL, _MOST_STEPS, _MOST_FLOPS = 1 << 30, 1 << 38, 200_000, 2 * 10**13


@contextmanager
def _limited(modules: int, size: int) -> Iterator[None]:
    """Stop the building of a model that registers more modules, parameters and buffers than granted.

    Args:
        modules: how many of them, at most.
        size: bytes of parameters and buffers, at most.

    Raises:
        IntegrityError: there are more.
    """
    thread, used = threading.get_ident(), [0, 0]

    def count(_: nn.Module, __: str, registered: object) -> None:
        if threading.get_ident() != thread:  # the hooks are those of all threads
            return
        used[0] += 1
        used[1] += registered.numel() * registered.itemsize if isinstance(registered, Tensor) else 0
        if used[0] > modules:
            raise IntegrityError("the model would have far more layers than tensors are stored")
        if used[1] > size:
            raise IntegrityError(f"the model would take more than {size:,} bytes of memory, far more than are stored")

    hooks = [
        register(count)
        for register in (
            *(register_module_module_registration_hook, register_module_parameter_registration_hook),
            register_module_buffer_registration_hook,
        )
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Limits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what the operations of a prediction do, and stops at the limits."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most = {
            "operations": _MOST_STEPS,
            "bytes of memory": _MOST_TOTAL,
            "multiplications and additions": _MOST_FLOPS,
        }
        self.used = dict.fromkeys(self.most, 0)

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operation, and count it."""
        result = operation(*args, **(kwargs or {}))
        size = 0
        if all(returned.alias_info is None for returned in operation._schema.returns):  # neither a view nor in place
            size = sum(leaf.numel() * leaf.itemsize for leaf in tree_leaves(result) if isinstance(leaf, Tensor))
        count = flop_registry.get(operation.overloadpacket)
        flops = count(*args, **(kwargs or {}), out_val=result) if count else 0
        if size > _MOST_BYTES:
            raise IntegrityError(f"the prediction would take a tensor of {size:,} bytes, beyond {_MOST_BYTES:,}")
        for unit, number in zip(self.most, (1, size, flops), strict=True):
            self.used[unit] += number
            if self.used[unit] > self.most[unit]:
                raise IntegrityError(f"the prediction would take more than {self.most[unit]:,} {unit}")
        return result


def build_on_meta(
    architecture: type[SequenceModel], arguments: dict[str, Any], weights: dict[str, TensorForm], stored: int
) -> SequenceModel:
    """Build a model without memory.

    Args:
        architecture: its class.
        arguments: arguments of its constructor, as `config.json` holds them.
        weights: the tensors that are stored: the net cannot have more, nor a size larger than all their values.
        stored: bytes of weights and example: what is built can only take a few times as much.

    Returns:
        A model of the right shapes, on the meta device.

    Raises:
        IntegrityError: the net would be out of proportion to its files.
        ConfigError: an argument that does not exist, of a wrong type or value.
    """
    check_arguments(architecture, arguments)
    most = max(arguments["length"], sum(math.prod(form.shape) for form in weights.values()))
    for name, value in arguments.items():
        if (largest := _largest_whole(value)) > most:
            raise IntegrityError(f"{name} holds the number {largest:,}, beyond the {most:,} values that are stored")
    granted = _FREE_MODULES + _MODULES_PER_TENSOR * len(weights), _FREE_BYTES + _TIMES_STORED * stored
    with _limited(*granted), torch.device("meta"):
        return architecture(**arguments)


def _largest_whole(value: Any) -> int:
    """The largest whole number in an argument, without its sign; 0 where there is none."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return max(map(_largest_whole, value), default=0)
    return abs(value) if isinstance(value, int) else 0


def check_work(model: SequenceModel, example: dict[str, tuple[int, ...]]) -> None:
    """Let a model predict without memory, and refuse what would take very long or very much of it.

    Args:
        model: on the meta device.
        example: shapes of the arguments of `predict`: `codes`, and `inputs` where the model reads some.

    Raises:
        IntegrityError: it would.
    """
    shapes = {name: torch.empty(shape, device="meta") for name, shape in example.items()}
    shapes["codes"] = shapes["codes"].to(torch.uint8)
    # Not inference_mode, in which some operations do not say of which others they consist.
    with torch.device("meta"), torch.no_grad(), _Limits():
        model.to("meta").predict(**shapes)
