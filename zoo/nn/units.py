"""The units of a layer: what the rows of its weight, as a matrix, belong to."""

from torch import Tensor, nn

__all__ = ["by_unit", "is_weight", "unit_dims"]

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def is_weight(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a weight, with inputs and outputs, and no bias or factor of a normalisation."""
    return parameter.ndim > 1 and not name.endswith(("bias", "biases"))


def unit_dims(module: nn.Module) -> tuple[int, ...]:
    """Dimensions of a module's weight that count its units; a module where it is not the first has `unit_dims`."""
    known: tuple[int, ...] = getattr(module, "unit_dims", (1,) if isinstance(module, _TRANSPOSED) else (0,))
    return known


def by_unit(weight: Tensor, dims: tuple[int, ...]) -> Tensor:
    """View a weight with the dimensions of its units first: (units..., inputs...)."""
    return weight.movedim(dims, tuple(range(len(dims))))
