"""Damaged and foreign files, through the command line: each is one short sentence, and nothing is written."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands.desk import Desk
from made.models import Made

Run = Callable[..., tuple[int, str, str]]
GENOME = b">chr1\n" + b"ACGTTGCA\n" * 700 + b">chr2\n" + b"GATTACAA\n" * 160
BED = b"chr1\t100\t120\tsite\n"
LONG = b"ACGT" * 250_000

GENOMES = {
    "empty": (b"", "g.fa is empty"),
    "blank": (b"\n\n", "g.fa is not FASTA: it does not begin with '>'"),
    "no header": (b"ACGT\n>chr1\nACGT\n", "g.fa is not FASTA: it does not begin with '>'"),
    "a header alone": (b">chr1\n", "g.fa, line 1: the record 'chr1' has no sequence"),
    "an empty record": (GENOME + b">chr3\n>chr4\nACGT\n", "g.fa, line 863: the record 'chr3' has no sequence"),
    "NUL bytes": (GENOME.replace(b"ACGTTGCA\n", b"ACG\0TGCA\n"), r"g.fa: the letter '\x00' at chr1:"),
    "a web page": (b"<html>\n", "but as a web page"),
    "UTF-16": ("\n".join(GENOME.decode().split("\n")[:9]).encode("utf-16"), "but with UTF-16 text"),
    "a lost line break": (b">chr1" + LONG, "is too long: the line break after it may be lost"),
    "lines of other lengths": (
        GENOME.replace(b"GATTACAA\n", b"GATTACAA\nGA\n"),
        "g.fa, line 705: the lines of the record",
    ),
    "a name twice": (GENOME + GENOME[:6] + b"A\n", "g.fa, line 863: another record is called 'chr1' too"),
    "a protein": (GENOME.replace(b"ACGTTGCA", b"MKLVAAPE"), "this looks like a protein"),
}
BEDS = {
    "reversed": (b"chr1\t0\t20\nchr1\t40\t20\n", "a.bed, line 2: start 40 and end 20 are reversed"),
    "empty interval": (b"chr1\t20\t20\n", "a.bed, line 1: start 20 and end 20 are empty"),
    "negative": (b"chr1\t-20\t0\n", "a.bed, line 1: start -20 and end 0 are negative"),
    "fractions": (b"chr1\t0.5\t20.5\n", "a.bed, line 1: start '0.5' and end '20.5' must be whole numbers"),
    "exponents": (b"chr1\t1e3\t2e3\n", "a.bed, line 1: start '1e3' and end '2e3' must be whole numbers"),
    "past 64 bits": (b"chr1\t0\t99999999999999999999\n", "a.bed, line 1: the end '99999999999999999999' lies past any"),
    "past 2 gigabases": (b"chr1\t0\t2147483648\n", "a.bed, line 1: the end '2147483648' lies past any chromosome"),
    "ragged": (BED + b"chr1\t0\t2", "a.bed, line 2: 3 tab-separated columns where line 1 has 4"),
    "a header": (b"locus\tstart\tend\tname\n" + BED, "a.bed, line 1: start 'start' and end 'end' must be whole"),
    "a header of a table": (b"chrom\tstart\tend\n" + BED, "a.bed, line 2: 4 tab-separated columns where line 1 has 3"),
    "spaces": (b"chr1 0 20\n", "a.bed, line 1: its columns are separated by spaces, and must be by tabs"),
    "semicolons": (b"\xef\xbb\xbfchrom;start;end\r\nchr1;0;20\r\n", "a.bed: its columns are separated by ';'"),
    "NUL": (b"chr\x001\t0\t20\n", "a.bed, line 1: a NUL byte, which is in no text"),
    "UTF-16": (BED.decode().encode("utf-16"), "a.bed is UTF-16 text: save it as UTF-8"),
    "a long contig": (LONG + b"\t0\t20\n", "'... (1,000,000 letters) is not in the genome"),
    "a long line": (LONG, "a.bed, line 1: 1 tab-separated column where BED has at least three"),
    "strands": (
        BED.replace(b"\n", b"\t0\t+\n") + BED.replace(b"\n", b"\t0\tplus\n"),
        "line 2: strand 'plus' is none of",
    ),
}
SEQUENCES = {
    "a missing value": (b"id\tseq\na\tACGT\nb\tnan\n", "in, line 3: the record 'b' has the missing value 'nan'"),
    "two columns": (b"seq\tsequence\nACGT\tACGT\n", "could both be the sequence: choose one with --sequence-column"),
    "a lost line break": (
        b">a " + LONG,
        "a header of 1,000,002 letters: its line break may be lost",
    ),
    "a long name": (b"id\tseq\n" + LONG + b"\tACGT\n", "... (1,000,000 letters)): --resize"),
    "late header": (b"ACGT\n>a\nACGT\n", "in, line 2: a header of FASTA after sequences that have none"),
    "a web page": (b"<html>\n<body>\n", "in, record 'sequence_1': the letter '<' at position 1 is neither DNA nor RNA"),
}


@pytest.fixture
def desk(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_zoo: Run) -> Desk:
    monkeypatch.chdir(tmp_path)
    Path("whole.fa").write_bytes(GENOME)
    Path("whole.bed").write_bytes(BED)
    return Desk(made, run_zoo, monkeypatch)


@pytest.mark.parametrize("kind", ["labels", "tracks", "contacts", "peaks"])
@pytest.mark.parametrize(("content", "message"), GENOMES.values(), ids=GENOMES)
def test_genomes(desk: Desk, kind: str, content: bytes, message: str) -> None:
    Path("g.fa").write_bytes(content)
    if kind == "peaks":
        words = ["data", "peaks", "whole.bed", "--genome", "g.fa", "--length", "20", "--negatives", "1", "-o", "new"]
        if "letter" in message or "protein" in message:
            return  # letters that are not known are masked
    elif kind == "labels":
        words = ["predict", desk.made.models[kind], "whole.bed", "--genome", "g.fa", "-o", "new"]
    else:
        words = ["predict", desk.made.models[kind], "g.fa", "-o", "new"]
    err = desk.refused(*words)
    assert message in err
    assert len(err) < 600


@pytest.mark.parametrize("kind", ["labels", "tracks", "contacts", "peaks"])
@pytest.mark.parametrize(("content", "message"), BEDS.values(), ids=BEDS)
def test_beds(desk: Desk, kind: str, content: bytes, message: str) -> None:
    Path("a.bed").write_bytes(content)
    if kind == "peaks":
        if "strand" in message:
            return  # not read
        words = ["data", "peaks", "a.bed", "--genome", "whole.fa", "--length", "20", "-o", "new"]
        message = message.replace("read as BED", "read as peaks")
        if "is not in the genome" in message:
            message = "no contig of the peaks is in the genome"
    else:
        words = ["predict", desk.made.models[kind], "a.bed", "--genome", "whole.fa", "-o", "new"]
    err = desk.refused(*words)
    assert message in err
    assert len(err) < 600


@pytest.mark.parametrize(("content", "message"), SEQUENCES.values(), ids=SEQUENCES)
def test_sequences(desk: Desk, content: bytes, message: str) -> None:
    Path("in").write_bytes(content)
    err = desk.refused("predict", desk.made.models["labels"], "in", "-o", "new")
    assert message in err
    assert len(err) < 600


@pytest.mark.parametrize("option", ["input", "genome", "peaks", "blacklist", "lengths"])
@pytest.mark.parametrize("kind", ["folder", "unreadable", "missing", "pipe"])
def test_what_is_no_file(desk: Desk, option: str, kind: str) -> None:
    path = Path("x.bed")
    message = {
        "folder": "x.bed is a folder, not a file",
        "unreadable": "x.bed cannot be read: Permission denied",
        "missing": "x.bed: no such file",
        "pipe": "x.bed is not a regular file, and cannot be read twice",
    }[kind]
    if kind == "pipe" and option == "input":
        return  # is read
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "unreadable":
        path.touch()
    peaks = ["data", "peaks", "whole.bed", "--length", "20", "-o", "new"]
    words = {
        "input": ["predict", desk.made.models["labels"], "x.bed", "--genome", "whole.fa", "-o", "new"],
        "genome": ["predict", desk.made.models["labels"], "whole.bed", "--genome", "x.bed", "-o", "new"],
        "peaks": ["data", "peaks", "x.bed", "--length", "20", "-o", "new", "--genome", "whole.fa"],
        "blacklist": [*peaks, "--genome", "whole.fa", "--blacklist", "x.bed"],
        "lengths": [*peaks, "--contig-lengths", "x.bed"],
    }[option]
    if kind == "unreadable":  # root may read everything
        opened = Path.open

        def refuse(file: Path, *arguments: Any, **options: Any) -> Any:
            if file == path:
                raise PermissionError(13, "Permission denied")
            return opened(file, *arguments, **options)

        desk.monkeypatch.setattr(Path, "open", refuse)
    code, out, err = desk.run_zoo(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not Path("new").exists()
