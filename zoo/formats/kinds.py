"""Kinds of data files, told by their names. Nothing here reads a file."""

import re
from typing import Literal, get_args

__all__ = ["FILE_KINDS", "FileKind", "file_kind"]

FileKind = Literal["fasta", "table", "peaks", "bigwig", "cooler"]
FILE_KINDS: tuple[FileKind, ...] = get_args(FileKind)
_ENDINGS: dict[FileKind, str] = {
    "fasta": r"\.(fa|fasta|fna|fas)",
    "table": r"\.(tsv|csv)",
    "peaks": r"(\.bed|peak)",
    "bigwig": r"\.(bw|bigwig)",
    "cooler": r"\.m?cool(::.*)?",
}


def file_kind(name: str) -> FileKind | None:
    """Tell the kind of a file by the end of its name, plain or gzipped, in upper or lower case.

    Args:
        name: name or path; of a cooler also with `::group`.

    Returns:
        The kind; None for another ending.
    """
    bare = re.sub(r"\.(gz|bgz)$", "", name.lower())
    return next((kind for kind, ending in _ENDINGS.items() if re.search(rf"{ending}$", bare)), None)
