"""Which target of the data is which target of a model: by name, or as the caller says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zoo.errors import ConfigError
from zoo.utils.text import counted, some_of

__all__ = ["Matching", "match_targets"]

_MOST_NAMED = 8


@dataclass(frozen=True)
class Matching:
    """Pairs of targets of the data and of a model, in the order of the model. Shapes: M pairs.

    Attributes:
        names: the model's names (M).
        of_model: index of each among the model's targets (M).
        of_data: index of each among the targets of the data (M).
        notes: sentences on what is not evaluated, and on pairs of other names.
    """

    names: list[str]
    of_model: list[int]
    of_data: list[int]
    notes: list[str] = field(default_factory=list)


def match_targets(
    data: Sequence[str],
    model: Sequence[str],
    match: Mapping[str, str] | None = None,
    wanted: Sequence[str] | None = None,
    any_name: bool = False,
) -> Matching:
    """Match targets by name.

    Args:
        data: targets of the data.
        model: targets of the model.
        match: target of the data -> target of the model, where names differ.
        wanted: targets of the model to evaluate; None for all that the data have.
        any_name: one target of the data is that of a model of one target, whatever its name: it is named after a file.

    Raises:
        ConfigError: nothing in common, or a name that neither has; with the names of both.
    """
    given = dict(match or {})
    both = f"the data have {some_of(data, _MOST_NAMED)}; the model predicts {some_of(model, _MOST_NAMED)}"
    for names, known, side in ((given, data, "the data"), (given.values(), model, "the model")):
        if unknown := [name for name in names if name not in known]:
            raise ConfigError(f"--match names {unknown[0]!r}, which is no target of {side}: {both}")
    if len(set(given.values())) < len(given):
        raise ConfigError("--match gives two targets of the data to one target of the model: name each once")
    pairs = {target: column for column, target in given.items()}
    pairs |= {name: name for name in data if name in model and name not in given and name not in pairs}
    if not pairs and any_name and len(data) == len(model) == 1:
        pairs = {model[0]: data[0]}
    if not pairs:
        raise ConfigError(
            f"no target of the data is one of the model's: {both}; say which is which: --match NAME=TARGET"
        )
    if unknown := [name for name in wanted or () if name not in pairs]:
        raise ConfigError(
            f"the target {unknown[0]!r} is not in both: {both}; other names are matched by --match NAME=TARGET"
        )
    chosen = [name for name in model if name in (pairs if wanted is None else wanted)]
    columns = [pairs[name] for name in chosen]
    notes = [
        f"{column} is taken for the target {name}"
        for name, column in zip(chosen, columns, strict=True)
        if name != column
    ]
    notes += _not_evaluated(
        [name for name in data if name not in pairs.values()], "of the data", "the model does not predict"
    )
    if wanted is None:
        notes += _not_evaluated([name for name in model if name not in pairs], "of the model", "the data do not have")
    return Matching(chosen, [model.index(name) for name in chosen], [data.index(name) for name in columns], notes)


def _not_evaluated(names: Sequence[str], side: str, why: str) -> list[str]:
    if not names:
        return []
    return [f"not evaluated: {counted(len(names), 'target')} {side} that {why}, {some_of(names, _MOST_NAMED)}"]
