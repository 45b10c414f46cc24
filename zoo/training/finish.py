"""The end of a run: the best weights, scored once, with the facts that make a checkpoint folder."""

import math
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning import Trainer
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import Timer

from zoo.data.base import GenomicDataModule
from zoo.data.labels import LabelsDataModule
from zoo.errors import ConfigError
from zoo.hub.checkpoint import save
from zoo.hub.config import read_config
from zoo.hub.example import example_for
from zoo.hub.facts import ModelFacts, RunFacts
from zoo.hub.seen import describe_seen
from zoo.hub.targets import TargetRow
from zoo.metrics.labels import matthews_threshold
from zoo.models._base import SequenceModel
from zoo.nn.adapters import AdapterConfig, Factors, add_adapters, factors_of, merge_adapters
from zoo.nn.scale import TargetScaleConfig
from zoo.training.card_text import fill_card, split_datasets
from zoo.training.checkpoint_io import RunCheckpoint, read_checkpoint
from zoo.training.data_hashes import unchanged_hashes
from zoo.training.epoch_end import epoch_end
from zoo.training.options import TrainCLI
from zoo.training.recipe import recipe, resolved_config, training_command
from zoo.training.score_intervals import score_intervals
from zoo.training.transfer import base_facts
from zoo.utils.lightning_output import progress_bars
from zoo.utils.version import code_version

__all__ = ["few_tested", "finish_run", "no_better"]

_HEADLINES = {"auroc": "AUROC", "pearson": "Pearson r", "pearson_log1p": "Pearson r of log1p", "r2": "R2"}
# Sequences below which scores of a test split say little.
_FEW = 10

Metrics = dict[str, dict[str, float]]


def finish_run(cli: TrainCLI, arguments: Sequence[str], command: str | None = None) -> Path:
    """Score the best weights of a finished run and save them as a checkpoint folder.

    Args:
        cli: the run; its model is left as it is.
        arguments: arguments of the command that started the run.
        command: that command; None for `zoo train` with these arguments.

    Returns:
        The checkpoint folder.

    Raises:
        ConfigError: a score that is not defined.
    """
    trainer, data = cli.trainer, cli.datamodule
    best, factors = _best_model(trainer, cli.model, cli.adapters)
    metrics = _final_metrics(trainer, best, data)
    command = command or training_command(arguments)
    facts = _facts(cli, best, metrics, command, arguments)
    for sentence in [*no_better(best, metrics["test"]), *few_tested(data)]:
        print(sentence, file=sys.stderr)
    folder = save(
        best,
        Path(cli.options.checkpoints) / facts.name,
        facts,
        _target_rows(best, data, facts),
        example_for(best, data.length),
        resolved_config(cli, command),
        describe_seen(data),
        factors if cli.options.delta else None,
    )
    if base := read_config(folder).delta_base:
        print(f"delta of {100 * (base.delta or 0):.1f} % of the base's weights", file=sys.stderr)
    return folder


def _best_model(
    trainer: Trainer, model: SequenceModel, adapters: AdapterConfig | None
) -> tuple[SequenceModel, dict[str, Factors]]:
    """Build a model with the weights of the best checkpoint; low-rank factors are merged into them, and returned too.

    With weight averaging, `state_dict` of the checkpoint holds the averaged weights, which validation scored; a
    Trainer would load the others.
    """
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    (path,) = (one.best_model_path for one in callbacks if isinstance(one, RunCheckpoint) and one.monitor)
    best = type(model)(**model.arguments)
    if adapters is not None:
        add_adapters(best, adapters)
    best.load_state_dict(read_checkpoint(Path(path))["state_dict"], strict=True)
    factors = factors_of(best)
    merge_adapters(best)
    return best, factors


def _final_metrics(trainer: Trainer, model: SequenceModel, data: GenomicDataModule) -> Metrics:
    """Score the final model on the validation split and, once, on the test split, in one process.

    Raises:
        ConfigError: a score that is not defined, so that the model cannot be of use.
    """
    bars = progress_bars() if trainer.progress_bar_callback else []
    judge = Trainer(
        callbacks=bars,
        enable_progress_bar=bool(bars),
        accelerator=trainer.accelerator,
        devices=1,
        precision="32-true",  # as the model will be loaded
        plugins=LightningEnvironment(),  # one process, whatever cluster this is
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    (val,) = judge.validate(model, datamodule=data, verbose=False)
    (test,) = judge.test(model, datamodule=data, verbose=False)
    metrics = {
        split: {key.removeprefix(f"{split}_"): float(value) for key, value in values.items()}
        for split, values in (("val", val), ("test", test))
    }
    for split, values in metrics.items():
        if undefined := [name for name, value in values.items() if not math.isfinite(value)]:
            raise ConfigError(
                f"no checkpoint was saved: the {', '.join(undefined)} of the best weights on the {split} split is not "
                "defined, because predictions are NaN or all the same; lower the learning rate (--optimizer.lr), or "
                "look at the learning curve of the run"
            )
    return metrics


def _facts(cli: TrainCLI, model: SequenceModel, metrics: Metrics, command: str, arguments: Sequence[str]) -> ModelFacts:
    """Facts of the card: how the model was trained, how good it is, and the text of the configuration."""
    config, data = cli.config, cli.datamodule
    ends = epoch_end(cli.trainer)
    intervals = score_intervals(model, data, list(metrics["test"]), str(cli.trainer.strategy.root_device))
    headline = next(iter(key for key in metrics["test"] if key != "loss"))
    run = RunFacts(
        command=command,
        recipe=recipe(arguments),
        base=base_facts(cli.transfer),
        commit=code_version(),
        seed=int(config.seed_everything),
        hardware="; then ".join(ends.hardware),
        seconds=round(_seconds(cli.trainer), 1),
        precision=str(config.trainer.precision or "32-true"),
        versions=f"Python {platform.python_version()}, torch {torch.__version__}, lightning {lightning.__version__}",
        data=[*data.describe(), *_scale_line(model)],
        metrics=metrics,
        target_metrics=dict(model.target_scores),
        files={file.url: file.sha256 for file in data.public_files if file.sha256} | unchanged_hashes(ends.files),
        intervals=intervals.pairs,
        interval_notes=intervals.notes,
    )
    text: dict[str, Any] = dict(fill_card(config.card, data))
    text["datasets"] = split_datasets(text["datasets"])
    text["limits"] = _limits(text["limits"], [*data.limits, *no_better(model, metrics["test"]), *few_tested(data)])
    metric = f"test {_HEADLINES.get(headline, headline)} {metrics['test'][headline]:.4f}"
    clipped = "soft-clipped values" if model.target_transform and model.target_transform.clips else ""
    metric += "".join(f", {note}" for note in (data.headline_note, clipped) if note)
    return ModelFacts(name=cli.run_folder.name, metric=metric, run=run, **text)


def _limits(text: str, more: list[str]) -> str:
    """The text of a configuration with further sentences; what it says of shuffles itself comes first."""
    sentences = [one for one in more if "shuffles" not in one or "shuffle" not in text]
    begun = [text if text.endswith(".") else f"{text}."] if text and sentences else [text] if text else []
    return " ".join([*begun, *sentences])


def no_better(model: SequenceModel, scores: dict[str, float]) -> list[str]:
    """A sentence on a model that is no better than one that knows nothing of the sequence; none otherwise.

    Args:
        model: the model.
        scores: metric -> its mean over the targets, of the test split.
    """
    what, least = ("chance", 0.5) if model.loss.classifies else ("predicting the mean of each target", 0.0)
    headline = next(name for name in scores if name != "loss")  # AUROC or Pearson r
    name = "r2" if model.output.kind == "labels" and "r2" in scores else headline
    if scores[name] > least:
        return []
    score = f"{_HEADLINES.get(name, name)} {scores[name]:.3f}"
    return [f"On the test split it is no better than {what} ({score}): train longer or give more data."]


def few_tested(data: GenomicDataModule) -> list[str]:
    """A sentence on a test split with so few labels of a target that its score says little; none otherwise.

    Args:
        data: the data, prepared.
    """
    if not isinstance(data, LabelsDataModule):
        return []
    dataset = data.dataset("test")
    observed = (~np.isnan(dataset.data.labels.astype(np.float32))).sum(0) * (1 + dataset.shuffles)
    count, least = len(dataset), int(observed.min())
    if count < _FEW:
        return [f"The test split has {count} sequences: scores of so few say little."]
    if least < _FEW:
        target = data.targets[int(observed.argmin())]
        return [f"The test split has {least} labels of the target {target}: a score of so few says little."]
    return []


def _scale_line(model: SequenceModel) -> list[str]:
    """How targets were scaled for training, where they were."""
    if model.target_transform is None:
        return []
    return [TargetScaleConfig(**model.arguments["target_scale"]).describe(model.output.targets)]


def _target_rows(model: SequenceModel, data: GenomicDataModule, facts: ModelFacts) -> list[TargetRow]:
    thresholds: list[float | None] = [None] * len(model.output.targets)
    if model.loss.classifies:
        model.to("cpu").eval()
        with torch.inference_mode():
            batches = [(model.predict(batch.codes, batch.inputs), batch.target) for batch in data.val_dataloader()]
        prediction, target = (torch.cat(values) for values in zip(*batches, strict=True))
        for index in range(len(thresholds)):
            observed = ~torch.isnan(target[:, index])
            if 0 < target[observed, index].sum() < observed.sum():  # both classes occur
                thresholds[index] = matthews_threshold(prediction[observed, index], target[observed, index])
    known, loss = data.target_facts, model.loss
    unit = loss.unit if loss.classifies or loss.counts else ""  # that of a measurement is not known
    alone = facts.summary if len(thresholds) == 1 else ""
    return [
        TargetRow(target, *known.get(target, (alone or target, unit)), threshold)
        for target, threshold in zip(model.output.targets, thresholds, strict=True)
    ]


def _seconds(trainer: Trainer) -> float:
    """Seconds of training and validation, also those before a run was resumed."""
    timer = next(callback for callback in trainer.callbacks if isinstance(callback, Timer))  # type: ignore[attr-defined]
    return timer.time_elapsed("train")
