"""Check a run before any data are prepared: what would stop it later, or spoil its end, is refused here."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from lightning.pytorch.callbacks import EarlyStopping

from zoo.batch import DataSpec
from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError, IntegrityError
from zoo.hub.base import base_obstacle
from zoo.hub.checkpoint import architecture_of
from zoo.hub.config import read_config
from zoo.hub.example import check_loadable
from zoo.hub.json_reader import holds_control
from zoo.hub.load import resolve
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts, Tracks
from zoo.training.card_text import fill_card, split_datasets
from zoo.training.optimizers import check_optimizers, takes
from zoo.training.options import TrainCLI
from zoo.utils.paths import check_creatable, refuse_folder
from zoo.utils.text import quoted
from zoo.writers.labels import check_columns

__all__ = ["check_run", "check_spec", "check_strands", "run_checks", "spec_differences"]

# Of the weights and measurements; batches are computed in 16 bits where it is mixed.
_PRECISIONS = ("32", "32-true", "bf16", "bf16-mixed", "16", "16-mixed")


def check_run(cli: TrainCLI) -> None:
    """Check model, optimizer, monitor, card and trainer against the specification of the data.

    Raises:
        ConfigError: what does not fit, by the name of its option.
        OutputError: a folder that cannot be made when the run ends.
    """
    for check in run_checks(cli):
        check()


def run_checks(cli: TrainCLI) -> list[Callable[[], object]]:
    """List the checks of `check_run`, each of which can be called alone and raises what it refuses."""
    model, data, options = cli.model, cli.datamodule, cli.options
    return [
        partial(architecture_of, model),  # a class that no checkpoint could name is refused before training
        lambda: check_spec(model, data.spec()),
        lambda: data.check_model(model.output, model.loss),
        partial(_check_loadable, cli),
        partial(check_strands, model, data),
        lambda: model.weigh_targets(options.target_weights),
        cli.transfer.check,
        partial(_check_delta, cli),
        lambda: check_optimizers(model, cli.optimizer_plan),
        partial(_check_monitors, cli),
        partial(_check_card, cli),
        partial(_check_trainer, cli),
        partial(_check_folders, cli),
    ]


def check_spec(model: SequenceModel, spec: DataSpec) -> None:
    """Check what a model predicts and reads against what the data hold.

    Raises:
        ConfigError: the first difference, or names of targets that no table of predictions can have.
    """
    for difference in spec_differences(model, spec):
        raise ConfigError(difference)
    check_columns([], spec.targets)


def spec_differences(model: SequenceModel, spec: DataSpec) -> Iterator[str]:
    """List the differences between what a model predicts and reads, and what the data hold; a sentence each."""
    output = model.output
    if output.kind != spec.kind:
        yield f"the model predicts {output.kind}, the data are {spec.kind}"
    if tuple(output.targets) != tuple(spec.targets):
        yield f"the model has {len(output.targets)} targets, not the {len(spec.targets)} of the data"
    if model.length != spec.length:
        yield f"the model reads {model.length:,} bases, the data have {spec.length:,}"
    if model.inputs.names != spec.inputs.names:
        yield (
            f"the model reads {len(model.inputs.names)} tracks in addition to the sequence, the data have "
            f"{len(spec.inputs.names)}"
        )
    if isinstance(output, Tracks | Contacts):
        size = spec.bin_size or 1
        if output.bin_size != size:
            yield f"the model's bins have {output.bin_size} bases, the data's {size}: change one"
        if output.crop != spec.crop * size:
            yield f"the model crops {output.crop // size} bins a side, the data {spec.crop}: change one"
    if isinstance(output, Contacts) and output.diagonal != spec.diagonal:
        yield f"the model's first diagonal is {output.diagonal}, the data's {spec.diagonal}: change one"


def check_strands(model: SequenceModel, data: GenomicDataModule) -> None:
    """Check that data of one strand are not given to a model that reads both.

    Raises:
        ConfigError: they are.
    """
    if getattr(data, "strands", "both") == "forward" and model.reads_both_strands:
        raise ConfigError(
            "data.strands forward is for a model that reads one strand; to this one, a sequence and its reverse "
            "complement are the same"
        )


def _check_card(cli: TrainCLI) -> None:
    """Refuse texts of the card that would not be read as they were written."""
    texts = fill_card(cli.config.card, cli.datamodule)
    split_datasets(texts["datasets"])
    for name, text in texts.items():
        if holds_control(text):
            raise ConfigError(f"card.{name} must be a text without control characters, not {quoted(text)}")


def _check_folders(cli: TrainCLI) -> None:
    """Refuse folders of the run and of its checkpoint that cannot be made."""
    if cli.options.resume and cli.options.overwrite:
        raise ConfigError("--resume true goes on with a run and --overwrite true begins it anew: give one of them")
    if (cli.run_folder.is_symlink() or cli.run_folder.exists()) and not cli.run_folder.is_dir():
        raise ConfigError(f"{cli.run_folder} is no folder, and a run needs one of that name: move it away first")
    if Path(cli.options.checkpoints).resolve() == Path(cli.options.runs).resolve():
        raise ConfigError(f"--runs and --checkpoints are one folder, {cli.options.runs}: name two")
    refuse_folder(Path(cli.options.checkpoints) / cli.run_folder.name)
    check_creatable(cli.run_folder)


def _check_loadable(cli: TrainCLI) -> None:
    """Refuse a model whose checkpoint could not be loaded again: saving, after all training, would find it."""
    try:
        check_loadable(cli.model, cli.datamodule.length)
    except IntegrityError as error:
        raise ConfigError(f"no checkpoint of this model could be loaded: {error}") from None


def _check_delta(cli: TrainCLI) -> None:
    """Refuse to store as a delta what could not be: saving, after all training, would find it."""
    if not cli.options.delta:
        return
    name = cli.transfer.trunk_from
    if name is None:
        raise ConfigError("--delta true stores what differs from the weights of transfer.trunk_from, so it needs one")
    folder = resolve(name)
    if reason := base_obstacle(read_config(folder), architecture_of(cli.model)):
        raise ConfigError(f"--delta true cannot be stored on {name}, for {reason}; or leave out --delta")
    if folder.resolve() == (Path(cli.options.checkpoints) / cli.run_folder.name).resolve():
        raise ConfigError(f"--delta true needs {name} as it is, and this run would replace it: give another --name")


def _check_monitors(cli: TrainCLI) -> None:
    """Refuse a monitored metric that no epoch logs."""
    known = ["val_loss", *(f"val_{name}" for name in cli.model.val_scores.names)]
    monitors = {"monitor": cli.options.monitor}
    for callback in cli.config_init.trainer.callbacks or []:
        if isinstance(callback, EarlyStopping):
            monitors["the monitor of EarlyStopping"] = callback.monitor
    scheduler = cli.optimizer_plan.lr_scheduler
    if scheduler and "monitor" in scheduler["init_args"]:
        monitors["lr_scheduler.monitor"] = scheduler["init_args"]["monitor"]
    for option, metric in monitors.items():
        if metric not in known and (option == "monitor" or metric != "train_loss"):
            raise ConfigError(f"{option}: there is no metric {metric!r} to monitor; there are {', '.join(known)}")


def _check_end(cli: TrainCLI, is_endless: bool) -> None:
    """Refuse a run without an end, or one whose scheduler needs to know it."""
    trainer, scheduler = cli.config.trainer, cli.optimizer_plan.lr_scheduler
    if not is_endless or trainer.max_steps >= 0:
        return
    if trainer.max_time is None:
        raise ConfigError(
            f"--trainer.max_epochs {'null' if trainer.max_epochs is None else trainer.max_epochs} would train without "
            "end: give the largest number of epochs; EarlyStopping can end before"
        )
    if scheduler and takes(scheduler, "total_steps"):
        raise ConfigError(
            f"{scheduler['class_path'].split('.')[-1]} counts the steps to the end of training: give "
            "--trainer.max_epochs or --trainer.max_steps beside --trainer.max_time"
        )


def _check_trainer(cli: TrainCLI) -> None:
    """Refuse settings with which no epoch could be chosen, or no run resumed."""
    trainer = cli.config.trainer
    every = 1 if trainer.check_val_every_n_epoch is None else trainer.check_val_every_n_epoch
    if every < 1:
        raise ConfigError(f"--trainer.check_val_every_n_epoch is a number of epochs from 1 up, not {every}")
    is_endless = trainer.max_epochs is None or trainer.max_epochs < 0
    _check_end(cli, is_endless)
    is_short = not is_endless and trainer.max_epochs < every
    if trainer.fast_dev_run or trainer.limit_val_batches == 0 or trainer.max_steps == 0 or is_short:
        raise ConfigError("no epoch would be validated, so none could be chosen: look at the trainer's settings")
    if trainer.limit_train_batches == 0:
        raise ConfigError("--trainer.limit_train_batches 0 leaves no batch to train on: leave it out")
    if trainer.limit_test_batches not in (None, 1.0):
        raise ConfigError(
            f"--trainer.limit_test_batches {trainer.limit_test_batches} has no use here: final scores are of the whole "
            "test split; leave it out"
        )
    if isinstance(trainer.val_check_interval, float) and trainer.val_check_interval < 1:
        raise ConfigError("val_check_interval below 1 saves within an epoch, where a run cannot be resumed")
    if str(trainer.precision or 32) not in _PRECISIONS:
        raise ConfigError(
            f"--trainer.precision {trainer.precision} rounds the measured values too, so that losses and scores would "
            "be wrong: take 32-true, bf16-mixed or 16-mixed"
        )
