"""The scores of shipped checkpoints with their intervals, and the files of their data: what training records today.

    zoo benchmark cards [NAME ...] [--write]

Each checkpoint is scored again on the test split that it was scored on when it was made (`zoo evaluate NAME`): the same
score must come out, or the script stops. The table has the mean over targets, its 95 % interval from 1,000 bootstrap
resamples and the share of test sequences of which at least half of the 31-mers were seen in training. `--write` puts
intervals, scores of each target and the sha256 of the data into the checkpoints' `config.json` and renders their cards.
"""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import make_parser, write_results
from rich.progress import track

from zoo.data.base import GenomicDataModule
from zoo.errors import IntegrityError
from zoo.evaluation.configured import data_of_recipe
from zoo.evaluation.run import evaluate
from zoo.hub.card_edit import state_facts
from zoo.hub.cards import checkpoint_folders
from zoo.hub.config import read_config
from zoo.hub.folder import CONFIG
from zoo.scoring.result import Evaluation
from zoo.training.score_intervals import intervals_of

# Scores are printed with four digits; processors add up in different orders.
_TOLERANCE = 2e-4
_MUCH = 0.05  # of a test split that was seen in training
HEADER = ("checkpoint", "test units", "score", "mean over targets", "low", "high", "seen in training")


def compare(recorded: dict[str, float], evaluation: Evaluation) -> list[str]:
    """The scores that both have, which must be the same.

    Raises:
        IntegrityError: one is not.
    """
    both = [metric for metric in evaluation.means if metric in recorded]
    for metric in both:
        value = evaluation.value(metric)
        if not math.isclose(value, recorded[metric], abs_tol=_TOLERANCE):
            raise IntegrityError(f"{evaluation.model}: {metric} is {value:.5f}, its card says {recorded[metric]:.5f}")
    return both


def record(folder: Path, data: GenomicDataModule, evaluation: Evaluation, metrics: Sequence[str], seen: float) -> None:
    """Write what was computed into a checkpoint, and render its card.

    Args:
        folder: the checkpoint.
        data: its data, whose public files are recorded.
        evaluation: intervals, and scores of each target.
        metrics: the scores that are recorded.
        seen: share of the test split that was seen in training.
    """
    run: dict[str, Any] = json.loads((folder / CONFIG).read_text())["run"]
    run["target_metrics"] = {metric: [score.value for score in evaluation.scores[metric]] for metric in metrics}
    run["files"] = {file.url: file.sha256 for file in data.public_files}
    intervals = intervals_of(evaluation, metrics)
    run |= {"intervals": intervals.pairs, "interval_notes": intervals.notes}
    state_facts(folder, {"run": run, "limits": limits_with(read_config(folder).facts.limits, seen)})


def limits_with(limits: str, seen: float) -> str:
    """The limits of a card, with a sentence on a test split of which the training split has much."""
    sentence = f" {seen:.0%} of the test sequences share at least half of their 31-mers with training sequences: "
    is_said = "of their 31-mers with training sequences" in limits
    return limits + sentence + "the test scores are too high." if seen >= _MUCH and not is_said else limits


def main(arguments: Sequence[str]) -> None:
    """Score the checkpoints and write the table."""
    parser = make_parser("cards", __doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help="checkpoints (default: all)")
    parser.add_argument("--write", action="store_true", help="write what was computed into the checkpoints")
    options = parser.parse_args(arguments)
    folders = [folder for folder in checkpoint_folders() if not options.names or folder.name in options.names]
    rows: list[list[Any]] = []
    facts = {}
    for folder in track(folders, "scoring"):
        recorded = read_config(folder).facts.training.metrics["test"]
        data = data_of_recipe(folder, folder.name)
        evaluation = evaluate(folder.name)
        metrics = compare(recorded, evaluation)
        seen = max((report.share for report in evaluation.seen if report.share is not None), default=math.nan)
        for metric in metrics:
            score = evaluation.means[metric]
            rows.append([folder.name, evaluation.units, metric, score.value, score.low, score.high, seen])
        facts[folder.name] = {"unit": evaluation.unit, "seed": evaluation.seed, "notes": evaluation.notes}
        if options.write:
            record(folder, data, evaluation, metrics, seen)
    print(write_results("cards", HEADER, rows, facts))
