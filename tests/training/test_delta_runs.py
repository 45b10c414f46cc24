"""`--delta true`: a run stores what differs from its base, whatever it trains, resumed and repeated."""

import shutil
from pathlib import Path

import pytest
import torch
from made.bases import save_base, write_data

from zoo.cli import main
from zoo.hub.config import read_config
from zoo.hub.load import load, verify

BASE = "local-dir:bases/basset.base"
QUICK = ["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
FINE = ["finetune", BASE, "bound.fa", *QUICK]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    for base in ("basset", "basenji"):
        save_base(folder, base)
    return folder


@pytest.fixture(autouse=True)
def desk(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in written.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CACHE", str(written / "cache"))


def tuned(name: str, *options: str, epochs: int = 1) -> dict[str, torch.Tensor]:
    assert main([*FINE, "--name", name, "--trainer.max_epochs", str(epochs), *options]) == 0
    return load(name).state_dict()


def refusal(capsys: Capture, *words: str) -> str:
    assert main(words) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("zoo: ")
    return line


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lora", "head", "last:1", "full"])
def test_a_run_with_a_delta_gives_the_weights_of_one_without(mode: str, capsys: Capture) -> None:
    options = ("--mode", mode, *(("--transfer.lora_rank", "1") if mode == "lora" else ()))
    small = tuned("basset.small", *options, "--delta", "true")
    printed = capsys.readouterr().err
    whole = tuned("basset.whole", *options)
    assert all(torch.equal(value, small[name]) for name, value in whole.items())
    assert verify("basset.small").difference == 0
    folder = Path("checkpoints/basset.small")
    base = read_config(folder).delta_base
    assert base is not None
    size, of_base = (
        path.stat().st_size for path in (folder / "delta.safetensors", Path("bases/basset.base/model.safetensors"))
    )
    assert f"delta of {100 * size / of_base:.1f} % of the base's weights" in printed
    assert (base.name, base.mode, base.delta) == (BASE, mode, size / of_base)
    assert not (folder / "model.safetensors").exists()


@pytest.mark.slow
def test_a_resumed_run_and_the_recipe_end_with_the_same_delta(capsys: Capture) -> None:
    scheduler = ("--lr_scheduler", "torch.optim.lr_scheduler.StepLR", "--lr_scheduler.step_size", "2")
    options = ("--mode", "lora", "--delta", "true", *scheduler)
    tuned("basset.whole", *options, epochs=2)
    tuned("basset.parts", *options, epochs=1)
    tuned("basset.parts", *options, "--resume", "true", epochs=2)
    capsys.readouterr()
    assert main(["train", "checkpoints/basset.whole", "--name", "basset.again"]) == 0
    folders = [Path("checkpoints") / f"basset.{name}" for name in ("whole", "parts", "again")]
    assert len({(folder / "delta.safetensors").read_bytes() for folder in folders}) == 1


@pytest.mark.slow
def test_a_delta_is_a_base_of_whole_weights_alone(capsys: Capture) -> None:
    tuned("basset.small", "--mode", "head", "--delta", "true")
    again = ["finetune", "basset.small", "bound.fa", *QUICK, "--trainer.max_epochs", "1", "--name", "basset.again"]
    assert main(["predict", "basset.small", "bound.fa", "-o", "scores.tsv"]) == 0
    assert main(again) == 0
    run = read_config(Path("checkpoints/basset.again")).facts.training
    assert run.base is not None
    assert run.base.sha256 == read_config(Path("checkpoints/basset.small")).sha256["delta.safetensors"]
    shutil.rmtree("runs")
    message = refusal(capsys, *again, "--delta", "true")
    assert "--delta true cannot be stored on basset.small, for that is a delta itself" in message
    assert not list(Path().glob("runs/*/*"))


def test_what_could_not_be_stored_is_refused_before_training(capsys: Capture) -> None:
    words = ["finetune", "local-dir:bases/basenji.base", "bound.fa", *QUICK, "--delta", "true"]
    message = refusal(capsys, *words)
    assert "for that is of the architecture basenji, not basenji_labels; or leave out --delta" in message
    message = refusal(capsys, *FINE, "--delta", "true", "--name", "basset.base", "--checkpoints", "bases")
    assert "and this run would replace it: give another --name" in message
    assert not list(Path().glob("runs/*/*"))
