"""Tables of tracks: one line per bigWig, and how its values are transformed."""

import csv
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.formats.binning import Missing, Statistic
from zoo.formats.separators import refuse_semicolons
from zoo.utils.paths import names_a_file
from zoo.utils.streams import UNREADABLE, describe_unreadable
from zoo.utils.text import check_file, open_text, parse_number, quoted

__all__ = [
    "Track",
    "Transform",
    "read_track_table",
    "strand_pairs",
    "strand_partners",
    "tracks_of",
    "write_track_table",
]

_LARGEST = float(np.finfo(np.float32).max)
# Words that end the names of the two strands of a target.
_STRANDS = (("plus", "minus"), ("pos", "neg"), ("positive", "negative"), ("forward", "reverse"), ("fwd", "rev"))
_OTHER_STRAND = {**dict(_STRANDS), **{other: one for one, other in _STRANDS}}


@dataclass(frozen=True)
class Track:
    """One line of a table of tracks; every column but the first two may be left out.

    Attributes:
        name: name of the track.
        path: path of its bigWig; in the table relative to the table's folder.
        strand_partner: name of the track that holds the other strand of this experiment.
        statistic: what a bin holds: the `mean` or the `sum` of its bases.
        missing: bases without a value count as `zero`, or `mask`: they are excluded from training and scores.
        scale: factor of the values, applied first; -1 makes a minus strand positive that was written negative.
        soft_clip: the excess of a bin over this value x counts as a square root: x - 1 + sqrt(excess + 1), as in Borzoi
            (Linder 2025, doi:10.1038/s41588-024-02053-6).
        clip: largest value of a bin, applied after `soft_clip`.
        unit: unit of the transformed values.
        description: what was measured.
    """

    name: str
    path: str
    strand_partner: str = ""
    statistic: Statistic = "mean"
    missing: Missing = "zero"
    scale: float = 1.0
    soft_clip: float = math.inf
    clip: float = math.inf
    unit: str = "coverage"
    description: str = ""


class Transform:
    """Transform of values by the columns scale, soft_clip and clip. Shapes: T tracks, B windows, N bins.

    Args:
        tracks: the tracks (T).
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        columns = [[getattr(track, name) for track in tracks] for name in ("scale", "soft_clip", "clip")]
        self.scale, self.soft_clip, self.clip = np.array(columns, dtype=np.float32)[..., None, None]  # (T, 1, 1) each

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Transform binned values (T, B, N) to what a model learns; NaN stays NaN."""
        values = values * self.scale
        excess = values - self.soft_clip
        if (excess > 0).any():
            np.maximum(excess, 0, out=excess)
            values += np.sqrt(excess + 1) - 1 - excess  # exactly 0 where there is no excess
        np.minimum(values, self.clip, out=values)
        return values

    def inverse(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inverse transform of predictions (T, B, N) to the units of the bigWigs; `clip` cannot be inverted."""
        # y = x - 1 + sqrt(e + 1) with excess e, and u = y - x: e = u * (u + 2), so x + e = y + u * (u + 1).
        over = np.maximum(values - self.soft_clip, 0)
        natural: NDArray[np.float32] = (values + over * (over + 1)) / self.scale
        return natural


def read_track_table(path: str | Path) -> list[Track]:
    """Read a table of tracks.

    Args:
        path: TSV with the columns of `Track`, in any order; an empty cell stands for the default.

    Returns:
        The tracks, with resolved paths.

    Raises:
        InputError: a file that is missing, an unknown column, a cell that does not fit, two tracks of one name, or a
            strand partner that is not in the table.
    """
    check_file(path)
    try:
        with open_text(path) as file:
            rows = list(csv.reader(file, delimiter="\t"))
    except (csv.Error, *UNREADABLE) as error:
        raise InputError(f"{path} cannot be read as a table of targets ({describe_unreadable(error, path)})") from None
    columns = [field.name for field in fields(Track)]
    header = rows[0] if rows else []
    refuse_semicolons("\t".join(header), path)
    if {"name", "path"} - set(header) or set(header) - set(columns) or len(set(header)) < len(header):
        raise InputError(
            f"{path} is no table of targets: its columns are {', '.join(header) or 'none'}; needed are name and path, "
            f"and there may be {', '.join(columns[2:])}"
        )
    tracks = []
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise InputError(f"{path}, line {number}: {len(row)} cells under {len(header)} columns")
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True) if cell.strip()}
        tracks.append(_track(cells, Path(path).parent, f"{path}, line {number}"))
    if not tracks:
        raise InputError(f"{path}: no target in it")
    _check_names(tracks, path)
    return tracks


def tracks_of(bigwigs: Mapping[str, str]) -> list[Track]:
    """Make a track of each bigWig, with the defaults of a table; names tell the strands of one target.

    Args:
        bigwigs: name -> path; see `strand_partners` for names of strands.

    Raises:
        InputError: no file, one that does not exist, or a name that no file could be called after.
    """
    if not bigwigs:
        raise InputError("name at least one bigWig, as `bigwigs: {target: file.bw}`")
    partners = strand_partners(list(bigwigs))
    cells = [{"name": name, "path": path, "strand_partner": partners.get(name, "")} for name, path in bigwigs.items()]
    return [
        _track({key: value for key, value in one.items() if value}, Path(), f"bigwigs: {one['name']}") for one in cells
    ]


def strand_partners(names: Sequence[str]) -> dict[str, str]:
    """Find the tracks that are the two strands of one target by the last words of their names.

    Args:
        names: names such as `cage_plus` and `cage_minus`; also pos and neg, positive and negative, forward and reverse,
            fwd and rev.

    Returns:
        Name -> that of the other strand, for the tracks that have one.
    """
    known = {name.lower(): name for name in names}
    partners: dict[str, str] = {}
    for name in names:
        word = re.search(r"(?<![a-z0-9])[a-z]+$", name.lower())
        if word is None or word[0] not in _OTHER_STRAND:
            continue
        other = known.get(name.lower().removesuffix(word[0]) + _OTHER_STRAND[word[0]])
        if other is not None:
            partners[name] = other
    return partners


def write_track_table(path: Path, tracks: Sequence[Track]) -> None:
    """Write a table of tracks that `read_track_table` reads, with paths relative to its folder."""
    defaults = Track("", "")
    columns = [field.name for field in fields(Track)]
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(columns)
        for track in tracks:
            values = {name: getattr(track, name) for name in columns}
            values["path"] = os.path.relpath(track.path, path.parent)
            writer.writerow(["" if value == getattr(defaults, name) else value for name, value in values.items()])


def strand_pairs(tracks: Sequence[Track]) -> list[int]:
    """For each track the index of its strand partner, its own index without a partner."""
    index = {track.name: number for number, track in enumerate(tracks)}
    return [index[track.strand_partner or track.name] for track in tracks]


def _track(cells: dict[str, str], folder: Path, where: str) -> Track:
    """Make a track of the cells of one line; `where` names file and line in messages."""
    for name in ("name", "path"):
        if name not in cells:
            raise InputError(f"{where}: the {name} is missing")
    for name, known in (("statistic", ("mean", "sum")), ("missing", ("zero", "mask"))):
        if cells.get(name, known[0]) not in known:
            raise InputError(f"{where}: the {name} {quoted(cells[name])} is neither {known[0]} nor {known[1]}")
    numbers: dict[str, Any] = {
        name: _number(cells[name], name, where) for name in ("scale", "soft_clip", "clip") if name in cells
    }
    if not names_a_file(cells["name"]):
        raise InputError(f"{where}: {quoted(cells['name'])} cannot name a target, for a file is called after it")
    path = folder / cells["path"]
    if not path.is_file():
        raise InputError(f"{where}: {path}: no such file")
    return Track(**{**cells, **numbers, "path": str(path)})


def _number(cell: str, name: str, where: str) -> float:
    value = parse_number(cell)
    if value is None or not 0 < abs(value) <= _LARGEST or (value < 0 and name != "scale"):
        raise InputError(f"{where}: the {name} {quoted(cell)} is not a number{'' if name == 'scale' else ' above 0'}")
    return value


def _check_names(tracks: Sequence[Track], path: str | Path) -> None:
    partners: dict[str, str] = {}
    for track in tracks:
        if track.name in partners:
            raise InputError(f"{path}: two targets are named {quoted(track.name)}")
        partners[track.name] = track.strand_partner
    for name, partner in partners.items():
        if partner and partner not in partners:
            raise InputError(
                f"{path}: {quoted(partner)}, the strand partner of {quoted(name)}, is not among the targets"
            )
        if partner and partners[partner] != name:
            raise InputError(
                f"{path}: {quoted(partner)} is the strand partner of {quoted(name)}, but its own is "
                f"{quoted(partners[partner] or 'none')}"
            )
