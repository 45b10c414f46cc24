"""Raw outputs of a model for pairs of sequences, on one strand or on both.

Shapes: B pairs, L bases.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.genome.sequence import complement_codes
from zoo.inference.engine import Precision, inference
from zoo.interpret.predictor import MutantPredictor
from zoo.models._base import SequenceModel
from zoo.variants.scores import Outputs

__all__ = ["PairOutputs"]


class PairOutputs:
    """Computes raw outputs of both alleles; of changes of equal length, only what the changed bases reach.

    Args:
        model: on any device.
        both_strands: whether the reverse complement is read too.
        precision: `32`, or `bf16` / `16` for autocast, in which both alleles are computed in full.
    """

    def __init__(self, model: SequenceModel, both_strands: bool, precision: Precision) -> None:
        self.model, self.both_strands, self.precision = model, both_strands, precision
        mutants = MutantPredictor(model, both_strands)
        self._mutants = mutants if precision == "32" and mutants.has_shortcut else None

    def compute(
        self, reference: Tensor, alternative: Tensor, starts: NDArray[np.int64] | None = None, changed: int = 0
    ) -> tuple[Outputs, Outputs]:
        """Compute raw outputs of both alleles.

        Args:
            reference: codes uint8 (B, L).
            alternative: codes uint8 (B, L).
            starts: first base in which each pair differs (B,); None where they differ in more than a few bases.
            changed: number of bases in which they differ from there on, the same in all pairs.

        Returns:
            Of each allele, raw outputs (B, *output.shape) on each strand, mapped onto the given one.
        """
        reference, alternative = reference.to(self.model.device), alternative.to(self.model.device)
        if self._mutants is None or starts is None:
            return self._in_full(reference), self._in_full(alternative)
        predicted = self._mutants.references(reference)
        at = torch.from_numpy(starts[:, None] + np.arange(changed)).to(self.model.device)
        codes = alternative.gather(1, at)
        mutants = self._mutants.mutant_outputs(predicted, codes, starts, np.arange(len(reference)))
        return predicted.outputs, mutants

    def _in_full(self, codes: Tensor) -> Outputs:
        model = self.model
        with inference(model, self.precision):
            outputs = [model.raw(codes)]
            if self.both_strands:
                outputs.append(model.output.reverse_complement(model.raw(complement_codes(codes))))
            return outputs
