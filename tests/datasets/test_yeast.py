"""The yeast data set: built from made files as on paper, and from the public ones as biology has it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
import pytest
from made.yeast import CHROMOSOME, SHORT_RUN, UNMAPPABLE, made_tags, seed_of

from zoo.data.tracks.table import read_track_table
from zoo.datasets import yeast
from zoo.datasets.sources import files_of
from zoo.datasets.yeast import YeastDataModule, yeast_folder
from zoo.datasets.yeast_genome import CONTIGS
from zoo.datasets.yeast_starts import STARTS, read_starts
from zoo.errors import UnknownNameError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval


def table_of(ending: str) -> pd.DataFrame:
    (url,) = (file.url for file in files_of("yeast") if file.url.endswith(f"/{ending}"))
    return made_tags(np.random.default_rng(seed_of(url)))


def test_the_genome_has_sixteen_chromosomes_under_their_names(made_yeast: Path) -> None:
    assert Genome(made_yeast / "genome.fa").contigs == dict.fromkeys(CONTIGS, CHROMOSOME)
    assert Genome(made_yeast / "genome.fa").sequence(Interval("chrXVI", 0, 8)) == "ACGTTGCA"


def test_tags_are_per_million_of_the_nucleus_averaged_and_set_at_their_base_and_strand(made_yeast: Path) -> None:
    expected = np.zeros((2, CHROMOSOME))
    for ending in STARTS["slic_cage"][1]:
        table = table_of(ending)
        million = table.loc[table["seq"] != "Mito", "nTAGs"].sum() / 1e6
        for row in table[table["seq"] == "IV"].itertuples():
            expected[int(row.strand == "-"), int(row.TSS) - 1] += row.nTAGs / million / 2
    for strand, values in zip(("plus", "minus"), expected, strict=True):
        with pyBigWig.open(str(made_yeast / f"slic_cage_{strand}.bw")) as file:
            found = np.nan_to_num(file.values("chrIV", 0, CHROMOSOME, numpy=True))
        assert np.allclose(found, values, rtol=1e-6)


def test_tags_of_the_r_file_are_read_as_those_of_the_tables(made_yeast: Path) -> None:
    tags = read_starts("stripe_diamide")[1]
    table = made_tags(np.random.default_rng(102))
    table = table[table["seq"] != "Mito"]
    assert [CONTIGS[index] for index in tags.contig] == [f"chr{name}" for name in table["seq"]]
    assert tags.position.tolist() == (table["TSS"] - 1).tolist()
    assert tags.minus.tolist() == (table["strand"] == "-").tolist()
    assert np.allclose(tags.tags, table["nTAGs"] * 1e6 / table["nTAGs"].sum())


def test_long_runs_without_coverage_are_left_out_and_short_ones_are_not(made_yeast: Path) -> None:
    with pyBigWig.open(str(made_yeast / "mnase.bw")) as file:
        assert file.chroms() == dict.fromkeys(CONTIGS, CHROMOSOME)
        values = file.values("chrII", 0, CHROMOSOME, numpy=True)
    unknown = np.flatnonzero(np.isnan(values))
    assert (unknown[0], unknown[-1] + 1, len(unknown)) == (*UNMAPPABLE, UNMAPPABLE[1] - UNMAPPABLE[0])
    assert (values[slice(*SHORT_RUN)] == 0).all()


def test_the_table_pairs_strands_and_the_report_says_how_replicates_agree(made_yeast: Path) -> None:
    tracks = read_track_table(made_yeast / "targets.tsv")
    assert [track.name for track in tracks] == [
        "mnase",
        *(f"{name}_{strand}" for name in STARTS for strand in ("plus", "minus")),
    ]
    assert YeastDataModule().strand_pairs == [0, 2, 1, 4, 3, 6, 5, 8, 7]
    report = (made_yeast / "report.txt").read_text()
    assert "stripe_ypd: 6 replicates agree at r " in report
    assert f"mnase: {16 * 500:,} bases left out" in report


def test_it_is_built_once(made_yeast: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yeast, "_build", None)
    assert yeast_folder() == made_yeast


@pytest.mark.slow
@pytest.mark.public_data
def test_starts_lie_on_a_pyrimidine_and_a_purine() -> None:
    """Transcription begins at a purine after a pyrimidine: a shift by a base, or the wrong strand, shows."""
    genome = Genome(yeast_folder() / "genome.fa")
    codes = {index: genome.codes(Interval(name, 0, genome.contigs[name])) for index, name in enumerate(CONTIGS)}
    for name in STARTS:
        for tags in read_starts(name):
            hits = 0.0
            for index, bases in codes.items():
                here = (tags.contig == index) & (tags.position > 0) & (tags.position < len(bases) - 1)
                place, minus, count = tags.position[here], tags.minus[here], tags.tags[here]
                at = np.where(minus, 3 - bases[place], bases[place])
                before = np.where(minus, 3 - bases[place + 1], bases[place - 1])
                hits += count[np.isin(before, (1, 3)) & np.isin(at, (0, 2))].sum()
            assert 0.8 < hits / 1e6 < 0.93


@pytest.mark.slow
@pytest.mark.public_data
def test_nucleosomes_lie_downstream_of_starts() -> None:
    """The first nucleosome covers the bases from about 20 to 100 downstream of a start; upstream there is none."""
    folder = yeast_folder()
    after, before = [], []
    with pyBigWig.open(str(folder / "mnase.bw")) as nucleosomes:
        for strand, sign in (("plus", 1), ("minus", -1)):
            with pyBigWig.open(str(folder / f"slic_cage_{strand}.bw")) as starts:
                for name in CONTIGS:
                    coverage = nucleosomes.values(name, 0, nucleosomes.chroms(name), numpy=True)
                    for place, _, tags in starts.intervals(name):
                        if tags > 100 and 500 < place < len(coverage) - 500:
                            after.append(coverage[place + sign * 60])
                            before.append(coverage[place - sign * 80])
    assert len(after) > 300
    assert np.nanmean(after) > 1.5 * np.nanmean(before)


@pytest.mark.usefixtures("made_yeast")
def test_some_assays_are_targets_both_strands_of_each() -> None:
    data = YeastDataModule(assays=["slic_cage", "mnase"])
    assert data.targets == ["mnase", "slic_cage_plus", "slic_cage_minus"]
    assert data.strand_pairs == [0, 2, 1]
    with pytest.raises(UnknownNameError, match="no assay 'cage' in the yeast data; there are mnase, slic_cage"):
        YeastDataModule(assays=["cage"])
