"""The predictor of each kind of output."""

from importlib import import_module
from typing import Any

from zoo.inference.engine import Predictor
from zoo.outputs import Contacts, Labels, Output, Tracks

__all__ = ["predictor_for"]

# Imported when it is needed: writing coolers takes pandas, which labels do without.
_PREDICTORS = {Labels.kind: "LabelPredictor", Tracks.kind: "TrackPredictor", Contacts.kind: "ContactPredictor"}


def predictor_for(output: Output) -> type[Predictor[Any, Any, Any]]:
    """The class that predicts this kind of output: its methods are `plan`, `stream`, `collect` and `predict`."""
    predictor: type[Predictor[Any, Any, Any]] = getattr(
        import_module(f"zoo.inference.{output.kind}"), _PREDICTORS[output.kind]
    )
    return predictor
