"""Variants of a file, one allele at a time: VCF and BCF, or a table with `chrom`, `pos`, `ref` and `alt`."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from zoo.errors import InputError
from zoo.formats.alleles import EMPTY, NO_ALLELE, Variant
from zoo.formats.cells import read_rows
from zoo.utils.text import quoted, shown_path

__all__ = ["PAIR_COLUMNS", "is_call_file", "read_variants"]

PAIR_COLUMNS = ("ref_sequence", "alt_sequence")
_CALLS = (".vcf", ".vcf.gz", ".vcf.bgz", ".bcf")
# Names of the columns of a table, in lower case; of several names of an allele the first here is taken.
_NAMES = {
    "chrom": ("chrom", "chr", "chromosome", "contig"),
    "position": ("pos", "position"),
    "ref": ("ref", "reference"),
    "alt": ("alt", "alternative"),
    "name": ("id", "name", "rsid", "variant"),
    "strand": ("strand",),
}
_NEEDED = ("chrom", "position", "ref", "alt")
_WHOLE_NUMBER = re.compile("[0-9]{1,18}")


def is_call_file(path: str | Path) -> bool:
    """Whether a file is VCF or BCF, by its ending."""
    return str(path).lower().endswith(_CALLS)


def read_variants(path: str | Path) -> Iterator[Variant]:
    """Read the alleles of a VCF, a BCF or a table, in its order; memory does not grow with the file.

    Args:
        path: the file. `-` is a table on standard input. A table is TSV or CSV with a header: `chrom`, `pos` (from 1),
            `ref` and `alt`, and perhaps `id` and `strand`; alleles of one row are separated by commas.

    Raises:
        InputError: no such file, no variant in it, or a line that is none; the message names it.
        MissingExtraError: VCF or BCF, and pysam is not installed.
    """
    if is_call_file(path):
        from zoo.formats.vcf import read_calls

        variants = read_calls(path)
    else:
        variants = _read_table(path)
    count = 0
    for variant in variants:
        count += 1
        yield variant
    if not count:
        raise InputError(f"{shown_path(path)}: no variant in it")


def _read_table(path: str | Path) -> Iterator[Variant]:
    """The alleles of a table."""
    rows = read_rows(path)
    columns = _columns(next(rows).cells, shown_path(path))
    for record, (where, cells) in enumerate(rows, 1):
        yield from _alleles(record, {name: cells[index] for name, index in columns.items()}, where)


def _columns(names: list[str], path: str) -> dict[str, int]:
    """Index of each column that is read.

    Raises:
        InputError: one that is needed is missing, or is there twice.
    """
    columns = {}
    for key, known in _NAMES.items():
        hits = [index for index, name in enumerate(names) if name in known]
        if key == "name":
            hits.sort(key=lambda index: known.index(names[index]))
        if len(hits) > 1 and (key != "name" or names[hits[0]] == names[hits[1]]):
            raise InputError(f"{path}: the columns {names[hits[0]]!r} and {names[hits[1]]!r} are both its {key}")
        if hits:
            columns[key] = hits[0]
    if missing := [_NAMES[key][0] for key in _NEEDED if key not in columns]:
        raise InputError(
            f"{path}: a table of variants has a header with chrom, pos, ref and alt, or with ref_sequence and "
            f"alt_sequence; {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        )
    return columns


def _alleles(record: int, cells: dict[str, str], where: str) -> Iterator[Variant]:
    """The alleles of one row."""
    if not _WHOLE_NUMBER.fullmatch(cells["position"]):
        raise InputError(f"{where}: the position {quoted(cells['position'])} is no whole number")
    strand = cells.get("strand", "+") or "+"
    if strand not in ("+", "-", "."):
        raise InputError(f"{where}: the strand {quoted(strand)} is none of +, - and .")
    for alt in _split_alleles(cells["alt"]):
        name = "" if cells.get("name", ".") == "." else cells["name"]
        ref = cells["ref"] or EMPTY
        yield Variant(record, cells["chrom"], int(cells["position"]), name, ref, alt, "-" if strand == "-" else "+")


def _split_alleles(text: str) -> Sequence[str]:
    """The alternatives of a cell; `.` where there is none."""
    return [alt.strip() or NO_ALLELE for alt in text.split(",")]
