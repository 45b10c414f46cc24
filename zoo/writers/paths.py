"""The files that predictions are written to, one for each target: checked before anything is predicted."""

from collections.abc import Sequence
from pathlib import Path

from zoo.errors import ConfigError, OutputError
from zoo.utils.drafts import remove_dead_drafts
from zoo.utils.paths import check_folder_of, names_a_file

__all__ = ["output_paths", "refuse_existing", "refuse_other_ending", "target_paths"]

# Endings of files that nobody means as the name of a folder.
_OTHER_FORMATS = {
    *(".tsv", ".txt", ".csv", ".gz", ".parquet", ".json", ".xlsx", ".npz", ".npy", ".h5", ".hdf5", ".zarr"),
    *(".bed", ".bedgraph", ".wig", ".bw", ".bigwig", ".cool", ".mcool", ".hic", ".fa", ".fasta"),
    *(".png", ".svg", ".pdf", ".jpg"),
}


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


def output_paths(path: Path, targets: Sequence[str], endings: Sequence[str]) -> list[Path]:
    """`path` itself for one target if it has one of the endings; else `path/<target><first ending>` for each.

    Raises:
        ConfigError: several targets for one file, an ending of another format, or as `target_paths`.
        OutputError: a file that exists, or no folder for it.
    """
    if path.suffix.lower() not in [ending.lower() for ending in endings]:
        refuse_other_ending(path, endings)
        return target_paths(path, targets, endings[0])
    if len(targets) != 1:
        raise ConfigError(f"{path} can hold one target, there are {len(targets)}: name a folder, or choose one")
    check_folder_of(path)
    refuse_existing([path])
    return [path]


def refuse_other_ending(path: Path, endings: Sequence[str]) -> None:
    """Refuse the name of a file of another format as the name of a folder.

    Raises:
        ConfigError: it ends as files of a format that is not written here.
    """
    if path.suffix.lower() in _OTHER_FORMATS and not path.is_dir():
        raise ConfigError(
            f"{path} is not written as {path.suffix}: name a folder, or a file that ends in {' or '.join(endings)}"
        )


def refuse_existing(paths: Sequence[Path]) -> None:
    """Refuse to write over predictions of before; drafts of killed processes beside them are removed.

    Raises:
        OutputError: a file that exists.
    """
    for path in paths[:1]:
        remove_dead_drafts(path)
    for path in paths:
        if path.exists():
            raise OutputError(f"{path} exists already: name another output, or remove it")
