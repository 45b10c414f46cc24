"""The configurations of the published human settings: the nets' sizes, the training, and a few steps of each.

The steps run on a made genome with windows, bins and numbers of targets as published, but for four tracks instead of
5,313. On one core the nets of Basenji and Akita have fewer channels, by the options that their configurations state.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from made.human import SAMPLES, make_human

from zoo.hub.config import read_config
from zoo.hub.load import verify
from zoo.hub.registry import model_names, shipped_folder
from zoo.training.preflight.check import check_arguments
from zoo.training.run import train
from zoo.training.signatures import resolve_class

NAMES = ("basset.human_dnase", "basenji.human_tracks", "akita.human_contacts")


def text_of(name: str) -> str:
    return (shipped_folder("configs") / f"{name}.yaml").read_text()


def content_of(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(text_of(name))
    return content


def small_net(name: str) -> list[str]:
    """The options of a small net that a configuration states in its comments; none where there is no such line."""
    stated = re.search(rf"# zoo train {name} (--model.*(\n#   --.*)+)\n", text_of(name))
    return shlex.split(stated[1].replace("\n#", "")) if stated else []


@pytest.mark.parametrize(
    ("name", "targets", "wanted"),
    [(NAMES[0], 164, 4_135_064), (NAMES[1], 5_313, 30_088_228), (NAMES[2], 5, 746_149)],
)
def test_the_net_has_the_published_number_of_parameters(name: str, targets: int, wanted: int) -> None:
    content = content_of(name)
    cls: Any = resolve_class(content["model"]["class_path"])
    data = content["data"]["init_args"]
    length = data.get("length", 600)
    crop = {"crop_bins": data["crop"]} if "crop" in data else {}
    arguments = content["model"].get("init_args", {})
    with torch.device("meta"):
        model = cls(targets=[f"t{number}" for number in range(targets)], length=length, **crop, **arguments)
    assert sum(one.numel() for one in model.parameters() if one.requires_grad) == wanted
    shapes = {NAMES[0]: (164,), NAMES[1]: (5_313, 896), NAMES[2]: (5, 99_681)}
    assert model.output.shape == shapes[name]


@pytest.mark.parametrize(
    ("name", "optimizer", "batch", "callbacks"),
    [
        (NAMES[0], ("RMSprop", {"lr": 0.002, "alpha": 0.98}), 128, {"MaxNorm": 7.0, "EarlyStopping": 10}),
        (NAMES[1], ("SGD", {"lr": 0.15, "momentum": 0.99}), 4, {"ClipEach": 2.0, "EarlyStopping": 16}),
        (NAMES[2], ("SGD", {"lr": 0.0065, "momentum": 0.99575}), 2, {"ClipEach": 10.0, "EarlyStopping": 12}),
    ],
)
def test_the_training_is_the_published_one(
    name: str, optimizer: tuple[str, dict[str, float]], batch: int, callbacks: dict[str, float]
) -> None:
    content = content_of(name)
    assert (content["optimizer"]["class_path"].split(".")[-1], content["optimizer"]["init_args"]) == optimizer
    assert content["data"]["init_args"]["batch_size"] == batch
    found = {
        one["class_path"].split(".")[-1]: one["init_args"].get("max_norm", one["init_args"].get("patience"))
        for one in content["trainer"]["callbacks"]
    }
    assert found == callbacks
    assert content["trainer"]["precision"] == "bf16-mixed"
    assert content["trainer"]["devices"] == "auto"


def test_the_names_are_not_those_of_models() -> None:
    assert set(NAMES).isdisjoint(model_names())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_on_a_made_genome(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_human(tmp_path, name.split(".")[0])
    options = {
        "--trainer.max_epochs": "1",
        "--trainer.limit_train_batches": "1",
        "--trainer.limit_val_batches": "1",
        "--trainer.num_sanity_val_steps": "0",
        "--trainer.accelerator": "cpu",
        "--trainer.devices": "1",
        "--trainer.enable_progress_bar": "false",
        "--data.num_workers": "0",
    }
    arguments = [name, *small_net(name), *(word for pair in options.items() for word in pair)]
    report = check_arguments(arguments, time=False)
    assert report.count("error") == 0, report.findings
    folder = train(arguments)
    assert verify(f"local-dir:{folder}").difference == 0
    config = read_config(folder)
    assert config.facts.name == name
    assert config.arguments["length"] == content_of(name)["data"]["init_args"].get("length", 600)
    assert len(config.facts.targets) == {NAMES[0]: SAMPLES, NAMES[1]: 4, NAMES[2]: 5}[name]
