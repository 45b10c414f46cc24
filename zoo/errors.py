"""Every error that is the user's to mend, as one sentence that says what was wrong and what to do.

ZooError                 the command line prints it as one line and exits with 2
├── UnknownNameError     a model, data set or benchmark that nobody knows
├── InputError           a file, line, record or interval that cannot be read as what it should be
├── ConfigError          a setting that does not exist, or does not fit the others
├── IntegrityError       bytes that are not what they were when they were published
├── DownloadError        a public file that could not be had
├── MissingExtraError    an optional dependency that is not installed; the message names the extra
├── OutputError          a result that could not be written; nothing half-written is left
└── Interrupted          the user stopped a run that can be resumed
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


class ZooError(Exception):
    """Anything the zoo refuses, in one sentence for the person at the keyboard."""


class UnknownNameError(ZooError):
    """A model, data set or benchmark that nobody knows; the message offers the nearest names."""


class InputError(ZooError):
    """A file, line, record or interval that cannot be read as what it should be."""


class ConfigError(ZooError):
    """A setting that does not exist or does not fit the others."""


class IntegrityError(ZooError):
    """Bytes that are not what they were when they were published."""


class DownloadError(ZooError):
    """A public file that could not be had."""


class MissingExtraError(ZooError):
    """An optional dependency that is not installed; the message names the extra of `regzoo` that installs it."""


class OutputError(ZooError):
    """A result that could not be written; nothing half-written is left."""


class Interrupted(ZooError):  # noqa: N818  (it is not the program's error)
    """The user stopped a run that can be resumed."""


def one_line(error: Exception) -> str:
    """What a library's error says, on one line."""
    return " ".join(str(error).split())
