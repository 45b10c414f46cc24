"""Run a command in a process of its own and measure its seconds and its peak memory.

Also a script: the command is started by a small Python process, because a child process counts as its own the memory
that its parent had when it was started.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["ProcessResult", "run_measured"]


class ProcessResult(NamedTuple):
    """Seconds, peak memory in gigabytes, and what the command wrote to standard error."""

    seconds: float
    gigabytes: float
    errors: str


def run_measured(command: Sequence[str]) -> ProcessResult:
    """Run a command and measure it.

    Raises:
        SystemExit: the command failed; the message is what it wrote to standard error.
    """
    wrapper = subprocess.run([sys.executable, __file__, *command], capture_output=True, text=True, check=True)
    code, *result = json.loads(wrapper.stdout)
    if code:
        raise SystemExit(result[-1])
    return ProcessResult(*result)


def main(command: Sequence[str]) -> None:
    """Run the command, print its exit code, seconds, gigabytes and standard error as JSON."""
    started = time.perf_counter()
    process = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    seconds = time.perf_counter() - started
    gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    print(json.dumps([process.returncode, seconds, gigabytes, process.stderr]))


if __name__ == "__main__":
    main(sys.argv[1:])
