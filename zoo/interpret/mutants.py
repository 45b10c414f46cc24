"""`predict_pairs` and `predict_mutants`: sequences that differ in a few bases, by computing only what these reach."""

import numpy as np
import torch
from torch import Tensor

from zoo.errors import InputError
from zoo.interpret.predictor import MutantPredictor
from zoo.models._base import SequenceModel

__all__ = ["predict_mutants", "predict_pairs"]


def predict_pairs(
    model: SequenceModel | MutantPredictor,
    reference: Tensor,
    alternative: Tensor,
    start: int,
    stop: int,
    inputs: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Predict pairs of sequences that differ in one interval, the same in all pairs.

    Args:
        model: a loaded model; or, for many batches, one `MutantPredictor` of it, which is faster.
        reference: uint8 (B, L) on the model's device.
        alternative: uint8 (B, L), equal to the reference outside of [start, stop).
        start: first position that may differ.
        stop: position after the last one.
        inputs: float32 (B, I, L / size), the tracks of both, for a model that reads some.

    Returns:
        Predictions of the references and of the alternatives, float32 (B, *output.shape) each, in natural units.

    Raises:
        InputError: sequences that differ outside of the interval, or an interval outside of the sequences.
    """
    predictor = model if isinstance(model, MutantPredictor) else MutantPredictor(model)
    length = reference.shape[1]
    if reference.shape != alternative.shape or not 0 <= start <= stop <= length:
        raise InputError(
            f"pairs have one shape and differ in an interval of it, not {tuple(reference.shape)}, "
            f"{tuple(alternative.shape)} and [{start}, {stop})"
        )
    equal = [torch.equal(reference[:, part], alternative[:, part]) for part in (slice(start), slice(stop, length))]
    if not all(equal):
        raise InputError(f"a pair of sequences differs outside of the positions [{start}, {stop})")
    predicted = predictor.references(reference, inputs)
    rows = np.arange(len(reference))
    return predicted.values, predictor.mutants(predicted, alternative[:, start:stop], np.full_like(rows, start), rows)


def predict_mutants(
    model: SequenceModel | MutantPredictor,
    codes: Tensor,
    positions: Tensor,
    bases: Tensor,
    inputs: Tensor | None = None,
) -> Tensor:
    """Predict many mutants of one sequence, each with one other base.

    Args:
        model: a loaded model, or a `MutantPredictor` of it.
        codes: uint8 (L,) on the model's device.
        positions: position of each mutant's base (M,).
        bases: its code, uint8 (M,).
        inputs: float32 (I, L / size), the tracks, for a model that reads some.

    Returns:
        float32 (M, *output.shape), in natural units.

    Raises:
        InputError: a position outside of the sequence, or not one base for each position.
    """
    predictor = model if isinstance(model, MutantPredictor) else MutantPredictor(model)
    if positions.ndim != 1 or positions.shape != bases.shape:
        raise InputError(f"there are {len(positions)} positions of mutants and {len(bases)} bases")
    predicted = predictor.references(codes[None], None if inputs is None else inputs[None])
    return predictor.mutants(predicted, bases[:, None].to(codes), positions.cpu().numpy().astype(np.int64))
