"""A case for every argument of `zoo tune`: what the search is given; tests/tuning/ tries what it does with it."""

from pathlib import Path
from typing import Any

from commands.desk import Desk, case


def given(desk: Desk, *words: str) -> Any:
    """The options of a search, and its arguments of `zoo train`."""
    calls: list[Any] = []

    def tune(arguments: list[str], options: Any) -> Path:
        calls.append((arguments, options))
        return Path("best.yaml")

    desk.monkeypatch.setattr("zoo.tuning.run.tune", tune)
    assert desk.run("tune", "mine.yaml", "--space", "space.yaml", *words) == "best.yaml\n"
    return calls[0]


@case("config", "tune")
def config_comes_first_with_the_options_of_all_trials(desk: Desk) -> None:
    words = ["--optimizer.lr", "0.1", "--trainer.max_epochs=2"]
    assert given(desk, *words)[0] == ["mine.yaml", *words]


@case("--space", "tune")
def space_is_what_is_searched(desk: Desk) -> None:
    assert "no file nowhere.yaml" in desk.refused("tune", "mlp.promoters", "--space", "nowhere.yaml")
    assert given(desk)[1].space == "space.yaml"


@case("--trials", "tune")
def trials_are_counted(desk: Desk) -> None:
    assert (given(desk)[1].trials, given(desk, "--trials", "3")[1].trials) == (20, 3)


@case("--timeout", "tune")
def timeout_is_a_time(desk: Desk) -> None:
    assert (given(desk)[1].seconds, given(desk, "--timeout", "2m")[1].seconds) == (None, 120.0)


@case("--jobs", "tune")
def jobs_are_trained_at_a_time(desk: Desk) -> None:
    assert (given(desk)[1].jobs, given(desk, "--jobs", "4")[1].jobs) == (1, 4)


@case("--sampler", "tune")
def sampler_draws(desk: Desk) -> None:
    assert (given(desk)[1].sampler, given(desk, "--sampler", "random")[1].sampler) == ("tpe", "random")


@case("--pruner", "tune")
def pruner_ends_trials(desk: Desk) -> None:
    assert (given(desk)[1].pruner, given(desk, "--pruner", "none")[1].pruner) == ("median", "none")


@case("--train", "tune")
def train_trains_the_best(desk: Desk) -> None:
    assert (given(desk)[1].train, given(desk, "--train", "true")[1].train) == (False, True)


@case("--resume", "tune")
def resume_goes_on(desk: Desk) -> None:
    assert (given(desk)[1].resume, given(desk, "--resume", "true")[1].resume) == (False, True)


@case("--overwrite", "tune")
def overwrite_begins_anew(desk: Desk) -> None:
    assert (given(desk)[1].overwrite, given(desk, "--overwrite", "true")[1].overwrite) == (False, True)
