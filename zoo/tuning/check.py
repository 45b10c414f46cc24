"""Check a search space against the configuration before any trial: each option must exist and take its values."""

import io
from collections.abc import Collection, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from typing import Any

import yaml

from zoo.errors import ConfigError, ZooError
from zoo.training.checks import check_run
from zoo.training.given import Given
from zoo.training.parse import parse, print_config
from zoo.tuning.space import Parameter, Range, text_of

__all__ = ["check_space", "default_values", "resolved"]

_NOT_TRAINED = "it does not change what is trained"
# Options, with those below them, that are not searched -> why.
_REFUSED = {
    **dict.fromkeys(("name", "runs", "checkpoints", "resume", "overwrite", "trust", "config", "card"), _NOT_TRAINED),
    **dict.fromkeys(("delta", "compile", "transfer.sha256"), _NOT_TRAINED),
    "monitor": "it is what trials are compared by",
    "seed_everything": "the best of several seeds is no better for another: --seed_everything sets one for all trials",
}
# Options of the Trainer that change training alone: what is validated, and how often, is the same in all trials.
_OF_TRAINER = (
    *("max_epochs", "min_epochs", "max_steps", "min_steps", "limit_train_batches", "accumulate_grad_batches"),
    *("gradient_clip_val", "gradient_clip_algorithm", "precision", "callbacks"),
)
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


def check_space(
    arguments: Sequence[str], parameters: Sequence[Parameter], monitor: str, of_data: Collection[str] = ()
) -> list[Parameter]:
    """Check that the options of a search space exist and that a run can be built with their values.

    Args:
        arguments: arguments of `zoo train`: the configuration, then options and values.
        parameters: the search space.
        monitor: metric that trials are compared by.
        of_data: arguments of the DataModule that may be searched, for they leave the validation split as it is.

    Returns:
        The parameters; a range of an option that takes fractions has fractions.

    Raises:
        ConfigError: the first that does not fit.
    """
    keys = [parameter.key for parameter in parameters]
    for key in keys:
        _refuse(key, monitor, of_data)
        if f"--{key}" in arguments[1::2]:
            raise ConfigError(f"--{key} is given, and is in the search space too: leave it out of one of them")
        if above := [other for other in keys if key.startswith(f"{other}.")]:
            _check_nested(key, above[0], parameters)
    return [_checked(arguments, parameter, parameters) for parameter in parameters]


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


def _refuse(key: str, monitor: str, of_data: Collection[str]) -> None:
    """Refuse an option with which trials could not be compared."""
    for option, reason in _REFUSED.items():
        if key == option or key.startswith(f"{option}."):
            raise ConfigError(f"{key} is not searched: {reason}")
    for group, names in (("data", sorted(of_data)), ("trainer", _OF_TRAINER)):
        name = key.removeprefix(f"{group}.").removeprefix("init_args.").partition(".")[0]
        if key.partition(".")[0] == group and name not in names:
            raise ConfigError(
                f"{key} is not searched: trials could be scored on different data, or it does not change what is "
                f"trained; of {group}. these can be searched: {', '.join(names) or 'none'}"
            )
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


def _checked(arguments: Sequence[str], parameter: Parameter, space: Sequence[Parameter]) -> Parameter:
    """Check the values of one parameter; of a range, also whether its option takes whole numbers alone."""
    value = None
    for text in parameter.probes:
        value = _value_at(_built(arguments, parameter.key, text, space), parameter.key)
    if isinstance(parameter, Range) and isinstance(value, float):
        return replace(parameter, is_whole=False)
    return parameter


def _built(arguments: Sequence[str], key: str, text: str, space: Sequence[Parameter]) -> Given:
    """Build a run with one value, and return its configuration; the other parameters have those of the configuration.

    Where it cannot be built, as an option may need another one of the search space, they have their first values, and
    then their last.

    Raises:
        ConfigError: it cannot be built with any of these; the first reason.
    """
    others = [{one.key: one.probes[index] for one in space} for index in (0, -1)] if len(space) > 1 else []
    errors: list[ZooError] = []
    for values in ({}, *others):
        options = {**values, key: text}
        try:
            cli = parse([*arguments, *(word for one, value in options.items() for word in (f"--{one}", value))])
            check_run(cli)
        except ZooError as error:
            errors.append(error)
            continue
        config: Given = yaml.safe_load(cli.config_text)
        return config
    message = str(errors[0])
    raise ConfigError(message if key in message else f"{key} {text}: {message}")


def _value_at(config: Mapping[str, Any], key: str) -> Any:
    """The value of an option, as it is written on the command line; None where there is none."""
    value: Any = config
    for name in key.split("."):
        if isinstance(value, Mapping) and name not in value and "init_args" in value:
            value = value["init_args"]
        value = value.get(name) if isinstance(value, Mapping) else None
    return value["class_path"] if isinstance(value, Mapping) and "class_path" in value else value
