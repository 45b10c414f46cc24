"""Contacts in yeast: centromeres found where they were planted, and in the public genome where they are known to be."""

from pathlib import Path

import cooler
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from zoo.data.splits import Split
from zoo.datasets.yeast_contacts import (
    BIN,
    YeastContactDataModule,
    contacts_folder,
    find_centromere,
    position_tracks,
)
from zoo.datasets.yeast_genome import CONTIGS
from zoo.formats.bed import read_bed
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import UNKNOWN, decode, encode, reverse_complement

# As the consensus has them: RTCACRTG and TGTTTATGNTTTCCGAA.
FIRST, LAST = "ATCACGTG", "TGTTTATGCTTTCCGAA"
# Of the Saccharomyces Genome Database (R64), 1-based, both ends counted.
KNOWN = {
    "chrI": (151_465, 151_582),
    "chrII": (238_207, 238_323),
    "chrIII": (114_385, 114_501),
    "chrIV": (449_711, 449_821),
    "chrV": (151_987, 152_104),
    "chrVI": (148_510, 148_627),
    "chrVII": (496_920, 497_038),
    "chrVIII": (105_586, 105_703),
    "chrIX": (355_629, 355_745),
    "chrX": (436_307, 436_425),
    "chrXI": (440_129, 440_246),
    "chrXII": (150_828, 150_947),
    "chrXIII": (268_031, 268_149),
    "chrXIV": (628_758, 628_875),
    "chrXV": (326_584, 326_702),
    "chrXVI": (555_957, 556_073),
}
BEHIND = 8  # bases behind the consensus, nearly all A or T, that the database counts among the last element's 25


# In made chromosomes.


def chromosome(seed: int = 0, length: int = 20_000) -> str:
    return decode(np.random.default_rng(seed).integers(0, 4, length).astype(np.uint8))


def rich(length: int, letters: str = "AT") -> str:
    return "".join(np.random.default_rng(length).choice(list(letters), length))


def planted(text: str, place: int, element: str) -> str:
    return text[:place] + element + text[place + len(element) :]


@pytest.mark.parametrize("gap", [73, 80, 87, 94])
@pytest.mark.parametrize("place", [0, 1, 7_654, -1])
def test_a_centromere_is_found_where_it_was_planted_on_either_strand(gap: int, place: int) -> None:
    centromere = FIRST + rich(gap) + LAST
    start = place if place >= 0 else 20_000 - len(centromere)
    codes = encode(planted(chromosome(), start, centromere))
    end = start + len(centromere)
    assert find_centromere(codes) == (start, end)
    assert find_centromere(reverse_complement(codes)) == (20_000 - end, 20_000 - start)


@pytest.mark.parametrize("first", ["ATCACATG", "GTCACGTG", "ATCACTTG"])  # the last with a letter that does not fit
def test_letters_that_a_consensus_leaves_open_or_a_misfit_do_not_hide_it(first: str) -> None:
    centromere = first + rich(83) + LAST.replace("TGC", "TGA")
    assert find_centromere(encode(planted(chromosome(1), 5_000, centromere))) == (5_000, 5_000 + len(centromere))


def test_elements_alone_too_far_apart_or_with_other_bases_between_are_none() -> None:
    text = chromosome(2)
    for place, decoy in (
        (1_000, FIRST),
        (2_000, LAST),
        (3_000, FIRST + rich(120) + LAST),
        (4_000, FIRST + rich(40) + LAST),
        (5_000, FIRST + rich(84, "CG") + LAST),
        (6_000, FIRST + rich(84, "CG") + LAST),
    ):
        text = planted(text, place, decoy)
    centromere = "ATCACGTT" + rich(84) + LAST  # one letter that does not fit
    codes = encode(planted(text, 12_000, centromere))
    assert find_centromere(codes) == (12_000, 12_000 + len(centromere))


def test_unknown_bases_fit_nothing() -> None:
    centromere = FIRST + rich(84) + LAST
    text = planted(chromosome(3), 9_000, centromere)
    codes = encode(planted(text, 100, "N" * 5_000))
    assert (codes == UNKNOWN).sum() == 5_000
    for strand, wanted in ((codes, 9_000), (reverse_complement(codes), 20_000 - 9_000 - len(centromere))):
        assert find_centromere(strand) == (wanted, wanted + len(centromere))


def test_positions_of_bins_on_paper() -> None:
    """Three bins of 2,000 bases, of which the last has 500: their middles are 1,000, 3,000 and 5,000."""
    found = position_tracks(4_500, 3_500)
    assert BIN == 2_000
    assert set(found) == {
        "inside",
        "centromere_distance",
        "centromere_log_distance",
        "end_distance",
        "end_log_distance",
        "left_arm",
        "right_arm",
    }
    assert all(values.dtype == np.float32 for values in found.values())
    np.testing.assert_allclose(found["inside"], [1, 1, 1])
    np.testing.assert_allclose(found["centromere_distance"], [0.025, 0.005, 0.015])
    np.testing.assert_allclose(found["centromere_log_distance"], np.log2([0.035, 0.015, 0.025]) / 2, rtol=1e-6)
    np.testing.assert_allclose(found["end_distance"], [0.01, 0.015, 0], rtol=1e-6)
    np.testing.assert_allclose(found["end_log_distance"], np.log2([0.02, 0.025, 0.01]) / 2, rtol=1e-6)
    np.testing.assert_allclose(found["left_arm"], [0.25, 0.05, 0], rtol=1e-6)
    np.testing.assert_allclose(found["right_arm"], [0, 0, 0.15], rtol=1e-6)
    assert position_tracks(60_000, 20_000)["left_arm"].max() == 1


# In the public genome.


@pytest.fixture
def folder() -> Path:
    return contacts_folder()


@pytest.mark.public_data
def test_the_sixteen_centromeres_are_where_they_are_known_to_be(folder: Path) -> None:
    found = {each.chrom: (each.start, each.end) for each in read_bed(folder / "centromeres.bed")}
    assert list(found) == list(KNOWN) == CONTIGS
    for name, (start, end) in found.items():
        first, last = KNOWN[name]
        assert (start, end) in ((first - 1, last - BEHIND), (first - 1 + BEHIND, last))
        assert 100 <= end - start <= 125
    arms = read_bed(folder / "arms.bed")
    contigs = Genome(folder / "genome.fa").contigs
    assert len(arms) == 32
    for left, right in zip(arms[::2], arms[1::2], strict=True):
        assert (left.chrom, left.start, right.end) == (right.chrom, 0, contigs[left.chrom])
        assert left.end == right.start
        assert found[left.chrom][0] < left.end < found[left.chrom][1]


@pytest.mark.public_data
def test_centromeres_of_different_chromosomes_meet(folder: Path) -> None:
    """In the nucleus they are held together at the spindle pole body: an experiment that knows nothing of letters."""
    file = cooler.Cooler(str(folder / "hic_10kb.cool"))
    bins, matrix = file.bins()[:], file.matrix(balance=True)[:]
    contig, middle = bins["chrom"].to_numpy(str), (bins["start"] + bins["end"]).to_numpy() / 2
    centre = {each.chrom: (each.start + each.end) / 2 for each in read_bed(folder / "centromeres.bed")}
    ours = np.isin(contig, list(centre))
    away = np.array([abs(at - centre.get(name, np.inf)) for name, at in zip(contig, middle, strict=True)])
    trans = (contig[:, None] != contig) & ours & ours[:, None] & ~np.isnan(matrix)
    usual = np.median(matrix[trans])
    near = away < 15_000
    assert near.sum() >= 45
    assert np.median(matrix[trans & near & near[:, None]]) > 3 * usual
    for name, at in centre.items():
        here = np.flatnonzero(contig == name)
        others = near & (contig != name)
        meets: NDArray[np.float64] = np.array([matrix[i, others & trans[i]].sum() / others.sum() for i in here])
        assert abs(middle[here[meets.argmax()]] - at) < 20_000  # of each alone, where it meets those of the others
        assert meets[near[here]].mean() > 3 * usual


@pytest.mark.slow
@pytest.mark.public_data
def test_validation_and_test_are_whole_chromosomes(folder: Path) -> None:
    data = YeastContactDataModule(position=True, batch_size=100)
    assert (data.targets, data.length, data.bin_size, data.bins) == (["hic_g1"], 128_000, 2_000, 64)
    names = list(data.bands[0].contigs)
    assert names == CONTIGS
    splits: dict[Split, set[str]] = {}
    for split in ("train", "val", "test"):
        splits[split] = {names[index] for index in data.dataset(split).tiles.contig}
    assert splits["val"] == {"chrXI"}
    assert splits["test"] == {"chrIX", "chrXIV"}
    assert splits["train"] == set(CONTIGS) - {"chrIX", "chrXI", "chrXIV"}
    assert {region.contig for region in data.bands[0].expected_from} == splits["train"]
    genome = Genome(folder / "genome.fa")
    (batch,) = data.val_dataloader()
    starts = [*range(0, 666_000 - 128_000, 128_000), 666_000 - 128_000]  # chrXI has 666,816 bases
    letters = [genome.codes(Interval("chrXI", start, start + 128_000)) for start in starts]
    assert np.array_equal(batch.codes.numpy(), np.stack(letters))
    assert batch.target.shape == (6, 1, 62 * 63 // 2)
    assert torch.isnan(batch.target[:-1]).float().mean() < 0.2
    assert batch.inputs is not None
    assert data.inputs[0] == "centromere_distance"
    middle = np.array(starts)[:, None] + np.arange(1_000, 128_000, 2_000)
    centre = (KNOWN["chrXI"][0] + KNOWN["chrXI"][1]) / 2
    np.testing.assert_allclose(batch.inputs[:, 0], np.abs(middle - centre) / 1e5, atol=2e-4)
    np.testing.assert_allclose(batch.inputs[:, data.inputs.index("inside")], 1)


@pytest.mark.public_data
def test_without_the_sequence_every_base_is_unknown_and_the_maps_are_the_same(folder: Path) -> None:
    whole = YeastContactDataModule(batch_size=100)
    bare = YeastContactDataModule(batch_size=100, sequence=False, position=True)
    (batch,), (other,) = whole.val_dataloader(), bare.val_dataloader()
    assert batch.inputs is None
    assert (other.codes == UNKNOWN).all()
    assert (batch.codes < UNKNOWN).all()
    assert torch.equal(batch.target.nan_to_num(9), other.target.nan_to_num(9))
    assert bare.bands[0].folder == whole.bands[0].folder
