"""What tests of exported files share: one-hot bases and predictions that are computed apart from the exporters."""

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.models._base import SequenceModel

__all__ = ["difference", "predicted", "random_batch"]

Array = NDArray[np.float32]


def random_batch(model: SequenceModel, rows: int, length: int | None = None, seed: int = 0) -> list[Array]:
    """One-hot bases (B, 4, L) in the order A, C, G, T, a tenth of them N, and tracks where the model reads some."""
    rng = np.random.default_rng(seed)
    length = length or model.length
    onehot = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (rows, length))].transpose(0, 2, 1)
    unknown = rng.random((rows, 1, length)) < 0.1
    onehot = np.where(unknown, np.float32(model.unknown_base), onehot)
    tracks = rng.random((rows, len(model.inputs.names), length // model.inputs.size)).astype(np.float32)
    return [onehot, tracks] if model.inputs.names else [onehot]


def predicted(model: SequenceModel, onehot: Array, *tracks: Array) -> Array:
    """What `model.predict` gives for the codes of one-hot bases."""
    codes = np.where(onehot.max(1) < 1, 4, onehot.argmax(1)).astype(np.uint8)
    with torch.inference_mode():
        return np.asarray(model.predict(torch.from_numpy(codes), *map(torch.from_numpy, tracks)))


def difference(one: Array, other: Array) -> float:
    """The largest difference; of values above 1, relative to them."""
    assert one.shape == other.shape
    return float((np.abs(one - other) / np.abs(other).clip(min=1)).max())
