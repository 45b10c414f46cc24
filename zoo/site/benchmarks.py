"""Tables of the benchmarks, with what their scripts say of them and the commands that compute them again."""

import ast
import csv
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from zoo.hub.benchmarks import benchmark_scripts, recorded_results
from zoo.site.markdown import render_inline, render_markdown

__all__ = ["Benchmark", "Table", "read_benchmarks"]

# Tables that do not begin with the name of their script.
_SCRIPTS = {"training_loop": "throughput"}
_USAGE = re.compile(r"(?:^    zoo benchmark .*\n(?:^     .*\n)*)+", re.MULTILINE)


@dataclass(frozen=True)
class Table:
    """A table that a benchmark wrote.

    Attributes:
        name: name of the table.
        header: names of the columns.
        rows: cells of each row.
        origin: code and hardware with which it was computed.
    """

    name: str
    header: list[str]
    rows: list[list[str]]
    origin: str


@dataclass(frozen=True)
class Benchmark:
    """A benchmark.

    Attributes:
        name: `zoo benchmark NAME` computes its tables.
        kind: `accuracy` or `speed`.
        summary: one sentence.
        text: what its script says of the tables.
        usage: the commands with their options.
        tables: the tables.
    """

    name: str
    kind: str
    summary: Markup
    text: Markup
    usage: str
    tables: list[Table] = field(default_factory=list)

    @property
    def page(self) -> str:
        """Path of its page within the site."""
        return f"benchmarks/{self.name}.html"


def read_benchmarks() -> list[Benchmark]:
    """The benchmarks of which this project recorded tables, accuracy first; no script is run."""
    scripts, results = benchmark_scripts(), recorded_results()
    benchmarks = {name: _benchmark(name, scripts[name]) for name in sorted(scripts)}
    for name, path in results.items():
        benchmarks[_script_of(name, list(scripts))].tables.append(_table(name, path))
    used = [benchmark for benchmark in benchmarks.values() if benchmark.tables]
    return sorted(used, key=lambda benchmark: (benchmark.kind, benchmark.name))


def _script_of(table: str, scripts: list[str]) -> str:
    """The script that wrote a table: the longest name with which that of the table begins."""
    names = [name for name in scripts if f"{table}_".startswith(f"{name}_")]
    return _SCRIPTS[table] if table in _SCRIPTS else max(names, key=len)


def _benchmark(name: str, script: Path) -> Benchmark:
    text = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or name
    summary, _, rest = text.partition("\n\n")
    match = _USAGE.search(f"{rest}\n")
    usage = re.sub(r"^    ", "", match[0], flags=re.MULTILINE).strip() if match else f"zoo benchmark {name}"
    body = rest.replace(match[0].rstrip("\n"), "", 1) if match else rest
    return Benchmark(name, script.parent.name, render_inline(summary), render_markdown(body), usage)


def _table(name: str, path: Path) -> Table:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    facts: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    origin = f"Code {facts['commit']}" + (f", {facts['hardware']}" if facts.get("hardware") else "")
    return Table(name, header, [[_cell(value) for value in row] for row in rows], origin)


def _cell(text: str) -> str:
    """A cell; a number with a fraction has four digits of it, as in the tables in Markdown."""
    return f"{float(text):.4f}" if re.fullmatch(r"-?\d+\.\d+(e[+-]?\d+)?", text) else text
