"""The steps of a net along a sequence: what must be computed again when a few bases change.

A net whose layers work position by position, up to a first dense layer or a pool of all positions, says so by a method
`steps`; `zoo.interpret` then computes the positions that a changed base reaches, and no others. Shapes: B batch, C
channels, P positions, I input tracks.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

__all__ = [
    "AddTracks",
    "AppendTracks",
    "Crop",
    "Filters",
    "Flatten",
    "HasSteps",
    "InFull",
    "Pool",
    "PoolPositions",
    "Step",
    "inner_steps",
]


# How all positions become one.
Pool = Literal["max", "mean"]


class AppendTracks(NamedTuple):
    """Append the input tracks as further channels: (B, C, P) -> (B, C + I, P).

    Attributes:
        size: bases per value; each is repeated.
    """

    size: int


class AddTracks(NamedTuple):
    """Add what a module computes of the input tracks: x + module(inputs)."""

    module: nn.Module


class Crop(NamedTuple):
    """Leave out positions at both ends."""

    positions: int


class Filters(NamedTuple):
    """A convolution that is no module of its own, padded with a value for each channel.

    Attributes:
        weight: (C', C, width).
        bias: (C',).
        padding: positions on each side.
        fill: values there (C,).
    """

    weight: Tensor
    bias: Tensor
    padding: int
    fill: Tensor


class PoolPositions(NamedTuple):
    """Pool all positions: (B, C, P) -> (B, C, one value for each kind), then a function of these.

    Attributes:
        kinds: pools.
        function: their values (B, C, kinds) -> features.
    """

    kinds: tuple[Pool, ...]
    function: Callable[[Tensor], Tensor]


class Flatten(NamedTuple):
    """Flatten channels and positions (B, C, P) for a dense layer, and append flattened tracks.

    Attributes:
        order: whether `channels` or `positions` come first, the slower axis.
        tracks: append the input tracks (B, I P').
    """

    order: Literal["channels", "positions"]
    tracks: bool = False


class InFull(NamedTuple):
    """A function of all positions, which has no shortcut: it is computed in full.

    Attributes:
        function: (B, C, P), and the input tracks or None -> any shape.
    """

    function: Callable[[Tensor, Tensor | None], Tensor]


Step = nn.Module | AppendTracks | AddTracks | Crop | Filters | PoolPositions | Flatten | InFull


@runtime_checkable
class HasSteps(Protocol):
    """A module that knows its steps, because they are not simply its children in order."""

    def steps(self) -> Sequence[Step]:
        """List the steps from input to output; modules among them read (B, C, P)."""
        ...


def inner_steps(module: nn.Module) -> list[Step] | None:
    """List the steps inside a module: its own, or the children of a `Sequential`; None where it is a step itself."""
    kind = type(module)
    if isinstance(module, HasSteps) and _describes_forward(kind):
        return list(module.steps())
    return list(module.children()) if kind.forward is nn.Sequential.forward else None


def _describes_forward(kind: type[nn.Module]) -> bool:
    """Whether the class that defines `forward`, or one derived from it, defines `steps`: else they are not of it."""
    first = next(parent for parent in kind.__mro__ if "forward" in vars(parent) or "steps" in vars(parent))
    return "steps" in vars(first)
