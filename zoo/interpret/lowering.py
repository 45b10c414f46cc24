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
        return _dense(step, first, _in_order(rest))
    assert not step.tracks
    by_positions = step.order == "positions"
    return Whole(lambda x, tracks: after((x.transpose(1, 2) if by_positions else x).flatten(1)))


def _dense(flatten: Flatten, linear: nn.Linear, rest: Callable[[Tensor], Tensor]) -> Dense:
    """A dense layer of all positions; how many there are is known when it reads some."""
    tracks = flatten.tracks
    return Dense(linear.weight.detach(), linear.bias.detach(), flatten.order == "channels", tracks, rest)


def _without_tracks(steps: Sequence[Step]) -> Callable[[Tensor, Tensor | None], Tensor]:
    after = _in_order(steps)
    return lambda x, tracks: after(x)


def _in_order(steps: Sequence[Step]) -> Callable[[Tensor], Tensor]:
    """Modules one after the other."""

    def call(x: Tensor) -> Tensor:
        """Apply all."""
        for module in steps:
            assert isinstance(module, nn.Module)
            x = module(x)
        return x

    return call
