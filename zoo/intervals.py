"""Genomic intervals, 0-based and half-open, and the files and names they come with."""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from zoo.errors import InputError

__all__ = [
    "HEADERS",
    "UNREADABLE",
    "Interval",
    "find_contigs",
    "iterate_bed",
    "match_both_ways",
    "match_contigs",
    "open_text",
    "parse_bounds",
    "parse_region",
    "read_bed",
    "read_contig_lengths",
    "some_of",
]

# How lines of a BED file begin that hold no interval.
HEADERS = ("#", "track", "browser")
# What reading a text file raises where it is none, or its gzip is broken.
UNREADABLE = (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of a genome: `start` is 0-based, `end` is not part of it. `strand` is '+', '-' or '.'."""

    chrom: str
    start: int
    end: int
    name: str = ""
    strand: str = "."

    def __len__(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.chrom}:{self.start}-{self.end}" + (f"({self.strand})" if self.strand != "." else "")

    @property
    def label(self) -> str:
        """What a table calls it: its name, or its coordinates."""
        return self.name or str(self)

    def resized(self, length: int) -> "Interval":
        """The interval of that length with the same centre (its own length's odd base goes to the right)."""
        start = self.start + (len(self) - length) // 2
        return Interval(self.chrom, start, start + length, self.name, self.strand)


def parse_region(text: str) -> Interval:
    """Read `chrIX:100,000-110,000`, 0-based and half-open as BED.

    Raises:
        InputError: it is not such a text.
    """
    found = re.fullmatch(r"(\S+):([\d,]+)-([\d,]+)", text)
    if not found:
        raise InputError(f"the region {text!r} is not of the form chrIX:100,000-110,000")
    start, end = (int(number.replace(",", "") or 0) for number in found.groups()[1:])
    if end <= start:
        raise InputError(f"the region {text!r} is empty or reversed")
    return Interval(found[1], start, end)


def open_text(path: str | Path) -> IO[str]:
    """Open a plain or gzipped text file for reading, by what its first bytes say; `-` is standard input."""
    if str(path) == "-":
        return io.TextIOWrapper(sys.stdin.buffer)
    path = Path(path)
    with path.open("rb") as head:
        zipped = head.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rt") if zipped else path.open("rt")


def read_bed(path: str | Path) -> list[Interval]:
    """Read a BED file of three to twelve columns, plain or gzipped.

    Args:
        path: the file, or `-` for standard input. Lines that begin with `#`, `track` or `browser` are skipped, as the
            format says.

    Returns:
        The intervals in the file's order; the fourth column is the name, the sixth the strand.

    Raises:
        InputError: no such file, no interval in it, or a line that is not BED (named by its number).
    """
    return list(iterate_bed(path))


def iterate_bed(path: str | Path) -> Iterator[Interval]:
    """Read a BED file line by line. See `read_bed`."""
    if str(path) != "-" and not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    count = 0
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.startswith(HEADERS):
                    count += 1
                    yield _parse_bed_line(line, f"{path}, line {number}")
    except UNREADABLE as error:
        raise InputError(f"{path}: not a text file that can be read as BED ({error})") from None
    if not count:
        raise InputError(f"{path}: no interval in it")


def _parse_bed_line(line: str, where: str) -> Interval:
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) < 3:
        raise InputError(f"{where}: {len(fields)} tab-separated columns where BED has at least three")
    start, end = parse_bounds(fields, where)
    name = fields[3] if len(fields) > 3 and fields[3] != "." else ""
    strand = fields[5] if len(fields) > 5 else "."
    if strand not in ("+", "-", "."):
        raise InputError(f"{where}: strand {strand!r} is none of +, - and .")
    return Interval(fields[0], start, end, name, strand)


def parse_bounds(fields: Sequence[str], where: str) -> tuple[int, int]:
    """Start and end, from the second and third column of a line of BED.

    Raises:
        InputError: they are no whole numbers, or not 0 <= start < end; `where` names the file and line.
    """
    try:
        start, end = int(fields[1]), int(fields[2])
    except ValueError:
        raise InputError(f"{where}: start {fields[1]!r} and end {fields[2]!r} must be whole numbers") from None
    if start < 0 or end <= start:
        kind = "negative" if start < 0 or end < 0 else "reversed" if end < start else "empty"
        raise InputError(f"{where}: start {start} and end {end} are {kind}; an interval has 0 <= start < end")
    return start, end


def read_contig_lengths(path: str | Path) -> dict[str, int]:
    """Read contig names and lengths from the first two columns of a file such as chrom.sizes or a FASTA's .fai.

    Raises:
        InputError: no such file, no contig in it, one that is named twice, or a line without a length.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    lengths: dict[str, int] = {}
    try:
        with open_text(path) as file:
            lines = file.read().splitlines()
    except UNREADABLE as error:
        raise InputError(f"{path}: not a text file of contigs and lengths ({error})") from None
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields or line.startswith("#"):
            continue
        if len(fields) < 2 or not fields[1].isdecimal() or not int(fields[1]):
            raise InputError(f"{path}, line {number}: wanted a contig's name and its length")
        if fields[0] in lengths:
            raise InputError(f"{path}, line {number}: the contig {fields[0]!r} is named twice")
        lengths[fields[0]] = int(fields[1])
    if not lengths:
        raise InputError(f"{path}: no contig in it")
    return lengths


def match_contigs(wanted: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Match contig names across conventions: `chr1` / `1` / `chrI` / `I`, `chrM` / `MT` / `chrMito`.

    Args:
        wanted: the names that a file uses.
        known: the names that the genome has.

    Returns:
        For each wanted name, the genome's name for it.

    Raises:
        InputError: a wanted name that the genome does not have, or has twice under two conventions.
    """
    known = list(dict.fromkeys(known))
    mapping = {}
    for name, found in find_contigs(wanted, known).items():
        if found is None:
            raise InputError(f"the contig {name!r} is not in the genome, which has {some_of(known)}")
        mapping[name] = found
    return mapping


def find_contigs(wanted: Iterable[str], known: Iterable[str]) -> dict[str, str | None]:
    """Match contig names as `match_contigs` does, with None for a name that the genome does not have.

    Raises:
        InputError: a wanted name that the genome has twice under two conventions.
    """
    exact = set(known := list(known))
    by_key: dict[str, list[str]] = {}
    for name in dict.fromkeys(known):
        by_key.setdefault(_contig_key(name, exact), []).append(name)
    mapping: dict[str, str | None] = {}
    for name in dict.fromkeys(wanted):
        found = [name] if name in exact else by_key.get(_contig_key(name, exact), [])
        if len(found) > 1:
            raise InputError(f"the contig {name!r} could be {' or '.join(found)}")
        mapping[name] = found[0] if found else None
    return mapping


def match_both_ways(contigs: Iterable[str], theirs: Iterable[str]) -> dict[str, str | None]:
    """For each contig of a genome its name in a file, None where it is not there; either may count in Roman numbers."""
    contigs, theirs = list(contigs), list(theirs)
    found = find_contigs(contigs, theirs)
    turned = find_contigs(theirs, contigs)
    return found | {contig: name for name, contig in turned.items() if contig is not None and found[contig] is None}


def some_of(names: Iterable[str], most: int = 5) -> str:
    """The first few of many names, for a sentence."""
    names = list(names)
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _contig_key(name: str, genome: set[str]) -> str:
    """What is left of a name when conventions are taken away. Roman numerals count only in a genome that uses them:
    there, `X` is ten; elsewhere it is a sex chromosome."""
    bare = name[3:] if name.lower().startswith("chr") else name
    if bare.upper() in ("M", "MT", "MITO"):
        return "M"
    if bare.isdigit() and genome & _ROMAN_NAMES:
        return _roman(int(bare))
    return bare


def _roman(number: int) -> str:
    """1 to 39 as a Roman numeral: more chromosomes than any genome that counts in them."""
    return "X" * (number // 10) + ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"][number % 10]


# Names that only a genome which counts in Roman numerals has: not I, V and X, which may be letters.
_ROMAN_NAMES = {start + _roman(number) for start in ("", "chr") for number in range(2, 40) if number not in (5, 10)}
