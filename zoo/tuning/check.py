"""Check a search space against the configuration before any trial: each option must exist and take its values."""

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from typing import Any

import yaml

from zoo.errors import ConfigError
from zoo.training.given import Given
from zoo.training.parse import print_config
from zoo.tuning.space import Parameter, Range, text_of

__all__ = ["check_space", "default_values", "resolved"]

_NOT_TRAINED = "it does not change what is trained"
_OTHER_DATA = "trials would be scored on different data, so that their values could not be compared"
# Options, with those below them, that are not searched -> why.
_REFUSED = {
    **dict.fromkeys(("name", "runs", "checkpoints", "resume", "overwrite", "trust", "config", "card"), _NOT_TRAINED),
    **dict.fromkeys(("trainer.logger", "trainer.enable_progress_bar", "data.num_workers"), _NOT_TRAINED),
    "monitor": "it is what trials are compared by",
    "seed_everything": "the best of several seeds is no better for another: --seed_everything sets one for all trials",
    **dict.fromkeys(
        (
            *("data.val_fraction", "data.test_fraction", "data.fold", "data.folds", "data.split", "data.split_seed"),
            *("data.split_column", "data.rules.val", "data.rules.test", "data.table", "data.fasta", "data.peaks"),
            *("data.genome", "data.targets_table", "data.coolers", "data.label_columns", "data.experiment"),
        ),
        _OTHER_DATA,
    ),
}
# Options that change what the loss measures.
_OF_LOSS = ("model.loss", "model.target_scale", "target_weights", "target_scaling")


def resolved(arguments: Sequence[str]) -> Given:
    """The whole configuration that arguments of `zoo train` describe, defaults filled in; nothing is built.

    Raises:
        ConfigError: a key or value that does not fit, named.
    """
    text = io.StringIO()
    with redirect_stdout(text), redirect_stderr(io.StringIO()):
        print_config(arguments)
    content: Given = yaml.safe_load(text.getvalue())
    return content


def check_space(arguments: Sequence[str], parameters: Sequence[Parameter], monitor: str) -> list[Parameter]:
    """Check that the options of a search space exist and take the values.

    Args:
        arguments: arguments of `zoo train`: the configuration, then options and values.
        parameters: the search space.
        monitor: metric that trials are compared by.

    Returns:
        The parameters; a range of an option that takes fractions has fractions.

    Raises:
        ConfigError: the first that does not fit.
    """
    keys = [parameter.key for parameter in parameters]
    for key in keys:
        _refuse(key, monitor)
        if f"--{key}" in arguments[1::2]:
            raise ConfigError(f"--{key} is given, and is in the search space too: leave it out of one of them")
        if above := [other for other in keys if key.startswith(f"{other}.")]:
            _check_nested(key, above[0], parameters)
    return [_checked(arguments, parameter) for parameter in parameters]


def default_values(config: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, Any] | None:
    """The values that the configuration itself has; None where one of them is not in the search space.

    Args:
        config: the configuration, of `resolved`.
        parameters: the search space.
    """
    values = {one.key: _value_at(config, one.key) for one in parameters}
    if not all(one.holds(values[one.key]) for one in parameters):
        return None
    return {one.key: values[one.key] if isinstance(one, Range) else text_of(values[one.key]) for one in parameters}


def _refuse(key: str, monitor: str) -> None:
    """Refuse an option with which trials could not be compared."""
    for option, reason in _REFUSED.items():
        if key == option or key.startswith(f"{option}."):
            raise ConfigError(f"{key} is not searched: {reason}")
    if monitor.endswith("loss") and any(key == option or key.startswith(f"{option}.") for option in _OF_LOSS):
        raise ConfigError(
            f"{key} is not searched by {monitor}, which it changes: choose another metric, such as --monitor val_auroc "
            "or val_pearson"
        )


def _check_nested(key: str, above: str, parameters: Sequence[Parameter]) -> None:
    """Refuse an option below another one whose choices are not all classes: it would not exist in every trial."""
    choices = next(one for one in parameters if one.key == above)
    if any(text.startswith(("{", "[")) for text in choices.probes):
        raise ConfigError(f"{key} and {above} are searched, and the latter sets the former: search one of them")


def _checked(arguments: Sequence[str], parameter: Parameter) -> Parameter:
    """Check the values of one parameter; of a range, also whether its option takes whole numbers alone."""
    value = None
    for text in parameter.probes:
        config = resolved([*arguments, f"--{parameter.key}", text])
        value = _value_at(config, parameter.key)
    if isinstance(parameter, Range) and isinstance(value, float):
        return replace(parameter, is_whole=False)
    return parameter


def _value_at(config: Mapping[str, Any], key: str) -> Any:
    """The value of an option, as it is written on the command line; None where there is none."""
    value: Any = config
    for name in key.split("."):
        if isinstance(value, Mapping) and name not in value and "init_args" in value:
            value = value["init_args"]
        value = value.get(name) if isinstance(value, Mapping) else None
    return value["class_path"] if isinstance(value, Mapping) and "class_path" in value else value
