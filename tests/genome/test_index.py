"""The index of a FASTA file: one that does not fit the file never gives wrong bases. Compared with a plain parser."""

import logging
import multiprocessing
import os
import pickle
import tempfile
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
import pytest
from pyfaidx import Faidx

from zoo.errors import InputError
from zoo.genome import fai, index, scan
from zoo.genome.contigs import read_contig_lengths
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode

TEXT = ">a\nACGTA\nCGTAC\nGG\n>b some words\nTTTTT\nTTTTT\nTTCCC\nC\n>c\nGATTA\nCA\n"
RECORDS = {"a": "ACGTACGTACGG", "b": "TTTTTTTTTTTTCCCC", "c": "GATTACA"}
ROWS = "a\t12\t3\t5\t6\nb\t16\t32\t5\t6\nc\t7\t55\t5\t6\n"


def parse(content: bytes) -> dict[str, str]:
    """Records of a FASTA file, line by line: name -> upper-case letters."""
    records: dict[str, str] = {}
    name = ""
    for line in content.removeprefix(b"\xef\xbb\xbf").decode().split("\n"):
        line = line.rstrip("\r")
        if line.startswith(">"):
            name = line[1:].split()[0]
            records[name] = ""
        elif line:
            records[name] += line.upper()
    return records


def read(path: Path) -> dict[str, str]:
    genome = Genome(path)
    whole = {name: genome.sequence(Interval(name, 0, length)) for name, length in genome.contigs.items()}
    for number, sequence in enumerate(whole.values()):  # the other way of reading
        start = np.arange(len(sequence))
        assert genome.windows(np.full(len(start), number), start, 1).ravel().tolist() == [*map("ACGTN".index, sequence)]
    return whole


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files are large ones: a `.fai` that fits is used, and few of its lines are compared at the start."""
    make_large(monkeypatch)


def make_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in (
        (index, "_READ_WHOLE", 0),
        (index, "_BYTES_PER_RECORD", 0),
        (fai, "_BLOCKS", 2),
        (fai, "_BLOCK_BYTES", 4),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.fixture(params=["small", "large"])
def size(request: pytest.FixtureRequest) -> str:
    if request.param == "large":
        request.getfixturevalue("large")
    return str(request.param)


def write(folder: Path, text: str | bytes, rows: str | None = None, age: float = 0) -> Path:
    """A FASTA and its index, which is so many seconds older."""
    path = folder / "genome.fa"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    if rows is not None:
        beside = folder / "genome.fa.fai"
        beside.write_text(rows)
        time = path.stat().st_mtime - age
        os.utime(beside, (time, time))
    return path


@pytest.mark.parametrize("width", [1, 4, 60])
@pytest.mark.parametrize("block", [3, 64, 1 << 22])
def test_the_index_is_that_of_pyfaidx(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch, width: int, block: int
) -> None:
    monkeypatch.setattr(scan, "_BLOCK_BYTES", block)
    rng = np.random.default_rng(width)
    sequences = ["".join(rng.choice(list("ACGTacgtN"), length)) for length in (60, 121, 7, 240)]
    lines = [
        f">{i} x\n" + "".join(f"{s[j : j + width]}\n" for j in range(0, len(s), width)) for i, s in enumerate(sequences)
    ]
    path = write(tmp_path, "".join(lines))
    Genome(path)
    Faidx(str(path), indexname=str(tmp_path / "other.fai"))
    assert (tmp_path / "genome.fa.fai").read_text() == (tmp_path / "other.fai").read_text()


WRONG = {
    "of another file": "a\t12\t3\t5\t6\nb\t10\t21\t5\t6\n",
    "an offset too early": ROWS.replace("\t32\t", "\t31\t"),
    "an offset too late": ROWS.replace("\t55\t", "\t57\t"),
    "a negative offset": ROWS.replace("\t3\t", "\t-3\t"),
    "an offset past the end": ROWS.replace("\t55\t", "\t5500000000000\t"),
    "an offset past 64 bits": ROWS.replace("\t55\t", f"\t{10**30}\t"),
    "a length too short": ROWS.replace("c\t7", "c\t6"),
    "a length of 0": ROWS.replace("c\t7", "c\t0"),
    "lines of no base": ROWS.replace("5\t6", "0\t0"),
    "lines of 4 bases": ROWS.replace("5\t6", "4\t5"),
    "lines without ends": ROWS.replace("5\t6", "5\t5"),
    "another name": ROWS.replace("b", "x"),
    "two names exchanged": ROWS.replace("a", "x").replace("b", "a").replace("x", "b"),
    "a name twice": ROWS + "a\t12\t3\t5\t6\n",
    "empty": "",
    "blank": "\n",
    "four columns": ROWS.replace("\t6\n", "\n"),
    "words": ROWS.replace("12", "twelve"),
    "not text": "\0\1\2",
}


@pytest.mark.parametrize("age", [-100, 100], ids=["newer", "older"])
@pytest.mark.parametrize("rows", WRONG.values(), ids=WRONG)
def test_a_wrong_index_is_replaced_and_that_is_said(
    tmp_path: Path, size: str, caplog: pytest.LogCaptureFixture, rows: str, age: float
) -> None:
    path = write(tmp_path, TEXT, rows, age)
    assert read(path) == RECORDS
    assert [record.message for record in caplog.records] == [f"{path}.fai did not fit {path} and was replaced"]
    assert Path(f"{path}.fai").read_text() == ROWS
    assert sorted(file.name for file in tmp_path.iterdir()) == ["genome.fa", "genome.fa.fai"]
    caplog.clear()
    assert read(path) == RECORDS
    assert not caplog.records


@pytest.mark.parametrize("age", [-100, 0, 100], ids=["newer", "as old", "older"])
def test_a_right_index_is_kept_without_a_word(
    tmp_path: Path, size: str, caplog: pytest.LogCaptureFixture, age: float
) -> None:
    path = write(tmp_path, TEXT, ROWS, age)
    inode = Path(f"{path}.fai").stat().st_ino
    assert read(path) == RECORDS
    assert (Path(f"{path}.fai").read_text(), Path(f"{path}.fai").stat().st_ino) == (ROWS, inode)
    assert not caplog.records


def test_a_large_file_is_not_read_whole_when_its_index_fits(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, TEXT)
    for _ in range(2):  # the first time, the index is written
        assert read(path) == RECORDS
        monkeypatch.setattr(index, "scan_fasta", None)
    os.utime(path, (1, 1))
    monkeypatch.undo()
    make_large(monkeypatch)
    os.utime(path)  # newer than its index, as after `git clone`: read whole once, and not again
    assert read(path) == RECORDS
    monkeypatch.setattr(index, "scan_fasta", None)
    assert read(path) == RECORDS


def test_an_edit_that_moves_a_line_end_is_refused_by_its_line(tmp_path: Path, size: str) -> None:
    path = write(tmp_path, TEXT.replace("TTTTT\nTTTTT\n", "TTTTTTTT\nTT\n"), ROWS, age=-100)
    with pytest.raises(InputError, match=r"genome.fa, line 8: the lines of the record 'b' differ in length"):
        Genome(path)


@pytest.mark.parametrize("age", [-100, 100], ids=["newer", "older"])
def test_a_file_that_ends_within_a_record_is_refused(tmp_path: Path, size: str, age: float) -> None:
    whole = {"within the last record": TEXT[:-4], "within the one before": TEXT[:45]}
    for text, missing in zip(whole.values(), (3, 18), strict=True):
        path = write(tmp_path, text, ROWS, age)
        with pytest.raises(
            InputError, match=rf"genome.fa ends within a record, {missing} bytes before .*fetch it again"
        ):
            Genome(path)
        assert Path(f"{path}.fai").read_text() == ROWS


def test_an_index_of_some_records_is_left_as_it_is(tmp_path: Path, size: str, caplog: pytest.LogCaptureFixture) -> None:
    some = "c\t7\t55\t5\t6\na\t12\t3\t5\t6\n"
    path = write(tmp_path, TEXT, some, age=-100)
    assert read(path) == RECORDS
    assert [record.message for record in caplog.records] == [
        f"{path}.fai lists 2 of the 3 records of {path}; all are read"
    ]
    assert Path(f"{path}.fai").read_text() == some


def test_a_wrong_index_in_a_folder_that_cannot_be_written_is_not_used(
    tmp_path: Path, size: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    path = write(tmp_path, TEXT, WRONG["lines of 4 bases"], age=-100)

    def refuse() -> NoReturn:
        raise PermissionError(13, "Permission denied")

    unnamed, opened = tempfile.TemporaryFile, Path.open

    def open_elsewhere(path: Path, mode: str = "r", **options: Any) -> IO[Any]:
        return refuse() if "w" in mode and path.parent == tmp_path else opened(path, mode, **options)

    monkeypatch.setattr(
        tempfile, "TemporaryFile", lambda *a, dir=None, **k: unnamed(*a, dir=dir, **k) if dir != tmp_path else refuse()
    )
    monkeypatch.setattr(Path, "open", open_elsewhere)
    assert read(path) == RECORDS
    warning = f"{path}.fai does not fit {path}: it is not used, and could not be replaced"
    assert [record.message for record in caplog.records] == [warning]
    if size == "large":  # the cache holds the right one
        monkeypatch.setattr(index, "scan_fasta", None)
        assert read(path) == RECORDS


def test_a_damaged_index_in_a_cache_that_cannot_be_written_is_not_used(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(index, "_can_write", lambda _: False)
    path = write(tmp_path, TEXT)
    assert read(path) == RECORDS
    (kept,) = (tmp_path / "cache" / "fasta_index").glob("*.fai")
    kept.write_text(WRONG["lines of 4 bases"])

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise OSError(30, "Read-only file system")

    Path(f"{path}.fai").unlink(missing_ok=True)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        assert read(path) == RECORDS
    assert kept.read_text() == WRONG["lines of 4 bases"]
    Path(f"{path}.fai").unlink(missing_ok=True)
    for _ in range(2):  # removed, then made anew
        assert read(path) == RECORDS
        Path(f"{path}.fai").unlink(missing_ok=True)
    assert kept.read_text() != WRONG["lines of 4 bases"]


def corrupt(rng: np.random.Generator, content: bytes) -> bytes:
    """Exchange, insert, replace, remove or cut off some bytes."""
    some = bytearray(content)
    for _ in range(rng.integers(1, 3)):
        first, second = (int(i) for i in rng.integers(len(some), size=2))
        letter = int(rng.choice(list(b"ACGT>\n\r\t0127")))
        match rng.integers(5):
            case 0:
                some[first], some[second] = some[second], some[first]
            case 1:
                some.insert(first, letter)
            case 2:
                some[first] = letter
            case 3:
                del some[first]
            case 4:
                del some[first + 1 :]
    return bytes(some)


def made(rng: np.random.Generator) -> bytes:
    """A FASTA of some records, with lines of one length, LF or CRLF, blank lines, lower case, N."""
    end, width = str(rng.choice(["\n", "\r\n"])), int(rng.choice([1, 5, 9, 200]))
    text = ""
    for record in range(rng.integers(1, 5)):
        sequence = "".join(rng.choice(list("ACGTNacgtn"), rng.integers(1, 90)))
        lines = [sequence[i : i + width] + end for i in range(0, len(sequence), width)]
        text += f">c{record}{rng.choice(['', ' some words'])}{end}{''.join(lines)}{end * int(rng.integers(2))}"
    return (text.rstrip("\r\n") if rng.random() < 0.2 else text).encode()


@pytest.mark.parametrize("seed", range(6))
def test_a_file_and_an_index_of_any_content_give_the_right_bases_or_a_sentence(
    tmp_path: Path, size: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    logging.getLogger("zoo").setLevel(logging.ERROR)
    monkeypatch.setattr(fai, "_BLOCKS", 16)  # all of a small file
    rng = np.random.default_rng(seed)
    path, beside = tmp_path / "genome.fa", tmp_path / "genome.fa.fai"
    refused = 0
    for step in range(25):
        content = made(rng)
        path.write_bytes(content)
        fai.write_fai(beside, scan.scan_fasta(path, np.frombuffer(content, np.uint8)))
        assert read(path) == parse(content)
        if step % 3 == 0:
            beside.write_bytes(corrupt(rng, beside.read_bytes()))
        else:
            content = corrupt(rng, content) if step % 3 == 1 else made(rng)
            path.write_bytes(content)
        time = path.stat().st_mtime + int(rng.choice([-100, 100]))
        os.utime(beside, (time, time))
        try:
            assert read(path) == {name: sequence.translate(UNKNOWN) for name, sequence in parse(content).items()}
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert 0 < refused < 20
    logging.getLogger("zoo").setLevel(logging.NOTSET)


UNKNOWN = str.maketrans("U", "T")


def long_lines(rng: np.random.Generator, end: str) -> bytes:
    """A FASTA of three records of many lines."""
    width, text = int(rng.choice([3, 10, 25, 400])), ""
    for record in range(3):
        sequence = "".join(rng.choice(list("ACGT"), rng.integers(300, 900)))
        lines = [sequence[i : i + width] + end for i in range(0, len(sequence), width)]
        text += f">c{record}{end}{''.join(lines)}"
    return text.encode()


def move(rng: np.random.Generator, content: bytes, part: bytes) -> bytes:
    """Take one part out of a file, and put it in at another place."""
    places = [i for i in range(len(content)) if content.startswith(part, i)]
    at, to = int(rng.choice(places)), int(rng.integers(len(content)))
    rest = content[:at] + content[at + len(part) :]
    return rest[:to] + part + rest[to:]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("seed", range(3))
def test_windows_of_a_file_whose_lines_were_moved_are_right_or_refused(
    tmp_path: Path, large: None, caplog: pytest.LogCaptureFixture, seed: int, end: str
) -> None:
    rng = np.random.default_rng([seed, len(end)])
    path, beside = tmp_path / "genome.fa", tmp_path / "genome.fa.fai"
    right = refused = 0
    for step in range(30):
        content = long_lines(rng, end)
        path.write_bytes(content)
        fai.write_fai(beside, scan.scan_fasta(path, np.frombuffer(content, np.uint8)))
        path.write_bytes(move(rng, content, end.encode() if step % 3 else b"ACG"[step % 2 : step % 2 + 1]))
        time = path.stat().st_mtime + 100
        os.utime(beside, (time, time))
        expected = parse(path.read_bytes())
        try:
            genome = Genome(path)
        except InputError:
            continue  # the edit is between two records, or in a sample
        if list(expected) != ["c0", "c1", "c2"]:
            assert list(genome.contigs) == list(expected)
            continue
        for length in (1, 4, 30, 120):
            number, start = rng.integers(3, size=20), rng.integers(-5, 300, 20)
            inside = np.clip(start, 0, 300 - length)
            for first, at_once in ((start, slice(0, 1)), (inside, slice(0, 1)), (inside, slice(None))):
                sequences = [f"{'N' * 5}{expected[f'c{n}']}{'N' * 900}" for n in number[at_once]]
                wanted = [s[i + 5 : i + 5 + length] for s, i in zip(sequences, first[at_once].tolist(), strict=True)]
                try:
                    codes = genome.windows(number[at_once], first[at_once], length)
                    assert [*map(decode, codes)] == wanted
                    right += 1
                except InputError as error:
                    refused += 1
                    assert f"remove {path}.fai, and the index is made anew" in str(error)
                try:
                    interval = Interval(f"c{number[0]}", int(first[0]), int(first[0]) + length)
                    assert genome.sequence(interval) == wanted[0]
                    right += 1
                except InputError as error:
                    refused += 1
                    assert f"remove {path}.fai, and the index is made anew" in str(error)
    assert min(right, refused) > 5


def test_a_line_end_that_was_moved_is_refused_where_it_is_read_and_not_elsewhere(tmp_path: Path, large: None) -> None:
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(list("ACGT"), 60)) for _ in range(5_000)]
    path = write(tmp_path, ">a\n" + "\n".join(lines) + "\n")
    Genome(path)  # writes the index
    lines[1_000:1_002] = [lines[1_000] + lines[1_001]]
    lines[1_999:2_000] = [lines[1_999][:30], lines[1_999][30:]]
    path.write_text(">a\n" + "\n".join(lines) + "\n")
    os.utime(path, (1, 1))
    genome, sequence = Genome(path), "".join(lines)
    for start in (0, 59_990, 120_060, 299_900):  # outside of the lines that were moved
        assert genome.sequence(Interval("a", start, start + 10)) == sequence[start : start + 10]
        codes = genome.windows(np.array([0]), np.array([start]), 10)
        assert decode(codes[0]) == sequence[start : start + 10]
    for start, base in ((60_055, 60_061), (60_070, 60_061), (90_000, 90_001), (120_015, 120_001), (60_000, 60_061)):
        length = 200 if start == 60_000 else 10
        message = rf"genome.fa: near a:{base:,} a line does not end where .* index says, .*; remove .*\.fai, and"
        with pytest.raises(InputError, match=message):
            genome.sequence(Interval("a", start, start + length))
        with pytest.raises(InputError, match=message):
            genome.windows(np.array([0, 0]), np.array([0, start]), length)
        with pytest.raises(InputError, match=message):
            genome.windows(np.array([0, 0]), np.array([-1, start]), length)
    Path(f"{path}.fai").unlink()
    with pytest.raises(InputError, match=r"genome.fa, line 1002: the lines of the record 'a' differ in length"):
        Genome(path)


def test_contig_lengths_of_an_index_that_does_not_fit_are_refused(tmp_path: Path, size: str) -> None:
    write(tmp_path, TEXT, ROWS)
    assert read_contig_lengths(tmp_path / "genome.fa.fai") == {name: len(s) for name, s in RECORDS.items()}
    write(tmp_path, TEXT, ROWS.replace("12", "13"))
    with pytest.raises(InputError, match=r"genome.fa.fai does not fit .*genome.fa: build it anew, e.g. with `samtools"):
        read_contig_lengths(tmp_path / "genome.fa.fai")
    (tmp_path / "genome.fa").unlink()
    assert read_contig_lengths(tmp_path / "genome.fa.fai")["a"] == 13


def test_a_file_that_changes_between_processes_is_refused(tmp_path: Path, size: str) -> None:
    path = write(tmp_path, TEXT, ROWS)
    genome = pickle.dumps(Genome(path))
    os.utime(path, (1, 1))
    assert pickle.loads(genome).sequence(Interval("c", 0, 7)) == RECORDS["c"]
    path.write_text(TEXT.lower())
    assert pickle.loads(genome).sequence(Interval("c", 0, 7)) == RECORDS["c"]
    path.write_text(TEXT.replace("GATTA\n", "GA\n").replace("\nCA", "\nTTACA"))
    with pytest.raises(InputError):  # as its lines, or its contigs, are others
        pickle.loads(genome).sequence(Interval("c", 0, 7))
    path.write_text(TEXT.replace("CGTAC\nGG\n", "CGTAC\nG\n"))
    with pytest.raises(InputError, match=r"genome.fa was changed while it was in use: start again"):
        pickle.loads(genome).sequence(Interval("c", 0, 7))


def read_at_once(path: Path, start: Any, results: Any) -> None:
    start.wait(60)
    index._READ_WHOLE = index._BYTES_PER_RECORD = 0
    results.put(read(path))


@pytest.mark.slow
def test_processes_that_replace_an_index_at_once_read_the_same(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for _ in range(5):
        path = write(tmp_path, TEXT, WRONG["lines of 4 bases"], age=-100)
        start, results = context.Barrier(4), context.Queue()
        processes = [context.Process(target=read_at_once, args=(path, start, results)) for _ in range(4)]
        for process in processes:
            process.start()
        assert [results.get(timeout=60) for _ in processes] == [RECORDS] * 4
        for process in processes:
            process.join(60)
        assert Path(f"{path}.fai").read_text() == ROWS
        assert sorted(file.name for file in tmp_path.iterdir()) == ["genome.fa", "genome.fa.fai"]
