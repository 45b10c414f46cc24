from __future__ import annotations

import gzip
import io
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from zoo.errors import InputError
from zoo.formats import _sequence_blocks
from zoo.formats import sequences as readers
from zoo.formats.sequences import SequenceFile, ambiguity_notes, read_sequences, stack_codes
from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode, encode
from zoo.utils.streams import Limits

FASTA = ">one first words\nACGT\nAC\n>two\r\nacgtn\r\n\r\nGG\r\n>three\tx\nT T G\nUu"
FASTA_RECORDS = [("one", "ACGTAC"), ("two", "ACGTNGG"), ("three", "TTGTT")]
LINES = "ACGTAC\r\n\n acgtn \nUUG\n"
LINES_RECORDS = [("sequence_1", "ACGTAC"), ("sequence_2", "ACGTN"), ("sequence_3", "TTG")]
TSV = "name\tsequence\tlabel\na\tACGT\t1\nb\tgguu\t0\n"
TSV_RECORDS = [("a", "ACGT"), ("b", "GGTT")]


def write(folder: Path, content: str | bytes, name: str = "data.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def records(path: str | Path) -> list[tuple[str, str]]:
    names, codes = read_sequences(path)
    return list(zip(names, map(decode, codes), strict=True))


def blocks(path: Path) -> list[tuple[str, str]]:
    file = SequenceFile(str(path))
    found: list[tuple[str, str]] = []
    for block in file:
        assert block.first == len(found) + 1
        found += list(zip(block.names, map(decode, file.codes(block)), strict=True))
    return found


FORMATS = pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FASTA, FASTA_RECORDS),
        (LINES, LINES_RECORDS),
        (TSV, TSV_RECORDS),
        (TSV.replace("\t", ","), TSV_RECORDS),
        (TSV.replace("\n", "\r\n"), TSV_RECORDS),
        ("label,Sequence\n1,ACGT\n0,GG\n", [("sequence_1", "ACGT"), ("sequence_2", "GG")]),
        ("EventID\tseq\tBound\nx\tACGT\t1\n", [("x", "ACGT")]),
        ('id,note,seq\nx,"a, b\nand ""c""",ACGT\n', [("x", "ACGT")]),
        ("ACGT", [("sequence_1", "ACGT")]),
    ],
    ids=["fasta", "lines", "tsv", "csv", "tsv CRLF", "no names", "DeepBind", "quoted", "one line"],
)


@FORMATS
def test_each_format_is_told_by_what_the_file_holds(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert records(write(tmp_path, text)) == expected


@FORMATS
def test_a_gzip_file_reads_the_same(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert records(write(tmp_path, gzip.compress(text.encode()))) == expected
    half = len(text) // 2
    parts = gzip.compress(text[:half].encode()) + gzip.compress(text[half:].encode())
    assert records(write(tmp_path, parts)) == expected


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@FORMATS
def test_standard_input_reads_the_same_and_stays_open(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: list[tuple[str, str]], zipped: bool
) -> None:
    content = gzip.compress(text.encode()) if zipped else text.encode()
    stream = io.BufferedReader(io.BytesIO(content))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    assert records("-") == expected
    assert not stream.closed


@pytest.mark.parametrize("block", [*range(1, 30), 64, 100])
@pytest.mark.parametrize(("text", "expected"), [(FASTA, FASTA_RECORDS), (LINES, LINES_RECORDS)], ids=["fasta", "lines"])
def test_the_place_where_a_block_ends_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: list[tuple[str, str]], block: int
) -> None:
    monkeypatch.setattr(readers, "_BLOCK_BYTES", block)
    assert blocks(write(tmp_path, text)) == expected


def test_many_records_in_many_blocks_are_those_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    expected = [(f"r{i}", "".join(rng.choice(list("ACGTN"), rng.integers(1, 90)))) for i in range(200)]
    wrapped = [f">{name}\n" + "\n".join(s[i : i + 17] for i in range(0, len(s), 17)) + "\n" for name, s in expected]
    path = write(tmp_path, "".join(wrapped))
    assert blocks(path) == expected
    for block in (13, 257, 4096):
        monkeypatch.setattr(readers, "_BLOCK_BYTES", block)
        assert blocks(path) == expected


@pytest.mark.parametrize("at_once", [1, 2, 3, 7])
def test_a_table_in_blocks_keeps_names_numbers_and_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(readers, "_ROWS_AT_ONCE", at_once)
    path = write(tmp_path, "seq\tx\n" + "".join(f"{'ACGT' * i}\t{i}\n" for i in range(1, 7)))
    assert blocks(path) == [(f"sequence_{i}", "ACGT" * i) for i in range(1, 7)]
    assert [row["x"] for block in SequenceFile(str(path)) for row in block.rows] == list("123456")


def test_the_sequence_column_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "sequence\tDNA\nACGT\tGGTT\n")
    file = SequenceFile(str(path), "DNA")
    assert [decode(codes) for block in file for codes in file.codes(block)] == ["GGTT"]


def test_a_named_column_makes_a_table_of_a_single_column(tmp_path: Path) -> None:
    file = SequenceFile(str(write(tmp_path, "dna\nACGT\nGG\n")), "dna")
    assert [decode(codes) for block in file for codes in file.codes(block)] == ["ACGT", "GG"]


@pytest.mark.parametrize("length", [131_072, 140_000, 1_048_576])
def test_a_table_holds_sequences_as_long_as_the_longest_models_read(tmp_path: Path, length: int) -> None:
    sequence = "ACGT" * (length // 4)
    assert records(write(tmp_path, f"name\tsequence\na\t{sequence}\n")) == [("a", sequence)]


def test_ambiguous_letters_are_read_as_n_and_told_once(tmp_path: Path) -> None:
    path = write(tmp_path, ">a\nACRN\n>b\nyySwACGTU\n")
    file = SequenceFile(str(path))
    assert [decode(codes) for block in file for codes in file.codes(block)] == ["ACNN", "NNNNACGTT"]
    note = f"{path}: 5 IUPAC letters other than A, C, G, T, U and N were read as N"
    assert ambiguity_notes(file.shown, file.ambiguous) == [note]


def test_ambiguous_letters_are_counted_once_whatever_the_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "_BLOCK_BYTES", 5)
    file = SequenceFile(str(write(tmp_path, ">a\nACRN\n>b\nyySwACGTU\n")))
    for block in file:
        file.codes(block)
    assert file.ambiguous == 5


def test_nothing_is_told_where_no_letter_is_ambiguous(tmp_path: Path) -> None:
    file = SequenceFile(str(write(tmp_path, FASTA)))
    for block in file:
        file.codes(block)
    assert ambiguity_notes(file.shown, file.ambiguous) == []


@pytest.mark.parametrize(
    ("text", "record"),
    [
        (">dna\nACGT\n>protein here\nACGT\nMKVLAA\n", "protein"),
        ("ACGT\nACGTMKVLAA\n", "sequence_2"),
        ("id\tseq\na\tACGT\nb\tACGTMKVLAA\n", "b"),
    ],
    ids=["fasta", "lines", "table"],
)
def test_a_protein_is_refused_naming_record_letter_and_place(tmp_path: Path, text: str, record: str) -> None:
    # M, K and V are IUPAC letters; L is the first that is not.
    with pytest.raises(InputError, match=rf"data.txt, record '{record}': the letter 'L' at position 8 .*protein"):
        records(write(tmp_path, text))


@pytest.mark.parametrize(
    "text", ["", "\n", "\n\n  \n", "name\tsequence\n", "sequence,label\n"], ids=lambda text: repr(text)
)
def test_a_file_without_a_sequence_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"data.txt: no sequence in it"):
        records(write(tmp_path, text))


@pytest.mark.parametrize("block", [2, 100])
def test_blank_lines_make_no_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(readers, "_BLOCK_BYTES", block)
    assert blocks(write(tmp_path, "\n\n\n\nACGT\n\n\n\n\n\nGG\n\n\n")) == [("sequence_1", "ACGT"), ("sequence_2", "GG")]


def test_no_records_have_no_codes(tmp_path: Path) -> None:
    assert SequenceFile(str(tmp_path)).codes(readers.Records([], [], [], 1)) == []


@pytest.mark.parametrize("text", [">a\n>b\nACGT\n", ">b\nACGT\n>a\n", ">a"], ids=["first", "last", "only"])
def test_a_record_without_a_sequence_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"data.txt: the record 'a' has no sequence"):
        records(write(tmp_path, text))


def test_an_empty_cell_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the record 'b' has no sequence"):
        records(write(tmp_path, "id\tseq\na\tACGT\nb\t\n"))


@pytest.mark.parametrize("kept", [12, 60, -30, -4])
def test_a_gzip_file_that_was_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    rng = np.random.default_rng(0)
    text = "".join(f">r{i}\n{''.join(rng.choice(list('ACGT'), 60))}\n" for i in range(50))
    with pytest.raises(InputError, match=r"data.txt"):
        records(write(tmp_path, gzip.compress(text.encode())[:kept]))


@pytest.mark.parametrize("kind", ["first block", "second block", "checksum"])
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, kind: str) -> None:
    # Stored, not deflated: 10 bytes of header, then blocks of a type byte, the length, its inverse and the bytes.
    whole = bytearray(gzip.compress(b"ACGT\n" * 60_000, compresslevel=0))
    second = 15 + int.from_bytes(whole[11:13], "little")
    whole[{"first block": 11, "second block": second + 1, "checksum": len(whole) - 8}[kind]] ^= 0xFF
    with pytest.raises(InputError, match=r"data.txt"):
        records(write(tmp_path, bytes(whole)))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.fa: no such file"):
        records(tmp_path / "none.fa")


def test_a_table_without_a_sequence_column_is_refused_naming_its_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "name\tdna\tlabel\na\tACGT\t1\n")
    with pytest.raises(InputError, match=r"no column 'sequence' or 'seq'; its first line has name, dna, label"):
        records(path)
    with pytest.raises(InputError, match=r"no column 'promoter'; its first line has name, dna, label"):
        list(SequenceFile(str(path), "promoter"))


@pytest.mark.parametrize("row", ["b", "b\tACGT", "b\tACGT\t1\t2"])
def test_a_row_of_other_length_is_named_by_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(InputError, match=r"data.txt, line 4: 3 cells were expected"):
        records(write(tmp_path, f"id\tseq\tx\na\tACGT\t1\n\n{row}\nc\tACGT\t1\n"))


def test_a_table_in_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data.txt cannot be read as a table"):
        records(write(tmp_path, "id\tseq\nä\tACGT\n".encode("latin-1")))


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    # Excel's "CSV UTF-8" begins with a byte order mark.
    assert records(write(tmp_path, "\ufeffsequence,label\nACGT,1\n")) == [("sequence_1", "ACGT")]


def test_sequences_of_one_length_are_stacked() -> None:
    assert stack_codes([encode("ACG"), encode("TTN")], ["a", "b"], ["x", "x"]).tolist() == [[0, 1, 2], [3, 3, 4]]


def test_unequal_lengths_are_refused_with_the_commonest_and_what_to_do() -> None:
    codes = [encode(text) for text in ("ACGTA", "TTN", "ACG", "ACGT")]
    with pytest.raises(InputError) as error:
        stack_codes(codes[1:], list("bcd"), ["f.fa", "f.fa", "g.fa"])
    assert str(error.value) == (
        "g.fa: sequences of one length are needed: 2 of 3 have 3 bases, but 'd' has 4 (from 3 to 4); "
        "--data.resize 3 (or 4, the longest) cuts or pads all around their centres"
    )
    with pytest.raises(InputError, match=r"\(from 3 to 4\); --resize cuts or pads all around their centres"):
        stack_codes(codes[1:], list("bcd"), ["f.fa"] * 3, "--resize")
    with pytest.raises(InputError, match=r"f.fa: .* 2 of 4 have 3 bases, but 'a' has 5 \(from 3 to 5\)"):
        stack_codes(codes, list("abcd"), ["f.fa"] * 4)


# Words for a missing value, and headers, that would be read as bases; what is no sequence at all.


@pytest.mark.parametrize(
    "cell",
    [
        "NA",
        "na",
        "NaN",
        "nan",
        "NAN",
        "None",
        "null",
        "N/A",
        "<NA>",
        "-",
        ".",
        "ND",
        "nd",
        "unk",
        "UNK",
        "n/a",
        "n.d.",
        "TBD",
    ],
)
@pytest.mark.parametrize(
    "text",
    ["id\tsequence\na\tACGT\nb\t{}\nc\tNN\n", "seq,id\nACGT,a\n{},b\n", "\nACGT\n{}\n"],
    ids=["tsv", "csv", "lines"],
)
def test_a_missing_value_is_refused_with_line_and_record(tmp_path: Path, text: str, cell: str) -> None:
    name = "sequence_2" if text.startswith("\n") else "b"
    with pytest.raises(InputError, match=rf"data.txt, line 3: the record '{name}' has the missing value '{cell}'"):
        records(write(tmp_path, text.format(cell)))


def test_na_in_fasta_is_two_bases(tmp_path: Path) -> None:
    assert records(write(tmp_path, ">a\nNA\n>b\nnan\n")) == [("a", "NA"), ("b", "NAN")]


@pytest.mark.parametrize("columns", ["sequence\tseq", "Sequence\tSEQ", "seq\tx\tsequence"])
def test_two_columns_that_could_be_the_sequence_are_refused(tmp_path: Path, columns: str) -> None:
    path = write(tmp_path, f"{columns}\n" + "\t".join(["ACGT", "GG", "TT"][: columns.count("\t") + 1]) + "\n")
    with pytest.raises(InputError, match=r"could both be the sequence: choose one with --sequence-column"):
        records(path)
    chosen = SequenceFile(str(path), columns.split("\t")[0])
    assert next(iter(chosen)).sequences == [b"ACGT"]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two columns are called 'seq'"):
        records(write(tmp_path, "seq\tseq\nACGT\tGG\n"))


@pytest.mark.parametrize("word", ["sequence", "Seq", "SEQUENCE"])
def test_a_table_of_one_column_is_known_by_its_header(tmp_path: Path, word: str) -> None:
    assert records(write(tmp_path, f"{word}\r\nACGT\r\nGG\r\n")) == [("sequence_1", "ACGT"), ("sequence_2", "GG")]


@pytest.mark.parametrize("word", ["DNA", "rna", "cDNA", "sgRNA"])
def test_a_first_line_that_names_a_column_is_refused(tmp_path: Path, word: str) -> None:
    path = write(tmp_path, f"{word}\nACGT\n")
    with pytest.raises(InputError, match=f"its first line '{word}' looks like the name of a column"):
        records(path)
    assert next(iter(SequenceFile(str(path), word))).sequences == [b"ACGT"]


@pytest.mark.parametrize("word", ["tag", "CAT", "data", "CDS", "strand", "Strand", "guard", "DNAs", "standard"])
@pytest.mark.parametrize("others", [["ACGT" * 9] * 3, ["acgtn" * 20] * 2, [*["GGCAT" * 8] * 99, "GGCAU" * 8]])
def test_a_first_word_of_iupac_letters_among_sequences_is_refused(tmp_path: Path, word: str, others: list[str]) -> None:
    path = write(tmp_path, "\n".join([word, *others, ""]))
    message = f"data.txt: its first line '{word}' looks like the name of a column: say so with --sequence-column {word}"
    with pytest.raises(InputError, match=message):
        records(path)
    with pytest.raises(InputError, match=message):
        SequenceFile(str(path)).first()
    file = SequenceFile(str(path), word)
    assert [decode(codes) for block in file for codes in file.codes(block)] == [
        one.upper().replace("U", "T") for one in others
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["TAG", "ACGTACGTACGT"],  # two sequences
        ["TAG", "ACGTACGTACGT", "ACGTACGTACG"],  # of several lengths
        ["TAGACG", "ACGTACGTACGT", "ACGTACGTACGT"],  # not much shorter
        ["GGWCC", "ACGTACGTACGT", "ACGTRCGTACGT"],  # codes elsewhere too
        ["GGWCC", "ACGTACGTA"],
        ["ACGTACGTACGTRY", "ACGT" * 20],  # longer than a word
        ["strand"],
    ],
)
def test_a_short_first_sequence_is_read(tmp_path: Path, lines: list[str]) -> None:
    assert [len(text) for _, text in records(write(tmp_path, "\n".join(lines)))] == [*map(len, lines)]


@pytest.mark.parametrize("header", [">", "> ", ">\t", ">\r"])
@pytest.mark.parametrize("block", [4, 1 << 22])
def test_a_header_without_a_name_is_refused_as_in_a_genome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str, block: int
) -> None:
    monkeypatch.setattr(readers, "_BLOCK_BYTES", block)
    path = write(tmp_path, f">a\nACGT\n>b\nACGT\n{header}\nACGT\n>d\nACGT\n")
    with pytest.raises(InputError, match=r"data.txt, record 3: a header without a name: write one after its '>'"):
        records(path)
    with pytest.raises(InputError, match=r"data.txt, line 5: a header without a name: write one after its '>'"):
        Genome(path)


def test_another_header_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"record 'sequence_1': the letter 'o' .*--sequence-column"):
        records(write(tmp_path, "oligo\nACGT\n"))


@pytest.mark.parametrize("text", [FASTA, LINES, TSV], ids=["fasta", "lines", "tsv"])
def test_a_byte_order_mark_and_empty_lines_before_the_first_are_skipped(tmp_path: Path, text: str) -> None:
    expected = records(write(tmp_path, text))
    assert records(write(tmp_path, b"\xef\xbb\xbf" + text.encode())) == expected
    assert records(write(tmp_path, b"\xef\xbb\xbf\r\n\n" + text.encode())) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (FASTA.encode("utf-16"), "is UTF-16 text"),
        (b"ACGT\n\n>a\nACGT\n", "line 3: a header of FASTA after sequences that have none"),
        (b">a\nAC\0GT\n", "line 2: a NUL byte, which is in no text"),
        (b">a\rACGT\r", "the record 'a' has no sequence: lines must end with a line feed"),
        (
            b">a " + b"ACGT" * 250_000,
            "the record 'a' has no sequence but a header of 1,000,002 letters: its line",
        ),
        (
            b">a" + b"ACGT" * 250_000,
            r"the record 'aACGT.{75}'... \(1,000,001 letters\) has no sequence but a",
        ),
        (
            b">a" + b"ACGT" * 250_000 + b"\nACGT\n",
            r"1,000,001 letters\) is too long: the line break after",
        ),
        (b"\n\nid\tseq\na\tACGT\nb\tACGT\tx\n", "line 5: 2 cells were expected"),
        (b"\n\nid\tseq\na\tACGT\nb\t\n", "line 5: the record 'b' has no sequence"),
    ],
    ids=["UTF-16", "late header", "NUL", "CR", "long header", "long name", "long name and sequence", "cells", "empty"],
)
def test_what_is_no_sequence_is_one_short_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        records(write(tmp_path, content))
    assert len(str(refusal.value)) < 500


def test_a_folder_is_refused_as_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder, not a file"):
        records(tmp_path)


def test_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(FASTA,))
    writer.start()
    assert records(pipe) == FASTA_RECORDS
    writer.join()


@pytest.mark.parametrize(
    "content",
    [
        *(b"sequence\nACGT\nGG\n", b"seq\r\nACGT\r\nGG\r\n", b"\xef\xbb\xbfSequence\nACGT\nGG", b"SEQ \nACGT\nGG\n"),
        *(b'"sequence"\n"ACGT"\n"GG"\n', b'"seq"\r\nACGT\r\nGG\r\n', b"\n sequence\nACGT\n\nGG\n"),
    ],
)
def test_one_column_called_sequence_is_a_table(tmp_path: Path, content: bytes) -> None:
    for name in ("one.tsv", "one.csv", "one.txt"):
        (tmp_path / name).write_bytes(content)
        assert [records.sequences for records in SequenceFile(str(tmp_path / name))] == [[b"ACGT", b"GG"]]
        first = SequenceFile(str(tmp_path / name)).first()
        assert (first.names, [list(row.values()) for row in first.rows]) == (["sequence_1"], [["ACGT"]])


def test_lines_that_end_with_carriage_returns_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its lines end with carriage returns alone"):
        records(write(tmp_path, b"sequence\rACGT\r"))


def test_a_record_longer_than_any_chromosome_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sequence_blocks, "SEQUENCES", Limits(10_000_000))
    line = b"ACGT" * 20 + b"\n"
    for count, refused in ((120_000, False), (180_000, True)):
        path = write(tmp_path, b">a\nACGT\n>b\n" + line * count)
        if refused:
            with pytest.raises(InputError, match="record 2: more than 10,000,000 bytes"):
                records(path)
        else:
            assert [(name, len(bases)) for name, bases in records(path)] == [("a", 4), ("b", 80 * count)]
