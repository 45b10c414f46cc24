"""What a run may be resumed from: its own last epoch, whole, with the same options; and that it goes on as it would."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from made.runs import make_runs
from safetensors.torch import load_file

from zoo.errors import ConfigError, IntegrityError, ZooError
from zoo.training.run import train

RUN = Path("runs/mlp.made")
LAST = RUN / "last.ckpt"
TWO = ["--trainer.max_epochs", "2"]
RESUME = ["--resume", "true"]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The configuration of a small run."""
    monkeypatch.chdir(tmp_path)
    return str(make_runs(tmp_path, epochs=4)["mlp"])


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def assert_resumed_as_whole(config: str, *options: str) -> None:
    """Runs of two epochs and, resumed, of six have the weights of six epochs in one go."""
    six = ["--trainer.max_epochs", "6"]
    whole = weights(train([config, *options, *six, "--runs", "whole_runs", "--checkpoints", "whole"]))
    train([config, *options, *TWO])
    resumed = weights(train([config, *options, *six, *RESUME]))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def change(path: Path, edit: Callable[[bytes], bytes]) -> None:
    path.write_bytes(edit(path.read_bytes()))


def flip(data: bytes) -> bytes:
    """Change one byte of the tensors."""
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.slow
@pytest.mark.parametrize(
    "edit", [lambda data: data[:-400], lambda data: data[: len(data) // 2], flip, lambda data: b""]
)
@pytest.mark.parametrize("file", ["last", "best"])
def test_a_damaged_checkpoint_is_refused_by_name(made: str, file: str, edit: Callable[[bytes], bytes]) -> None:
    train([made, *TWO])
    change(RUN / f"{file}.ckpt", edit)
    with pytest.raises(
        IntegrityError, match=f"{RUN}/{file}.ckpt is not a whole checkpoint of a run .*--overwrite true"
    ):
        train([made, *RESUME])


def foreign_tensors(path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, path)


def foreign_object(path: Path) -> None:
    torch.save(torch.nn.Linear(1, 1), path)


def foreign_text(path: Path) -> None:
    path.write_text("no checkpoint")


@pytest.mark.slow
@pytest.mark.parametrize("write", [foreign_tensors, foreign_object, foreign_text])
def test_a_foreign_file_is_refused_and_nothing_of_it_is_executed(made: str, write: Callable[[Path], None]) -> None:
    train([made, *TWO])
    write(LAST)
    with pytest.raises(IntegrityError, match="is not a whole checkpoint of a run"):
        train([made, *RESUME])


@pytest.mark.slow
def test_a_missing_best_checkpoint_is_refused_before_training(made: str) -> None:
    train([made, *TWO])
    (RUN / "best.ckpt").unlink()
    with pytest.raises(IntegrityError, match=r"best\.ckpt is missing: put it back"):
        train([made, *RESUME])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--optimizer.lr", "0.5"], "--optimizer.lr 0.003, not --optimizer.lr 0.5"),
        (["--model.hidden", "[4]"], "--model.hidden"),
        (["--data.batch_size", "4"], "--data.batch_size 8, not --data.batch_size 4"),
        (["--seed_everything", "2"], "--seed_everything 1, not --seed_everything 2"),
        (["--lr_scheduler.factor", "0.1"], "--lr_scheduler.factor"),
        (["--trainer.precision", "bf16-mixed"], "--trainer.precision"),
    ],
)
def test_other_options_are_refused_by_name_for_they_would_be_ignored(made: str, options: list[str], words: str) -> None:
    train([made, *TWO])
    with pytest.raises(ConfigError) as refused:
        train([made, *options, *RESUME])
    assert words in str(refused.value)
    assert "a run is resumed with the options that it began with" in str(refused.value)


@pytest.mark.slow
def test_a_checkpoint_of_another_model_is_refused(made: str, tmp_path: Path) -> None:
    train([made, *TWO])
    content = torch.load(LAST, weights_only=True)
    content["state_dict"]["trunk.foreign"] = torch.zeros(1)
    torch.save(content, LAST)
    with pytest.raises(ConfigError, match=r"is of another model \(look at trunk.foreign\)"):
        train([made, *RESUME])


@pytest.mark.slow
def test_a_checkpoint_without_its_options_is_refused(made: str) -> None:
    train([made, *TWO])
    content = torch.load(LAST, weights_only=True)
    del content["zoo_config"]
    torch.save(content, LAST)
    with pytest.raises(ConfigError, match="not of this version of zoo"):
        train([made, *RESUME])


@pytest.mark.slow
def test_where_files_lie_and_what_the_card_says_may_change(made: str) -> None:
    train([made, *TWO])
    RUN.parent.rename("moved")
    options = ["--runs", "moved", "--checkpoints", "other", "--card.summary", "Other", *RESUME]
    resumed = weights(train([made, *options]))
    whole = weights(train([made, "--runs", "whole_runs", "--checkpoints", "whole"]))
    # The best epoch so far was remembered although its folder has another name.
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


@pytest.mark.slow
def test_the_best_epoch_of_before_is_kept_where_the_folder_was_moved(made: str) -> None:
    worse = ["--optimizer.lr", "0.03"]  # the last epoch is worse than the one before
    train([made, *worse, "--trainer.max_epochs", "3"])
    shutil.move(RUN.parent, "moved")
    train([made, *worse, "--runs", "moved", *RESUME])
    best = torch.load("moved/mlp.made/best.ckpt", weights_only=True)
    train([made, *worse, "--runs", "whole_runs", "--checkpoints", "whole"])
    assert best["epoch"] == torch.load("whole_runs/mlp.made/best.ckpt", weights_only=True)["epoch"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        # A loss that should grow and does not: the rate is lowered after each epoch, also after that of the stop.
        ["--lr_scheduler.mode", "max", "--lr_scheduler.patience", "0"],
        ["--lr_scheduler", "torch.optim.lr_scheduler.ExponentialLR", "--lr_scheduler.gamma", "0.5"],
        ["--trainer.check_val_every_n_epoch", "2"],
        ["--trainer.accumulate_grad_batches", "3", "--trainer.gradient_clip_val", "0.1"],
        ["--data.num_workers", "1"],
    ],
)
def test_a_resumed_run_goes_on_as_one_in_one_go(made: str, options: list[str]) -> None:
    assert_resumed_as_whole(made, *options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("callback", "arguments"),
    [
        ("lightning.pytorch.callbacks.EMAWeightAveraging", {"decay": 0.5}),
        ("lightning.pytorch.callbacks.StochasticWeightAveraging", {"swa_lrs": 0.01, "swa_epoch_start": 1}),
        ("zoo.training.callbacks.FreezeModules", {"modules": ["trunk"], "epochs": 3}),
    ],
)
def test_so_does_one_with_callbacks_that_change_the_weights(
    made: str, callback: str, arguments: dict[str, object]
) -> None:
    add_callback(made, callback, **arguments)
    assert_resumed_as_whole(made)


def add_callback(config: str, path: str, **arguments: object) -> None:
    content = yaml.safe_load(Path(config).read_text())
    content["trainer"]["callbacks"] = [{"class_path": path, "init_args": arguments}]
    Path(config).write_text(yaml.safe_dump(content))


@pytest.mark.slow
def test_a_run_that_early_stopping_ended_is_not_trained_further(made: str) -> None:
    add_callback(made, "lightning.pytorch.callbacks.EarlyStopping", monitor="val_loss", patience=1, min_delta=100.0)
    stopped = weights(train([made, "--trainer.max_epochs", "9"]))
    epochs = torch.load(LAST, weights_only=True)["epoch"]
    assert epochs < 8
    resumed = weights(train([made, "--trainer.max_epochs", "9", *RESUME]))
    assert torch.load(LAST, weights_only=True)["epoch"] == epochs
    assert all(torch.equal(stopped[key], resumed[key]) for key in stopped)


@pytest.mark.slow
def test_a_user_s_own_checkpoint_callback_does_not_choose_the_weights(made: str) -> None:
    whole = weights(train([made, "--runs", "a_runs", "--checkpoints", "a"]))
    add_callback(made, "lightning.pytorch.callbacks.ModelCheckpoint", dirpath="own", monitor="val_loss", mode="max")
    own = weights(train([made]))
    assert all(torch.equal(whole[key], own[key]) for key in whole)
    assert list(Path("own").iterdir())


@pytest.mark.slow
def test_a_run_that_steps_ended_within_an_epoch_goes_no_further(made: str) -> None:
    steps = ["--trainer.max_epochs", "50", "--trainer.max_steps"]
    train([made, *steps, "7"])
    train([made, *steps, "7", *RESUME])  # only its end is repeated
    with pytest.raises(ConfigError, match=r"within an epoch, where trainer\.max_steps ended it"):
        train([made, *steps, "20", *RESUME])


@pytest.mark.slow
def test_overwriting_begins_with_the_first_log(made: str) -> None:
    train([made, *TWO])
    train([made, *TWO, "--overwrite", "true"])
    assert [path.name for path in RUN.glob("log_*")] == ["log_0"]


def test_runs_and_checkpoints_in_one_folder_are_refused_before_training(made: str) -> None:
    with pytest.raises(ConfigError, match="--runs and --checkpoints"):
        train([made, "--runs", "one", "--checkpoints", "./one"])
    assert not Path("one").exists()


def test_all_options_that_differ_are_listed(made: str) -> None:
    train([made, "--trainer.max_epochs", "1"])
    options = ["--data.batch_size", "9", "--optimizer.lr", "0.5", "--seed_everything", "3"]
    with pytest.raises(ConfigError) as refused:
        train([made, "--trainer.max_epochs", "2", "--resume", "true", *options])
    for option in ("--data.batch_size", "--optimizer.lr", "--seed_everything"):
        assert option in str(refused.value)


def test_a_run_that_is_not_there_is_not_resumed(made: str) -> None:
    with pytest.raises(ZooError, match="holds no run to resume"):
        train([made, *RESUME])
