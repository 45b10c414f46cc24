"""A model of labels as pictures look at it: one net, random sequences, and how much a look at it may take.

Shapes: B batch, L bases, I input tracks, T targets.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from zoo.models._base import SequenceModel
from zoo.nn.ensemble import EnsembleHead, EnsembleTrunk, SeparateHeads

__all__ = ["Network", "Sequences"]

_LONGEST = 100_000  # bases of a sequence of which pictures are made


class Sequences(NamedTuple):
    """Random sequences.

    Attributes:
        codes: uint8 (B, L).
        inputs: float32 (B, I, L / size), random numbers from 0 to 1; None for a model that reads no tracks.
    """

    codes: Tensor
    inputs: Tensor | None

    def chosen(self, rows: Tensor) -> "Sequences":
        """Some of them."""
        return Sequences(self.codes[rows], None if self.inputs is None else self.inputs[rows])


class Network:
    """A net of labels, or the first of an ensemble.

    Args:
        model: model of labels, in evaluation mode.

    Attributes:
        trunk: its trunk.
        members: nets of the ensemble; 1 for a single net.
        unit: what its raw output is.
    """

    def __init__(self, model: SequenceModel) -> None:
        self.model = model
        self.unit = "log-odds" if model.loss.unit == "probability" else "raw output"
        self.trunk: nn.Module = model.trunk
        self._head: nn.Module = model.head
        self.members = 1
        if isinstance(model.trunk, EnsembleTrunk) and isinstance(model.head, SeparateHeads):
            self.members = len(model.trunk.members)
            self.trunk, self._head = model.trunk.members[0], model.head.members[0]
        elif isinstance(model.head, EnsembleHead):
            self.members = int(model.arguments.get("ensemble_members", 1))

    @property
    def is_short(self) -> bool:
        """Whether its sequences are short enough for pictures."""
        return self.model.length <= _LONGEST

    def random(self, count: int) -> Sequences:
        """Random sequences of its length, the same at each call."""
        random = torch.Generator().manual_seed(0)
        codes = torch.randint(0, 4, (count, self.model.length), generator=random).to(torch.uint8)
        if not (names := self.model.inputs.names):
            return Sequences(codes, None)
        positions = self.model.length // self.model.inputs.size
        return Sequences(codes, torch.rand(count, len(names), positions, generator=random))

    def raw(self, sequences: Sequences) -> Tensor:
        """Raw output of the net (B, T), on the given strand."""
        features = self.trunk(self.model.encode(sequences.codes), sequences.inputs)
        if isinstance(self._head, EnsembleHead):
            return self._head.member_outputs(features)[:, 0]
        raw: Tensor = self._head(features)
        return raw

    def flops(self) -> int:
        """Multiplications and additions for one sequence; at least one for each base."""
        with FlopCounterMode(display=False) as counter:
            self.raw(self.random(1))
        return max(int(counter.get_total_flops()), self.model.length)
