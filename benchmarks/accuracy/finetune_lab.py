"""The simulated laboratory of README: each command of `zoo finetune` on its files, with the seconds that it takes.

The seconds are those of the command without the start of Python, with all cores that it takes by itself.
"""

import shlex
import time
from pathlib import Path

from common import WORK, run_facts, write_results

from zoo.cli import main as zoo
from zoo.datasets.lab_example import DATA, write_lab_example
from zoo.hub.config import read_config

__all__ = ["lab_table"]


def lab_table() -> str:
    """Run the commands anew and write the table: seconds and the headline of the test split."""
    lab = WORK / "finetune" / "lab"
    write_lab_example(lab, overwrite=True)
    rows: list[list[object]] = []
    facts = {}
    for base, data in DATA.items():
        name, folder = f"{base.partition('.')[0]}.lab", lab / "checkpoints"
        words = ["--name", name, "--runs", str(lab / "runs"), "--checkpoints", str(folder), "--overwrite", "true"]
        begin = time.perf_counter()
        if zoo(["finetune", base, *shlex.split(data.format(folder=shlex.quote(str(lab)))), *words]):
            raise RuntimeError(f"zoo finetune {base} failed: its message is above")
        rows.append([base, Path(data.split()[0]).name, round(time.perf_counter() - begin), _headline(folder / name)])
        facts[name] = run_facts(folder / name)
    return write_results("finetune_lab", ["base", "file", "seconds", "test"], rows, facts)


def _headline(folder: Path) -> str:
    return read_config(folder).facts.metric.removeprefix("test ")
