"""Contact map models on measured maps: the scores on their cards and in the benchmark table, recomputed."""

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cooler
import numpy as np
import pytest
import torch
from accuracy.bench_akita import read_human_window

from zoo.data.contacts.maps import MapRules
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_contacts import YeastContactDataModule, contacts_folder
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.hub.config import read_config
from zoo.hub.load import load, resolve
from zoo.hub.registry import shipped_folder
from zoo.inference.contacts import ContactPredictor
from zoo.inference.engine import inference
from zoo.metrics.contacts import ContactMetrics
from zoo.outputs import Contacts
from zoo.utils.download import fetch

pytestmark = pytest.mark.public_data
# Pearson r of the published weights on the human window, by cell type.
PEARSON = {"HFF": 0.677, "H1hESC": 0.771, "GM12878": 0.607, "IMR90": 0.646, "HCT116": 0.650}


@pytest.mark.slow
def test_the_published_weights_predict_the_measured_maps(
    tmp_path: Path, run_zoo: Callable[..., tuple[int, str, str]]
) -> None:
    fasta, maps = (fetch(file) for file in files_of("hic_human_window"))
    genome = Genome(fasta)
    (name,) = genome.contigs
    window = tmp_path / "window.fa"
    window.write_text(f">window\n{genome.sequence(Interval(name, 131_072, 1_179_648))}\n")
    code, _, message = run_zoo("predict", "akita.human_1mb", str(window), "-o", str(tmp_path / "maps"))
    assert code == 0, message
    measured = read_human_window(maps)
    pixels = np.triu_indices(448, 2)
    for (target, expected), values in zip(PEARSON.items(), measured, strict=True):
        predicted = cooler.Cooler(str(tmp_path / "maps" / f"{target}.cool")).matrix()[32:480, 32:480]
        assert np.corrcoef(predicted[pixels], values)[0, 1] == pytest.approx(expected, abs=0.005)


@cache
def yeast_scores(name: str) -> dict[float, dict[str, float]]:
    """Score a yeast model on the test chromosomes, against maps smoothed by a Gaussian of 1.5 and of 2 bins."""
    model = load(name)
    data = {
        sigma: YeastContactDataModule(
            length=model.length,
            crop=model.arguments["crop_bins"],
            position=bool(model.inputs.names),
            maps=MapRules(smooth=sigma),
            batch_size=4,
        )
        for sigma in (1.5, 2.0)
    }
    metrics = {sigma: ContactMetrics(model.output.targets, one.bins, one.diagonal) for sigma, one in data.items()}
    with inference(model, "32"):
        for batches in zip(*(one.test_dataloader() for one in data.values()), strict=True):
            predicted = model.predict(batches[0].codes, batches[0].inputs)
            for score, batch in zip(metrics.values(), batches, strict=True):
                score.update(predicted, batch.target)
    return {sigma: {key: float(value) for key, value in one.per_target().items()} for sigma, one in metrics.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sigma"), [("akita.yeast", 1.5), ("akita.yeast_position", 2.0)])
def test_the_cards_of_the_yeast_models_have_the_recomputed_scores(name: str, sigma: float) -> None:
    """Each model was trained on a map smoothed with the sigma that its card gives."""
    config = read_config(resolve(name))
    assert f"Gaussian of {sigma:g} bins" in " ".join(config.facts.training.data)
    card: dict[str, float] = config.facts.training.metrics["test"]
    for key, value in yeast_scores(name)[sigma].items():
        assert value == pytest.approx(card[key], abs=1e-4)


@pytest.mark.slow
def test_scores_on_held_out_chromosomes_are_those_of_the_table_and_above_the_targets() -> None:
    """The targets: r and Spearman of the model with position, and its lead over the model of position alone."""
    with (shipped_folder("benchmarks") / "results" / "akita_yeast.csv").open(newline="") as file:
        table = {row["model"]: row for row in csv.DictReader(file)}
    rows = {"sequence": "akita.yeast", "sequence and position": "akita.yeast_position"}
    results = {(row, sigma): scores for row, name in rows.items() for sigma, scores in yeast_scores(name).items()}
    for (row, sigma), scores in results.items():
        for metric in ("pearson", "spearman", "mse", "pearson_window"):
            assert float(table[row][f"{metric}, sigma {sigma:g}"]) == pytest.approx(scores[metric], abs=1e-4)
    assert results["sequence and position", 2.0]["pearson"] >= 0.63
    assert results["sequence and position", 2.0]["spearman"] >= 0.60
    position_alone = float(table["position alone"]["pearson, sigma 1.5"])
    assert results["sequence and position", 1.5]["pearson"] >= position_alone + 0.07
    assert results["sequence", 1.5]["pearson"] >= 0.33


@pytest.mark.slow
def test_the_cooler_of_a_chromosome_holds_the_predicted_tensor(
    tmp_path: Path, run_zoo: Callable[..., tuple[int, str, str]]
) -> None:
    """At every predicted pixel, and symmetric; the bins cover the contigs of the FASTA file."""
    name, folder = "akita.yeast_position", contacts_folder()
    inputs = str(folder / "inputs.tsv")
    code, _, message = run_zoo(
        "predict", name, str(folder / "genome.fa"), "--contigs", "chrIX", "--inputs", inputs, "-o", str(tmp_path)
    )
    assert code == 0, message
    file = cooler.Cooler(str(tmp_path / "hic_g1.cool"))
    genome = Genome(folder / "genome.fa")
    assert dict(zip(file.chromnames, file.chromsizes.tolist(), strict=True)) == genome.contigs
    assert "logarithm" in file.info["metadata"]["scale"]
    length, model = genome.contigs["chrIX"], load(name)
    bins = file.bins().fetch("chrIX")
    assert bins["start"].tolist() == list(range(0, length, 2_000))
    assert bins["end"].tolist() == [*range(2_000, length, 2_000), length]
    matrix = file.matrix().fetch("chrIX")
    assert np.array_equal(matrix, matrix.T, equal_nan=True)
    predictor = ContactPredictor(model, inputs=inputs)
    ((_, tensor),) = predictor.predict(genome, [Interval("chrIX", 0, length)]).maps().items()
    assert isinstance(model.output, Contacts)
    first = model.output.crop // 2_000
    inner = matrix[first : first + tensor.shape[1], first : first + tensor.shape[1]]
    predicted = ~np.isnan(tensor[0])
    assert predicted.sum() == 17_166
    np.testing.assert_allclose(inner[predicted], tensor[0][predicted], rtol=0, atol=1e-5)
    assert np.isfinite(inner[predicted]).all()
    pixels = file.pixels()[:]
    assert len(pixels) == np.triu(predicted).sum()


def test_the_map_of_a_single_window_is_the_output_of_the_model() -> None:
    """Maps are averages of overlapping windows; where no window overlaps, nothing is averaged."""
    model, genome = load("akita.yeast"), Genome(contacts_folder() / "genome.fa")
    assert isinstance(model.output, Contacts)
    crop, bins = model.output.crop, model.output.bins
    start = 200_000
    region = Interval("chrIX", start, start + bins * 2_000)
    ((_, tensor),) = ContactPredictor(model, step=bins).predict(genome, [region]).maps().items()
    codes = genome.codes(Interval("chrIX", start - crop, start - crop + model.length))
    with inference(model, "32"):
        expected = model.output.contact_maps(model.predict(torch.from_numpy(codes)[None]))[0].numpy()
    np.testing.assert_allclose(tensor, expected, rtol=0, atol=1e-5, equal_nan=True)
