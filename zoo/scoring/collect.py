"""What a model predicts for the batches of a DataModule, unit by unit, put together from all processes and scored.

Shapes: B batch, N units (sequences or windows), M targets that are evaluated, T targets of the model.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from lightning import LightningModule, Trainer
from numpy.typing import NDArray
from torch import Tensor

from zoo.batch import Batch
from zoo.errors import ConfigError
from zoo.inference.engine import Precision
from zoo.metrics.base import TargetMetrics
from zoo.models._base import SequenceModel
from zoo.scoring.data import EvaluationData
from zoo.scoring.kinds import Units
from zoo.scoring.matching import Matching
from zoo.utils.lightning_output import progress_bars, quiet_lightning

__all__ = ["Collected", "Collector", "collect", "make_trainer"]

_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}

Part = tuple[NDArray[np.int64], dict[str, NDArray[Any]]]


class Collected(NamedTuple):
    """Scores of all units, and what they were computed from.

    Attributes:
        arrays: name -> array (N, ...), of what a kind keeps of each unit, in the order of the data.
        scores: score -> value of each target (M,); NaN where it is not defined.
        means: score -> mean over the targets for which it is defined; NaN where any prediction is.
        observed: number of measured values per target (M,).
        reasons: sentences on scores that are not defined.
    """

    arrays: dict[str, NDArray[Any]]
    scores: dict[str, NDArray[np.float64]]
    means: dict[str, float]
    observed: list[int]
    reasons: list[str]


class Collector(LightningModule):
    """Runs in `Trainer.test` or `validate` instead of a model.

    Args:
        model: the model.
        matching: which targets are compared.
        units: what is kept of each unit.
        split: split of the data, for messages.

    Attributes:
        collected: of all processes, after the run; in the first process alone.
    """

    def __init__(self, model: SequenceModel, matching: Matching, units: Units, split: str) -> None:
        super().__init__()
        self.model, self.matching, self.units = model, matching, units
        # Counts values and their ranges; the scores come from what is kept.
        self.metrics = TargetMetrics(matching.names, [], split)
        self.metrics.constant_reason = units.constant_reason
        self._index: list[int] = []
        self._size, self._position = 0, 0
        self._parts: list[Part] = []
        self.collected: Collected | None = None

    def on_test_epoch_start(self) -> None:
        """Look up which units this process reads, in which order."""
        self._begin(self.trainer.test_dataloaders)

    def on_validation_epoch_start(self) -> None:
        """Look up which units this process reads, in which order."""
        self._begin(self.trainer.val_dataloaders)

    def test_step(self, batch: Batch, index: int) -> None:
        """Keep what scores need of one batch."""
        rows = np.array(self._index[self._position : self._position + len(batch.codes)])
        self._position += len(batch.codes)
        keep = torch.from_numpy(rows < self._size).to(self.device)  # others fill up the share of a process
        prediction, target = (values[keep] for values in self._values(batch))
        self.metrics.update(prediction, target)
        self._parts.append((rows[rows < self._size], self.units.of_batch(prediction, target)))

    def validation_step(self, batch: Batch, index: int) -> None:
        """Keep what scores need of one batch."""
        self.test_step(batch, index)

    def on_test_epoch_end(self) -> None:
        """Put the parts of all processes together, and score them."""
        with self.metrics.sync_context():
            parts = _gathered(self._parts)
            if parts is not None:
                self.collected = self._scored(parts)

    def on_validation_epoch_end(self) -> None:
        """Put the parts of all processes together, and score them."""
        self.on_test_epoch_end()

    def _begin(self, loader: Any) -> None:
        self._size, sampler = len(loader.dataset), loader.sampler
        indices = getattr(sampler, "indices", None)
        if indices is None and dist.is_initialized() and dist.get_world_size() > 1:
            raise ConfigError("these data do not say which of them each process reads: evaluate them with one device")
        self._index = list(range(self._size)) if indices is None else list(indices)
        self.units.begin(self._size * len(self.matching.names) * math.prod(self.model.output.shape[1:]))

    def _values(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Predictions and targets (B, M, ...) as scores compare them."""
        of_model, of_data = self.matching.of_model, self.matching.of_data
        shape = (len(batch.target), len(self.model.output.targets), *batch.target.shape[2:])
        target = batch.target.new_full(shape, torch.nan)
        target[:, of_model] = batch.target[:, of_data]
        prediction, target = self.model.scored_values(batch._replace(target=target))
        return prediction[:, of_model].float(), target[:, of_model]

    def _scored(self, parts: list[Part]) -> Collected:
        order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")
        arrays = {name: np.concatenate([values[name] for _, values in parts])[order] for name in parts[0][1]}
        scores = {name: torch.from_numpy(values) for name, values in self.units.scores(arrays).items()}
        scores = {name: values.double() for name, values in self.metrics.masked(scores).items()}
        return Collected(
            arrays,
            {name: values.numpy() for name, values in scores.items()},
            {name: float(value) for name, value in self.metrics.mean(scores).items()},
            self.metrics.ranges.per_target()["observed"].tolist(),
            self.metrics.explain(scores),
        )


def make_trainer(device: str, devices: int, precision: Precision) -> Trainer:
    """Make a Trainer that only tests.

    Raises:
        ConfigError: an unknown precision, or devices that contradict each other.
    """
    if precision not in _PRECISIONS:
        raise ConfigError(f"the precision is 32, bf16 or 16, not {precision!r}")
    if devices < 1:
        raise ConfigError(f"devices is a number from 1 up, not {devices}")
    accelerator, _, index = device.partition(":")
    if index and devices > 1:
        raise ConfigError(f"{device} is one device: leave out devices, or the number of the device")
    quiet_lightning()
    bars = progress_bars()
    options: dict[str, Any] = {"accelerator": accelerator, "devices": [int(index)] if index else devices}
    return Trainer(
        **options,
        precision=_PRECISIONS[precision],  # type: ignore[arg-type]
        callbacks=bars,
        enable_progress_bar=bool(bars),
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def collect(model: SequenceModel, data: EvaluationData, units: Units, trainer: Trainer) -> Collected | None:
    """Predict and score the data; gives None in other processes than the first.

    Raises:
        ConfigError: the training split of data that shuffle and augment it.
    """
    collector = Collector(model, data.matching, units, data.split)
    with _as_it_was(model):
        if data.split == "train":
            raise ConfigError(
                "the training split is shuffled and augmented: evaluate val or test, or files with --split all"
            )
        run = trainer.validate if data.split == "val" else trainer.test
        run(collector, datamodule=data.module, verbose=False)
    return collector.collected


@contextmanager
def _as_it_was(model: SequenceModel) -> Iterator[None]:
    """Leave the model on its device and in its mode."""
    device, training = model.device, [module for module in model.modules() if module.training]
    try:
        yield
    finally:
        model.to(device)
        for module in training:
            module.training = True


def _gathered(parts: list[Part]) -> list[Part] | None:
    """The parts of all processes in the first one, None in the others."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return parts
    group = dist.new_group(backend="gloo")  # the values are in the memory of the processor
    received: list[Any] | None = [None] * dist.get_world_size() if dist.get_rank() == 0 else None
    dist.gather_object(parts, received, group=group)
    return None if received is None else [part for one in received for part in one]
