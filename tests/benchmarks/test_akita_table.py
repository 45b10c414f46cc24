"""The Akita tables: the baseline against scikit-learn, the ceiling against a simulated truth, the human window."""

from pathlib import Path

import numpy as np
import pytest
from accuracy.bench_akita import read_human_window
from accuracy.contact_ceilings import correlate_halves
from accuracy.gc_baseline import gc_content, pixel_features, score_gc_baseline
from made.contacts import BIN, make_contacts
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import Ridge

from zoo.data.contacts.maps import MapRules
from zoo.data.contacts.module import ContactDataModule
from zoo.data.genome_split import SplitRules
from zoo.data.splits import Split
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval

BINS = 24
SPLITS_SCORED: tuple[Split, Split] = ("train", "test")
LENGTHS = {"chr1": 100_000, "chr2": 40_000, "chr3": 40_000}


def module(folder: Path, depth: float = 60.0, rules: MapRules | None = None) -> ContactDataModule:
    made = make_contacts(folder, LENGTHS, depth=depth)
    return ContactDataModule(
        str(made.genome),
        {"made": str(made.cooler)},
        length=BINS * BIN,
        maps=rules,
        split=SplitRules(val=["chr2"], test=["chr3"]),
    )


def test_pixel_features_by_hand(tmp_path: Path) -> None:
    data = module(tmp_path)
    content = gc_content(data)
    text = Genome(data.genome).sequence(Interval("chr2", 0, LENGTHS["chr2"]))
    gc = [sum(letter in "CG" for letter in text[i : i + BIN]) / BIN - 0.5 for i in range(0, 20_000, BIN)]
    np.testing.assert_allclose(content[1][: len(gc)], gc)
    rows, columns = (index.numpy() for index in data.output.pixels())
    features = pixel_features(data, content, 1, 5)
    for pixel in (0, 7, len(rows) - 1):
        i, j = 5 + rows[pixel], 5 + columns[pixel]
        between = np.mean(gc[i + 1 : j])
        expected = [gc[i] + gc[j], gc[i] * gc[j], abs(gc[i] - gc[j]), between]
        np.testing.assert_allclose(features[pixel, data.bins :], expected)
        assert features[pixel, : data.bins].tolist() == [float(d == j - i) for d in range(data.bins)]


def test_the_baseline_is_the_ridge_of_scikit_learn(tmp_path: Path) -> None:
    data = module(tmp_path)
    content = gc_content(data)
    pixels: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    values: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    for split in SPLITS_SCORED:
        dataset = data.dataset(split)
        for index in range(len(dataset)):
            target = dataset.__getitems__([index]).target[0, 0].numpy()
            if split == "train":  # items of training are shifted and reverse-complemented
                target = dataset.targets(dataset.tiles.contig[[index]], dataset.tiles.start[[index]])[0, 0]
            observed = ~np.isnan(target)
            contig, start = int(dataset.tiles.contig[index]), int(dataset.tiles.start[index])
            pixels[split].append(pixel_features(data, content, contig, start)[observed])
            values[split].append(target[observed])
    ridge = Ridge(alpha=1.0, fit_intercept=False).fit(*(np.concatenate(x["train"]) for x in (pixels, values)))
    predicted, measured = ridge.predict(np.concatenate(pixels["test"])), np.concatenate(values["test"])
    scores = score_gc_baseline(data, "test").per_target()
    assert len(measured) > 1_000
    assert float(scores["pearson"]) == pytest.approx(np.corrcoef(predicted, measured)[0, 1], abs=1e-4)
    assert float(scores["mse"]) == pytest.approx(((predicted - measured) ** 2).mean(), rel=1e-4)


def ceilings(folder: Path, depth: float, rules: MapRules, smooth: float = 0.0) -> tuple[dict[str, float], float]:
    """Return the ceiling by halves of the contacts, and Pearson r of the whole map with the truth behind it."""
    data = module(folder, depth, rules)
    band, truth = data.bands[0], make_contacts(folder, LENGTHS, depth).truth
    first = dict(zip(band.contigs, band.first.tolist(), strict=True))
    measured, true = [], []
    for name in ("chr2", "chr3"):
        expected = gaussian_filter(truth[name], smooth) if smooth else truth[name]
        for d in range(2, BINS):
            values = band.values[first[name] : first[name] + len(expected) - d, d]
            observed = np.isfinite(values)
            measured.append(values[observed])
            true.append((np.diagonal(expected, d) + np.log(depth / (1 + d) / band.expected[d]))[observed])
    r = float(np.corrcoef(np.concatenate(measured), np.concatenate(true))[0, 1])
    return correlate_halves(data, ["chr2", "chr3"]), r


def test_the_ceiling_is_the_correlation_with_the_truth(tmp_path: Path) -> None:
    """Two halves of the contacts tell how well the simulated truth agrees with the whole; fewer contacts agree less."""
    attainable = []
    for depth in (3_000.0, 300.0):
        folder = tmp_path / str(depth)
        folder.mkdir()
        ceiling, r = ceilings(folder, depth, MapRules(least_count=0.0, clip=8.0))
        assert ceiling["attainable"] == pytest.approx(r, abs=0.03)
        assert ceiling["halves"] < ceiling["attainable"] < 1
        attainable.append(ceiling["attainable"])
    assert attainable[0] > attainable[1] + 0.05


def test_the_ceiling_of_coarse_grained_maps_is_an_upper_bound(tmp_path: Path) -> None:
    ceiling, r = ceilings(tmp_path, 60.0, MapRules(smooth=1.5), smooth=1.5)
    assert r - 0.02 < ceiling["attainable"] < r + 0.1


def test_the_human_window_is_cropped_to_the_predicted_pixels(tmp_path: Path) -> None:
    rows, columns = np.triu_indices(512, 2)
    values = np.stack([1000.0 * rows + columns, columns - rows], 1)
    np.save(tmp_path / "maps.npy", values[None])
    cropped = read_human_window(tmp_path / "maps.npy")
    assert cropped.shape == (2, 99_681)
    inner = np.triu_indices(448, 2)
    np.testing.assert_array_equal(cropped[0], 1000.0 * (inner[0] + 32) + inner[1] + 32)
    np.testing.assert_array_equal(cropped[1], inner[1] - inner[0])
