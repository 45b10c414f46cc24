"""BED files: what is read, and which line of which file is refused."""

import gzip
import io
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zoo.errors import InputError
from zoo.formats.bed import read_bed
from zoo.formats.peaks import read_peak_file
from zoo.genome.intervals import Interval
from zoo.utils.text import shown_path


def write(folder: Path, text: str | bytes, name: str = "a.bed") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("line", "interval"),
    [
        ("chr1\t0\t5", Interval("chr1", 0, 5)),
        ("chr2\t7\t9\tb", Interval("chr2", 7, 9, "b")),
        ("chr3\t1\t2\t.\t900", Interval("chr3", 1, 2)),
        ("chr4\t3\t8\td\t0\t-", Interval("chr4", 3, 8, "d", "-")),
        ("chr5\t2\t4\te\t0\t+\t2\t4\t0\t1\t2,\t0,", Interval("chr5", 2, 4, "e", "+")),
        ("chr6\t2\t4\te\t0\t.\t2\t4\t0\t1\t2,\t0,\tx\ty\tz", Interval("chr6", 2, 4, "e")),
    ],
)
def test_bed_of_three_or_more_columns_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str, interval: Interval
) -> None:
    assert read_bed(write(tmp_path, f"{line}\n{line}\n")) == [interval] * 2
    assert not caplog.records


@pytest.mark.parametrize("lines", [["pELS", "PLS"], [".", "pELS"], ["pELS", "."], ["dELS,CTCF-bound", "1"]])
@pytest.mark.parametrize("source", ["file", "standard input", "pipe"])
def test_a_sixth_column_without_strands_is_not_read_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, lines: list[str], source: str
) -> None:
    text = "".join(f"chr1\t{i}\t9\tn{i}\t0\t{cell}\n" for i, cell in enumerate(lines))
    path: str | Path = write(tmp_path, text)
    if source == "standard input":
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(text.encode()))))
        path = "-"
    elif source == "pipe":
        path = tmp_path / "pipe"
        os.mkfifo(path)
        threading.Thread(target=path.write_text, args=(text,)).start()
    assert read_bed(path) == [Interval("chr1", 0, 9, "n0"), Interval("chr1", 1, 9, "n1")]
    first = next(cell for cell in lines if cell != ".")
    warning = f"{shown_path(path)}: column 6 holds '{first}', which is no strand: all strands are taken as unknown"
    assert [record.message for record in caplog.records] == [warning]


@pytest.mark.parametrize("first", ["+", "-"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_column_of_strands_with_something_else_is_refused(tmp_path: Path, first: str, order: int) -> None:
    cells = [first, "plus"][::order]
    path = write(tmp_path, "".join(f"chr1\t{i}\t9\tn\t0\t{cell}\n" for i, cell in enumerate(cells)))
    with pytest.raises(InputError, match=rf"a.bed, line {1 + cells.index('plus')}: strand 'plus' is none of"):
        read_bed(path)


def test_a_byte_order_mark_is_no_part_of_a_contig(tmp_path: Path) -> None:
    assert read_bed(write(tmp_path, b"\xef\xbb\xbfchr1\t1\t2\n")) == [Interval("chr1", 1, 2)]


def test_headers_blank_lines_and_windows_line_ends_are_skipped(tmp_path: Path) -> None:
    text = '#chrom\tstart\tend\ntrack name="x"\nbrowser position chr1:1-2\n\r\nchr1\t1\t2\tp\t0\t+\r\n\n'
    assert read_bed(write(tmp_path, text)) == [Interval("chr1", 1, 2, "p", "+")]


def test_the_last_line_may_lack_a_line_end(tmp_path: Path) -> None:
    assert read_bed(write(tmp_path, "chr1\t1\t2\nchr1\t3\t4")) == [Interval("chr1", 1, 2), Interval("chr1", 3, 4)]


def test_gzip_is_recognised_by_its_first_bytes_not_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"chr1\t1\t2\nchr2\t3\t4\n"))
    assert read_bed(path) == [Interval("chr1", 1, 2), Interval("chr2", 3, 4)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("chr1\t5", "2 tab-separated columns where line 2 has 3"),
        ("chr1 5 9", "1 tab-separated columns where line 2 has 3"),
        ("chr1\tfive\t9", "'five'"),
        ("chr1\t5\t9.5", "'9.5'"),
        ("chr1\t5\t", "whole numbers"),
        ("chr1\t9\t5", "start 9 and end 5"),
        ("chr1\t5\t5", "start 5 and end 5"),
        ("chr1\t-1\t5", "start -1"),
        ("chr1\t5\t9\tx", "4 tab-separated columns where line 2 has 3"),
        ("chr1\t1_0\t20", "'1_0'"),
        ("chr1\t1e3\t2e3", "'1e3'"),
        ("chr1\t+1\t2", r"'\+1'"),
        ("chr1\t1\t\u0665", "whole numbers"),
        ("chr1\t1\t3000000000", "the end '3000000000' lies past any chromosome"),
        (f"chr1\t{10**30}\t{10**31}", "the start '10*' lies past any chromosome"),
        (f"chr1\t1\t{'9' * 9000}", r"the end '9*'... \(9,000 letters\) lies past any chromosome"),
        ("\t1\t5", "names no contig"),
    ],
)
def test_an_invalid_line_is_refused_with_its_number(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path, f"# comment\nchr1\t1\t2\n\n{line}\nchr1\t1\t2\n")
    with pytest.raises(InputError, match=f"a.bed, line 4: .*{reason}"):
        read_bed(path)


@pytest.mark.parametrize("text", ["", "# only a comment\n\n"])
def test_a_file_without_intervals_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"a.bed: no interval"):
        read_bed(write(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.bed: no such file"):
        read_bed(tmp_path / "none.bed")


def damaged(kind: str) -> bytes:
    intact = gzip.compress("".join(f"chr{i % 7}\t{i * i}\t{i * i + 5}\n" for i in range(999)).encode())
    if kind == "cut short":
        return intact[: len(intact) // 2]
    if kind == "wrong checksum":
        return intact[:-8] + b"\0\0\0\0" + intact[-4:]
    # 0x07 after the ten bytes of the header: a last block of a type that deflate does not define.
    return intact[:10] + b"\x07" + intact[11:]


@pytest.mark.parametrize("kind", ["cut short", "wrong checksum", "wrong block"])
def test_a_damaged_gzip_file_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError, match=r"a.bed"):
        read_bed(write(tmp_path, damaged(kind)))


def test_a_binary_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a.bed"):
        read_bed(write(tmp_path, b"\xff\xfe\x00\x80\x81"))


NAMED = Interval("chr1", 5, 9, "a", "-")
PLAIN = Interval("chr1", 5, 9)


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("chrom\tstart\tend", "chr1\t5\t9", PLAIN),
        ("Chr\tStart\tStop", "chr1\t5\t9", PLAIN),
        ("chromosome\tchromStart\tchromEnd\tscore", "chr1\t5\t9\t0.5", PLAIN),
        ("#chrom\tchromStart\tchromEnd\tsplit\tname", "chr1\t5\t9\ttrain\ta", Interval("chr1", 5, 9, "a")),
        ("chrom\tstart\tend\tname\tscore\tstrand", "chr1\t5\t9\ta\t0\t-", NAMED),
        ("CHROM\tSTART\tEND\tNAME\tUSF1\tCTCF\tMAX", "chr1\t5\t9\ta\t0.5\t-\t0.7", Interval("chr1", 5, 9, "a")),
        ("chrom\tstart\tend\tsplit\tUSF1\tCTCF", "chr1\t5\t9\ttrain\t1\t0", PLAIN),
        ("chrom\tstart\tend\tstrand\tx\ty\tname", "chr1\t5\t9\t-\t1\t2\ta", NAMED),
        ("#chrom\tstart\tend", "chr1\t5\t9\ta\t0\t-", NAMED),  # a comment on some columns of BED
    ],
)
@pytest.mark.parametrize("before", ["", "# a comment\n\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_of_intervals_with_a_header_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, header: str, row: str, expected: Interval, before: str, end: str
) -> None:
    path = write(tmp_path, f"{before}{header}\n{row}\n{row}\n".replace("\n", end))
    assert read_bed(path) == [expected] * 2
    assert read_peak_file(str(path)).to_numpy().tolist() == [["chr1", 5, 9, 7]] * 2
    assert not caplog.records


def test_a_header_of_narrow_peak_changes_nothing(tmp_path: Path) -> None:
    names = "chrom\tstart\tend\tname\tscore\tstrand\tsignalValue\tpValue\tqValue\tpeak\n"
    row = "chr1\t100\t200\ta\t0\t.\t7.1\t-1\t3.2\t10\n"
    for header in ("", names, f"#{names}"):
        assert read_peak_file(str(write(tmp_path, header + row)))["centre"].tolist() == [110]
    targets = "\t".join(["chrom", "start", "end", "split", *"abcdef"])  # ten columns, of which the last is a label
    labels = "chr1\t100\t200\ttrain\t1\t0\t0.5\t1\t1\t10"
    assert read_peak_file(str(write(tmp_path, f"{targets}\n{labels}\n")))["centre"].tolist() == [150]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chrom\tstart\tend\nchrom\tstart\tend\nchr1\t5\t9\n", "line 2: start 'start' and end 'end' must be"),
        ("chr1\t5\t9\nchrom\tstart\tend\n", "line 2: start 'start' and end 'end' must be"),
        ("contig\tstart\tend\nchr1\t5\t9\n", "line 1: start 'start' and end 'end' must be"),
        ("chrom\tbegin\tend\nchr1\t5\t9\n", "line 1: start 'begin' and end 'end' must be"),
        ("start\tchrom\tend\n5\tchr1\t9\n", "line 1: start 'chrom' and end 'end' must be"),
        ("chrom\tstart\tend\tname\nchr1\t5\t9\n", "line 2: 3 tab-separated columns where line 1 has 4"),
        ("chrom\tstart\tend\tname\n", "no (interval|peak) in it"),
        ("chr1 5 9\nchr2 6 10\n", "line 1: its columns are separated by spaces, and must be by tabs"),
        ("#x\nchr1  5  9  a\n", "line 2: its columns are separated by spaces, and must be by tabs"),
        ("chrom start end\nchr1 5 9\n", "line 1: its columns are separated by spaces, and must be by tabs"),
        ("chr1;5;9\n", "its columns are separated by ';': save it with tabs between them"),
        ("chrom;start;end\r\nchr1;5;9\r\n", "its columns are separated by ';': save it with tabs between"),
        ("chr1,5,9\n", "line 1: its columns are separated by commas, and must be by tabs"),
        ("chr1:5-9\n", "line 1: 1 tab-separated column where BED has at least three"),
    ],
)
def test_other_tables_are_refused_with_the_cure(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    for read in (read_bed, read_peak_file):
        with pytest.raises(InputError, match=f"a.bed.* {message}") as refusal:
            read(str(path))
        assert "\n" not in str(refusal.value)


SOME = [
    "chrom\tstart\tend\n",
    "#chrom\tstart\tend\tx\n",
    "chr\tstart\tstop\tname\tstrand\n",
    "\n",
    "\t",
    "\0",
    " ",
    "-",
    "+",
    ".",
    "1",
    "9" * 20,
    "1.5",
    "track",
    "browser ",
    "#",
    "\r\n",
    "NA",
    "chr1\t5\t9\n",
]


@pytest.mark.parametrize("seed", range(4))
def test_sites_and_peaks_are_read_alike_or_refused(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = {True: 0, False: 0}
    for _ in range(60):
        columns, text = int(rng.choice([3, 4, 6, 10, 12])), ""
        for start in rng.integers(0, 900, rng.integers(1, 6)):
            cells = ["chr1", start, start + 90, "n", 0, rng.choice(["+", ".", "x"]), 5.5, -1, 0, 45, "1,", "0,"]
            text += "\t".join(map(str, cells[:columns])) + "\n"
        for _ in range(rng.integers(0, 3)):
            at = int(rng.integers(len(text)))
            text = text[:at] + str(rng.choice(SOME)) + text[at + int(rng.integers(0, 2)) :]
        path = write(tmp_path, text)
        sites, peaks = attempt(read_bed, path), attempt(read_peak_file, path)
        counts[isinstance(sites, str)] += 1
        if isinstance(sites, str) or isinstance(peaks, str):
            assert isinstance(sites, type(peaks)) or "strand" in str(sites)  # peaks have none
            continue
        assert peaks[["chrom", "start", "end"]].to_numpy().tolist() == [[s.chrom, s.start, s.end] for s in sites]
    assert min(counts.values()) > 5


def attempt(read: Callable[[str], Any], path: Path) -> Any:
    """What a file gives, or the sentence that refuses it."""
    try:
        return read(str(path))
    except InputError as error:
        assert "\n" not in str(error)
        return str(error)
