"""Maps of contacts prepared: against cooltools, scipy and cases on paper; bands against whole maps; regions."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cooler
import h5py
import numpy as np
import pandas as pd
import pytest
from made.cached import assert_made_of
from made.contacts import BIN, REACH, make_contacts
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from zoo.data.contacts import bands as contact_bands
from zoo.data.contacts.bands import ContactBand
from zoo.data.contacts.expected_regions import Region, training_regions
from zoo.data.contacts.maps import MapRules, coarse_grain, fill_gaps, log_map, runs, smooth, valid_pairs
from zoo.data.genome_split import GenomeSplit, SplitRules
from zoo.data.splits import SPLITS
from zoo.errors import ConfigError, InputError
from zoo.formats.cooler import CoolerFile

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
NAN = np.nan
PLAIN = MapRules(least_count=0, fill=0)

# Coarse-graining.


def some_map(size: int, depth: float, seed: int = 0) -> tuple[Floats, Floats]:
    """Balanced contacts and counts, fewer with distance; some bins, and the main diagonals, are left out."""
    rng = np.random.default_rng(seed)
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    upper = np.triu(rng.poisson(depth / (1 + apart))).astype(float)
    count = upper + np.triu(upper, 1).T
    weight = rng.uniform(0.5, 2, size)
    weight[rng.random(size) < 0.1] = NAN
    weight[size // 3 : size // 3 + 5] = NAN
    return np.where(apart < 2, NAN, count * weight[:, None] * weight), count


@pytest.mark.parametrize(("least", "levels", "depth"), [(2, 6, 30), (2, 6, 0.3), (5, 6, 200), (2, 2, 5), (0.5, 6, 5)])
@pytest.mark.parametrize("size", [64, 100, 128])
def test_coarse_graining_is_that_of_cooltools(size: int, least: float, levels: int, depth: float) -> None:
    numutils = pytest.importorskip("cooltools.lib.numutils", reason="needs cooltools to compare with")
    values, count = some_map(size, depth)
    before = values.copy(), count.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        # It changes what it is given.
        expected = numutils.adaptive_coarsegrain(
            values.copy(), count.copy(), cutoff=least, max_levels=levels, min_shape=1
        )
    found = coarse_grain(values, count, least, levels)
    np.testing.assert_allclose(found, expected, rtol=1e-10, equal_nan=True)
    assert np.array_equal(np.isnan(found), np.isnan(values))
    changed = np.mean(~np.isclose(found, values)[~np.isnan(values)])
    assert changed > (0.02 if depth > 1 else 0.9)
    np.testing.assert_array_equal((values, count), before)


def test_coarse_graining_on_paper() -> None:
    values = np.array([[10.0, 20, 0, 4], [20, 30, 4, 8], [0, 4, 5, 6], [4, 8, 6, 7]])
    enough = np.array([[5.0, 5, 0, 1], [5, 5, 1, 2], [0, 1, 3, 3], [1, 2, 3, 3]])
    # Two squares of 2 x 2 are poor in one of their parts, and have enough together.
    expected = np.array([[10.0, 20, 4, 4], [20, 30, 4, 4], [4, 4, 5, 6], [4, 4, 6, 7]])
    np.testing.assert_allclose(coarse_grain(values, enough, 2, 2), expected)
    # With one contact in two of the squares, those take the mean of all sixteen; the others stand for themselves.
    fewer = enough * [[1, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 1]]
    mean = values.mean()
    expected[:2, 2:] = expected[2:, :2] = mean
    np.testing.assert_allclose(coarse_grain(values, fewer, 2, 2), expected)
    # But in one level only there is no square of sixteen.
    expected[:2, 2:] = expected[2:, :2] = 4
    np.testing.assert_allclose(coarse_grain(values, fewer, 2, 1), expected)


def test_what_is_left_out_takes_no_part_in_coarse_graining() -> None:
    values = np.array([[NAN, 20.0, 1, 3], [20, 30, 5, 7], [2, 2, 2, 2], [2, 2, 2, 2]])
    count = np.full((4, 4), 9.0)
    # A part that is left out has no contacts: its square is pooled, its mean is of the other three.
    expected = values.copy()
    expected[:2, :2] = [[NAN, 70 / 3], [70 / 3, 70 / 3]]
    np.testing.assert_allclose(coarse_grain(values, count, 2, 1), expected)
    assert np.isnan(coarse_grain(np.full((3, 3), NAN), np.ones((3, 3)), 2)).all()


# The logarithm.


def test_the_logarithm_of_observed_over_expected_on_paper() -> None:
    count = np.array([[9.0, 4, 1, 5], [4, 9, 3, 0], [1, 3, 9, 7], [5, 0, 7, 9]])
    weight = np.array([1.0, 0.5, NAN, 2])
    found = log_map(count, weight, np.array([8.0, 4, 0.5]), 1, MapRules(least_count=0, fill=0, clip=1.5))
    expected = np.full((4, 4), NAN)
    expected[0, 1] = expected[1, 0] = np.log(4 * 1 * 0.5 / 4)
    expected[1, 3] = expected[3, 1] = -1.5  # of no contact
    np.testing.assert_allclose(found, expected)  # 0 and 3 are further apart than anything is expected
    apart = log_map(count, weight, np.array([8.0, 4, 0.5, 0.1]), 1, MapRules(least_count=0, fill=0, clip=1.5))
    expected[0, 3] = expected[3, 0] = 1.5  # log(10 / 0.1) is clipped
    np.testing.assert_allclose(apart, expected)
    main = log_map(count, weight, np.array([8.0, 4, 0.5]), 0, PLAIN)
    np.testing.assert_allclose(np.diagonal(main), np.log([9 / 8, 9 / 4 / 8, NAN, 9 * 4 / 8]))
    # What is expected nowhere at a distance is known nowhere at it.
    np.testing.assert_array_equal(np.isnan(log_map(count, weight, np.array([8, NAN, 0.5]), 1, PLAIN))[0, 1], True)


def test_the_steps_of_a_map_follow_one_another() -> None:
    _, count = some_map(100, 20, seed=1)
    weight = np.random.default_rng(2).uniform(0.5, 2, 100)
    weight[[7, 40, 41, 99]] = NAN
    by_distance = 20 / (1.0 + np.arange(80))
    apart = np.abs(np.subtract.outer(np.arange(100), np.arange(100)))
    far = (apart < 2) | (apart >= 80)
    expected = by_distance[np.minimum(apart, 79)]
    observed = np.where(far, NAN, count * weight[:, None] * weight)
    step = np.log(coarse_grain(observed, count, 3) / expected).clip(-1, 1)
    step, _ = fill_gaps(step, ~np.isnan(weight), 1)
    step[far] = NAN
    rules = MapRules(least_count=3, clip=1, fill=1, smooth=1.5)
    found = log_map(count, weight, by_distance, 2, rules)
    np.testing.assert_allclose(found, smooth(step, 1.5), rtol=1e-12)
    np.testing.assert_allclose(found, found.T, rtol=1e-12)
    assert np.array_equal(np.isnan(found), far | np.isin(np.arange(100), [40, 41, 99]) | _column(100, [40, 41, 99]))
    assert np.nanstd(found) > 0.1


def _column(size: int, bins: Sequence[int]) -> Mask:
    found: Mask = np.isin(np.arange(size), bins)[:, None]
    return found


@pytest.mark.parametrize(
    "wrong", [{"least_count": -1}, {"clip": 0}, {"fill": -1}, {"smooth": -0.1}, {"smooth": NAN}, {"clip": NAN}]
)
def test_rules_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="least_count, fill and smooth are numbers from 0 up"):
        MapRules(**wrong)


# Gaps.


def test_one_missing_bin_is_the_mean_of_its_neighbours() -> None:
    whole = np.arange(5.0)[:, None] ** 2 * np.arange(5.0) ** 2  # no straight line
    good = np.array([True, True, False, True, True])
    holes = np.where(good & good[:, None], whole, NAN)
    before = holes.copy()
    found, now = fill_gaps(holes, good, 1)
    expected = whole.copy()
    expected[2] = [0, (1 + 9) / 2, 0, (9 + 81) / 2, (16 + 144) / 2]
    expected[:, 2] = expected[2]
    expected[2, 2] = (1 + 9 + 9 + 81) / 4
    np.testing.assert_allclose(found, expected)
    assert now.all()
    np.testing.assert_array_equal(holes, before)
    np.testing.assert_array_equal(good, [True, True, False, True, True])


def test_two_missing_bins_lie_at_thirds() -> None:
    good = np.array([True, False, False, True])
    holes = np.full((4, 4), NAN)
    holes[0, 0], holes[0, 3], holes[3, 0], holes[3, 3] = 0, 9, 9, 36
    expected = np.array([[0.0, 3, 6, 9], [3, 8, 13, 18], [6, 13, 20, 27], [9, 18, 27, 36]])
    found, now = fill_gaps(holes, good, 2)
    np.testing.assert_allclose(found, expected)
    assert now.all()
    unfilled, now = fill_gaps(holes, good, 1)
    np.testing.assert_array_equal(unfilled, holes)
    np.testing.assert_array_equal(now, good)


def test_where_one_of_two_neighbours_is_unknown_the_other_counts() -> None:
    good = np.array([True, False, True, True])
    values = np.array([[NAN, NAN, 4, 6], [NAN, NAN, NAN, NAN], [4, NAN, NAN, NAN], [6, NAN, NAN, 8]])
    found, _ = fill_gaps(values, good, 1)
    expected = np.array([[NAN, 4, 4, 6], [4, 4, 4, 6], [4, 4, NAN, NAN], [6, 6, NAN, 8]])
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("longest", [0, 1, 2, 5])
def test_long_runs_and_those_at_an_end_stay_missing(longest: int) -> None:
    missing = [(0, 1), (3, 4), (6, 8), (10, 13), (16, 17)]
    good = np.ones(17, bool)
    for start, end in missing:
        good[start:end] = False
    whole = np.random.default_rng(0).normal(size=(17, 17))
    found, now = fill_gaps(np.where(good & good[:, None], whole, NAN), good, longest)
    filled = [range(s, e) for s, e in missing if e - s <= longest and s > 0 and e < 17]
    expected = good | np.isin(np.arange(17), [place for run in filled for place in run])
    np.testing.assert_array_equal(now, expected)
    np.testing.assert_array_equal(~np.isnan(found), expected & expected[:, None])
    np.testing.assert_array_equal(found[np.ix_(good, good)], whole[np.ix_(good, good)])


def test_runs_and_pairs_are_counted() -> None:
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.zeros(3, bool)) == runs(np.zeros(0, bool)) == []
    good = np.random.default_rng(0).random(20) < 0.7
    expected = [sum(good[i] and good[i + d] for i in range(20 - d)) for d in range(20)]
    assert valid_pairs(good, 25).tolist() == [*expected, 0, 0, 0, 0, 0]


# Smoothing.


def holes(size: int, share: float = 0.15) -> Mask:
    rng = np.random.default_rng(4)
    found: Mask = rng.random((size, size)) < share
    found[3] = found[:, 3] = True
    return found


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.5])
def test_a_constant_map_stays_so_and_holes_stay_holes(sigma: float) -> None:
    missing = holes(30)
    found = smooth(np.where(missing, NAN, 0.7), sigma)
    np.testing.assert_array_equal(np.isnan(found), missing)
    np.testing.assert_allclose(found[~missing], 0.7, rtol=1e-12)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.5])
def test_without_holes_it_is_the_gaussian_of_scipy(sigma: float) -> None:
    values = np.random.default_rng(0).normal(size=(60, 60))
    inside = slice(int(4 * sigma + 0.5), -int(4 * sigma + 0.5))
    found, expected = smooth(values, sigma), gaussian_filter(values, sigma)
    np.testing.assert_allclose(found[inside, inside], expected[inside, inside], rtol=0, atol=1e-12)
    assert found.std() < 0.8


def test_with_holes_each_pixel_is_the_weighted_mean_of_what_is_known_around_it() -> None:
    values = np.where(holes(14), NAN, np.random.default_rng(0).normal(size=(14, 14)))
    before = values.copy()
    apart = np.subtract.outer(np.arange(14), np.arange(14))
    near = np.where(np.abs(apart) <= 4, np.exp(-(apart**2) / 2), 0)  # sigma 1, cut off at four
    expected = np.full((14, 14), NAN)
    for row, column in zip(*np.nonzero(~np.isnan(values)), strict=True):
        weight = np.where(np.isnan(values), 0, np.outer(near[row], near[column]))
        expected[row, column] = np.sum(weight * np.nan_to_num(values)) / weight.sum()
    np.testing.assert_allclose(smooth(values, 1.0), expected, rtol=1e-10)
    np.testing.assert_array_equal(values, before)


# Bands.

WIDTH = 30  # fewer diagonals than there are contacts on
LENGTHS = {"chr1": 400 * BIN - 100, "chr2": 110 * BIN, "chr3": 60 * BIN + 7}
FIRST = {"chr1": 0, "chr2": 400, "chr3": 510}
BINS = 571


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cooler of three contigs; weights differ, and some bins, at ends and in runs, have none."""
    path = make_contacts(tmp_path_factory.mktemp("made"), LENGTHS, depth=20).cooler
    weight = np.random.default_rng(1).uniform(0.5, 2, BINS)
    weight[[0, 1, 20, 63, 64, 65, 120, 200, 201, 202, 203, 399, 400, 430, 431, 509, 560]] = NAN
    with h5py.File(path, "r+") as file:
        file["bins/weight"][...] = weight
    return path


@pytest.fixture
def masked() -> Mask:
    """Bins that are left out beside those."""
    found = np.zeros(BINS, bool)
    found[[30, 31, 128, 300, 301, 480, 520]] = True
    return found


WHOLE = [Region(name, 0, -(-length // BIN)) for name, length in LENGTHS.items()]


def band(
    path: Path, masked: Mask, regions: Sequence[Region] = WHOLE, rules: MapRules | None = None, diagonal: int = 2
) -> ContactBand:
    return ContactBand(
        CoolerFile(str(path)), LENGTHS, WIDTH, diagonal, regions, masked, rules or MapRules(), balance=False
    )


def with_masked(path: Path, masked: Mask, folder: Path) -> Path:
    """The cooler, the bins left out in it."""
    copy = folder / "masked.cool"
    copy.write_bytes(path.read_bytes())
    with h5py.File(copy, "r+") as file:
        file["bins/weight"][...] = np.where(masked, NAN, file["bins/weight"][:])
    return copy


ARMS = [("chr1", 0, 150), ("chr1", 170, 400), ("chr2", 0, 110), ("chr3", 20, 61)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of bioframe, by pandas
@pytest.mark.parametrize("arms", [ARMS, ARMS[:2], ARMS[1:3]], ids=["all", "one contig", "two arms"])
def test_what_is_expected_is_what_cooltools_expects(
    made: Path, masked: Mask, tmp_path: Path, arms: list[tuple[str, int, int]]
) -> None:
    cooltools = pytest.importorskip("cooltools", reason="needs cooltools to compare with")
    view = pd.DataFrame(
        [(name, s * BIN, min(e * BIN, LENGTHS[name]), f"{name}:{s}") for name, s, e in arms],
        columns=["chrom", "start", "end", "name"],
    )
    map_ = cooler.Cooler(str(with_masked(made, masked, tmp_path)))
    table = cooltools.expected_cis(map_, view_df=view, smooth=False, aggregate_smoothed=False, ignore_diags=0)
    pooled = table.groupby("dist")[["balanced.sum", "n_valid"]].sum()
    of_pairs = pooled["balanced.sum"] / pooled["n_valid"]
    found = band(made, masked, [Region(*arm) for arm in arms])
    assert len(found.expected) > WIDTH
    made_at = np.arange(REACH)
    np.testing.assert_allclose(found.expected[made_at], of_pairs[made_at], rtol=1e-9, atol=0)
    assert np.all(found.expected[made_at] > 0)
    # No contact was made further apart.
    assert np.isnan(found.expected[REACH:]).all()


def test_only_the_training_contigs_say_what_is_expected(made: Path, masked: Mask) -> None:
    split = GenomeSplit(LENGTHS, SplitRules(val=["chr2"], test=["chr3"]))
    regions = training_regions(LENGTHS, split, None, BIN)
    assert regions == [Region("chr1", 0, 400)]
    weight = cooler.Cooler(str(made)).bins()["weight"][:400].to_numpy(copy=True)
    weight[masked[:400]] = NAN
    balanced = cooler.Cooler(str(made)).matrix(balance=False).fetch("chr1") * weight[:, None] * weight
    expected = [np.nanmean(np.diagonal(balanced, distance)) for distance in range(WIDTH)]
    found = band(made, masked, regions).expected[:WIDTH]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    others = band(made, masked, WHOLE).expected[:WIDTH]
    assert np.abs(others / found - 1).max() > 1e-3


RULES = MapRules(least_count=3, fill=2, smooth=1.0)


def test_what_is_masked_on_purpose_is_neither_filled_nor_smoothed_into_others() -> None:
    rng = np.random.default_rng(0)
    count = rng.poisson(50, (30, 30)).astype(float)
    count = count + count.T
    weight = np.ones(30)
    weight[[8, 20]] = NAN
    masked = np.arange(30) == 20
    expected = np.full(30, 100.0)
    found = log_map(count, weight, expected, 2, MapRules(least_count=0, fill=1, smooth=1.5), masked)
    plain = log_map(count, weight, expected, 2, MapRules(least_count=0, fill=0))
    plain[8], plain[:, 8] = NAN, NAN
    filled, good = fill_gaps(plain, ~np.isnan(weight) | (np.arange(30) == 20), 1)
    assert good.all()  # of the two the gap alone was one
    place = np.arange(30)
    filled[np.abs(place[:, None] - place) < 2] = NAN
    np.testing.assert_allclose(found, smooth(filled, 1.5))
    assert np.isnan(found[20]).all()
    assert np.isfinite(found[8, 11:20]).all()


def test_a_pixel_of_the_band_is_that_of_the_whole_map(made: Path, masked: Mask) -> None:
    found = band(made, masked, rules=RULES)
    assert found.values.shape == (BINS, WIDTH)
    assert found.values.dtype == np.float32
    weight = np.where(masked, NAN, cooler.Cooler(str(made)).bins()["weight"][:].to_numpy())
    known = 0
    for name, first in FIRST.items():
        count = cooler.Cooler(str(made)).matrix(balance=False).fetch(name).astype(float)
        here = slice(first, first + len(count))
        whole = log_map(count, weight[here], found.expected, 2, RULES, masked[here])
        assert np.isnan(whole[masked[here]]).all()
        expected = np.full((len(count), WIDTH), NAN)
        for i in range(len(count)):
            for d in range(min(WIDTH, len(count) - i)):
                expected[i, d] = whole[i, i + d]
        np.testing.assert_allclose(found.values[here], expected, rtol=0, atol=1e-6)
        _, good = fill_gaps(whole, ~np.isnan(weight[here]), RULES.fill, masked[here])
        np.testing.assert_array_equal(found.observed[here], good)
        np.testing.assert_array_equal(np.isnan(expected[:-3, 2:4]).all(1), ~good[:-3] | ~(good[2:-1] | good[3:]))
        known += int((~np.isnan(expected)).sum())
    assert known > 11_000
    assert np.isnan(found.values[:, :2]).all()


@pytest.mark.parametrize("rules", [RULES, MapRules(), MapRules(least_count=0, fill=0, smooth=2.5)])
def test_a_band_does_not_depend_on_the_squares_it_is_prepared_in(
    made: Path, masked: Mask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: MapRules
) -> None:
    found = {}
    for side in (1, WIDTH + 77, 100_000):
        monkeypatch.setenv("ZOO_CACHE", str(tmp_path / str(side)))
        monkeypatch.setattr(contact_bands, "_SIDE", side)
        found[side] = np.array(band(made, masked, rules=rules).values)
    assert np.count_nonzero(~np.isnan(found[1])) > 11_000
    for side in (1, WIDTH + 77):
        np.testing.assert_allclose(found[side], found[100_000], rtol=0, atol=1e-6)


def test_a_band_does_not_depend_on_its_width_where_contacts_are_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Squares that are pooled reach past the last diagonal of the band."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    sparse = make_contacts(tmp_path, {"chr1": 400 * BIN}, depth=1.0, reach=400).cooler
    file, contigs, nothing = CoolerFile(str(sparse)), {"chr1": 400 * BIN}, np.zeros(400, np.bool_)
    narrow, wide = (
        ContactBand(file, contigs, width, 2, [Region("chr1", 0, 400)], nothing, MapRules(), False)
        for width in (100, 300)
    )
    np.testing.assert_allclose(narrow.values, wide.values[:, :100], rtol=0, atol=1e-6)


def test_a_band_is_made_once_and_found_again_by_what_went_into_it(
    made: Path, masked: Mask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    first = band(made, masked)
    values = np.array(first.values)
    other = masked.copy()
    other[200] = True
    different = [
        band(made, other),
        band(made, masked, WHOLE[:1]),
        band(made, masked, rules=RULES),
        band(made, masked, diagonal=1),
        band(with_masked(made, masked, tmp_path), masked),
    ]
    assert len({first.folder, *(each.folder for each in different)}) == 6
    monkeypatch.setattr(CoolerFile, "pixels", None)  # nothing is read again
    np.testing.assert_array_equal(band(made, masked).values, values)
    sent = pickle.dumps(first)
    assert len(sent) < 10_000
    np.testing.assert_array_equal(pickle.loads(sent).values, values)


def test_each_of_two_maps_of_one_file_has_its_own_band(made: Path, masked: Mask, tmp_path: Path) -> None:
    path = tmp_path / "two.cool"
    with h5py.File(made) as source, h5py.File(path, "w") as file:
        for group in ("one", "other"):
            file.create_group(group).attrs.update(source.attrs)
            for table in source:
                source.copy(table, file[group])
        file["other/pixels/count"][...] = file["other/pixels/count"][:][::-1]

    def values(group: str) -> bytes:
        return bytes(band(Path(f"{path}::{group}"), masked).values.tobytes())

    assert_made_of(lambda: values("one"), lambda: values("other"), tmp_path)


def test_a_map_without_weights_is_refused_though_the_cache_has_it_balanced(tmp_path: Path) -> None:
    lengths = {"chr1": 40 * BIN, "chr2": 150 * BIN}
    path = make_contacts(tmp_path, lengths, weights=False, reach=100, depth=400.0).cooler
    of = CoolerFile(str(path)), lengths, 10, 2, [Region("chr2", 0, 150)], np.zeros(190, bool), MapRules()
    assert ContactBand(*of, balance=True).build().is_dir()
    with pytest.raises(InputError, match="balance"):
        ContactBand(*of, balance=False).build()


def test_a_training_part_without_contacts_is_one_sentence(made: Path, masked: Mask) -> None:
    with pytest.raises(
        InputError, match=r"made\.cool: no bin of the training split has a valid weight \(4 NaN"
    ) as caught:
        band(made, masked, [Region("chr1", 200, 204)]).build()
    assert "\n" not in str(caught.value)
    assert not band(made, masked, [Region("chr1", 200, 204)]).folder.joinpath("done").exists()


# Regions.

GENOME = {"chr1": 10_050, "chr2": 5_000, "chrX": 3_000}


def bed(folder: Path, *lines: tuple[str, int, int]) -> str:
    path = folder / "arms.bed"
    path.write_text("".join(f"{name}\t{start}\t{end}\tp\n" for name, start, end in lines))
    return str(path)


def by_contig() -> GenomeSplit:
    return GenomeSplit(GENOME, SplitRules(val=["chr2"], test=[]))


def test_without_arms_the_training_contigs_are_whole() -> None:
    expected = [Region("chr1", 0, 101), Region("chrX", 0, 30)]  # with the last bin, which is shorter
    assert training_regions(GENOME, by_contig(), None, 100) == expected


def test_arms_are_cut_to_the_training_part_in_whole_bins(tmp_path: Path) -> None:
    arms = bed(tmp_path, ("chr1", 0, 4_010), ("chr1", 4_990, 20_000), ("chr2", 0, 5_000), ("chrX", 150, 2_990))
    expected = [Region("chr1", 0, 40), Region("chr1", 50, 101), Region("chrX", 2, 29)]
    assert training_regions(GENOME, by_contig(), arms, 100) == expected


def test_arms_are_cut_at_the_borders_of_random_blocks(tmp_path: Path) -> None:
    rules = SplitRules(block_size=730, val_fraction=0.3, test_fraction=0.2, split_seed=5)
    split = GenomeSplit(GENOME, rules)
    arms = {"chr1": [(0, 4_010), (4_990, 10_050)], "chr2": [(0, 5_000)], "chrX": [(150, 2_990)]}
    path = bed(tmp_path, *((name, s, e) for name, each in arms.items() for s, e in each))
    regions = training_regions(GENOME, split, path, 100)
    found = {(name, place) for name, start, end in regions for place in range(start, end)}
    expected, train = set(), SPLITS.index("train")
    for number, (name, length) in enumerate(GENOME.items()):
        for place in range(-(-length // 100)):
            start, end = 100 * place, min(100 * place + 100, length)
            bases = np.arange(start, end)
            splits = split.split_of(np.full(len(bases), number), bases, 1)
            if (splits == train).all() and any(s <= start and end <= e for s, e in arms[name]):
                expected.add((name, place))
    assert found == expected
    assert 40 < len(found) < 130
    assert sum(max(end - start, 0) for _, start, end in regions) == len(found)  # none is counted twice
    assert len(regions) > 6
    assert {name for name, *_ in regions} == set(GENOME)


def test_arms_of_another_style_of_names_are_matched(tmp_path: Path) -> None:
    arms = bed(tmp_path, ("1", 1_000, 2_000), ("X", 0, 3_000), ("2", 0, 10), ("17", 0, 10))
    expected = [Region("chr1", 10, 20), Region("chrX", 0, 30)]
    assert training_regions(GENOME, by_contig(), arms, 100) == expected


@pytest.mark.parametrize("arm", [("chr2", 0, 5_000), ("chr17", 0, 5_000), ("chr1", 10_050, 20_000)])
def test_arms_of_which_none_is_left_are_one_sentence(tmp_path: Path, arm: tuple[str, int, int]) -> None:
    with pytest.raises(InputError, match=r"arms\.bed: none of its regions lies in the training split") as caught:
        training_regions(GENOME, by_contig(), bed(tmp_path, arm), 100)
    assert "\n" not in str(caught.value)
    assert "contigs are chr1, chr2, chrX" in str(caught.value)


def test_a_cooler_of_the_first_formats_is_read(made: Path, tmp_path: Path) -> None:
    """They do not say what they are, nor that they are symmetric."""
    old = tmp_path / "old.cool"
    old.write_bytes(made.read_bytes())
    with h5py.File(old, "r+") as file:
        for name in ("format", "storage-mode", "bin-type"):
            del file.attrs[name]
        file.attrs["format-version"] = 2
    assert CoolerFile(str(old)).contigs == CoolerFile(str(made)).contigs
