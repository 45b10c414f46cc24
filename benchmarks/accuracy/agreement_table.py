"""Table `variants_agreement`: by which outputs of basset.dhs_cells variants are to be read, without measured variants.

Every single substitution of the middle 100 bases of 60 validation sites (chromosome 2) of K562, and of 60 of HepG2. For
both kinds of output of the cell line, `K562` and `K562_open`: the change of its probability, compared with the change
that basset.mpra_dragonn predicts for the middle 145 bases, the mean of `minP_pooled` of both cell lines. The table has
the mean of Pearson r over sites. That model was trained on another assay, by others, on none of these labels: outputs
that agree with it more have less of what only this data set or this training put into them.

Shapes: S sites, P positions, T targets.
"""

from typing import NamedTuple

import numpy as np
from common import pearson
from numpy.typing import NDArray
from rich.progress import track

import zoo
from zoo.datasets.dhs_cells import CELLS, DhsCellsDataModule, open_target
from zoo.genome.sequence import Codes, decode
from zoo.hub.folder import WEIGHTS
from zoo.hub.load import load, resolve
from zoo.models._base import SequenceModel
from zoo.utils.download import sha256_of

__all__ = ["agreement_table"]

DHS, MPRA = "basset.dhs_cells", "basset.mpra_dragonn"
_CELLS = ("K562", "HepG2")
_SITES = 60
_SEED = 5  # of the sites that are drawn
_POSITIONS = 100


class Reading(NamedTuple):
    """What is read of a model.

    Attributes:
        model: the model.
        targets: its targets, whose changes are averaged.
    """

    model: SequenceModel
    targets: list[str]


def agreement_table() -> tuple[list[str], list[list[object]], dict[str, object]]:
    """Header and rows of the table, and the sha256 of the weights."""
    dhs, mpra = load(DHS), load(MPRA)
    other = Reading(mpra, [f"{cell}_minP_pooled" for cell in _CELLS])
    rows: list[list[object]] = []
    for cell in _CELLS:
        sites = draw_sites(cell)
        expected = substitutions(other, sites)
        for target in (cell, open_target(cell)):
            changes = substitutions(Reading(dhs, [target]), sites)
            values = [pearson(one, another) for one, another in zip(changes, expected, strict=True)]
            rows.append([cell, target, len(sites), changes.shape[1], float(np.mean(values))])
    header = ["cell line", "output", "sites", "variants of a site", f"mean Pearson with {MPRA}"]
    return header, rows, {model: {"sha256": sha256_of(resolve(model) / WEIGHTS)} for model in (DHS, MPRA)}


def draw_sites(cell: str) -> Codes:
    """Draw validation sites of a cell line: codes (S, 200)."""
    sites = DhsCellsDataModule().subset("val")
    of_cell = np.flatnonzero(sites.labels[:, list(CELLS).index(cell)] == 1)
    drawn: Codes = sites.codes[np.sort(np.random.default_rng(_SEED).permutation(of_cell)[:_SITES])]
    return drawn


def substitutions(reading: Reading, sites: Codes) -> NDArray[np.float64]:
    """Changes that substitutions of the middle bases make, averaged over targets: (S, 3 P)."""
    length = reading.model.length
    first = (sites.shape[1] - length) // 2
    begin = (sites.shape[1] - _POSITIONS) // 2 - first
    span = (begin, begin + _POSITIONS)
    changes = []
    for codes in track(sites, description=", ".join(reading.targets)):
        window = codes[first : first + length]
        mutants = zoo.saturation_mutagenesis(reading.model, [decode(window)], span=span, targets=reading.targets)
        mean = mutants[0].substitutions.change.mean(-1)  # (P, 4)
        kept = np.arange(4) != window[span[0] : span[1], None]
        changes.append(mean[kept])
    return np.stack(changes).astype(np.float64)
