"""The user's own data among the values that are given to `zoo train`: all are named, and their files exist.

Nothing here imports torch.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, InputError, ZooError
from zoo.training.given import CLASS_KEYS, Given

__all__ = ["check_data", "data_files", "named_files", "own_arguments", "own_problems"]

# Arguments of the DataModules of `zoo.data` that name files: one, a list, or a file by name.
_FILE_KEYS = (
    *("genome", "table", "targets_table", "inputs_table", "bigwigs", "peaks", "fasta", "coolers", "blacklist", "arms"),
    *("test_fasta", "test_table", "test_peaks"),
)
# What each of these DataModules needs: of every group of arguments at least one.
_NEEDED: dict[str, list[tuple[str, ...]]] = {
    "SequenceDataModule": [("fasta", "table")],
    "PeakDataModule": [("genome",), ("table", "peaks")],
    "TrackDataModule": [("genome",), ("targets_table", "bigwigs")],
    "ContactDataModule": [("genome",), ("coolers",)],
}
# How an argument is written; all others are a file.
_FORMS = {
    "fasta": "'{NAME: FILE}'",
    "test_fasta": "'{NAME: FILE}'",
    "coolers": "'{NAME: FILE.mcool::resolutions/2000}'",
    "bigwigs": "'{NAME: FILE}'",
    "peaks": "'[FILE, ...]'",
}


def check_data(given: Given) -> None:
    """Check that the data are named, in the right form, and that their files exist; takes no import of torch.

    Args:
        given: the values, as `read_given` reads them.

    Raises:
        ConfigError: no data, or files in another form than a DataModule takes.
        InputError: the first file that does not exist, with its key.
    """
    for problem in own_problems(given):
        raise problem


def own_problems(given: Given) -> Iterator[ZooError]:
    """List what `check_data` refuses: the first problem of form, or all files that do not exist."""
    arguments = own_arguments(given)
    for key in ("fasta", "test_fasta", "coolers", "bigwigs"):
        _check_form(key, arguments.get(key))
    module, _, name = _class_path(given).rpartition(".")
    is_whole = not isinstance(given.get("data"), dict) or set(given["data"]) <= CLASS_KEYS  # of other keys, see explain
    needed = _NEEDED.get(name, []) if module.startswith("zoo.data.") and is_whole else []
    lacking = [group for group in needed if all(arguments.get(key) is None for key in group)]
    if lacking:
        options = [" or ".join(f"--data.{key} {_FORMS.get(key, 'FILE')}" for key in group) for group in lacking]
        raise ConfigError(f"name your data with {', and with '.join(options)}")
    for key, path in named_files(given):
        if not any(Path(file).exists() for file in _files_in(key, path)):
            yield InputError(f"data.{key}: {path}: no such file")


def _check_form(key: str, value: Any) -> None:
    """Refuse a file without a name, or a name and a file without the space between them."""
    if isinstance(value, str):
        name = Path(value.partition("::")[0]).name.partition(".")[0] or "NAME"
        raise ConfigError(f"data.{key}: {value!r} needs a name: write --data.{key} '{{{name}: {value}}}'")
    for name, file in value.items() if isinstance(value, dict) else ():
        before, colon, after = str(name).partition(":")
        if file is None and colon:
            right = f"--data.{key} '{{{before}: {after}}}'"
            raise ConfigError(f"data.{key}: {name!r} lacks a space after the colon: write {right}")


def data_files(given: Given) -> list[Path]:
    """List the files that the data are made of, those that tables of tracks name included; of those that exist.

    Args:
        given: the values, as `read_given` reads them.
    """
    from zoo.data.tracks.table import read_track_table

    files: list[Path] = []
    for key, text in named_files(given):
        paths = [Path(path) for path in _files_in(key, text) if Path(path).is_file()][:1]
        files += paths
        if key in ("targets_table", "inputs_table") and paths:
            files += [Path(track.path) for track in read_track_table(paths[0])]
    return files


def named_files(given: Given) -> Iterator[tuple[str, str]]:
    """Argument and text of each file that the arguments of a DataModule of this package name.

    Args:
        given: the values, as `read_given` reads them.
    """
    arguments = own_arguments(given)
    for key in _FILE_KEYS:
        for text in _texts(arguments.get(key)):
            yield key, text


def _class_path(given: Given) -> str:
    data = given.get("data")
    return str(data.get("class_path") if isinstance(data, dict) else data)


def own_arguments(given: Given) -> Given:
    """The arguments of a DataModule of this package; of others none.

    Args:
        given: the values, as `read_given` reads them.
    """
    data = given.get("data")
    arguments = data.get("init_args") if isinstance(data, dict) and _class_path(given).startswith("zoo.") else None
    return arguments if isinstance(arguments, dict) else {}


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value: one, or those of a list or of a mapping, which may hold mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _files_in(key: str, text: str) -> list[str]:
    """The files that a value can mean: `NAME=FILE` of peaks, `FILE::GROUP` of coolers."""
    separator, index = {"peaks": ("=", 2), "test_peaks": ("=", 2), "coolers": ("::", 0)}.get(key, ("", 0))
    return [text, text.partition(separator)[index]] if separator and separator in text else [text]
