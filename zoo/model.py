"""SequenceModel: the LightningModule that every architecture extends.

Shapes: B batch, L input bases, T targets.
"""

import inspect
import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import torch
from lightning import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.errors import ConfigError, InputError
from zoo.losses import find_loss
from zoo.metrics import CLASSIFICATION, REGRESSION, TargetMetrics
from zoo.outputs import Output, Tracks
from zoo.sequence import complement_codes, one_hot
from zoo.track_metrics import RankedTrackMetrics, TrackMetrics

__all__ = ["Optimization", "SequenceModel"]


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


class SequenceModel(LightningModule):
    """A model of DNA: one-hot sequence in, raw values of one `Output` out.

    An architecture is a subclass in its own file under `zoo/models/`, with `forward` and keyword arguments only: they
    are what `config.json`, the YAML and `--help` hold. It can be built from `targets` and `length` alone.

    Args:
        output: what is predicted.
        length: bases that the model reads.
        loss: a name in `zoo.losses.LOSSES`; it fixes the activation too.
    """

    # What the four channels hold at an N.
    unknown_base: ClassVar[float] = 0.0
    # Whether predictions are averaged with those for the reverse complement; an architecture may make it an argument.
    both_strands: bool = False

    # The keyword arguments it was built with, defaults filled in: what `config.json` keeps.
    arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Note the arguments, once for every architecture. (A copy is made without any and brings its own.)"""
        self = super().__new__(cls)
        bound = inspect.signature(cls).bind_partial(*args, **kwargs)
        bound.apply_defaults()
        object.__setattr__(self, "arguments", {key: _plain(value) for key, value in bound.arguments.items()})
        return self

    def __init__(self, output: Output, length: int, loss: str) -> None:
        super().__init__()
        if length < 1:
            raise ConfigError(f"a model cannot read {length} bases")
        self.output = output
        self.length = length
        self.loss = find_loss(loss)
        self.optimization = Optimization()
        self.valid_scores, self.test_scores = self._new_scores(TrackMetrics), self._new_scores(RankedTrackMetrics)
        # Metric -> that of each target, None where it is not defined; after the test.
        self.target_scores: dict[str, list[float | None]] = {}

    def _new_scores(self, of_tracks: type[TrackMetrics]) -> TargetMetrics | TrackMetrics:
        """The metrics of what is predicted."""
        if isinstance(self.output, Tracks):
            return of_tracks(len(self.output.targets), self.loss.counts)
        return TargetMetrics(CLASSIFICATION if self.loss.classifies else REGRESSION)

    @property
    def min_length(self) -> int:
        """The shortest sequence the model takes."""
        return self.length

    @property
    def max_length(self) -> int | None:
        """The longest sequence the model takes; None when there is no limit."""
        return self.length

    def activation(self, raw: Tensor) -> Tensor:
        """Turn raw output into natural units, shape unchanged."""
        return self.loss.activation(raw)

    def encode(self, codes: Tensor) -> Tensor:
        """Turn codes (B, L) uint8 into the model's one-hot input (B, 4, L)."""
        return one_hot(codes, self.unknown_base)

    def predict(self, codes: Tensor) -> Tensor:
        """Predict in natural units, averaged over both strands where the model says so.

        Args:
            codes: uint8 (B, L) on the model's device.

        Returns:
            float32 (B, *output.shape).

        Raises:
            InputError: a length that the model does not take.
        """
        self.check_length(codes.shape[1])
        return self._predicted(self(self.encode(codes)), codes)

    def _predicted(self, raw: Tensor, codes: Tensor) -> Tensor:
        """The prediction for codes whose raw output on the given strand is known."""
        # In float32 whatever the precision: in bf16 the probabilities near 1 would be ties.
        forward = self.activation(raw.float())
        if not self.both_strands:
            return forward
        backward = self.activation(self(self.encode(complement_codes(codes))).float())
        return (forward + self.output.reverse_complement(backward)) / 2

    def check_length(self, length: int) -> None:
        """Refuse a sequence that is too short or too long, in one sentence."""
        if length < self.min_length or (self.max_length is not None and length > self.max_length):
            takes = (
                f"at least {self.min_length}" if self.max_length is None else f"{self.min_length} to {self.max_length}"
            )
            takes = str(self.length) if self.min_length == self.max_length else takes
            raise InputError(f"the sequence has {length} bases; the model takes {takes}")

    def training_loss(self, batch: Batch) -> Tensor:
        """What training lowers, ()."""
        return self.loss.function(self(self.encode(batch.codes)), batch.target, self.target_weight())

    def target_weight(self) -> Tensor | None:
        """How much each target counts in training, (T, 1, ...), of as many dimensions as the output."""
        weights = self.optimization.target_weights
        if weights is None:
            return None
        shape = self.output.shape
        if len(weights) != shape[0]:
            raise ConfigError(f"there are {len(weights)} target_weights for {shape[0]} targets")
        return torch.tensor(weights, device=self.device).view(-1, *[1] * (len(shape) - 1))

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Loss of one batch."""
        loss = self.training_loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, batch_size=len(batch.codes))
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Hold every unit's weights to `max_norm`."""
        if self.optimization.max_norm is None:
            return
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
                    module.weight.copy_(torch.renorm(module.weight, 2, 0, self.optimization.max_norm))

    def validation_step(self, batch: Batch, index: int) -> None:
        """Loss and scores of one validation batch."""
        self._score(batch, self.valid_scores, "valid")

    def test_step(self, batch: Batch, index: int) -> None:
        """Loss and scores of one test batch."""
        self._score(batch, self.test_scores, "test")

    def on_validation_epoch_end(self) -> None:
        """Log the scores of the whole validation set."""
        self._log_scores(self.valid_scores, "valid")

    def on_test_epoch_end(self) -> None:
        """Log the scores of the whole test set, and keep those of each target."""
        self.target_scores = {
            name: [round(value, 4) if math.isfinite(value) else None for value in values.tolist()]
            for name, values in self._log_scores(self.test_scores, "test").items()
        }

    def _score(self, batch: Batch, scores: TargetMetrics | TrackMetrics, part: str) -> None:
        raw = self(self.encode(batch.codes))
        loss = self.loss.function(raw, batch.target, self.target_weight())
        self.log(f"{part}_loss", loss, prog_bar=True, batch_size=len(batch.codes), sync_dist=True)
        # Scored is what `predict` gives, over both strands where the model reads both; the loss is of one, as trained.
        scores.update(self._predicted(raw, batch.codes), batch.target)

    def _log_scores(self, scores: TargetMetrics | TrackMetrics, part: str) -> dict[str, Tensor]:
        """Log the means over targets, from all processes; returns each target's."""
        with scores.sync_context():
            each = scores.each()
            values = scores.mean(each)
        scores.reset()
        self.log_dict({f"{part}_{name}": value.float() for name, value in values.items()}, prog_bar=True)
        return each

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimiser and schedule of `self.optimization`."""
        plan = self.optimization
        named = list(self.named_parameters())
        decayed = [p for name, p in named if p.ndim > 1 and not name.endswith("bias")]
        others = [p for name, p in named if p.ndim <= 1 or name.endswith("bias")]
        groups = [
            {"params": decayed, "weight_decay": plan.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        optimizer_class = getattr(torch.optim, plan.optimizer)
        options: dict[str, dict[str, Any]] = {
            "AdamW": {"betas": plan.betas},
            "SGD": {"momentum": plan.momentum},
            "RMSprop": {"momentum": plan.momentum, "alpha": plan.alpha},
        }
        optimizer = optimizer_class(groups, lr=plan.learning_rate, **options[plan.optimizer])
        if plan.schedule == "constant":
            return {"optimizer": optimizer}
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=plan.learning_rate,
            total_steps=int(self.trainer.estimated_stepping_batches),
            pct_start=plan.warmup,
            cycle_momentum=False,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _plain(value: Any) -> Any:
    """A value as JSON would give it back: sequences as lists."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
