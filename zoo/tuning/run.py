"""Run a search: check it, train its trials, and write the table, the picture and the best configuration."""

import itertools
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from zoo.errors import ConfigError
from zoo.hub.folder import CONFIG
from zoo.training.checkpoint_io import LAST
from zoo.training.checks import check_run
from zoo.training.disk import explaining_full_disk
from zoo.training.given import read_given, split_arguments
from zoo.training.lock import lock_run
from zoo.training.options import TrainCLI
from zoo.training.own_data import check_data
from zoo.training.parse import parse
from zoo.tuning.check import check_space, default_values, resolved
from zoo.tuning.decisive import decisive_settings
from zoo.tuning.launch import Launch, slots, start_process
from zoo.tuning.report import PICTURE, TABLE, best_row, write_best, write_picture, write_table
from zoo.tuning.search import Search, Settings
from zoo.tuning.space import read_space, size_of
from zoo.tuning.storage import STUDY, explaining_storage
from zoo.tuning.study import Pruning, Sampling, Study
from zoo.utils.paths import new_folder
from zoo.utils.text import counted

__all__ = ["TuneOptions", "tune"]

_FOLDER = "tune"  # in the folder of the runs


@dataclass(frozen=True)
class TuneOptions:
    """Options of a search.

    Args:
        space: the search space, a YAML file or its content; see `zoo.tuning.space`.
        trials: number of trials.
        seconds: limit of the time; None for none.
        jobs: number of trials that are trained at a time.
        sampler: how values are drawn.
        pruner: which trials are ended early.
        train: whether the best configuration is trained at the end.
        resume: go on with the search of that name.
        overwrite: begin the search of that name anew.
    """

    space: str
    trials: int = 20
    seconds: float | None = None
    jobs: int = 1
    sampler: Sampling = "tpe"
    pruner: Pruning = "median"
    train: bool = False
    resume: bool = False
    overwrite: bool = False


def tune(arguments: Sequence[str], options: TuneOptions, launch: Launch = start_process) -> Path:
    """Search the options of a run with which its validation metric is best.

    The test split is not scored. Results are in `runs/tune/<name>/`.

    Args:
        arguments: arguments of `zoo train`: the configuration, then options that all trials have.
        options: options of the search.
        launch: how a trial is trained.

    Returns:
        The configuration of the best trial.

    Raises:
        ConfigError: a configuration or search space that does not fit; or no trial was completed.
        Interrupted: Ctrl-C; the search can be resumed.
    """
    arguments = split_arguments(arguments)
    _check_options(arguments, options)
    space = read_space(options.space)
    check_data(read_given(arguments[0], arguments[1:]))
    cli = parse(arguments)
    check_run(cli)
    if options.train and _other_name(cli):
        raise ConfigError(
            f"a run or checkpoint {cli.run_folder.name} exists, so that the best configuration could not be trained at "
            "the end: leave out --train true (a command for it is printed at the end), or give another --name"
        )
    space = check_space(arguments, space, cli.options.monitor, cli.datamodule.train_options)
    name, seed = cli.run_folder.name, int(cli.config.seed_everything)
    folder = Path(cli.options.runs) / _FOLDER / name
    settings = Settings(arguments, name, folder, cli.options.monitor, options.trials, options.seconds)
    mode: Literal["min", "max"] = "min" if settings.monitor.endswith("loss") else "max"
    with new_folder(folder.parent), explaining_full_disk(folder), lock_run(folder), explaining_storage(folder):
        _open(folder, options)
        defaults = resolved(arguments)
        study = Study(folder, space, mode, seed, options.sampler, options.pruner, cli.config.trainer.max_epochs)
        study.settle(decisive_settings(arguments, defaults, space, sampler=options.sampler, pruner=options.pruner))
        if (values := default_values(defaults, space)) is not None:
            study.begin_with(values)
        shares = slots(options.jobs, torch.cuda.device_count() if _uses_gpus(cli) else 0)
        _print_begin(settings, study, options, size_of(space), [share.text for share in shares if share.text])
        if getattr(cli.datamodule, "shuffles", 0) and any(one.key.endswith(".batch_size") for one in space):
            print("negatives of the validation split that are shuffles differ with data.batch_size", file=sys.stderr)
        search = Search(settings, study, space, launch)
        search.run(shares)
        write_table(study.trained, settings.monitor, folder)
        best = best_row(study)
        write_picture(study, space, settings.monitor, folder, f"{name}: {counted(len(study.trained), 'trial')}")
        config = write_best(arguments, best, study, settings.monitor, folder)
    command = ["train", str(config), *_other_name(cli)]
    _print_end(search, study, config, command)
    if options.train:
        _train_best(command)
    return config


def _check_options(arguments: Sequence[str], options: TuneOptions) -> None:
    """Refuse options that do not fit, before anything is read."""
    if int(os.environ.get("WORLD_SIZE") or 1) > 1 or os.environ.get("LOCAL_RANK", "0") != "0":
        raise ConfigError(
            "zoo tune is one process, which starts those of its trials: give the number of devices of each trial as "
            "--trainer.devices, and of trials at a time as --jobs"
        )
    for option, value in (("trials", options.trials), ("jobs", options.jobs)):
        if value < 1:
            raise ConfigError(f"--{option} is a number from 1 up, not {value}")
    if options.resume and options.overwrite:
        raise ConfigError("--resume true goes on with a search and --overwrite true begins it anew: give one of them")


def _open(folder: Path, options: TuneOptions) -> None:
    """Check the folder of a search, and remove an earlier one that is begun anew."""
    exists = (folder / STUDY).exists()
    if exists and not options.resume and not options.overwrite:
        raise ConfigError(
            f"{folder} holds a search of that name: add --resume true to go on with it, or --overwrite true to begin "
            "anew"
        )
    if options.resume and not exists:
        raise ConfigError(f"{folder} holds no search to resume")
    if options.overwrite:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _uses_gpus(cli: TrainCLI) -> bool:
    return cli.trainer.strategy.root_device.type == "cuda"


def _other_name(cli: TrainCLI) -> list[str]:
    """The option of a free name for the best model; empty where there is neither a run nor a checkpoint of its own."""
    name = cli.run_folder.name
    names = itertools.chain([name, f"{name}.best"], (f"{name}.best{number}" for number in itertools.count(2)))
    runs, checkpoints = Path(cli.options.runs), Path(cli.options.checkpoints)
    free = next(
        one for one in names if not (runs / one / f"{LAST}.ckpt").exists() and not (checkpoints / one / CONFIG).exists()
    )
    return [] if free == name else ["--name", free]


def _train_best(command: Sequence[str]) -> None:
    """Train the best configuration in a process of its own; what it prints goes to standard error."""
    if subprocess.run([sys.executable, "-m", "zoo.cli", *command], stdout=2, check=False).returncode:
        raise ConfigError(f"the best configuration was not trained, as said above: zoo {shlex.join(command)}")


def _print_begin(settings: Settings, study: Study, options: TuneOptions, size: float, shares: list[str]) -> None:
    """Print what is searched, and where."""
    earlier = len(study.trained)
    gone_on = f", of which {earlier} are there" if earlier else ""
    good = "lowest" if study.mode == "min" else "highest"
    combinations = f" of {size:,.0f} combinations" if size < 1_000_000 else ""
    print(
        f"{settings.name}: searching the {good} {settings.monitor} in {counted(options.trials, 'trial')}{combinations}"
        f"{gone_on}; the test split is not scored",
        file=sys.stderr,
    )
    if shares:
        print(f"{options.jobs} trials at a time, each on {' and on '.join(dict.fromkeys(shares))}", file=sys.stderr)


def _print_end(search: Search, study: Study, config: Path, command: Sequence[str]) -> None:
    """Print why the search ended, its results, and the command that trains the best model."""
    rows, folder = study.trained, config.parent
    reason = {
        "trials": "",
        "time": "; the time is over: --resume true goes on",
        "all": "; all combinations were tried",
        "repeats": "; only values that had been tried were drawn",
    }[search.reason]
    counts = [(state, sum(row.state == state for row in rows)) for state in ("complete", "pruned", "failed")]
    repeated = len(study.rows) - len(rows)
    words = [f"{count} {state}" for state, count in counts if count]
    words += [f"{repeated} repeated others and {'was' if repeated == 1 else 'were'} not trained"] if repeated else []
    print(f"{counted(len(rows), 'trial')} ({', '.join(words)}){reason}", file=sys.stderr)
    print(f"table: {folder / TABLE}; picture: {folder / PICTURE}", file=sys.stderr)
    print(f"to train the best: zoo {shlex.join(command)}", file=sys.stderr)
