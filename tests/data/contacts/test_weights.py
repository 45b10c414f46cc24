"""Invalid weights and counts of a cooler: bins are masked and counted, never read as numbers.

The reference is `cooler`'s own `matrix(balance=True)` of a copy whose invalid weights are NaN.
"""

from collections.abc import Callable
from pathlib import Path

import cooler
import h5py
import numpy as np
import pytest
from made.contacts import BIN, make_contacts
from numpy.typing import NDArray

from zoo.data.contacts.maps import MapRules
from zoo.data.contacts.module import ContactDataModule
from zoo.data.genome_split import SplitRules
from zoo.errors import InputError
from zoo.formats.cooler import CoolerFile

SIZES = {"chr1": 120 * BIN, "chr2": 40 * BIN, "chr3": 40 * BIN}
WIDTH, DIAGONAL = 14, 2
INVALID = [7, 8, 30, 125, 170]  # bins, the last two of chr2 and chr3
VALUES = {"inf": np.inf, "minus inf": -np.inf, "zero": 0.0, "negative": -1.5}


def make(folder: Path, value: float) -> tuple[Path, Path]:
    """A genome, and a cooler with uneven weights of which those of `INVALID` have a value."""
    made = make_contacts(folder, SIZES)
    with h5py.File(made.cooler, "r+") as file:
        weights = np.random.default_rng(3).uniform(0.5, 1.5, 200)
        weights[INVALID] = value
        file["bins/weight"][:] = weights
    return made.genome, made.cooler


def module(genome: Path, file: Path, balance: bool = False) -> ContactDataModule:
    return ContactDataModule(
        genome=str(genome),
        coolers={"one": str(file)},
        length=(WIDTH + 2) * BIN,
        crop=1,
        maps=MapRules(least_count=0, fill=0),
        split=SplitRules(val=["chr2"], test=["chr3"]),
        balance=balance,
    )


def reference(path: Path) -> NDArray[np.float64]:
    """The band (200, WIDTH) of log(observed/expected) of what cooler balances; expected contacts of chr1."""
    maps = [cooler.Cooler(str(path)).matrix(balance=True).fetch(name) for name in SIZES]
    band = []
    for matrix in maps:
        rows = np.full((len(matrix), WIDTH), np.nan)
        for distance in range(DIAGONAL, WIDTH):
            expected = np.nanmean(np.diag(maps[0], distance))
            with np.errstate(divide="ignore"):
                rows[: len(matrix) - distance, distance] = np.log(np.diag(matrix, distance) / expected)
        band.append(rows.clip(-2, 2))
    return np.concatenate(band)


@pytest.mark.parametrize("value", VALUES.values(), ids=list(VALUES))
def test_invalid_weights_are_masked_as_nan_is_and_counted(tmp_path: Path, value: float) -> None:
    for name in ("nan", "other"):
        (tmp_path / name).mkdir()
    genome, without = make(tmp_path / "nan", np.nan)
    _, invalid = make(tmp_path / "other", value)
    data = module(genome, invalid)
    np.testing.assert_allclose(data.bands[0].values, reference(without), rtol=1e-5, atol=1e-6)
    assert np.flatnonzero(~data.bands[0].observed).tolist() == INVALID
    lines = data.describe()
    assert (
        "one: 5 of 200 bins masked: without a weight (5 of them have a weight that is infinite, 0 or negative), "
        "or blacklisted"
    ) in lines
    assert "one: 5 of 200 bins masked: without a weight, or blacklisted" in module(genome, without).describe()


def test_weights_that_are_all_invalid_are_refused(tmp_path: Path) -> None:
    genome, path = make(tmp_path, 0.0)
    with h5py.File(path, "r+") as file:
        file["bins/weight"][:] = np.inf
    with pytest.raises(InputError, match=r"no bin of the training split has a valid weight \(0 NaN, 120 infinite"):
        module(genome, path).prepare_data()


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_counts_that_are_no_counts_are_refused(tmp_path: Path, value: float) -> None:
    made = make_contacts(tmp_path, SIZES)
    with h5py.File(made.cooler, "r+") as file:
        counts = file["pixels/count"][:].astype(float)
        counts[5] = value
        del file["pixels/count"]
        file["pixels/count"] = counts
    with pytest.raises(InputError, match="the contacts of chr1 hold numbers that are negative, infinite"):
        module(made.genome, made.cooler).prepare_data()


def without_count(file: h5py.File) -> None:
    file["pixels/score"] = file["pixels/count"][:]
    del file["pixels/count"]


def without_nnz(file: h5py.File) -> None:
    del file["bins/weight"]
    del file.attrs["nnz"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_count, "made.cool has no column `count` of contacts; its pixels have score"),
        (without_nnz, "made.cool could not be balanced .*nnz.*: an attribute or table of the file is missing"),
    ],
)
def test_a_cooler_that_lacks_a_part_is_one_sentence(
    tmp_path: Path, change: Callable[[h5py.File], None], words: str
) -> None:
    made = make_contacts(tmp_path, SIZES)
    with h5py.File(made.cooler, "r+") as file:
        change(file)
    with pytest.raises(InputError, match=words):
        module(made.genome, made.cooler, balance=True).prepare_data()


def test_pixels_without_values_are_named(tmp_path: Path) -> None:
    made = make_contacts(tmp_path, SIZES)
    with h5py.File(made.cooler, "r+") as file:
        del file["pixels/count"]
    with pytest.raises(InputError, match="no column `count` of contacts; its pixels have no values"):
        CoolerFile(str(made.cooler))


@pytest.mark.parametrize(("value", "counts"), [(np.nan, "120 NaN, 0 infinite"), (-1.0, "0 NaN, 120 infinite")])
def test_a_training_split_without_a_valid_weight_is_said_to_have_none(
    tmp_path: Path, value: float, counts: str
) -> None:
    genome, file = make(tmp_path, np.inf)
    with h5py.File(file, "r+") as opened:
        opened["bins/weight"][:120] = value  # chr1, which is the training split
    with pytest.raises(InputError, match=rf"no bin of the training split has a valid weight \({counts}, 0 or negative"):
        module(genome, file).prepare_data()


def test_blacklisted_bins_are_counted_apart(tmp_path: Path) -> None:
    genome, file = make(tmp_path, np.inf)
    with h5py.File(file, "r+") as opened:
        opened["bins/weight"][20:120] = np.nan
        opened["bins/weight"][[50, 51]] = 0  # as 7 and 8, which are infinite and blacklisted
    (tmp_path / "black.bed").write_text(f"chr1\t0\t{20 * BIN}\n")
    data = module(genome, file)
    data.blacklist = [str(tmp_path / "black.bed")]
    with pytest.raises(InputError, match=r"\(98 NaN, 2 infinite, 0 or negative, 20 blacklisted\)"):
        data.prepare_data()


def test_a_cooler_without_weights_is_refused_before_windows_are_planned(tmp_path: Path) -> None:
    genome, file = make(tmp_path, np.inf)
    with h5py.File(file, "r+") as opened:
        del opened["bins/weight"]
    data = ContactDataModule(genome=str(genome), coolers={"one": str(file)}, length=4_000 * BIN, crop=1)
    with pytest.raises(InputError, match=r"is not balanced, for it has no column `weight`: run `cooler balance"):
        _ = data.plan
