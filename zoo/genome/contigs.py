"""Names and lengths of contigs, and how names match across naming conventions."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from zoo.errors import InputError
from zoo.genome.index import check_index
from zoo.genome.intervals import LONGEST_CONTIG
from zoo.utils.streams import UNREADABLE, WHOLE, describe_unreadable
from zoo.utils.text import check_file, open_text, quoted, shorten, some_of

__all__ = ["find_by_length", "find_contigs", "match_both_ways", "match_contigs", "read_contig_lengths"]

_MOST_DIGITS = 18  # of a length: it fits into 64 bits


def read_contig_lengths(path: str | Path) -> dict[str, int]:
    """Read contig names and lengths from the first two columns of a file such as chrom.sizes or a FASTA's .fai.

    Raises:
        InputError: no such file, no contig, a contig named twice, a line without a length, or a .fai that does not fit
            the FASTA next to it.
    """
    check_file(path)
    if Path(path).suffix == ".fai":
        check_index(Path(path))
    lengths: dict[str, int] = {}
    try:
        with open_text(path, WHOLE) as file:
            lines = file.read().splitlines()
    except UNREADABLE as error:
        reason = describe_unreadable(error, path)
        raise InputError(f"{path}: not a text file of contigs and lengths ({reason})") from None
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields or line.startswith("#"):
            continue
        if len(fields) < 2 or not fields[1].isdecimal() or len(fields[1]) > _MOST_DIGITS or not int(fields[1]):
            raise InputError(f"{path}, line {number}: a contig's name and its length were expected")
        if int(fields[1]) > LONGEST_CONTIG:
            raise InputError(f"{path}, line {number}: {fields[1]} bases are more than any contig has")
        if fields[0] in lengths:
            raise InputError(f"{path}, line {number}: the contig {quoted(fields[0])} is named twice")
        lengths[fields[0]] = int(fields[1])
    if not lengths:
        raise InputError(f"{path}: no contig in it")
    return lengths


def match_contigs(wanted: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Match contig names across naming conventions: `chr1` / `1` / `chrI` / `I`, `chrM` / `MT` / `chrMito`.

    Args:
        wanted: names that a file uses.
        known: names that the genome uses.

    Returns:
        Wanted name -> name in the genome.

    Raises:
        InputError: a wanted name that the genome does not have, or that could be two of its contigs.
    """
    known = list(dict.fromkeys(known))
    mapping = {}
    for name, match in find_contigs(wanted, known).items():
        if match is None:
            raise InputError(f"the contig {quoted(name)} is not in the genome, which has {some_of(known)}")
        mapping[name] = match
    return mapping


def find_contigs(wanted: Iterable[str], known: Iterable[str]) -> dict[str, str | None]:
    """Match contig names as `match_contigs`, with None for a name that the genome does not have.

    Raises:
        InputError: a wanted name that could be two contigs of the genome.
    """
    mapping: dict[str, str | None] = {}
    for name, matches in _possible(wanted, known).items():
        if len(matches) > 1:
            raise InputError(f"the contig {quoted(name)} could be {' or '.join(map(shorten, matches[:9]))}")
        mapping[name] = matches[0] if matches else None
    return mapping


def find_by_length(wanted: Mapping[str, int | None], known: Mapping[str, int]) -> dict[str, str | None]:
    """Match contig names as `find_contigs`; of several that a name could be, the one of its length is taken.

    Args:
        wanted: names that a file uses -> length; None for one that is not known.
        known: names that the genome uses -> length.

    Returns:
        Wanted name -> name in the genome, None where the genome does not have it; without names that could be several
        contigs still.
    """
    mapping: dict[str, str | None] = {}
    for name, matches in _possible(wanted, known).items():
        if len(matches) > 1:
            matches = [match for match in matches if known[match] == wanted[name]]
            if len(matches) != 1:
                continue
        mapping[name] = matches[0] if matches else None
    return mapping


def _possible(wanted: Iterable[str], known: Iterable[str]) -> dict[str, list[str]]:
    """Wanted name -> all names in the genome that it could be; itself alone where the genome has it."""
    exact = set(known := list(known))
    by_key: dict[str, list[str]] = {}
    for name in dict.fromkeys(known):
        by_key.setdefault(_contig_key(name, exact), []).append(name)
    return {
        name: [name] if name in exact else by_key.get(_contig_key(name, exact), []) for name in dict.fromkeys(wanted)
    }


def match_both_ways(contigs: Iterable[str], file_names: Iterable[str]) -> dict[str, str | None]:
    """Match the contigs of a genome with those of a file, where either may use Roman numerals.

    Args:
        contigs: names that the genome uses.
        file_names: names that the file uses.

    Returns:
        Name in the genome -> name in the file, None where the file does not have it.

    Raises:
        InputError: a name that could be two contigs of the other side.
    """
    contigs, file_names = list(contigs), list(file_names)
    forward = find_contigs(contigs, file_names)
    backward = find_contigs(file_names, contigs)
    return forward | {
        contig: name for name, contig in backward.items() if contig is not None and forward[contig] is None
    }


def _contig_key(name: str, genome: set[str]) -> str:
    """Reduce a name to what is common to all conventions.

    Numbers become Roman numerals only in a genome that uses these: there `X` is ten; elsewhere it is a sex chromosome.
    """
    bare = name[3:] if name.lower().startswith("chr") else name
    if bare.upper() in ("M", "MT", "MITO"):
        return "M"
    if bare.isdigit() and genome & _ROMAN_NAMES:
        return _roman(int(bare))
    return bare


def _roman(number: int) -> str:
    """Roman numeral of 1 to 39; no genome that uses Roman numerals has more chromosomes."""
    return "X" * (number // 10) + ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"][number % 10]


# Names that only a genome with Roman numerals uses: not I, V and X, which may be letters.
_ROMAN_NAMES = {start + _roman(number) for start in ("", "chr") for number in range(2, 40) if number not in (5, 10)}
