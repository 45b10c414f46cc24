"""The record of a training run in `config.json`. Nothing here imports torch."""

import re
from typing import Any

from zoo.errors import IntegrityError
from zoo.hub.facts import BaseFacts, RunFacts
from zoo.hub.json_reader import JsonReader, list_of, table_of
from zoo.utils.text import quoted

__all__ = ["read_run"]

_SHA256 = re.compile("[0-9a-f]{64}")
_MOST_FILES = 10_000


def read_run(reader: JsonReader, targets: int) -> RunFacts:
    """Read the record of a training run.

    Args:
        reader: of the object.
        targets: number of targets (T).

    Raises:
        IntegrityError: a key that is missing, unknown or has a wrong value.
    """
    data = list_of(str, reader.sequence("data"))
    metrics = {split: table_of(float, scores) for split, scores in reader.table("metrics").items()}
    target_metrics = reader.table("target_metrics", {})
    for key, valid in (
        ("data", data is not None),
        ("metrics", all(scores is not None for scores in metrics.values())),
        ("target_metrics", all(list_of(float | None, values) is not None for values in target_metrics.values())),
    ):
        if not valid:
            raise IntegrityError(f"{reader.where}: {key} has a value of a wrong type")
    if any(len(values) != targets for values in target_metrics.values()):
        raise IntegrityError(f"{reader.where}: target_metrics must hold {targets} values each, one for each target")
    run = RunFacts(
        command=reader.text("command"),
        recipe=reader.text("recipe"),
        commit=reader.text("commit"),
        seed=reader.whole("seed"),
        hardware=reader.text("hardware"),
        seconds=reader.number("seconds", lowest=0),
        precision=reader.text("precision"),
        versions=reader.text("versions"),
        data=data,
        metrics=metrics,
        target_metrics=target_metrics,
        base=_base(reader),
        files=_files(reader),
        intervals=_intervals(reader, targets),
        interval_notes=_interval_notes(reader),
    )
    reader.refuse_others()
    return run


def _files(reader: JsonReader) -> dict[str, str]:
    """The files of the data: sha256 by URL or name; none where there is no such key."""
    files = reader.table("files", {}, most=_MOST_FILES)
    if table_of(str, files) is None or not all(map(_SHA256.fullmatch, files.values())):
        raise IntegrityError(f"{reader.where}: files must hold a sha256 of 64 hexadecimal digits for each file")
    return dict(files)


def _intervals(reader: JsonReader, targets: int) -> dict[str, list[list[float] | None]]:
    """The intervals of the scores: a pair for each target and for the mean; none where there is no such key."""
    intervals = reader.table("intervals", {})
    for metric, pairs in intervals.items():
        if not isinstance(pairs, list) or len(pairs) != targets + 1 or not all(map(_is_interval, pairs)):
            raise IntegrityError(
                f"{reader.where}: intervals of {quoted(metric)} must hold {targets + 1} pairs of numbers, one for each "
                "target and one for the mean"
            )
    return dict(intervals)


def _interval_notes(reader: JsonReader) -> list[str]:
    """Sentences on the intervals; none where there is no such key."""
    notes: list[str] | None = list_of(str, reader.sequence("interval_notes", []))
    if notes is None:
        raise IntegrityError(f"{reader.where}: interval_notes must hold texts")
    return notes


def _is_interval(pair: Any) -> bool:
    """Whether a value is a pair of numbers, or None."""
    return pair is None or (list_of(float, pair) is not None and len(pair) == 2)


def _base(reader: JsonReader) -> BaseFacts | None:
    """The model with whose weights the run began; None where there is no such key."""
    if reader.values.get("base") is None:
        return None
    base = JsonReader(f"{reader.where}: base", reader.table("base"))
    delta = None if base.values.get("delta") is None else base.number("delta", lowest=0)
    facts = BaseFacts(base.text("name"), base.text("sha256"), base.text("mode"), delta)
    base.refuse_others("delta")
    if not _SHA256.fullmatch(facts.sha256):
        raise IntegrityError(f"{base.where}: sha256 must be 64 hexadecimal digits, not {quoted(facts.sha256)}")
    return facts
