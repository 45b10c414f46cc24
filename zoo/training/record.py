"""What a run records for its card: the files of its data, and how sure its scores are."""

import sys
from collections.abc import Sequence
from pathlib import Path

from zoo.data.base import GenomicDataModule
from zoo.errors import ZooError, one_line
from zoo.models._base import SequenceModel
from zoo.scoring.bootstrap import Bootstrap
from zoo.scoring.collect import make_trainer
from zoo.scoring.data import EvaluationData
from zoo.scoring.matching import match_targets
from zoo.scoring.result import Evaluation
from zoo.scoring.score import score
from zoo.training.given import read_given
from zoo.training.own_data import data_files, own_problems
from zoo.utils.download import sha256_of
from zoo.utils.progress import bar

__all__ = ["file_hashes", "intervals_of", "score_intervals"]

_LONGEST_NAME = 150  # letters


def file_hashes(data: GenomicDataModule, arguments: Sequence[str]) -> dict[str, str]:
    """The sha256 of each file of the data: of published ones by URL, of the user's own by name, without their folder.

    Args:
        data: the data.
        arguments: arguments of `zoo train`, which name the user's files.
    """
    hashes = {file.url: file.sha256 for file in data.public_files if file.sha256}
    given = read_given(arguments[0], arguments[1:])
    own = sorted({path.resolve() for path in data_files(given)})
    gone = [path for path in own if not path.is_file()]  # bigWigs that a table names; others are among the problems
    for missing in (*own_problems(given), *gone):
        print(f"zoo: {missing}: it is gone, so the card has no sha256 of it", file=sys.stderr)
    own = [path for path in own if path not in gone]
    for path in bar(own, "sha256 of the data") if own else own:
        hashes[_shown_name(path, own)] = sha256_of(path)
    return hashes


def _shown_name(path: Path, others: Sequence[Path]) -> str:
    """The end of a path that tells it apart from the others: most often the name of the file."""
    for count in range(1, len(path.parts)):
        end = path.parts[-count:]
        if sum(other.parts[-count:] == end for other in others) == 1:
            break
    return "/".join(end)[-_LONGEST_NAME:]


def score_intervals(
    model: SequenceModel, data: GenomicDataModule, metrics: Sequence[str], device: str
) -> dict[str, list[list[float] | None]]:
    """Bootstrap 95 % intervals of the scores of the test split, of each target (T) and last of their mean.

    Args:
        model: the final model.
        data: its data, prepared.
        metrics: scores of which they are wanted.
        device: where it is computed.

    Returns:
        Metric -> T + 1 pairs of low and high, None where there is none. Where the test split cannot be resampled, none
        at all, which is said.
    """
    try:
        names = model.output.targets
        test = EvaluationData(data, "test", match_targets(data.targets, names, {}, None))
        trainer = make_trainer(device, 1, "32")
        evaluation = score(model, test, trainer, Bootstrap(), "the model", "its test split")
    except (ZooError, MemoryError, RuntimeError) as error:  # a finished model is not lost for them
        reason = one_line(error) or type(error).__name__
        print(f"zoo: the card has no intervals of the scores: {reason}", file=sys.stderr)
        return {}
    return intervals_of(evaluation, metrics)


def intervals_of(evaluation: Evaluation, metrics: Sequence[str]) -> dict[str, list[list[float] | None]]:
    """The intervals of an evaluation of all targets, as a card records them.

    Args:
        evaluation: with intervals.
        metrics: scores of which they are wanted.
    """
    return {
        metric: [
            None if score.low is None or score.high is None else [score.low, score.high]
            for score in (*scores, evaluation.means[metric])
        ]
        for metric, scores in evaluation.scores.items()
        if metric in metrics
    }
