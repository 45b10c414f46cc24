"""Label models on public files: published scores and the scores on our cards, recomputed."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_auroc

from zoo.data.sequences.module import SequenceDataModule
from zoo.datasets.dhs_cells import DhsCellsDataModule
from zoo.datasets.encode_loci import EncodeLociDataModule
from zoo.datasets.encode_tf import EncodeDataModule, encode_experiments
from zoo.datasets.plant_terminators import TerminatorDataModule
from zoo.datasets.promoters import PROMOTER_SETS, PromoterDataModule
from zoo.datasets.yeast_reporter import YeastReporterDataModule
from zoo.hub.config import read_config
from zoo.hub.load import load, resolve
from zoo.inference.labels import predict_codes
from zoo.metrics.labels import CLASSIFICATION, per_target

pytestmark = pytest.mark.public_data

# Experiment -> published model and its AUROC on the authors' test file.
PUBLISHED = {
    "rest_gm12878": ("D00799.001", 0.9995),
    "usf1_hepg2": ("D00700.006", 0.9950),
    "ctcfl_k562": ("D00753.001", 0.9864),
    "foxa1_hepg2": ("D00761.001", 0.9790),
    "gabpa_gm12878": ("D00409.004", 0.9761),
    "elk1_gm12878": ("D00360.007", 0.9537),
    "myc_h1hesc": ("D00785.001", 0.9191),
    "sp1_gm12878": ("D00650.007", 0.8877),
    "arid3a_k562": ("D00736.002", 0.8740),
    "zbtb7a_hepg2": ("D00714.004", 0.8647),
}


def auroc(name: str, data: SequenceDataModule) -> float:
    test = data.subset("test")
    prediction = predict_codes(load(name), list(test.codes), [""] * len(test))[:, 0]
    return float(binary_auroc(torch.from_numpy(prediction).double(), torch.from_numpy(test.labels[:, 0]).long()))


@pytest.mark.slow
@pytest.mark.parametrize("key", PUBLISHED)
def test_published_weights_give_their_published_auroc(key: str) -> None:
    model, published = PUBLISHED[key]
    assert auroc(f"deepbind.{model}", EncodeDataModule(key)) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("key", encode_experiments())
def test_the_card_of_an_encode_checkpoint_has_the_recomputed_score(key: str) -> None:
    name = f"deepbind.encode_{key}"
    card = read_config(resolve(name)).facts.training.metrics["test"]["auroc"]
    assert auroc(name, EncodeDataModule(key)) == pytest.approx(card, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROMOTER_SETS)
@pytest.mark.parametrize("architecture", ["mlp", "deepbind"])
def test_the_card_of_a_promoter_checkpoint_has_the_recomputed_score(architecture: str, name: str) -> None:
    checkpoint = f"{architecture}.promoter_{name}"
    card = read_config(resolve(checkpoint)).facts.training.metrics["test"]["auroc"]
    assert auroc(checkpoint, PromoterDataModule(name, val_fraction=0.15)) == pytest.approx(card, abs=1e-4)


@pytest.mark.slow
def test_the_card_of_the_multitask_basset_has_the_recomputed_score() -> None:
    card = read_config(resolve("basset.encode_tf")).facts.training.metrics["test"]
    test = EncodeLociDataModule().subset("test")
    prediction = torch.from_numpy(predict_codes(load("basset.encode_tf"), list(test.codes), [""] * len(test)))
    for name, score in CLASSIFICATION.items():
        values = per_target(score, prediction, torch.from_numpy(test.labels).float())
        assert float(values.mean()) == pytest.approx(card[name], abs=1e-4)


@pytest.mark.slow
def test_the_card_of_the_terminator_basset_has_the_recomputed_score() -> None:
    card = read_config(resolve("basset.plant_terminators")).facts.training.metrics["test"]
    test = TerminatorDataModule().subset("test")
    prediction = predict_codes(load("basset.plant_terminators"), list(test.codes), [""] * len(test))
    unexplained = ((prediction - test.labels) ** 2).sum(0) / ((test.labels - test.labels.mean(0)) ** 2).sum(0)
    assert float((1 - unexplained).mean()) == pytest.approx(card["r2"], abs=1e-4)


def test_the_card_of_the_dhs_basset_has_the_recomputed_score() -> None:
    card = read_config(resolve("basset.dhs_cells")).facts.training.metrics["test"]
    test = DhsCellsDataModule(negatives=0.5, open_targets=True).subset("test")
    prediction = predict_codes(load("basset.dhs_cells"), list(test.codes), [""] * len(test))
    values = per_target(CLASSIFICATION["auroc"], torch.from_numpy(prediction), torch.from_numpy(test.labels))
    assert float(values.mean()) == pytest.approx(card["auroc"], abs=1e-4)
    sites = DhsCellsDataModule().subset("test").labels
    assert np.array_equal(sites, test.labels[: len(sites), :4])
    assert float(values[:4].mean()) > 0.96
    assert (prediction[: len(sites), :4].argmax(1) == sites.argmax(1)).mean() > 0.83


def test_the_card_of_the_yeast_reporter_basset_has_the_recomputed_score() -> None:
    card = read_config(resolve("basset.yeast_reporter")).facts.training.metrics["test"]
    test = YeastReporterDataModule().subset("test")
    prediction = predict_codes(load("basset.yeast_reporter"), list(test.codes), [""] * len(test))
    scores = []
    for target in range(2):
        own = ~np.isnan(test.labels[:, target])
        scores.append(np.corrcoef(prediction[own, target], test.labels[own, target])[0, 1])
    assert float(np.mean(scores)) == pytest.approx(card["pearson"], abs=1e-4)


@pytest.mark.parametrize("key", encode_experiments())
def test_training_and_test_files_share_no_sequence(key: str) -> None:
    # Reading raises an error if two splits share a sequence, on either strand.
    data = EncodeDataModule(key).data
    assert {0, 1, 2} == set(data.split.tolist())
