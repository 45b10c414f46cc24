"""Pictures of in-silico mutagenesis: letters as high as they matter, and the effect of every substitution.

Shapes: P positions.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.genome.sequence import ALPHABET
from zoo.utils.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MutatedSequence", "draw_mutagenesis"]

_COLOURS = {"A": "#109648", "C": "#255C99", "G": "#F7B32B", "T": "#D62839"}
_PERCENTILE = 99.5  # of the absolute changes, at which the colours end
_MOST_LETTERS = 150  # positions whose letters can be read


class MutatedSequence(NamedTuple):
    """Substitutions of a part of a sequence.

    Attributes:
        name: name of the sequence.
        start: first position, counted from 0.
        letters: its bases (P,).
        change: change of the prediction by each base, in the order A C G T (P, 4); 0 for the base that is there.
    """

    name: str
    start: int
    letters: str
    change: NDArray[np.float32]


def draw_mutagenesis(picture: Path, sequences: Sequence[MutatedSequence], title: str) -> None:
    """Draw sequences below each other: a logo, and below it the change by each base.

    A letter is as high as the mean loss by the three other bases: one that points down lowers the prediction.

    Args:
        picture: the file to write; its ending says the format (png, svg, pdf).
        sequences: what is drawn.
        title: title of the picture.
    """
    from matplotlib.figure import Figure

    longest = max(len(one.letters) for one in sequences)
    width = min(24.0, max(6.0, 0.13 * longest + 1.5))
    figure = Figure(figsize=(width, 0.6 + 2.4 * len(sequences)), layout="constrained")
    ratios = {"height_ratios": [3, 2] * len(sequences)}
    rows = figure.subplots(2 * len(sequences), 1, squeeze=False, gridspec_kw=ratios)[:, 0]
    limit = float(np.percentile(np.concatenate([np.abs(one.change).ravel() for one in sequences]), _PERCENTILE)) or 1.0
    for logo, heat, one in zip(rows[::2], rows[1::2], sequences, strict=True):
        _draw_logo(logo, one)
        left, right = one.start - 0.5, one.start + len(one.letters) - 0.5
        extent = (left, right, 3.5, -0.5)
        image = heat.imshow(one.change.T, cmap="RdBu_r", vmin=-limit, vmax=limit, extent=extent, aspect="auto")
        heat.set_yticks(range(4), list(ALPHABET), fontsize=7)
        heat.tick_params(axis="x", labelsize=7)
        logo.set_xlim(left, right)
        logo.set_title(shorten(one.name, 80), fontsize=9, loc="left")
        logo.tick_params(labelbottom=False, labelsize=7)
    bar = figure.colorbar(image, ax=list(rows), shrink=0.5, extend="both", pad=0.01)
    bar.set_label("change by the base", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    rows[-1].set_xlabel("position", fontsize=8)
    figure.suptitle(title, fontsize=10)
    figure.savefig(picture, dpi=120)


def _draw_logo(axes: "Axes", one: MutatedSequence) -> None:
    """Draw the letters; of a long sequence bars, in which nobody could read them."""
    heights = -one.change.sum(1) / 3  # (P,), the mean over the three other bases
    positions = one.start + np.arange(len(heights))
    if len(heights) > _MOST_LETTERS:
        axes.bar(positions, heights, width=1.0, color=[_COLOURS.get(letter, "0.6") for letter in one.letters])
    else:
        for position, letter, height in zip(positions, one.letters, heights, strict=True):
            if letter in _COLOURS and height:
                _draw_letter(axes, letter, float(position), float(height))
    low, high = min(float(heights.min()), 0.0), max(float(heights.max()), 0.0)
    margin = 0.06 * (high - low) or 1.0
    axes.set_ylim(low - margin, high + margin)
    axes.axhline(0, color="0.4", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.locator_params(axis="y", nbins=3)


def _draw_letter(axes: "Axes", letter: str, position: float, height: float) -> None:
    """Draw a letter from 0 to a height, upside down where that is negative."""
    from matplotlib.patches import PathPatch
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    path = TextPath((0, 0), letter, size=1)
    box = path.get_extents()
    scale = Affine2D().translate(-box.x0, -box.y0).scale(0.92 / box.width, height / box.height)
    shape = scale.translate(position - 0.46, 0).transform_path(path)
    axes.add_patch(PathPatch(shape, color=_COLOURS[letter], linewidth=0))
