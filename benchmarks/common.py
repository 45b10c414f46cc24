"""Shared by the benchmark scripts: checkpoints that are trained on demand, and tables as CSV, Markdown and JSON.

Tables are written to `runs/benchmark/results/` in the working folder; with `--record` to `benchmarks/results/` of the
checkout, whose files are part of the project.
"""

import argparse
import csv
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.hub.config import read_config
from zoo.hub.registry import shipped_folder
from zoo.utils import version
from zoo.utils.atomic import whole_files

WORK = Path("runs/benchmark")
RECORDED = Path(__file__).parent / "results"
Values = NDArray[np.float64]


# Read on import, before any result is written: new files in results/ would make the commit "dirty".
CODE = version.code_version()
_output = [WORK / "results"]


class _Record(argparse.Action):
    """`--record`: write the tables that are part of the project."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: object) -> None:
        """Choose the folder of the project's results."""
        if not version.commit():
            raise ConfigError("--record writes benchmarks/results/ of a checkout, and this is an installation")
        _output[0] = RECORDED


def make_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return the parser of a benchmark, with the option that all of them have."""
    parser = argparse.ArgumentParser(
        prog=f"zoo benchmark {name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    overwrites = "write over the results in benchmarks/results/ of this checkout"
    parser.add_argument("--record", action=_Record, nargs=0, default=argparse.SUPPRESS, help=overwrites)
    return parser


def results_folder() -> Path:
    """Return the folder that tables are written to; it is made."""
    _output[0].mkdir(parents=True, exist_ok=True)
    return _output[0]


def hardware() -> str:
    """Describe the processor, and the accelerator if there is one."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    cores = f"{os.cpu_count()} {platform.machine()} CPU cores" + (f" ({model})" if model else "")
    return f"{cores}, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else cores


def training_command(config: str, options: Sequence[str], seed: int) -> list[str]:
    """Return the arguments of `zoo train` for a shipped configuration; seed 1 is that of the configurations."""
    command = [config, *options]
    return command if seed == 1 else [*command, "--seed_everything", str(seed)]


def model_folder(name: str, command: Sequence[str], work: Path, run: str | None = None) -> Path:
    """Return the folder of the checkpoint that a training command makes; train it if it does not exist yet.

    Args:
        name: the shipped checkpoint that is taken if it was trained by this very command.
        command: arguments of `zoo train`.
        work: folder for runs that are not shipped.
        run: name of the new run, which then shows no progress bar; by default the command's own.
    """
    if folder := shipped_checkpoint(name, command):
        return folder
    if run is not None:
        command = [*command, "--name", run, "--trainer.enable_progress_bar", "false"]
    return train_if_missing(run or name, work, command)


def shipped_checkpoint(name: str, command: Sequence[str], shelf: Path | None = None) -> Path | None:
    """Return the folder of a checkpoint that is part of the project, or None if this command would make another.

    Args:
        name: name of the checkpoint.
        command: arguments of `zoo train`.
        shelf: folder of the checkpoints; by default those that are loaded by name.
    """
    from zoo.training.recipe import recipe

    folder = (shelf or shipped_folder("checkpoints")) / name
    same = (folder / "config.json").is_file() and read_config(folder).facts.training.recipe == recipe(command)
    return folder if same else None


def train_if_missing(name: str, work: Path, command: Sequence[str]) -> Path:
    """Return the checkpoint folder of a run in `work`; train it first if it is missing, or resume where it stopped."""
    from zoo.training.run import train

    folder = run_folder(name, work, command)
    if not (folder / "config.json").is_file():
        runs = folder.parents[1] / "runs"
        resume = (runs / name / "last.ckpt").exists()
        folders = ["--checkpoints", str(folder.parent), "--runs", str(runs)]
        train([*command, *folders, "--resume", str(resume).lower()])
    return folder


def run_folder(name: str, work: Path, command: Sequence[str]) -> Path:
    """Return the path of a run's checkpoint folder in `work`, whether it exists or not.

    Runs lie under the hash of their recipe, so that a run of another configuration is never taken for this one.
    """
    from zoo.training.recipe import recipe

    return work / recipe(command) / "checkpoints" / name


def run_facts(folder: Path) -> dict[str, Any]:
    """Return seed, recipe, commit, hardware, seconds and precision of the run behind a checkpoint."""
    run = read_config(folder).facts.training
    return {key: getattr(run, key) for key in ("seed", "recipe", "commit", "hardware", "seconds", "precision")}


def table_name(name: str, complete: bool, split: str = "test", seed: int = 1) -> str:
    """Return the file name of a table; one of another split or seed, or with missing rows, gets its own name."""
    name += "" if split == "test" else f"_{split}"
    name += "" if seed == 1 else f"_seed{seed}"
    return name if complete else f"{name}_partial"


def write_results(
    name: str, header: Sequence[str], rows: Sequence[Sequence[object]], facts: Any, origins: str = ""
) -> str:
    """Write a table as CSV and Markdown, and the facts of its runs as JSON; the folder is that of `results_folder`.

    Args:
        name: file name without ending.
        header: names of the columns.
        rows: cells of each row.
        facts: facts of the runs, as JSON values.
        origins: sentence on the code and hardware of runs that other processes trained.

    Returns:
        The Markdown table, with the code and hardware that it was computed with.
    """
    folder, machine = results_folder(), hardware()
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(_format_cell(value) for value in row) + " |" for row in rows]
    written = f"Code{' that wrote the table' if origins else ''}: {CODE}; hardware: {machine}."
    table = "\n".join([*lines, "", *([origins] if origins else []), written]) + "\n"
    record = {"commit": CODE, "machine": platform.machine(), "hardware": machine, "runs": facts}
    with whole_files([folder / f"{name}.{ending}" for ending in ("csv", "md", "json")]) as drafts:
        with drafts[0].open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
        drafts[1].write_text(table)
        drafts[2].write_text(json.dumps(record, indent=1, default=_to_json) + "\n")
    print(f"{folder / name}: .csv, .md, .json", file=sys.stderr)
    return table


def pearson(x: Values, y: Values) -> float:
    """Pearson r of two arrays (N,) without NaN."""
    return float(np.corrcoef(x, y)[0, 1])


def _format_cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _to_json(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)
