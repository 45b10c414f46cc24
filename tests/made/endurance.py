"""How often a fault is tried, and the count of how often it was survived.

`make endurance` sets ENDURANCE to `full` and ENDURANCE_RESULTS to a folder, into which each test writes its counts;
`tools/endurance_table.py` makes docs/endurance.md of them.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Fault", "amount", "count_survived"]


def amount(few: int, many: int) -> int:
    """How often to try: `few` in the test suite, `many` in `make endurance`."""
    return many if os.environ.get("ENDURANCE") == "full" else few


class Fault:
    """Counts of one kind of fault.

    Args:
        title: what went wrong, as the table says it, such as "one byte of a weights file changed".
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.tried = 0
        self.failures: list[str] = []

    def survived(self, what: str, is_survived: bool, reason: object = "") -> None:
        """Count one trial.

        Args:
            what: the trial, so that it can be repeated.
            is_survived: whether what must hold held.
            reason: what happened instead.
        """
        self.tried += 1
        if not is_survived:
            self.failures.append(f"{what}: {reason}")


@contextmanager
def count_survived(title: str, node: str) -> Iterator[Fault]:
    """Count the trials of one fault; at the end they are recorded, and a failure fails the test.

    Args:
        title: as of `Fault`.
        node: name of the test, for the file of its counts.
    """
    fault = Fault(title)
    yield fault
    if folder := os.environ.get("ENDURANCE_RESULTS"):
        counts = {"fault": title, "tried": fault.tried, "survived": fault.tried - len(fault.failures)}
        name = "".join(letter if letter.isalnum() else "_" for letter in f"{node} {title}")
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name[:200]}.json").write_text(json.dumps(counts))
    assert fault.tried, f"{title}: nothing was tried"
    assert not fault.failures, f"{title}: {len(fault.failures)} of {fault.tried} failed, first {fault.failures[:3]}"
