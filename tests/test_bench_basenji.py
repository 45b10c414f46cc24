"""The Basenji tables: scores on paper, the linear baseline's counts against a slow loop, replicates."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_yeast import CHROMOSOME

from zoo.datasets.yeast import CONTIGS, YeastDataModule
from zoo.genome import Genome
from zoo.registry import shipped_folder

NAN = np.nan


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(shipped_folder("benchmarks") / "bench_basenji.py"))


def test_starts_are_scored_as_log1p_of_twice_the_bin(script: dict[str, Any]) -> None:
    values = np.array([[1.0, 2, 0, NAN, 5, 6, 7]])
    found = script["starts_scale"](values)
    assert np.allclose(found, np.log1p([[3, NAN, 11]]), equal_nan=True)


def test_the_trend_that_is_taken_off_is_the_mean_of_what_is_known_around(script: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.random(200), rng.random(200)
    theirs[rng.random(200) < 0.2] = NAN
    found = script["detrended"](ours, theirs)
    known = ~np.isnan(theirs)
    for values, left in zip((ours, theirs), found, strict=True):
        for place in range(200):
            around = slice(max(0, place - 31), place + 32)  # 63 bins of 16 bp are 1,008 bases
            trend = values[around][known[around]].mean()
            assert left[place] == pytest.approx(values[place] - trend, nan_ok=True)


def test_correlations_are_over_all_chromosomes_where_something_was_measured(script: dict[str, Any]) -> None:
    ours = [np.array([1.0, 9, 2]), np.array([3.0, 4])]
    theirs = [np.array([2.0, NAN, 4]), np.array([6.0, 9])]
    assert script["correlation"](ours, theirs) == pytest.approx(np.corrcoef([1, 2, 3, 4], [2, 4, 6, 9])[0, 1])


def test_each_row_is_of_its_track_and_the_other_strand_of_the_partner_s(script: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    data = SimpleNamespace(targets=["mnase", "a_plus", "a_minus"], strand_pairs=[0, 2, 1])
    measured = {"chrI": rng.poisson(3, (3, 4000)).astype(float), "chrII": rng.poisson(3, (3, 500)).astype(float)}
    found = script["scores"](data, measured, measured)
    assert [found[name] for name in ("mnase", "mnase detrended", "a_plus", "a_minus", "mean of the starts")] == [
        pytest.approx(1) for _ in range(5)
    ]
    assert abs(found["other strand"]) < 0.05
    swapped = {name: values[[0, 2, 1]] for name, values in measured.items()}
    turned = script["scores"](data, swapped, measured)
    assert turned["other strand"] == pytest.approx(1)
    assert abs(turned["a_plus"]) < 0.05


def test_dinucleotides_are_counted_in_the_bins_around(script: dict[str, Any], tmp_path: Path) -> None:
    letters = "".join(np.random.default_rng(0).choice(list("ACGTN"), 1000, p=[0.24] * 4 + [0.04]))
    (tmp_path / "genome.fa").write_text(f">c\n{letters}\n")
    found = script["dinucleotides"](Genome(tmp_path / "genome.fa"), "c")
    context = script["CONTEXT"]
    assert found.shape == (62, 16 * (2 * context + 1) + 1)
    assert (found[:, -1] == 1).all()
    table = found[:, :-1].reshape(62, 16, 2 * context + 1)
    for place, offset in ((0, 0), (5, 3), (5, -7), (61, 1), (30, 31)):
        start = (place + offset) * 16
        pairs = [letters[i : i + 2] for i in range(start, start + 16)] if 0 <= place + offset < 62 else []
        for index, pair in enumerate(a + b for a in "ACGT" for b in "ACGT"):
            assert table[place, index, context + offset] == pairs.count(pair)


@pytest.mark.usefixtures("made_yeast")
def test_the_linear_baseline_and_replicates_are_scored_on_made_yeast(script: dict[str, Any]) -> None:
    """Tags were drawn without a look at each other or at the sequence: replicates do not agree."""
    data = YeastDataModule(resolution=16)
    measured = {"chrXI": script["measured_tracks"](data, "chrXI")}
    assert measured["chrXI"].shape == (9, CHROMOSOME // 16)
    predicted, facts = script["linear_predictions"](data, ["chrXI"])
    assert facts["penalty"] in script["PENALTIES"]
    found = script["scores"](data, predicted, measured)
    assert list(found)[:2] == ["mnase", "mnase detrended"]
    replicates = script["replicate_scores"](data, CONTIGS)
    assert set(replicates) == {*data.targets[1:], "mean of the starts"}
    assert abs(replicates["mean of the starts"]) < 0.1
