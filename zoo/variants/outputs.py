"""Raw outputs of a model for pairs of sequences, on one strand or on both.

Shapes: B pairs, L bases.
"""

from torch import Tensor

from zoo.genome.sequence import complement_codes
from zoo.inference.engine import Precision, inference
from zoo.models._base import SequenceModel
from zoo.variants.scores import Outputs

__all__ = ["pair_outputs"]


def pair_outputs(
    model: SequenceModel,
    reference: Tensor,
    alternative: Tensor,
    both_strands: bool,
    precision: Precision,
) -> tuple[Outputs, Outputs]:
    """Compute raw outputs of both alleles.

    Args:
        model: on any device.
        reference: codes uint8 (B, L).
        alternative: codes uint8 (B, L).
        both_strands: whether the reverse complement is read too.
        precision: `32`, or `bf16` / `16` for autocast.

    Returns:
        Of each allele, raw outputs (B, *output.shape) on each strand.
    """
    with inference(model, precision):
        return tuple(_on_strands(model, codes, both_strands) for codes in (reference, alternative))  # type: ignore[return-value]


def _on_strands(model: SequenceModel, codes: Tensor, both_strands: bool) -> Outputs:
    codes = codes.to(model.device)
    outputs = [model.raw(codes)]
    if both_strands:
        outputs.append(model.output.reverse_complement(model.raw(complement_codes(codes))))
    return outputs
