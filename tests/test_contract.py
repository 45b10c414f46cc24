"""Tests that every architecture and every shipped checkpoint must pass; a new one is tested without a new line."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.batch import Batch
from zoo.errors import ConfigError
from zoo.hub.architectures import architectures, load_architecture
from zoo.hub.cards import checkpoint_folders
from zoo.hub.config import read_config
from zoo.hub.load import verify
from zoo.hub.loading import load_folder
from zoo.hub.meta_device import build_on_meta, check_work
from zoo.hub.registry import find
from zoo.hub.targets import read_targets
from zoo.hub.weights import forms_of
from zoo.inference.engine import Precision
from zoo.models._base import SequenceModel

LENGTH = 200
# `zoo benchmark gpu` runs the tests of the architectures on a GPU.
DEVICE = os.environ.get("ZOO_TEST_DEVICE", "cpu")
# What is too large by default, small.
SMALL: dict[str, dict[str, Any]] = {
    "akita": {
        "trunk": {
            "stem_filters": 8,
            "tower_filters": (8, 10),
            "tower_pools": (5, 2),
            "residual_filters": 6,
            "dilations": (1, 2),
        },
        "pair_map": {"reduced_filters": 6, "filters": 6, "residual_filters": 4, "dilations": (1, 2)},
        "crop_bins": 1,
    },
    "basenji": {
        "trunk": {
            "stem_filters": 8,
            "tower_filters": (8, 10),
            "tower_pools": (2, 2),
            "residual_filters": 6,
            "dilations": (1, 2),
        },
        "crop_bins": 2,
    },
    "basenji_labels": {
        "trunk": {
            "stem_filters": 8,
            "tower_filters": (8, 10),
            "tower_pools": (2, 2),
            "residual_filters": 6,
            "dilations": (1, 2),
        },
    },
}
FOLDERS = checkpoint_folders()
HEADLINES = {"auroc": "AUROC", "pearson": "Pearson r", "pearson_log1p": "Pearson r of log1p"}


def build(architecture: str) -> SequenceModel:
    torch.manual_seed(0)
    options = SMALL.get(architecture, {})
    model = load_architecture(architecture)(targets=["one", "two"], length=LENGTH, **options)  # type: ignore[call-arg]
    with torch.no_grad():
        for parameter in model.parameters():  # what begins at zero lets nothing before it learn
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model.to(DEVICE)


def codes_of(model: SequenceModel, rows: int) -> torch.Tensor:
    return torch.randint(0, 5, (rows, model.length), dtype=torch.uint8).to(DEVICE)


@pytest.mark.parametrize("architecture", architectures())
def test_targets_and_length_alone_build_it_and_its_arguments_rebuild_it(architecture: str) -> None:
    model = build(architecture)
    rebuilt = type(model)(**model.arguments).to(DEVICE)
    rebuilt.load_state_dict(model.state_dict(), strict=True)
    codes = codes_of(model, 3)
    assert torch.equal(model.eval().predict(codes), rebuilt.eval().predict(codes))


@pytest.mark.parametrize("architecture", architectures())
def test_predictions_have_the_output_s_shape_and_do_not_depend_on_their_neighbours(architecture: str) -> None:
    model = build(architecture).eval()
    codes = codes_of(model, 5)
    with torch.inference_mode():
        together = model.predict(codes)
        alone = torch.cat([model.predict(one[None]) for one in codes])
    assert together.shape == (5, *model.output.shape)
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("architecture", architectures())
def test_shapes_are_known_without_memory(architecture: str) -> None:
    model = build(architecture)
    forms = forms_of(model.state_dict())
    on_meta = build_on_meta(type(model), model.arguments, forms, stored=10_000_000).eval()
    assert forms_of(on_meta.state_dict()) == forms
    assert {value.device.type for value in on_meta.state_dict().values()} == {"meta"}
    check_work(on_meta, {"codes": (2, model.length)}, stored=10_000_000)


@pytest.mark.parametrize("architecture", architectures())
def test_every_parameter_learns(architecture: str) -> None:
    model = build(architecture).train()
    target = torch.rand(16, *model.output.shape).round().to(DEVICE)
    model.training_loss(Batch(codes_of(model, 16), target)).mean().backward()  # type: ignore[no-untyped-call]
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still


@pytest.mark.parametrize("architecture", architectures())
def test_a_missing_label_changes_no_gradient(architecture: str) -> None:
    model = build(architecture).eval()
    codes = codes_of(model, 4)
    target = torch.rand(4, *model.output.shape).round().to(DEVICE)
    target[2] = torch.nan
    gradients = []
    for batch in (Batch(codes, target), Batch(codes[[0, 1, 3]], target[[0, 1, 3]])):
        model.zero_grad()
        model.training_loss(batch).mean().backward()  # type: ignore[no-untyped-call]
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)


@pytest.mark.parametrize("architecture", architectures())
def test_bf16_stays_close_to_float32(architecture: str) -> None:
    model = build(architecture).eval()
    codes = codes_of(model, 4)
    with torch.inference_mode():
        exact = model.predict(codes)
        with torch.autocast(torch.device(DEVICE).type, torch.bfloat16):
            rough = model.predict(codes)
    assert rough.dtype == torch.float32
    assert torch.allclose(exact, rough, atol=0.03 * max(1.0, float(exact.abs().max())))


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_checkpoint_reproduces_its_example_and_its_files_agree(folder: Path) -> None:
    result = verify(f"local-dir:{folder}")
    config = read_config(folder)
    location = find(folder.name)
    assert result.sequences >= 8
    assert location.config == config
    assert location.folder == folder
    assert folder.name == config.facts.name
    assert config.architecture == config.facts.architecture
    assert [row.name for row in read_targets(folder)] == config.arguments["targets"] == list(config.facts.targets)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 40e6


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_checkpoint_has_all_facts_of_its_training_and_scores(folder: Path) -> None:
    facts = read_config(folder).facts
    run = facts.training
    assert run.command.startswith("zoo train configs/")
    assert run.metrics["test"].keys() == run.metrics["val"].keys()
    name, value = next((name, value) for name, value in run.metrics["test"].items() if name != "loss")
    score, *notes = facts.metric.split(", ")
    assert score == f"test {HEADLINES[name]} {value:.4f}"
    assert notes == [note for note in re.findall(r"Gaussian of [\d.]+ bins", " ".join(run.data)) if "of 0 " not in note]
    for key in ("summary", "species", "assay", "licence", "use", "limits", "data"):
        assert getattr(facts, key)


def test_the_documented_checkpoints_are_shipped() -> None:
    names = {folder.name for folder in FOLDERS}
    assert sum(name.startswith("deepbind.encode_") for name in names) == 21
    sets = ("ecoli", "bsubtilis", "athaliana_tata", "athaliana_nontata", "mouse_tata")
    assert {f"{kind}.promoter_{name}" for kind in ("mlp", "deepbind") for name in sets} <= names
    basset = {f"basset.{name}" for name in ("dhs_cells", "encode_tf", "plant_terminators", "yeast_reporter")}
    assert {*basset, "basenji.yeast"} <= names


def test_loading_leaves_a_model_in_evaluation_mode() -> None:
    assert not load_folder(FOLDERS[0]).training


@pytest.mark.parametrize("architecture", architectures())
@pytest.mark.parametrize("precision", ["32", "16"])
def test_predictions_that_are_no_numbers_are_refused_and_never_written(
    architecture: str, precision: Precision, tmp_path: Path
) -> None:
    model = build(architecture).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            sign = torch.randint(0, 2, parameter.shape, device=DEVICE) * 2 - 1
            parameter.copy_(sign * (3e38 if precision == "32" else 3e4))  # two are beyond float32, or float16
    (tmp_path / "genome.fa").write_text(">chr1\n" + "ACGTTGCA" * (LENGTH // 8) * 3 + "\n")
    intervals = f"chr1:{LENGTH}-{2 * LENGTH}"
    cure = "its weights or inputs are too large" if precision == "32" else "use precision 32, not 16"
    with pytest.raises(ConfigError, match=f"the model computes a value that is NaN or infinite: {cure}"):
        zoo.predict(model, zoo.Genome(tmp_path / "genome.fa"), intervals, precision)
