"""How well measured contact maps agree with each other: what that leaves for a prediction of them to reach."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import cooler
import numpy as np
from common import Values, pearson

from zoo.data.contacts.bands import ContactBand
from zoo.data.contacts.expected_regions import Region
from zoo.data.contacts.maps import MapRules
from zoo.data.contacts.module import ContactDataModule
from zoo.datasets.yeast_contacts import contacts_folder
from zoo.formats.cooler import CoolerFile

__all__ = ["correlate_experiments", "correlate_halves"]

COARSE = 10_000  # bases in a bin of the second experiment
SEED = 1


def correlate_halves(data: ContactDataModule, chromosomes: Sequence[str]) -> dict[str, float]:
    """Split the contacts into two random halves and correlate the two maps.

    By the Spearman-Brown formula the whole map has reliability 2 r / (1 + r), and Pearson r of the true map with it is
    the square root of that. This is an upper bound: coarse-graining and clipping change both halves in the same way,
    which raises their r without being signal. All pairs of bins within the band count, not those of windows alone.

    Returns:
        `halves`, Pearson r of the two maps; `attainable`, the r that a perfect prediction of the whole could reach.
    """
    file, band = next(iter(data.files.values())), data.bands[0]
    source = cooler.Cooler(str(file.path))
    pixels, bins = source.pixels()[:], source.bins()[:]
    counts = pixels["count"].to_numpy()
    first = np.random.default_rng(SEED).binomial(counts, 0.5)
    maps = []
    with tempfile.TemporaryDirectory() as folder:
        for name, count in (("a", first), ("b", counts - first)):
            path = f"{folder}/{name}.cool"
            cooler.create_cooler(path, bins, pixels.assign(count=count)[count > 0], ordered=True)
            settings = (band.contigs, band.width, band.diagonal, band.expected_from, band.masked, band.rules)
            maps.append(_read_band(ContactBand(CoolerFile(path), *settings, False), chromosomes))
    r = _pearson_observed(*maps)
    return {"halves": r, "attainable": float(np.sqrt(2 * r / (1 + r)))}


def correlate_experiments(data: ContactDataModule, chromosomes: Sequence[str]) -> dict[str, float]:
    """Correlate two experiments in bins of 10 kb, from 20 kb to the width of a window; maps are not smoothed."""
    fine, coarse = (contacts_folder() / name for name in ("hic_2kb.cool", "hic_10kb.cool"))
    contigs, ratio = data.bands[0].contigs, COARSE // data.bin_size
    bins = sum(-(-length // COARSE) for length in contigs.values())
    regions = [Region(r.contig, -(-r.start // ratio), r.end // ratio) for r in data.bands[0].expected_from]
    width = data.length // COARSE + 1
    maps = []
    with tempfile.TemporaryDirectory() as folder:
        coarsened = Path(folder) / "coarse.cool"
        cooler.coarsen_cooler(str(fine), str(coarsened), ratio, 10_000_000)
        cooler.balance_cooler(cooler.Cooler(str(coarsened)), cis_only=True, store=True)
        for path in (coarsened, coarse):
            file = CoolerFile(str(path))
            band = ContactBand(file, contigs, width, 2, regions, np.zeros(bins, bool), MapRules(), False)
            maps.append(_read_band(band, chromosomes))
    return {"two experiments, 10 kb": _pearson_observed(*maps)}


def _read_band(band: ContactBand, chromosomes: Sequence[str]) -> Values:
    """Return all values of the band of some contigs, as one flat array."""
    first = dict(zip(band.contigs, band.first.tolist(), strict=True))
    end = {name: first[name] + -(-band.contigs[name] // band.file.bin_size) for name in chromosomes}
    rows = [band.values[first[name] : end[name]] for name in chromosomes]
    return np.concatenate(rows).astype(np.float64).ravel()


def _pearson_observed(x: Values, y: Values) -> float:
    observed = ~(np.isnan(x) | np.isnan(y))
    return pearson(x[observed], y[observed])
