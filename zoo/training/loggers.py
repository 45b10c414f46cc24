"""Loggers that a configuration names in addition to a run's own: W&B, MLflow, Comet, TensorBoard, CSV, or any other.

A resumed run goes on in the experiment that it began, whose id is kept in the folder of the run; CSVLogger, which would
delete the rows of the earlier start, begins a new version. What a logger cannot do is one sentence.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jsonargparse import ArgumentParser, Namespace
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.loggers import Logger

from zoo.errors import ConfigError, IntegrityError, MissingExtraError, OutputError, one_line
from zoo.hub.config import read_config
from zoo.training.given import Given
from zoo.utils.atomic import whole_path

__all__ = ["build_loggers", "check_loggers", "closing_loggers", "log_scores", "open_loggers"]

# In the folder of a run: the ids of its experiments.
_IDS = "loggers.json"


class _Arguments(NamedTuple):
    """Names of constructor arguments; None where there is none.

    Attributes:
        identity: of the id of an experiment, with which it is opened again.
        name: of its name.
        folder: of the folder of its files.
    """

    identity: str | None
    name: str | None = None
    folder: str | None = None


# Of other classes, such as CSVLogger, an experiment is begun anew when a run is resumed.
_KNOWN = {
    "WandbLogger": _Arguments("id", "name", "save_dir"),
    "MLFlowLogger": _Arguments("run_id", "run_name"),
    "CometLogger": _Arguments("experiment_key", "name"),
    "TensorBoardLogger": _Arguments("version"),
}
# Class -> the module and the package that it needs.
_PACKAGES = {
    "WandbLogger": ("wandb", "'regzoo[wandb]'"),
    "MLFlowLogger": ("mlflow", "mlflow"),
    "CometLogger": ("comet_ml", "comet-ml"),
    "LitLogger": ("litlogger", "litlogger"),
}


def check_loggers(given: Given) -> None:
    """Check that the packages of the loggers that a configuration names are installed: their options depend on them.

    Args:
        given: content of the configuration and options, as `read_given` reads them.

    Raises:
        MissingExtraError: a package that is not installed.
    """
    trainer = given.get("trainer")
    config = trainer.get("logger") if isinstance(trainer, dict) else None
    for one in config if isinstance(config, list) else [config]:
        name = str(one.get("class_path") if isinstance(one, dict) else one).rpartition(".")[2]
        module, package = _PACKAGES.get(name, ("", ""))
        if module and find_spec(module) is None:
            raise MissingExtraError(f"trainer.logger: {name} needs {module}: pip install {package}")


def build_loggers(config: Any, run: Path, is_resumed: bool) -> list[Logger]:
    """Build the loggers of a configuration.

    Experiments are called like the run unless the configuration names them; W&B writes into the folder of the run.

    Args:
        config: value of `trainer.logger`, parsed: None, a class with its arguments, or a list of them.
        run: folder of the run.
        is_resumed: whether the experiments of an earlier start are gone on with.

    Raises:
        ConfigError: false, or arguments that a class does not take.
        MissingExtraError: a package that a class of one's own needs is not installed.
    """
    if config is False:
        raise ConfigError(
            "trainer.logger is false, and a run needs its own logs, of which its learning curve is drawn: leave it out"
        )
    if config is None or config is True:
        return []
    configs = [one.clone() for one in (config if isinstance(config, list) else [config])]
    ids = _read_ids(run) if is_resumed else []
    for index, one in enumerate(configs):
        _fill_in(one, run, ids[index] if index < len(ids) else {})
    return [_build(one) for one in configs]


def _fill_in(config: Namespace, run: Path, earlier: Given) -> None:
    """Set the name, folder and id of an experiment where the configuration does not."""
    cls = config.class_path.rpartition(".")[2]
    known, is_same = _KNOWN.get(cls, _Arguments(None)), earlier.get("class") == cls
    values = {
        known.name: run.name,
        known.folder: str(run.absolute()),
        known.identity: earlier.get("id") if is_same else None,
    }
    arguments = config.get("init_args") or Namespace()  # type: ignore[no-untyped-call]
    others = dict(config.get("dict_kwargs") or {})
    for name, value in values.items():
        if name is None or value is None or name in others:
            continue
        if name not in arguments:  # one that the class passes on
            others[name] = value
        elif arguments[name] in (None, "."):
            arguments[name] = value
    if known is _KNOWN["WandbLogger"] and not arguments.get("resume"):
        others["resume"] = arguments.pop("resume", None) or "allow"  # else an id that exists is refused or replaced
    config.init_args, config.dict_kwargs = arguments, others


def _build(config: Namespace) -> Logger:
    """Build one logger."""
    parser, name = ArgumentParser(exit_on_error=False), config.class_path.rpartition(".")[2]
    parser.add_argument("--logger", type=Logger)
    try:
        logger: Logger = parser.instantiate_classes(Namespace(logger=config)).logger  # type: ignore[no-untyped-call]
    except (ImportError, MisconfigurationException, ValueError, TypeError, RuntimeError) as error:
        cause: Any = error.__cause__ or error.__context__ or error  # jsonargparse wraps what a constructor raises
        kind = MissingExtraError if isinstance(cause, ImportError) else ConfigError
        raise kind(f"trainer.logger: {name} cannot be built: {one_line(cause)}") from None
    return logger


def open_loggers(loggers: Sequence[Logger], run: Path, is_resumed: bool, config: str) -> None:
    """Open the experiments of a run and log its options there, in the first process.

    Args:
        loggers: the loggers that `build_loggers` built.
        run: folder of the run.
        is_resumed: whether the run goes on; its options are logged already.
        config: the whole configuration, as YAML.

    Raises:
        ConfigError: an experiment that cannot be opened.
    """
    if not loggers:
        return
    run.mkdir(parents=True, exist_ok=True)
    earlier = [one.get("id") for one in _read_ids(run)] if is_resumed else []
    for index, logger in enumerate(loggers):
        _guard(logger)
        if _open(logger) not in (earlier[index : index + 1] or [None]):
            logger.log_hyperparams(_options(config))
    ids = [{"class": type(logger).__name__, "id": logger.version} for logger in loggers]
    with whole_path(run / _IDS) as draft:
        draft.write_text(json.dumps(ids, indent=1))


@contextmanager
def closing_loggers(loggers: Sequence[Logger]) -> Iterator[None]:
    """End the experiments that would take what a later run in this process logs, however the block ends."""
    try:
        yield
    finally:
        for logger in loggers:
            if type(logger).__name__ == "WandbLogger" and getattr(logger, "_experiment", None) is not None:
                logger._experiment.finish()  # type: ignore[attr-defined]


def log_scores(loggers: Sequence[Logger], folder: Path, step: int) -> None:
    """Log the scores of the saved weights, `best_val_*` and `test_*`.

    Args:
        loggers: the loggers that `build_loggers` built.
        folder: the checkpoint folder of the run.
        step: number of steps that the run took.
    """
    training = read_config(folder).facts.training
    splits = training.metrics if training else {}
    names = {"val": "best_val", "test": "test"}
    scores = {f"{names[split]}_{name}": value for split, values in splits.items() for name, value in values.items()}
    for logger in loggers:
        logger.log_metrics(scores, step=step)
        logger.save()


def _open(logger: Logger) -> int | str | None:
    """Open the experiment of a logger: its id, None where there is none."""
    try:
        _ = getattr(logger, "experiment", None)
        return logger.version
    except Exception as error:  # each library has its own
        raise ConfigError(
            f"trainer.logger: {type(logger).__name__} cannot begin: {one_line(error)}; no epoch was trained"
        ) from None


def _guard(logger: Logger) -> None:
    """Turn the errors of a logger while it logs into a sentence."""
    for method in ("log_hyperparams", "log_metrics", "save"):
        setattr(logger, method, _guarded(getattr(logger, method), type(logger).__name__))


def _guarded(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A method of a logger of that name, whose errors are sentences."""

    @wraps(method)
    def call(*arguments: Any, **settings: Any) -> Any:
        """Call the method."""
        try:
            return method(*arguments, **settings)
        except OSError:  # of a full disk, which the run explains
            raise
        except Exception as error:  # each library has its own
            raise OutputError(f"trainer.logger: {name} failed: {one_line(error)}") from None

    return call


def _options(config: str) -> Given:
    """The options of a run: key as on the command line -> value."""
    return dict(_flat("", {key: value for key, value in yaml.safe_load(config).items() if key != "card"}))


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The values of a mapping of mappings, each with its key."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(key if name == "init_args" else f"{key}.{name}".lstrip("."), inner)
    elif value is not None:
        yield key, value


def _read_ids(run: Path) -> list[Given]:
    """Class and id of the experiments of a run's earlier start."""
    path = run / _IDS
    if not path.exists():
        return []
    try:
        return [dict(one) for one in json.loads(path.read_text())]
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise IntegrityError(f"{path} is damaged: remove it, and the run logs into new experiments") from None
