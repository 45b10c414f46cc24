"""The folder of a run: kept until there is something in its place; with which data and options it goes on."""

import csv
from pathlib import Path

import pytest
import torch
import yaml
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from made.runs import make_runs

from zoo.errors import ConfigError
from zoo.hub.config import read_config
from zoo.training.parse import parse
from zoo.training.run import finish, fit, train
from zoo.utils.download import sha256_of

TWO = ["--trainer.max_epochs", "2"]
RESUME, OVERWRITE = ["--resume", "true"], ["--overwrite", "true"]
RUN = Path("runs/mlp.made")


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    return {name: str(path) for name, path in make_runs(tmp_path, epochs=4).items()}


def add_callback(config: str, path: str, **arguments: object) -> None:
    content = yaml.safe_load(Path(config).read_text())
    content["trainer"]["callbacks"] = [{"class_path": path, "init_args": arguments}]
    Path(config).write_text(yaml.safe_dump(content))


@pytest.mark.slow
def test_a_run_is_kept_where_the_one_that_begins_it_anew_is_refused(configs: dict[str, str]) -> None:
    train([configs["basset"], "--trainer.max_epochs", "1"])
    before = sha256_of(Path("runs/basset.made/last.ckpt"))
    with pytest.raises(ConfigError, match="--resume true goes on with a run and --overwrite true begins it anew"):
        train([configs["basset"], *RESUME, *OVERWRITE])
    with pytest.raises(ConfigError, match="a training batch has one sequence"):
        train([configs["basset"], *OVERWRITE, "--data.batch_size", "1"])
    assert sha256_of(Path("runs/basset.made/last.ckpt")) == before
    assert not list(Path("runs").glob(".*before"))


@pytest.mark.slow
def test_a_checkpoint_of_another_run_is_not_replaced_unasked(configs: dict[str, str]) -> None:
    weights = train([configs["mlp"], *TWO]) / "model.safetensors"
    before = sha256_of(weights)
    other = [configs["mlp"], *TWO, "--runs", "other", "--seed_everything", "9"]
    with pytest.raises(ConfigError, match=r"checkpoints/mlp\.made is a checkpoint of that name.*add --overwrite true"):
        train(other)
    assert sha256_of(weights) == before
    assert not Path("other").exists()
    train([*other, *OVERWRITE])
    assert sha256_of(weights) != before
    train([*other, *RESUME])  # its own


@pytest.mark.slow
def test_a_run_in_a_link_is_begun_anew_in_the_folder_that_it_leads_to(configs: dict[str, str]) -> None:
    Path("elsewhere").mkdir()
    RUN.parent.mkdir()
    RUN.symlink_to(Path("elsewhere").resolve())
    train([configs["mlp"], *TWO])
    train([configs["mlp"], *TWO, *OVERWRITE])
    assert RUN.is_symlink()
    assert Path("elsewhere/last.ckpt").is_file()


@pytest.mark.slow
def test_what_an_overwriting_command_set_aside_before_it_was_killed_is_put_back(configs: dict[str, str]) -> None:
    train([configs["mlp"], *TWO])
    before = sha256_of(RUN / "last.ckpt")
    RUN.rename(RUN.with_name(".mlp.made.before"))
    RUN.mkdir()
    with pytest.raises(ConfigError, match="holds a run of that name"):
        train([configs["mlp"], *TWO])
    assert sha256_of(RUN / "last.ckpt") == before


@pytest.mark.parametrize("kind", ["file", "broken link"])
def test_a_run_that_is_no_folder_is_one_sentence(configs: dict[str, str], kind: str) -> None:
    RUN.parent.mkdir()
    if kind == "file":
        RUN.touch()
    else:
        RUN.symlink_to("nowhere")
    with pytest.raises(ConfigError, match=r"runs/mlp\.made is no folder"):
        train([configs["mlp"]])


@pytest.mark.slow
def test_changed_data_are_refused(configs: dict[str, str]) -> None:
    train([configs["mlp"], *TWO])
    table = Path("table.tsv")
    text = table.read_text()
    table.write_text("\n".join(text.splitlines()[:60]) + "\n")
    with pytest.raises(ConfigError, match="the data are not those with which the run began"):
        train([configs["mlp"], *RESUME])
    table.write_text(text)
    train([configs["mlp"], *RESUME])


def files_on_card(folder: Path) -> dict[str, str]:
    run = read_config(folder).facts.run
    assert run is not None
    return dict(run.files)


@pytest.mark.slow
def test_the_card_of_a_run_has_the_hashes_of_what_it_read(
    configs: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Change(Callback):
        def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            Path("table.tsv").write_text(Path("table.tsv").read_text() + "ACGT\n")

    monkeypatch.setattr("zoo.training.epoch_end.content_hash", lambda path: "of samples that did not change")
    assert files_on_card(train([configs["mlp"], *TWO])) == {"table.tsv": sha256_of(Path("table.tsv"))}
    text = Path("table.tsv").read_text()
    Path("table.tsv").write_text(text.replace("A\t", "C\t", 1))
    with pytest.raises(ConfigError, match=r"table\.tsv is not the file with which the run began"):
        train([configs["mlp"], "--trainer.max_epochs", "3", *RESUME])
    Path("table.tsv").write_text(text)
    folder = fit([configs["mlp"], "--trainer.max_epochs", "3", *RESUME], [Change()], finish)
    assert files_on_card(folder) == {}
    assert (
        "table.tsv was changed while the model was trained, so the card has no sha256 of it" in capfd.readouterr().err
    )


@pytest.mark.slow
def test_fewer_epochs_than_there_are_and_another_length_of_a_cycle_are_refused(configs: dict[str, str]) -> None:
    train([configs["deepbind"], *TWO])
    with pytest.raises(ConfigError, match=r"--trainer\.max_epochs 2, not --trainer\.max_epochs 4"):
        train([configs["deepbind"], "--trainer.max_epochs", "4", *RESUME])
    train([configs["mlp"]])
    with pytest.raises(ConfigError, match=r"has 4 epochs already, more than --trainer\.max_epochs 2"):
        train([configs["mlp"], *TWO, *RESUME])


@pytest.mark.slow
def test_a_monitor_of_rates_logs_those_that_a_plateau_lowers(configs: dict[str, str]) -> None:
    add_callback(configs["mlp"], "lightning.pytorch.callbacks.LearningRateMonitor")
    train([configs["mlp"], "--lr_scheduler.mode", "max", "--trainer.log_every_n_steps", "1"])
    with (RUN / "log_0" / "metrics.csv").open() as file:
        rates = [float(row["lr-AdamW/pg1"]) for row in csv.DictReader(file) if row.get("lr-AdamW/pg1")]
    assert rates[0] == pytest.approx(3e-3)
    assert rates[-1] == pytest.approx(3e-3 / 2**2)  # the first epoch is the best, each later one lowers the rate


class Foreign(Callback):
    """A callback whose state cannot be read without executing code."""

    def state_dict(self) -> dict[str, object]:
        return {"place": Path("here")}


def test_a_state_that_could_not_be_read_again_is_refused_in_the_first_epoch(configs: dict[str, str]) -> None:
    cli = parse([configs["mlp"], *TWO])
    cli.trainer.callbacks.append(Foreign())  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="the state of Foreign holds other things than numbers"):
        cli.trainer.fit(cli.model, datamodule=cli.datamodule)
    assert cli.trainer.current_epoch == 0


@pytest.mark.slow
def test_logs_of_others_are_left_alone_and_numbers_go_up(configs: dict[str, str]) -> None:
    train([configs["mlp"], *TWO])
    (RUN / "log_0").rename(RUN / "log_first")
    (RUN / "log_7").mkdir()
    train([configs["mlp"], *RESUME])
    assert (RUN / "log_8" / "metrics.csv").is_file()


@pytest.mark.slow
def test_a_limit_of_time_ends_a_run_after_a_whole_epoch(configs: dict[str, str]) -> None:
    train([configs["mlp"], "--trainer.max_time", "00:00:00:01", "--trainer.max_epochs", "100000"])
    last = torch.load(RUN / "last.ckpt", weights_only=True)
    assert last["epoch"] < 99_999
    assert last["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"]


def test_a_model_may_be_validated_and_then_trained(configs: dict[str, str]) -> None:
    cli = parse([configs["akita"]])
    options = {"max_epochs": 1, "logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = Trainer(accelerator="cpu", enable_model_summary=False, **options)  # type: ignore[arg-type]
    trainer.validate(cli.model, datamodule=cli.datamodule, verbose=False)
    trainer.fit(cli.model, datamodule=cli.datamodule)


@pytest.mark.slow
def test_the_card_names_all_hardware_of_a_run(configs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    train([configs["mlp"], *TWO])
    monkeypatch.setattr("zoo.training.epoch_end.hardware", lambda trainer: "another computer")
    facts = read_config(train([configs["mlp"], *RESUME])).facts.training
    assert facts.hardware.endswith(" CPU cores; then another computer")
