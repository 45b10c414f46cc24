"""Splits that are given: a file for each, validation drawn from train, and what is done where they leak."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.data.sequences.module import SequenceDataModule
from zoo.data.splits import SPLITS
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import decode

LENGTH = 24
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def texts(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [decode(rng.integers(0, 4, LENGTH).astype(np.uint8)) for _ in range(count)]


def other_strand(text: str) -> str:
    return text.translate(COMPLEMENT)[::-1]


def table(path: Path, rows: list[str], split: str | None = None) -> str:
    """A table of sequences with labels 0 and 1 in turn."""
    lines = [f"{text}\t{index % 2}" + (f"\t{split}" if split else "") for index, text in enumerate(rows)]
    path.write_text("sequence\ty" + ("\tsplit" if split else "") + "\n" + "\n".join(lines) + "\n")
    return str(path)


def module(given: Any, **options: Any) -> SequenceDataModule:
    return SequenceDataModule(table=given, label_columns=["y"], **options)


def by_split(data: SequenceDataModule) -> dict[str, list[str]]:
    return {split: [decode(codes) for codes in data.subset(split).codes] for split in SPLITS}


@pytest.mark.parametrize("names", [("train", "val", "test"), ("training", "valid", "test")])
def test_a_table_for_each_split(tmp_path: Path, names: tuple[str, ...]) -> None:
    rows = texts(30)
    parts = dict(zip(names, (rows[:18], rows[18:24], rows[24:]), strict=True))
    data = module({name: table(tmp_path / f"{name}.tsv", part) for name, part in parts.items()})
    assert by_split(data) == dict(zip(SPLITS, parts.values(), strict=True))
    assert data.length == LENGTH


def test_fasta_files_for_each_split_beside_one_whose_splits_are_drawn(tmp_path: Path) -> None:
    bound, unbound = texts(40), texts(100, 1)
    files: dict[str, Any] = {"bound": {}, "unbound": str(tmp_path / "unbound.fa")}
    for split, part in (("train", bound[:20]), ("val", bound[20:30]), ("test", bound[30:])):
        files["bound"][split] = str(tmp_path / f"{split}.fa")
        (tmp_path / f"{split}.fa").write_text("".join(f">{i}\n{text}\n" for i, text in enumerate(part)))
    (tmp_path / "unbound.fa").write_text("".join(f">{i}\n{text}\n" for i, text in enumerate(unbound)))
    data = SequenceDataModule(fasta=files, negative_class="unbound", val_fraction=0.1, test_fraction=0.2)
    found = by_split(data)
    assert [text for split in SPLITS for text in found[split] if text in bound] == bound
    assert [sum(text in unbound for text in found[split]) for split in SPLITS] == [70, 10, 20]


def test_validation_is_drawn_from_train_where_only_train_and_test_are_given(tmp_path: Path) -> None:
    rows = texts(120)
    train = [*rows[:100], rows[0], other_strand(rows[1])]  # two that must stay with their twins
    data = module({"train": table(tmp_path / "a.tsv", train), "test": table(tmp_path / "b.tsv", rows[100:])})
    found = by_split(data)
    assert found["test"] == rows[100:]
    assert sorted(found["train"] + found["val"]) == sorted(train)
    assert 8 <= len(found["val"]) <= 12
    for text, twin in ((rows[0], rows[0]), (rows[1], other_strand(rows[1]))):
        assert (text in found["val"]) == (twin in found["val"])
    assert data.describe()[0] == "no validation sequences are given: 10% of train are drawn for it"
    lines = Path(table(tmp_path / "c.tsv", rows[:100], "train")).read_text()
    lines += "".join(f"{text}\t{i % 2}\ttest\n" for i, text in enumerate(rows[100:]))
    (tmp_path / "c.tsv").write_text(lines)
    by_column = by_split(module(str(tmp_path / "c.tsv"), split_column="split"))
    assert by_column["test"] == rows[100:]
    assert len(by_column["val"]) == 10


def leaking(tmp_path: Path) -> SequenceDataModule:
    """Two sequences of train and one of val are in test too, one of them on the other strand."""
    return module(leaking_files(tmp_path))


def leaking_files(tmp_path: Path) -> dict[str, str]:
    rows = texts(40)
    parts = {"train": rows[:20], "val": [*rows[20:30], rows[35]], "test": [*rows[30:], rows[3], other_strand(rows[4])]}
    return {split: table(tmp_path / f"{split}.tsv", part) for split, part in parts.items()}


def test_a_leak_is_refused_with_the_ways_out(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        _ = leaking(tmp_path).data
    message = str(error.value)
    assert "3 groups of identical sequences are in more than one split (both strands considered)" in message
    assert f"such as {texts(40)[3]}... in train and test" in message
    assert "--data.on_leak drop leaves 2 of train and 1 of val out, --data.on_leak warn keeps all" in message
    assert "--data.strands forward counts 2 groups (for a model that reads one strand)" in message


def test_what_leaks_is_dropped_from_train_first(tmp_path: Path) -> None:
    rows = texts(40)
    data = module(leaking_files(tmp_path), on_leak="drop")
    found = by_split(data)
    assert found == {
        "train": [*rows[:3], *rows[5:20]],
        "val": rows[20:30],
        "test": [*rows[30:], rows[3], other_strand(rows[4])],
    }
    assert data.describe()[0].endswith("in train and test; 2 of train and 1 of val left out")


def test_a_leak_that_is_kept_is_said(tmp_path: Path) -> None:
    data = module(leaking_files(tmp_path), on_leak="warn")
    assert len(data.data) == 43
    assert "3 groups of identical sequences" in data.describe()[0]
    assert data.describe()[0].endswith("all are kept")


@pytest.mark.parametrize(("k", "on_leak"), product([None, 20], ["drop", "warn"]))
def test_of_one_strand_the_other_is_another_sequence(tmp_path: Path, k: int | None, on_leak: Any) -> None:
    data = module(leaking_files(tmp_path), strands="forward", on_leak=on_leak, shared_kmer=k)
    assert texts(40)[4] in by_split(data)["train"]
    assert data.describe()[0].startswith("the given split leaks: 2 groups of ")
    assert "(one strand considered)" in data.describe()[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_leak": "some"}, "on_leak is refuse, drop or warn"),
        ({"strands": "minus"}, "strands is both or forward"),
        ({"strands": "forward", "reverse_complement": True}, "does not go with reverse_complement"),
        ({"split_column": "split"}, "leaves no use for split_column"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        module(leaking_files(tmp_path), **options)


def test_a_word_that_is_no_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'trial' is no split: files are given by train, val, test, or one for all"):
        module({"trial": table(tmp_path / "a.tsv", texts(4))}).spec()


# A separate file of test data.


def fasta(path: Path, rows: list[str]) -> str:
    path.write_text("".join(f">{index}\n{text}\n" for index, text in enumerate(rows)))
    return str(path)


def test_a_test_table_leaves_the_other_table_for_training_and_validation(tmp_path: Path) -> None:
    rows = texts(120)
    train, test = table(tmp_path / "a.tsv", rows[:100]), table(tmp_path / "b.tsv", rows[100:])
    data = module(train, test_table=test, test_fraction=0.5)
    assert by_split(data) == by_split(module({"train": train, "test": test}))
    assert by_split(data)["test"] == rows[100:]
    assert len(by_split(data)["val"]) == 10
    val = table(tmp_path / "c.tsv", texts(7, 9))
    assert by_split(module({"train": train, "val": val}, test_table=test))["val"] == texts(7, 9)


def test_test_fasta_of_some_classes(tmp_path: Path) -> None:
    bound, unbound = texts(60), texts(50, 1)
    files = {"bound": fasta(tmp_path / "a.fa", bound[:50]), "unbound": fasta(tmp_path / "b.fa", unbound[:40])}
    options: dict[str, Any] = {"fasta": files, "negative_class": "unbound"}
    test = {"bound": fasta(tmp_path / "c.fa", bound[50:]), "unbound": fasta(tmp_path / "d.fa", unbound[40:])}
    data = SequenceDataModule(**options, test_fasta=test)
    assert sorted(by_split(data)["test"]) == sorted([*bound[50:], *unbound[40:]])
    assert data.subset("test").labels.sum() == 10
    assert len(by_split(data)["val"]) == 9  # a tenth of 90
    alone = SequenceDataModule(**options, test_fasta={"bound": test["bound"]})
    assert by_split(alone)["test"] == bound[50:]
    assert sorted(by_split(alone)["train"] + by_split(alone)["val"]) == sorted([*bound[:50], *unbound[:40]])


def test_test_data_that_are_in_the_training_file_are_a_leak(tmp_path: Path) -> None:
    rows = texts(40)
    train, test = table(tmp_path / "a.tsv", rows[:30]), table(tmp_path / "b.tsv", [*rows[30:], other_strand(rows[3])])
    with pytest.raises(InputError, match="1 groups of identical sequences are in more than one split"):
        _ = module(train, test_table=test).data
    found = by_split(module(train, test_table=test, on_leak="drop"))
    assert rows[3] not in found["train"] + found["val"]
    assert found["test"] == [*rows[30:], other_strand(rows[3])]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": {"train": "a", "test": "b"}, "test_table": "c"}, "given twice, by test_table and as `test`"),
        ({"test_table": "c"}, "test_table goes with training data of its form: give `table` too"),
        ({"table": "a", "test_fasta": {"x": "c"}}, "give `fasta` too"),
        ({"table": "a", "test_table": "b", "folds": 3}, "test_table does not go with folds"),
        ({"table": "a", "test_table": "b", "split_column": "s"}, "no use for split_column"),
        ({"fasta": {"bound": "a"}, "test_fasta": {"bond": "b"}}, "the class 'bond', which is not in `fasta`.*bound"),
        ({"fasta": {"bound": "a"}, "test_fasta": {}}, "test_fasta names no class"),
    ],
)
def test_test_data_that_contradict_the_others_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SequenceDataModule(**options)
