"""How a model is trained: optimiser, schedule, what is frozen. Split of a run, never needed to load."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn

__all__ = ["Optimization", "configured"]


@dataclass
class Optimization:
    """How a model is trained: part of a run, never needed to load.

    Args:
        optimizer: the name of a torch optimiser.
        learning_rate: the peak of the schedule.
        weight_decay: of every parameter with more than one dimension; biases and normalisation have none.
        momentum: for SGD and RMSprop.
        alpha: for RMSprop: how slowly it forgets.
        betas: for AdamW.
        schedule: `one_cycle` (warm up, then cosine down to zero, over the whole run) or `constant`.
        warmup: the share of the steps in which `one_cycle` rises.
        target_weights: how much each target counts in the training loss; None for all alike. Squared errors of
            measurements that spread differently are made comparable by one over their variances.
        max_norm: the largest norm of the weights into one unit of a convolution or dense layer, held after each step
            (Basset was trained with 7); None for no limit.
        trunk_from: the name of a model whose trunk this one's begins with, such as `basenji.yeast`; None for none.
        trunk_rate: the learning rate of what was taken from it, relative to the rest; 0 leaves it as it is.
    """

    optimizer: Literal["AdamW", "SGD", "RMSprop"] = "AdamW"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    alpha: float = 0.99
    betas: tuple[float, float] = (0.9, 0.999)
    schedule: Literal["one_cycle", "constant"] = "one_cycle"
    warmup: float = 0.1
    target_weights: list[float] | None = None
    max_norm: float | None = None
    trunk_from: str | None = None
    trunk_rate: float = 1.0

    @property
    def scheduled(self) -> bool:
        """Whether the learning rate changes over the run."""
        return self.schedule != "constant"


def configured(
    plan: Optimization, parameters: dict[str, nn.Parameter], taken: Collection[str], steps: int
) -> OptimizerLRScheduler:
    """The optimiser and schedule of a plan, as Lightning takes them.

    Args:
        plan: what to build.
        parameters: of the model, by name; those that need no gradient are left out.
        taken: names of those that come from another model.
        steps: of the whole run, for a schedule.
    """
    groups: list[dict[str, Any]] = []
    for rate, chosen in ((1.0, parameters.keys() - set(taken)), (plan.trunk_rate, parameters.keys() & set(taken))):
        learned = {name: p for name, p in parameters.items() if name in chosen and p.requires_grad}
        decayed = [p for name, p in learned.items() if p.ndim > 1 and not name.endswith("bias")]
        others = [p for name, p in learned.items() if p.ndim <= 1 or name.endswith("bias")]
        groups += [
            {"params": some, "weight_decay": decay, "lr": rate * plan.learning_rate}
            for some, decay in ((decayed, plan.weight_decay), (others, 0.0))
            if some
        ]
    optimizer_class = getattr(torch.optim, plan.optimizer)
    options: dict[str, dict[str, Any]] = {
        "AdamW": {"betas": plan.betas},
        "SGD": {"momentum": plan.momentum},
        "RMSprop": {"momentum": plan.momentum, "alpha": plan.alpha},
    }
    optimizer = optimizer_class(groups, lr=plan.learning_rate, **options[plan.optimizer])
    if not plan.scheduled:
        return {"optimizer": optimizer}
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=[group["lr"] for group in groups],
        total_steps=steps,
        pct_start=plan.warmup,
        cycle_momentum=False,
    )
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
