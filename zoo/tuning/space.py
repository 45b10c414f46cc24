"""The search space of `zoo tune`: for each option, as it is written on the command line, a range or choices.

optimizer.lr: {low: 1.0e-4, high: 1.0e-1, log: true}
model.dropout: {low: 0.0, high: 0.5, step: 0.1}
model.motifs.filters: {choices: [32, 64, 128]}
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, UnknownNameError
from zoo.training.given import Given, parse_value, read_yaml
from zoo.utils.text import quoted

__all__ = ["Choices", "Parameter", "Range", "read_space", "size_of", "text_of"]

_WORDS = ("low", "high", "log", "step")
_EXAMPLE = "{low: 1.0e-4, high: 1.0e-1, log: true}, {low: 16, high: 128, step: 16} or {choices: [32, 64]}"
# How far the last step may miss `high`, in steps: decimal fractions are not exact.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Attributes:
        key: option, such as `optimizer.lr`.
        low: lowest value.
        high: highest value.
        log: draw evenly on the scale of the logarithm.
        step: distance of the values from each other, beginning with `low`; None for any number.
        is_whole: whether the values are whole numbers.
    """

    key: str
    low: float
    high: float
    log: bool = False
    step: float | None = None
    is_whole: bool = False

    @property
    def probes(self) -> list[str]:
        """The values that decide whether the option takes the range, as on the command line."""
        return [text_of(self.low), text_of(self.high)]

    @property
    def values(self) -> list[int | float] | None:
        """All values, where they have steps; None where the range holds any number."""
        step = self.step or (1 if self.is_whole else None)
        if step is None:
            return None
        return [self.on_step(self.low + index * step) for index in range(round((self.high - self.low) / step) + 1)]

    def on_step(self, value: float) -> int | float:
        """The step next to a value, as written in decimals: .3, where floats add up to .30000000000000004."""
        if self.step is None or self.is_whole:
            return value
        return float(Decimal(str(self.low)) + round((value - self.low) / self.step) * Decimal(str(self.step)))

    def holds(self, value: Any) -> bool:
        """Whether a value lies in the range and on its steps."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        return math.isclose(steps, round(steps), abs_tol=_TOLERANCE)


@dataclass(frozen=True)
class Choices:
    """Values to choose from.

    Attributes:
        key: option.
        values: the values, as they are written on the command line.
    """

    key: str
    values: tuple[str, ...]

    @property
    def probes(self) -> list[str]:
        """The values that decide whether the option takes the choices."""
        return list(self.values)

    def holds(self, value: Any) -> bool:
        """Whether a value is one of the choices."""
        return text_of(value) in self.values


Parameter = Range | Choices


def read_space(source: str) -> list[Parameter]:
    """Read a search space.

    Args:
        source: a YAML file, or its content, which begins with `{`.

    Returns:
        The parameters; an option comes before those below it, as they are given on the command line.

    Raises:
        UnknownNameError: no such file.
        ConfigError: what is wrong, by the name of its option.
    """
    is_inline = source.lstrip().startswith("{")
    if not is_inline and not Path(source).is_file():
        raise UnknownNameError(f"there is no file {source}: --space is a YAML file with lines such as {_line()}")
    content = parse_value(source) if is_inline else read_yaml(source)
    if not isinstance(content, dict):
        raise ConfigError(f"--space {source}: this is not YAML of options, with lines such as {_line()}")
    if not content:
        raise ConfigError(f"--space {source}: no option is to be searched: add lines such as {_line()}")
    parameters = [_parameter(str(key), value) for key, value in content.items()]
    return sorted(parameters, key=lambda parameter: parameter.key.count("."))


def text_of(value: Any) -> str:
    """A value as it is written on the command line."""
    return value if isinstance(value, str) else json.dumps(value)


def size_of(parameters: Sequence[Parameter]) -> float:
    """Number of combinations of a search space; infinite where a range has any number."""
    return math.prod(math.inf if one.values is None else len(one.values) for one in parameters)


def _line() -> str:
    return f"`optimizer.lr: {_EXAMPLE.split(', {')[0]}`"


def _parameter(key: str, value: Any) -> Parameter:
    """One option with its range or choices."""
    if not isinstance(value, dict) or not value:
        raise ConfigError(f"{key} is {quoted(text_of(value))}: an option to be searched has {_EXAMPLE}")
    if "choices" in value:
        return _choices(key, value)
    unknown = [str(word) for word in value if word not in _WORDS]
    if unknown and all(isinstance(below, dict) for below in value.values()):
        raise ConfigError(f"{key} holds {unknown[0]!r}: write the option with dots, {key}.{unknown[0]}")
    if unknown:
        raise ConfigError(f"{key}: there is no {unknown[0]!r} of a range; there are {', '.join(_WORDS)}, or choices")
    return _range(key, value)


def _choices(key: str, value: Given) -> Choices:
    if others := [str(word) for word in value if word != "choices"]:
        raise ConfigError(f"{key} has choices and {others[0]}: give choices, or low and high")
    choices = value["choices"]
    if not isinstance(choices, list) or len({text_of(one) for one in choices}) < 2:
        raise ConfigError(f"{key}: choices are a list of two or more different values, not {quoted(text_of(choices))}")
    if "" in choices:
        raise ConfigError(f"{key}: a choice is empty")
    return Choices(key, tuple(dict.fromkeys(map(text_of, choices))))


def _range(key: str, value: Given) -> Range:
    for word in ("low", "high"):
        if word not in value:
            raise ConfigError(f"{key} has no {word}: an option to be searched has {_EXAMPLE}")
    numbers = {word: value[word] for word in ("low", "high", "step") if value.get(word) is not None}
    for word, number in numbers.items():
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not math.isfinite(number):
            raise ConfigError(f"{key}: {word} is a number, not {quoted(text_of(number))}")
    low, high, step, log = value["low"], value["high"], value.get("step"), value.get("log", False)
    if not isinstance(log, bool):
        raise ConfigError(f"{key}: log is true or false, not {quoted(text_of(log))}")
    if not low < high:
        raise ConfigError(f"{key}: low {low} is not below high {high}")
    if log and low <= 0:
        raise ConfigError(f"{key}: low is above 0 where log is true, not {low}")
    if log and step is not None:
        raise ConfigError(f"{key} has log and step: give one of them")
    if step is not None and not 0 < step <= high - low:
        raise ConfigError(f"{key}: step is above 0 and at most high - low, not {step}")
    if step is not None and abs((high - low) / step - round((high - low) / step)) > _TOLERANCE:
        last = round(low + (high - low) // step * step, 12)
        raise ConfigError(f"{key}: with step {step}, the last value is {last}, not {high}: write high: {last}")
    return Range(key, low, high, log, step, all(isinstance(number, int) for number in numbers.values()))
