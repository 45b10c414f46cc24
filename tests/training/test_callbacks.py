"""Callbacks: norms that are held, modules that stay frozen, alone and through a Trainer."""

from typing import Any

import pytest
import torch
from lightning import Trainer
from torch import nn
from torch.utils.data import DataLoader

from zoo.batch import Batch
from zoo.errors import ConfigError
from zoo.hub.architectures import architectures
from zoo.models.basset import Basset
from zoo.models.deepbind import DeepBind
from zoo.nn.conv_stack import ConvStackConfig
from zoo.training.callbacks import ClipEach, FreezeModules, MaxNorm

TRAINER: Any = None


def batches(count: int = 2) -> Any:
    torch.manual_seed(1)
    rows = [Batch(torch.randint(0, 4, (8, 60), dtype=torch.uint8), torch.rand(8, 1).round()) for _ in range(count)]
    return DataLoader(rows, batch_size=None)  # type: ignore[arg-type]


def basset() -> Basset:
    torch.manual_seed(0)
    return Basset(["a"], 60, ConvStackConfig(filters=(6, 5), widths=(9, 3), pools=(4, 1)), hidden=(8,))


def fit(model: Any, callbacks: list[Any], epochs: int = 1) -> None:
    Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(model, batches())


@pytest.mark.parametrize("layer", [nn.Linear(5, 7), nn.Conv1d(4, 6, 3), nn.Conv2d(4, 6, 3)])
def test_norms_of_torch_layers_are_those_of_renorm(layer: nn.Module) -> None:
    weight, bias = (parameter.detach().clone() for parameter in layer.parameters())
    MaxNorm(0.3).on_train_batch_end(TRAINER, layer)  # type: ignore[arg-type]
    assert torch.equal(next(layer.parameters()), torch.renorm(weight, 2, 0, 0.3))
    assert torch.equal(list(layer.parameters())[1], bias)


def test_norms_of_transposed_convolutions_are_of_their_outputs() -> None:
    layer = nn.ConvTranspose1d(4, 6, 3)
    nn.init.normal_(layer.weight)  # so that all norms are far above the limit
    MaxNorm(0.3).on_train_batch_end(TRAINER, layer)  # type: ignore[arg-type]
    assert torch.allclose(layer.weight.norm(dim=(0, 2)), torch.tensor(0.3), atol=1e-4)


@pytest.mark.parametrize("members", [1, 3])
def test_norms_of_deepbind_are_of_each_filter_and_each_unit_of_each_net(members: int) -> None:
    model = DeepBind(["a"], 30, ensemble_members=members, hidden=4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    MaxNorm(0.5).on_train_batch_end(TRAINER, model)
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2 or name.endswith("bias"):
            assert parameter.abs().max() > 0.5
        else:
            inputs = (1,) if name.startswith("head") else (1, 2)
            assert torch.allclose(parameter.norm(dim=inputs), torch.tensor(0.5), atol=1e-4), name


@pytest.mark.parametrize("architecture", architectures())
def test_no_norm_is_too_large_whatever_the_architecture(architecture: str) -> None:
    from test_contract import build

    model = build(architecture)
    frozen = next(parameter for parameter in model.parameters() if parameter.ndim > 1).requires_grad_(False)
    before = frozen.clone()
    MaxNorm(0.01).on_train_batch_end(TRAINER, model)
    assert torch.equal(frozen, before)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and parameter.requires_grad and not name.endswith("bias"):
            assert parameter.abs().max() <= 0.0101, name


def test_a_maximum_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        MaxNorm(0)


def test_the_trainer_holds_norms() -> None:
    model = basset()
    fit(model, [MaxNorm(0.2)])
    assert max(float(p.detach().flatten(1).norm(dim=1).max()) for p in model.parameters() if p.ndim > 1) <= 0.2001


@pytest.mark.parametrize("train_mode", [False, True])
def test_what_is_frozen_stays_as_it_is(train_mode: bool) -> None:
    model = basset()
    block = next(name for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit(model, [FreezeModules([block], train_mode=train_mode)])
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    inside = {name.removeprefix(f"{block}.") for name in changed if name.startswith(f"{block}.")}
    assert inside == ({"running_mean", "running_var", "num_batches_tracked"} if train_mode else set())
    assert any(not name.startswith(block) for name in changed)


def test_modules_learn_after_their_epochs() -> None:
    states = []
    for epochs in (1, 2):
        model = basset()
        before = {name: value.clone() for name, value in model.named_parameters()}
        fit(model, [FreezeModules(["trunk", "head"], epochs=1)], epochs=epochs)
        states.append({n for n, value in model.named_parameters() if not torch.equal(value, before[n])})
    assert not states[0]
    assert states[1]


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="no module 'trunkk' to freeze"):
        fit(basset(), [FreezeModules(["trunkk"])])


def test_each_gradient_is_clipped_by_its_own_norm() -> None:
    weights = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))]
    weights[0].grad, weights[1].grad = torch.tensor([3.0, 4.0]), torch.tensor([0.5])
    ClipEach(1.0).on_before_optimizer_step(TRAINER, basset(), torch.optim.SGD(weights, lr=0.1))
    assert weights[0].grad.tolist() == pytest.approx([0.6, 0.8])
    assert weights[1].grad.tolist() == [0.5]
    with pytest.raises(ConfigError, match="max_norm is a number above 0"):
        ClipEach(0.0)


def test_a_step_of_clipped_gradients_is_no_longer_than_the_norm() -> None:
    model = basset()
    model.configure_optimizers = lambda: torch.optim.SGD(model.parameters(), lr=1.0)  # type: ignore[method-assign]
    before = [one.detach().clone() for one in model.parameters()]
    fit(model, [ClipEach(1e-3)])
    lengths = [float((one - old).norm()) for one, old in zip(model.parameters(), before, strict=True)]
    assert 0 < max(lengths) <= 2 * 1e-3 * 1.001  # of two batches
