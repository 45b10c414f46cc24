"""Searches on a made set: the best trial, pruning, failures, a search that is killed, and what is refused."""

import csv
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from made.runs import make_runs
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import OperationalError

from zoo.data.sequences import SequenceDataModule
from zoo.errors import ConfigError, IntegrityError, Interrupted, OutputError
from zoo.training.run import train
from zoo.tuning.launch import Slot
from zoo.tuning.run import TuneOptions, tune
from zoo.tuning.trial import Answer, Report, Result, run_trial

FOLDER = Path("runs/tune/mlp.made")
RATES = ("1e-06", "0.01")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_runs(tmp_path, epochs=3)["mlp"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what each search does once, and other tests try."""
    monkeypatch.setattr("zoo.tuning.run.write_picture", lambda *_: None)
    monkeypatch.setattr("zoo.tuning.run.write_best", lambda *_: FOLDER / "best.yaml")
    monkeypatch.setattr("zoo.tuning.run.check_space", lambda arguments, space, *_: space)


class Here:
    """Trains trials in this process; kept are their arguments."""

    def __init__(self, hook: Callable[[int, int], None] = lambda trial, epoch: None) -> None:
        self.arguments: list[Sequence[str]] = []
        self._hook = hook

    def __call__(self, slot: Slot, arguments: Sequence[str], monitor: str, folder: Path, report: Report) -> Result:
        self.arguments.append(arguments)
        number = int(folder.name.rpartition(".")[2])

        def hooked(epoch: int, value: float) -> Any:
            answer = report(epoch, value)
            self._hook(number, epoch)
            return answer

        return self.train(arguments, monitor, hooked)

    def train(self, arguments: Sequence[str], monitor: str, report: Report) -> Result:
        return run_trial(arguments, monitor, report)


class Curves(Here):
    """Trains nothing: a trial of a learning rate has the losses 1, 1 - rate, 1 - 2 rate, ... in four epochs."""

    def train(self, arguments: Sequence[str], monitor: str, report: Report) -> Result:
        options = dict(zip(arguments[1::2], arguments[2::2], strict=True))
        rate = float(options["--optimizer.lr"])
        if rate > 0.3:
            return Result("failed", message="it is too high")
        value = 1.0
        for epoch in range(1, 5):
            value = 1 - rate * (epoch - 1)
            if (answer := report(epoch, value)) != "go on":
                return Result("pruned" if answer == "prune" else "stopped", value, epoch, 1.0)
        return Result("complete", value, 4, 2.0)


def choices(**values: Sequence[Any]) -> str:
    return yaml.safe_dump(
        {key.replace("__", "."): {"choices": list(some)} for key, some in values.items()}, default_flow_style=True
    )


def rows() -> list[dict[str, str]]:
    with (FOLDER / "trials.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def val_losses(run: Path) -> list[float]:
    with (run / "log_0/metrics.csv").open() as file:
        return [float(row["val_loss"]) for row in csv.DictReader(file) if row["val_loss"]]


@pytest.mark.slow
def test_the_best_of_all_choices_is_found_on_validation_data_alone_and_trains(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("the test split is not for trials")

    options = TuneOptions(choices(optimizer__lr=[float(rate) for rate in RATES]), pruner="none")
    with monkeypatch.context() as patch:
        patch.setattr(SequenceDataModule, "test_dataloader", refused)
        best = tune([str(config), "--trainer.max_epochs", "2"], options, Here())
    message = capsys.readouterr().err
    assert "2 trials (2 complete" in message
    assert "all combinations were tried" in message
    # Each trained by `zoo train` itself; the best, of the file that was written.
    losses = {}
    words = {"1e-06": [str(config), "--trainer.max_epochs", "2", "--optimizer.lr", "1e-06"], "0.01": [str(best)]}
    for rate, arguments in words.items():
        name = f"mlp.r{rate.replace('.', '_')}"
        train([*arguments, "--name", name])
        losses[rate] = min(val_losses(Path("runs") / name))
    by_rate = {row["optimizer.lr"]: float(row["val_loss"]) for row in rows()}
    assert by_rate == pytest.approx(losses, rel=1e-5)
    assert min(by_rate, key=lambda rate: by_rate[rate]) == "0.01"
    assert {(row["state"], row["epochs"]) for row in rows()} == {("complete", "2")}
    content = yaml.safe_load(best.read_text())
    assert content["optimizer"]["init_args"]["lr"] == 0.01
    assert content["name"] == "mlp.made"
    assert best.read_text().startswith("# The best of 2 trials of a search, val_loss 0.")
    assert f"to train the best: zoo train {best}" in message
    assert (FOLDER / "trials.png").read_bytes().startswith(b"\x89PNG")
    assert not list(FOLDER.rglob("*.ckpt"))


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_killed_trial_goes_on_from_its_last_epoch(config: Path) -> None:
    def kill(trial: int, epoch: int) -> None:
        if (trial, epoch) == (0, 2):
            raise Killed

    options = TuneOptions("{optimizer.lr: {low: 1e-3, high: 1e-1, log: true}}", trials=1)
    with pytest.raises(Killed):
        tune([str(config)], options, Here(kill))
    launch = Here()
    tune([str(config)], replace(options, resume=True), launch)
    assert launch.arguments[0][-4:] == ["--resume", "true", "--optimizer.lr", "0.003"]  # that of the configuration
    assert (FOLDER / "trials/mlp.made.000/log_1/metrics.csv").is_file()
    (row,) = rows()
    train([str(config)])
    assert row["epochs"] == "3"
    assert float(row["val_loss"]) == pytest.approx(min(val_losses(Path("runs/mlp.made"))), rel=1e-5)


@pytest.mark.slow
def test_a_trial_that_is_told_to_end_ends_after_its_epoch(config: Path) -> None:
    answers: Iterator[Answer] = iter(("go on", "prune"))
    result = run_trial([str(config)], "val_loss", lambda epoch, value: next(answers))
    assert (result.state, result.epochs) == ("pruned", 2)
    assert result.value == min(val_losses(Path("runs/mlp.made")))
    assert next(answers, None) is None
    stopped = run_trial([str(config), "--name", "mlp.stopped"], "val_loss", lambda epoch, value: "stop")
    assert (stopped.state, stopped.epochs) == ("stopped", 1)
    failed = run_trial([str(config), "--name", "mlp.failed", "--optimizer.lr", "1e30"], "val_loss", lambda *_: "go on")
    assert (failed.state, failed.value) == ("failed", None)
    assert failed.message


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_configuration_itself_is_the_first_trial_where_the_space_has_it(config: Path) -> None:
    space = "{optimizer.lr: {low: 1e-3, high: 1e-1, log: true}, model.dropout: {low: 0.0, high: 1, step: 0.1}}"
    tune([str(config)], TuneOptions(space, trials=2), Curves())
    first, second = rows()
    assert (first["optimizer.lr"], first["model.dropout"]) == ("0.003", "0.2")
    assert 0.001 < float(second["optimizer.lr"]) < 0.1


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_trial_that_is_worse_than_the_others_ends_early(config: Path) -> None:
    space = choices(optimizer__lr=[0.2, 0.21, 0.22, 0.23, 0.24, 0.0])
    tune([str(config), "--trainer.max_epochs", "4"], TuneOptions(space), Curves())
    assert len(rows()) == 6
    states = [(row["state"], row["epochs"]) for row in rows()]
    assert states[:4] == [("complete", "4")] * 4  # the median takes four trials
    number = next(number for number, row in enumerate(rows()) if row["optimizer.lr"] == "0.0")
    assert number < 4 or states[number] == ("pruned", "2")  # a quarter of the epochs is without pruning
    rows_of_good = [row for row in rows() if row["optimizer.lr"] == "0.24"]
    assert rows_of_good[0]["val_loss"] == "0.28"  # 1 - 3 x .24


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_hyperband_ends_trials_too(config: Path) -> None:
    space = choices(optimizer__lr=[rate / 100 for rate in range(24)])
    tune([str(config), "--trainer.max_epochs", "4"], TuneOptions(space, trials=10, pruner="hyperband"), Curves())
    states = {row["state"] for row in rows()}
    assert states == {"complete", "pruned"}
    best = max(float(row["optimizer.lr"]) for row in rows() if row["state"] == "complete")
    assert all(float(row["optimizer.lr"]) < best for row in rows() if row["state"] == "pruned")


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_study_that_cannot_be_written_is_one_sentence(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        error = OperationalError("INSERT", {}, Exception("database or disk is full"))
        raise StorageInternalError("An exception is raised") from error

    monkeypatch.setattr("zoo.tuning.study.Study.draw", full)
    with pytest.raises(OutputError, match=r"study.db cannot be written \(database or disk is full\): make room"):
        tune([str(config)], TuneOptions(choices(optimizer__lr=[0.1, 0.2])), Curves())


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_trials_that_fail_are_recorded_and_end_no_search(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tune([str(config)], TuneOptions(choices(optimizer__lr=[0.1, 0.9])), Curves())
    by_rate = {row["optimizer.lr"]: row for row in rows()}
    assert [by_rate["0.9"][key] for key in ("state", "val_loss", "message")] == ["failed", "", "it is too high"]
    assert by_rate["0.1"]["state"] == "complete"
    assert "optimizer.lr 0.9: failed: it is too high" in capsys.readouterr().err
    words = [str(config), "--name", "mlp.worse"]
    with pytest.raises(ConfigError, match=r"2 trials failed, each for the same reason; trial 0: it is too high"):
        tune(words, TuneOptions(choices(optimizer__lr=[0.8, 0.9])), Curves())
    assert Path("runs/tune/mlp.worse/trials.tsv").read_text().count("failed") == 2


class Killed(BaseException):
    """What kills a search in a test, which nothing catches."""


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(config: Path) -> None:
    space = "{optimizer.lr: {low: 1e-4, high: 0.3, log: true}, model.hidden: {choices: [[4], [8]]}}"
    options = TuneOptions(space, trials=11)
    tune([str(config)], options, Curves())
    whole = rows()
    assert {row["state"] for row in whole} == {"complete", "pruned"}
    FOLDER.rename("whole")
    for number, kill in enumerate(((2, 3), (10, 2))):

        def killed(trial: int, epoch: int, kill: tuple[int, int] = kill) -> None:
            if (trial, epoch) == kill:
                raise Killed

        with suppress(Killed):  # a trial may end before that epoch
            tune([str(config)], replace(options, resume=number > 0), Curves(killed))
    tune([str(config)], replace(options, resume=True), Curves())
    for row in (*whole, *(again := rows())):
        row["seconds"] = ""  # not known of a trial that was killed when it had been told to end
    assert again == whole
    with pytest.raises(ConfigError, match="holds a search of that name: add --resume true"):
        tune([str(config)], options, Curves())
    with pytest.raises(ConfigError, match=r"the search has --sampler tpe, not --sampler random: it goes on"):
        tune([str(config)], replace(options, resume=True, sampler="random"), Curves())
    tune([str(config)], replace(options, overwrite=True, trials=1), Curves())
    assert len(rows()) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_search_is_not_resumed_with_another_configuration_or_other_data(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr("zoo.tuning.run.Search.run", killed)
    options = TuneOptions(choices(optimizer__lr=[0.1, 0.2]))
    with pytest.raises(Killed):
        tune([str(config)], options)
    text, resumed = config.read_text(), replace(options, resume=True)
    config.write_text(text.replace("max_epochs: 3", "max_epochs: 6").replace("val_fraction: 0.3", "val_fraction: 0.1"))
    words = "val_fraction 0.3, not --data.val_fraction 0.1; --trainer.max_epochs 3, not --trainer.max_epochs 6"
    with pytest.raises(ConfigError, match=f"the search has --data.{words}: it goes on"):
        tune([str(config)], resumed)
    config.write_text(text)
    table = Path("table.tsv")
    table.write_text(table.read_text().replace("nan", "1"))
    with pytest.raises(ConfigError, match=r"the search has content of \S+table.tsv \w+, not content of"):
        tune([str(config)], resumed)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_ctrl_c_and_the_end_of_time_leave_a_search_that_can_go_on(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def press(trial: int, epoch: int) -> None:
        if trial == 1:
            raise KeyboardInterrupt

    options = TuneOptions("{optimizer.lr: {low: 1e-4, high: 1e-1, log: true}}", trials=3, pruner="none")
    with pytest.raises(Interrupted, match="was stopped: add --resume true"):
        tune([str(config)], options, Curves(press))
    clock = [0.0]
    monkeypatch.setattr("zoo.tuning.search.time.monotonic", lambda: clock[0])

    def late(trial: int, epoch: int) -> None:
        clock[0] = 100.0 if (trial, epoch) == (2, 1) else clock[0]

    tune([str(config)], replace(options, resume=True, seconds=60.0), Curves(late))
    assert "2 trials (2 complete); the time is over: --resume true goes on" in capsys.readouterr().err
    tune([str(config)], replace(options, resume=True), Curves())
    assert [row["state"] for row in rows()] == ["complete"] * 3


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_several_trials_at_a_time_are_all_kept(config: Path) -> None:
    space = choices(optimizer__lr=[rate / 100 for rate in range(1, 6)])
    tune([str(config)], TuneOptions(space, jobs=3, pruner="none"), Curves())
    assert sorted(float(row["optimizer.lr"]) for row in rows()) == [rate / 100 for rate in range(1, 6)]

    def fail(trial: int, epoch: int) -> None:
        if trial > 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tune([str(config), "--name", "mlp.fails"], TuneOptions(space, jobs=3), Curves(fail))


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        (
            "{optimizer.lrr: {low: 1, high: 2}}",
            "optimizer.lrr: there is no option 'lrr' of optimizer; the nearest is lr",
        ),
        ("{model.hidden: {choices: [[4], wide]}}", "model.hidden: 'wide' is not"),
        ("{data.batch_size: {low: 1.5, high: 3}}", "data.batch_size: 1.5 is not"),
        ("{name: {choices: [a, b]}}", "name is not searched: it does not change what is trained"),
        ("{seed_everything: {low: 1, high: 3}}", "seed_everything is not searched: the best of several seeds"),
        ("{data.val_fraction: {low: 0.1, high: 0.3}}", "data.val_fraction is not searched: trials could be scored"),
        (
            "{data.init_args.shared_kmer: {low: 7, high: 9}}",
            "searched: .*; of data. these can be searched: batch_size, epoch_size, reverse_complement, shift$",
        ),
        ("{data: {choices: ['{a: 1}', '{a: 2}']}}", "data is not searched: trials could be scored"),
        (
            "{trainer.limit_val_batches: {choices: [1, 3]}}",
            "trainer.limit_val_batches is not searched: .*; of trainer. these can be searched: max_epochs, .*precision",
        ),
        ("{optimizer.lr: {low: -2.0, high: -1.0}}", "optimizer.*-2"),
        ("{trainer.max_epochs: {low: 0, high: 2}}", "trainer.max_epochs 0: no epoch would be validated"),
        ("{trainer.max_epochs: {choices: [-1, 2]}}", "trainer.max_epochs -1 would train without end: give the largest"),
        ("{model.dropout: {low: 0.0, high: 2.0}}", "model.dropout 2.0: .*"),
        ("{model.loss: {choices: [a, b]}}", "model.loss is not searched by val_loss, which it changes"),
        (
            "{optimizer.weight_decay: {low: 0, high: 1}}",
            "--optimizer.weight_decay is given, and is in the search space",
        ),
        (
            "{optimizer: {choices: ['{a: 1}', '{a: 2}']}, optimizer.lr: {low: 1, high: 2}}",
            "optimizer are searched, and",
        ),
    ],
)
def test_a_space_that_does_not_fit_is_refused_before_any_trial(config: Path, space: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as error:
        tune([str(config), "--optimizer.weight_decay", "0.1"], TuneOptions(space), Curves())
    assert "\n" not in str(error.value)
    assert not Path("runs").exists()


def test_options_that_do_not_fit_are_refused(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = TuneOptions(choices(optimizer__lr=[0.1, 0.2]))
    for changed, sentence in (
        (replace(options, trials=0), "--trials is a number from 1 up, not 0"),
        (replace(options, jobs=-1), "--jobs is a number from 1 up"),
        (replace(options, resume=True, overwrite=True), "give one of them"),
        (replace(options, resume=True), "holds no search to resume"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            tune([str(config)], changed, Here())
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="zoo tune is one process"):
        tune([str(config)], options, Here())


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_best_is_trained_by_another_name_where_there_is_a_run(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("runs/mlp.made/last.ckpt", "checkpoints/mlp.made.best/config.json"):
        Path(path).parent.mkdir(parents=True)
        Path(path).touch()
    options = TuneOptions(choices(optimizer__lr=[0.1, 0.2]), trials=1, train=True)
    launch = Curves()
    with pytest.raises(ConfigError, match=r"a run or checkpoint mlp\.made exists, so that the best conf"):
        tune([str(config)], options, launch)
    assert not launch.arguments
    tune([str(config)], replace(options, train=False), launch)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "to train the best: zoo train runs/tune/mlp.made/best.yaml --name mlp.made.best2"


def test_a_file_that_is_no_study_is_refused(config: Path) -> None:
    FOLDER.mkdir(parents=True)
    (FOLDER / "study.db").write_text("not a database, but a text of some length, longer than its header")
    with pytest.raises(IntegrityError, match=r"study.db is not the study of a search"):
        tune([str(config)], TuneOptions(choices(optimizer__lr=[0.1, 0.2]), resume=True), Here())
    shutil.rmtree(FOLDER)
