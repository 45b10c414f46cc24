"""The result of an evaluation: scores with intervals, per target and as means; as a table, TSV and JSON."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ConfigError
from zoo.scoring.bootstrap import Interval
from zoo.utils.atomic import whole_file
from zoo.utils.text import counted

if TYPE_CHECKING:
    from zoo.hub.seen_share import SeenReport

__all__ = ["MEAN", "Evaluation", "Score", "check_ending", "make_score"]

# What the mean over targets is called in tables.
MEAN = "mean"
_DIGITS = 6
_ENDINGS = (".json", ".tsv", ".csv")
_COLUMNS = ("target", "metric", "value", "low", "high", "observed")


@dataclass(frozen=True)
class Score:
    """One score of one target, or of the mean over targets.

    Attributes:
        value: the score; None where it is not defined.
        low: lower end of its interval; None without one.
        high: upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        interval = "" if self.low is None or self.high is None else f" [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.value:.4f}{interval}"


@dataclass(frozen=True)
class Evaluation:
    """Scores of a model on labelled data.

    Attributes:
        model: name of the model.
        data: what it was evaluated on.
        split: split of the data; `all` of data without splits.
        unit: what a resample draws: `sequence`, or `window of 16,384 bases`.
        units: their number.
        targets: names of the targets that were evaluated (M).
        observed: number of measured values per target (M).
        scores: metric -> score of each target (M).
        means: metric -> score of the mean over the targets for which it is defined.
        resamples: number of bootstrap resamples.
        confidence: share of them whose scores lie in an interval.
        seed: seed of the resamples.
        seen: share of the data that was seen in training, of the model and of those that it began with.
        notes: sentences on what was left out, chosen or not defined.
    """

    model: str
    data: str
    split: str
    unit: str
    units: int
    targets: list[str]
    observed: list[int]
    scores: dict[str, list[Score]]
    means: dict[str, Score]
    resamples: int
    confidence: float
    seed: int
    seen: "list[SeenReport]" = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        means = ", ".join(f"{name} {score}" for name, score in self.means.items())
        size = f"{counted(self.units, self.unit.split()[0])}, {counted(len(self.targets), 'target')}"
        return f"{self.model} on {size}: {means}"

    def value(self, metric: str, target: str | None = None) -> float:
        """Look up one score: of a target, or of the mean over targets; NaN where it is not defined.

        Raises:
            ConfigError: a metric or target that was not evaluated.
        """
        if metric not in self.scores or (target is not None and target not in self.targets):
            raise ConfigError(f"evaluated were {', '.join(self.scores)} of {', '.join(self.targets)}")
        score = self.means[metric] if target is None else self.scores[metric][self.targets.index(target)]
        return math.nan if score.value is None else score.value

    def rows(self) -> Iterator[tuple[str, int | None, dict[str, Score]]]:
        """Give name, number of values and scores of each target, and last of the mean where there are several."""
        for index, target in enumerate(self.targets):
            yield target, self.observed[index], {name: scores[index] for name, scores in self.scores.items()}
        if len(self.targets) > 1:
            yield MEAN, None, self.means

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain JSON values."""
        return asdict(self)

    def write(self, path: str | Path) -> None:
        """Write JSON, or a table with a row for each target and metric.

        Args:
            path: file that ends in .json, .tsv or .csv.

        Raises:
            ConfigError: another ending.
            OutputError: it cannot be written.
        """
        check_ending(path)
        with whole_file(str(path)) as file:
            if str(path).endswith(".json"):
                file.write(json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")
                return
            separator = "," if str(path).endswith(".csv") else "\t"
            file.write(separator.join(_COLUMNS) + "\n")
            for target, observed, scores in self.rows():
                for metric, score in scores.items():
                    cells = (target, metric, score.value, score.low, score.high, observed)
                    file.write(
                        separator.join("" if cell is None else _cell(str(cell), separator) for cell in cells) + "\n"
                    )


def check_ending(path: str | Path) -> None:
    """Raises: ConfigError: the name of a file that is not written."""
    if not str(path).endswith(_ENDINGS):
        raise ConfigError(f"{path}: an evaluation is written as {', '.join(_ENDINGS)}")


def make_score(value: float, ends: Interval | None, index: int) -> Score:
    """Make a score with its interval, number `index` of some; without one where it is not defined."""
    if ends is None or not math.isfinite(value):
        return Score(_rounded(value))
    return Score(_rounded(value), _rounded(ends.low[index]), _rounded(ends.high[index]))


def _rounded(value: float) -> float | None:
    """A number of six decimals, the same however processes added up; None for NaN."""
    return round(float(value), _DIGITS) if math.isfinite(value) else None


def _cell(text: str, separator: str) -> str:
    text = text.translate(str.maketrans("\t\r\n", "   "))
    return '"' + text.replace('"', '""') + '"' if separator in text or '"' in text else text
