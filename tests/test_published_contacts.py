"""The models of contacts on real maps: what the facts, the cards and the table say, recomputed."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cooler
import numpy as np
import pytest

from zoo.contact_metrics import ContactMetrics
from zoo.contact_prediction import map_regions
from zoo.data.contact_maps import MapRules
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_contacts import YeastContactDataModule, contacts_folder
from zoo.download import fetch
from zoo.facts import read_config
from zoo.genome import Genome
from zoo.hub import load, resolve
from zoo.inference import inference
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


def scores(name: str, sigma: float) -> ContactMetrics:
    """Of a shipped model on the test chromosomes, the measured map smoothed by a Gaussian of sigma bins."""
    model = load(name)
    data = YeastContactDataModule(position=bool(model.inputs), maps=MapRules(smooth=sigma))
    metrics = ContactMetrics(1, data.bins, data.diagonal)
    with inference(model, "32"):
        for batch in data.test_dataloader():
            metrics.update(model.predict(batch.codes, batch.inputs), batch.target)
    return metrics


@pytest.mark.parametrize(
    ("name", "sigma", "pearson", "spearman"),
    [("akita.yeast", 1.5, 0.33, 0.3), ("akita.yeast_position", 2.0, 0.63, 0.60)],
)
def test_held_out_chromosomes_are_predicted_as_well_as_was_asked(
    name: str, sigma: float, pearson: float, spearman: float
) -> None:
    found = {key: float(value) for key, value in scores(name, sigma).compute().items()}
    assert found["pearson"] >= pearson
    assert found["spearman"] >= spearman
    said = read_config(resolve(name))["run"]["metrics"]["test"]
    assert {key: said[key] for key in found} == pytest.approx(found, abs=1e-3)


def test_a_predicted_chromosome_as_a_cooler_is_the_tensor(
    tmp_path: Path, run_zoo: Callable[..., tuple[int, str, str]]
) -> None:
    folder = contacts_folder()
    path = tmp_path / "chrIX.cool"
    table = str(folder / "inputs.tsv")
    options = ["--contigs", "chrIX", "--inputs", table, "-o", str(path)]
    code, _, said = run_zoo("predict", "akita.yeast_position", str(folder / "genome.fa"), *options)
    assert code == 0, said
    genome = Genome(folder / "genome.fa")
    whole = Interval("chrIX", 0, genome.contigs["chrIX"])
    ((_, tensor),) = map_regions(load("akita.yeast_position"), genome, [whole], inputs_table=table).maps().items()
    written = cooler.Cooler(str(path))
    assert dict(written.chromsizes) == genome.contigs
    matrix = written.matrix().fetch("chrIX")
    there = ~np.isnan(tensor[0])
    assert there.sum() > 25_000
    assert np.abs(matrix - tensor[0])[there].max() <= 1e-5
    assert not matrix[~there].any()
    assert np.array_equal(matrix, matrix.T)


def test_a_sequence_of_elsewhere_does_not_explain_a_map() -> None:
    """What is predicted for a window fits its own map better than that of one half a window further on."""
    model = load("akita.yeast")
    data = YeastContactDataModule(maps=MapRules(smooth=1.5))
    batch = data.dataset("test").__getitems__(list(range(3)))
    there = ~batch.target.isnan()
    with inference(model, "32"):
        right, moved = (model.predict(codes) for codes in (batch.codes, batch.codes.roll(64_000, 1)))
    errors = [float(((found - batch.target) ** 2)[there].mean()) for found in (right, moved)]
    assert errors[0] < errors[1]
