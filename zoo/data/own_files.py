"""Choose the DataModule, and its arguments, for a user's data files: FASTA, tables, peaks, bigWigs, coolers."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.data.own_tables import SequenceColumns, read_header, sequence_columns
from zoo.data.tracks.table import strand_partners
from zoo.errors import ConfigError
from zoo.formats._sequence_tables import is_sequence_column
from zoo.formats.kinds import FILE_KINDS, FileKind, file_kind
from zoo.utils.text import check_file, some_of

__all__ = ["DataChoice", "choose_data", "is_on_genome", "name_files"]

_NAMED = re.compile(r"([^=/\\]+)=(.+)", re.DOTALL)
_SITES = {"chrom", "start", "end"}
_TRACKS = {"name", "path"}


@dataclass
class DataChoice:
    """A DataModule for files of the user's own.

    Attributes:
        kind: kind of its targets: `labels`, `tracks` or `contacts`.
        class_path: class of the DataModule.
        init_args: its arguments, as a configuration holds them.
        reasons: a line on each choice that the files alone did not decide.
    """

    kind: str
    class_path: str
    init_args: dict[str, Any]
    reasons: list[str] = field(default_factory=list)


def choose_data(
    files: Sequence[str],
    genome: str | None = None,
    negatives: str | None = None,
    targets: Sequence[str] | None = None,
    bin_size: int | None = None,
) -> DataChoice:
    """Choose the DataModule for data files, by the ends of their names and the first lines of tables.

    Args:
        files: FASTA files, one for each class; one table of sequences with labels, of sites (`zoo data peaks`) or of
            bigWigs; peak files; bigWigs; or coolers. Each alone, or as `NAME=FILE` for another target than the name of
            the file.
        genome: FASTA file, for all but sequences.
        negatives: FASTA file of sequences whose labels are all 0, with FASTA files.
        targets: columns of labels of a table of sequences; None for all columns of numbers.
        bin_size: resolution of a `.mcool` that is named without one.

    Raises:
        ConfigError: no file, files of several kinds, or an option that they lack or do not take.
        InputError: a file that does not exist, or a table without columns that are known.
    """
    kinds = {file: _kind_of(file) for file in files}
    if len(set(kinds.values())) != 1:
        named = ", ".join(f"{file} ({kind})" for file, kind in kinds.items())
        raise ConfigError(f"name data files of one kind: {named}" if kinds else "name at least one data file")
    (kind,) = set(kinds.values())
    if negatives and kind != "fasta":
        raise ConfigError(f"a file of negatives goes with FASTA files, not with {kind} files: {negatives}")
    table = _single_table(files) if kind == "table" else None
    columns = set(read_header(table)) if table else set()
    holds_sequences = kind == "fasta" or any(is_sequence_column(name) for name in columns)
    needs_genome = kind in ("peaks", "bigwig", "cooler") or (not holds_sequences and is_on_genome(columns))
    if needs_genome != (genome is not None):
        raise ConfigError(_genome_message(files[0], needs_genome))
    if targets and (kind != "table" or needs_genome):
        raise ConfigError("the targets to learn are chosen of a table of sequences; of other data, name their files")
    if kind == "fasta":
        return _of_fasta(files, negatives)
    if table and not needs_genome:
        return _of_table(table, targets)
    return _on_genome(kind, files, str(genome), table, columns, bin_size)


def name_files(files: Sequence[str]) -> dict[str, str]:
    """Name each file: as in `NAME=FILE`, or after the file without its folder and endings.

    Args:
        files: paths, also with `::group`.

    Returns:
        Name -> path.

    Raises:
        ConfigError: two files of one name.
        InputError: no such file.
    """
    named: dict[str, str] = {}
    for text in files:
        name, path = _name_and_path(text)
        check_file(path.partition("::")[0])
        name = name or Path(path.partition("::")[0]).name.partition(".")[0]
        if name in named:
            raise ConfigError(f"{named[name]} and {path} would both be the target {name!r}: write NAME={path}")
        named[name] = path
    return named


def is_on_genome(columns: Set[str]) -> bool:
    """Whether the columns of a table are those of tracks or of sites on a genome."""
    return columns >= _TRACKS or columns >= _SITES


def _name_and_path(text: str) -> tuple[str | None, str]:
    """The name and the path of `NAME=FILE`; no name where the whole text is a path."""
    given = _NAMED.fullmatch(text)
    is_path = given is None or Path(text.partition("::")[0]).exists()
    return (None, text) if given is None or is_path else (given[1], given[2])


def _kind_of(text: str) -> FileKind:
    path = _name_and_path(text)[1]
    kind = file_kind(path)
    if kind is None:
        check_file(path)
        raise ConfigError(
            f"{path}: the end of its name tells no kind of data ({', '.join(FILE_KINDS)}): rename it, such as to "
            ".fa, .tsv, .bed, .narrowPeak, .bw or .mcool"
        )
    return kind


def _single_table(files: Sequence[str]) -> str:
    if len(files) > 1:
        raise ConfigError(f"one table holds all data: name one of {some_of(files)}")
    check_file(files[0])
    return files[0]


def _genome_message(file: str, needs_genome: bool) -> str:
    if needs_genome:
        return f"{file} holds places of a genome: add its FASTA file with --genome"
    return f"{file} holds sequences, which need no genome: leave out --genome"


def _of_fasta(files: Sequence[str], negatives: str | None) -> DataChoice:
    fasta = name_files(files)
    arguments: dict[str, Any] = {"fasta": fasta}
    if negatives:
        (name,) = name_files([negatives])
        if name in fasta:
            raise ConfigError(f"{fasta[name]} and the negatives {negatives} are both called {name!r}: write NAME=FILE")
        arguments |= {"fasta": {**fasta, name: negatives}, "negative_class": name}
        reasons = [f"negatives: {negatives}"]
    elif len(fasta) == 1:
        arguments["shuffles"] = 1
        reasons = ["negatives: dinucleotide-preserving shuffles, new ones in each epoch, for none were given"]
    else:
        reasons = [f"negatives: of each of the {len(fasta)} classes, the sequences of the others"]
    return DataChoice("labels", "zoo.data.sequences.SequenceDataModule", arguments, reasons)


def _of_table(table: str, targets: Sequence[str] | None) -> DataChoice:
    columns: SequenceColumns = sequence_columns(table, targets)
    arguments: dict[str, Any] = {"table": table, "label_columns": columns.labels, "classify": columns.are_classes}
    if columns.split:
        arguments["split_column"] = columns.split
    what = "classes, for all values are 0 or 1" if columns.are_classes else "measurements, for values are not 0 or 1"
    chosen = "as named" if targets else "all columns of numbers"
    reasons = [f"targets: {some_of(columns.labels, 10)} ({chosen}); {what}"]
    if columns.split:
        reasons.append(f"splits: column {columns.split!r}")
    if columns.others:
        reasons.append(
            f"not used: the columns {some_of([repr(name) for name in columns.others], 10)}, which hold no labels"
        )
    return DataChoice("labels", "zoo.data.sequences.SequenceDataModule", arguments, reasons)


def _on_genome(
    kind: FileKind, files: Sequence[str], genome: str, table: str | None, columns: set[str], bin_size: int | None
) -> DataChoice:
    check_file(genome)
    if kind == "cooler":
        coolers = {name: _with_resolution(path, bin_size) for name, path in name_files(files).items()}
        arguments: dict[str, Any] = {"coolers": coolers}
        return DataChoice("contacts", "zoo.data.contacts.ContactDataModule", {"genome": genome, **arguments})
    if kind == "bigwig" or columns >= _TRACKS:
        arguments = {"targets_table": table} if table else {"bigwigs": name_files(files)}
        pairs = strand_partners([] if table else list(arguments["bigwigs"]))
        reasons = [f"strands: {one} and {other}, by their names" for one, other in pairs.items() if one < other]
        return DataChoice("tracks", "zoo.data.tracks.TrackDataModule", {"genome": genome, **arguments}, reasons)
    arguments = {"table": table} if table else {"peaks": name_files(files)}
    return DataChoice("labels", "zoo.data.peaks.PeakDataModule", {"genome": genome, **arguments})


def _with_resolution(path: str, bin_size: int | None) -> str:
    """The path of a cooler, with the resolution of a model where a file of several is named without one."""
    is_open = path.lower().endswith(".mcool")
    return f"{path}::resolutions/{bin_size}" if is_open and bin_size else path
