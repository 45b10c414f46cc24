"""Copy the trunk of another model into a model before training: the first step of transfer learning."""

from collections.abc import Iterator, Set
from dataclasses import dataclass

from torch import nn

from zoo.errors import ConfigError
from zoo.hub.load import load
from zoo.models._base import SequenceModel
from zoo.training.callbacks import FreezeModules

__all__ = ["Transfer", "TransferOptions", "take_trunk", "transfer"]


@dataclass
class TransferOptions:
    """Options of the transfer of another model's trunk.

    Args:
        trunk_from: name of the model whose trunk this one's begins with, such as `basenji.yeast`; None for none.
        trunk_rate: learning rate of the copied trunk, relative to the rest; 0 freezes it.
        frozen_epochs: epochs in which the copied trunk is frozen, before it is trained at `trunk_rate`.
        train_mode: freeze the weights alone: dropout acts, and batch statistics follow the new data.
    """

    trunk_from: str | None = None
    trunk_rate: float = 1.0
    frozen_epochs: int = 0
    train_mode: bool = False

    def check(self) -> None:
        """Raises: ConfigError: values that are impossible or contradict each other."""
        if not 0 <= self.trunk_rate < float("inf"):
            raise ConfigError(f"transfer.trunk_rate is a number from 0 up, not {self.trunk_rate}")
        if self.frozen_epochs < 0:
            raise ConfigError(f"transfer.frozen_epochs is a number from 0 up, not {self.frozen_epochs}")
        if self.trunk_from is None and (self.trunk_rate != 1 or self.frozen_epochs):
            raise ConfigError("transfer.trunk_rate and transfer.frozen_epochs need transfer.trunk_from, a model's name")
        if self.trunk_rate == 0 and self.frozen_epochs:
            raise ConfigError("transfer.trunk_rate 0 leaves the trunk as it is for good: leave out frozen_epochs")
        if self.train_mode and self.trunk_rate != 0 and not self.frozen_epochs:
            raise ConfigError("transfer.train_mode is for a trunk that is frozen, by trunk_rate 0 or frozen_epochs")


@dataclass(frozen=True)
class Transfer:
    """Result of a transfer: relative learning rates, and callbacks that freeze modules."""

    rates: dict[str, float]
    callbacks: list[FreezeModules]


def transfer(model: SequenceModel, options: TransferOptions) -> Transfer:
    """Take the trunk that the options name.

    Args:
        model: model that will be trained.
        options: checked already.

    Raises:
        ConfigError: the trunk does not fit.
        UnknownNameError: there is no model of that name.
    """
    if options.trunk_from is None:
        return Transfer({}, [])
    modules = take_trunk(model, load(options.trunk_from))
    if options.trunk_rate == 0:
        return Transfer({}, [FreezeModules(modules, train_mode=options.train_mode)])
    epochs = options.frozen_epochs
    freezing = [FreezeModules(modules, epochs, options.train_mode)] if epochs else []
    return Transfer(dict.fromkeys(modules, options.trunk_rate), freezing)


def take_trunk(model: SequenceModel, source: SequenceModel) -> list[str]:
    """Copy the whole trunk of another model into a model.

    Args:
        model: the model that will be trained; of its tensors, those of the same name in a trunk of the same class are
            replaced. The trunk of an Akita holds one of a Basenji's class.
        source: the model whose trunk is taken.

    Returns:
        Names of the largest modules all of whose tensors were taken.

    Raises:
        ConfigError: the model has no trunk of that class, or one whose tensors do not fit.
    """
    prefix, trunk = _receiver(model, source)
    tensors, own = source.trunk.state_dict(), trunk.state_dict()
    for name, value in tensors.items():
        if name not in own or own[name].shape != value.shape:
            shape = tuple(own[name].shape) if name in own else "none"
            raise ConfigError(
                f"the trunk cannot be taken: {name} has the shape {tuple(value.shape)} in the trunk of the "
                f"{type(source).__name__} and {shape} in this model"
            )
    trunk.load_state_dict({**own, **tensors}, strict=True)
    return list(_modules_of(trunk, prefix, {f"{prefix}.{name}" for name in tensors}))


def _receiver(model: SequenceModel, source: SequenceModel) -> tuple[str, nn.Module]:
    """The module of a model that has the class of the source's trunk, and its name."""
    for name, module in model.named_modules():
        if type(module) is type(source.trunk):
            return name, module
    raise ConfigError(
        f"the trunk cannot be taken: a {type(model).__name__} has none of the kind of a {type(source).__name__}"
    )


def _modules_of(module: nn.Module, path: str, taken: Set[str]) -> Iterator[str]:
    """Names of the largest modules all of whose parameters and buffers were taken."""
    tensors = {f"{path}.{key}" for key in module.state_dict()}
    if tensors and tensors <= taken:
        yield path
    elif tensors & taken:
        for name, child in module.named_children():
            yield from _modules_of(child, f"{path}.{name}", taken)
