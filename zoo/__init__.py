"""The model zoo of regulatory genomics: load a model by name, predict, fine-tune, reproduce.

Public names are loaded when they are first used, so that `import zoo` and `zoo list` do not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from zoo.contact_prediction import ContactPredictions
    from zoo.data.contacts import ContactDataModule
    from zoo.data.peak_rules import PeakRules
    from zoo.data.peaks import PeakDataModule
    from zoo.data.readers import read_sequences
    from zoo.data.tracks import TrackDataModule
    from zoo.genome import Genome
    from zoo.hub import load, save, verify
    from zoo.intervals import Interval, read_bed
    from zoo.model import SequenceModel
    from zoo.outputs import Contacts, Labels, Tracks
    from zoo.prediction import Predictions, predict
    from zoo.registry import list_models
    from zoo.track_prediction import TrackPredictions

_HOME = {
    "ContactDataModule": "zoo.data.contacts",
    "ContactPredictions": "zoo.contact_prediction",
    "Contacts": "zoo.outputs",
    "Genome": "zoo.genome",
    "Interval": "zoo.intervals",
    "Labels": "zoo.outputs",
    "PeakDataModule": "zoo.data.peaks",
    "PeakRules": "zoo.data.peak_rules",
    "Predictions": "zoo.prediction",
    "SequenceModel": "zoo.model",
    "TrackDataModule": "zoo.data.tracks",
    "TrackPredictions": "zoo.track_prediction",
    "Tracks": "zoo.outputs",
    "list_models": "zoo.registry",
    "load": "zoo.hub",
    "predict": "zoo.prediction",
    "read_bed": "zoo.intervals",
    "read_sequences": "zoo.data.readers",
    "save": "zoo.hub",
    "verify": "zoo.hub",
}

__all__ = [
    "ContactDataModule",
    "ContactPredictions",
    "Contacts",
    "Genome",
    "Interval",
    "Labels",
    "PeakDataModule",
    "PeakRules",
    "Predictions",
    "SequenceModel",
    "TrackDataModule",
    "TrackPredictions",
    "Tracks",
    "__version__",
    "list_models",
    "load",
    "predict",
    "read_bed",
    "read_sequences",
    "save",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
