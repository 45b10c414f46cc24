"""Score random variants of a model's own data, or of sequences that are given: what its scores are compared with.

Shapes: N variants, L bases.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError, InputError
from zoo.formats.sequences import SequenceFile
from zoo.genome.sequence import UNKNOWN, Codes, encode
from zoo.hub.background import Background
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts, Labels, Tracks
from zoo.utils.progress import bar
from zoo.variants.choose import scores_for
from zoo.variants.outputs import PairOutputs
from zoo.variants.scorer import USUAL_BATCH

__all__ = ["USUAL_VARIANTS", "random_background", "sequences_of_data", "sequences_of_file"]

USUAL_VARIANTS = {Labels.kind: 4_000, Tracks.kind: 800, Contacts.kind: 200}
_MOST_SEQUENCES = 2_000  # of a file or of the data


def random_background(
    model: SequenceModel, sequences: Sequence[Codes], source: str, variants: int | None = None, seed: int = 1
) -> Background:
    """Score random substitutions.

    Args:
        model: a loaded model.
        sequences: codes uint8 (L,) each, of the model's length.
        source: what they are, in words.
        variants: number of substitutions; None for the usual number of the kind. Each has a random sequence, position
            and base; of models that predict less than they read, a position of that part.
        seed: of the random numbers.

    Raises:
        InputError: no sequence, or one of another length.
        ConfigError: fewer than 10 variants.
    """
    count = USUAL_VARIANTS[model.output.kind] if variants is None else variants
    if count < 10:
        raise ConfigError(f"{count} variants say nothing of how scores are distributed: give 10 or more")
    if not sequences or any(len(one) != model.length for one in sequences):
        raise InputError(f"random variants are of sequences of {model.length:,} bases, which the model reads")
    scores = scores_for(model)
    scores.names = scores.names[:1]
    rng = np.random.default_rng(seed)
    crop = getattr(model.output, "crop", 0)
    batch, values = USUAL_BATCH[model.output.kind], []
    pairs = PairOutputs(model, model.rc_average, "32")
    for _ in bar(range(-(-count // batch)), "Random variants"):
        reference = np.stack([sequences[row] for row in rng.integers(0, len(sequences), batch)])
        positions = rng.integers(crop, model.length - crop, batch)
        positions = _known(reference, positions, rng, crop)
        alternative = reference.copy()
        rows = np.arange(batch)
        alternative[rows, positions] = (reference[rows, positions] + rng.integers(1, 4, batch)) % 4
        pair = torch.from_numpy(reference), torch.from_numpy(alternative)
        outputs = pairs.compute(*pair, positions, 1)
        centre = torch.from_numpy(positions + 0.5).to(model.device)
        values.append(scores.compute(*outputs, centre)[:, 0].cpu().numpy())
    return Background.of_scores(np.concatenate(values)[:count], scores.names[0], source)


def _known(reference: Codes, positions: "np.ndarray", rng: np.random.Generator, crop: int) -> "np.ndarray":
    """Positions with another one instead of each that holds an N.

    Raises:
        InputError: the sequences are mostly N.
    """
    rows = np.arange(len(reference))
    for _ in range(100):
        unknown = reference[rows, positions] == UNKNOWN
        if not unknown.any():
            return positions
        positions = np.where(unknown, rng.integers(crop, reference.shape[1] - crop, len(rows)), positions)
    raise InputError("the sequences are mostly N: give others")


def sequences_of_data(model: SequenceModel, data: GenomicDataModule) -> list[Codes]:
    """Sequences of the validation split of data: of labels without negatives that are made, else whole windows."""
    blocks = data.sequences_of(["val"]) if model.output.kind == Labels.kind else _windows(data)
    return _first(codes for block in blocks for codes in block)


def _windows(data: GenomicDataModule) -> Iterator[Codes]:
    """The windows of the validation split, batch by batch."""
    data.prepare_data()
    data.setup("validate")
    for batch in data.val_dataloader():
        yield batch.codes.numpy()


def sequences_of_file(model: SequenceModel, path: str) -> list[Codes]:
    """Sequences of a file; longer ones are cut into windows of the model's length, shorter ones are left out.

    Raises:
        InputError: a file that cannot be read, or without a sequence that is long enough.
    """
    length = model.length
    windows = (
        codes[start : start + length]
        for block in SequenceFile(path)
        for codes in map(encode, block.sequences)
        for start in range(0, len(codes) - length + 1, length)
    )
    if not (sequences := _first(windows)):
        raise InputError(f"{path}: no sequence has the {length:,} bases that the model reads")
    return sequences


def _first(sequences: Iterator[Codes]) -> list[Codes]:
    """The first sequences; the rest is not read."""
    return [one for one, _ in zip(sequences, range(_MOST_SEQUENCES), strict=False)]
