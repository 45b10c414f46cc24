"""BED files: what is read, and which line of which file is refused."""

import gzip
from pathlib import Path

import pytest

from zoo.errors import InputError
from zoo.formats.bed import read_bed
from zoo.genome.intervals import Interval


def write(folder: Path, text: str | bytes, name: str = "a.bed") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_bed_of_three_to_twelve_columns_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "chr1\t0\t5\nchr2\t7\t9\tb\nchr3\t1\t2\t.\t900\nchr4\t3\t8\td\t0\t-\nchr5\t2\t4\te\t0\t+\t2\t4\t0\t1\t2,\t0,\n",
    )
    assert read_bed(path) == [
        Interval("chr1", 0, 5),
        Interval("chr2", 7, 9, "b"),
        Interval("chr3", 1, 2),
        Interval("chr4", 3, 8, "d", "-"),
        Interval("chr5", 2, 4, "e", "+"),
    ]


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
        ("chr1\t5", "2 tab-separated columns"),
        ("chr1 5 9", "1 tab-separated columns"),
        ("chr1\tfive\t9", "'five'"),
        ("chr1\t5\t9.5", "'9.5'"),
        ("chr1\t5\t", "whole numbers"),
        ("chr1\t9\t5", "start 9 and end 5"),
        ("chr1\t5\t5", "start 5 and end 5"),
        ("chr1\t-1\t5", "start -1"),
        ("chr1\t1\t5\tn\t0\tx", "strand 'x'"),
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
