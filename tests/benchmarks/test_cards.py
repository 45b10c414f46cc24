"""The benchmark that gives cards their intervals."""

import json
import shutil
from pathlib import Path

import pytest
from accuracy.bench_cards import compare, limits_with, main

from zoo.errors import IntegrityError
from zoo.hub.registry import shipped_folder
from zoo.scoring.result import Evaluation, Score

NAME = "mlp.promoter_bsubtilis"


def test_a_score_that_is_not_the_recorded_one_stops_it() -> None:
    means = {"auroc": Score(0.9), "auprc": Score(0.5)}
    evaluation = Evaluation(
        "mlp.x", "", "test", "sequence", 9, ["a"], [9], {m: [s] for m, s in means.items()}, means, 0, 0, 0
    )
    assert compare({"auroc": 0.90015, "loss": 1.0}, evaluation) == ["auroc"]
    with pytest.raises(IntegrityError, match=r"mlp\.x: auroc is 0\.90000, its card says 0\.91000"):
        compare({"auroc": 0.91}, evaluation)


def test_a_test_split_that_was_seen_is_said_once() -> None:
    once = limits_with("Toys.", 0.4831)
    assert once.startswith("Toys. 48% of the test sequences share at least half of their 31-mers with training")
    assert limits_with(once, 0.4831) == once
    assert limits_with("Toys.", 0.01) == "Toys."


@pytest.mark.public_data
def test_a_shipped_checkpoint_is_scored_and_its_config_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = shipped_folder("checkpoints") / NAME
    folder = shutil.copytree(shipped, tmp_path / "copied" / NAME)
    content = json.loads((folder / "config.json").read_text())
    whole = content["run"].pop("intervals"), content["run"].pop("files")
    (folder / "config.json").write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("accuracy.bench_cards.checkpoint_folders", lambda: [folder])
    main(["--write"])
    written = json.loads((folder / "config.json").read_text())
    assert written["run"]["files"] == whole[1]
    ours, theirs = written["run"]["intervals"], whole[0]
    assert ours.keys() == theirs.keys()
    assert [pair for pairs in ours.values() for pair in pairs] == [
        pytest.approx(pair, abs=1e-3) for pairs in theirs.values() for pair in pairs
    ]
    assert (tmp_path / "runs/benchmark/results/cards.md").read_text().count(NAME) == 2
