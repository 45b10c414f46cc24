"""SequenceModel: the LightningModule that every architecture extends.

Shapes: B batch, L input bases, T targets.
"""

import inspect
import math
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from zoo.batch import Batch, InputSpec
from zoo.errors import ConfigError
from zoo.metrics.base import LossMean, TargetMetrics
from zoo.metrics.choose import metrics_for
from zoo.models._inference import InferenceModel
from zoo.nn.ensemble import EnsembleHead
from zoo.nn.losses import LossSum, means_and_differences
from zoo.nn.parallel import broadcast_buffers, mean_over_processes
from zoo.nn.scale import TargetScaleConfig, target_scale, target_transform
from zoo.outputs import Output
from zoo.utils.arguments import constructor_arguments, plain

__all__ = ["SequenceModel"]


class SequenceModel(InferenceModel):
    """A model of DNA: one-hot sequence in, raw values of one `Output` out.

    An architecture is a subclass in its own file under `zoo/models/`. Its constructor sets `trunk` and `head`, and has
    keyword arguments only: they are what `config.json`, the YAML and `--help` hold. It can be built from `targets` and
    `length` alone. `zoo.models._inference` has the half that predicts.

    Args:
        output: what is predicted.
        length: bases that the model reads.
        loss: a name in `zoo.nn.losses.LOSSES`; it fixes the activation too.
        inputs: tracks that are read in addition to the sequence; an architecture may make it an argument.
    """

    def __init__(self, output: Output, length: int, loss: str, inputs: InputSpec = InputSpec()) -> None:  # noqa: B008
        super().__init__(output, length, loss, inputs)
        frame = inspect.currentframe()
        assert frame is not None
        # Given as one dict, so that a LightningCLI does not store its own view of them instead.
        self.save_hyperparameters(constructor_arguments(type(self), frame))
        self.target_weights: tuple[float, ...] | None = None
        # Not of a model that is built for its shapes alone: see `zoo.hub.meta_device`.
        if torch.get_default_device().type != "meta":
            self.train_loss, self.val_loss, self.test_loss = LossMean(), LossMean(), LossMean()
            self.val_scores, self.test_scores = (metrics_for(output, self.loss, split) for split in ("val", "test"))
        # Metric -> that of each target, None where it is not defined; after the test.
        self.target_scores: dict[str, list[float | None]] = {}

    @property
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, defaults filled in, as plain JSON values: what `config.json` stores."""
        return dict(self.hparams)

    def training_loss(self, batch: Batch) -> LossSum:
        """Training loss of one batch; of an ensemble, that of its members' own losses.

        Training the average of ensemble members would make them depend on each other.
        """
        target = self._learnt(batch.target)
        if isinstance(self.head, EnsembleHead):
            features = self.trunk(self.encode(batch.codes), batch.inputs)
            raw = self.head.member_outputs(features)  # (B, M, *output.shape)
            target = target.unsqueeze(1).expand_as(raw)
        else:
            raw = self.raw(batch.codes, batch.inputs)
        if batch.difference_weight is not None:
            raw, target = (means_and_differences(values, batch.difference_weight) for values in (raw, target))
        return self.loss.function(raw, target, self.target_weight())

    def scale_targets(self, config: TargetScaleConfig | None) -> nn.Module:
        """Build the module that scales raw outputs to the targets' own units: the last of a head.

        Args:
            config: None for targets that are learnt in their own units.
        """
        self.target_transform = target_transform(config, self.output.shape, self.loss.activation)
        return target_scale(config, self.output.shape, self.loss.activation)

    def learn_scaled(self, config: TargetScaleConfig) -> None:
        """Learn the targets in other units, predict in their own; for a new model, before it is trained.

        Args:
            config: units with a scaled loss. It becomes an argument of the model, so that checkpoints hold it.

        Raises:
            ConfigError: the model takes no `target_scale`, has one already, or the values are invalid.
        """
        if self.hparams.get("target_scale", config) is not None or not config.scaled_loss:
            raise ConfigError("only a model that takes a target_scale and has none can learn its targets scaled")
        self.target_transform = target_transform(config, self.output.shape, self.loss.activation)
        self.save_hyperparameters({**self.hparams, "target_scale": plain(config)})  # loggers write those saved last

    def _learnt(self, target: Tensor) -> Tensor:
        """Targets (B, *output.shape) in the units in which they are learnt."""
        return target if self.target_transform is None else self.target_transform(target)

    def weigh_targets(self, weights: Sequence[float] | None) -> None:
        """Let targets count differently in the loss of training and validation.

        Args:
            weights: one number from 0 up for each target (T); None for all alike. Squared errors of measurements that
                spread differently become comparable by one over their variances.

        Raises:
            ConfigError: another number of weights than of targets, or one that is negative or not finite.
        """
        if weights is not None:
            targets = len(self.output.targets)
            if len(weights) != targets:
                raise ConfigError(f"there are {len(weights)} target_weights for {targets} targets")
            if not all(0 <= weight < math.inf for weight in weights) or not any(weights):
                raise ConfigError(f"target_weights are numbers from 0 up, not all 0: not {list(weights)}")
        self.target_weights = None if weights is None else tuple(weights)

    def target_weight(self) -> Tensor | None:
        """Weight of each target in the loss, (T, 1, ...), of the output's dimensions; None for equal weights."""
        if self.target_weights is None:
            return None
        weights = torch.tensor(self.target_weights, device=self.device)
        return weights.view(-1, *[1] * (len(self.output.shape) - 1))  # (T, 1, ...)

    def on_fit_start(self) -> None:
        """Set a model that was loaded, in evaluation mode, to training mode; modules without a weight to train stay."""
        if self.training:
            return  # Lightning keeps modes, and so does this where only some modules are in evaluation mode
        self.train()
        for module in self.modules():
            weights = list(module.parameters())
            if weights and not any(weight.requires_grad for weight in weights):
                module.eval()

    def on_train_epoch_start(self) -> None:
        """Announce the training loss, which Lightning computes after the epoch; logging each step would take time."""
        # The attribute is named, since Lightning does not find that of a copy of a model that was trained.
        name = "train_loss"
        self.log(name, self.train_loss, on_step=False, on_epoch=True, metric_attribute=name, prog_bar=True)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Mean loss of one batch; with several processes, that of the batches of all is what their gradients are of."""
        loss = self.training_loss(batch)
        self.train_loss.update(*loss)
        return mean_over_processes(loss)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Loss and scores of one validation batch."""
        self._score(batch, self.val_scores, "val")

    def test_step(self, batch: Batch, index: int) -> None:
        """Loss and scores of one test batch."""
        self._score(batch, self.test_scores, "test")

    def predict_step(self, batch: Batch | Tensor, index: int) -> Tensor:
        """Predictions of one batch in natural units, (B, *output.shape): what `Trainer.predict` collects.

        Args:
            batch: batch of a DataModule, or codes (B, L) alone.
            index: index of the batch; not used.
        """
        if isinstance(batch, Tensor):
            return self.predict(batch)
        return self.predict(batch.codes, batch.inputs)

    def on_validation_epoch_start(self) -> None:
        """Score one model in all processes: batch norms of each have seen its own batches."""
        broadcast_buffers(self)

    def on_validation_epoch_end(self) -> None:
        """Log the scores of the whole validation set."""
        self._log_scores(self.val_scores, "val")

    def on_test_epoch_end(self) -> None:
        """Log the scores of the whole test set, and keep those of each target."""
        self.target_scores = {
            name: [round(value, 4) if math.isfinite(value) else None for value in values.tolist()]
            for name, values in self._log_scores(self.test_scores, "test").items()
        }

    def _score(self, batch: Batch, scores: TargetMetrics, split: str) -> None:
        onehot = self.encode(batch.codes)
        raw = self._raw(onehot, batch.inputs)
        loss: LossMean = getattr(self, f"{split}_loss")
        loss.update(*self.loss.function(raw, self._learnt(batch.target), self.target_weight()))
        self.log(f"{split}_loss", loss, metric_attribute=f"{split}_loss", prog_bar=True)
        scores.update(*self._as_scored(self._predicted(raw, onehot, batch.inputs), batch.target))

    def scored_values(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Predictions and targets of a batch as scores compare them, (B, *output.shape) each.

        Compared is what `predict` gives, over both strands where the model reads both; the loss is of one, as trained.

        Args:
            batch: its targets are those of the model.
        """
        onehot = self.encode(batch.codes)
        return self._as_scored(self._predicted(self._raw(onehot, batch.inputs), onehot, batch.inputs), batch.target)

    def _as_scored(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Soft-clip predictions and targets where the model learns clipped targets."""
        if self.target_transform is None or not self.target_transform.clips:
            return prediction, target
        return self.target_transform.clip(prediction), self.target_transform.clip(target)

    def _log_scores(self, scores: TargetMetrics, split: str) -> dict[str, Tensor]:
        """Log the means over targets, from all processes; returns each target's."""
        with scores.sync_context():
            per_target = scores.per_target()
            values = scores.mean(per_target)
            if not self.trainer.sanity_checking:  # a few batches say nothing of the whole split
                scores.warn(per_target)
        scores.reset()
        self.log_dict({f"{split}_{name}": value.float() for name, value in values.items()}, prog_bar=True)
        return per_target

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW with torch's defaults (learning rate 1e-3, weight decay .01) for all that is not frozen.

        `zoo train` replaces it by the optimizer and scheduler of its configuration; a subclass may override it.
        """
        return torch.optim.AdamW([parameter for parameter in self.parameters() if parameter.requires_grad])
