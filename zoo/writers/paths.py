"""The files that predictions are written to, one for each target: checked before anything is predicted."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from zoo.errors import ConfigError, OutputError
from zoo.utils.atomic import names_a_file

__all__ = ["refuse_existing", "target_paths"]


def target_paths(folder: Path, targets: Sequence[str], ending: str) -> list[Path]:
    """`folder/<target><ending>` for each target.

    Raises:
        ConfigError: a target that no file can be named after, or two whose files would be one on some systems.
        OutputError: a file that exists.
    """
    for target in targets:
        if not names_a_file(target):
            raise ConfigError(f"no file can be named after the target {target!r}: choose others with --targets")
    paths = [folder / f"{target}{ending}" for target in targets]
    if len({path.name.casefold() for path in paths}) < len(paths):
        raise ConfigError(
            "two targets differ in capital letters alone, and so would their files: choose with --targets"
        )
    refuse_existing(paths)
    return paths


def refuse_existing(paths: Iterable[Path]) -> None:
    """Refuse to write over predictions of before.

    Raises:
        OutputError: a file that exists.
    """
    for path in paths:
        if path.exists():
            raise OutputError(f"{path} exists already: name another output, or remove it")
