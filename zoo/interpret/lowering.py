"""From a net to layers that compute mutants.

Types of modules are compared exactly: a class derived from a known one, or a layer with adapters, may compute something
else. A net of which a module before its first dense layer or pool of all positions is not known is computed in full,
and so is one with forward hooks.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from zoo.interpret.endings import Dense, Ending, PoolAll, Whole
from zoo.interpret.known import layers_of, tuned
from zoo.interpret.operations import Layer
from zoo.interpret.products import Product
from zoo.nn.steps import Flatten, InFull, PoolPositions, Step, inner_steps

__all__ = ["Net", "lower"]


class Net(NamedTuple):
    """A trunk and a head as layers.

    Attributes:
        layers: layers from positions to positions.
        ending: the first that reads all positions, and everything behind it.
    """

    layers: list[Layer]
    ending: Ending


def lower(trunk: nn.Module, head: nn.Module) -> Net | None:
    """Write a trunk and a head as layers; None where they have to be computed in full."""
    modules = [*trunk.modules(), *head.modules()]
    if any(module._forward_hooks or module._forward_pre_hooks for module in modules):
        return None
    layers: list[Layer] = []
    steps: list[Step] = [trunk, head]
    while steps:
        step, *steps = steps
        if isinstance(step, Flatten | PoolPositions | InFull):
            return Net(tuned(layers), _ending(step, steps))
        if isinstance(step, nn.Module) and (inner := inner_steps(step)) is not None:
            steps = [*inner, *steps]
        elif (known := layers_of(step)) is not None:
            layers += known
        elif any(later is head for later in steps):
            return None
        else:
            return Net(tuned(layers), _ending(InFull(_without_tracks([step, *steps])), []))
    return Net(tuned(layers), Whole(lambda x, tracks: x))


def _ending(step: Flatten | PoolPositions | InFull, rest: Sequence[Step]) -> Ending:
    """The layer that reads all positions, with what follows."""
    after = _in_order(rest)
    if isinstance(step, PoolPositions):
        return PoolAll(step.kinds, lambda pooled: after(step.function(pooled)))
    if isinstance(step, InFull):
        return Whole(lambda x, tracks: after(step.function(x, tracks)))
    first, *rest = rest
    while isinstance(first, nn.Module) and (inner := inner_steps(first)):
        first, *rest = [*inner, *rest]
    if type(first) is nn.Linear:
        weight, bias = _parameters(first)
        return Dense(weight, bias, step.order == "channels", step.tracks, _in_order(rest))
    assert not step.tracks
    by_positions = step.order == "positions"
    return Whole(lambda x, tracks: after((x.transpose(1, 2) if by_positions else x).flatten(1)))


def _without_tracks(steps: Sequence[Step]) -> Callable[[Tensor, Tensor | None], Tensor]:
    after = _in_order(steps)
    return lambda x, tracks: after(x)


def _in_order(steps: Sequence[Step]) -> Callable[[Tensor], Tensor]:
    """Modules one after the other."""

    functions = _functions(steps)

    def call(x: Tensor) -> Tensor:
        """Apply all."""
        for function in functions:
            x = function(x)
        return x

    return call


def _functions(steps: Sequence[Step]) -> list[Callable[[Tensor], Tensor]]:
    """Modules as functions."""
    functions: list[Callable[[Tensor], Tensor]] = []
    pending = list(steps)
    while pending:
        step, *pending = pending
        assert isinstance(step, nn.Module)
        if (inner := inner_steps(step)) is not None:
            pending = [*inner, *pending]
        else:
            functions.append(Product(*_parameters(step)) if type(step) is nn.Linear else step)
    return functions


def _parameters(linear: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of a dense layer."""
    weight = linear.weight.detach()
    return weight, weight.new_zeros(len(weight)) if linear.bias is None else linear.bias.detach()
