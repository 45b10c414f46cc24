"""`zoo.evaluate`: a model and labelled data in, scores with bootstrap intervals out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.rank_zero import rank_zero_only

from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError, InputError
from zoo.evaluation.configured import data_of_config, data_of_recipe, is_config, maps_of_recipe
from zoo.evaluation.files import data_of_files
from zoo.evaluation.options import FileOptions
from zoo.hub.load import load, resolve
from zoo.hub.seen_share import SeenReport, seen_reports
from zoo.inference.device import find_device
from zoo.inference.engine import Precision
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts, Labels
from zoo.scoring.bootstrap import Bootstrap
from zoo.scoring.collect import make_trainer
from zoo.scoring.data import EvaluationData
from zoo.scoring.matching import match_targets
from zoo.scoring.result import Evaluation
from zoo.scoring.score import score
from zoo.utils.text import some_of

__all__ = ["evaluate"]


def evaluate(
    model: SequenceModel | str,
    data: GenomicDataModule | str | Path | Sequence[str] | None = None,
    *,
    split: str | None = None,
    targets: Sequence[str] | str | None = None,
    match: Mapping[str, str] | None = None,
    batch_size: int | None = None,
    precision: Precision = "32",
    device: str = "auto",
    devices: int = 1,
    resamples: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
    strict_split: bool = False,
    **files: Any,
) -> Evaluation:
    """Score a model on labelled data, with bootstrap intervals.

    Scores are those of `Trainer.test`: AUROC and AUPRC of classes; Pearson r, R2 and Spearman's rank correlation of
    measurements; of contact maps also the mean squared error and the mean Pearson r of windows. Intervals are
    percentiles over resamples of sequences, or of windows of a genome.

    Args:
        model: a loaded model, or the name of one.
        data: labelled files: FASTA files of classes (`NAME=FILE` for the target NAME), a table of sequences, sites or
            bigWigs, peak files, bigWigs or coolers; or the name or file of a configuration; or a DataModule. None for
            the data on which a model of a name was tested.
        split: split that is read; `test` where nothing is said. Of files with splits also `all`.
        targets: targets of the model to evaluate; None for all that the data have.
        match: target of the data -> target of the model, where their names differ.
        batch_size: sequences or windows at once; None for the usual number.
        precision: `32`, or `bf16` / `16` for autocast.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; `auto` takes an accelerator if any. A loaded model stays on its own.
        devices: number of processes that share the data; the scores are those of one. The first one returns, the others
            end here.
        resamples: number of bootstrap resamples; 0 for no intervals.
        confidence: share of the resamples whose scores lie in an interval.
        seed: seed of the resamples.
        strict_split: refuse data that the model, or one that it began with, has seen in training, or where that is not
            known.
        files: genome, negatives, inputs, contigs, blacklist, resize, measurements and smooth, as of `FileOptions`.

    Raises:
        InputError: data that cannot be read, or that hold nothing to score.
        ConfigError: data or options that do not fit the model or each other.
        UnknownNameError: no model of that name.
    """
    bootstrap = Bootstrap(resamples, confidence, seed)
    bootstrap.check()
    name = model if isinstance(model, str) else str(type(model).__name__)
    loaded = load(model) if isinstance(model, str) else model
    wanted = [targets] if isinstance(targets, str) else targets
    if data is not None and isinstance(model, str) and isinstance(loaded.output, Contacts):
        files["maps"] = maps_of_recipe(resolve(model), model)
    options = FileOptions(**files)
    chosen = _chosen(loaded, model, data, options, dict(match or {}), wanted, split, batch_size)
    _check_fit(loaded, chosen.module)
    seen = _seen(model, chosen, strict_split)
    chosen_device = find_device(device) if isinstance(model, str) else str(loaded.device)
    trainer = make_trainer(chosen_device, devices, precision)
    evaluation = score(loaded, chosen, trainer, bootstrap, name, _described(data, model))
    return replace(evaluation, seen=seen, notes=[*map(str, seen), *evaluation.notes])


def _chosen(
    model: SequenceModel,
    name: SequenceModel | str,
    data: Any,
    options: FileOptions,
    match: dict[str, str],
    wanted: Sequence[str] | None,
    split: str | None,
    batch_size: int | None,
) -> EvaluationData:
    """The data, their split and targets."""
    given = [str(data)] if isinstance(data, str | Path) else data
    if isinstance(given, Sequence) and given and not (len(given) == 1 and is_config(given[0])):
        return data_of_files(model, [str(one) for one in given], options, match, wanted, split, batch_size)
    if replace(options, maps={}) != FileOptions():
        raise ConfigError("genome, negatives and other options of files are for data that are named as files")
    if isinstance(given, GenomicDataModule):
        module = given
    elif given:
        module = data_of_config(given[0], batch_size)
    elif isinstance(name, str):
        module = data_of_recipe(resolve(name), name, batch_size)
    else:
        raise ConfigError("name the data: of a model that was not loaded by name, no data are known")
    if split not in (None, "val", "test", "train"):
        raise ConfigError(f"split is train, val or test, not {split!r}")
    read: Any = split or "test"
    return EvaluationData(module, read, match_targets(module.targets, model.output.targets, match, wanted))


def _seen(name: SequenceModel | str, data: EvaluationData, strict: bool) -> list[SeenReport]:
    """Compare the data with those of the training of a model, and of the models that it began with.

    Raises:
        InputError: they were seen, or that is not known, and is to be refused.
    """
    if not isinstance(name, str):
        if strict:
            raise ConfigError("strict_split needs the name of a model, whose checkpoint says on what it was trained")
        return []
    if getattr(rank_zero_only, "rank", 0):  # what is refused is refused in the first process, before it starts others
        return []
    reports = seen_reports(resolve(name), data.module, data.split)
    refused = [report for report in reports if report.is_leak or report.share is None]
    if strict and refused:
        raise InputError(f"--strict-split: {refused[0]}")
    return reports


def _check_fit(model: SequenceModel, data: GenomicDataModule) -> None:
    """Refuse data of another kind, length or geometry than the model's, from headers alone."""
    spec, output = data.spec(), model.output
    if spec.kind != output.kind:
        raise ConfigError(f"the data hold {spec.kind}, and the model predicts {output.kind}")
    try:
        model.check_length(spec.length)
    except InputError as error:
        cure = "; --resize cuts or pads sequences to the model's length" if spec.kind == "labels" else ""
        raise ConfigError(f"the data do not fit the model: {error}{cure}") from None
    if tuple(spec.inputs.names) != tuple(model.inputs.names):
        theirs, ours = (some_of(names) or "none" for names in (spec.inputs.names, model.inputs.names))
        raise ConfigError(f"the data have the input tracks {theirs}, and the model reads {ours}")
    if not isinstance(output, Labels):
        data.check_model(output, model.loss)
        crop = getattr(output, "crop", 0)
        if spec.length != model.length or spec.crop * (spec.bin_size or 1) != crop:
            raise ConfigError(
                f"the model predicts all but {crop:,} bases on each side of windows of {model.length:,}, the data have "
                f"windows of {spec.length:,} less {spec.crop * (spec.bin_size or 1):,} on each side"
            )


def _described(data: Any, model: Any) -> str:
    """What a model was evaluated on, in words."""
    if data is None:
        return f"the data of {model}"
    if isinstance(data, GenomicDataModule):
        return type(data).__name__
    return str(data) if isinstance(data, str | Path) else ", ".join(map(str, data))
