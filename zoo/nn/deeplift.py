"""DeepLIFT rules (Shrikumar 2017, arXiv:1704.02685) of the package's own modules, in the format of tangermeme.

    from tangermeme.deep_lift_shap import deep_lift_shap
    deep_lift_shap(model, onehot, additional_nonlinear_ops=deeplift_rules())

A rule has the arguments of a full backward hook of PyTorch; `module.input` and `module.output` hold the observed batch,
then the reference batch, along the first axis. It returns the multipliers in place of the gradients.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zoo.nn.layers import QuickGELU
from zoo.nn.maxima import HigherStrand, Highest, MaxPool, PartialMaxPool

__all__ = ["deeplift_rules", "maximum_rule", "rescale_rule"]

Gradients = tuple[Tensor, ...]
Rule = Callable[[nn.Module, Gradients, Gradients], Gradients]

# Changes of the input below which the gradient stands for the ratio, as in tangermeme.
_SMALLEST_CHANGE = 1e-6


def rescale_rule(module: nn.Module, grad_input: Gradients, grad_output: Gradients) -> Gradients:
    """Give multipliers of an elementwise module: change of the output over change of the input.

    Args:
        module: with the tensors `input` and `output`.
        grad_input: gradient at its input, which stands for the ratio where the input hardly changes.
        grad_output: multipliers at its output.

    Returns:
        Multipliers at its input.
    """
    inputs, outputs = _tensors(module)
    change, effect = torch.sub(*inputs.chunk(2)), torch.sub(*outputs.chunk(2))
    small = change.abs() < _SMALLEST_CHANGE
    ratio = effect / change.masked_fill(small, 1)
    small, ratio = torch.cat([small, small]), torch.cat([ratio, ratio])
    return (torch.where(small, grad_input[0], grad_output[0] * ratio),)


def maximum_rule(module: nn.Module, grad_input: Gradients, grad_output: Gradients) -> Gradients:
    """Give multipliers of a module each of whose outputs is the maximum of some of its inputs.

    An output that rises from the reference to the observed batch is attributed to the observed maximum, one that falls
    to the maximum in the reference: both inputs change by at least as much.

    Args:
        module: with the tensors `input` and `output`.
        grad_input: gradient at its input, which stands for the ratio where the input does not change.
        grad_output: multipliers at its output.

    Returns:
        Multipliers at its input.
    """
    inputs, outputs = _tensors(module)
    observed, reference = outputs.chunk(2)
    highest = torch.maximum(observed, reference)
    effect = torch.cat([highest - reference, observed - highest]) * grad_output[0]
    with torch.enable_grad():
        x = inputs.detach().requires_grad_()
        # The class's own forward: no hook is called.
        (routed,) = torch.autograd.grad(type(module).forward(module, x), x, effect)
    change = torch.sub(*inputs.chunk(2))
    unchanged = change == 0
    ratio = sum(routed.chunk(2)) / change.masked_fill(unchanged, 1)
    multipliers = torch.where(unchanged, grad_input[0].chunk(2)[0], ratio)
    return (torch.cat([multipliers, multipliers]),)


def deeplift_rules() -> dict[type[nn.Module], Rule]:
    """Give the rule of each module that is not linear: `additional_nonlinear_ops` of tangermeme.

    The maxima of PyTorch are among them, since those of images of one row are.
    """
    maxima = (MaxPool, PartialMaxPool, Highest, HigherStrand, nn.MaxPool1d, nn.MaxPool2d)
    return {QuickGELU: rescale_rule, **dict.fromkeys(maxima, maximum_rule)}


def _tensors(module: nn.Module) -> tuple[Tensor, Tensor]:
    inputs, outputs = module.input, module.output
    assert isinstance(inputs, Tensor)
    assert isinstance(outputs, Tensor)
    return inputs, outputs
