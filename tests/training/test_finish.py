"""What the end of a run says and puts on the card: scores of no use, what targets are, negatives that were shuffles."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zoo.genome.sequence import decode
from zoo.hub.config import read_config
from zoo.hub.targets import read_targets
from zoo.models.mlp import MLP
from zoo.nn.losses import find_loss
from zoo.training.finish import no_better
from zoo.training.run import train

QUICK = ["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]


def test_scores_of_no_use_are_said() -> None:
    classes, measured = MLP(["a"], 8), MLP(["a"], 8, loss="mean_squared_error")
    assert no_better(classes, {"loss": 1.0, "auroc": 0.51, "auprc": 0.2}) == []
    assert no_better(classes, {"loss": 1.0, "auroc": 0.5, "auprc": 0.2}) == [
        "On the test split it is no better than chance (AUROC 0.500): train longer or give more data."
    ]
    assert no_better(measured, {"loss": 1.0, "pearson": 0.3, "r2": 0.001}) == []
    assert no_better(measured, {"loss": 1.0, "pearson": 0.3, "r2": -0.01}) == [
        "On the test split it is no better than predicting the mean of each target (R2 -0.010): train longer or give "
        "more data."
    ]


def test_of_tracks_and_contacts_the_correlation_counts() -> None:
    model: Any = SimpleNamespace(loss=find_loss("poisson"), output=SimpleNamespace(kind="tracks"))
    assert no_better(model, {"loss": 1.0, "pearson": 0.2, "r2": -3.0}) == []
    (sentence,) = no_better(model, {"loss": 1.0, "pearson": -0.02, "r2": 0.1})
    assert "(Pearson r -0.020)" in sentence


@pytest.fixture
def noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sequences, and measurements that have nothing to do with them."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = [decode(rng.integers(0, 4, 24).astype(np.uint8)) for _ in range(200)]
    Path("bound.fa").write_text("".join(f">{text}\n{text}\n" for text in rows[:60]))
    lines = [f"{text}\t{rng.normal()}\t{5 + rng.normal()}\n" for text in rows]
    Path("t.tsv").write_text("sequence\ty\tz\n" + "".join(lines))
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("noise")
def test_a_model_that_learnt_nothing_says_so_on_its_card(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--data.table", "t.tsv", "--data.label_columns", "[y, z]", "--data.classify", "false"]
    folder = train(["deepbind.sequences", *options, "--name", "deepbind.n", "--trainer.max_epochs", "8", *QUICK])
    facts = read_config(folder).facts
    assert facts.training.metrics["test"]["r2"] <= 0
    sentence = "On the test split it is no better than predicting the mean of each target (R2 -"
    assert sentence in capsys.readouterr().err
    assert sentence in facts.limits
    assert sentence in (folder / "README.md").read_text()
    assert "shuffles" not in facts.limits
    rows = read_targets(folder)
    assert [(row.description, row.unit) for row in rows] == [("measurement y", ""), ("measurement z", "")]


@pytest.mark.slow
@pytest.mark.usefixtures("noise")
def test_the_card_says_that_negatives_were_shuffles() -> None:
    options = ["--data.fasta", "{bound: bound.fa}", "--name", "deepbind.n", "--trainer.max_epochs", "1", *QUICK]
    folder = train(["deepbind.sequences", *options])
    limits = read_config(folder).facts.limits
    assert "the model's length. Negatives are shuffles of the sequences with the same dinucleotide counts" in limits
    assert [(row.description, row.unit) for row in read_targets(folder)] == [("class bound", "probability")]
    own = ["--card.limits", "Negatives were shuffled", "--overwrite", "true"]
    assert "are shuffles" not in read_config(train(["deepbind.sequences", *options, *own])).facts.limits
