"""Build the optimizer and learning rate scheduler of a run from the classes that its configuration names."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch
from lightning.pytorch.cli import ReduceLROnPlateau, instantiate_class
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn

from zoo.errors import ConfigError, one_line
from zoo.models._base import SequenceModel

__all__ = ["OptimizerPlan", "ParamGroups", "check_optimizers", "takes", "use_optimizers"]

# Steps of a run that stands in for the real one when a plan is checked.
_TRIAL_STEPS = 100


@dataclass
class ParamGroups:
    """Groups of parameters with a learning rate or weight decay of their own.

    Args:
        rates: prefix of parameter names -> learning rate relative to the optimizer's, such as {trunk: 0.1}; the
            longest prefix that matches counts.
        decay_all: apply weight decay to biases and normalization layers too; by default they have none.
    """

    rates: dict[str, float] = field(default_factory=dict)
    decay_all: bool = False


@dataclass
class OptimizerPlan:
    """Optimizer and scheduler of a run, to be built when its parameters and its number of steps are known.

    Args:
        optimizer: {class_path, init_args} of a `torch.optim.Optimizer`; None for AdamW with its defaults.
        lr_scheduler: {class_path, init_args} of a scheduler; None for a constant learning rate.
        groups: which parameters have rates of their own.
        rates: further relative rates by prefix, which take precedence over those of `groups`.
    """

    optimizer: dict[str, Any] | None = None
    lr_scheduler: dict[str, Any] | None = None
    groups: ParamGroups = field(default_factory=ParamGroups)
    rates: Mapping[str, float] = field(default_factory=dict)


def use_optimizers(model: SequenceModel, plan: OptimizerPlan) -> None:
    """Let a model train with the optimizer and scheduler of a plan instead of its default ones."""
    model.configure_optimizers = partial(_configure, model, plan)  # type: ignore[method-assign]


def check_optimizers(model: SequenceModel, plan: OptimizerPlan) -> None:
    """Build the optimizer and scheduler of a plan once, for nothing.

    Raises:
        ConfigError: a value that they refuse, or a prefix that no parameter has; the sentence names the option.
    """
    if plan.lr_scheduler is not None and plan.optimizer is None:
        raise ConfigError("lr_scheduler needs an optimizer: name one too, such as --optimizer torch.optim.AdamW")
    optimizer = _named("optimizer", plan.optimizer, lambda: _optimizer(model, plan))
    if plan.lr_scheduler is not None:
        _named("lr_scheduler", plan.lr_scheduler, lambda: _scheduler(optimizer, plan.lr_scheduler, _TRIAL_STEPS))


def _configure(model: SequenceModel, plan: OptimizerPlan) -> OptimizerLRScheduler:
    """What `configure_optimizers` returns: Lightning's dictionary of optimizer and scheduler."""
    optimizer = _optimizer(model, plan)
    if plan.lr_scheduler is None:
        return {"optimizer": optimizer}
    stepwise = takes(plan.lr_scheduler, "total_steps")
    steps = int(model.trainer.estimated_stepping_batches) if stepwise else 0
    scheduler = _scheduler(optimizer, plan.lr_scheduler, steps)
    config: Any = {"scheduler": scheduler, "interval": "step" if stepwise else "epoch"}
    if isinstance(scheduler, ReduceLROnPlateau):
        config["monitor"] = scheduler.monitor
    return {"optimizer": optimizer, "lr_scheduler": config}


def _optimizer(model: SequenceModel, plan: OptimizerPlan) -> torch.optim.Optimizer:
    init = plan.optimizer or {"class_path": "torch.optim.AdamW", "init_args": {}}
    options = init.get("init_args", {})
    lr = options.get("lr", 1e-3)
    rates = {**plan.groups.rates, **plan.rates}
    split_decay = "weight_decay" in options and not plan.groups.decay_all
    groups: list[dict[str, Any]] = []
    for group in _groups(model, rates, split_decay):
        groups.append({"params": group.parameters})
        if group.rate != 1:
            groups[-1]["lr"] = group.rate * lr
        if not group.decays:
            groups[-1]["weight_decay"] = 0.0
    return instantiate_class(groups, init)  # type: ignore[no-any-return]


class _Group(NamedTuple):
    """Parameters that share a learning rate, relative to the optimizer's, and have weight decay or not."""

    rate: float
    decays: bool
    parameters: list[nn.Parameter]


def _groups(model: nn.Module, rates: Mapping[str, float], split_decay: bool) -> list[_Group]:
    """Group the trainable parameters: those without a rate of their own first, and with weight decay first."""
    if invalid := [prefix for prefix, rate in rates.items() if not 0 < rate < float("inf")]:
        raise ConfigError(f"param_groups.rates: the rate of {invalid[0]!r}, {rates[invalid[0]]}, is no number above 0")
    unused = set(rates)
    groups: dict[tuple[bool, float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        prefixes = [prefix for prefix in rates if f"{name}.".startswith(f"{prefix}.")]
        unused -= set(prefixes)
        if parameter.requires_grad:
            rate = rates[max(prefixes, key=len)] if prefixes else 1.0
            decays = not split_decay or (parameter.ndim > 1 and not name.endswith("bias"))
            groups.setdefault((bool(prefixes), rate, not decays), []).append(parameter)
    if unused:
        children = ", ".join(name for name, child in model.named_children() if any(True for _ in child.parameters()))
        raise ConfigError(f"param_groups.rates: no parameter begins with {min(unused)!r}; the model has {children}")
    if not groups:
        raise ConfigError("no parameter is left to train: all are frozen")
    return [_Group(rate, not undecayed, groups[own, rate, undecayed]) for own, rate, undecayed in sorted(groups)]


def _scheduler(optimizer: torch.optim.Optimizer, init: dict[str, Any], steps: int) -> Any:
    """Build a scheduler, with the run's number of steps and the peaks of its groups where it asks for them."""
    options = dict(init.get("init_args", {}))
    if takes(init, "total_steps") and options.get("total_steps") is None and options.get("epochs") is None:
        options["total_steps"] = steps
    if takes(init, "max_lr"):
        options["max_lr"] = [group["lr"] for group in optimizer.param_groups]
    if takes(init, "pct_start") and takes(init, "total_steps"):
        options["pct_start"] = _warm_up(options.get("pct_start", 0.3), steps)
    return instantiate_class(optimizer, {**init, "init_args": options})


def _warm_up(fraction: float, steps: int) -> float:
    """Fraction of the steps in which a OneCycleLR warms up.

    A warm-up of exactly one step is no warm-up: torch, which counts the steps after its first, divides by 0.
    """
    return fraction * (1 - 1e-6) if abs(fraction * steps - 1) < 1e-9 else fraction


def takes(init: dict[str, Any], name: str) -> bool:
    """Return whether the class of {class_path, init_args} takes an argument."""
    module, _, class_name = init["class_path"].rpartition(".")
    return name in inspect.signature(getattr(__import__(module, fromlist=[class_name]), class_name)).parameters


def _named(option: str, init: dict[str, Any] | None, build: Any) -> Any:
    """Build an object; a value that its class refuses becomes a ConfigError that names the option."""
    try:
        return build()
    except (ValueError, TypeError, RuntimeError) as error:
        message = one_line(error)
        options = (init or {}).get("init_args", {})
        culprit = [name for name, value in options.items() if name in message or str(value) in message.split()]
        raise ConfigError(f"{'.'.join([option, *culprit[:1]])}: {message}") from None
