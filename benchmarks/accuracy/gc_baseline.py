"""Baseline of the Akita tables: ridge regression of each pixel on its distance and GC content.

Shapes: P pixels of a window, F features.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.data.contacts.module import ContactDataModule
from zoo.data.splits import Split
from zoo.genome.intervals import Interval
from zoo.metrics.contacts import ContactMetrics

__all__ = ["gc_content", "pixel_features", "score_gc_baseline"]

Values = NDArray[np.float64]


def score_gc_baseline(data: ContactDataModule, split: Split) -> ContactMetrics:
    """Fit the baseline on the training windows (penalty 1) and score it on those of a split."""
    content = gc_content(data)
    weights = _fit(data, content)
    metrics = ContactMetrics(["contacts"], data.bins, data.diagonal)
    dataset = data.dataset(split)
    for index in range(len(dataset)):
        target = dataset.__getitems__([index]).target
        contig, start = int(dataset.tiles.contig[index]), int(dataset.tiles.start[index])
        prediction = pixel_features(data, content, contig, start) @ weights
        metrics.update(torch.from_numpy(prediction).float()[None, None], target)  # (P,) -> (1, 1, P)
    return metrics


def _fit(data: ContactDataModule, content: dict[int, Values]) -> Values:
    """Fit the ridge regression (F,) to all measured pixels of the training windows."""
    features, values = [], []
    train = data.dataset("train")
    for contig, start in zip(train.tiles.contig, train.tiles.start, strict=True):
        target = train.targets(np.array([contig]), np.array([start]))[0, 0]
        observed = ~np.isnan(target)
        features.append(pixel_features(data, content, int(contig), int(start))[observed])
        values.append(target[observed])
    x, y = np.concatenate(features), np.concatenate(values)
    weights: Values = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ y)
    return weights


def gc_content(data: ContactDataModule) -> dict[int, Values]:
    """Return the fraction of G and C in each bin, less 0.5; keys are the indices of the contigs."""
    genome, content = data.reference, {}
    for index, (name, length) in enumerate(data.bands[0].contigs.items()):
        bins = -(-length // data.bin_size)
        codes = genome.codes(Interval(name, 0, bins * data.bin_size))
        content[index] = np.isin(codes, (1, 2)).reshape(bins, data.bin_size).mean(1) - 0.5
    return content


def pixel_features(data: ContactDataModule, content: dict[int, Values], contig: int, start: int) -> Values:
    """Return the features (P, F) of the pixels of a window.

    They are the distance (one-hot), the sum, product and absolute difference of the GC content of the two bins, and the
    mean GC content of the bins between them.
    """
    rows, columns = (index.numpy() for index in data.output.pixels())
    gc = content[contig][start : start + data.bins]
    cumulative = np.append(0, gc.cumsum())
    between = (cumulative[columns] - cumulative[rows + 1]) / np.maximum(columns - rows - 1, 1)
    left, right = gc[rows], gc[columns]
    distance = np.eye(data.bins)[columns - rows]
    return np.column_stack([distance, left + right, left * right, np.abs(left - right), between])
