"""Everything that is measured on a GPU, in at most eight minutes: contract tests, precisions, compilation, training.

    zoo benchmark gpu [--minutes 8] [--sections contract parity training waiting compile] [--architectures mlp ...]
    zoo benchmark gpu --device cpu --small      rehearses it in seconds on tiny networks; writes no results of a GPU

Networks have the published sizes. Predictions on the GPU, in float32 (also with TensorFloat-32), bfloat16 and float16,
are compared with those of the CPU in float32; compiled ones with the GPU's own. Training is measured on one batch that
lies on the device, and by Lightning's Trainer on the batches of a DataModule, with the share of the time in which the
device waits for them. Measurements run in a process of their own, which is started again behind one that crashes or
takes too long; whatever is measured when the time is over is written.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
import common
from common import make_parser, write_results
from speed.gpu_items import ARCHITECTURES, MEASUREMENTS, Machine, Row

from zoo.errors import ConfigError, one_line
from zoo.utils import version
from zoo.utils.lightning_output import quiet_lightning

SECTIONS = ("contract", *MEASUREMENTS)
HEADER = [field.name for field in fields(Row)]
_SPARE = 15.0  # seconds in which the results are written
_LONGEST = {"contract": 150.0, "parity": 90.0, "training": 60.0, "waiting": 90.0, "compile": 150.0}
_TESTS = Path(__file__).parents[2] / "tests" / "test_contract.py"


@dataclass(frozen=True)
class Item:
    """A section for one architecture; the contract tests are one item for all."""

    section: str
    architecture: str

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.section} {self.architecture}".strip()


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write the table."""
    parser = make_parser("gpu", __doc__)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"), help="default: cuda")
    parser.add_argument("--small", action="store_true", help="tiny networks")
    parser.add_argument("--minutes", type=float, default=8.0, help="when it ends, whatever is measured (default: 8)")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS, metavar="SECTION")
    parser.add_argument("--architectures", nargs="+", choices=ARCHITECTURES, default=ARCHITECTURES, metavar="NAME")
    parser.add_argument("--commit", help="of this code, where it is a copy without its history")
    parser.add_argument("--items", help=argparse.SUPPRESS)  # in the processes that main starts
    options = parser.parse_args(arguments)
    if options.items:
        _work(options)
        return
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("there is no GPU here; --device cpu --small rehearses the measurements")
    if (options.device == "cpu" or options.small) and "--record" in arguments:
        raise ConfigError("--record is for measurements of a GPU at the published sizes")
    if options.commit and not version.commit():
        common.CODE = options.commit
    end = time.monotonic() + 60 * options.minutes - (0 if options.small else _SPARE)
    rows, failures = _measure(options, end)
    is_rehearsal = options.device == "cpu" or options.small
    facts = {"seed": 1, "options": vars(options), "torch": torch.__version__, "python": sys.version.split()[0]}
    facts |= {"cuda": torch.version.cuda, "failures": failures}
    table = write_results("gpu_rehearsal" if is_rehearsal else "gpu", HEADER, [_cells(row) for row in rows], facts)
    print(table)
    for name, reason in failures.items():
        print(f"not measured: {name}: {reason}")
    failed = [row for row in rows if row.result == "failed"]
    if failures or failed:
        raise SystemExit(f"{len(failed)} comparisons failed, {len(failures)} measurements are missing")


def _measure(options: argparse.Namespace, end: float) -> tuple[list[Row], dict[str, str]]:
    """Measure all items; returns the rows, and for each item that was not measured the reason."""
    items = [Item(s, a) for s in options.sections if s != "contract" for a in options.architectures]
    rows: list[Row] = []
    failures: dict[str, str] = {}
    if "contract" in options.sections:
        _say("contract tests")
        row, reason = _contract(options.device, min(_LONGEST["contract"], end - time.monotonic()))
        rows += [row] if row else []
        failures |= {"contract": reason} if reason else {}
    while items:
        process = _start(options, items)
        lines: SimpleQueue[str | None] = SimpleQueue()
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        try:
            reason = _collect(items, lines, rows, failures, end)
        finally:
            process.kill()
            process.wait()
        if items and time.monotonic() < end:
            failures[items.pop(0).name] = reason
        elif items:
            failures |= {item.name: "the time was over" for item in items}
            break
    return rows, failures


def _collect(
    items: list[Item], lines: "SimpleQueue[str | None]", rows: list[Row], failures: dict[str, str], end: float
) -> str:
    """Take the results of a process until it ends; items that are done are removed. Returns why it ended."""
    while items:
        limit = min(end - time.monotonic(), _LONGEST[items[0].section])
        try:
            line = lines.get(timeout=max(0.0, limit))
        except Empty:
            return f"it took longer than {limit:.0f} s"
        if line is None:
            return "its process ended: see above"
        content = json.loads(line)
        if content.get("begins"):  # the imports of the process are done
            continue
        item = items.pop(0)
        rows += [Row(**row) for row in content["rows"]]
        _say(f"{item.name}: {content['seconds']:.0f} s{content['failure'] and ': ' + content['failure']}")
        if content["failure"]:
            failures[item.name] = content["failure"]
    return ""


def _start(options: argparse.Namespace, items: Sequence[Item]) -> "subprocess.Popen[str]":
    names = ",".join(f"{item.section}:{item.architecture}" for item in items)
    words = ["--device", options.device, *(["--small"] if options.small else []), "--items", names]
    return subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True)


def _read(process: "subprocess.Popen[str]", lines: "SimpleQueue[str | None]") -> None:
    """Queue the results that a process prints, and None at its end."""
    for line in process.stdout or ():
        if line.startswith("{"):
            lines.put(line)
    lines.put(None)


def _work(options: argparse.Namespace) -> None:
    """Measure items in this process, and print the result of each as a line of JSON."""
    quiet_lightning()
    print(json.dumps({"begins": True}), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZOO_CACHE"] = f"{folder}/cache"
        machine = Machine(options.device, options.small, Path(folder))
        for name in options.items.split(","):
            section, architecture = name.split(":")
            began = time.perf_counter()
            content: dict[str, Any] = {"rows": [], "failure": ""}
            try:
                content["rows"] = [vars(row) for row in MEASUREMENTS[section](architecture, machine)]
            except Exception as error:  # one measurement must not end the others
                traceback.print_exc()
                content["failure"] = f"{type(error).__name__}: {one_line(error)[:300]}"
            if options.device == "cuda":
                torch.cuda.empty_cache()
            torch.compiler.reset()
            print(json.dumps({**content, "seconds": time.perf_counter() - began}), flush=True)


def _contract(device: str, seconds: float) -> tuple[Row | None, str]:
    """Run the contract tests on a device: a row with the number that failed, or the reason why there is none."""
    if not _TESTS.is_file():
        return None, "the tests are in a checkout, and this is an installation"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", str(_TESTS), "-m", "not slow", "-k", "not checkpoint"]
    environment = {**os.environ, "ZOO_TEST_DEVICE": device}
    try:
        result = subprocess.run(
            command,
            cwd=_TESTS.parents[1],
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"it took longer than {seconds:.0f} s"
    lines = result.stdout.strip().splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    if result.returncode not in (0, 1):
        return None, (lines or result.stderr.strip().splitlines() or ["pytest said nothing"])[-1][:300]
    for line in failed:
        _say(line)
    return Row(
        "all", "contract tests that fail", "", "no", len(failed), "tests", "0", "failed" if failed else "passed"
    ), ""


def _cells(row: Row) -> list[object]:
    """The cells of a row; numbers with three digits, or whole."""
    value = f"{row.value:.0f}" if abs(row.value) >= 1_000 else f"{row.value:.3g}"
    return [value if name == "value" else cell for name, cell in zip(HEADER, astuple(row), strict=True)]


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
