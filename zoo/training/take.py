"""Copy weights of another model into a model before training: its trunk, and what fits of its head.

Shapes: T targets.
"""

from collections.abc import Iterator, Set

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.nn.stages import stages_of

__all__ = ["named_stages", "take_head", "take_trunk"]


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


def take_head(model: SequenceModel, source: SequenceModel, targets: bool) -> list[str]:
    """Copy the layers of another model's head into a model.

    Args:
        model: the model that will be trained; its trunk was taken.
        source: a model of the same class.
        targets: copy the last layer too, of each target what belongs to the source's target of that name; otherwise
            only layers whose shape does not depend on the targets.

    Returns:
        Names of the largest modules all of whose tensors were taken.

    Raises:
        ConfigError: a model of another class, a target that the source does not have, or tensors that do not fit.
    """
    if type(model) is not type(source):
        raise ConfigError(
            f"the head cannot be taken: this model is a {type(model).__name__}, the other a {type(source).__name__}"
        )
    own, others, axis = model.head.state_dict(), source.head.state_dict(), _target_axes(model)
    rows = _rows(model, source) if targets else []
    taken: dict[str, Tensor] = {}
    for name, value in others.items():
        if name not in own or (axis.get(name) is not None and not targets):
            continue
        value = value if axis[name] is None else value.index_select(int(axis[name] or 0), torch.tensor(rows))
        if value.shape != own[name].shape:
            raise ConfigError(
                f"the head cannot be taken: {name} has the shape {tuple(value.shape)} in the head of the other model "
                f"and {tuple(own[name].shape)} in this one"
            )
        taken[name] = value
    model.head.load_state_dict({**own, **taken}, strict=True)
    return list(_modules_of(model.head, "head", {f"head.{name}" for name in taken}))


def named_stages(model: SequenceModel, taken: Set[str]) -> list[list[str]]:
    """List the stages of a model that lie in some of its modules, from input to output, by the names of their modules.

    Args:
        model: the model.
        taken: names of modules.
    """
    names = {module: name for name, module in model.named_modules()}
    stages = [[names[module] for module in stage] for part in (model.trunk, model.head) for stage in stages_of(part)]
    return [stage for stage in stages if all(any(f"{name}.".startswith(f"{one}.") for one in taken) for name in stage)]


def _rows(model: SequenceModel, source: SequenceModel) -> list[int]:
    """For each target of a model, the index of the source's target of that name."""
    known = list(source.output.targets)
    if missing := [target for target in model.output.targets if target not in known]:
        raise ConfigError(
            f"the head of the targets cannot be taken: the other model has no target {missing[0]!r}; it has "
            f"{', '.join(known[:10])}{', ...' if len(known) > 10 else ''}"
        )
    return [known.index(target) for target in model.output.targets]


def _target_axes(model: SequenceModel) -> dict[str, int | None]:
    """For each tensor of a head the axis that counts targets; None where no axis does.

    Compared with a model of one target more, that takes no memory.
    """
    plain = {"target_scale": None, "strand_pairs": None}
    arguments = {**model.arguments, **{key: value for key, value in plain.items() if key in model.arguments}}
    arguments["targets"] = [f"target_{index}" for index in range(len(model.output.targets) + 1)]
    with torch.device("meta"):
        larger = type(model)(**arguments).head.state_dict()
    axes: dict[str, int | None] = {}
    for name, value in model.head.state_dict().items():
        differing = [
            axis for axis, pair in enumerate(zip(value.shape, larger[name].shape, strict=True)) if len({*pair}) > 1
        ]
        axes[name] = differing[0] if differing else None
    return axes


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
