"""Variants of a file, one allele at a time: VCF and BCF, or a table with `chrom`, `pos`, `ref` and `alt`."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from zoo.errors import InputError
from zoo.formats.alleles import NO_ALLELE, Variant
from zoo.formats.separators import refuse_semicolons
from zoo.utils.streams import TABLE, UNREADABLE, describe_unreadable
from zoo.utils.text import check_file, open_text, quoted, shown_path

__all__ = ["PAIR_COLUMNS", "is_call_file", "read_variants", "table_header"]

PAIR_COLUMNS = ("ref_sequence", "alt_sequence")
_CALLS = (".vcf", ".vcf.gz", ".vcf.bgz", ".bcf")
# Names of the columns of a table, in lower case.
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


def table_header(path: str | Path) -> list[str]:
    """The names of a table's columns, in lower case.

    Raises:
        InputError: no such file, or one that is no text.
    """
    check_file(path)
    try:
        with open_text(path, TABLE) as file:
            line = file.readline()
    except UNREADABLE as error:
        raise InputError(f"{path}: not a table ({describe_unreadable(error, path)})") from None
    return [cell.strip().lower().removeprefix("#") for cell in _cells(line)]


def _cells(line: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r\n")], delimiter="\t" if "\t" in line else ","), [])


def _read_table(path: str | Path) -> Iterator[Variant]:
    """The alleles of a table."""
    if str(path) != "-":
        check_file(path, regular=False)
    shown = shown_path(path)
    try:
        with open_text(path, TABLE) as file:
            header = file.readline()
            columns = _columns(header, shown)
            reader = csv.reader(file, delimiter="\t" if "\t" in header else ",")
            width = len(_cells(header))
            for record, cells in enumerate(reader, 1):
                where = f"{shown}, line {reader.line_num + 1}"
                if len(cells) != width:
                    raise InputError(f"{where}: {len(cells)} cells where the header has {width}")
                yield from _row(record, {name: cells[index].strip() for name, index in columns.items()}, where)
    except UNREADABLE as error:
        raise InputError(f"{shown}: not a table ({describe_unreadable(error, path)})") from None
    except csv.Error as error:
        raise InputError(f"{shown} cannot be read as a table ({error})") from None


def _columns(header: str, path: str) -> dict[str, int]:
    """Index of each column that is read.

    Raises:
        InputError: one that is needed is missing, or is there twice.
    """
    refuse_semicolons(header, path)
    names = [cell.strip().lower().removeprefix("#") for cell in _cells(header)]
    columns = {}
    for key, known in _NAMES.items():
        hits = [index for index, name in enumerate(names) if name in known]
        if len(hits) > 1:
            raise InputError(f"{path}: the columns {names[hits[0]]!r} and {names[hits[1]]!r} are both its {key}")
        if hits:
            columns[key] = hits[0]
    if missing := [_NAMES[key][0] for key in _NEEDED if key not in columns]:
        raise InputError(
            f"{path}: a table of variants has a header with chrom, pos, ref and alt, or with ref_sequence and "
            f"alt_sequence; {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        )
    return columns


def _row(record: int, cells: dict[str, str], where: str) -> Iterator[Variant]:
    """The alleles of one row."""
    if not _WHOLE_NUMBER.fullmatch(cells["position"]):
        raise InputError(f"{where}: the position {quoted(cells['position'])} is no whole number")
    strand = cells.get("strand", "+") or "+"
    if strand not in ("+", "-", "."):
        raise InputError(f"{where}: the strand {quoted(strand)} is none of +, - and .")
    for alt in _split_alleles(cells["alt"]):
        name = "" if cells.get("name", ".") == "." else cells["name"]
        yield Variant(
            record, cells["chrom"], int(cells["position"]), name, cells["ref"], alt, "-" if strand == "-" else "+"
        )


def _split_alleles(text: str) -> Sequence[str]:
    """The alternatives of a cell; `.` where there is none."""
    return [alt.strip() or NO_ALLELE for alt in text.split(",")]
