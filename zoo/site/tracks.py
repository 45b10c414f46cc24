"""Pictures of models of tracks: the prediction for the stored example."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo.models._base import SequenceModel
from zoo.outputs import Tracks
from zoo.plots.tracks import draw_tracks
from zoo.site.pictures import Gallery, Picture, labels_in_picture, png_size
from zoo.utils.text import counted, some_of

__all__ = ["draw"]

_MOST_TRACKS, _MOST_BINS = 9, 4_000
_SMALL = (120, 48)  # pixels


def draw(model: SequenceModel, example: dict[str, Tensor], folder: Path) -> Gallery:
    """Draw the tracks that are predicted for the stored example.

    Args:
        model: the model.
        example: its stored example.
        folder: folder for the pictures.
    """
    output = model.output
    assert isinstance(output, Tracks)
    values = example["expected"][0, :_MOST_TRACKS, :_MOST_BINS].numpy()  # (T, N)
    edges = output.crop + output.bin_size * np.arange(values.shape[1] + 1)
    names = labels_in_picture(output.targets[: len(values)])
    draw_tracks(folder / "tracks.png", "position in the example", edges, dict(zip(names, values, strict=True)), {}, "")
    _draw_small(folder / "small.svg", values[0])
    drawn = f"the first {len(values)} of {len(output.targets):,}" if len(values) < len(output.targets) else len(values)
    cut = f", the first {values.shape[1]:,} of them" if values.shape[1] < output.bins else ""
    text = (
        f"Prediction for the example that is stored with the weights, {model.length:,} bases, random ones where zoo "
        f"chose them: {output.bins:,} bins of {counted(output.bin_size, 'base')}{cut}. It shows the form of the output "
        "and which values it takes, not a region of a genome."
    )
    alt = f"Predicted tracks of the stored example: {some_of(output.targets[: len(values)])}"
    picture = Picture(
        "tracks.png", alt, f"Predicted tracks ({drawn}) along the example.", png_size(folder / "tracks.png")
    )
    return Gallery("Prediction for the stored example", text, [picture], "small.svg")


def _draw_small(path: Path, values: NDArray[np.float32]) -> None:
    """A small picture of one track (N,)."""
    width, height = _SMALL
    bins = np.array_split(values.astype(np.float64), min(width // 2, len(values)))
    means = np.array([part.mean() for part in bins])
    low, high = min(0.0, float(means.min())), max(0.0, float(means.max()))
    heights = height - 2 - (means - low) / ((high - low) or 1.0) * (height - 6)
    step = width / len(means)
    steps = "".join(f"L{index * step:.1f} {y:.1f}L{(index + 1) * step:.1f} {y:.1f}" for index, y in enumerate(heights))
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<path fill="#3178c6" d="M0 {height - 2}{steps}L{width} {height - 2}Z"/></svg>\n',
        encoding="utf-8",
    )
