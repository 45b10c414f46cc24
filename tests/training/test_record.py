"""What a run records: names of its files, and what is said where there is something to record but it cannot be."""

import hashlib
from pathlib import Path
from typing import NoReturn

import pytest

from zoo.data.sequences import SequenceDataModule
from zoo.models.mlp import MLP
from zoo.training.record import file_hashes, score_intervals


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SequenceDataModule:
    monkeypatch.chdir(tmp_path)
    for folder in ("a/x", "b/x"):
        Path(folder).mkdir(parents=True)
        Path(folder, "in.fa").write_text(f">{folder}\nACGT\n")
    Path("other.fa").write_text(">o\nACGT\n")
    return SequenceDataModule(fasta={"a": "a/x/in.fa", "b": "b/x/in.fa", "c": "other.fa"})


def words(**files: str) -> list[str]:
    Path("run.yaml").write_text("data: {class_path: zoo.data.sequences.SequenceDataModule}\n")
    return ["run.yaml", "--data.fasta", "{" + ", ".join(f"{name}: {file}" for name, file in files.items()) + "}"]


def test_files_of_one_name_are_told_apart_and_none_is_lost(
    data: SequenceDataModule, capsys: pytest.CaptureFixture[str]
) -> None:
    hashes = file_hashes(data, words(a="a/x/in.fa", b="b/x/in.fa", c="other.fa"))
    assert hashes == {
        name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in ("a/x/in.fa", "b/x/in.fa", "other.fa")
    }
    arguments = words(a="a/x/in.fa", c="other.fa")
    Path("other.fa").unlink()
    assert list(file_hashes(data, arguments)) == ["in.fa"]
    assert "other.fa: no such file: it is gone, so the card has no sha256 of it" in capsys.readouterr().err


@pytest.mark.parametrize("error", [RuntimeError("out of\nmemory"), MemoryError()])
def test_a_finished_model_is_not_lost_for_its_intervals(
    error: Exception, data: SequenceDataModule, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr("zoo.training.record.score", fail)
    assert score_intervals(MLP(["a", "b", "c"], 4, hidden=(2,)), data, ["auroc"], "cpu") == {}
    err = capsys.readouterr().err
    assert err.startswith("zoo: the card has no intervals of the scores: ")
    assert err.count("\n") == 1
