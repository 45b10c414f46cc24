"""Samples of an ENCODE experiment: sizes, and splits that share no locus."""

import numpy as np
import pytest

from zoo.data.splits import SPLITS
from zoo.datasets import encode_sample as module
from zoo.datasets.encode_loci import Loci
from zoo.datasets.encode_sample import EncodeSampleDataModule
from zoo.datasets.encode_tf import encode_experiments
from zoo.errors import ConfigError, UnknownNameError

KEY = list(encode_experiments())[3]


@pytest.fixture
def made_loci(monkeypatch: pytest.MonkeyPatch) -> Loci:
    """3,000 loci in groups of one to three, 2,000 of them peaks of the experiment."""
    rng = np.random.default_rng(0)
    labels = np.zeros((3_000, 21), np.uint8)
    labels[:, 0] = 1
    labels[rng.permutation(3_000)[:2_000], 3] = 1
    group = np.repeat(np.arange(3_000), rng.integers(1, 4, 3_000))[:3_000]
    loci = Loci(rng.integers(0, 4, (3_000, 101)).astype(np.uint8), labels, rng.permutation(group))
    monkeypatch.setattr(module, "encode_loci", lambda: loci)
    return loci


def rows_of(data: EncodeSampleDataModule, loci: Loci) -> dict[str, list[int]]:
    """Split -> indices of its loci."""
    index = {codes.tobytes(): row for row, codes in enumerate(loci.codes)}
    return {name: [index[codes.tobytes()] for codes in data.subset(name).codes] for name in SPLITS}


def test_sizes_are_as_asked_and_no_group_is_in_two_splits(made_loci: Loci) -> None:
    for size, val in ((100, 12), (40, 10), (1_200, 150)):
        data = EncodeSampleDataModule(KEY, size=size, test_peaks=400, sample_seed=5)
        rows = rows_of(data, made_loci)
        assert {name: len(chosen) for name, chosen in rows.items()} == {"train": size // 2, "val": val, "test": 400}
        assert all((made_loci.labels[chosen, 3] == 1).all() for chosen in rows.values())
        groups = [set(made_loci.group[rows[name]].tolist()) for name in SPLITS]
        assert not groups[0] & groups[1]
        assert not (groups[0] | groups[1]) & groups[2]


def test_the_test_set_is_one_and_samples_differ(made_loci: Loci) -> None:
    one, other = (EncodeSampleDataModule(KEY, size=100, test_peaks=400, sample_seed=seed) for seed in (1, 2))
    larger = EncodeSampleDataModule(KEY, size=600, test_peaks=400, sample_seed=1)
    assert rows_of(one, made_loci)["test"] == rows_of(other, made_loci)["test"] == rows_of(larger, made_loci)["test"]
    assert set(rows_of(one, made_loci)["train"]) != set(rows_of(other, made_loci)["train"])


@pytest.mark.usefixtures("made_loci")
def test_half_of_what_is_trained_are_shuffles() -> None:
    data = EncodeSampleDataModule(KEY, size=100, test_peaks=400, batch_size=100)
    (batch,) = data.train_dataloader()
    assert batch.target.sum() == 50


@pytest.mark.usefixtures("made_loci")
def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no ENCODE experiment 'ctcf'"):
        EncodeSampleDataModule("ctcf")
    with pytest.raises(ConfigError, match="has 2,000 peaks: too few for 4,000 training sequences, 1,000 for val"):
        _ = EncodeSampleDataModule(KEY, size=4_000, test_peaks=400).data
    with pytest.raises(ConfigError, match="size is at least 2"):
        EncodeSampleDataModule(KEY, size=1)
