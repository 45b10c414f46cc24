"""Contig names and lengths, and how names match across conventions."""

from collections.abc import Iterable
from pathlib import Path

from zoo.errors import InputError
from zoo.utils.text import UNREADABLE, open_text, some_of

__all__ = ["find_contigs", "match_both_ways", "match_contigs", "read_contig_lengths"]


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
