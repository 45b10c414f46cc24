"""Callbacks of training: seeding, stopping between batches, maximal norms of weights and gradients, frozen modules."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from lightning import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from zoo.errors import ConfigError
from zoo.nn.units import by_unit, is_weight, unit_dims

__all__ = [
    "ClipEach",
    "FreezeModules",
    "FreezeStatistics",
    "MaxNorm",
    "SeedEachEpoch",
    "StopBetweenBatches",
    "answer_between_batches",
]


class SeedEachEpoch(Callback):
    """Seed random numbers at each epoch from the run's seed and the epoch's number.

    So an epoch is the same whether the run got there in one go or was killed and resumed.

    Args:
        seed: seed of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Seed dropout and whatever else draws, at the first batch of an epoch.

        Before it, Lightning draws random numbers or not, as the epoch is the first of a process or a later one.
        """
        if batch_idx == 0:
            seed = self.seed * 100_003 + trainer.current_epoch * 1_009 + trainer.global_rank
            seed_everything(seed % 2**32, verbose=False)


class MaxNorm(Callback):
    """Hold the norm of the weights into each unit to a maximum, after each step (Basset was trained with 7).

    It applies to every trainable weight of two or more dimensions; biases are left alone. A unit is an index of the
    weight's first dimension, as in linear layers and convolutions. A module whose units lie along other dimensions
    names them in `unit_dims`; transposed convolutions are known.

    Args:
        max_norm: largest Euclidean norm.
    """

    def __init__(self, max_norm: float) -> None:
        if not max_norm > 0:
            raise ConfigError(f"max_norm is a number above 0, not {max_norm}")
        self.max_norm = max_norm

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Scale down the weights of units whose norm is too large."""
        with torch.no_grad():
            for module in pl_module.modules():
                for name, weight in module.named_parameters(recurse=False):
                    if weight.requires_grad and is_weight(name, weight):
                        _limit_norms(weight, unit_dims(module), self.max_norm)


def _limit_norms(weight: Tensor, dims: tuple[int, ...], max_norm: float) -> None:
    """Limit the norm of each unit's weights in place."""
    units = by_unit(weight, dims)  # a view (units..., inputs...)
    rows = units.flatten(0, len(dims) - 1).flatten(1)  # (units, inputs)
    units.copy_(torch.renorm(rows, 2, 0, max_norm).view(units.shape))


class FreezeModules(Callback):
    """Freeze modules: weights, dropout and batch statistics; for the whole run, or in the first epochs.

    Args:
        modules: names of modules, such as `trunk` or `trunk.0`.
        epochs: number of epochs before they are trained too; None for the whole run. Until then their
            gradients are computed and dropped, so that it works with several devices as well.
        train_mode: freeze the weights alone: dropout acts, and batch statistics follow the new data.
    """

    def __init__(self, modules: list[str], epochs: int | None = None, train_mode: bool = False) -> None:
        if epochs is not None and epochs < 1:
            raise ConfigError(f"epochs is a number from 1 up, not {epochs}")
        self.names, self.epochs, self.train_mode = modules, epochs, train_mode
        self._modules: list[nn.Module] = []

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the modules, before the optimizer is built.

        Raises:
            ConfigError: a name that no module has.
        """
        if stage != "fit":
            return
        self._modules = find_modules(pl_module, self.names)
        if self.epochs is None:
            for module in self._modules:
                module.requires_grad_(False)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Set frozen modules to evaluation mode; those that are frozen no more, to training mode."""
        for module in self._modules:
            module.train(self.train_mode or not self._are_frozen(trainer))

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Drop the gradients of frozen modules."""
        if self._are_frozen(trainer):
            for module in self._modules:
                module.zero_grad(set_to_none=True)

    def _are_frozen(self, trainer: Trainer) -> bool:
        return self.epochs is None or trainer.current_epoch < self.epochs


class ClipEach(Callback):
    """Clip the gradient of each weight by its own norm, as Keras' `clipnorm` does.

    The Trainer's `gradient_clip_val` clips the gradients of all weights as one.

    Args:
        max_norm: largest Euclidean norm of the gradient of a weight.
    """

    def __init__(self, max_norm: float) -> None:
        if not max_norm > 0:
            raise ConfigError(f"max_norm is a number above 0, not {max_norm}")
        self.max_norm = max_norm

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Any) -> None:
        """Scale down the gradients whose norm is too large; those of fp16 are unscaled already."""
        for group in optimizer.param_groups:
            for weight in group["params"]:
                nn.utils.clip_grad_norm_(weight, self.max_norm)


class FreezeStatistics(Callback):
    """Let batch norms normalize by the running statistics that they have, and keep these, while all else is trained.

    With few data, statistics of the new batches ruin what a model had learnt.

    Args:
        modules: names of modules; the batch norms in them are frozen.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self.names = list(modules)
        self._norms: list[nn.Module] = []

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the batch norms.

        Raises:
            ConfigError: a name that no module has.
        """
        modules = find_modules(pl_module, self.names)
        self._norms = [norm for module in modules for norm in module.modules() if isinstance(norm, _BatchNorm)]

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Set the batch norms to evaluation mode, whatever set them to training mode."""
        for norm in self._norms:
            norm.eval()


def find_modules(model: nn.Module, names: list[str]) -> list[nn.Module]:
    """Modules by name. Raises: ConfigError: a name that none has."""
    modules = dict(model.named_modules())
    if unknown := [name for name in names if name not in modules]:
        children = ", ".join(name for name, _ in model.named_children())
        raise ConfigError(f"there is no module {unknown[0]!r} to freeze; the model has {children}")
    return [modules[name] for name in names]


class StopBetweenBatches(Callback):
    """End a run before its next batch once Ctrl-C was pressed."""

    pressed = False

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        """End the run if Ctrl-C was pressed."""
        self.stop_if_pressed()

    def on_validation_batch_start(self, trainer: Trainer, *_: Any) -> None:
        """End the run if Ctrl-C was pressed."""
        self.stop_if_pressed()

    def stop_if_pressed(self) -> None:
        """Raises: KeyboardInterrupt: Ctrl-C was pressed."""
        if self.pressed:
            raise KeyboardInterrupt


@contextmanager
def answer_between_batches(trainer: Trainer) -> Iterator[StopBetweenBatches]:
    """Let the trainer answer Ctrl-C between two batches; a second one acts at once.

    Python raises KeyboardInterrupt wherever it happens to be: in a finaliser it would be printed and lost. Of several
    processes the first one answers, SIGTERM too, and ends the others.
    """
    stop = StopBetweenBatches()
    if threading.current_thread() is not threading.main_thread():  # which alone receives signals
        yield stop
        return
    trainer.callbacks.append(stop)  # type: ignore[attr-defined]

    def remember(number: int, frame: FrameType | None) -> None:
        """Remember that the run is to stop, and let the next signal act as always."""
        stop.pressed = True
        signal.signal(number, before[number])

    def end(number: int, frame: FrameType | None) -> None:
        """End at once: Lightning's own answer waits for the other processes."""
        os._exit(128 + number)

    handlers: dict[int, Any] = {signal.SIGINT: remember}
    if trainer.world_size > 1:
        is_first = trainer.is_global_zero
        handlers = {signal.SIGINT: remember if is_first else signal.SIG_IGN}
        handlers[signal.SIGTERM] = remember if is_first else end
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield stop
        stop.stop_if_pressed()  # after the last batch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        trainer.callbacks.remove(stop)  # type: ignore[attr-defined]
