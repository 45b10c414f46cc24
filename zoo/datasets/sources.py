"""Files of the public data sets: URL, size, sha256 and licence of each, from `sources.tsv`."""

import csv
from functools import cache
from pathlib import Path

from zoo.errors import UnknownNameError
from zoo.utils.download import PublicFile

__all__ = ["data_sets", "extras_of", "files_of"]

_TABLE = Path(__file__).with_name("sources.tsv")
# Data set -> the extras of `regzoo` that read or convert its files.
_EXTRAS = {
    "plant_terminators": ("rdata",),
    "yeast": ("tracks", "rdata"),
    "yeast_contacts": ("contacts",),
    "yeast_reporter": ("tracks", "rdata"),  # the oligos of yeast_variants
    "yeast_variants": ("tracks", "rdata"),
}


@cache
def _sources() -> dict[str, list[PublicFile]]:
    sets: dict[str, list[PublicFile]] = {}
    with _TABLE.open(newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            file = PublicFile(row["url"], row["sha256"], int(row["bytes"]), row["licence"])
            sets.setdefault(row["set"], []).append(file)
    return sets


def data_sets() -> list[str]:
    """List the names of the data sets."""
    return list(_sources())


def files_of(name: str) -> list[PublicFile]:
    """List the files of a data set.

    Raises:
        UnknownNameError: no such data set; names those that exist.
    """
    if name not in _sources():
        raise UnknownNameError(f"there is no data set {name!r}; there are {', '.join(_sources())}")
    return _sources()[name]


def extras_of(name: str) -> list[str]:
    """List the extras of `regzoo` that reading or converting a data set needs; none for most."""
    return list(_EXTRAS.get(name, ()))
