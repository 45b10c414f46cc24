"""`zoo.predict` and `zoo.embed`: sequences in any form in, predictions or embeddings out."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError, InputError
from zoo.genome.fasta import Genome
from zoo.hub.load import load
from zoo.inference.choose import predictor_for
from zoo.inference.engine import Precision, check_finite, inference
from zoo.inference.given import Intervals, as_intervals, is_file, source_of
from zoo.inference.labels import LabelPredictor, predict_codes
from zoo.inference.predictions import Predictions
from zoo.inference.sources import Source
from zoo.inference.windowing import WHOLE, Windowing
from zoo.interpret.mutagenesis import Fill, MutantKinds
from zoo.interpret.result import Mutagenesis
from zoo.interpret.stream import MutantStream
from zoo.models._base import SequenceModel
from zoo.outputs import Labels
from zoo.utils.text import some_of

if TYPE_CHECKING:
    from zoo.inference.contacts import ContactPredictions
    from zoo.inference.tracks import TrackPredictions

__all__ = ["embed", "predict", "saturation_mutagenesis"]

_BATCH = 64
_log = logging.getLogger("zoo")


def predict(
    model: SequenceModel | str,
    x: Any,
    intervals: Intervals = None,
    precision: Precision = "32",
    *,
    targets: Sequence[str] | str | None = None,
    batch_size: int | None = None,
    inputs: str | None = None,
    resize: bool = False,
    tile: int | None = None,
    best: bool = False,
) -> "Predictions | TrackPredictions | ContactPredictions":
    """Predict for sequences, or for intervals of a genome, with a model of any kind.

    Examples:
        >>> import zoo
        >>> model = zoo.load("deepbind.encode_usf1_h1hesc")
        >>> predictions = zoo.predict(model, ["GTCACGTGAC" * 10 + "A", "ACGTTTACGA" * 10 + "A"])
        >>> predictions
        Predictions(2 x 1: 2 sequences, sequence_1, sequence_2; 1 target, USF1)
        >>> predictions.to_numpy().shape
        (2, 1)
        >>> predictions.to_dataframe().columns.tolist()
        ['name', 'USF1']
        >>> zoo.predict("deepbind.encode_usf1_h1hesc", "GTCACGTGAC" * 30, tile=100).columns["start"]
        [0, 100, 199]

    Args:
        model: a loaded model, or the name of one (see `zoo.load`).
        x: sequences, or a genome. Sequences are text (one or several), codes (uint8, (L,) or (B, L), N is 4), one-hot
            ((B, 4, L), array or tensor), or the path of a FASTA, table or lines. A genome is a `zoo.Genome`; for a
            model of tracks or contacts also the path of its FASTA.
        intervals: of the genome: several, one, the path of a BED file, a region such as `chrIX:100-900`; None for all
            contigs (tracks and contacts). For labels they have the model's length, or any with `resize` or `tile`.
        precision: `32`, or `bf16` / `16` for autocast.
        targets: names of the targets wanted, or one name; None for all.
        batch_size: sequences or windows predicted at once; None for the usual number of the kind.
        inputs: table of the input tracks, for a model that reads some.
        resize: take the model's length around each centre, of a narrowPeak file around each summit (labels).
        tile: predict windows along each sequence, so many bases apart (labels).
        best: of these, the one with the highest prediction alone.

    Returns:
        For sequences `Predictions`; for a genome `Predictions` of labels, `TrackPredictions` or `ContactPredictions`.
        All have `to_numpy`, `to_dataframe` and `write`.

    Raises:
        InputError: sequences or intervals that cannot be read, or of a length that the model does not take.
        ConfigError: a target that the model does not have, or options that do not fit its kind.
        UnknownNameError: no model of that name.
    """
    model = _model(model)
    targets = [targets] if isinstance(targets, str) else targets
    windowing, is_labels = Windowing(resize, tile, best), isinstance(model.output, Labels)
    if windowing.changes and not is_labels:
        raise ConfigError(f"resize and tile are for models of labels; this one predicts {model.output.kind}")
    if not isinstance(x, Genome) and not is_labels and is_file(x):
        x = Genome(x)
    if isinstance(x, Genome) and not is_labels:
        predictor = predictor_for(model.output)(model, targets, batch_size, precision, inputs)
        predictions: TrackPredictions | ContactPredictions = predictor.predict(x, as_intervals(x, intervals))
        return predictions
    source = source_of(x, intervals, inputs, resize)
    if not is_labels:
        return _whole_windows(model, source, targets, batch_size or 1, precision)
    labels = LabelPredictor(model, targets, batch_size, precision, inputs, windowing)
    plan = labels.plan_source(source)
    return labels.collect(plan, labels.stream(plan))


def embed(
    model: SequenceModel | str,
    x: Any,
    intervals: Intervals = None,
    precision: Precision = "32",
    *,
    batch_size: int = _BATCH,
    inputs: str | None = None,
    resize: bool = False,
) -> NDArray[np.float32]:
    """Compute embeddings: the output of a model's trunk for each sequence.

    Examples:
        >>> import zoo
        >>> zoo.embed("deepbind.encode_usf1_h1hesc", ["GTCACGTGAC" * 10 + "A"]).shape[0]
        1

    The given strand alone is read; what was cut, padded or read as N is logged as a warning. The axes after the first
    are of the architecture: MLP (N, hidden units); DeepBind (N, strands, members, pooled features); Basset (N, members,
    hidden units); Basenji (N, channels, bins); Akita (N, channels, bins, bins). `embeddings.reshape(len(embeddings),
    -1)` makes one vector of each sequence.

    Args:
        model: a loaded model, or the name of one.
        x: sequences or a genome, as of `predict`.
        intervals: of the genome, as of `predict`.
        precision: `32`, or `bf16` / `16` for autocast.
        batch_size: sequences at once.
        inputs: table of the input tracks, for a model that reads some.
        resize: as of `predict` (labels).

    Returns:
        float32 (N, ...), the output of `model.features`.

    Raises:
        InputError: as `predict`, or sequences of several lengths.
    """
    model = _model(model)
    if batch_size < 1:
        raise ConfigError(f"a batch size of {batch_size} is too small")
    parts: list[NDArray[np.float32]] = []
    notes: list[str] = []
    windowing = Windowing(resize)
    if resize and not isinstance(model.output, Labels):
        raise ConfigError(f"resize is for models of labels; this one predicts {model.output.kind}")
    for block in source_of(x, intervals, inputs, resize).blocks(model, windowing, notes):
        if len({len(one) for one in block.codes}) > 1:
            raise InputError(f"embeddings are of sequences of one length: {some_of(block.names)} differ")
        for start in range(0, len(block.codes), batch_size):
            batch = torch.from_numpy(np.stack(block.codes[start : start + batch_size])).to(model.device)
            tracks = block.inputs and torch.from_numpy(np.stack(block.inputs[start : start + batch_size]))
            with inference(model, precision):
                features = model.features(batch, tracks.to(model.device) if isinstance(tracks, torch.Tensor) else None)
            parts.append(features.float().cpu().numpy())
            check_finite(parts[-1], block.names[start : start + batch_size], precision)
    if not parts:
        raise InputError("there is no sequence to embed")
    for note in notes:
        _log.warning(note)
    return np.concatenate(parts)


def saturation_mutagenesis(
    model: SequenceModel | str,
    x: Any,
    intervals: Intervals = None,
    *,
    deletions: bool = False,
    tile: int | None = None,
    fill: Fill = "N",
    span: tuple[int, int] | None = None,
    bins: tuple[int, int] | None = None,
    targets: Sequence[str] | str | None = None,
    inputs: str | None = None,
    resize: bool = False,
) -> Mutagenesis:
    """Predict every single substitution of sequences, by computing only what it reaches in the net.

    The numbers are those of `predict` for each mutant, minus that of the sequence, up to the rounding of float32.

    Examples:
        >>> import zoo
        >>> mutants = zoo.saturation_mutagenesis("deepbind.encode_usf1_h1hesc", ["GTCACGTGAC" * 10 + "A"])
        >>> mutants[0].substitutions.change.shape  # positions, A C G T, targets
        (101, 4, 1)

    Args:
        model: a loaded model, or the name of one.
        x: sequences or a genome, as of `predict`; of a model of tracks or contacts each is one window.
        intervals: of the genome, as of `predict`.
        deletions: also delete the base at each position. Those left of it stay, those right of it move left, and the
            last position is filled with the base that follows in the genome, or with N.
        tile: also replace tiles of so many bases, one after the other.
        fill: what they are replaced by: `N`, or `shuffle`, the mean over 10 random orders of their bases.
        span: positions [first, last) that are mutated; None for all.
        bins: bins [first, last) whose changes are summed (tracks, contacts); None for all.
        targets: names of the targets wanted, or one name; None for all.
        inputs: table of the input tracks, for a model that reads some.
        resize: take the model's length around each centre.

    Returns:
        For each sequence a `SequenceMutants`; `write` and `to_dataframe` give a row for each mutant.

    Raises:
        InputError: as `predict`, or a span past the end of a sequence.
        ConfigError: a target or bins that the model does not have, or values that no mutant can have.
    """
    model = _model(model)
    targets = [targets] if isinstance(targets, str) else targets
    stream = MutantStream(model, MutantKinds(deletions, tile, fill, span=span), targets, bins)
    notes: list[str] = []
    sequences = list(stream.of(source_of(x, intervals, inputs, resize), Windowing(resize), notes))
    return Mutagenesis(stream.targets, sequences, notes)


def _model(model: Any) -> SequenceModel:
    """A loaded model, or that of a name."""
    if isinstance(model, str):
        return load(model)
    if not isinstance(model, SequenceModel):
        raise ConfigError(f"the model comes first, loaded or by name; an object of type {type(model).__name__} is none")
    return model


def _whole_windows(
    model: SequenceModel, source: Source, targets: Sequence[str] | None, batch_size: int, precision: Precision
) -> Predictions:
    """Tracks or contacts of sequences, each of which is one window of the model."""
    predictor = predictor_for(model.output)(model, targets, batch_size, precision)
    names: list[str] = []
    parts = [np.empty((0, *model.output.shape), np.float32)]
    notes: list[str] = []
    for block in source.blocks(model, WHOLE, notes):
        names += block.names
        parts.append(predict_codes(model, block.codes, block.names, batch_size, precision))
    values = np.concatenate(parts)[:, predictor.rows]
    return Predictions(names, tuple(predictor.targets), values, {}, model.output, notes)
