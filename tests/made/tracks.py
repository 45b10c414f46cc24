"""Made bigWigs of tracks that a model reads in addition to the sequence, and a slow reading of them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyBigWig
from numpy.typing import NDArray

Values = NDArray[np.float64]
# For each track: the index of its strand partner, and how its bases become a value.
PARTNERS = (1, 0, 2, 3)
SCALE = {"minus": -2.0}


class MadeInputs(NamedTuple):
    """Made tracks.

    Attributes:
        table: their table.
        values: track -> contig -> values of bases, NaN where there is none.
    """

    table: str
    values: dict[str, dict[str, NDArray[np.float32]]]


def make_inputs(folder: Path, sizes: Mapping[str, int], gap: tuple[str, int, int]) -> MadeInputs:
    """plus and minus are partners; gaps of cover are masked; total has its values too, but sums them up to 0."""
    rng = np.random.default_rng(3)
    values: dict[str, dict[str, NDArray[np.float32]]] = {}
    for track in ("plus", "minus", "cover"):
        values[track] = {name: rng.normal(1, 1, size).astype(np.float32) for name, size in sizes.items()}
        for bases in values[track].values():
            for start in rng.integers(0, len(bases), len(bases) // 50):
                bases[start : start + rng.integers(1, 40)] = np.nan
        values[track][gap[0]][gap[1] : gap[2]] = np.nan
        with pyBigWig.open(str(folder / f"{track}.bw"), "w") as file:
            file.addHeader(list(sizes.items()))
            for name, bases in values[track].items():
                known = np.flatnonzero(~np.isnan(bases))
                file.addEntries(name, known.tolist(), values=bases[known].tolist(), span=1)
    rows = ["plus\tplus.bw\tminus\t\t\t", "minus\tminus.bw\tplus\t\t-2\t", "cover\tcover.bw\t\tmask\t\t"]
    rows.append("total\tcover.bw\t\t\t\tsum")
    header = "name\tpath\tstrand_partner\tmissing\tscale\tstatistic"
    (folder / "inputs.tsv").write_text("\n".join([header, *rows]) + "\n")
    return MadeInputs(str(folder / "inputs.tsv"), {**values, "total": values["cover"]})


def slow_inputs(
    inputs: MadeInputs, contig: str, first: int, length: int, size: int, resolution: int | None = None
) -> Values:
    """What a window that begins at a base reads (tracks, length / size): loops over bases, in float64."""
    resolution = resolution or size
    rows = []
    for track, contigs in inputs.values.items():
        row = []
        for start in range(first, first + length, size):
            steps = range(start, start + size, resolution)
            fine = [_bin_of(track, contigs[contig], step, resolution) for step in steps]
            known = [value for value in fine if not math.isnan(value)]
            mean = sum(known) / len(known) if 2 * len(known) > len(fine) else 0.0
            row.append(SCALE.get(track, 1.0) * mean * (len(fine) if track == "total" else 1))
        rows.append(row)
    return np.array(rows)


def _bin_of(track: str, bases: NDArray[np.float32], start: int, size: int) -> float:
    """A bin as the table defines it; NaN past the ends of the contig, and for cover where no base has a value."""
    inside: list[float] = bases[start : start + size].astype(float).tolist() if 0 <= start < len(bases) else []
    known = [value for value in inside if not math.isnan(value)]
    if not inside or (track == "cover" and not known):
        return math.nan
    if track == "total":
        return sum(known)
    return sum(known) / len(known if track == "cover" else inside)
