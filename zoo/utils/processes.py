"""Processes of this computer."""

import os
import sys

__all__ = ["is_running"]


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
