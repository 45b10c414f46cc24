"""The Akita tables: the baseline against scikit-learn, the ceiling against a truth that was made, the human window."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.contacts import BIN, make_contacts
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import Ridge

from zoo.data.contacts.maps import MapRules
from zoo.data.contacts.module import ContactDataModule
from zoo.data.genome_split import SplitRules
from zoo.data.splits import Split
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.hub.registry import shipped_folder

BINS = 24
SPLITS_SCORED: tuple[Split, Split] = ("train", "test")
LENGTHS = {"chr1": 100_000, "chr2": 40_000, "chr3": 40_000}


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(shipped_folder("benchmarks") / "accuracy" / "bench_akita.py"))


@pytest.fixture(scope="module")
def baselines() -> dict[str, Any]:
    return runpy.run_path(str(shipped_folder("benchmarks") / "accuracy" / "contact_baselines.py"))


def module(folder: Path, depth: float = 60.0, rules: MapRules | None = None) -> ContactDataModule:
    made = make_contacts(folder, LENGTHS, depth=depth)
    return ContactDataModule(
        str(made.genome),
        {"made": str(made.cooler)},
        length=BINS * BIN,
        maps=rules,
        split=SplitRules(val=["chr2"], test=["chr3"]),
    )


def test_what_a_pixel_is_told_from_by_hand(baselines: dict[str, Any], tmp_path: Path) -> None:
    data = module(tmp_path)
    content = baselines["gc_content"](data)
    text = Genome(data.genome).sequence(Interval("chr2", 0, LENGTHS["chr2"]))
    share = [sum(letter in "CG" for letter in text[i : i + BIN]) / BIN - 0.5 for i in range(0, 20_000, BIN)]
    np.testing.assert_allclose(content[1][: len(share)], share)
    rows, columns = (place.numpy() for place in data.output.pixels())
    found = baselines["_features"](data, content, 1, 5)
    for pixel in (0, 7, len(rows) - 1):
        i, j = 5 + rows[pixel], 5 + columns[pixel]
        between = np.mean(share[i + 1 : j])
        expected = [share[i] + share[j], share[i] * share[j], abs(share[i] - share[j]), between]
        np.testing.assert_allclose(found[pixel, data.bins :], expected)
        assert found[pixel, : data.bins].tolist() == [float(d == j - i) for d in range(data.bins)]


def test_the_baseline_is_the_ridge_of_scikit_learn(baselines: dict[str, Any], tmp_path: Path) -> None:
    data = module(tmp_path)
    content = baselines["gc_content"](data)
    pixels: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    values: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    for split in SPLITS_SCORED:
        dataset = data.dataset(split)
        for index in range(len(dataset)):
            target = dataset.__getitems__([index]).target[0, 0].numpy()
            if split == "train":  # windows of training are moved and turned
                target = dataset.targets(dataset.tiles.contig[[index]], dataset.tiles.start[[index]])[0, 0]
            place = int(dataset.tiles.contig[index]), int(dataset.tiles.start[index])
            pixels[split].append(baselines["_features"](data, content, *place)[~np.isnan(target)])
            values[split].append(target[~np.isnan(target)])
    ridge = Ridge(alpha=1.0, fit_intercept=False).fit(*(np.concatenate(x["train"]) for x in (pixels, values)))
    predicted, measured = ridge.predict(np.concatenate(pixels["test"])), np.concatenate(values["test"])
    found = baselines["gc_scores"](data, "test").each()
    assert len(measured) > 1_000
    assert float(found["pearson"]) == pytest.approx(np.corrcoef(predicted, measured)[0, 1], abs=1e-4)
    assert float(found["mse"]) == pytest.approx(((predicted - measured) ** 2).mean(), rel=1e-4)


def ceilings(
    baselines: dict[str, Any], folder: Path, depth: float, rules: MapRules, smooth: float = 0.0
) -> tuple[dict[str, float], float]:
    """What halves of the contacts say of the ceiling, and Pearson r of the whole map and the truth behind it."""
    data = module(folder, depth, rules)
    band, truth = data.bands[0], make_contacts(folder, LENGTHS, depth).truth
    first = dict(zip(band.contigs, band.first.tolist(), strict=True))
    ours, theirs = [], []
    for name in ("chr2", "chr3"):
        expected = gaussian_filter(truth[name], smooth) if smooth else truth[name]
        for d in range(2, BINS):
            measured = band.values[first[name] : first[name] + len(expected) - d, d]
            there = np.isfinite(measured)
            ours.append(measured[there])
            theirs.append((np.diagonal(expected, d) + np.log(depth / (1 + d) / band.expected[d]))[there])
    direct = float(np.corrcoef(np.concatenate(ours), np.concatenate(theirs))[0, 1])
    return baselines["halves_agreement"](data, ["chr2", "chr3"]), direct


def test_the_ceiling_is_what_the_truth_reaches(baselines: dict[str, Any], tmp_path: Path) -> None:
    """Two halves of the contacts tell how well the made truth agrees with the whole; of fewer contacts, less well."""
    reached = []
    for depth in (3_000.0, 300.0):
        folder = tmp_path / str(depth)
        folder.mkdir()
        found, direct = ceilings(baselines, folder, depth, MapRules(least_count=0.0, clip=8.0))
        assert found["attainable"] == pytest.approx(direct, abs=0.03)
        assert found["halves"] < found["attainable"] < 1
        reached.append(found["attainable"])
    assert reached[0] > reached[1] + 0.05


def test_the_ceiling_of_coarse_grained_maps_is_no_lower_than_what_the_truth_reaches(
    baselines: dict[str, Any], tmp_path: Path
) -> None:
    found, direct = ceilings(baselines, tmp_path, 60.0, MapRules(smooth=1.5), smooth=1.5)
    assert direct - 0.02 < found["attainable"] < direct + 0.1


def test_the_measured_window_is_cropped_to_what_is_predicted(script: dict[str, Any], tmp_path: Path) -> None:
    rows, columns = np.triu_indices(512, 2)
    values = np.stack([1000.0 * rows + columns, columns - rows], 1)
    np.save(tmp_path / "maps.npy", values[None])
    found = script["measured_window"](tmp_path / "maps.npy")
    assert found.shape == (2, 99_681)
    inner = np.triu_indices(448, 2)
    np.testing.assert_array_equal(found[0], 1000.0 * (inner[0] + 32) + inner[1] + 32)
    np.testing.assert_array_equal(found[1], inner[1] - inner[0])
