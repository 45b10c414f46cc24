"""Files of variants that are not what they should be: one sentence each, or a counted reason."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pysam
import pytest
from made.models import Made

from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval

RunZoo = Callable[..., tuple[int, str, str]]
CONTIG = "##contig=<ID=chr1,length=5003>\n"
FORMAT = "##fileformat=VCFv4.2\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"


class Desk:
    """A working folder with a genome, whose base at a position is known."""

    def __init__(self, made: Made, run_zoo: RunZoo) -> None:
        self.made, self.run_zoo, self.genome = made, run_zoo, Genome(made.genome)

    def base(self, position: int, chrom: str = "chr1") -> str:
        return self.genome.sequence(Interval(chrom, position - 1, position))

    def line(self, position: int, ref: str = "", alt: str = "", chrom: str = "chr1") -> str:
        ref = ref or self.base(position, chrom)
        alt = alt or "ACGT"["ACGT".index(ref[0]) - 1]
        return f"{chrom}\t{position}\t.\t{ref}\t{alt}\t.\t.\t.\n"

    def vcf(self, *lines: str, head: str = CONTIG, columns: str = COLUMNS, path: str = "v.vcf") -> str:
        Path(path).write_text(f"{FORMAT}{head}{columns}\n" + "".join(lines))
        return path

    def score(self, path: str, *words: str) -> tuple[int, str, str]:
        genome = [] if "--genome" in words else ["--genome", str(self.made.genome)]
        return self.run_zoo("variants", self.made.models["labels"], path, *genome, *words)

    def rows(self, path: str) -> tuple[list[list[str]], str]:
        code, out, err = self.score(path)
        assert code == 0, err
        return [line.split("\t") for line in out.splitlines()[1:]], err

    def refused(self, path: str, *words: str) -> str:
        code, out, err = self.score(path, "-o", "new.tsv", *words)
        assert (code, out, err.count("\n"), err[:5]) == (2, "", 1, "zoo: "), err
        assert not Path("new.tsv").exists()
        return err


@pytest.fixture
def desk(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_zoo: RunZoo) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(made, run_zoo)


def test_without_contig_lines_and_with_samples_it_is_the_same(desk: Desk) -> None:
    expected, _ = desk.rows(desk.vcf(desk.line(100)))
    assert desk.rows(desk.vcf(desk.line(100), head=""))[0] == expected
    genotype = '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">\n'
    line = desk.line(100).rstrip() + "\tGT\t0/1\n"
    assert desk.rows(desk.vcf(line, head=CONTIG + genotype, columns=COLUMNS + "\tFORMAT\tsample"))[0] == expected


def test_one_that_is_compressed_by_gzip_is_read_too(desk: Desk) -> None:
    content = gzip.compress(Path(desk.vcf(*map(desk.line, range(100, 2_000)))).read_bytes())
    Path("plain.vcf.gz").write_bytes(content)
    assert desk.rows("plain.vcf.gz") == desk.rows("v.vcf")
    Path("plain.vcf.gz").write_bytes(content[: len(content) // 2])
    assert "plain.vcf.gz cannot be read to its end: its gzip archive is cut off" in desk.refused("plain.vcf.gz")


def test_records_need_no_order(desk: Desk) -> None:
    lines = [desk.line(300), desk.line(100), desk.line(40, chrom="chr2"), desk.line(200), desk.line(100)]
    rows, _ = desk.rows(desk.vcf(*lines, head=""))
    assert [row[1] for row in rows] == ["300", "100", "40", "200", "100"]
    assert rows[1] == rows[4]


def test_what_has_no_score_is_a_row_with_its_reason_and_counted(desk: Desk) -> None:
    lines = [
        desk.line(100),
        desk.line(200, ref="ACGT"["ACGT".index(desk.base(200)) - 2]),
        desk.line(300, alt="<DEL>"),
        desk.line(300, alt=f"{desk.base(300)}[chr2:17["),
        desk.line(0, ref="N", alt="A"),
        desk.line(400, alt=f"*,{'ACGT'['ACGT'.index(desk.base(400)) - 1]}"),
        desk.line(5004, ref="A", alt="C"),
        "chr7\t5\t.\tA\tC\t.\t.\t.\n",
    ]
    rows, err = desk.rows(desk.vcf(*lines, head=""))
    assert len(rows) == 9
    assert [row[6].split(":")[0] for row in rows] == [
        "",
        "REF differs from the genome",
        "symbolic allele",
        "breakend",
        "letters other than A, C, G and T",
        "spanning deletion (*), which another record describes",
        "",
        "position outside of the contig",
        "the genome does not have the contig",
    ]
    assert all((row[7] == "nan") == bool(row[6]) for row in rows)
    assert "7 of 9 alleles have no scores: 1 REF differs from the genome, 1 symbolic allele, 1 breakend, " in err
    assert "have a REF that the genome does not: is it another assembly?" in err


def test_a_header_of_another_assembly_is_refused(desk: Desk) -> None:
    path = desk.vcf(desk.line(100), head=CONTIG.replace("5003", "5004"))
    assert "by their header, chr1 has 5,004 bases, in the genome 5,003" in desk.refused(path)


def test_where_nothing_can_be_scored_nothing_is_written(desk: Desk) -> None:
    wrong = [desk.line(one, ref="ACGT"["ACGT".index(desk.base(one)) - 2]) for one in (100, 200)]
    err = desk.refused(desk.vcf(*wrong))
    assert "none of 2 alleles can be scored (2 REF differs from the genome): is " in err
    assert "the assembly that they are of?" in err


def write_many(desk: Desk, path: str, mode: str) -> bytes:
    desk.vcf(*(desk.line(position) for position in range(30, 4_900)), path="many.vcf")
    with pysam.VariantFile("many.vcf") as source, pysam.VariantFile(path, mode, header=source.header) as file:
        for one in source:
            file.write(one)
    return Path(path).read_bytes()


@pytest.mark.parametrize(("path", "mode"), [("v.bcf", "wb"), ("v.vcf.gz", "wz")])
@pytest.mark.parametrize("kept", [0.5, 0.9, -28])
def test_files_that_are_cut_off_are_refused(path: str, mode: str, kept: float, desk: Desk) -> None:
    content = write_many(desk, path, mode)
    Path(path).write_bytes(content[: int(kept if kept < 0 else kept * len(content))])
    assert "cut off: copy or download it again" in desk.refused(path)


def test_damaged_bytes_are_refused(desk: Desk) -> None:
    content = bytearray(write_many(desk, "v.vcf.gz", "wz"))
    content[len(content) // 2] ^= 0xFF
    Path("v.vcf.gz").write_bytes(content)
    assert "v.vcf.gz" in desk.refused("v.vcf.gz")


def test_each_broken_file_is_one_sentence(desk: Desk) -> None:
    good = desk.line(100)
    Path("empty.vcf").touch()
    assert "empty.vcf is empty" in desk.refused("empty.vcf")
    Path("text.vcf").write_text("hello\n")
    assert "text.vcf cannot be read as VCF or BCF" in desk.refused("text.vcf")
    assert "v.vcf: no variant in it" in desk.refused(desk.vcf())
    for line in ("chr1\tx\t.\tA\tC\t.\t.\t.\n", "chr1\t5\t.\tA\n", "chr1\t-5\t.\tA\tC\t.\t.\t.\n"):
        assert "v.vcf, after 1 records: a line that is no record of VCF" in desk.refused(desk.vcf(good, line))


TABLES = {
    "chrom\tpos\tref\n": "has a header with chrom, pos, ref and alt, or with ref_sequence and alt_sequence; alt is",
    "chrom\tpos\tref\talt\tALT\nchr1\t5\tA\tC\tC\n": "the columns 'alt' and 'alt' are both its alt",
    "chrom\tpos\tref\talt\nchr1\t5\tA\n": "line 2: 3 cells where the header has 4",
    "chrom\tpos\tref\talt\nchr1\t-5\tA\tC\n": "line 2: the position '-5' is no whole number",
    "chrom\tpos\tref\talt\tstrand\nchr1\t5\tA\tC\tx\n": "line 2: the strand 'x' is none of +, - and .",
    "chrom\tpos\tref\talt\n": "no variant in it",
    "chrom;pos;ref;alt\nchr1;5;A;C\n": "its columns are separated by ';'",
    "": "a table of variants has a header",
    "ref_sequence\talt_sequence\n": "no pair of sequences in it",
    "ref_sequence\talt_sequence\nACGT\t\n": "line 2: a cell without a sequence",
    "ref_sequence\talt_sequence\nACGT\tAC!T\n": "line 2: 'AC!T': the letter '!' at position 3",
    "ref_sequence\talt_sequence\nACGT\n": "line 2: 1 cells where the header has 2",
}


@pytest.mark.parametrize("text", TABLES)
def test_each_broken_table_is_one_sentence(text: str, desk: Desk) -> None:
    Path("v.tsv").write_text(text)
    words = ["variants", desk.made.models["labels"], "v.tsv", "-o", "new.tsv"]
    genome = [] if text.startswith("ref_") else ["--genome", str(desk.made.genome)]
    code, _, err = desk.run_zoo(*words, *genome)
    assert (code, err.count("\n")) == (2, 1), err
    assert TABLES[text] in err
    assert not Path("new.tsv").exists()
