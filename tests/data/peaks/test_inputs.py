"""Tracks that are read along the sites of peaks, in addition to the sequence."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
import pytest
import torch
from made.cached import assert_made_of

from zoo.data.peaks.inputs import SiteInputs
from zoo.data.peaks.module import PeakDataModule
from zoo.data.peaks.rules import PeakRules
from zoo.data.tracks.inputs import InputTracks
from zoo.data.windows import GenomeWindows
from zoo.errors import InputError
from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode

SIZES = {"chr1": 6_000, "chr2": 3_000}
LENGTH, SIZE = 60, 6
TABLE = """name	path	strand_partner	statistic	missing	scale
plus	p.bw	minus	mean	zero	2
minus	m.bw	plus	mean	zero	1
sum	p.bw		sum	mask	1
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A genome, two bigWigs with gaps, the table of three tracks of them, and sites."""
    rng = np.random.default_rng(0)
    with (tmp_path / "genome.fa").open("w") as file:
        for name, size in SIZES.items():
            file.write(f">{name}\n{decode(rng.integers(0, 4, size).astype(np.uint8))}\n")
    for track in "pm":
        with pyBigWig.open(str(tmp_path / f"{track}.bw"), "w") as bigwig:
            bigwig.addHeader(list(SIZES.items()))
            for name, size in SIZES.items():
                start = np.flatnonzero(rng.random(size) < 0.7)  # the other bases have no value
                bigwig.addEntries(name, start.tolist(), values=rng.random(len(start)).tolist(), span=1)
    (tmp_path / "inputs.tsv").write_text(TABLE)
    rows = [(name, start) for name, size in SIZES.items() for start in range(10, size - 120, 121)]
    splits = ["train", "train", "val", "test"]
    lines = [
        f"{name}\t{start}\t{start + LENGTH}\t{splits[i % 4]}\t{i // 4 % 2}\n" for i, (name, start) in enumerate(rows)
    ]
    (tmp_path / "sites.tsv").write_text("chrom\tstart\tend\tsplit\tbound\n" + "".join(lines))
    return tmp_path


def peaks(home: Path, **options: Any) -> PeakDataModule:
    options = {"inputs_table": str(home / "inputs.tsv"), "input_size": SIZE, "batch_size": 16, **options}
    return PeakDataModule(str(home / "genome.fa"), table=str(home / "sites.tsv"), **options)


@pytest.mark.parametrize("size", [1, 6])
def test_values_along_sites_are_those_that_prediction_reads(home: Path, size: int) -> None:
    genome = Genome(home / "genome.fa")
    contig = np.array([0, 0, 1, 0, 1, 1])
    start = np.array([5, 5_940, 17, 0, 2_940, 31])  # two reach past an end when they are shifted
    offset = np.array([0, 3, -4, -5, 5, 1])
    sites = SiteInputs(str(home / "inputs.tsv"), GenomeWindows(genome, contig, start, LENGTH), size, margin=5)
    values = sites.read(np.arange(6), offset)
    whole = InputTracks(str(home / "inputs.tsv"), genome, genome.contigs, size, resolution=1)
    np.testing.assert_allclose(values, whole.windows(contig, start + offset, LENGTH), rtol=1e-6)
    assert values.shape == (6, 3, LENGTH // size)
    np.testing.assert_array_equal(sites.reverse_complement(values), whole.reverse_complement(values))


def test_values_by_hand(home: Path) -> None:
    genome = Genome(home / "genome.fa")
    sites = SiteInputs(str(home / "inputs.tsv"), GenomeWindows(genome, np.array([1]), np.array([100]), LENGTH), SIZE)
    with pyBigWig.open(str(home / "p.bw")) as bigwig:
        bases = np.array(bigwig.values("chr2", 100, 160)).reshape(-1, SIZE)
    values = sites.read(np.array([0]), np.array([0]))[0]
    np.testing.assert_allclose(values[0], 2 * np.nan_to_num(bases).mean(1), rtol=1e-5)  # scaled by 2
    known = (~np.isnan(bases)).sum(1)
    expected = np.where(2 * known > SIZE, np.nansum(bases, 1) * SIZE / np.maximum(known, 1), 0)
    np.testing.assert_allclose(values[2], expected, rtol=1e-5)


def test_inputs_are_shifted_and_reverse_complemented_with_the_sequence(home: Path) -> None:
    genome = Genome(home / "genome.fa")
    text = {
        name: decode(genome.windows(np.array([i]), np.array([0]), size)[0])
        for i, (name, size) in enumerate(SIZES.items())
    }
    data = peaks(home, shift=7, reverse_complement=True)
    whole = InputTracks(str(home / "inputs.tsv"), genome, genome.contigs, SIZE, resolution=1)
    batches = [batch for epoch in range(3) for batch in epoch_of(data, epoch)]
    shifts = set()
    for batch in batches:
        assert batch.inputs is not None
        for codes, inputs in zip(batch.codes.numpy(), batch.inputs.numpy(), strict=True):
            other = codes[::-1].astype(np.int64)
            strands = {"+": decode(codes), "-": decode((3 - other).astype(np.uint8))}
            (strand, contig, start) = next(
                (strand, number, text[name].find(letters))
                for strand, letters in strands.items()
                for number, name in enumerate(SIZES)
                if letters in text[name]
            )
            expected = whole.windows(np.array([contig]), np.array([start]), LENGTH)
            expected = whole.reverse_complement(expected) if strand == "-" else expected
            np.testing.assert_allclose(inputs, expected[0], rtol=1e-6)
            shifts.add((strand, (start - 10) % 121))
    assert len(shifts) > 20


def epoch_of(data: PeakDataModule, epoch: int) -> list[Any]:
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
    return list(loader)


def test_validation_reads_sites_as_they_lie_and_a_worker_the_same(home: Path) -> None:
    data = peaks(home)
    (batch,) = peaks(home, batch_size=100).val_dataloader()
    subset = data.subset("val")
    assert subset.inputs is not None
    rows = np.arange(len(subset))
    np.testing.assert_array_equal(batch.inputs, subset.inputs.read(rows, 0 * rows))
    dataset = pickle.loads(pickle.dumps(data.dataset("val")))
    assert torch.equal(dataset.__getitems__(rows.tolist()).inputs, batch.inputs)


def test_bigwigs_are_read_once_in_prepare_data(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peaks(home, shift=2).prepare_data()

    def refuse(*_: Any) -> None:
        raise AssertionError("a bigWig was read again")

    monkeypatch.setattr("zoo.data.peaks.inputs.BigWig", refuse)
    data = peaks(home, shift=2)
    data.setup("fit")
    assert next(iter(data.train_dataloader())).inputs is not None


def test_sequences_alone_have_no_inputs(home: Path) -> None:
    with_tracks, alone = peaks(home, shift=3), peaks(home, shift=3, inputs_table=None)
    for one, other in zip(epoch_of(with_tracks, 1), epoch_of(alone, 1), strict=True):
        assert torch.equal(one.codes, other.codes)
        assert other.inputs is None


def test_a_bigwig_without_a_contig_of_the_sites_or_with_infinite_values_is_refused(home: Path) -> None:
    with pyBigWig.open(str(home / "p.bw"), "w") as bigwig:
        bigwig.addHeader([("chr1", SIZES["chr1"])])
        bigwig.addEntries("chr1", [50], values=[1.0], span=1)
    with pytest.raises(InputError, match=r"p\.bw has no contig 'chr2'"):
        peaks(home).prepare_data()
    with pyBigWig.open(str(home / "p.bw"), "w") as bigwig:
        bigwig.addHeader(list(SIZES.items()))
        bigwig.addEntries("chr1", [50], values=[float("inf")], span=1)
    with pytest.raises(InputError, match=r"p\.bw: infinite values between chr1"):
        peaks(home).prepare_data()


def test_a_table_of_peak_files_is_made_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{name}\t{start}\t{start + 20}\n" for name, size in SIZES.items() for start in range(100, size - 99, 297)]
    (home / "a.bed").write_text("".join(lines))
    options: dict[str, Any] = {
        "peaks": str(home / "a.bed"),
        "rules": PeakRules(length=60, block_size=300, negatives=0.5),
    }
    first = PeakDataModule(str(home / "genome.fa"), **options)
    first.prepare_data()
    monkeypatch.setattr("zoo.data.peaks.cached.build_peak_table", lambda *_: pytest.fail("made again"))
    second = PeakDataModule(str(home / "genome.fa"), **options)
    assert first.describe() == second.describe()
    for name in ("contig", "start", "labels", "split"):
        np.testing.assert_array_equal(getattr(first.sites, name), getattr(second.sites, name))


@pytest.mark.parametrize("change", ["contig", "start", "length", "margin", "missing", "tracks", "bigwig", "contigs"])
def test_each_input_alone_gives_other_values_than_those_in_the_cache(change: str, home: Path) -> None:
    contig, start = np.array([0, 0, 1]), np.array([5, 2_000, 700])

    def values(name: str = "inputs.tsv", fasta: str = "genome.fa", margin: int = 5, length: int = LENGTH) -> bytes:
        windows = GenomeWindows(Genome(home / fasta), contig, start, length)
        return (SiteInputs(str(home / name), windows, SIZE, margin).build() / "values.f32").read_bytes()

    def after() -> bytes:
        nonlocal contig, start
        match change:
            case "contig":
                contig = np.array([0, 1, 1])
            case "start":
                start = np.array([5, 2_001, 700])
            case "length":
                return values(length=LENGTH + SIZE)
            case "margin":
                return values(margin=6)
            case "missing":
                (home / "other.tsv").write_text(TABLE.replace("mean\tzero\t2", "mean\tmask\t2"))
                return values("other.tsv")
            case "tracks":
                (home / "other.tsv").write_text(TABLE.replace("p.bw\t\tsum", "m.bw\t\tsum"))
                return values("other.tsv")
            case "bigwig":
                with pyBigWig.open(str(home / "p.bw"), "w") as bigwig:
                    bigwig.addHeader(list(SIZES.items()))
                    for name in SIZES:
                        bigwig.addEntries(name, [5], values=[7.0], span=100)
            case "contigs":  # in another order
                records = (home / "genome.fa").read_text().split(">")[1:]
                (home / "other.fa").write_text("".join(f">{record}" for record in records[::-1]))
                return values(fasta="other.fa")
        return values()

    assert_made_of(values, after, home)
