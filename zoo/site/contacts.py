"""Pictures of models of contact maps: the prediction for the stored example."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo.models._base import SequenceModel
from zoo.outputs import Contacts
from zoo.plots.contacts import draw_contact_maps
from zoo.site.pictures import Gallery, Picture, labels_in_picture, png_size
from zoo.utils.text import some_of

__all__ = ["draw"]

_MOST_MAPS = 3
_SMALL = 96  # pixels of a side, at most


def draw(model: SequenceModel, example: dict[str, Tensor], folder: Path) -> Gallery:
    """Draw the contact maps that are predicted for the stored example.

    Args:
        model: the model.
        example: its stored example.
        folder: folder for the pictures.
    """
    output = model.output
    assert isinstance(output, Contacts)
    maps = output.contact_maps(example["expected"][0, :_MOST_MAPS]).numpy()  # (T, N, N)
    names = labels_in_picture(output.targets[: len(maps)])
    predicted = dict(zip(names, maps, strict=True))
    picture = folder / "map.png"
    draw_contact_maps(picture, "example", output.crop, output.bin_size, predicted, None, {}, "stored")
    _draw_small(folder / "small.png", maps[0])
    drawn = (
        f"first {len(maps)} of {len(output.targets):,} targets" if len(maps) < len(output.targets) else "all targets"
    )
    text = (
        f"Prediction for the example that is stored with the weights, {model.length:,} bases, random ones where zoo "
        f"chose them: {output.bins:,} bins of {output.bin_size:,} bases on a side, as log(observed/expected). It shows "
        "the form of the output and which values it takes, not a region of a genome."
    )
    alt = f"Predicted contact maps of the stored example: {some_of(output.targets[: len(maps)])}"
    caption = f"Predicted contact maps of the example ({drawn})."
    pictures = [Picture(picture.name, alt, caption, png_size(picture))]
    return Gallery("Prediction for the stored example", text, pictures, "small.png")


def _draw_small(path: Path, values: NDArray[np.float32]) -> None:
    """A small picture of one map (N, N), a pixel for each pair of bins or block of them."""
    from matplotlib import colormaps
    from matplotlib.image import imsave

    step = -(-len(values) // _SMALL)
    small = values[::step, ::step]
    limit = float(np.nanpercentile(np.abs(small), 99)) if np.isfinite(small).any() else 1.0
    colours = colormaps["RdBu_r"](np.nan_to_num(small) / (2 * (limit or 1.0)) + 0.5)
    imsave(path, np.ascontiguousarray((colours * 255).astype(np.uint8)))
