"""Genomes: slices of a FASTA file, padding, strands, contig names, worker processes, and files that are refused."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from zoo.errors import InputError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode, encode

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def random_contigs() -> dict[str, str]:
    rng = np.random.default_rng(7)
    lengths = {"chr1": 421, "chr2": 60, "chrM": 7, "chrX": 1}
    return {name: "".join(rng.choice(list("ACGTN"), length)) for name, length in lengths.items()}


CONTIGS = random_contigs()


def write_fasta(
    folder: Path, contigs: dict[str, str] = CONTIGS, width: int = 60, end: str = "\n", last: bool = True
) -> Path:
    lines = []
    for name, sequence in contigs.items():
        lines += [f">{name} some words", *(sequence[i : i + width] for i in range(0, len(sequence), width))]
    path = folder / "genome.fa"
    path.write_bytes((end.join(lines) + end * last).encode())
    return path


def expected_bases(chrom: str, start: int, end: int, strand: str = ".") -> str:
    letters = [CONTIGS[chrom][i] if 0 <= i < len(CONTIGS[chrom]) else "N" for i in range(start, end)]
    return "".join(reversed(letters)).translate(COMPLEMENT) if strand == "-" else "".join(letters)


@pytest.mark.parametrize("last", [True, False], ids=["line end", "no line end"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("width", [1, 7, 60, 1000])
def test_every_read_is_a_slice_of_what_was_written(tmp_path: Path, width: int, end: str, last: bool) -> None:
    genome = Genome(write_fasta(tmp_path, width=width, end=end, last=last))
    rng = np.random.default_rng(width)
    for chrom, sequence in CONTIGS.items():
        assert genome.sequence(Interval(chrom, 0, len(sequence))) == sequence
        for _ in range(60):
            start, stop = sorted(rng.choice(np.arange(-20, len(sequence) + 21), 2, replace=False).tolist())
            for strand in "+-.":
                bases = genome.sequence(Interval(chrom, start, stop, strand=strand))
                assert bases == expected_bases(chrom, start, stop, strand)


def test_contigs_are_listed_with_their_lengths_in_the_order_of_the_file(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path))
    assert list(genome.contigs.items()) == [("chr1", 421), ("chr2", 60), ("chrM", 7), ("chrX", 1)]


@pytest.mark.parametrize(("start", "end"), [(-30, -10), (421, 430), (500, 510)])
def test_a_read_beyond_a_contig_is_all_n(tmp_path: Path, start: int, end: int) -> None:
    genome = Genome(write_fasta(tmp_path))
    assert genome.sequence(Interval("chr1", start, end)) == "N" * (end - start)


def test_neighbouring_contigs_do_not_leak_into_the_padding(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path, {"a": "AAAA", "b": "CCCC", "c": "GGGG"}))
    assert genome.sequence(Interval("b", -3, 7)) == "NNNCCCCNNN"
    assert genome.sequence(Interval("b", -3, 5, strand="-")) == "NGGGGNNN"


def test_lower_case_and_iupac_letters_are_read(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path, {"a": "acgtRyNuAC"}))
    assert genome.sequence(Interval("a", 0, 10)) == "ACGTNNNTAC"


def test_codes_are_those_of_the_letters(tmp_path: Path) -> None:
    codes = Genome(write_fasta(tmp_path)).codes(Interval("chr1", 5, 50))
    assert codes.tolist() == encode(CONTIGS["chr1"][5:50]).tolist()
    assert codes.dtype == np.uint8


@pytest.mark.parametrize("warm", [True, False])
def test_a_pickled_genome_reads_the_same(tmp_path: Path, warm: bool) -> None:
    genome = Genome(write_fasta(tmp_path, width=7))
    if warm:
        genome.codes(Interval("chr1", 0, 10))
    packed = pickle.dumps(genome)
    unpickled = pickle.loads(packed)
    assert unpickled.sequence(Interval("chr1", 3, 99)) == CONTIGS["chr1"][3:99]
    assert unpickled.contigs == genome.contigs


def test_a_pickled_genome_does_not_hold_the_sequence(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path, {"a": "ACGT" * 25_000}))
    genome.codes(Interval("a", 0, 10))
    assert len(pickle.dumps(genome)) < 10_000


def read_in_worker(genome: Genome, interval: Interval, queue: multiprocessing.Queue[str]) -> None:
    queue.put(decode(genome.codes(interval)))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_process_reads_the_same(tmp_path: Path, method: str) -> None:
    genome = Genome(write_fasta(tmp_path, width=7))
    genome.codes(Interval("chr1", 0, 10))
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=read_in_worker, args=(genome, Interval("chr1", 11, 77, strand="-"), queue))  # type: ignore[attr-defined]
    process.start()
    assert queue.get(timeout=60) == expected_bases("chr1", 11, 77, "-")
    process.join(60)


@pytest.mark.parametrize("name", ["chr2", "2"])
def test_names_of_another_convention_are_read(tmp_path: Path, name: str) -> None:
    genome = Genome(write_fasta(tmp_path))
    assert genome.sequence(Interval(name, 10, 30)) == CONTIGS["chr2"][10:30]
    assert genome.sequence(Interval("MT", 0, 7)) == CONTIGS["chrM"]


def test_roman_numerals_are_matched(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path, {"I": "AAAA", "II": "CCCC", "X": "GGGG"}))
    read = {name: genome.sequence(Interval(name, 0, 4)) for name in ("chr1", "chrI", "2", "10", "chrX")}
    assert read == {"chr1": "AAAA", "chrI": "AAAA", "2": "CCCC", "10": "GGGG", "chrX": "GGGG"}


def test_contig_gives_the_name_that_the_genome_uses(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path))
    assert [genome.contig(name) for name in ("1", "chr2", "MT", "1")] == ["chr1", "chr2", "chrM", "chr1"]


def test_an_unknown_contig_is_refused_naming_the_known_ones(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path))
    for refuse in (genome.codes, genome.check):
        with pytest.raises(InputError, match=r"'chr9'.*chr1, chr2, chrM, chrX"):
            refuse(Interval("chr9", 0, 5))


def test_an_interval_that_just_fits_passes(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path))
    genome.check(Interval("chr1", 0, 421))
    genome.check(Interval("chr1", 420, 421))


def test_an_interval_past_its_contig_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"1:400-422 reaches past the end of 1, which has 421 bases"):
        Genome(write_fasta(tmp_path)).check(Interval("1", 400, 422))


def test_an_interval_that_begins_before_its_contig_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="chr1:-5-20"):
        Genome(write_fasta(tmp_path)).check(Interval("chr1", -5, 20))


def test_a_compressed_fasta_is_refused_and_the_message_says_what_to_do(tmp_path: Path) -> None:
    path = write_fasta(tmp_path)
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(InputError, match=r"genome.fa is compressed.*gunzip"):
        Genome(path)


IRREGULAR = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n", "does not begin with '>'"),
    "no header": (b"ACGT\n", "does not begin with '>'"),
    "a web page": (b"<!DOCTYPE html>\n<html>", "does not begin with '>', but as a web page"),
    "UTF-16": (">a\nACGT\n".encode("utf-16"), "but with UTF-16 text"),
    "sequence first": (b"\nACGT\n>a\nACGT\n", "does not begin with '>'"),
    "ragged lines": (b">b\nACGT\n>a\nACGT\nAC\nACGT\n", "line 6: the lines of the record 'a' differ in length"),
    "a longer last line": (b">a\nACGT\nACGTA\n", "line 3: the lines of the record 'a' differ in length"),
    "two short lines": (b">a\nACGT\nAC\nAC\n", "line 4: the lines of the record 'a' differ in length"),
    "a blank line within": (b">a\nACGT\n\nACGT\n", "line 4: the lines of the record 'a' differ in length"),
    "a blank line first": (b">a\n\nACGT\n", "line 3: the lines of the record 'a' differ in length"),
    "mixed line ends": (b">a\r\nACGT\r\nACGT\nACGT\r\n", "line 4: the lines of the record 'a' differ in length"),
    "one name twice": (b">a\nACGT\n>b\nA\n>a c\nCCCC\n", "line 5: another record is called 'a' too"),
    "no name": (b">\nACGT\n", "line 1: a header without a name"),
    "a name that is no text": (b">a\xff\nACGT\n", "line 1: the name in the header is not UTF-8 text"),
    "an empty record": (b">a\nACGT\n>b\n>c\nACGT\n", "line 3: the record 'b' has no sequence"),
    "an empty last record": (b">a\nACGT\n>b", "line 3: the record 'b' has no sequence"),
    "carriage returns": (
        b">a\rACGT\r>b\rACGT\r",
        "line 1: the record 'a' has no sequence: lines must end with a line feed",
    ),
    "no line break": (
        b">a " + b"ACGT" * 300,
        "has no sequence but a header of 1,202 letters: its line break",
    ),
    "no line break in the name": (
        b">chr1" + b"ACGT" * 300_000 + b"\nACGT\n",
        "(1,200,004 letters) is too long: the line break after it may be lost",
    ),
}


@pytest.mark.parametrize(("content", "message"), IRREGULAR.values(), ids=IRREGULAR)
def test_an_irregular_fasta_is_refused_with_its_name_and_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "genome.fa"
    path.write_bytes(content)
    with pytest.raises(InputError) as refusal:
        Genome(path)
    assert str(refusal.value).startswith(str(path))
    assert message in str(refusal.value)
    assert len(str(refusal.value)) < 500
    assert [file.name for file in tmp_path.iterdir()] == ["genome.fa"]


def test_blank_lines_and_a_byte_order_mark_are_no_sequence(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_bytes(b"\xef\xbb\xbf\n>a\tx\nACG\nTA\n\n\n>b\nGGG\nC\n\r\n\n")
    genome = Genome(path)
    assert [genome.sequence(Interval(name, 0, length)) for name, length in genome.contigs.items()] == ["ACGTA", "GGGC"]


def test_a_folder_is_refused_as_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path} is a folder, not a file"):
        Genome(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.fa: no such file"):
        Genome(tmp_path / "none.fa")


def test_an_invalid_letter_is_refused_with_contig_and_position(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path, {"a": "ACGTACGT!CGT", "b": "ACGT" * 5 + "L" + "ACGT" * 5}, width=7))
    assert genome.sequence(Interval("a", 0, 8)) == "ACGTACGT"
    for interval in (Interval("a", 6, 10), Interval("a", -3, 12, strand="-")):
        with pytest.raises(InputError, match=r"genome.fa: the letter '!' at a:9 is neither DNA nor RNA$"):
            genome.codes(interval)
    for start, length in ((20, 3), (12, 50)):  # windows of whole lines, and windows past the end of a contig
        with pytest.raises(InputError, match=r"genome.fa: the letter 'L' at b:21 .* protein"):
            genome.windows(np.array([1, 1]), np.array([0, start]), length)
    with pytest.raises(InputError, match=r"'!' at a:9 "):
        genome.windows(np.array([1, 0]), np.array([-2, -2]), 20)


def test_windows_of_one_base_per_line_are_read(tmp_path: Path) -> None:
    genome = Genome(write_fasta(tmp_path, width=1))
    assert decode(genome.windows(np.array([0]), np.array([5]), 11)[0]) == CONTIGS["chr1"][5:16]


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    try:
        yield folder
    finally:
        os.seteuid(user)
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_genome_in_a_read_only_folder_is_indexed_in_memory(read_only_folder: Path) -> None:
    path = write_fasta(read_only_folder)
    path.chmod(0o444)
    read_only_folder.chmod(0o555)
    if os.geteuid() == 0:  # root may write everywhere: take the rights of another user
        os.seteuid(65534)
    genome = Genome(path)
    assert genome.sequence(Interval("chr1", 3, 99)) == CONTIGS["chr1"][3:99]
    assert [file.name for file in read_only_folder.iterdir()] == ["genome.fa"]
