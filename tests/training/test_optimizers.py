"""Optimizer, scheduler and groups of parameters, as the configuration names them."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from zoo.errors import ConfigError
from zoo.models.basset import Basset
from zoo.models.mlp import MLP
from zoo.nn.conv_stack import ConvStackConfig
from zoo.training.optimizers import OptimizerPlan, ParamGroups, check_optimizers, use_optimizers

ADAMW = {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.5, "weight_decay": 0.1}}
ONE_CYCLE = {
    "class_path": "torch.optim.lr_scheduler.OneCycleLR",
    "init_args": {"max_lr": 0.5, "total_steps": None, "epochs": None, "pct_start": 0.1, "cycle_momentum": False},
}


def small_basset() -> Basset:
    return Basset(["a"], 60, ConvStackConfig(filters=(6,), widths=(9,), pools=(4,)), hidden=(8,))


def configured(model: Any, plan: OptimizerPlan, steps: int = 50) -> Any:
    model._trainer = SimpleNamespace(estimated_stepping_batches=steps)
    use_optimizers(model, plan)
    return model.configure_optimizers()


def settings_by_name(model: Any, optimizer: torch.optim.Optimizer, key: str) -> dict[str, float]:
    values = {id(p): group[key] for group in optimizer.param_groups for p in group["params"]}
    return {name: values[id(parameter)] for name, parameter in model.named_parameters()}


def test_norms_and_biases_have_no_weight_decay() -> None:
    model = small_basset()
    decay = settings_by_name(model, configured(model, OptimizerPlan(ADAMW))["optimizer"], "weight_decay")
    for name, parameter in model.named_parameters():
        assert decay[name] == (0.1 if parameter.ndim > 1 else 0.0), name
    everywhere = OptimizerPlan(ADAMW, groups=ParamGroups(decay_all=True))
    assert set(settings_by_name(model, configured(model, everywhere)["optimizer"], "weight_decay").values()) == {0.1}


def test_the_longest_prefix_gives_the_rate() -> None:
    model = MLP(["a"], 20, hidden=[8, 8])
    plan = OptimizerPlan(ADAMW, groups=ParamGroups(rates={"trunk": 0.1, "trunk.layers.3": 0.5}))
    rates = settings_by_name(model, configured(model, plan)["optimizer"], "lr")
    assert {name.rsplit(".", 1)[0]: rate for name, rate in rates.items()} == {
        "trunk.layers.0": pytest.approx(0.05),
        "trunk.layers.3": pytest.approx(0.25),
        "head.0": 0.5,
    }


def test_a_cycle_spans_the_run_and_peaks_at_each_group_s_rate() -> None:
    model = MLP(["a"], 20, hidden=[8])
    plan = OptimizerPlan(ADAMW, ONE_CYCLE, ParamGroups(rates={"trunk": 0.1}))
    config = configured(model, plan, steps=50)
    assert config["lr_scheduler"]["interval"] == "step"
    optimizer, scheduler = config["optimizer"], config["lr_scheduler"]["scheduler"]
    assert scheduler.total_steps == 50
    peaks = [0.0] * len(optimizer.param_groups)
    for _ in range(49):
        optimizer.step()
        scheduler.step()
        peaks = [max(peak, group["lr"]) for peak, group in zip(peaks, optimizer.param_groups, strict=True)]
    assert sorted({round(peak, 6) for peak in peaks}) == [0.05, 0.5]
    assert all(group["lr"] < 1e-4 for group in optimizer.param_groups)


def test_other_schedulers_step_each_epoch() -> None:
    step = {"class_path": "torch.optim.lr_scheduler.StepLR", "init_args": {"step_size": 3}}
    assert configured(small_basset(), OptimizerPlan(ADAMW, step))["lr_scheduler"]["interval"] == "epoch"
    plateau = {"class_path": "lightning.pytorch.cli.ReduceLROnPlateau", "init_args": {"monitor": "val_loss"}}
    assert configured(small_basset(), OptimizerPlan(ADAMW, plateau))["lr_scheduler"]["monitor"] == "val_loss"


def test_what_is_frozen_is_not_given_to_the_optimizer() -> None:
    model = MLP(["a"], 20, hidden=[8])
    model.trunk.requires_grad_(False)
    default: Any = MLP.configure_optimizers(model)
    for optimizer in (configured(model, OptimizerPlan(ADAMW))["optimizer"], default):
        params = {id(p) for group in optimizer.param_groups for p in group["params"]}
        assert params == {id(p) for p in model.head.parameters()}
    assert isinstance(default, torch.optim.AdamW)
    assert default.defaults["lr"] == 1e-3


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (OptimizerPlan({**ADAMW, "init_args": {"lr": -1.0}}), ["optimizer.lr", "-1.0"]),
        (OptimizerPlan({**ADAMW, "init_args": {"lr": 0.1, "weight_decay": -2.0}}), ["optimizer.weight_decay", "-2"]),
        (
            OptimizerPlan(ADAMW, {**ONE_CYCLE, "init_args": {"pct_start": 2.0}}),
            ["lr_scheduler.pct_start", "between 0 and 1"],
        ),
        (OptimizerPlan(None, ONE_CYCLE), ["lr_scheduler needs an optimizer"]),
        (OptimizerPlan(groups=ParamGroups(rates={"trunkk": 0.1})), ["'trunkk'", "trunk", "head"]),
        (OptimizerPlan(groups=ParamGroups(rates={"trunk": 0.0})), ["'trunk'", "above 0"]),
    ],
)
def test_impossible_values_are_refused_by_name(plan: OptimizerPlan, words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        check_optimizers(MLP(["a"], 20, hidden=[8]), plan)
    assert all(word in str(error.value) for word in words), error.value


@pytest.mark.parametrize(
    ("steps", "fraction"), [(10, 0.1), (20, 0.05), (4, 0.25), (2, 0.5), (5, 0.2), (1, 0.1), (7, 0.1)]
)
def test_a_short_run_goes_through_its_whole_cycle(steps: int, fraction: float) -> None:
    cycle = {**ONE_CYCLE, "init_args": {**ONE_CYCLE["init_args"], "pct_start": fraction}}  # type: ignore[dict-item]
    config = configured(MLP(["a"], 20, hidden=[8]), OptimizerPlan(ADAMW, cycle), steps)
    rates = []
    for _ in range(steps):
        rates.append(config["optimizer"].param_groups[0]["lr"])
        config["optimizer"].step()
        if len(rates) < steps:
            config["lr_scheduler"]["scheduler"].step()
    assert all(0 < rate <= 0.5 for rate in rates)
    if steps > 1:
        assert max(rates) == pytest.approx(0.5, rel=1e-2)
        assert rates[-1] < 1e-4
