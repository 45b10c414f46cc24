"""The model zoo of regulatory genomics: load a model by name, predict, fine-tune, reproduce.

Public names are loaded when they are first used, so that `import zoo` and `zoo list` do not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from zoo.utils.version import __version__

if TYPE_CHECKING:
    from zoo.api import embed, predict, saturation_mutagenesis
    from zoo.data.contacts.module import ContactDataModule
    from zoo.data.peaks.module import PeakDataModule
    from zoo.data.peaks.rules import PeakRules
    from zoo.data.sequences.module import SequenceDataModule
    from zoo.data.tracks.module import TrackDataModule
    from zoo.evaluation.run import evaluate
    from zoo.exporters.export import Export, export
    from zoo.formats.bed import read_bed
    from zoo.formats.sequences import SequenceFile, read_sequences
    from zoo.genome.fasta import Genome
    from zoo.genome.intervals import Interval
    from zoo.hub.checkpoint import save
    from zoo.hub.load import load, verify
    from zoo.hub.merge import merge
    from zoo.hub.registry import list_models
    from zoo.inference.contacts import ContactPredictions
    from zoo.inference.predictions import Predictions
    from zoo.inference.tracks import TrackPredictions
    from zoo.interpret.mutants import predict_mutants, predict_pairs
    from zoo.interpret.predictor import MutantPredictor
    from zoo.interpret.result import Mutagenesis
    from zoo.models._base import SequenceModel
    from zoo.outputs import Contacts, Labels, Tracks
    from zoo.scoring.result import Evaluation
    from zoo.training.finetune.api import finetune
    from zoo.variants.api import VariantScores, score_variants

_HOME = {
    "ContactDataModule": "zoo.data.contacts.module",
    "ContactPredictions": "zoo.inference.contacts",
    "Contacts": "zoo.outputs",
    "Evaluation": "zoo.scoring.result",
    "Export": "zoo.exporters.export",
    "Genome": "zoo.genome.fasta",
    "Interval": "zoo.genome.intervals",
    "Labels": "zoo.outputs",
    "Mutagenesis": "zoo.interpret.result",
    "MutantPredictor": "zoo.interpret.predictor",
    "PeakDataModule": "zoo.data.peaks.module",
    "PeakRules": "zoo.data.peaks.rules",
    "Predictions": "zoo.inference.predictions",
    "SequenceDataModule": "zoo.data.sequences.module",
    "SequenceFile": "zoo.formats.sequences",
    "SequenceModel": "zoo.models._base",
    "TrackDataModule": "zoo.data.tracks.module",
    "TrackPredictions": "zoo.inference.tracks",
    "Tracks": "zoo.outputs",
    "VariantScores": "zoo.variants.api",
    "embed": "zoo.api",
    "evaluate": "zoo.evaluation.run",
    "export": "zoo.exporters.export",
    "finetune": "zoo.training.finetune.api",
    "list_models": "zoo.hub.registry",
    "load": "zoo.hub.load",
    "merge": "zoo.hub.merge",
    "predict": "zoo.api",
    "predict_mutants": "zoo.interpret.mutants",
    "predict_pairs": "zoo.interpret.mutants",
    "read_bed": "zoo.formats.bed",
    "read_sequences": "zoo.formats.sequences",
    "saturation_mutagenesis": "zoo.api",
    "save": "zoo.hub.checkpoint",
    "score_variants": "zoo.variants.api",
    "verify": "zoo.hub.load",
}

__all__ = [
    "ContactDataModule",
    "ContactPredictions",
    "Contacts",
    "Evaluation",
    "Export",
    "Genome",
    "Interval",
    "Labels",
    "Mutagenesis",
    "MutantPredictor",
    "PeakDataModule",
    "PeakRules",
    "Predictions",
    "SequenceDataModule",
    "SequenceFile",
    "SequenceModel",
    "TrackDataModule",
    "TrackPredictions",
    "Tracks",
    "VariantScores",
    "__version__",
    "embed",
    "evaluate",
    "export",
    "finetune",
    "list_models",
    "load",
    "merge",
    "predict",
    "predict_mutants",
    "predict_pairs",
    "read_bed",
    "read_sequences",
    "saturation_mutagenesis",
    "save",
    "score_variants",
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
