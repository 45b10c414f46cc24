"""Check a run before it starts: every problem of files, options, model and data in one report, and what it costs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser
from lightning import Trainer
from lightning.pytorch.callbacks import Callback

from zoo.data.base import GenomicDataModule
from zoo.data.contacts import ContactDataModule
from zoo.data.labels import LabelsDataModule
from zoo.data.tracks import TrackDataModule
from zoo.errors import ZooError
from zoo.models._base import SequenceModel
from zoo.nn.losses import Loss
from zoo.training.checks import check_strands, run_checks, spec_differences
from zoo.training.faults import explaining_memory
from zoo.training.given import Given, read_given, split_arguments
from zoo.training.optimizers import OptimizerPlan
from zoo.training.own_data import own_arguments, own_problems
from zoo.training.parse import REFUSALS, parse
from zoo.training.preflight.contacts import contact_reading
from zoo.training.preflight.labels import check_labels
from zoo.training.preflight.memory import check_memory
from zoo.training.preflight.report import Report
from zoo.training.preflight.sources import check_headers, check_sources
from zoo.training.preflight.steps import check_steps
from zoo.training.preflight.timing import check_hours, time_reading
from zoo.training.preflight.tracks import track_reading
from zoo.training.preflight.values import Items
from zoo.training.preflight.windows import check_windows
from zoo.training.transfer import Transfer, transfer
from zoo.training.trust import check_trust
from zoo.utils.text import counted

__all__ = ["check", "check_arguments"]

_DATA_ALONE = "the data are checked without the model; correct this first"


def check_arguments(arguments: Sequence[str], time: bool = True) -> Report:
    """Check what `zoo train` would do with the same arguments.

    Args:
        arguments: the configuration first, then options and values in turn.
        time: also time a few steps.

    Returns:
        The report.

    Raises:
        ConfigError: arguments that are no configuration with options, or a configuration that is not trusted.
        UnknownNameError: a configuration that does not exist.
    """
    arguments = split_arguments(arguments)
    check_trust(arguments)
    given = read_given(arguments[0], arguments[1:])
    report = Report()
    with report.collecting("files"):
        for problem in own_problems(given):
            report.error("files", str(problem), "correct the path")
    cli = None
    with report.collecting("configuration", _DATA_ALONE):
        cli = parse(arguments)
    if cli is None:
        _check_data_alone(given, report)
        return report
    for one in run_checks(cli):
        with report.collecting("configuration"):
            one()
    taken = Transfer()
    with report.collecting("transfer"):
        cli.transfer.check()
        taken = transfer(cli.model, cli.transfer)
    plan = replace(cli.optimizer_plan, rates=taken.rates)
    return check(cli.datamodule, cli.model, cli.trainer, plan, taken.callbacks, time, report)


def check(
    data: GenomicDataModule,
    model: SequenceModel,
    trainer: Trainer,
    plan: OptimizerPlan | None = None,
    callbacks: Sequence[Callback] = (),
    time: bool = True,
    report: Report | None = None,
) -> Report:
    """Check data, model and trainer against each other.

    Args:
        data: the data; nothing is prepared, but the table of peak files, which is kept in the cache.
        model: the model; copies of it are trained.
        trainer: the trainer of the run, for its device, precision, limits and number of processes.
        plan: optimizer of the run; None for that of the model.
        callbacks: callbacks that freeze parts of the model.
        time: also time a few steps.
        report: an earlier part of the report; None to begin one.

    Returns:
        The report.
    """
    report = report or Report()
    size = sum(one.numel() for one in model.parameters())
    what = f"{type(model).__name__}, {size:,} parameters: {model.length:,} bases to {model.output.kind}"
    report.ok("model", f"{what} of {counted(len(model.output.targets), 'target')}")
    with report.collecting("model"):
        for difference in spec_differences(model, data.spec()):
            report.error("model", difference, "change the model's or the data's options")
    with report.collecting("model"):
        data.check_model(model.output, model.loss)
    with report.collecting("model"):
        check_strands(model, data)
    items = check_items(data, model.loss, report)
    if items is None or not items.sizes["train"]:
        report.warn("cost", "steps, memory and time were not computed", "correct the errors above first")
        return report
    loading: Any = getattr(data, "loading", data)
    steps = check_steps(items, loading.batch_size, loading.epoch_size, trainer, report)
    fits = False
    with report.collecting("memory"):
        fits = check_memory(model, steps.batch, plan, trainer, report)
    if time and fits:
        with report.collecting("time"), explaining_memory(Path(), steps.batch):
            reading = time_reading(items.dataset, steps.batch, loading.num_workers)
            check_hours(model, steps, trainer, plan, callbacks, reading, report)
    return report


def check_items(data: GenomicDataModule, loss: Loss | None, report: Report) -> Items | None:
    """Check data alone, as their kind needs it.

    Args:
        data: the data.
        loss: loss of the model, whose targets the values must fit; None where there is no model.
        report: where findings are added.

    Returns:
        Sequences or windows of each split; None where they are not known.
    """
    if isinstance(data, LabelsDataModule):
        return check_labels(data, loss, report)
    if isinstance(data, TrackDataModule):
        return check_windows(data, report, lambda own, plan: track_reading(own, plan, loss, report))
    if isinstance(data, ContactDataModule):
        return check_windows(data, report, lambda own, plan: contact_reading(own, plan, report))
    with report.collecting("data"):
        data.prepare_data()
        data.setup("fit")
        for line in data.describe():
            report.ok("data", line)
    return None


def _check_data_alone(given: Given, report: Report) -> None:
    """Check the data of a configuration whose model, options or data cannot be built."""
    data: Any = None
    try:
        parser = ArgumentParser(exit_on_error=False)
        parser.add_subclass_arguments(GenomicDataModule, "data", required=True)
        data = parser.instantiate(parser.parse_object({"data": given["data"]})).data
    except (*REFUSALS, ZooError, KeyError):  # `parse` has reported it
        check_sources(own_arguments(given), report)
        check_headers(own_arguments(given), report)
        return
    check_items(data, None, report)
