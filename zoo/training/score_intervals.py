"""How sure the scores of a run are: what its card records of it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from zoo.data.base import GenomicDataModule
from zoo.errors import ZooError, one_line
from zoo.models._base import SequenceModel
from zoo.scoring.bootstrap import Bootstrap
from zoo.scoring.collect import make_trainer
from zoo.scoring.data import EvaluationData
from zoo.scoring.matching import match_targets
from zoo.scoring.result import Evaluation
from zoo.scoring.score import score

__all__ = ["Intervals", "intervals_of", "score_intervals"]


@dataclass(frozen=True)
class Intervals:
    """Intervals of scores, as a card records them.

    Attributes:
        pairs: metric -> T + 1 pairs of low and high, None where there is none.
        notes: sentences on where they are too narrow, or why there are none.
    """

    pairs: dict[str, list[list[float] | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def score_intervals(model: SequenceModel, data: GenomicDataModule, metrics: Sequence[str], device: str) -> Intervals:
    """Bootstrap 95 % intervals of the scores of the test split, of each target (T) and last of their mean.

    Args:
        model: the final model.
        data: its data, prepared.
        metrics: scores of which they are wanted.
        device: where it is computed.

    Returns:
        The intervals. Where the test split cannot be resampled, none at all, which is said.
    """
    try:
        names = model.output.targets
        test = EvaluationData(data, "test", match_targets(data.targets, names, {}, None))
        trainer = make_trainer(device, 1, "32")
        evaluation = score(model, test, trainer, Bootstrap(), "the model", "its test split")
    except (ZooError, MemoryError, RuntimeError) as error:  # a finished model is not lost for them
        reason = one_line(error) or type(error).__name__
        print(f"zoo: the card has no intervals of the scores: {reason}", file=sys.stderr)
        return Intervals(notes=[f"there are no intervals of the test scores: {reason}"])
    return intervals_of(evaluation, metrics)


def intervals_of(evaluation: Evaluation, metrics: Sequence[str]) -> Intervals:
    """The intervals of an evaluation of all targets, as a card records them, and its notes on them.

    Args:
        evaluation: with intervals.
        metrics: scores of which they are wanted.
    """
    pairs = {
        metric: [
            None if score.low is None or score.high is None else [score.low, score.high]
            for score in (*scores, evaluation.means[metric])
        ]
        for metric, scores in evaluation.scores.items()
        if metric in metrics
    }
    about_data = len(evaluation.seen)  # the first notes are on what was seen in training, which is not about intervals
    notes = [note for note in evaluation.notes[about_data:] if "Spearman" not in note or "spearman" in metrics]
    return Intervals(pairs, notes)
