"""Which code this is: its version, and in a checkout its commit."""

from pathlib import Path

__all__ = ["__version__", "code_version", "commit"]

__version__ = "0.1.0"

_PROJECT = Path(__file__).parents[2]


def commit() -> str:
    """The commit of a checkout, such as `650ea69-dirty`; empty for an installation, which has no history."""
    # An environment often lies inside a repository of its user, whose commit says nothing of this code.
    if not (_PROJECT / ".git").exists():
        return ""
    import subprocess

    command = ["git", "-C", str(_PROJECT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git here
        return ""


def code_version() -> str:
    """The commit of a checkout, or `version 0.1.0`."""
    return commit() or f"version {__version__}"
