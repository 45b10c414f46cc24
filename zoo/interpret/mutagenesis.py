"""Saturation mutagenesis of one sequence: substitutions, deletions, and tiles that are replaced.

Shapes: L bases, P positions that are mutated, K tiles, W bases of a tile, M mutants, T targets.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import UNKNOWN, Codes
from zoo.interpret.effects import Effects, Summary
from zoo.interpret.predictor import MutantPredictor, Predicted
from zoo.models._base import SequenceModel

__all__ = ["Fill", "MutantKinds", "SequenceMutants", "mutate"]

Fill = Literal["N", "shuffle"]


@dataclass(frozen=True)
class MutantKinds:
    """Which mutants are predicted; substitutions always are.

    Args:
        deletions: also deletions of one base. The bases left of it stay; those right of it move left by one, and the
            last position is filled with the base that follows in the genome, or with N where none is known.
        tile: also tiles of so many bases, one after the other, that are replaced; the last one may be shorter.
        fill: what they are replaced by: `N`, or `shuffle`, their own bases in random order.
        shuffles: orders over which the effect of a shuffled tile is averaged.
        seed: seed of the orders.
        span: positions [first, last) that are mutated, counted from the beginning of a sequence; None for all.

    Raises:
        ConfigError: a tile or a number of orders below 1, an unknown fill, or a span without a position.
    """

    deletions: bool = False
    tile: int | None = None
    fill: Fill = "N"
    shuffles: int = 10
    seed: int = 1
    span: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.tile is not None and self.tile < 1:
            raise ConfigError(f"a tile has 1 base or more, not {self.tile}")
        if self.fill not in get_args(Fill):
            raise ConfigError(f"tiles are filled with N or shuffle, not {self.fill!r}")
        if self.shuffles < 1:
            raise ConfigError(f"a tile is shuffled once or more often, not {self.shuffles} times")
        if self.span is not None and not 0 <= self.span[0] < self.span[1]:
            raise ConfigError(f"a span of positions is FIRST-LAST, of one or more, not {self.span[0]}-{self.span[1]}")

    def check(self, model: SequenceModel) -> None:
        """Check that a model has such mutants.

        Raises:
            ConfigError: deletions of a model that reads tracks, whose values belong to positions.
        """
        if self.deletions and model.inputs.names:
            raise ConfigError("deletions would move bases away from the tracks that this model reads: leave them out")


@dataclass(frozen=True)
class SequenceMutants:
    """Mutants of one sequence.

    Attributes:
        codes: the sequence, uint8 (L,).
        start: first position that was mutated.
        reference: prediction of the sequence (T,); of tracks and contact maps the sums over bins.
        substitutions: every base at every position, in the order A C G T (P, 4, T); 0 for the base that is there.
        deletions: of the base at every position (P, T); None if they were not asked for.
        tiles: of every tile (K, T); None likewise.
        tile: bases of a tile.
        fill: what tiles were replaced by.
    """

    codes: Codes
    start: int
    reference: Effects
    substitutions: Effects
    deletions: Effects | None = None
    tiles: Effects | None = None
    tile: int = 0
    fill: Fill = "N"


def mutate(
    predictor: MutantPredictor,
    codes: Codes,
    summary: Summary,
    kinds: MutantKinds = MutantKinds(),
    following: int = UNKNOWN,
    inputs: NDArray[np.float32] | None = None,
) -> SequenceMutants:
    """Predict the mutants of one sequence.

    Args:
        predictor: of the model.
        codes: uint8 (L,).
        summary: which numbers of a prediction count.
        kinds: which mutants.
        following: code of the base that follows the sequence, for deletions.
        inputs: float32 (I, L / size), the tracks, for a model that reads some.

    Raises:
        InputError: a length that the model does not take, or a span past the sequence's end.
        ConfigError: deletions of a model that reads tracks, whose values belong to positions.
    """
    first, last = kinds.span or (0, len(codes))
    if last > len(codes):
        raise InputError(f"the span {first}-{last} ends past the sequence's {len(codes)} bases")
    kinds.check(predictor.model)
    device = predictor.model.device
    sequence = torch.from_numpy(np.array(codes)).to(device)
    tracks = None if inputs is None else torch.from_numpy(inputs)[None].to(device)
    predicted = predictor.references(sequence[None], tracks)
    return SequenceMutants(
        codes,
        first,
        _first(summary.of(predicted.values)),
        _substitutions(predictor, predicted, summary, first, last),
        _deletions(predictor, predicted, summary, (first, last), following) if kinds.deletions else None,
        _tiles(predictor, predicted, summary, (first, last), kinds) if kinds.tile else None,
        kinds.tile or 0,
        kinds.fill,
    )


def _substitutions(
    predictor: MutantPredictor, predicted: Predicted, summary: Summary, first: int, last: int
) -> Effects:
    """Effects (P, 4, T)."""
    bases = np.arange(4, dtype=np.uint8)
    other = predicted.codes[0, first:last].cpu().numpy()[:, None] != bases  # (P, 4)
    position, base = np.nonzero(other)
    codes = torch.from_numpy(bases[base][:, None]).to(predicted.codes.device)
    effects = summary.of_mutants(predictor, predicted, codes, first + position)
    return _scattered(effects, other)


def _scattered(effects: Effects, where: NDArray[np.bool_]) -> Effects:
    """Effects (M, T) of the mutants that there are, and 0 of those that are the reference."""

    def scatter(values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Effects (M, T) at their positions and bases, (P, 4, T)."""
        full = np.zeros((*where.shape, values.shape[-1]), np.float32)
        full[where] = values
        return full

    return Effects(scatter(effects.change), None if effects.absolute is None else scatter(effects.absolute))


def _deletions(
    predictor: MutantPredictor, predicted: Predicted, summary: Summary, span: tuple[int, int], following: int
) -> Effects:
    """Effects (P, T). All that follows the base moves, so these are predicted in full; once in a run of equal bases."""
    reference = predicted.codes[0]
    extended = torch.cat([reference, reference.new_tensor([following])])
    position = torch.arange(*span, device=reference.device)
    begins = torch.ones_like(position, dtype=torch.bool)
    begins[1:] = reference[span[0] + 1 : span[1]] != reference[span[0] : span[1] - 1]
    deleted, of_run = position[begins], begins.cumsum(0) - 1

    def predict(some: slice) -> Tensor:
        """Predictions of some of the sequences with a deleted base."""
        index = torch.arange(len(reference), device=reference.device)
        return predictor.in_full(extended[index + (index >= deleted[some, None])])

    effects = summary.changes(predicted, predict, len(deleted))
    runs = of_run.cpu().numpy()
    return Effects(effects.change[runs], None if effects.absolute is None else effects.absolute[runs])


def _tiles(
    predictor: MutantPredictor, predicted: Predicted, summary: Summary, span: tuple[int, int], kinds: MutantKinds
) -> Effects:
    """Effects (K, T)."""
    assert kinds.tile is not None
    starts = np.arange(*span, kinds.tile)
    parts = []
    for some, width in ((starts[:-1], kinds.tile), (starts[-1:], span[1] - int(starts[-1]))):
        if not len(some):  # a single tile
            continue
        fills = _fills(predicted.codes[0].cpu().numpy(), some, width, kinds)  # (K', F, width)
        codes = torch.from_numpy(fills.reshape(-1, width)).to(predicted.codes.device)
        effects = summary.of_mutants(predictor, predicted, codes, np.repeat(some, fills.shape[1]))
        parts.append([_mean(values, fills.shape[1]) for values in effects])
    change, absolute = (None if one[0] is None else np.concatenate(one) for one in zip(*parts, strict=True))
    assert change is not None
    return Effects(change, absolute)


def _fills(codes: Codes, starts: NDArray[np.int64], width: int, kinds: MutantKinds) -> Codes:
    """Bases that take the place of tiles, uint8 (K, orders, W)."""
    if kinds.fill == "N":
        return np.full((len(starts), 1, width), UNKNOWN, np.uint8)
    tiles = np.repeat(codes[starts[:, None] + np.arange(width)][:, None], kinds.shuffles, 1)
    return np.random.default_rng(kinds.seed).permuted(tiles, axis=2)


def _mean(values: NDArray[np.float32] | None, orders: int) -> NDArray[np.float32] | None:
    """Mean over the orders of each tile: (K orders, T) -> (K, T)."""
    return None if values is None else values.reshape(len(values) // orders, orders, -1).mean(1)


def _first(effects: Effects) -> Effects:
    """The only row of effects (1, T), as (T,)."""
    return Effects(effects.change[0], None if effects.absolute is None else effects.absolute[0])
