"""What a run is resumed from: its last epoch, with the same model and the same options."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from zoo.errors import ConfigError, IntegrityError
from zoo.models._base import SequenceModel
from zoo.training.checkpoint_io import LAST, RunCheckpoint, read_checkpoint
from zoo.training.epoch_end import CONFIG, DATA, describe_files, refuse_other_data
from zoo.training.given import Given
from zoo.training.optimizers import takes

__all__ = ["check_resumable", "flat_options", "list_differences"]

# How long a run trains: may change when it is resumed, but for schedulers that count the steps to the end.
_LENGTHS = tuple(f"trainer.{name}_{unit}" for name in ("max", "min") for unit in ("epochs", "steps"))
# Options that differ, of which a message lists so many.
_MOST_NAMED = 5
# Options that may change: where files lie, and what is shown.
_MAY_CHANGE = (
    *("resume", "overwrite", "trust", "config", "checkpoints", "runs", "card", "trainer.max_time", "trainer.min_time"),
    *("trainer.enable_progress_bar", "trainer.enable_model_summary", "trainer.profiler", "trainer.log_every_n_steps"),
    *("trainer.default_root_dir", "trainer.logger", "data.init_args.num_workers"),
)
# Options that may change too, but then sums are added in another order, or other processes draw random numbers.
_OTHER_DIGITS = ("trainer.accelerator", "trainer.devices", "trainer.num_nodes", "trainer.strategy", "compile")
_BATCH = "data.init_args.batch_size"


def check_resumable(run: Path, model: SequenceModel, config: str) -> list[str]:
    """Check that a run can go on where it ended.

    Args:
        run: folder of the run.
        model: the model that the configuration describes.
        config: the whole configuration, as YAML.

    Returns:
        Sentences on differences with which the run can go on, but not as if it had not been stopped.

    Raises:
        IntegrityError: a checkpoint that is missing or damaged.
        ConfigError: it is of another model, or of a run with other options.
    """
    path = run / f"{LAST}.ckpt"
    content = read_checkpoint(path)
    if CONFIG not in content:
        raise ConfigError(f"{path} is not of this version of zoo: --overwrite true begins the run anew")
    _check_best(run, content)
    before, now = (flat_options(yaml.safe_load(text)) for text in (content[CONFIG], config))
    fixed = _fixed_by_scheduler(yaml.safe_load(config))
    differing = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    differing = [key for key in differing if key not in _LENGTHS or key in fixed]
    is_same_batch = _global_batch(now) is not None and _global_batch(now) == _global_batch(before)
    taken = (*_OTHER_DIGITS, _BATCH) if is_same_batch else _OTHER_DIGITS
    if refused := [key for key in differing if key not in taken]:
        _refuse_other_files(content[DATA], describe_files(config))
        raise ConfigError(
            f"{run} is a run with {list_differences(refused, before, now)}: a run is resumed with the options that it "
            "began with; --overwrite true begins anew"
        )
    _check_model(path, content.get("current_model_state", content["state_dict"]), model.state_dict())
    _check_end(path, content, yaml.safe_load(config)["trainer"])
    return [
        f"the run goes on with {_named(key, now)}, where it had {_named(key, before)}: its weights will not be those "
        "that it would have had"
        for key in differing
    ]


def _refuse_other_files(before: Sequence[str], now: Sequence[str]) -> None:
    """Refuse files of the same names with another content, from which options that differ may follow."""
    before = [line for line in before if line.startswith("file ")]
    if [line.split(" with ")[0] for line in before] == [line.split(" with ")[0] for line in now]:
        refuse_other_data(before, now)


def _fixed_by_scheduler(config: Given) -> tuple[str, ...]:
    """Options of a run's length that its scheduler was built for: it counts its steps to the end."""
    scheduler = config.get("lr_scheduler")
    return _LENGTHS if scheduler and takes(scheduler, "total_steps") else ()


def _check_best(run: Path, content: dict[str, Any]) -> None:
    """Refuse a run whose best weights so far are lost: the later epochs alone may have none that are as good."""
    states = [state for key, state in content.get("callbacks", {}).items() if key.startswith(RunCheckpoint.__name__)]
    for path in (Path(str(state["best_model_path"])) for state in states if state.get("best_model_path")):
        if not (run / path.name).is_file():
            raise IntegrityError(f"{run / path.name} is missing: put it back, or begin anew with --overwrite true")
        read_checkpoint(run / path.name)


def _check_model(path: Path, state: dict[str, Any], own: dict[str, Any]) -> None:
    """Refuse tensors that are not those of the model."""
    wrong = [name for name in own if name not in state or state[name].shape != own[name].shape]
    wrong += [name for name in state if name not in own]
    if wrong:
        raise ConfigError(
            f"{path} is of another model (look at {wrong[0]}): give the model that the run began with, or "
            "--overwrite true to begin anew"
        )


def _check_end(path: Path, content: dict[str, Any], trainer: dict[str, Any]) -> None:
    """Refuse fewer epochs than there are, or to go on from the middle of one, whose other batches are not known."""
    loop = content["loops"]["fit_loop"]
    done, epochs = loop["epoch_progress"]["current"]["processed"], trainer.get("max_epochs")
    if epochs not in (None, -1) and done > epochs:
        raise ConfigError(
            f"{path} has {done} epochs already, more than --trainer.max_epochs {epochs}: give as many or more"
        )
    progress, most = loop["epoch_loop.batch_progress"], trainer.get("max_steps", -1)
    if not progress["is_last_batch"] and (most == -1 or most > content["global_step"]):
        raise ConfigError(
            f"{path} was written within an epoch, where trainer.max_steps ended it: a run goes on from the end of an "
            "epoch only; --overwrite true begins anew"
        )


def list_differences(keys: Sequence[str], before: dict[str, Any], now: dict[str, Any]) -> str:
    """The words `--a 1, not --a 2; --b ...` of options that differ.

    Args:
        keys: the options.
        before: option -> value that a run or search began with, as `flat_options` returns them.
        now: option -> value now.
    """
    listed = "; ".join(f"{_named(key, before)}, not {_named(key, now)}" for key in keys[:_MOST_NAMED])
    return listed + (f"; and {len(keys) - _MOST_NAMED} more options differ" if len(keys) > _MOST_NAMED else "")


def flat_options(tree: Given, above: str = "") -> dict[str, Any]:
    """Options as key -> value, without those that may change when a run or search is resumed.

    Args:
        tree: the whole configuration.
        above: key of the tree, with a dot; empty for the whole.
    """
    values: dict[str, Any] = {}
    for name, value in tree.items():
        key = f"{above}{name}"
        if key in _MAY_CHANGE:
            continue
        if isinstance(value, dict) and value:
            values |= flat_options(value, f"{key}.")
        else:
            values[key] = value
    return values


def _named(key: str, values: dict[str, Any]) -> str:
    """An option with its value, as it is written on the command line; words such as `content of FILE` as they are."""
    return f"{'' if ' ' in key else '--'}{key.replace('.init_args', '')} {values.get(key)}"


def _global_batch(options: dict[str, Any]) -> int | None:
    """How much all processes train at once; None where their number is not given, as of `auto`."""
    factors = [str(options.get(key) or 1) for key in ("trainer.devices", "trainer.num_nodes", _BATCH)]
    return math.prod(map(int, factors)) if all(map(str.isdecimal, factors)) else None
