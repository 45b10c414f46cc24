"""The results of the trials of a search."""

from typing import Any, NamedTuple

from optuna.trial import FrozenTrial, TrialState

__all__ = ["ENDED", "RESULT", "Row", "row_of", "text_of_value"]

_STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
ENDED = tuple(_STATES)
# Attribute of a trial that holds its result.
RESULT = "result"


class Row(NamedTuple):
    """The result of a trial.

    Attributes:
        number: number of the trial.
        values: option -> value.
        state: complete, pruned, failed or repeated (the values of an earlier trial).
        value: best value of the monitored metric; None of a trial that failed.
        epochs: number of epochs.
        seconds: seconds of training.
        message: why it failed, or which trial it repeats.
    """

    number: int
    values: dict[str, Any]
    state: str
    value: float | None
    epochs: int
    seconds: float
    message: str


def row_of(trial: FrozenTrial) -> Row:
    """The result of a trial that has ended.

    Args:
        trial: as Optuna keeps it.
    """
    if RESULT in trial.user_attrs:
        return Row(**trial.user_attrs[RESULT])
    values = {key: text_of_value(value) for key, value in trial.params.items()}
    return Row(trial.user_attrs.get("index", trial.number), values, _STATES[trial.state], None, 0, 0.0, "")


def text_of_value(value: Any) -> str:
    """A value that was drawn, as it is written on the command line."""
    return value if isinstance(value, str) else repr(value)
