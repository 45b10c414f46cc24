"""What the benchmark scripts share: training on demand, and tables as CSV, Markdown and JSON."""

import csv
import json
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from zoo.hub.config import read_config
from zoo.hub.registry import shipped_folder
from zoo.training.finish import recipe
from zoo.training.run import train

WORK = Path("runs/benchmark")
RESULTS = Path(__file__).parent / "results"


def _commit() -> str:
    found = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


# Asked before anything is written: the results themselves are part of what git sees.
COMMIT = _commit()


def trained(name: str, work: Path, command: Sequence[str]) -> Path:
    """The checkpoint folder of a run: the one at hand, or a new one that is trained now (resumed where it stopped).

    Runs lie under the hash of their recipe: one of another configuration is never taken for this one.
    """
    work = work / recipe(command)
    folder = work / "checkpoints" / name
    if not (folder / "config.json").is_file():
        started = (work / "runs" / name / "last.ckpt").exists()
        places = [
            "--checkpoints",
            str(folder.parent),
            "--runs",
            str(work / "runs"),
            "--resume",
            str(started).lower(),
        ]
        train([*command, *places])
    return folder


def shipped(name: str, command: Sequence[str]) -> Path | None:
    """The folder of the checkpoint that travels with the project, if that is what the command would train."""
    folder = shipped_folder("checkpoints") / name
    there = (folder / "config.json").is_file() and read_config(folder).facts.training.recipe == recipe(command)
    return folder if there else None


def run_facts(folder: Path) -> dict[str, Any]:
    """Seed, commit and hardware of the run behind a checkpoint."""
    run = read_config(folder).facts.training
    return {key: getattr(run, key) for key in ("seed", "recipe", "commit", "hardware", "seconds", "precision")}


def write_results(name: str, header: Sequence[str], rows: Sequence[Sequence[object]], facts: Any) -> str:
    """Write a table as CSV and Markdown and what stands behind it as JSON, in `benchmarks/results/`.

    Returns:
        The Markdown table.
    """
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    table = "\n".join(lines) + "\n"
    (RESULTS / f"{name}.md").write_text(table)
    behind = {"commit": COMMIT, "machine": platform.machine(), "runs": facts}
    (RESULTS / f"{name}.json").write_text(json.dumps(behind, indent=1, default=_plain) + "\n")
    return table


def _cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)
