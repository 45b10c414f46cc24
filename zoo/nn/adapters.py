"""LoRA: a frozen weight plus a product of two small matrices that is trained (Hu 2021, arXiv:2106.09685).

It works on the weights of convolutions and dense layers of any class, ensembles included. Shapes: U units of a layer, I
values that a unit reads, R rank, M ensemble members; G groups of units that share no factor: members, or 1.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from zoo.errors import ConfigError
from zoo.nn.units import by_unit, is_weight, unit_dims

__all__ = [
    "AdapterConfig",
    "Factors",
    "LowRank",
    "add_adapters",
    "add_product",
    "factors_of",
    "has_adapters",
    "merge_adapters",
    "unit_sizes",
]


@dataclass(frozen=True)
class AdapterConfig:
    """Sizes of the factors.

    Args:
        modules: names of the modules in which each weight gets two factors.
        rank: R; of a weight with fewer units or inputs, as many as it has.
        alpha: the product is multiplied by alpha / rank, so that the rank does not change the learning rate that fits.
    """

    modules: tuple[str, ...]
    rank: int = 8
    alpha: float = 16.0


class Factors(NamedTuple):
    """Factors of the product that is added to a weight.

    Attributes:
        up: (G, U, R).
        down: (G, R, I).
        scale: number by which their product is multiplied.
    """

    up: Tensor
    down: Tensor
    scale: float


def unit_sizes(weight: Tensor, dims: tuple[int, ...]) -> tuple[int, int, int]:
    """Return G, U and I of a weight, of whose dimensions `dims` count units and all but the last of these groups."""
    shape = by_unit(weight, dims).shape
    return shape[: len(dims) - 1].numel(), shape[len(dims) - 1], shape[len(dims) :].numel()


def add_product(weight: Tensor, dims: tuple[int, ...], factors: Factors) -> Tensor:
    """Add the product of factors to a weight, of whose dimensions `dims` count units."""
    product = factors.scale * (factors.up @ factors.down)  # (G, U, R) @ (G, R, I) -> (G, U, I)
    shape = by_unit(weight, dims).shape
    return weight + product.view(shape).movedim(tuple(range(len(dims))), dims)


class LowRank(nn.Module):
    """Parametrization of a weight W: W + alpha / R * up @ down, of which `up` begins as zero.

    Args:
        weight: W, of any number of dimensions.
        dims: its dimensions that count units; all but the last of them are groups.
        rank: R, at most.
        alpha: see `AdapterConfig`.
    """

    def __init__(self, weight: Tensor, dims: tuple[int, ...], rank: int, alpha: float) -> None:
        super().__init__()
        self.dims = dims
        groups, units, inputs = unit_sizes(weight, dims)
        rank = min(rank, units, inputs)
        self.scale = alpha / rank
        self.up = nn.Parameter(weight.new_zeros(groups, units, rank))
        self.down = nn.Parameter(weight.new_empty(groups, rank, inputs).uniform_(-1, 1) * (3 / inputs) ** 0.5)

    def forward(self, weight: Tensor) -> Tensor:
        """Weight W -> the adapted weight, in float32 whatever the precision: as it will be merged."""
        with torch.autocast(weight.device.type, enabled=False):
            return add_product(weight, self.dims, Factors(self.up, self.down, self.scale))


def add_adapters(model: nn.Module, config: AdapterConfig) -> None:
    """Add factors to the weights of modules, and freeze these weights; at first the factors change nothing.

    Biases and the scales of norms, which are few, stay trainable: without them, factors learn less than all weights do.

    Args:
        model: changed in place.
        config: modules and sizes.

    Raises:
        ConfigError: a rank below 1, or no weight in the modules.
    """
    if config.rank < 1 or not 0 < config.alpha < float("inf"):
        raise ConfigError(f"a rank is 1 or more and alpha above 0, not {config.rank} and {config.alpha}")
    weights = list(_weights(model.get_submodule(name) for name in config.modules))
    if not weights:
        raise ConfigError("there is no convolution or dense layer that low-rank factors could be added to")
    for module, name, weight in weights:
        weight.requires_grad_(False)
        factors = LowRank(weight, unit_dims(module), config.rank, config.alpha)
        parametrize.register_parametrization(module, name, factors)


def has_adapters(model: nn.Module) -> bool:
    """Whether any weight of a model has factors."""
    return any(isinstance(module, LowRank) for module in model.modules())


def factors_of(model: nn.Module) -> dict[str, Factors]:
    """Copy the factors of a model, by the name of the weight that each belongs to."""
    factors: dict[str, Factors] = {}
    for path, step in model.named_modules():
        if isinstance(step, LowRank):
            name = re.sub(r"(^|\.)parametrizations\.([^.]+)\.\d+$", r"\1\2", path)
            factors[name] = Factors(step.up.detach().clone(), step.down.detach().clone(), step.scale)
    return factors


def merge_adapters(model: nn.Module) -> None:
    """Replace each weight with factors by their sum, in place: the model computes what it did, bit for bit."""
    for module in list(model.modules()):
        if not parametrize.is_parametrized(module):
            continue
        for name, steps in list(module.parametrizations.items()):  # type: ignore[union-attr, operator]
            if any(isinstance(step, LowRank) for step in steps):
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)


def _weights(modules: Iterable[nn.Module]) -> Iterator[tuple[nn.Module, str, Tensor]]:
    """Each weight in modules, with its module and its name in it."""
    for outer in modules:
        for module in outer.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if is_weight(name, parameter):
                    yield module, name, parameter
