"""Intervals on a card: what is said where they are too narrow, or where there are none."""

from pathlib import Path
from typing import NoReturn

import pytest

from zoo.data.sequences import SequenceDataModule
from zoo.hub.card_body import card_body
from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import ModelFacts, RunFacts
from zoo.models.mlp import MLP
from zoo.training.score_intervals import Intervals, score_intervals


@pytest.fixture
def data(tmp_path: Path) -> SequenceDataModule:
    (tmp_path / "in.fa").write_text(">a\nACGT\n")
    return SequenceDataModule(fasta={"a": str(tmp_path / "in.fa")})


@pytest.mark.parametrize("error", [RuntimeError("out of\nmemory"), MemoryError()])
def test_a_finished_model_is_not_lost_for_its_intervals(
    error: Exception, data: SequenceDataModule, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr("zoo.training.score_intervals.score", fail)
    intervals = score_intervals(MLP(["a"], 4, hidden=(2,)), data, ["auroc"], "cpu")
    reason = "out of memory" if str(error) else "MemoryError"
    assert intervals == Intervals({}, [f"there are no intervals of the test scores: {reason}"])
    err = capsys.readouterr().err
    assert err.startswith("zoo: the card has no intervals of the scores: ")
    assert err.count("\n") == 1


def test_few_sequences_are_said_on_the_card(tmp_path: Path) -> None:
    of_splits = {"train": "A" * 20, "val": "C" * 20, "test": "AC" * 10}
    rows = [f"{bases}\t{index % 2}\t{split}\n" for split, bases in of_splits.items() for index in range(6)]
    (tmp_path / "table.tsv").write_text("sequence\tbound\tsplit\n" + "".join(rows))
    data = SequenceDataModule(table=str(tmp_path / "table.tsv"), label_columns=["bound"], split_column="split")
    intervals = score_intervals(MLP(["bound"], 20, hidden=(2,)), data, ["auroc"], "cpu")
    # All test sequences are the same: a score is .5, and a resample of six has one class only 2 times in 2 ** 6.
    assert intervals.pairs == {"auroc": [[0.5, 0.5]] * 2}
    few, lacking = intervals.notes
    assert few == "only 6 sequences: intervals of so few are too narrow"
    assert 10 < int(lacking.split()[0]) < 60
    assert lacking.endswith("of 1,000 resamples lack a score of some target: they count without it")
    run = RunFacts("zoo train", "0", "0", 1, "none", 1.0, "32", "none", [], {}, interval_notes=intervals.notes)
    facts = ModelFacts("mlp.few", "made", output="labels", targets=("bound",), run=run)
    config = CheckpointConfig(facts, "mlp", {}, 1e-4, {"model.safetensors": "0" * 64})
    assert f"test split. Only 6 sequences: intervals of so few are too narrow. {lacking}." in "\n".join(
        card_body(config, "name\tdescription\tunit\tthreshold\nbound\tmade\tprobability\t0.5\n")
    )
