"""The ENCODE peaks joined into loci: on a made genome whose places are known, and on the real files."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.labelled import LabelledSequences
from zoo.data.sequences.similarity import group_overlapping
from zoo.data.splits import SPLITS
from zoo.datasets import encode_loci as module
from zoo.datasets.dhs_cells import DhsCellsDataModule
from zoo.datasets.encode_loci import EncodeLociDataModule, Loci, join_peaks
from zoo.datasets.encode_tf import encode_experiments, read_sequences
from zoo.errors import ConfigError, UnknownNameError
from zoo.genome.sequence import UNKNOWN, Codes, decode, reverse_complement
from zoo.utils.download import fetch

LENGTH = 101


def cut(genome: Codes, start: list[int], turned: list[bool]) -> Codes:
    codes: Codes = genome[np.array(start)[:, None] + np.arange(LENGTH)]
    codes[turned] = reverse_complement(codes[turned])
    return codes


def test_peaks_of_one_place_become_one_locus_with_all_their_labels() -> None:
    genome = np.random.default_rng(0).integers(0, 4, 2000).astype(np.uint8)
    # Two peaks 20 bases apart, on different strands; one 65 further on, out of reach; one far away, seen by one only.
    start, task = [100, 120, 185, 1500], np.array([0, 1, 2, 1])
    codes = cut(genome, start, [False, True, False, False])
    loci = join_peaks(codes, task)
    found = {decode(row): tuple(label) for row, label in zip(loci.codes, loci.labels, strict=True)}
    assert found == {decode(codes[0]): (1, 1, 0), decode(codes[2]): (0, 0, 1), decode(codes[3]): (0, 1, 0)}
    # The first three are joined by a path of shared bases, the last one stands alone.
    assert len(set(loci.group[[decode(row) != decode(codes[3]) for row in loci.codes]].tolist())) == 1
    assert len(set(loci.group.tolist())) == 2


def test_a_locus_keeps_the_peak_nearest_to_its_middle() -> None:
    genome = np.random.default_rng(1).integers(0, 4, 500).astype(np.uint8)
    codes = cut(genome, [100, 110, 130], [False, False, True])
    loci = join_peaks(codes, np.array([0, 1, 2]))
    assert loci.labels.tolist() == [[1, 1, 1]]
    assert decode(loci.codes[0]) == decode(codes[1])


@pytest.fixture
def made_loci(monkeypatch: pytest.MonkeyPatch) -> Loci:
    """600 loci of 21 experiments, in 300 groups."""
    rng = np.random.default_rng(2)
    labels = (rng.random((600, 21)) < 0.1).astype(np.uint8)
    labels[labels.sum(1) == 0, 0] = 1
    loci = Loci(rng.integers(0, 4, (600, LENGTH)).astype(np.uint8), labels, np.repeat(np.arange(300), 2))
    monkeypatch.setattr(module, "encode_loci", lambda: loci)
    return loci


def splits_of_groups(loci: Loci, split: NDArray[np.int64]) -> list[int]:
    return [len(set(split[loci.group == group].tolist())) for group in range(300)]


def test_groups_stay_in_one_split_and_fewer_targets_change_neither_loci_nor_splits(made_loci: Loci) -> None:
    every = EncodeLociDataModule()
    assert splits_of_groups(made_loci, every.data.split) == [1] * 300
    key = list(encode_experiments())[3]
    one = EncodeLociDataModule(experiments=[key])
    assert one.targets == [key]
    assert (one.data.split == every.data.split).all()
    assert (one.data.labels[:, 0] == every.data.labels[:, 3]).all()
    assert every.card_values["tasks"] == "21"


def test_nothing_of_an_experiment_that_is_held_out_is_seen(made_loci: Loci) -> None:
    keys = list(encode_experiments())
    data = EncodeLociDataModule(held_out=[keys[3], keys[5]])
    assert data.targets == [key for key in keys if key not in (keys[3], keys[5])]
    with_peak = set(made_loci.group[(made_loci.labels[:, [3, 5]] == 1).any(1)].tolist())
    kept = np.array([group not in with_peak for group in made_loci.group.tolist()])
    assert 0 < kept.sum() < len(kept)
    assert (data.data.codes == made_loci.codes[kept]).all()
    assert (data.data.labels == np.delete(made_loci.labels[kept], [3, 5], axis=1)).all()
    with pytest.raises(ConfigError, match="cannot be a target and held out"):
        EncodeLociDataModule(experiments=[keys[3]], held_out=[keys[3]])


def test_nothing_of_a_held_out_site_is_seen(made_loci: Loci, monkeypatch: pytest.MonkeyPatch) -> None:
    sites = np.random.default_rng(5).integers(0, 4, (4, 200)).astype(np.uint8)
    sites[0, 50:151] = made_loci.codes[10]  # a training site
    sites[1, 99:] = reverse_complement(made_loci.codes[20:21, :])[0]  # a validation site, on the other strand
    sites[2, :31] = made_loci.codes[31, 40:71]  # a test site
    split = np.array([SPLITS.index(one) for one in ("train", "val", "test", "test")])
    labelled = LabelledSequences(sites, np.eye(4, dtype=np.uint8), split)
    monkeypatch.setattr(DhsCellsDataModule, "data", labelled)
    data = EncodeLociDataModule(apart_from_dhs_cells=True)
    gone = np.isin(made_loci.group, [20 // 2, 31 // 2])
    assert gone.sum() == 4
    assert (data.data.codes == made_loci.codes[~gone]).all()
    assert (data.data.labels == made_loci.labels[~gone]).all()
    assert len(data.public_files) == 1 + len(EncodeLociDataModule().public_files)


def test_a_share_of_positives_is_what_training_draws(made_loci: Loci) -> None:
    key = list(encode_experiments())[3]
    data = EncodeLociDataModule(experiments=[key], positive_share=0.5, epoch_size=20_000, batch_size=20_000)
    (batch,) = data.train_dataloader()
    assert float(batch.target.mean()) == pytest.approx(0.5, abs=0.02)
    (val,) = data.val_dataloader()
    assert float(val.target.mean()) == pytest.approx(float(data.subset("val").labels.mean()))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no ENCODE experiment 'ctcf'"):
        EncodeLociDataModule(experiments=["ctcf"])
    with pytest.raises(ConfigError, match="positive_share must lie between 0 and 1, not 1"):
        EncodeLociDataModule(positive_share=1.0)


@pytest.mark.usefixtures("made_loci")
def test_a_share_of_positives_where_all_are_positive_is_refused() -> None:
    with pytest.raises(ConfigError, match="every locus has a positive label"):
        _ = EncodeLociDataModule(positive_share=0.5).data


@pytest.mark.slow
@pytest.mark.public_data
def test_no_path_of_31_mers_joins_train_and_test() -> None:
    data = EncodeLociDataModule()
    loci = data.data
    assert len(loci) == pytest.approx(205_500, rel=0.01)
    assert loci.labels.sum(1).mean() == pytest.approx(1.5, abs=0.1)
    # All peaks of all files, whether a locus shows their sequence or not, are what paths may lead through.
    peaks = [module.encode_loci().codes]
    for experiment in encode_experiments().values():
        for file in (experiment.training, experiment.test):
            codes, bound = read_sequences(fetch(file))
            peaks.append(codes[bound == 1])
    group = group_overlapping(np.concatenate(peaks), 31)[: len(loci)]
    split = loci.split
    inside = [set(group[split == index].tolist()) for index in range(len(SPLITS))]
    assert not inside[0] & inside[2]
    assert not inside[0] & inside[1]
    assert not inside[1] & inside[2]
    assert min(int(loci.labels[split == index].sum(0).min()) for index in range(len(SPLITS))) > 400


@pytest.mark.slow
@pytest.mark.public_data
def test_no_31_mer_stands_in_two_splits() -> None:
    # By the words themselves, not by the code that made the split.
    data = EncodeLociDataModule()
    words: list[NDArray[np.uint64]] = []
    for split in SPLITS:
        codes = data.subset(split).codes
        if split != "train":  # a word that two splits share, on any strands, is on the forward strand of the first
            codes = np.concatenate([codes, reverse_complement(codes)])
        codes = codes.astype(np.uint64)
        number, known = codes % 4, codes < UNKNOWN
        # Two words and a base make one of 3, 7, 15 and 31 bases: in 62 bits, each has its own number.
        for length in (1, 3, 7, 15):
            first, second, last = slice(None, -length - 1), slice(length, -1), codes[:, 2 * length :]
            number = (number[:, first] * 4**length + number[:, second]) * 4 + last % 4
            known = known[:, first] & known[:, second] & (last < UNKNOWN)
        ordered = np.sort(number[known])  # np.unique takes fifty times as long
        words.append(ordered[np.append(True, ordered[1:] != ordered[:-1])])
    assert all(len(one) > 1_000_000 for one in words)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        place = np.searchsorted(words[one], words[other]).clip(max=len(words[one]) - 1)
        assert not (words[one][place] == words[other]).any()


@pytest.mark.slow
@pytest.mark.public_data
def test_the_sequence_of_a_locus_is_a_peak_of_the_files(tmp_path: Path) -> None:
    loci = module.encode_loci()
    known = set()
    for experiment in encode_experiments().values():
        for file in (experiment.training, experiment.test):
            codes, bound = read_sequences(fetch(file))
            known |= {row.tobytes() for row in codes[bound == 1]}
    assert all(row.tobytes() in known for row in loci.codes)
