"""Findings of a preflight check, collected one after the other, and how they are printed and written."""

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from zoo.errors import ConfigError, ZooError
from zoo.utils.atomic import whole_file

__all__ = ["Finding", "Level", "Report", "check_report_path"]

Level = Literal["ok", "warning", "error"]
_HEADER = ("level", "what", "detail", "to do")
# How lines begin that a user should look at -> what to do.
_CAUTIONS = {
    "every sequence": "give negatives, or let them be made: --data.shuffles 1, --data.rules.negatives 1",
    "classes ": "name the class that holds your negatives",
    "no shuffles are added": "leave out --data.shuffles",
}
_COLORS = {"ok": "green", "warning": "yellow", "error": "red"}


class Finding(NamedTuple):
    """One line of a report.

    Attributes:
        level: `ok`; `warning`: training would run, and its result might disappoint; `error`: training would stop.
        what: what was looked at.
        detail: what was found there, with counts.
        cure: what to do; empty where nothing needs to be done, or the detail says it.
    """

    level: Level
    what: str
    detail: str
    cure: str = ""


class Report:
    """All findings of a check.

    Attributes:
        findings: the findings, in the order in which they were made; none is there twice.
        facts: numbers by name, such as `steps` and `hours`, for programs.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.facts: dict[str, Any] = {}

    def ok(self, what: str, detail: str) -> None:
        """Add what is in order."""
        self._add(Finding("ok", what, detail))

    def warn(self, what: str, detail: str, cure: str) -> None:
        """Add what does not stop training, but deserves a look."""
        self._add(Finding("warning", what, detail, cure))

    def error(self, what: str, detail: str, cure: str = "") -> None:
        """Add what would stop training."""
        self._add(Finding("error", what, detail, cure))

    def note(self, what: str, line: str) -> None:
        """Add a line of a DataModule's own report: as a warning where it says that a user should look at the data."""
        if line.startswith("every site"):
            return  # a line that begins with `every sequence` says the same of all data
        cure = next((cure for beginning, cure in _CAUTIONS.items() if line.startswith(beginning)), None)
        if cure is None:
            self.ok(what, line)
        else:
            self.warn(what, line, cure)

    @contextmanager
    def collecting(self, what: str, cure: str = "") -> Iterator[None]:
        """Add an error that the block raises as a finding, instead of stopping at it.

        Args:
            what: what the block looks at.
            cure: what to do about an error, where its message does not say so.
        """
        try:
            yield
        except ZooError as error:
            self.error(what, str(error), cure)
        except OSError as error:
            self.error(what, f"{error.filename or 'a file'} cannot be read: {error.strerror or error}", cure)

    @contextmanager
    def logged(self, what: str) -> Iterator[None]:
        """Add what the package logs in the block as notes, instead of printing it."""
        log, messages = logging.getLogger("zoo"), _Messages()
        handlers, propagates = log.handlers, log.propagate
        log.handlers, log.propagate = [messages], False
        try:
            yield
        finally:
            log.handlers, log.propagate = handlers, propagates
            for line in messages.lines:
                self.note(what, line)

    def count(self, level: Level) -> int:
        """Number of findings of a level."""
        return sum(finding.level == level for finding in self.findings)

    def exit_code(self, strict: bool = False) -> int:
        """0 where training can start, 2 where an error would stop it; with `strict`, 2 for a warning too."""
        return 2 if self.count("error") or (strict and self.count("warning")) else 0

    def as_dict(self) -> dict[str, Any]:
        """The whole report as plain values."""
        counts = {level: self.count(level) for level in ("ok", "warning", "error")}
        return {"counts": counts, "findings": [finding._asdict() for finding in self.findings], "facts": self.facts}

    def write(self, path: str | Path) -> None:
        """Write the report, whole or not at all.

        Args:
            path: `.json` for findings and facts, `.tsv` for a table of the findings.

        Raises:
            ConfigError: another ending.
            OutputError: the file cannot be written.
        """
        check_report_path(path)
        with whole_file(str(path)) as file:
            if Path(path).suffix == ".json":
                json.dump(self.as_dict(), file, indent=1, allow_nan=False)
                file.write("\n")
            else:
                file.write("".join("\t".join(map(_in_cell, row)) + "\n" for row in self._rows()))

    def show(self) -> None:
        """Print the table of findings: fitted to a terminal, as TSV into a pipe or file."""
        if not sys.stdout.isatty():
            print("\n".join("\t".join(map(_in_cell, row)) for row in self._rows()))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*_HEADER, show_lines=False)
        for finding in self.findings:
            table.add_row(Text(finding.level, _COLORS[finding.level]), *map(Text, finding[1:]))
        Console().print(table)

    def _rows(self) -> list[Sequence[str]]:
        return [_HEADER, *self.findings]

    def _add(self, finding: Finding) -> None:
        """Add a finding, unless it is part of one that was made already, perhaps under another heading."""
        if not any(one.level == finding.level and finding.detail in one.detail for one in self.findings):
            self.findings.append(finding)


class _Messages(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.lines.append(record.getMessage())


def check_report_path(path: str | Path) -> None:
    """Check the ending of the name of a report.

    Raises:
        ConfigError: it is neither .json nor .tsv.
    """
    if Path(path).suffix not in (".json", ".tsv"):
        raise ConfigError(f"{path}: a report is written as .json or as .tsv: name one that ends with either")


def _in_cell(text: str) -> str:
    """A text without tabs and line breaks."""
    return " ".join(text.split())
