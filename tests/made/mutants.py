"""Nets whose output depends on every base, and mutants predicted as sequences of their own."""

import math

import torch
from torch import Tensor, nn

from zoo.inference.engine import inference
from zoo.interpret.predictor import MutantPredictor
from zoo.models._base import SequenceModel
from zoo.nn.units import is_weight, unit_dims

__all__ = ["in_full", "lively", "random_codes", "random_inputs", "single_mutants", "tell_apart"]


def lively(model: SequenceModel, seed: int = 1) -> SequenceModel:
    """Give a model weights that keep the variance of what passes, and statistics of norms that are not trivial."""
    generator = torch.Generator().manual_seed(seed)

    def normal(parameter: Tensor, deviation: float, mean: float = 0.0) -> None:
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * deviation + mean)

    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if is_weight(name, parameter):
                    units = [parameter.shape[axis] for axis in unit_dims(module)]
                    normal(parameter, (4 * math.prod(units) / parameter.numel()) ** 0.5)
                else:
                    normal(parameter, 0.3)
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                normal(module.weight, 1.0)  # of either sign
                assert module.running_mean is not None and module.running_var is not None
                normal(module.running_mean, 0.3)
                module.running_var.copy_(torch.rand(len(module.running_var), generator=generator) + 0.5)
    return model.eval()


def random_codes(sequences: int, length: int, seed: int = 2) -> Tensor:
    """Random bases, N among them (B, L)."""
    return torch.randint(0, 5, (sequences, length), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def random_inputs(model: SequenceModel, sequences: int, length: int) -> Tensor | None:
    """Random tracks, for a model that reads some."""
    names, size = model.inputs.names, model.inputs.size
    generator = torch.Generator().manual_seed(3)
    return torch.randn(sequences, len(names), length // size, generator=generator) if names else None


def single_mutants(codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Every base and N at every position of a sequence (L,): positions (M,), bases (M,), the whole mutants (M, L)."""
    positions = torch.arange(len(codes)).repeat_interleave(5)
    bases = torch.arange(5, dtype=torch.uint8).repeat(len(codes))
    whole = codes.repeat(len(positions), 1)
    whole[torch.arange(len(positions)), positions] = bases
    return positions, bases, whole


def in_full(model: SequenceModel, codes: Tensor, inputs: Tensor | None = None) -> Tensor:
    """Predict sequences as the model itself does."""
    with inference(model, "32"):
        return model.predict(codes, inputs)


def tell_apart(predictor: MutantPredictor, values: Tensor) -> bool:
    """Whether mutants were computed by what they change, and differ far more than rounding does."""
    return predictor.has_shortcut and bool((values - values.mean(0)).abs().max() > 0.02)
