from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import chisquare

from zoo.batch import Batch, DataSpec
from zoo.data.labelled import LabelledSequences, SequenceDataset, shift_codes
from zoo.data.leaks import find_leak
from zoo.data.sequences.module import SequenceDataModule
from zoo.data.splits import SPLITS, Split
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import Codes, decode, encode, reverse_complement

LENGTH = 24


def random_letters(count: int, seed: int, length: int = LENGTH) -> list[str]:
    return [decode(row) for row in np.random.default_rng(seed).integers(0, 4, (count, length)).astype(np.uint8)]


def other_strand(text: str) -> str:
    return decode(reverse_complement(encode(text)))


def write_fasta(folder: Path, name: str, sequences: Iterable[str]) -> str:
    path = folder / f"{name}.fa"
    path.write_text("".join(f">{name}{i}\n{sequence}\n" for i, sequence in enumerate(sequences)))
    return str(path)


def write_table(folder: Path, *lines: str) -> str:
    path = folder / "table.tsv"
    path.write_text("\n".join(lines).replace(" ", "\t") + "\n")
    return str(path)


def two_classes(folder: Path, count: int = 60, **options: Any) -> SequenceDataModule:
    fasta = {
        "bound": write_fasta(folder, "bound", random_letters(count, 0)),
        "other": write_fasta(folder, "other", random_letters(count, 1)),
    }
    return SequenceDataModule(fasta=fasta, negative_class="other", **options)


def peaks(folder: Path, count: int = 50, **options: Any) -> SequenceDataModule:
    fasta = {"bound": write_fasta(folder, "bound", random_letters(count, 0))}
    return SequenceDataModule(fasta=fasta, **{"shuffles": 1, **options})


def given(data: LabelledSequences, **options: Any) -> SequenceDataModule:
    """A DataModule over sequences that are in memory already, as a named data set has them."""

    class Given(SequenceDataModule):
        def spec(self) -> DataSpec:
            return DataSpec("labels", tuple(f"t{i}" for i in range(data.labels.shape[1])), data.codes.shape[1])

        def read(self) -> LabelledSequences:
            return data

    return Given(**options)


def rows_of(batches: Iterable[Batch]) -> list[tuple[str, tuple[float, ...]]]:
    return [
        (decode(codes), tuple(target))
        for batch in batches
        for codes, target in zip(batch.codes.numpy(), batch.target.tolist(), strict=True)
    ]


def epoch_of(data: SequenceDataModule, epoch: int) -> list[tuple[str, tuple[float, ...]]]:
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
    return rows_of(loader)


def letters_of(data: SequenceDataModule, split: Split) -> set[str]:
    return set(map(decode, data.subset(split).codes))


def dinucleotides(text: str) -> Counter[tuple[str, str]]:
    return Counter(pairwise(text))


# Reading


def test_each_fasta_class_is_a_target_and_the_negative_class_is_none(tmp_path: Path) -> None:
    fasta = {
        "a": write_fasta(tmp_path, "a", ["ACGT", "AAAA"]),
        "rest": write_fasta(tmp_path, "rest", ["CCCC"]),
        "b": write_fasta(tmp_path, "b", ["ggaN", "GTUT"]),
    }
    data = SequenceDataModule(fasta=fasta, negative_class="rest", val_fraction=0, test_fraction=0)
    assert data.targets == ["a", "b"]
    assert data.length == 4
    assert list(map(decode, data.data.codes)) == ["ACGT", "AAAA", "CCCC", "GGAN", "GTTT"]
    assert data.data.labels.tolist() == [[1, 0], [1, 0], [0, 0], [0, 1], [0, 1]]
    every = SequenceDataModule(fasta=fasta, val_fraction=0, test_fraction=0)
    assert every.targets == ["a", "rest", "b"]
    assert every.data.labels.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]


def test_a_table_gives_sequences_labels_and_splits(tmp_path: Path) -> None:
    path = write_table(
        tmp_path,
        "id sequence y split x",
        "p ACGT 1 train 0.5",
        "q TTTT 0 Valid -2e3",
        "r gggg 1 test 7",
        "s CATG 0 TRAIN 0",
    )
    data = SequenceDataModule(table=path, label_columns=["x", "y"], split_column="split", classify=False)
    assert list(map(decode, data.data.codes)) == ["ACGT", "TTTT", "GGGG", "CATG"]
    assert data.data.labels.tolist() == [[0.5, 1], [-2000, 0], [7, 1], [0, 0]]
    assert [SPLITS[split] for split in data.data.split] == ["train", "val", "test", "train"]
    assert data.targets == ["x", "y"]
    assert [letters_of(data, split) for split in SPLITS] == [{"ACGT", "CATG"}, {"TTTT"}, {"GGGG"}]


def test_an_empty_cell_is_a_missing_label(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("sequence\tx\ty\nACGT\t1\t\nAAAA\t\t0\nCCCC\t0\t 1 \n")
    data = SequenceDataModule(table=str(path), label_columns=["x", "y"], val_fraction=0, test_fraction=0)
    assert np.array_equal(data.data.labels, np.array([[1, np.nan], [np.nan, 0], [0, 1]]), equal_nan=True)
    target = SequenceDataset(data.data, 0, 0).__getitems__([2, 0]).target
    assert np.array_equal(target.numpy(), np.array([[0, 1], [1, np.nan]]), equal_nan=True)


@pytest.mark.parametrize("cell", ["NA", "NaN", "nan", "N/A", " na ", "<NA>", "#N/A"])
def test_missing_labels_of_other_programs_are_those_of_an_empty_cell(tmp_path: Path, cell: str) -> None:
    lines = [f"{text}\t{i % 2}\t{i}e-1" for i, text in enumerate(random_letters(30, 0))]
    data = {}
    for missing in ("", cell):
        path = tmp_path / f"table{len(missing)}.tsv"
        rows = [line.rpartition("\t")[0] + f"\t{missing}" if i % 3 == 0 else line for i, line in enumerate(lines)]
        path.write_text("\n".join(["sequence\tx\ty", *rows]) + "\n")
        data[missing] = SequenceDataModule(table=str(path), label_columns=["x", "y"], classify=False)
    assert np.array_equal(data[cell].data.labels, data[""].data.labels, equal_nan=True)
    expected = np.array([[i % 2, np.nan if i % 3 == 0 else i / 10] for i in range(30)], np.float32)
    assert np.array_equal(data[cell].data.labels, expected, equal_nan=True)
    counts = [int(np.isnan(data[cell].subset(split).labels).sum()) for split in SPLITS]
    assert sum(counts) == 10
    for split, count in zip(SPLITS, counts, strict=True):
        line = next(line for line in data[cell].describe() if line.startswith(f"{split}: "))
        sequences = len(data[cell].subset(split))
        assert (f", {count} of {2 * sequences} labels missing" in line) == (count > 0)


@pytest.mark.parametrize("cell", ["3e38", "-.5", "+2.", "1E-50", "007"])
def test_labels_of_every_way_to_write_a_number_are_read(tmp_path: Path, cell: str) -> None:
    path = write_table(tmp_path, "sequence y", "ACGT 1", f"AAAA {cell}", "CCCC 0.5")
    labels = SequenceDataModule(table=path, label_columns=["y"], classify=False).data.labels
    assert labels[:, 0].tolist() == np.array([1, float(cell), 0.5], np.float32).tolist()


def test_the_files_are_read_once(tmp_path: Path) -> None:
    data = two_classes(tmp_path)
    first = data.data
    for path in tmp_path.iterdir():
        path.unlink()
    assert data.data is first
    assert len(data.subset("train")) + len(data.subset("val")) + len(data.subset("test")) == 120


def test_ambiguous_letters_are_told_once_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fasta = {"a": write_fasta(tmp_path, "a", ["ACGR", "AYYA"]), "b": write_fasta(tmp_path, "b", ["ACGN"])}
    data = SequenceDataModule(fasta=fasta, val_fraction=0, test_fraction=0)
    with caplog.at_level(logging.WARNING, logger="zoo"):
        assert list(map(decode, data.data.codes)) == ["ACGN", "ANNA", "ACGN"]
        assert data.length == 4
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "3 IUPAC letters other than A, C, G, T, U and N were read as N"
    ]


# Refusals


def refusal(data: SequenceDataModule, kind: type[Exception] = InputError) -> str:
    with pytest.raises(kind) as caught:
        _ = data.data
    return str(caught.value)


def test_neither_fasta_nor_table_is_refused() -> None:
    assert "`fasta`" in refusal(SequenceDataModule(), ConfigError)


def test_both_fasta_and_table_are_refused(tmp_path: Path) -> None:
    both = SequenceDataModule(fasta={"a": "a.fa"}, table="t.tsv", label_columns=["y"])
    assert "`table`" in refusal(both, ConfigError)


def test_a_negative_class_that_is_no_class_is_refused_naming_the_classes(tmp_path: Path) -> None:
    fasta = {"a": write_fasta(tmp_path, "a", ["ACGT"]), "b": write_fasta(tmp_path, "b", ["AAAA"])}
    message = refusal(SequenceDataModule(fasta=fasta, negative_class="c"), ConfigError)
    assert message == "the negative_class 'c' is none of the classes a, b"


def test_no_class_at_all_is_refused() -> None:
    refusal(SequenceDataModule(fasta={}), ConfigError)


def test_a_negative_class_alone_is_refused(tmp_path: Path) -> None:
    fasta = {"rest": write_fasta(tmp_path, "rest", ["ACGT", "AAAA"])}
    refusal(SequenceDataModule(fasta=fasta, negative_class="rest"), ConfigError)


@pytest.mark.parametrize("columns", [None, []])
def test_a_table_without_label_columns_is_refused(tmp_path: Path, columns: list[str] | None) -> None:
    path = write_table(tmp_path, "sequence y", "ACGT 1")
    assert "label_columns" in refusal(SequenceDataModule(table=path, label_columns=columns), ConfigError)


@pytest.mark.parametrize("options", [{"label_columns": ["z"]}, {"label_columns": ["y"], "split_column": "z"}])
def test_a_column_that_is_missing_is_named_with_those_there_are(tmp_path: Path, options: dict[str, Any]) -> None:
    path = write_table(tmp_path, "sequence y", "ACGT 1", "AAAA 0")
    assert refusal(SequenceDataModule(table=path, **options)) == f"{path}: no column 'z'; there are sequence, y"


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("high", "is not a number; leave a missing one empty, or write NA"),
        ("none", "is not a number; leave a missing one empty, or write NA"),
        ("1_000", "is not a number"),
        ("\uff11", "is not a number"),
        ("\u0661\u0662", "is not a number"),
        ("1,5", "is not a number"),
        ("0x1", "is not a number"),
        ("inf", "is not finite"),
        ("-Infinity", "is not finite"),
        ("1e999", "is not finite"),
        ("1e39", "is beyond 3.4e+38"),
        ("-3.5e38", "is beyond 3.4e+38"),
    ],
)
@pytest.mark.parametrize("gap", [0, 2], ids=["no gap", "blank lines"])
def test_a_label_that_is_no_number_is_named_with_its_line(tmp_path: Path, label: str, reason: str, gap: int) -> None:
    lines = ["sequence y", "ACGT 1", *[""] * gap, "AAAA 0", f"CCCC {label}", "GGGT 1"]
    message = refusal(SequenceDataModule(table=write_table(tmp_path, *lines), label_columns=["y"]))
    assert f"table.tsv, line {4 + gap}: the label '{label}' in 'y'" in message
    assert reason in message


@pytest.mark.parametrize("word", ["tset", "", "2"])
def test_a_split_that_is_none_of_the_three_is_named_with_its_line(tmp_path: Path, word: str) -> None:
    path = write_table(tmp_path, "sequence y split", "ACGT 1 train", f"AAAA 0 {word}")
    message = refusal(SequenceDataModule(table=path, label_columns=["y"], split_column="split"))
    assert message == f"{path}, line 3: the split '{word}' is none of train, val, test"


def test_line_numbers_go_on_from_block_to_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.formats.sequences._ROWS_AT_ONCE", 2)
    path = write_table(tmp_path, "sequence y", *["ACGT 1"] * 4, "AAAA x")
    assert "table.tsv, line 6:" in refusal(SequenceDataModule(table=path, label_columns=["y"]))


def test_a_list_of_sequences_is_no_table(tmp_path: Path) -> None:
    path = write_table(tmp_path, "ACGT", "AAAA")
    assert "is not a table" in refusal(SequenceDataModule(table=path, label_columns=["y"]))


@pytest.mark.parametrize(("label", "cure"), [("1", "shuffles: 1"), ("0", "")])
def test_labels_of_one_class_are_refused(tmp_path: Path, label: str, cure: str) -> None:
    path = write_table(tmp_path, "sequence y", *(f"{text} {label}" for text in random_letters(30, 0)))
    message = refusal(SequenceDataModule(table=path, label_columns=["y"]))
    assert f"all 30 labels of the target 'y' are {label}" in message
    assert cure in message


def test_shuffles_do_not_mend_labels_that_are_all_0(tmp_path: Path) -> None:
    path = write_table(tmp_path, "sequence y", *(f"{text} 0" for text in random_letters(30, 0)))
    assert "all 30 labels" in refusal(SequenceDataModule(table=path, label_columns=["y"], shuffles=1))


def test_a_target_without_any_label_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sequence,x,y\nACGT,1,\nAAAA,0,\n")
    message = refusal(SequenceDataModule(table=str(path), label_columns=["x", "y"]))
    assert message == "the target 'y' has no label at all"


def test_a_measurement_where_a_class_should_be_is_refused_with_the_cure(tmp_path: Path) -> None:
    path = write_table(tmp_path, "sequence y", "ACGT 1", "AAAA 0", "CCCC 2.5")
    assert "label 2.5" in refusal(SequenceDataModule(table=path, label_columns=["y"]))
    message = refusal(SequenceDataModule(table=path, label_columns=["y"]))
    assert "`classify: false`" in message


def test_sequences_of_unequal_length_are_refused_by_name(tmp_path: Path) -> None:
    fasta = {"a": write_fasta(tmp_path, "a", ["ACGT", "AAAA"]), "b": write_fasta(tmp_path, "b", ["CCCC", "CCC"])}
    message = refusal(SequenceDataModule(fasta=fasta))
    assert "3 of 4 have 4 bases, but 'b1' has 3" in message


@pytest.mark.parametrize("fold", [-1, 5])
def test_a_fold_that_is_not_there_is_refused(fold: int) -> None:
    with pytest.raises(ConfigError, match=f"no fold {fold} among 5"):
        SequenceDataModule(folds=5, fold=fold)


@pytest.mark.parametrize("split", ["val", "test"])
def test_an_empty_split_is_refused_when_it_is_wanted(tmp_path: Path, split: Split) -> None:
    data = two_classes(tmp_path, val_fraction=0, test_fraction=0)
    assert len(data.dataset("train")) == 120
    with pytest.raises(ConfigError, match=f"the {split} split is empty: 120 sequences"):
        data.dataset(split)


# Splits


def twins(folder: Path) -> dict[str, str]:
    """Two classes of 150, a third of the sequences repeated, on either strand, within a class and across."""
    bound, other = random_letters(100, 0), random_letters(100, 1)
    again = [other_strand(text) if i % 2 else text for i, text in enumerate(bound[:25] + other[:25])]
    mixed = [again[i] for i in np.random.default_rng(2).permutation(50)]
    return {
        "bound": write_fasta(folder, "bound", bound + mixed),
        "other": write_fasta(folder, "other", other + mixed[::-1]),
    }


def splits_of_twins(data: SequenceDataModule) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for codes, split in zip(data.data.codes, data.data.split.tolist(), strict=True):
        text = decode(codes)
        found.setdefault(min(text, other_strand(text)), set()).add(split)
    return found


@pytest.mark.parametrize("options", [{}, {"folds": 3, "fold": 1}, {"shared_kmer": 12}], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_identical_sequences_land_in_one_split(tmp_path: Path, options: dict[str, Any], seed: int) -> None:
    data = SequenceDataModule(
        fasta=twins(tmp_path), negative_class="other", split_seed=seed, val_fraction=0.3, **options
    )
    found = splits_of_twins(data)
    assert len(found) == 200
    assert all(len(splits) == 1 for splits in found.values())
    assert set.union(*found.values()) == {0, 1, 2}


@pytest.mark.parametrize("options", [{}, {"folds": 4, "fold": 2}], ids=["fractions", "folds"])
def test_sequences_that_share_bases_land_in_one_split(tmp_path: Path, options: dict[str, Any]) -> None:
    # Windows of 24 every 8 bases in 40 regions of 48: a chain each. Every other window is reverse-complemented.
    genome = random_letters(40, 5, length=48)
    chains = [[text[i : i + LENGTH] for i in range(0, LENGTH + 1, 8)] for text in genome]
    flat = [(i, other_strand(w) if k % 2 else w) for i, chain in enumerate(chains) for k, w in enumerate(chain)]
    path = write_table(tmp_path, "sequence y", *(f"{text} {i % 2}" for i, text in flat))
    data = SequenceDataModule(table=path, label_columns=["y"], shared_kmer=16, val_fraction=0.3, **options)
    chain_of = np.array([i for i, _ in flat])
    assert all(len(set(data.data.split[chain_of == i].tolist())) == 1 for i in range(40))
    assert set(data.data.split.tolist()) == {0, 1, 2}
    apart = SequenceDataModule(table=path, label_columns=["y"], val_fraction=0.3, **options)
    assert any(len(set(apart.data.split[chain_of == i].tolist())) > 1 for i in range(40))


def test_the_test_sets_of_all_folds_are_all_sequences_once(tmp_path: Path) -> None:
    fasta = twins(tmp_path)
    tested = np.zeros(300, int)
    for fold in range(5):
        data = SequenceDataModule(fasta=fasta, negative_class="other", folds=5, fold=fold)
        tested += data.data.split == 2
        assert (data.data.split == 1).any()
    assert tested.tolist() == [1] * 300


def test_every_class_gives_its_share(tmp_path: Path) -> None:
    data = two_classes(tmp_path, 100, val_fraction=0.1, test_fraction=0.2)
    assert [data.subset(split).labels.sum() for split in SPLITS] == [70, 10, 20]
    assert [len(data.subset(split)) for split in SPLITS] == [140, 20, 40]


def test_every_one_of_three_classes_gives_its_share(tmp_path: Path) -> None:
    fasta = {name: write_fasta(tmp_path, name, random_letters(n, n)) for name, n in [("a", 100), ("b", 80), ("c", 20)]}
    data = SequenceDataModule(fasta=fasta, val_fraction=0.1, test_fraction=0.2)
    assert [data.subset(split).labels.sum(0).tolist() for split in SPLITS] == [[70, 56, 14], [10, 8, 2], [20, 16, 4]]


def test_a_given_split_that_leaks_is_refused(tmp_path: Path) -> None:
    first = random_letters(1, 0)[0]
    for twin in (first, other_strand(first)):
        path = write_table(
            tmp_path, "sequence y split", f"{first} 1 train", f"{'A' * LENGTH} 0 train", f"{twin} 1 test"
        )
        message = refusal(SequenceDataModule(table=path, label_columns=["y"], split_column="split"))
        assert "leaks: 1 groups of identical sequences" in message


def test_a_given_split_that_shares_bases_is_refused_only_where_that_is_asked(tmp_path: Path) -> None:
    one, two, third = random_letters(3, 0)
    overlap = other_strand(one[-16:] + two[:8])
    path = write_table(tmp_path, "sequence y split", f"{one} 1 train", f"{overlap} 0 val", f"{third} 1 test")
    options: dict[str, Any] = {"table": path, "label_columns": ["y"], "split_column": "split"}
    assert SequenceDataModule(**options).data.split.tolist() == [0, 1, 2]
    assert SequenceDataModule(shared_kmer=17, **options).data.split.tolist() == [0, 1, 2]
    message = refusal(SequenceDataModule(shared_kmer=16, **options))
    assert "leaks: 1 groups of sequences that share a 16-mer" in message


def test_identical_sequences_within_a_given_split_are_no_leak(tmp_path: Path) -> None:
    path = write_table(tmp_path, "sequence y split", "ACGG 1 train", "CCGT 1 train", "AAAA 0 test", "AAAA 0 test")
    data = SequenceDataModule(table=path, label_columns=["y"], split_column="split")
    assert data.data.split.tolist() == [0, 0, 2, 2]


def test_what_is_identical_to_a_given_test_sequence_is_not_trained_on() -> None:
    # The test set is given, the rest is still to be split: ten of the rest are in the test set, on the other strand.
    codes = np.stack([encode(text) for text in random_letters(100, 0)])
    codes[90:] = reverse_complement(codes[:10])
    split = np.full(100, -1)
    split[:10] = 2
    data = given(LabelledSequences(codes, np.arange(100)[:, None] % 2 * np.float32(1), split), test_fraction=0.0)
    try:
        found = data.data.split
    except InputError:
        return  # refused: that is right too
    assert found[:10].tolist() == [2] * 10
    assert not (found[90:] == 0).any()


def test_leaks_are_counted_by_group() -> None:
    groups, splits = np.array([0, 0, 1, 1, 2, 3, 3, 3]), np.array([0, 0, 0, 2, 1, 0, 1, 2])
    leak = find_leak(groups, splits)
    assert leak.groups == 2
    assert np.flatnonzero(leak.dropped).tolist() == [2, 5, 6]  # the test set stays whole


def test_the_description_counts_each_split(tmp_path: Path) -> None:
    data = two_classes(tmp_path, 1000, val_fraction=0.1, test_fraction=0.2)
    assert data.describe() == [
        "train: 1,400 sequences, 700 positive",
        "val: 200 sequences, 100 positive",
        "test: 400 sequences, 200 positive",
    ]


# Batches


def test_an_epoch_is_every_training_sequence_once_with_its_label(tmp_path: Path) -> None:
    data = two_classes(tmp_path, batch_size=16)
    train = data.subset("train")
    known = {decode(codes): tuple(labels) for codes, labels in zip(train.codes, train.labels.tolist(), strict=True)}
    found = epoch_of(data, 0)
    assert len(train) == 96 and len(found) == len({text for text, _ in found}) == 96
    assert all(known[text] == labels for text, labels in found)


def test_the_last_short_batch_is_left_out_of_training_only(tmp_path: Path) -> None:
    data = two_classes(tmp_path, batch_size=25)  # 96 for training, 12 each for the others
    assert [len(batch.codes) for batch in data.train_dataloader()] == [25, 25, 25]
    data.batch_size = 5
    assert [len(batch.codes) for batch in data.val_dataloader()] == [5, 5, 2]
    assert [len(batch.codes) for batch in data.test_dataloader()] == [5, 5, 2]


@pytest.mark.parametrize("split", ["val", "test"])
def test_held_out_sequences_come_in_order(tmp_path: Path, split: Split) -> None:
    data = two_classes(tmp_path, batch_size=5)
    loader = data.val_dataloader() if split == "val" else data.test_dataloader()
    held = data.subset(split)
    expected = [(decode(codes), tuple(row)) for codes, row in zip(held.codes, held.labels.tolist(), strict=True)]
    assert rows_of(loader) == expected


@pytest.mark.parametrize("shuffles", [1, 3])
def test_shuffles_of_each_sequence_follow_it_with_label_0(tmp_path: Path, shuffles: int) -> None:
    data = peaks(tmp_path, shuffles=shuffles)
    dataset = data.dataset("train")
    count = len(dataset.data)
    assert (count, len(dataset)) == (40, 40 * (1 + shuffles))
    found = rows_of([dataset.__getitems__(range(len(dataset)))])
    for position, (text, labels) in enumerate(found):
        source = decode(dataset.data.codes[position % count])
        assert labels == (1.0 if position < count else 0.0,)
        assert (text == source) == (position < count)
        assert dinucleotides(text) == dinucleotides(source)
        assert text[0] + text[-1] == source[0] + source[-1]


def test_the_data_are_left_as_they_were(tmp_path: Path) -> None:
    data = peaks(tmp_path, shift=4)
    before = data.subset("train").codes.copy()
    dataset = data.dataset("train")
    dataset.__getitems__(range(len(dataset)))
    assert np.array_equal(dataset.data.codes, before)
    assert (dataset.data.labels == 1).all()


def test_shuffles_are_fresh_each_epoch_and_the_same_for_a_seed_and_an_epoch(tmp_path: Path) -> None:
    data = peaks(tmp_path, batch_size=16)
    first, second = ({text for text, (label,) in epoch_of(data, epoch) if not label} for epoch in (0, 1))
    assert len(first & second) <= 2
    assert epoch_of(data, 1) == epoch_of(peaks(tmp_path, batch_size=16), 1)
    assert epoch_of(data, 1) != epoch_of(peaks(tmp_path, batch_size=16, seed=1), 1)


def test_the_order_of_training_changes_with_the_epoch(tmp_path: Path) -> None:
    data = two_classes(tmp_path, batch_size=16)
    assert epoch_of(data, 0) != epoch_of(data, 1)
    assert sorted(epoch_of(data, 0)) == sorted(epoch_of(data, 1))


@pytest.mark.parametrize("split", ["val", "test"])
def test_shuffles_of_held_out_sequences_are_fixed(tmp_path: Path, split: Split) -> None:
    data, again = (peaks(tmp_path, val_fraction=0.3, test_fraction=0.3, batch_size=8) for _ in range(2))

    def read(module: SequenceDataModule) -> list[tuple[str, tuple[float, ...]]]:
        return rows_of(module.val_dataloader() if split == "val" else module.test_dataloader())

    first = read(data)
    epoch_of(data, 0)
    assert read(data) == first
    assert read(again) == first
    assert [labels for _, labels in first] == [(1.0,)] * 15 + [(0.0,)] * 15


def test_splits_with_negatives_of_their_own_get_no_shuffles(tmp_path: Path) -> None:
    rows = [(text, 1, "train") for text in random_letters(20, 0)]
    rows += [(text, i % 2, "test") for i, text in enumerate(random_letters(10, 1))]
    rows += [(text, 1, "val") for text in random_letters(6, 2)]
    path = write_table(tmp_path, "sequence y split", *(f"{text} {y} {split}" for text, y, split in rows))
    data = SequenceDataModule(table=path, label_columns=["y"], split_column="split", shuffles=2)
    assert [len(data.dataset(split)) for split in SPLITS] == [60, 18, 10]


def test_sequences_that_are_positive_wherever_measured_get_shuffles(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{text},{'1' if i % 2 else ''},1" for i, text in enumerate(random_letters(40, 0))]
    path.write_text("sequence,x,y\n" + "\n".join(rows) + "\n")
    data = SequenceDataModule(table=str(path), label_columns=["x", "y"], shuffles=1)
    dataset = data.dataset("train")
    assert (dataset.__getitems__(range(len(dataset))).target[:, 0] == 0).any()


def test_a_target_that_is_1_everywhere_gets_shuffles_or_is_refused(tmp_path: Path) -> None:
    rows = [f"{text} 1 {i % 2}" for i, text in enumerate(random_letters(40, 0))]
    data = SequenceDataModule(table=write_table(tmp_path, "sequence x y", *rows), label_columns=["x", "y"], shuffles=1)
    try:
        dataset = data.dataset("train")
    except InputError as error:
        assert "'x'" in str(error)
        return
    assert (dataset.__getitems__(range(len(dataset))).target[:, 0] == 0).any()


@pytest.mark.parametrize(
    "option", [{"batch_size": 0}, {"epoch_size": 0}, {"shift": -1}, {"shuffles": -1}, {"seed": -1}]
)
def test_numbers_of_which_no_epoch_can_be_made_are_refused(tmp_path: Path, option: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="batch_size and epoch_size must be at least 1; shift, shuffles"):
        two_classes(tmp_path, **option)


@pytest.mark.parametrize(("epoch_size", "drawn"), [(32, 32), (48, 48), (192, 192), (50, 48), (8, 8)])
def test_epoch_size_fixes_how_many_are_drawn(tmp_path: Path, epoch_size: int, drawn: int) -> None:
    data = two_classes(tmp_path, epoch_size=epoch_size, batch_size=16)
    found = epoch_of(data, 0)
    assert len(found) == drawn
    if drawn <= 96:
        assert len(set(found)) == drawn
    else:
        assert set(Counter(found).values()) == {2}


def test_a_batch_larger_than_the_data_is_the_data(tmp_path: Path) -> None:
    assert len(epoch_of(two_classes(tmp_path, batch_size=1000), 0)) == 96


def weighted(shuffles: int, weight: NDArray[np.float64]) -> SequenceDataModule:
    codes = np.stack([encode(text) for text in random_letters(len(weight), 0)])
    labels = np.ones((len(weight), 1), np.float32)
    labels[0] = shuffles > 0
    data = LabelledSequences(codes, labels, np.zeros(len(weight), np.int64), weight)
    return given(data, shuffles=shuffles, epoch_size=8000, batch_size=100)


def test_weights_change_how_often_a_sequence_is_drawn() -> None:
    data = weighted(0, np.array([1.0, 1.0, 2.0, 4.0]))
    counts = Counter(text for text, _ in epoch_of(data, 0))
    observed = [counts[decode(codes)] for codes in data.subset("train").codes]
    assert sum(observed) == 8000
    assert chisquare(observed, [1000, 1000, 2000, 4000]).pvalue > 1e-4


def test_shuffles_are_drawn_as_often_as_their_sequence() -> None:
    data = weighted(1, np.array([1.0, 3.0]))
    index = np.array(list(data.train_dataloader().sampler)) % 4
    assert chisquare(np.bincount(index), [1000, 3000, 1000, 3000]).pvalue > 1e-4


def test_a_subset_keeps_what_belongs_together() -> None:
    codes: Codes = np.arange(12, dtype=np.uint8).reshape(4, 3) % 5
    labels = np.arange(4, dtype=np.float32)[:, None]
    data = LabelledSequences(codes, labels, np.array([0, 1, 2, 0]), np.array([1.0, 2.0, 3.0, 4.0]))
    half = data.subset(data.split == 0)
    assert half.codes.tolist() == codes[[0, 3]].tolist()
    assert half.labels.tolist() == [[0], [3]]
    assert half.weight is not None
    assert half.weight.tolist() == [1, 4]
    assert LabelledSequences(codes, labels, data.split).subset(data.split == 0).weight is None


@pytest.mark.parametrize("shift", [0, 3])
def test_workers_read_what_one_process_reads(tmp_path: Path, shift: int) -> None:
    alone, helped = (peaks(tmp_path, batch_size=9, shift=shift, num_workers=workers) for workers in (0, 2))
    loaders = alone.train_dataloader(), helped.train_dataloader()
    for epoch in (0, 1):
        for loader in loaders:
            loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        assert rows_of(loaders[0]) == rows_of(loaders[1])
    assert rows_of(alone.val_dataloader()) == rows_of(helped.val_dataloader())


# Shifts


def test_shifts_on_paper() -> None:
    codes = np.stack([encode("ACGT")] * 6)
    shifted = shift_codes(codes, np.array([0, 1, -1, 3, -4, 9]))
    assert list(map(decode, shifted)) == ["ACGT", "NACG", "CGTN", "NNNA", "NNNN", "NNNN"]


def test_no_shift_changes_nothing() -> None:
    codes = np.stack([encode(text) for text in random_letters(5, 0)])
    assert np.array_equal(shift_codes(codes, np.zeros(5, np.int64)), codes)


def test_only_training_sequences_are_shifted_and_to_either_side_alike(tmp_path: Path) -> None:
    data = two_classes(tmp_path, shift=2)
    dataset = data.dataset("train")
    moved: Counter[int] = Counter()
    for epoch in range(20):
        batch = dataset.__getitems__(range(epoch * len(dataset), (epoch + 1) * len(dataset)))
        for before, after in zip(map(decode, dataset.data.codes), map(decode, batch.codes.numpy()), strict=True):
            padded = "NN" + before + "NN"
            (by,) = [by for by in range(-2, 3) if padded[2 - by : 2 - by + LENGTH] == after]
            moved[by] += 1
    assert chisquare([moved[by] for by in range(-2, 3)]).pvalue > 1e-4
    assert {text for text, _ in rows_of(data.val_dataloader())} == letters_of(data, "val")


def test_a_batch_is_codes_and_float_targets(tmp_path: Path) -> None:
    batch = next(iter(two_classes(tmp_path).train_dataloader()))
    assert (batch.codes.dtype, batch.target.dtype) == (torch.uint8, torch.float32)


def test_no_process_is_left_without_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda *_: 8)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda *_: 7)
    data = two_classes(tmp_path, batch_size=64)  # 96 for training: 12 for each of eight processes
    assert [len(batch.codes) for batch in data.train_dataloader()] == [12]
