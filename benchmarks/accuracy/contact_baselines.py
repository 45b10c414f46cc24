"""What maps of yeast are compared with: distance and GC content, halves of the contacts, another experiment."""

import tempfile
from collections.abc import Sequence

import cooler
import numpy as np
import torch
from numpy.typing import NDArray

from zoo.data.contacts.bands import ContactBand
from zoo.data.contacts.expected_regions import Region
from zoo.data.contacts.maps import MapRules
from zoo.data.contacts.module import ContactDataModule
from zoo.datasets.yeast_contacts import contacts_folder
from zoo.formats.cooler import CoolerFile
from zoo.genome.intervals import Interval
from zoo.metrics.contacts import ContactMetrics

Values = NDArray[np.float64]
COARSE = 10_000
SEED = 1


def gc_scores(data: ContactDataModule, part: str) -> ContactMetrics:
    """Ridge regression of a pixel on its distance and the GC content of its bins and of what lies between them."""
    content = gc_content(data)
    features, values = [], []
    train = data.dataset("train")
    for contig, start in zip(train.tiles.contig, train.tiles.start, strict=True):
        target = train.targets(np.array([contig]), np.array([start]))[0, 0]
        there = ~np.isnan(target)
        features.append(_features(data, content, int(contig), int(start))[there])
        values.append(target[there])
    x, y = np.concatenate(features), np.concatenate(values)
    weights = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ y)
    metrics = ContactMetrics(["contacts"], data.bins, data.diagonal)
    dataset = data.dataset(part)  # type: ignore[arg-type]
    for index in range(len(dataset)):
        target = dataset.__getitems__([index]).target
        place = int(dataset.tiles.contig[index]), int(dataset.tiles.start[index])
        metrics.update(torch.from_numpy(_features(data, content, *place) @ weights).float()[None, None], target)
    return metrics


def gc_content(data: ContactDataModule) -> dict[int, Values]:
    """The share of G and C in each bin of each contig, less a half."""
    genome, found = data.reference, {}
    for number, (name, length) in enumerate(data.bands[0].contigs.items()):
        codes = genome.codes(Interval(name, 0, -(-length // data.bin_size) * data.bin_size))
        found[number] = np.isin(codes, (1, 2)).reshape(-1, data.bin_size).mean(1) - 0.5
    return found


def _features(data: ContactDataModule, content: dict[int, Values], contig: int, start: int) -> Values:
    """Of the pixels of a window (P, F)."""
    rows, columns = (place.numpy() for place in data.output.pixels())
    here = content[contig][start : start + data.bins]
    before = np.append(0, here.cumsum())
    between = (before[columns] - before[rows + 1]) / np.maximum(columns - rows - 1, 1)
    left, right = here[rows], here[columns]
    distance = np.eye(data.bins)[columns - rows]
    return np.column_stack([distance, left + right, left * right, np.abs(left - right), between])


def halves_agreement(data: ContactDataModule, chromosomes: Sequence[str]) -> dict[str, float]:
    """How well maps of two random halves of the contacts agree, and what r a perfect prediction could reach at most.

    By Spearman-Brown the whole is as reliable as 2 r / (1 + r); a prediction of the truth reaches the root of that. It
    reaches less where maps are coarse-grained, clipped logarithms: what that does to both halves alike is no truth.
    Counted are all pairs within the band, not those of windows alone.
    """
    file, band = next(iter(data.files.values())), data.bands[0]
    source = cooler.Cooler(str(file.path))
    pixels, bins = source.pixels()[:], source.bins()[:]
    first = np.random.default_rng(SEED).binomial(pixels["count"].to_numpy(), 0.5)
    maps = []
    with tempfile.TemporaryDirectory() as folder:
        for name, count in (("a", first), ("b", pixels["count"].to_numpy() - first)):
            path = f"{folder}/{name}.cool"
            cooler.create_cooler(path, bins, pixels.assign(count=count)[count > 0], ordered=True)
            half = ContactBand(
                CoolerFile(path),
                band.contigs,
                band.width,
                band.diagonal,
                band.expected_from,
                band.masked,
                band.rules,
                False,
            )
            maps.append(_rows_of(half, chromosomes).ravel())
    r = _correlation(*maps)
    return {"halves": r, "attainable": float(np.sqrt(2 * r / (1 + r)))}


def experiments_agreement(data: ContactDataModule, chromosomes: Sequence[str]) -> dict[str, float]:
    """Pearson r of the two experiments at 10 kb, from 20 kb to the width of a window: coarse-grained, not smoothed."""
    fine, coarse = (contacts_folder() / name for name in ("hic_2kb.cool", "hic_10kb.cool"))
    width = data.length // COARSE + 1
    maps = []
    with tempfile.TemporaryDirectory() as folder:
        cooler.coarsen_cooler(str(fine), f"{folder}/coarse.cool", COARSE // data.bin_size, 10_000_000)
        cooler.balance_cooler(cooler.Cooler(f"{folder}/coarse.cool"), cis_only=True, store=True)
        for path in (f"{folder}/coarse.cool", str(coarse)):
            file = CoolerFile(path)
            contigs = data.bands[0].contigs
            bins = sum(-(-length // COARSE) for length in contigs.values())
            ratio = COARSE // data.bin_size
            regions = [Region(r.contig, -(-r.start // ratio), r.end // ratio) for r in data.bands[0].expected_from]
            band = ContactBand(file, contigs, width, 2, regions, np.zeros(bins, bool), MapRules(), False)
            maps.append(_rows_of(band, chromosomes).ravel())
    return {"two experiments, 10 kb": _correlation(*maps)}


def _rows_of(band: ContactBand, chromosomes: Sequence[str]) -> Values:
    """The bands of some contigs, one after the other."""
    places = dict(zip(band.contigs, band.first.tolist(), strict=True))
    ends = {name: places[name] + -(-band.contigs[name] // band.file.bin_size) for name in chromosomes}
    return np.concatenate([band.values[places[name] : ends[name]] for name in chromosomes]).astype(np.float64)


def _correlation(x: Values, y: Values) -> float:
    there = ~(np.isnan(x) | np.isnan(y))
    return float(np.corrcoef(x[there], y[there])[0, 1])
