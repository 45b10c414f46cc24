"""Pictures of models of labels: motifs of the first layer's filters, or the effect of each base at each position."""

from pathlib import Path

import numpy as np
from torch import Tensor

from zoo.models._base import SequenceModel
from zoo.nn.filters import HasFilterBank
from zoo.site.filters import FilterMotif, FilterMotifs, information, strongest_filters
from zoo.site.logo import consensus, draw_logo, informative
from zoo.site.mutations import BaseEffects, base_effects
from zoo.site.network import Network
from zoo.site.pictures import Gallery, Picture
from zoo.site.text import one_text
from zoo.utils.text import counted

__all__ = ["draw"]

_BITS = (0.0, 2.0)
_THUMBNAIL, _SMALL = "small.svg", 14  # file, and positions that it shows
_TOO_LONG = "No picture: it would take too long to compute."
_NOT_FINITE = "No picture: some predictions for random sequences are infinite or no numbers."


def draw(model: SequenceModel, example: dict[str, Tensor], folder: Path) -> Gallery:
    """Draw what a model of labels sees; the stored example is not needed.

    Args:
        model: the model.
        example: its stored example.
        folder: folder for the pictures.
    """
    network = Network(model)
    if isinstance(network.trunk, HasFilterBank):
        motifs = strongest_filters(network, network.trunk.filter_bank())
        if motifs:
            return _of_filters(network, motifs, folder)
    effects = base_effects(network)
    if effects is None or not np.isfinite(effects.effects).all():
        return Gallery("What the model sees", _TOO_LONG if effects is None else _NOT_FINITE)
    return _of_bases(network, effects, folder)


def _of_filters(network: Network, motifs: FilterMotifs, folder: Path) -> Gallery:
    """Logos of filters."""
    pictures = [_logo(network, motif, folder) for motif in motifs.motifs]
    draw_logo(folder / _THUMBNAIL, informative(information(motifs.motifs[0].counts), _SMALL), _BITS, axes=False)
    net = f"the first of {network.members} nets of the ensemble" if network.members > 1 else "the net"
    of = f"the first {motifs.considered:,} of " if motifs.considered < motifs.filters else ""
    text = (
        f"Sequence logos of the {len(pictures)} first-layer filters with the largest effect on the output, of {of}"
        f"{motifs.filters:,} filters of {motifs.width} bp in {net}. A filter's responses (convolution"
        " and normalisation, rectified, before pooling) were computed at every position of "
        f"{motifs.sequences:,} random sequences of {network.model.length:,} bp; the logo shows the bases of all "
        "subsequences whose response is over half of the highest, in bits (two bits: always the same base), corrected "
        f"for their number. The effect is the mean absolute change of the {network.unit}, over all targets, when the "
        f"filter is silenced in the {motifs.silenced} of these sequences to which it responds most."
    )
    return Gallery("Motifs of the first layer", text + _of_inputs(network), pictures, _THUMBNAIL)


def _logo(network: Network, motif: FilterMotif, folder: Path) -> Picture:
    heights = information(motif.counts)
    name = f"filter-{motif.index + 1}.svg"
    size = draw_logo(folder / name, heights, _BITS, "bits")
    targets = network.model.output.targets
    what = one_text(targets[motif.target], 40) if len(targets) > 1 else f"the {network.unit}"
    words = [
        f"Filter {motif.index + 1}",
        *([f"effect {motif.effect:.2f}"] if len(targets) > 1 else []),
        f"{'raises' if motif.change >= 0 else 'lowers'} {what} by {abs(motif.change):.2f}",
        counted(motif.subsequences, "subsequence"),
    ]
    caption = " · ".join(words)
    alt = f"Sequence logo of filter {motif.index + 1}, consensus {consensus(heights) or 'none'}"
    return Picture(name, alt, caption, size)


def _of_bases(network: Network, effects: BaseEffects, folder: Path) -> Gallery:
    """A logo of the effects of bases."""
    heights = effects.effects
    high = max(float(np.maximum(heights, 0).sum(1).max()), 1e-6)
    low = min(float(np.minimum(heights, 0).sum(1).min()), -1e-6)
    limits = (float(f"{low:.2g}"), float(f"{high:.2g}"))
    size = draw_logo(folder / "bases.svg", heights, limits, network.unit, effects.start + 1)
    draw_logo(folder / _THUMBNAIL, informative(np.maximum(heights, 0), 2 * _SMALL), (0.0, limits[1]), axes=False)
    targets = network.model.output.targets
    target = f" of {one_text(targets[0])}, the first of {len(targets):,} targets" if len(targets) > 1 else ""
    end = effects.start + len(heights)
    where = (
        "" if len(heights) == network.model.length else f", at positions {effects.start + 1:,} to {end:,} in the middle"
    )
    text = (
        f"Each of the four bases was put at each position of the same {effects.sequences} random sequences of "
        f"{network.model.length:,} bp{where}. The height of a letter is the mean {network.unit}{target} with this base "
        "there, minus the mean over the four bases: letters above the line raise the prediction, those below lower it. "
        "Effects of bases that depend on their neighbours are averaged out."
    )
    strongest = int(np.abs(heights).sum(1).argmax())
    alt = f"Effect of each base at each position; the largest at position {effects.start + strongest + 1}"
    picture = Picture("bases.svg", alt, "Mean effect of each base at each position.", size)
    return Gallery("Effect of each base", text + _of_inputs(network), [picture], _THUMBNAIL)


def _of_inputs(network: Network) -> str:
    """What was read of the tracks that a model reads in addition."""
    return " The tracks that it also reads held random numbers from 0 to 1." if network.model.inputs.names else ""
