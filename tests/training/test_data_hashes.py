"""The hashes of a run's files are those of what it read: of files that change meanwhile there is none."""

import hashlib
from pathlib import Path

import pytest

from zoo.errors import ConfigError
from zoo.training.data_hashes import HashedFile, hash_files, refuse_changed, unchanged_hashes


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("a/x", "b/x"):
        Path(folder).mkdir(parents=True)
        Path(folder, "in.fa").write_text(f">{folder}\nACGT\n")
    Path("other.fa").write_text(">o\nACGT\n")


def hashed(**files: str) -> list[HashedFile]:
    Path("run.yaml").write_text("data: {class_path: zoo.data.sequences.SequenceDataModule}\n")
    named = ", ".join(f"{name}: {file}" for name, file in files.items())
    return hash_files(["run.yaml", "--data.fasta", "{" + named + "}"])


def digest(name: str) -> str:
    return hashlib.sha256(Path(name).read_bytes()).hexdigest()


def test_files_of_one_name_are_told_apart_and_none_is_lost() -> None:
    names = ("a/x/in.fa", "b/x/in.fa", "other.fa")
    assert unchanged_hashes(hashed(a=names[0], b=names[1], c=names[2])) == {name: digest(name) for name in names}


def test_a_file_that_changes_or_goes_while_the_model_is_trained_has_no_hash(capsys: pytest.CaptureFixture[str]) -> None:
    before = hashed(a="a/x/in.fa", b="b/x/in.fa", c="other.fa")
    Path("a/x/in.fa").write_text(">a/x\nACGA\n")
    Path("other.fa").unlink()
    assert unchanged_hashes(before) == {"b/x/in.fa": digest("b/x/in.fa")}
    err = capsys.readouterr().err
    assert "a/x/in.fa was changed while the model was trained, so the card has no sha256 of it" in err
    assert "other.fa is gone, so the card has no sha256 of it" in err


def test_a_run_is_not_resumed_with_a_file_that_changed_between_its_samples() -> None:
    Path("other.fa").write_bytes(b"A" * 4_000_000)
    before = unchanged_hashes(hashed(c="other.fa"))
    refuse_changed(before, hashed(c="other.fa"))
    with Path("other.fa").open("r+b") as file:
        file.seek(100_000)  # the resuming run knows 16 samples of 65,536 bytes, of which none holds this byte
        file.write(b"C")
    with pytest.raises(ConfigError, match=r"other\.fa is not the file with which the run began \(its sha256 differs\)"):
        refuse_changed(before, hashed(c="other.fa"))
