"""Errors that the user can correct.

The message is one sentence that says what is wrong and what to do.

    ZooError                 any of these; the command line prints the message and exits with status 2
    ├── UnknownNameError     a name that no model, data set or benchmark has, or that two different models have
    ├── InputError           a file, line, record or interval with wrong content
    ├── ConfigError          a setting that does not exist, has a wrong value or contradicts another setting
    ├── IntegrityError       a checkpoint or public file that is damaged, incomplete or not what was published
    ├── DownloadError        a public file that cannot be downloaded
    ├── MissingExtraError    an optional dependency that is not installed; the message names the extra
    ├── OutputError          a result that cannot be written; no partial file is left
    └── Interrupted          a run that the user stopped and can resume
"""

__all__ = [
    "ConfigError",
    "DownloadError",
    "InputError",
    "IntegrityError",
    "Interrupted",
    "MissingExtraError",
    "OutputError",
    "UnknownNameError",
    "ZooError",
    "one_line",
]


_LONGEST_MESSAGE = 4_000  # letters


class ZooError(Exception):
    """Base class of all errors that the user can correct; the message is one sentence, of bounded length."""

    def __str__(self) -> str:
        text = super().__str__()
        if text.startswith("Caught ") and "in DataLoader worker process" in text:  # torch adds the traceback
            text = text.rpartition(f"\n{type(self).__module__}.{type(self).__name__}: ")[2].rstrip()
        left_out = len(text) - _LONGEST_MESSAGE
        if left_out <= 0:
            return text
        half = _LONGEST_MESSAGE // 2
        return f"{text[:half]} ... ({left_out:,} letters left out) ... {text[-half:]}"


class UnknownNameError(ZooError):
    """A name that no model, data set or benchmark has (the message offers near names), or that two models have."""


class InputError(ZooError):
    """A file, line, record or interval with wrong content."""


class ConfigError(ZooError):
    """A setting that does not exist, has a wrong value or contradicts another setting."""


class IntegrityError(ZooError):
    """A checkpoint or public file that is damaged, incomplete or not what was published."""


class DownloadError(ZooError):
    """A public file that cannot be downloaded."""


class MissingExtraError(ZooError):
    """An optional dependency that is not installed; the message names the extra of `regzoo` that installs it."""


class OutputError(ZooError):
    """A result that cannot be written; no partial file is left."""


class Interrupted(ZooError):  # noqa: N818  (it is not the program's error)
    """A run that the user stopped and can resume."""


def one_line(error: Exception) -> str:
    """The message of a library's error on one line."""
    return " ".join(str(error).split())
