"""The files of the simulated laboratory agree with each other, and are the same each time."""

from collections.abc import Callable
from pathlib import Path

import cooler
import numpy as np
import pyBigWig
import pytest

from zoo.datasets.lab_example import CONTIGS, DATA, FILES, write_lab_example
from zoo.errors import OutputError
from zoo.formats.sequences import read_sequences
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode, encode, reverse_complement

SITE, INSULATOR = encode("ATGACTCAT"), "TGGCCACCAGGGGGCGCTA"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab")
    write_lab_example(folder)
    return folder


def peaks_of(lab: Path) -> list[list[str]]:
    return [line.split("\t") for line in (lab / "peaks.narrowPeak").read_text().splitlines()]


def test_a_summit_lies_within_a_site_with_at_most_one_other_base(lab: Path) -> None:
    genome = Genome(lab / "genome.fa")
    assert dict(genome.contigs) == CONTIGS
    peaks = peaks_of(lab)
    assert 800 < len(peaks) < 1_200
    for contig, start, *_, score, _, _, _, _, offset in peaks:
        first = int(start) + int(offset) - len(SITE) // 2
        codes = genome.codes(Interval(contig, first, first + len(SITE)))
        differ = min(int((codes != site).sum()) for site in (SITE, reverse_complement(SITE)))
        assert differ <= 1
        assert int(score) == round(1_000 * 0.3**differ)


def test_the_sequences_are_those_of_the_peaks(lab: Path) -> None:
    names, sequences = read_sequences(lab / "bound.fa")
    genome = Genome(lab / "genome.fa")
    for name, codes, (contig, start, end, *_) in zip(names, sequences, peaks_of(lab), strict=True):
        first = (int(start) + int(end) - 101) // 2
        assert name == f"{contig}:{first}-{first + 101}"
        np.testing.assert_array_equal(codes, genome.codes(Interval(contig, first, first + 101)))


def test_the_signal_is_high_at_summits_and_zero_in_most_bins(lab: Path) -> None:
    with pyBigWig.open(str(lab / "signal.bw")) as signal:
        summits = [(row[0], int(row[1]) + int(row[9])) for row in peaks_of(lab) if row[4] == "1000"]
        highest = [signal.stats(contig, at - 50, at + 50, type="max")[0] for contig, at in summits]
        values = np.array(signal.values("chr1", 0, CONTIGS["chr1"]))
    assert 20 < np.mean(highest) < 30  # the highest of ten Poisson counts with a mean of up to 20
    assert np.median(values) == 0


def test_bins_that_an_insulator_divides_have_a_third_of_the_contacts(lab: Path) -> None:
    genome = Genome(lab / "genome.fa")
    maps = cooler.Cooler(str(lab / "contacts.cool"))
    assert dict(maps.chromsizes) == CONTIGS
    divided: list[float] = []
    whole: list[float] = []
    for contig, length in CONTIGS.items():
        text, counts = decode(genome.codes(Interval(contig, 0, length))), maps.matrix(balance=True).fetch(contig)
        first = {at // 2_000 for at in range(0, len(text), 2_000) if INSULATOR in text[at : at + 2_000]}
        for at in range(len(counts) - 1):
            (divided if at + 1 in first else whole).append(counts[at, at + 1])
    assert len(divided) > 50
    assert np.mean(divided) / np.mean(whole) == pytest.approx(0.35, rel=0.05)


def test_the_files_are_the_same_each_time_and_are_not_written_over(lab: Path, tmp_path: Path) -> None:
    paths = write_lab_example(tmp_path / "again")
    assert [path.name for path in paths] == list(FILES)
    assert all(path.read_bytes() == (lab / path.name).read_bytes() for path in paths)
    write_lab_example(tmp_path / "again")
    paths[1].write_text("")
    with pytest.raises(OutputError, match=r"peaks.narrowPeak exists and is another file: name another folder, or add"):
        write_lab_example(tmp_path / "again")
    write_lab_example(tmp_path / "again", overwrite=True)
    assert paths[1].read_bytes() == (lab / "peaks.narrowPeak").read_bytes()


def test_a_folder_in_the_place_of_a_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "signal.bw").mkdir()
    with pytest.raises(OutputError, match=r"signal\.bw is a folder, and a file of that name is to be written: move it"):
        write_lab_example(tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["signal.bw"]


def test_the_commands_are_those_of_readme(lab: Path, run_zoo: Callable[..., tuple[int, str, str]]) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    code, _, said = run_zoo("example", "--lab", "-o", str(lab))
    assert code == 0
    for base, words in DATA.items():
        command = f"zoo finetune {base} {words} --name {base.partition('.')[0]}.lab"
        assert command.format(folder="lab") in readme
        assert command.format(folder=lab) in said
