"""Start the process of a trial, answer what it asks after each epoch, and say how it ended."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from zoo.tuning.trial import Report, Result

__all__ = ["WORKER", "Launch", "Slot", "slots", "start_process"]

# The command of a trial's process, before the request.
WORKER = (sys.executable, "-m", "zoo.tuning.worker")
# Seconds in which a trial that is interrupted ends in order.
_GRACE = 20.0


class Slot:
    """A share of the computer for one trial at a time.

    Args:
        environment: variables of its processes that differ from those of this one.
        text: its devices, in words.
    """

    def __init__(self, environment: dict[str, str], text: str) -> None:
        self.environment, self.text = environment, text
        self.process: subprocess.Popen[str] | None = None

    def interrupt(self) -> None:
        """End the trial that is being trained, after its batch, or by force."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            _kill(process)


class Launch(Protocol):
    """How a trial is trained: in a process of its own, or, in tests, in this one."""

    def __call__(self, slot: Slot, arguments: Sequence[str], monitor: str, folder: Path, report: Report) -> Result:
        """Train the trial of a folder; see `zoo.tuning.trial.run_trial`."""


def slots(jobs: int, devices: int) -> list[Slot]:
    """Divide the GPUs, or else the cores, among trials that are trained at a time.

    Args:
        jobs: number of trials at a time.
        devices: number of GPUs.
    """
    if jobs == 1:
        return [Slot({}, "")]
    if devices:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        names = visible.split(",") if visible else [str(index) for index in range(devices)]
        size = max(1, len(names) // jobs)
        shares = [[names[(job * size + index) % len(names)] for index in range(size)] for job in range(jobs)]
        return [Slot({"CUDA_VISIBLE_DEVICES": ",".join(share)}, f"GPU {', '.join(share)}") for share in shares]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    environment = {} if "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(threads)}
    return [Slot(environment, f"{threads} CPU cores" if threads > 1 else "a CPU core") for _ in range(jobs)]


def start_process(slot: Slot, arguments: Sequence[str], monitor: str, folder: Path, report: Report) -> Result:
    """Train a trial in a process of its own.

    Args:
        slot: where.
        arguments: arguments of `zoo train`, of this trial.
        monitor: metric that trials are compared by.
        folder: of the trial; what it prints is in `<folder>.log`.
        report: called after each epoch.
    """
    request, log = (folder.with_name(f"{folder.name}.{ending}") for ending in ("json", "log"))
    request.write_text(json.dumps({"arguments": list(arguments), "monitor": monitor}), encoding="utf-8")
    command = [*WORKER, str(request)]
    with log.open("a", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **slot.environment},
            start_new_session=True,
        )
    slot.process = process
    try:
        result = _talk(process, report)
        status = process.wait()
    finally:
        slot.interrupt()
        slot.process = None
        for pipe in (process.stdin, process.stdout):  # its end would end the process at once
            with suppress(OSError):
                pipe and pipe.close()
        request.unlink(missing_ok=True)
    return result or Result("failed", message=_how_it_ended(status, log))


def _talk(process: "subprocess.Popen[str]", report: Report) -> Result | None:
    """Answer the reports of a trial until its result comes; None where it ended without one."""
    for line in process.stdout or ():
        content = json.loads(line)
        if "result" in content:
            return Result(**content["result"])
        with suppress(BrokenPipeError):  # it has just ended
            print(report(content["epoch"], content["value"]), file=process.stdin, flush=True)
    return None


def _kill(process: "subprocess.Popen[str]") -> None:
    """Kill a process with all that it started."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _how_it_ended(status: int, log: Path) -> str:
    """The sentence on a process that ended without a result."""
    if status < 0:
        hint = ", as the system does where memory is short" if -status == signal.SIGKILL else ""
        return f"its process was ended by {signal.Signals(-status).name}{hint}"
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"its process ended with status {status}: {lines[-1][:300] if lines else 'it printed nothing'}"
