"""Begin a model with the trunk of another: the first step of transfer learning."""

from torch import nn

from zoo.errors import ConfigError
from zoo.models._base import SequenceModel

__all__ = ["take_trunk"]


def take_trunk(model: SequenceModel, source: SequenceModel, rate: float) -> None:
    """Begin a model with the trunk of another, all of it.

    Args:
        model: the model that will be trained; of its tensors, those of the same name in a trunk of the same class are
            replaced. The trunk of an Akita holds one of a Basenji's class.
        source: the model whose trunk is taken.
        rate: learning rate of the trunk relative to the rest; 0 keeps it fixed, batch statistics too.

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
    model.taken = frozenset(f"{prefix}.{name}" for name in tensors)
    if rate == 0:
        model.frozen = _modules_of(trunk, set(tensors))
        for module in model.frozen:
            module.requires_grad_(False)


def _receiver(model: SequenceModel, source: SequenceModel) -> tuple[str, nn.Module]:
    """The module of a model that has the class of the source's trunk, and its name."""
    for name, module in model.named_modules():
        if type(module) is type(source.trunk):
            return name, module
    raise ConfigError(
        f"the trunk cannot be taken: a {type(model).__name__} has none of the kind of a {type(source).__name__}"
    )


def _modules_of(trunk: nn.Module, taken: set[str]) -> list[nn.Module]:
    """The largest modules of a trunk all of whose tensors were taken."""
    names = set(trunk.state_dict())
    if names and names <= taken:
        return [trunk]
    return [
        module
        for name, child in trunk.named_children()
        for module in _modules_of(child, {key.removeprefix(f"{name}.") for key in taken if key.startswith(f"{name}.")})
    ]
