"""SequenceModel: the LightningModule that every architecture extends.

Shapes: B batch, L input bases, T targets.
"""

import inspect
import math
from typing import Any, ClassVar, Self

import torch
from lightning import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from zoo.batch import Batch
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import complement_codes, one_hot
from zoo.metrics.base import TargetMetrics
from zoo.metrics.choose import metrics_for
from zoo.nn.losses import find_loss
from zoo.nn.optimization import Optimization, configured
from zoo.outputs import Output
from zoo.utils.arguments import constructor_arguments
from zoo.utils.text import some_of

__all__ = ["SequenceModel"]


class SequenceModel(LightningModule):
    """A model of DNA: one-hot sequence in, raw values of one `Output` out.

    An architecture is a subclass in its own file under `zoo/models/`, with `forward` and keyword arguments only: they
    are what `config.json`, the YAML and `--help` hold. It can be built from `targets` and `length` alone.

    Args:
        output: what is predicted.
        length: bases that the model reads.
        loss: a name in `zoo.nn.losses.LOSSES`; it fixes the activation too.
    """

    # What the four channels hold at an N.
    unknown_base: ClassVar[float] = 0.0
    # Whether predictions are averaged with those for the reverse complement; an architecture may make it an argument.
    rc_average: bool = False

    # Tracks that are read beside the sequence, the bases that a value of one stands for, and for each the index of its
    # partner on the other strand; an architecture may make them arguments.
    inputs: tuple[str, ...] = ()
    input_size: int = 1
    input_pairs: tuple[int, ...] = ()

    def __init__(self, output: Output, length: int, loss: str) -> None:
        super().__init__()
        if length < 1:
            raise ConfigError(f"a model cannot read {length} bases")
        frame = inspect.currentframe()
        assert frame is not None
        # Given as one dict, so that a LightningCLI does not store its own view of them instead.
        self.save_hyperparameters(constructor_arguments(type(self), frame))
        self.output = output
        self.length = length
        self.loss = find_loss(loss)
        self.optimization = Optimization()
        self.val_scores, self.test_scores = (metrics_for(output, self.loss, split) for split in ("val", "test"))
        # What was taken from another model: names of tensors, and the modules of it that stay as they are.
        self.taken: frozenset[str] = frozenset()
        self.frozen: list[nn.Module] = []
        # Metric -> that of each target, None where it is not defined; after the test.
        self.target_scores: dict[str, list[float | None]] = {}

    @property
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, defaults filled in, as plain JSON values: what `config.json` stores."""
        return dict(self.hparams)

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

    def raw(self, codes: Tensor, inputs: Tensor | None = None) -> Tensor:
        """The raw output (B, *output.shape) for codes (B, L), and inputs (B, I, L / input_size) where there are any."""
        onehot = self.encode(codes)
        found: Tensor = self(onehot) if inputs is None else self(onehot, inputs)
        return found

    def predict(self, codes: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Predict in natural units, averaged over both strands where the model says so.

        Args:
            codes: uint8 (B, L) on the model's device.
            inputs: float32 (B, I, L / input_size), the tracks that are read beside it, in the order of `inputs`.

        Returns:
            float32 (B, *output.shape).

        Raises:
            InputError: a length that the model does not take, or tracks that are missing or not its own.
        """
        self.check_length(codes.shape[1])
        self._check_inputs(codes, inputs)
        return self._predicted(self.raw(codes, inputs), codes, inputs)

    def _predicted(self, raw: Tensor, codes: Tensor, inputs: Tensor | None) -> Tensor:
        """The prediction for codes whose raw output on the given strand is known."""
        # In float32 whatever the precision: in bf16 the probabilities near 1 would be ties.
        forward = self.activation(raw.float())
        if not self.rc_average:
            return forward
        if inputs is not None:
            inputs = inputs.flip(-1)
            inputs = inputs[:, list(self.input_pairs)] if self.input_pairs else inputs
        backward = self.activation(self.raw(complement_codes(codes), inputs).float())
        return (forward + self.output.reverse_complement(backward)) / 2

    def check_length(self, length: int) -> None:
        """Refuse a sequence that is too short or too long, in one sentence."""
        if length < self.min_length or (self.max_length is not None and length > self.max_length):
            takes = (
                f"at least {self.min_length}" if self.max_length is None else f"{self.min_length} to {self.max_length}"
            )
            takes = str(self.length) if self.min_length == self.max_length else takes
            raise InputError(f"the sequence has {length} bases; the model takes {takes}")

    def _check_inputs(self, codes: Tensor, inputs: Tensor | None) -> None:
        """Refuse tracks that are missing, or not those that the model reads."""
        if not self.inputs and inputs is None:
            return
        if inputs is None:
            raise InputError(f"the model reads {len(self.inputs)} tracks beside the sequence: {some_of(self.inputs)}")
        wanted = (len(codes), len(self.inputs), codes.shape[1] // self.input_size)
        if tuple(inputs.shape) != wanted:
            raise InputError(f"the tracks read beside the sequence have the shape {tuple(inputs.shape)}, not {wanted}")

    def training_loss(self, batch: Batch) -> Tensor:
        """What training lowers, ()."""
        return self.loss.function(self.raw(batch.codes, batch.inputs), batch.target, self.target_weight())

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

    def train(self, mode: bool = True) -> Self:
        """Training mode, but for what is frozen."""
        super().train(mode)
        for block in self.frozen:
            block.eval()
        return self

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
        self._score(batch, self.val_scores, "val")

    def test_step(self, batch: Batch, index: int) -> None:
        """Loss and scores of one test batch."""
        self._score(batch, self.test_scores, "test")

    def predict_step(self, batch: Batch | Tensor, index: int) -> Tensor:
        """Predictions of one batch in natural units, (B, *output.shape): what `Trainer.predict` collects.

        Args:
            batch: of a DataModule, or codes (B, L) alone.
            index: of the batch; not used.
        """
        if isinstance(batch, Tensor):
            return self.predict(batch)
        return self.predict(batch.codes, batch.inputs)

    def on_validation_epoch_end(self) -> None:
        """Log the scores of the whole validation set."""
        self._log_scores(self.val_scores, "val")

    def on_test_epoch_end(self) -> None:
        """Log the scores of the whole test set, and keep those of each target."""
        self.target_scores = {
            name: [round(value, 4) if math.isfinite(value) else None for value in values.tolist()]
            for name, values in self._log_scores(self.test_scores, "test").items()
        }

    def _score(self, batch: Batch, scores: TargetMetrics, part: str) -> None:
        raw = self.raw(batch.codes, batch.inputs)
        loss = self.loss.function(raw, batch.target, self.target_weight())
        self.log(f"{part}_loss", loss, prog_bar=True, batch_size=len(batch.codes), sync_dist=True)
        # Scored is what `predict` gives, over both strands where the model reads both; the loss is of one, as trained.
        scores.update(self._predicted(raw, batch.codes, batch.inputs), batch.target)

    def _log_scores(self, scores: TargetMetrics, part: str) -> dict[str, Tensor]:
        """Log the means over targets, from all processes; returns each target's."""
        with scores.sync_context():
            per_target = scores.per_target()
            values = scores.mean(per_target)
            if not self.trainer.sanity_checking:  # a few batches say nothing of the whole split
                scores.warn(per_target)
        scores.reset()
        self.log_dict({f"{part}_{name}": value.float() for name, value in values.items()}, prog_bar=True)
        return per_target

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimiser and schedule of `self.optimization`."""
        steps = int(self.trainer.estimated_stepping_batches) if self.optimization.scheduled else 0
        return configured(self.optimization, dict(self.named_parameters()), self.taken, steps)
