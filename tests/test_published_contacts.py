"""The published model of contacts on real maps: what the facts say, recomputed."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cooler
import numpy as np
import pytest

from zoo.datasets.sources import files_of
from zoo.download import fetch
from zoo.genome import Genome
from zoo.intervals import Interval
from zoo.registry import shipped_folder

pytestmark = pytest.mark.public_data
# Of the human window, as published weights give them.
PEARSON = {"HFF": 0.677, "H1hESC": 0.771, "GM12878": 0.607, "IMR90": 0.646, "HCT116": 0.650}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def one_cache_for_all(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data sets are built, and weights imported, once."""
    monkeypatch.setenv("ZOO_CACHE", str(cache))


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    found: dict[str, Any] = runpy.run_path(str(shipped_folder("benchmarks") / "bench_akita.py"))
    return found


def test_the_published_weights_see_the_measured_maps(
    tmp_path: Path, script: dict[str, Any], run_zoo: Callable[..., tuple[int, str, str]]
) -> None:
    fasta, maps = (fetch(file) for file in files_of("hic_human_window"))
    genome = Genome(fasta)
    (name,) = genome.contigs
    window = tmp_path / "window.fa"
    window.write_text(f">window\n{genome.sequence(Interval(name, 131_072, 1_179_648))}\n")
    code, _, said = run_zoo("predict", "akita.human_1mb", str(window), "-o", str(tmp_path / "maps"))
    assert code == 0, said
    measured = script["measured_window"](maps)
    pixels = np.triu_indices(448, 2)
    for (target, expected), values in zip(PEARSON.items(), measured, strict=True):
        predicted = cooler.Cooler(str(tmp_path / "maps" / f"{target}.cool")).matrix()[32:480, 32:480]
        assert np.corrcoef(predicted[pixels], values)[0, 1] == pytest.approx(expected, abs=0.005)
