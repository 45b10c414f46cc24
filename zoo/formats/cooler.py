"""Cooler files (.cool, .mcool): opened by URI, checked, read as bands along the diagonal.

Shapes: N bins of a contig, W diagonals.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError, one_line
from zoo.genome.contigs import match_both_ways
from zoo.utils.text import some_of

__all__ = ["CoolerFile", "Pixels"]

# Pixels that are read at once.
_PIXELS_AT_ONCE = 20_000_000
# Lengths of contigs may be rounded in a cooler, and last bins without contacts left out.
_MOST_BINS_OFF = 10


class Pixels(NamedTuple):
    """Contacts within one contig; bins are counted from its beginning.

    Attributes:
        row: bin of the one end (P,).
        distance: bins from it to the other end (P,).
        contacts: how many (P,).
    """

    row: NDArray[np.int64]
    distance: NDArray[np.int64]
    contacts: NDArray[np.float64]


class CoolerFile:
    """One map of contacts in a .cool or .mcool file. The object holds a path and numbers alone.

    Args:
        uri: `file.cool`, `file.mcool::resolutions/2000` or `file.cool::group`.

    Raises:
        InputError: no such file or group, no cooler, or an .mcool without a resolution (those in it are listed).
    """

    def __init__(self, uri: str) -> None:
        import cooler

        self.uri = uri
        path, _, group = uri.partition("::")
        self.path, self.group = Path(path), group.strip("/") or "/"
        if not self.path.is_file():
            raise InputError(f"{path}: no such file")
        try:
            groups = cooler.fileops.list_coolers(path)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path} is no cooler file that can be read ({one_line(error)})") from None
        groups = groups or ["/"]  # files of cooler's first formats do not say what they are
        found = next((each for each in groups if each.strip("/") == group.strip("/")), None)
        if found is None:
            known = ", ".join(f"{path}::{each.strip('/')}" for each in _by_resolution(groups)) or "none"
            what = f"no map {group!r}" if group else "several maps, of which one must be named"
            raise InputError(f"{path} has {what}; there are: {known}")
        try:
            self._open(cooler.Cooler(f"{path}::{found}"))
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise InputError(f"{uri} is no cooler that can be read ({one_line(error)})") from None

    def _open(self, found: Any) -> None:
        if found.binsize is None:
            raise InputError(f"{self.uri} has bins of several sizes; contact maps here have bins of one")
        if found.storage_mode != "symmetric-upper":
            raise InputError(f"{self.uri} is not a symmetric map of contacts ({found.storage_mode})")
        self.bin_size = int(found.binsize)
        self.contigs: dict[str, int] = {name: int(length) for name, length in found.chromsizes.items()}
        self.first: dict[str, int] = {name: int(found.offset(name)) for name in self.contigs}
        extents = {name: found.extent(name) for name in self.contigs}
        self.bins: dict[str, int] = {name: int(end - start) for name, (start, end) in extents.items()}
        self.columns: list[str] = [str(column) for column in found.bins().columns]

    def match(self, contigs: Mapping[str, int]) -> dict[str, str | None]:
        """For each contig of a genome its name here, None where it is not there.

        Raises:
            InputError: none of them is here, or one has another length than in the genome.
        """
        found = match_both_ways(contigs, self.contigs)
        if not any(found.values()):
            raise InputError(
                f"{self.uri} has none of the genome's contigs {some_of(contigs)}; it has {some_of(self.contigs)}"
            )
        for contig, name in found.items():
            if name is not None and abs(self.contigs[name] - contigs[contig]) > _MOST_BINS_OFF * self.bin_size:
                raise InputError(
                    f"{self.uri} is of another assembly than the genome: {name} has {self.contigs[name]:,} bases there "
                    f"and {contigs[contig]:,} in the FASTA"
                )
        return found

    def weights(self, balance: bool) -> NDArray[np.float64]:
        """What makes counts comparable: a factor for each bin of all contigs, NaN for those that are left out.

        Args:
            balance: balance the map here if it is not, by iterative correction within contigs; the file stays as it is.

        Raises:
            InputError: it is not balanced, and `balance` is false; or balancing did not come to an end.
        """
        import cooler

        found = cooler.Cooler(f"{self.path}::{self.group}")
        if "weight" in self.columns:
            stored: NDArray[np.float64] = found.bins()["weight"][:].to_numpy(np.float64)
            return stored
        if not balance:
            others = [name for name in self.columns if name not in ("chrom", "start", "end")]
            said = f"; it has {', '.join(others)}" if others else ""
            raise InputError(
                f"{self.uri} is not balanced, for it has no column `weight`{said}: run `cooler balance {self.uri}`, or "
                "let the data be balanced here with --data.balance true"
            )
        weights, said = cooler.balance_cooler(found, cis_only=True, store=False)
        if not np.all(said["converged"]):
            raise InputError(f"{self.uri} could not be balanced: the iterative correction does not converge")
        made: NDArray[np.float64] = np.asarray(weights, np.float64)
        return made

    def pixels(self, name: str, first: int, last: int, most: int) -> Iterator[Pixels]:
        """Contacts within a contig from bins `first` to `last` to bins fewer than `most` further right, in pieces."""
        import h5py

        begin, end = self.first[name], self.first[name] + self.bins[name]
        rows = begin + first, min(begin + last, end)
        with h5py.File(self.path, "r") as file:
            store = file[self.group]
            offset = store["indexes/bin1_offset"][rows[0] : rows[1] + 1] if rows[0] < rows[1] else np.zeros(1, int)
            for low in range(int(offset[0]), int(offset[-1]), _PIXELS_AT_ONCE):
                piece = slice(low, min(low + _PIXELS_AT_ONCE, int(offset[-1])))
                row, column = (store[f"pixels/bin{side}_id"][piece].astype(np.int64) for side in (1, 2))
                near = (column < end) & (column - row < most)
                count = store["pixels/count"][piece][near].astype(np.float64)
                yield Pixels(row[near] - begin, (column - row)[near], count)

    @property
    def resolutions(self) -> list[str]:
        """The maps in this file."""
        import cooler

        return _by_resolution(cooler.fileops.list_coolers(str(self.path)))


def _by_resolution(groups: list[str]) -> list[str]:
    """Groups of a file, finest first."""
    ends = [group.rsplit("/", 1)[-1] for group in groups]
    return [group for _, group in sorted(zip([int(e) if e.isdigit() else 0 for e in ends], groups, strict=True))]
