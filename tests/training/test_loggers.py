"""Loggers of a configuration: experiments that a resumed run goes on with, what they hold, and what is refused."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from made.runs import make_runs

from zoo.errors import ConfigError, IntegrityError, MissingExtraError, OutputError
from zoo.hub.config import read_config
from zoo.training import loggers
from zoo.training.parse import parse
from zoo.training.run import train

Run = Callable[..., tuple[int, str, str]]


class Memory(Logger):
    """A logger that keeps what it is told; an experiment that is opened again goes on."""

    kept: dict[str, dict[str, Any]] = {}  # noqa: RUF012

    def __init__(self, title: str | None = None, key: str | None = None, breaks: str = "") -> None:
        super().__init__()
        self.title, self.key, self.breaks = title, key, breaks

    @property
    def experiment(self) -> Any:
        if self.breaks == "begin":
            raise ValueError("no\nserver")
        if self.key is None:
            self.key = f"key{len(self.kept)}"
        return self.kept.setdefault(self.key, {"title": self.title, "params": [], "rows": []})

    @property
    def name(self) -> str | None:
        return self.title

    @property
    def version(self) -> str | None:
        return self.key

    @rank_zero_only
    def log_hyperparams(self, params: Any) -> None:
        self.experiment["params"].append(dict(params))

    @rank_zero_only
    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        if self.breaks == "log":
            raise ValueError("lost the server")
        self.experiment["rows"].append({"step": step, **metrics})


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Memory, "kept", {})
    monkeypatch.setitem(loggers._KNOWN, "Memory", loggers._Arguments("key", "title"))
    path = make_runs(tmp_path, epochs=2)["mlp"]
    content = yaml.safe_load(path.read_text())
    content["trainer"]["logger"] = {"class_path": f"{__name__}.Memory"}
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_resumed_run_goes_on_in_its_experiment_with_its_options_and_scores(config: Path) -> None:
    folder = train([str(config)])
    train([str(config), "--resume", "true", "--trainer.max_epochs", "3", "--optimizer.lr", "0.003"])
    assert list(Memory.kept) == ["key0"]
    experiment = Memory.kept["key0"]
    assert experiment["title"] == "mlp.made"
    options = next(params for params in experiment["params"] if "optimizer.lr" in params)
    assert options["optimizer.lr"] == 0.003
    assert options["model.hidden"] == [8]
    assert options["model.class_path"] == "zoo.models.mlp.MLP"
    assert sum("optimizer.lr" in params for params in experiment["params"]) == 1
    epochs = [row["epoch"] for row in experiment["rows"] if "val_loss" in row]
    assert epochs == [0, 1, 2]
    scores = [row for row in experiment["rows"] if "test_auroc" in row]
    training = read_config(folder).facts.training
    assert training
    assert len(scores) == 2
    assert scores[-1]["test_auroc"] == training.metrics["test"]["auroc"]
    assert scores[-1]["best_val_loss"] == training.metrics["val"]["loss"]
    train([str(config), "--overwrite", "true"])
    assert list(Memory.kept) == ["key0", "key1"]


def test_several_loggers_join_those_of_the_run(config: Path) -> None:
    own = "{class_path: CSVLogger, init_args: {save_dir: mine}}"
    board = "{class_path: TensorBoardLogger, init_args: {save_dir: board}}"
    words = [
        str(config),
        "--trainer.logger",
        f"[{{class_path: {__name__}.Memory, init_args: {{key: a}}}}, {own}, {board}]",
    ]
    train(words)
    train([*words, "--resume", "true", "--trainer.max_epochs", "3"])
    assert list(Memory.kept) == ["a"]
    assert len(list(Path("mine").rglob("metrics.csv"))) == 2  # the second would delete the first in its place
    assert [path.name for path in Path("board/lightning_logs").iterdir()] == ["version_0"]
    assert Path("runs/mlp.made/log_1/metrics.csv").is_file()


def test_an_experiment_that_cannot_begin_or_go_on_is_one_sentence(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"trainer.logger: Memory cannot begin: no server; no epoch was trained"):
        train([str(config), "--trainer.logger.breaks", "begin"])
    assert not Path("runs/mlp.made").exists()
    with pytest.raises(OutputError, match=r"trainer.logger: Memory failed: lost the server"):
        train([str(config), "--trainer.logger.breaks", "log"])
    train([str(config), "--overwrite", "true"])
    Path("runs/mlp.made/loggers.json").write_text("{")
    with pytest.raises(IntegrityError, match=r"loggers.json is damaged: remove it"):
        train([str(config), "--resume", "true"])


def test_a_run_needs_its_own_logs(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"trainer.logger is false, and a run needs its own logs"):
        parse([str(config), "--trainer.logger", "false"])
    assert parse([str(config), "--trainer.logger", "true"]).further_loggers == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            "{save_dir: a, flush_logs_every_n_steps: often}",
            r"trainer\.logger\[1\]\.flush_logs_every_n_steps: 'often' is not",
        ),
        (
            "{save_dirr: a}",
            r"trainer\.logger\[1\]\.save_dirr: there is no option 'save_dirr' .*the nearest is save_dir",
        ),
    ],
)
def test_an_option_of_one_of_several_loggers_is_named(config: Path, arguments: str, sentence: str) -> None:
    words = f"[{{class_path: {__name__}.Memory}}, {{class_path: CSVLogger, init_args: {arguments}}}]"
    with pytest.raises(ConfigError, match=sentence):
        parse([str(config), "--trainer.logger", words])


@pytest.mark.parametrize(
    ("cls", "package"),
    [("WandbLogger", "'regzoo[wandb]'"), ("MLFlowLogger", "mlflow"), ("CometLogger", "comet-ml")],
)
def test_a_package_that_is_missing_is_named(
    config: Path, run_zoo: Run, monkeypatch: pytest.MonkeyPatch, cls: str, package: str
) -> None:
    monkeypatch.setattr(loggers, "find_spec", lambda name: None)
    words = ["--trainer.logger", f"[{{class_path: lightning.pytorch.loggers.{cls}}}]"]
    code, out, err = run_zoo("train", str(config), *words)
    assert (code, out) == (2, "")
    assert err == f"zoo: trainer.logger: {cls} needs {loggers._PACKAGES[cls][0]}: pip install {package}\n"


def test_a_class_of_one_s_own_that_needs_a_package_is_one_sentence(config: Path) -> None:
    with pytest.raises(MissingExtraError, match=r"Needy cannot be built: No module named 'not_there'"):
        parse([str(config), "--trainer.logger", f"{__name__}.Needy"])


class Needy(Memory):
    """A logger whose package is not installed."""

    def __init__(self) -> None:
        super().__init__()
        import not_there  # type: ignore[import-not-found]  # noqa: F401


def test_a_logger_of_a_downloaded_recipe_is_refused(config: Path) -> None:
    recipe = config.with_name("recipe.yaml")
    content = yaml.safe_load(config.read_text()) | {"runs": "runs"}
    content["trainer"] = {
        "logger": {"class_path": "lightning.pytorch.loggers.CSVLogger", "init_args": {"save_dir": "."}}
    }
    recipe.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=r"trainer.logger names '?lightning.pytorch.loggers.CSVLogger"):
        parse([str(recipe)])


@pytest.fixture
def with_wandb(config: Path) -> list[str]:
    """Arguments of a run that W&B logs offline."""
    pytest.importorskip("wandb")
    content = yaml.safe_load(config.read_text())
    del content["trainer"]["logger"]
    config.write_text(yaml.safe_dump(content))
    logger = "--trainer.logger"
    return [str(config), logger, "WandbLogger", f"{logger}.offline", "true", f"{logger}.project", "zoo"]


def check_wandb(run: Path) -> None:
    """Two starts of a run wrote one experiment, with its options and scores."""
    (entry,) = json.loads((run / "loggers.json").read_text())
    words = (b"val_auroc", b"test_auroc", b"best_val_loss")
    end = time.monotonic() + 20
    while True:  # wandb writes in a process of its own
        contents = [path.read_bytes() for path in sorted(run.glob(f"wandb/offline-run-*/run-{entry['id']}.wandb"))]
        if all(word in content for word in words for content in contents) or time.monotonic() > end:
            break
        time.sleep(0.2)
    assert len(contents) == len(list(run.glob("wandb/offline-run-*"))) == 2  # the other process wrote nothing
    assert b"optimizer.lr" in contents[0]
    assert all(word in content for word in words for content in contents)


@pytest.mark.slow
def test_wandb_logs_offline_and_goes_on(with_wandb: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_MODE", "offline")  # which the logger sets, and would leave behind
    train(with_wandb)
    train([*with_wandb, "--resume", "true", "--trainer.max_epochs", "3"])
    check_wandb(Path("runs/mlp.made"))


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("ENDURANCE") != "full", reason="two processes, twice: half a minute")
def test_wandb_logs_the_first_of_two_processes(with_wandb: list[str]) -> None:
    command = [sys.executable, "-m", "zoo.cli", "train", *with_wandb, "--trainer.devices", "2"]
    kept = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}  # of this process
    for more in ([], ["--resume", "true", "--trainer.max_epochs", "3"]):
        subprocess.run([*command, *more], env={**kept, "WANDB_SILENT": "true"}, check=True)
    check_wandb(Path("runs/mlp.made"))
