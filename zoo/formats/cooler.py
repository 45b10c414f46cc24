"""Cooler files (.cool, .mcool): opened by URI, checked, read as bands along the diagonal.

Format: Abdennur and Mirny 2020, doi:10.1093/bioinformatics/btz540. Shapes: P pixels, W diagonals.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import InputError, one_line
from zoo.formats._cooler_check import check_bins, check_ends, check_index, check_sizes, list_maps, one_sentence
from zoo.genome.contigs import match_both_ways
from zoo.utils.text import check_file, some_of

__all__ = ["CoolerFile", "Pixels"]

# Pixels that are read at once.
_PIXELS_AT_ONCE = 8_000_000
# Most bins by which a contig may differ from the genome: lengths may be rounded, last bins without contacts left out.
_MOST_BINS_OFF = 10


class Pixels(NamedTuple):
    """Contacts within one contig; bins are counted from its beginning.

    Attributes:
        row: bin of one end (P,).
        distance: bins from it to the other end (P,).
        contacts: number of contacts (P,).
    """

    row: NDArray[np.int64]
    distance: NDArray[np.int64]
    contacts: NDArray[np.float64]


class CoolerFile:
    """One contact map in a .cool or .mcool file, of which the header is read. The object holds a path and numbers.

    Args:
        uri: `file.cool`, `file.mcool::resolutions/2000` or `file.cool::group`.

    Attributes:
        path: path of the file.
        group: group of the map in it.
        bin_size: bases per bin.
        contigs: contig -> length.
        first: contig -> index of its first bin.
        bins: contig -> number of bins.
        columns: names of the columns of the table of bins.

    Raises:
        InputError: a file or group that is missing, no cooler, or an .mcool without a resolution (those in it are
            listed).
    """

    def __init__(self, uri: str) -> None:
        import cooler
        import h5py

        self.uri = uri
        path, _, group = uri.partition("::")
        self.path, self.group = Path(path), group.strip("/") or "/"
        check_file(self.path)
        groups = list_maps(path) or ["/"]  # files of cooler's first formats do not state what they are
        chosen = next((name for name in groups if name.strip("/") == group.strip("/")), None)
        if chosen is None:
            known = ", ".join(f"{path}::{name.strip('/')}" for name in _by_resolution(groups)) or "none"
            what = f"no map {group!r}" if group else "several maps, of which one must be named"
            raise InputError(f"{path} has {what}; there are: {known}")
        with one_sentence(uri):
            with h5py.File(self.path, "r") as file:
                check_sizes(file[chosen], uri)
            self._read_header(cooler.Cooler(f"{path}::{chosen}"))

    def _read_header(self, opened: Any) -> None:
        if opened.binsize is None:
            raise InputError(f"{self.uri} has bins of several sizes; contact maps here have bins of one")
        if opened.storage_mode != "symmetric-upper":
            raise InputError(f"{self.uri} is not a symmetric map of contacts ({opened.storage_mode})")
        self.bin_size = int(opened.binsize)
        self.contigs: dict[str, int] = {name: int(length) for name, length in opened.chromsizes.items()}
        with opened.open("r") as group:  # once: `Cooler.extent` opens the file for each contig
            check_bins(group, self.uri, self.bin_size)
            check_index(group, self.uri)
            edges = group["indexes/chrom_offset"][:].tolist()
            self.columns: list[str] = [str(column) for column in group["bins"]]
            values = [str(column) for column in group["pixels"]]
        if "count" not in values:
            others = [column for column in values if column not in ("bin1_id", "bin2_id")]
            raise InputError(
                f"{self.uri} has no column `count` of contacts; its pixels have {', '.join(others) or 'no values'}"
            )
        self.first: dict[str, int] = dict(zip(self.contigs, edges[:-1], strict=True))
        spans = zip(self.contigs, edges[:-1], edges[1:], strict=True)
        self.bins: dict[str, int] = {name: end - start for name, start, end in spans}

    def match(self, contigs: Mapping[str, int]) -> dict[str, str | None]:
        """Match the contigs of a genome to those of the cooler.

        Args:
            contigs: contig -> length, of the genome.

        Returns:
            For each contig of the genome its name in the cooler, None where it is missing.

        Raises:
            InputError: none of them is in the cooler, or one has another length.
        """
        names = match_both_ways(contigs, self.contigs)
        if not any(names.values()):
            raise InputError(
                f"{self.uri} has none of the genome's contigs {some_of(contigs)}; it has {some_of(self.contigs)}"
            )
        for contig, name in names.items():
            if name is not None and abs(self.contigs[name] - contigs[contig]) > _MOST_BINS_OFF * self.bin_size:
                raise InputError(
                    f"{self.uri} is of another assembly than the genome: {name} has {self.contigs[name]:,} bases there "
                    f"and {contigs[contig]:,} in the FASTA"
                )
        return names

    def weights(self, balance: bool) -> NDArray[np.float64]:
        """Read the balancing weights, or compute them.

        Args:
            balance: without stored weights, balance the map in memory by iterative correction within contigs (Imakaev
                2012, doi:10.1038/nmeth.2148); the file is not changed.

        Returns:
            float64, a factor for each bin of all contigs; NaN for masked bins: those without a weight, and those of
            which the stored weight is invalid (infinite, 0 or negative).

        Raises:
            InputError: no stored weights and `balance` is false, or the map cannot be balanced.
        """
        import cooler

        with one_sentence(self.uri):
            opened = cooler.Cooler(f"{self.path}::{self.group}")
            stored = opened.bins()["weight"][:].to_numpy(np.float64) if "weight" in self.columns else None
        if stored is not None:
            return np.where(_is_valid(stored), stored, np.nan)
        self.check_balanced(balance)
        try:
            weights, statistics = cooler.balance_cooler(opened, cis_only=True, store=False)
        except (KeyError, ValueError, OSError, RuntimeError) as error:
            raise InputError(
                f"{self.uri} could not be balanced ({one_line(error)}): an attribute or table of the file is missing "
                "or damaged"
            ) from None
        if not np.all(statistics["converged"]):
            raise InputError(
                f"{self.uri} could not be balanced: the iterative correction does not converge; "
                f"balance it with more steps (cooler balance --max-iters 2000 {self.uri}), or take larger bins"
            )
        balanced: NDArray[np.float64] = np.asarray(weights, np.float64)
        return balanced

    def check_balanced(self, balance: bool) -> None:
        """Check from the header that there are weights, or that they may be computed.

        Raises:
            InputError: no stored weights and `balance` is false.
        """
        if "weight" in self.columns or balance:
            return
        others = [name for name in self.columns if name not in ("chrom", "start", "end")]
        listed = f"; it has {', '.join(others)}" if others else ""
        raise InputError(
            f"{self.uri} is not balanced, for it has no column `weight`{listed}: run `cooler balance {self.uri}`, "
            "or, for training, add --data.balance true"
        )

    def invalid_weights(self, name: str) -> NDArray[np.bool_]:
        """Mark the bins (N,) of a contig whose stored weight is infinite, 0 or negative: they are masked.

        Args:
            name: contig, as the cooler names it.
        """
        import cooler

        if "weight" not in self.columns:
            return np.zeros(self.bins[name], np.bool_)
        first = self.first[name]
        with one_sentence(self.uri):
            bins = cooler.Cooler(f"{self.path}::{self.group}").bins()
            stored = bins["weight"][first : first + self.bins[name]].to_numpy(np.float64)
        invalid: NDArray[np.bool_] = ~np.isnan(stored) & ~_is_valid(stored)
        return invalid

    def pixels(self, name: str, first: int, last: int, most: int) -> Iterator[Pixels]:
        """Read contacts within a contig, in pieces.

        Args:
            name: contig, as the cooler names it.
            first: first bin of the rows that are read.
            last: bin after their last.
            most: distances below this are read, in bins.

        Raises:
            InputError: pixels that are not where the index says, or a number of contacts that is negative, infinite or
                NaN.
        """
        import h5py

        begin, end = self.first[name], self.first[name] + self.bins[name]
        rows = begin + first, min(begin + last, end)
        if rows[0] >= rows[1]:
            return
        with one_sentence(self.uri), h5py.File(self.path, "r") as file:
            store = file[self.group]
            offset = store["indexes/bin1_offset"][rows[0] : rows[1] + 1].astype(np.int64)
            check_ends(store["pixels/bin1_id"], offset, rows, self.uri)
            for low in range(int(offset[0]), int(offset[-1]), _PIXELS_AT_ONCE):
                piece = slice(low, min(low + _PIXELS_AT_ONCE, int(offset[-1])))
                row, column = (store[f"pixels/bin{side}_id"][piece].astype(np.int64) for side in (1, 2))
                expected = np.repeat(np.arange(*rows), np.diff(np.clip(offset, piece.start, piece.stop)))
                if not np.array_equal(row, expected) or (column < row).any():
                    raise InputError(f"{self.uri} is damaged: contacts of {name} have bins that are not its own")
                near = (column < end) & (column - row < most)
                count = store["pixels/count"][piece][near].astype(np.float64)
                if not ((count >= 0) & (count < np.inf)).all():  # written so that NaN is refused
                    raise InputError(
                        f"{self.uri}: the contacts of {name} hold numbers that are negative, infinite or NaN; counts "
                        "are expected"
                    )
                yield Pixels(row[near] - begin, (column - row)[near], count)

    @property
    def resolutions(self) -> list[str]:
        """Names of the maps in this file, finest first."""
        return _by_resolution(list_maps(str(self.path)))


def _is_valid(weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each weight (N,) is a finite number above 0."""
    return (weights > 0) & (weights < np.inf)


def _by_resolution(groups: list[str]) -> list[str]:
    """Sort the groups of a file, finest first."""
    ends = [group.rsplit("/", 1)[-1] for group in groups]
    return [group for _, group in sorted(zip([int(e) if e.isdigit() else 0 for e in ends], groups, strict=True))]
