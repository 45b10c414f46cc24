"""Contacts of coolers, counted window by window until some are seen; no map is prepared.

Shapes: T targets, P bins of all contigs, N bins that a window predicts.
"""

import numpy as np
from numpy.typing import NDArray

from zoo.data.contacts import ContactDataModule
from zoo.data.contacts.bands import ContactBand
from zoo.data.splits import Split
from zoo.data.target_values import Variation
from zoo.data.tiles import Tiles
from zoo.data.window_plan import WindowPlan
from zoo.training.preflight.report import Report
from zoo.training.preflight.windows import Reading
from zoo.utils.progress import bar

__all__ = ["contact_reading"]

Mask = NDArray[np.bool_]


def contact_reading(data: ContactDataModule, plan: WindowPlan, report: Report) -> Reading:
    """How the coolers of a data set are read.

    Args:
        data: the data, of which headers were read.
        plan: its windows.
        report: where coolers that cannot be read are reported.
    """
    seen = []
    for target, band in zip(data.targets, bar(data.bands, "reading weights"), strict=True):
        mask = ~band.masked
        with report.collecting(f"cooler {target}"):
            mask = _observed(band)
        seen.append(mask)

    def observed(known: Mask) -> Mask:
        """Bins (P,) with a weight in some cooler; those that are N are not masked by themselves."""
        result: Mask = np.logical_or.reduce(seen)
        return result

    def variation(tiles: Tiles, split: Split, observed: Mask) -> Variation:
        """Which targets have contacts in the windows of a split."""
        varies = np.ones(len(seen), np.bool_)
        for index, (band, mask) in enumerate(zip(data.bands, seen, strict=True)):
            with report.collecting(f"cooler {data.targets[index]}"):
                varies[index] = _has_contacts(data, band, tiles, mask)
        # What has contacts varies; what has none is not observed.
        return Variation(np.where(varies, 0.0, np.inf), np.where(varies, 1.0, -np.inf))

    needed = sum(4 * band.shape[0] * band.width for band in data.bands if not band.folder.exists())
    return Reading(data.bands[0].first, observed, variation, needed, "coolers")


def _observed(band: ContactBand) -> Mask:
    """Bins with a weight (P,); all that are not blacklisted where weights are yet to be computed."""
    if band.balance and "weight" not in band.file.columns:
        return ~band.masked
    return band.plan_observed()


def _has_contacts(data: ContactDataModule, band: ContactBand, tiles: Tiles, observed: Mask) -> bool:
    """Whether any window has a contact, at a distance that is predicted, between two bins that count."""
    contigs = list(data.plan.contigs)
    names = band.file.match(data.plan.contigs)
    for row in np.random.default_rng(0).permutation(len(tiles)).tolist():
        contig, start = int(tiles.contig[row]), int(tiles.start[row])
        inside = observed[band.first[contig] + start :][: data.bins]
        for pixels in band.file.pixels(str(names[contigs[contig]]), start, start + data.bins, data.bins):
            one = pixels.row - start
            other = one + pixels.distance
            kept = (other < data.bins) & (pixels.distance >= data.diagonal) & (pixels.contacts > 0)
            if (inside[one[kept]] & inside[other[kept]]).any():
                return True
    return False
