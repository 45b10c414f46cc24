"""Stages: the layers of a net in the order in which a sequence passes them, for transfer learning."""

from typing import Protocol, runtime_checkable

from torch import nn

__all__ = ["HasStages", "Stage", "parallel_stages", "stages_of"]

# Modules that are frozen, trained again and given a learning rate together.
Stage = list[nn.Module]


@runtime_checkable
class HasStages(Protocol):
    """A module that knows its stages, because their order is not that of its children or some lie side by side."""

    def stages(self) -> list[Stage]:
        """List the stages from input to output."""
        ...


def stages_of(module: nn.Module) -> list[Stage]:
    """List the stages of a module from input to output.

    Args:
        module: a `Sequential` has those of its children, a module with a method `stages` its own; any other module with
            parameters is one stage.

    Returns:
        The modules of each stage; all parameters of `module` are in one of them.
    """
    if isinstance(module, HasStages):
        return module.stages()
    if type(module) is nn.Sequential:
        return [stage for child in module for stage in stages_of(child)]
    return [[module]] if any(True for _ in module.parameters()) else []


def parallel_stages(modules: list[nn.Module]) -> list[Stage]:
    """List the stages of modules of one shape that lie side by side, such as the members of an ensemble."""
    groups = zip(*map(stages_of, modules), strict=True)
    return [[module for stage in group for module in stage] for group in groups]
