"""Predictions of mutants in natural units, over both strands where the model reads both.

Shapes: R references, L bases, N mutants, n bases that change, I input tracks.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo.errors import InputError
from zoo.genome.sequence import complement_codes
from zoo.inference.choose import predictor_for
from zoo.inference.engine import inference
from zoo.interpret.network import Network, References, network_of
from zoo.interpret.scanning import MOST_WINDOWS, Scan, scan_mutants, scanned
from zoo.interpret.windows import Index
from zoo.models._base import SequenceModel
from zoo.nn.inputs import reverse_complement_inputs

__all__ = ["MutantPredictor", "Predicted"]


@dataclass(frozen=True)
class Predicted:
    """References, predicted in full, and what mutants need of them.

    Attributes:
        codes: uint8 (R, L).
        inputs: input tracks (R, I, L / size), or None.
        values: predictions (R, *output.shape).
        outputs: raw outputs (R, *output.shape) of each strand that is read, mapped onto the given one; empty where
            mutants are predicted in full.
        strands: what each strand that the model reads has kept; empty where mutants are predicted in full.
    """

    codes: Tensor
    inputs: Tensor | None
    values: Tensor
    outputs: list[Tensor]
    strands: list[References | Scan]


class MutantPredictor:
    """Predicts sequences that differ from a reference in a few neighbouring bases, by what these bases reach.

    The numbers are those of `model.predict`, up to the rounding of float32. Where a model has no shortcut (an
    architecture of layers that `zoo.interpret.known` does not list, forward hooks, a scanned sequence of more than
    8,192 windows) mutants are predicted in full. The weights are those of the moment it is made.

    Args:
        model: a loaded model, on the device it is on; it is set to evaluation mode while it predicts, and left as it
            was.
        both_strands: whether both strands are read where there is a shortcut; None for as the model does.
    """

    def __init__(self, model: SequenceModel, both_strands: bool | None = None) -> None:
        self.model = model
        self.both_strands = model.rc_average if both_strands is None else both_strands
        with inference(model, "32"):
            self._network = network_of(model)

    @property
    def has_shortcut(self) -> bool:
        """Whether mutants are computed by what they change, not in full."""
        return self._network is not None

    def references(self, codes: Tensor, inputs: Tensor | None = None) -> Predicted:
        """Predict references.

        Args:
            codes: uint8 (R, L) on the model's device.
            inputs: float32 (R, I, L / size), the tracks of a model that reads some.

        Raises:
            InputError: as `model.predict`.
        """
        model, network = self.model, self._network
        model.check_length(codes.shape[1])
        model.check_inputs(codes, inputs)
        if network is None or codes.shape[1] - model.length >= MOST_WINDOWS:
            return Predicted(codes, inputs, self.in_full(codes, inputs), [], [])
        with inference(model, "32"):
            strands = [self._strand(network, codes, inputs)]
            if self.both_strands:
                other = None if inputs is None else reverse_complement_inputs(inputs, model.inputs)
                strands.append(self._strand(network, complement_codes(codes), other))
            outputs = self._mapped([strand.raw for strand in strands])
            return Predicted(codes, inputs, self._averaged(outputs), outputs, strands)

    def mutants(self, references: Predicted, codes: Tensor, starts: Index, rows: Index | None = None) -> Tensor:
        """Predict mutants.

        Args:
            references: what `references` returned.
            codes: uint8 (N, n): the bases that each has instead of those of its reference.
            starts: position of the first of these bases (N,).
            rows: reference of each mutant (N,); None for the only reference.

        Returns:
            float32 (N, *output.shape).

        Raises:
            InputError: bases past an end of the sequence.
        """
        length, count = references.codes.shape[1], codes.shape[1]
        rows = np.zeros(len(starts), np.int64) if rows is None else rows
        if len(starts) and not (starts.min() >= 0 and starts.max() + count <= length):
            raise InputError(f"a mutant changes bases outside of the {length} bases of its sequence")
        if not len(starts) or not count:
            return references.values[torch.from_numpy(rows).to(references.values.device)]
        if not references.strands:
            return self._mutants_in_full(references, codes, starts, rows)
        return self._averaged(self.mutant_outputs(references, codes, starts, rows))

    def mutant_outputs(self, references: Predicted, codes: Tensor, starts: Index, rows: Index) -> list[Tensor]:
        """Raw outputs of mutants on each strand that is read, mapped onto the given one; with a shortcut alone.

        Args:
            references: what `references` returned, with what it kept of each strand.
            codes: uint8 (N, n): the bases that each has instead of those of its reference, n from 1 up.
            starts: position of the first of these bases (N,).
            rows: reference of each mutant (N,).

        Returns:
            float32 (N, *output.shape) of each strand.
        """
        with inference(self.model, "32"):
            raw = [self._mutants(references.strands[0], codes, starts, rows)]
            if self.both_strands:
                mirrored = references.codes.shape[1] - codes.shape[1] - starts
                raw.append(self._mutants(references.strands[1], complement_codes(codes), mirrored, rows))
            return self._mapped(raw)

    def _strand(self, network: Network, codes: Tensor, inputs: Tensor | None) -> References | Scan:
        """Compute references as they are read on one strand."""
        length = self.model.length
        if self.model.scores_windows and codes.shape[1] > length:
            return scanned(network, codes, inputs, length)
        return network.references(codes, inputs)

    def _mutants(self, strand: References | Scan, codes: Tensor, starts: Index, rows: Index) -> Tensor:
        """Raw output of mutants on one strand."""
        assert self._network is not None
        if isinstance(strand, Scan):
            return scan_mutants(self._network, strand, self.model.length, codes, starts, rows)
        return self._network.mutants(strand, codes, starts, rows)

    def _mapped(self, raw: list[Tensor]) -> list[Tensor]:
        """Raw outputs of the given strand, and of the other where it is read too, as the given one has them."""
        return [raw[0], *map(self.model.output.reverse_complement, raw[1:])]

    def _averaged(self, outputs: list[Tensor]) -> Tensor:
        """Predictions for raw outputs of one strand or both."""
        values = [self.model.activation(one.float()) for one in outputs]
        return values[0] if len(values) == 1 else (values[0] + values[1]) / 2

    def _mutants_in_full(self, references: Predicted, codes: Tensor, starts: Index, rows: Index) -> Tensor:
        """Predict mutants as sequences of their own."""
        at_once = self._at_once()
        parts = []
        for first in range(0, len(rows), at_once):
            some = slice(first, first + at_once)
            index = torch.from_numpy(rows[some]).to(codes.device)
            whole = references.codes[index]
            at = torch.from_numpy(starts[some, None] + np.arange(codes.shape[1])).to(codes.device)
            inputs = None if references.inputs is None else references.inputs[index]
            parts.append(self.in_full(whole.scatter(1, at, codes[some]), inputs))
        return torch.cat(parts)

    def in_full(self, codes: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Predict sequences, uint8 (N, L), as the model does, without a shortcut; inputs as of `references`."""
        with inference(self.model, "32"):
            size = self._at_once()
            parts = []
            for first in range(0, len(codes), size):
                some = slice(first, first + size)
                parts.append(self.model.predict(codes[some], None if inputs is None else inputs[some]))
            return torch.cat(parts)

    def _at_once(self) -> int:
        """Sequences that are predicted in full at once."""
        return predictor_for(self.model.output).usual_batch_size
