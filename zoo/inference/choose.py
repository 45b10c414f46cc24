"""The predictor of each kind of output, and `zoo.predict`."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.engine import Precision, Predictor
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts, Labels, Output, Tracks

if TYPE_CHECKING:
    from zoo.inference.contacts import ContactPredictions
    from zoo.inference.predictions import Predictions
    from zoo.inference.tracks import TrackPredictions

__all__ = ["predict", "predictor_for"]

# Imported when it is needed: writing coolers takes pandas, which labels do without.
_PREDICTORS = {Labels.kind: "LabelPredictor", Tracks.kind: "TrackPredictor", Contacts.kind: "ContactPredictor"}


def predictor_for(output: Output) -> type[Predictor[Any, Any, Any]]:
    """The class that predicts this kind of output: its methods are `plan`, `stream`, `collect` and `predict`."""
    predictor: type[Predictor[Any, Any, Any]] = getattr(
        import_module(f"zoo.inference.{output.kind}"), _PREDICTORS[output.kind]
    )
    return predictor


def predict(
    model: SequenceModel,
    genome: Genome,
    intervals: Iterable[Interval],
    precision: Precision = "32",
    *,
    targets: Sequence[str] | None = None,
    batch_size: int | None = None,
    inputs: str | None = None,
) -> "Predictions | TrackPredictions | ContactPredictions":
    """Predict for intervals of a genome; the result can `write` itself: a table, bigWigs or coolers.

    Args:
        model: a loaded model of any kind.
        genome: genome that is read.
        intervals: for a model of labels, of the length that it takes; else of any length.
        precision: `32`, or `bf16` / `16` for autocast.
        targets: names of the targets wanted; None for all.
        batch_size: sequences or windows predicted at once; None for the usual number of the kind.
        inputs: table of the input tracks, for a model that reads some.

    Returns:
        What the predictor of the model's kind gives: see `zoo.inference.labels.LabelPredictor`,
        `zoo.inference.tracks.TrackPredictor` and `zoo.inference.contacts.ContactPredictor`.

    Raises:
        InputError: intervals that the genome does not have, or that the model cannot predict.
        ConfigError: a target that the model does not have, or input tracks that are missing or not read.
    """
    predictor = predictor_for(model.output)(model, targets, batch_size, precision, inputs)
    predictions: Predictions | TrackPredictions | ContactPredictions = predictor.predict(genome, intervals)
    return predictions
