"""The benchmark of training loops measures what `zoo train` does, and changes nothing of it."""

from pathlib import Path

import pytest
from made.runs import make_runs
from speed.training_loop import measure_loop

from zoo.training.checkpoint_io import read_checkpoint
from zoo.training.run import train


@pytest.mark.slow
def test_the_loop_is_measured_in_turns_with_bare_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = str(make_runs(tmp_path, epochs=3)["mlp"])
    rates = measure_loop(config, Path("measured"), steps=100, rounds=2)
    assert all(0 < rate < 1e6 for rate in rates)
    train([config, "--runs", "runs", "--trainer.limit_val_batches", "1"])
    measured, plain = (read_checkpoint(Path(runs) / "mlp.made/last.ckpt") for runs in ("measured/runs", "runs"))
    for key, value in plain["state_dict"].items():
        assert measured["state_dict"][key].equal(value), key
