"""Tables with columns separated by semicolons, as spreadsheets write them: refused by every reader, in one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.data.peaks.table import PeakTable, read_table_header
from zoo.data.sequences.files import Columns, check_table, read_tables
from zoo.data.tracks.table import read_track_table
from zoo.errors import InputError
from zoo.formats.bed import read_bed
from zoo.formats.expected import read_expected
from zoo.formats.peaks import read_peak_file
from zoo.formats.sequences import SequenceFile, read_sequences

Run = Callable[..., tuple[int, str, str]]
DEEPBIND = "deepbind.encode_usf1_h1hesc"
CURE = "its columns are separated by ';': save it with commas or tabs between them"
ACTIVITY = Columns("dna", ["activity"], None)
READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    # Those of sequences and labels take commas too.
    "sequences": (read_sequences, "id;sequence\nx;ACGT\n"),
    "sequences in a named column": (lambda path: list(SequenceFile(path, "dna")), "dna;y\nACGT;1,5\n"),
    "sequences, quoted": (read_sequences, '"id, or name";"sequence"\n"x";"ACGT"\n'),
    "labels": (lambda path: read_tables([(path, -1)], ACTIVITY), "dna;activity\nACGT;0,5\n"),
    "labels, first": (lambda path: check_table(path, ACTIVITY), "dna;activity\nACGT;0,5\n"),
    "targets": (read_track_table, "name;path\na;a.bw\n"),
    "sites": (PeakTable.read, "chrom;start;end;split;ctcf\nchr1;1;5;train;1\n"),
    "sites, first": (read_table_header, "chrom;start;end;split;ctcf\nchr1;1;5;train;1\n"),
    "BED": (read_bed, "chr1;1;5\n"),
    "a table of intervals": (read_bed, "chrom;start;end\nchr1;1;5\n"),
    "peaks": (read_peak_file, "chr1;1;5\n"),
    "expected contacts": (read_expected, "dist;n_valid;count.avg\n0;5;1,5\n"),
}


@pytest.mark.parametrize(("read", "text"), READERS.values(), ids=READERS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_semicolons_are_refused_with_the_cure(
    tmp_path: Path, read: Callable[[str], Any], text: str, mark: bytes, end: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(mark + text.replace("\n", end).encode())
    with pytest.raises(InputError) as refusal:
        read(str(path))
    cure = CURE if "ACGT" in text else CURE.replace("commas or tabs", "tabs")
    assert str(refusal.value) == f"{path}: {cure}"


def test_semicolons_within_cells_are_read(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    for text in ('"a;b",sequence\n"x;y;z",ACGT\n', "note\tsequence\na;b;c\tACGT\n", "sequence\tx;y;z\nACGT\t1\n"):
        path.write_text(text)
        assert read_sequences(path)[1][0].tolist() == [0, 1, 2, 3]


def test_zoo_predict_says_so(tmp_path: Path, run_zoo: Run) -> None:
    path = tmp_path / "table.csv"
    path.write_text("\ufeffid;sequence\r\nx;ACGT\r\n")
    assert run_zoo("predict", DEEPBIND, str(path)) == (2, "", f"zoo: {path}: {CURE}\n")
