"""Begin a model with the trunk of another: the first step of transfer learning."""

from zoo.errors import ConfigError
from zoo.models._base import SequenceModel

__all__ = ["take_trunk"]


def take_trunk(model: SequenceModel, source: SequenceModel, rate: float) -> None:
    """Begin a model with the trunk of another, all of it.

    Args:
        model: that will be trained.
        source: whose `trunk` lies, tensor for tensor, at the beginning of the model's.
        rate: the learning rate of it relative to the rest; 0 leaves it as it is, batch statistics too.

    Raises:
        ConfigError: it has no trunk, or one that does not fit.
    """
    theirs = {name: value for name, value in source.state_dict().items() if name.startswith("trunk.")}
    ours = model.state_dict()
    if not theirs:
        raise ConfigError(f"the trunk cannot be taken: a {type(source).__name__} has none")
    for name, value in theirs.items():
        if name not in ours or ours[name].shape != value.shape:
            here = tuple(ours[name].shape) if name in ours else "none"
            raise ConfigError(
                f"the trunk cannot be taken: {name} has the shape {tuple(value.shape)} there and {here} in this model"
            )
    model.load_state_dict({**ours, **theirs}, strict=True)
    model.taken = frozenset(theirs)
    if rate == 0:
        blocks = {int(name.split(".")[1]) for name in theirs}
        model.frozen = [model.get_submodule(f"trunk.{index}") for index in sorted(blocks)]
        for block in model.frozen:
            block.requires_grad_(False)
