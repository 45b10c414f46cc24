"""Processes of this computer."""

import os
import signal
import sys
import time
from subprocess import Popen
from typing import Any

__all__ = ["SAID", "end_all", "is_lost_connection", "is_running", "sentence_on_loss", "wait_for_loss"]

# Of a process that ended with a sentence of its own.
SAID = "said"
# Seconds between two looks at processes.
_LOOK = 0.1


def is_running(process: int) -> bool:
    """Whether a process of a number may be running: on Windows, which cannot be asked, it always may be."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        return True
    return True


def wait_for_loss(children: "list[Popen[Any]]", wait: float = 0.0) -> str:
    """Wait up to some seconds for one of several processes to end with an error.

    Args:
        children: processes that this one, the first, started: the second and so on.
        wait: seconds.

    Returns:
        Which process ended, and how; `SAID` for one that ended with a sentence of its own; empty where none did.
    """
    end = time.monotonic() + (wait if children else 0)
    while True:
        for index, child in enumerate(children):
            if child.poll() == 2:
                return SAID
            if code := child.poll():
                how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"it ended with status {code}"
                return f"process {index + 2} of {len(children) + 1} ({how})"
        if time.monotonic() >= end:
            return ""
        time.sleep(_LOOK)


def sentence_on_loss(lost: str) -> str:
    """The sentence on a process that a prediction lost, such as `process 2 of 2`."""
    return f"lost {lost}, so nothing is written: run the command again; where memory ran out, with fewer --devices"


def end_all(children: "list[Popen[Any]]") -> None:
    """End processes that still run, which may wait for this one without end."""
    for child in children:
        if child.poll() is None:
            child.kill()


def is_lost_connection(error: RuntimeError) -> bool:
    """Whether an error of torch is of the connection to other processes."""
    from torch.distributed import DistError

    text = str(error).lower()
    words = ("gloo", "nccl", "connection closed by peer", "connection reset by peer")
    return isinstance(error, DistError) or any(word in text for word in words)
