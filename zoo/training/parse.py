"""Build what a configuration and options of `zoo train` describe, or print it: the first step of a run."""

import sys
from collections.abc import Sequence
from contextlib import suppress

import yaml
from jsonargparse import ArgumentError
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.rank_zero import rank_zero_only

from zoo.errors import ConfigError
from zoo.hub.configs import config_text, find_config
from zoo.nn.losses import LOSSES
from zoo.training.given import Given, read_given, refuse_linked, split_arguments
from zoo.training.loggers import check_loggers
from zoo.training.messages import explain, explain_remainder, unknown_name
from zoo.training.options import LINKED, TrainCLI, make_cli, option_types
from zoo.training.signatures import parameters_of, resolve_class
from zoo.training.trust import check_name, check_trust, is_restricted
from zoo.utils.lightning_output import quiet_lightning

__all__ = ["REFUSALS", "parse", "print_config"]

# What LightningCLI and the classes of a configuration raise for a value that does not fit.
REFUSALS = (
    *(ArgumentError, MisconfigurationException, yaml.YAMLError),
    *(ValueError, TypeError, AttributeError, RuntimeError),
)
# In front of a configuration given as text: no file has so long a name, so that none is read in its place.
_NO_PATH = "\n" * 5_000


def print_config(arguments: Sequence[str]) -> None:
    """Print the whole configuration of a run, defaults filled in, as YAML; no data are read.

    Args:
        arguments: as of `train`.

    Raises:
        ConfigError: a key or value that does not fit, named.
    """
    with suppress(SystemExit):  # how argparse ends once it has printed
        parse(split_arguments([word for word in arguments if word]), ["--print_config"])


def parse(arguments: Sequence[str], flags: Sequence[str] = ()) -> TrainCLI:
    """Build the model, data and trainer that a configuration and options describe.

    Args:
        arguments: the configuration, then options and values in turn.
        flags: options without a value.

    Raises:
        ConfigError: a key or value that does not fit, named.
    """
    quiet_lightning()
    check_trust(arguments)
    given = read_given(arguments[0], arguments[1:])
    refuse_linked(given, LINKED)
    check_loggers(given)
    schema = option_types()
    for key in ("model", "data"):
        if message := unknown_name(key, given.get(key), schema[key]):
            raise ConfigError(f"{arguments[0]}: {message}")
    try:
        cli = make_cli([*_with_files(arguments), *_loss_of_measurements(given), *flags])
    except REFUSALS as error:
        message = explain(given, schema) or explain_remainder(str(error))
        raise ConfigError(f"{arguments[0]}: {message}") from None
    check_name(cli, arguments)
    return cli


def _loss_of_measurements(given: Given) -> list[str]:
    """The option of squared error, where labels are measurements and the model's default is a loss of classes."""
    data, model = (given[key] if isinstance(given.get(key), dict) else {} for key in ("data", "model"))
    arguments, cls = model.get("init_args") or {}, resolve_class(str(model.get("class_path")))
    default = parameters_of(cls)["loss"].default if cls and "loss" in parameters_of(cls) else None
    is_measured = (data.get("init_args") or {}).get("classify") is False
    if not is_measured or "loss" in arguments or default not in LOSSES or not LOSSES[default].classifies:
        return []
    if getattr(rank_zero_only, "rank", 0) == 0:
        print("the loss is mean_squared_error, for labels are measurements (data.classify false)", file=sys.stderr)
    return ["--model.loss", "mean_squared_error"]


def _with_files(arguments: Sequence[str]) -> list[str]:
    """Options and values in turn, with the path of each configuration instead of its name.

    Of one that came with a checkpoint, its text: from a path, jsonargparse would work in that folder, and read and
    import what lies there.
    """
    words = []
    for option, value in zip(["--config", *arguments[1::2]], [arguments[0], *arguments[2::2]], strict=True):
        is_file = option == "--config" and not is_restricted(value, arguments)
        text = str(find_config(value)) if is_file else _NO_PATH + config_text(value) if option == "--config" else value
        words += [option, text]
    return words
