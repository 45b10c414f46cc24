"""Precisions and strategies of Lightning through `zoo train`: what works, and what is refused in one sentence."""

from pathlib import Path

import pytest
import yaml
from made.runs import make_runs

from zoo.cli import main
from zoo.hub.config import read_config


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    return make_runs(folder, epochs=1)["mlp"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trainer.precision", "bf16-true"], "take 32-true, bf16-mixed or 16-mixed"),
        (["--trainer.precision", "16-true"], "take 32-true, bf16-mixed or 16-mixed"),
        (["--trainer.precision", "64-true"], "take 32-true, bf16-mixed or 16-mixed"),
        (["--trainer.strategy", "fsdp", "--trainer.accelerator", "cpu"], "`fsdp` requires a GPU accelerator"),
        (["--trainer.strategy", "some"], "strategy"),
    ],
)
def test_what_cannot_work_is_one_sentence(
    config: Path, words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["train", str(config), *words]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("zoo: ")
    assert message in error
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_mixed_precision_and_gradients_of_several_batches(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    callback = yaml.safe_load(config.read_text())["trainer"].get("callbacks", [])
    averaging = {"class_path": "lightning.pytorch.callbacks.EMAWeightAveraging", "init_args": {"decay": 0.9}}
    content = yaml.safe_load(config.read_text())
    content["trainer"]["callbacks"] = [*callback, averaging]
    Path("made.yaml").write_text(yaml.safe_dump(content))
    words = ["--trainer.precision", "bf16-mixed", "--trainer.accumulate_grad_batches", "2"]
    assert main(["train", "made.yaml", *words]) == 0
    training = read_config(Path("checkpoints/mlp.made")).facts.training
    assert training.precision == "bf16-mixed"
