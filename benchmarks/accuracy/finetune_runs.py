"""Runs of the tables of fine-tuning: one base and one data set, with every mode.

The bases lie in `benchmarks/bases/`, and how each run ended is a line of `benchmarks/results/finetune_runs.jsonl`: the
tables are written from there, a run that is not there is trained, and a change of its configuration, its data or its
base makes it another run.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import yaml
from common import RECORDED, WORK, results_folder, shipped_checkpoint, train_if_missing

from zoo.hub.config import read_config
from zoo.training.finetune.plan import Plan, make_plan
from zoo.training.finetune.run import read_request
from zoo.training.given import Given
from zoo.training.own_data import data_files
from zoo.utils.cache import content_hash
from zoo.utils.download import sha256_of

__all__ = ["BASES", "MODES", "Run", "base_checkpoint", "run_key", "run_mode", "train_mode"]

BASES = Path(__file__).parents[1] / "bases"
# Mode -> options of `zoo finetune`; `scratch` is the plan without another model's weights.
MODES: dict[str, list[str]] = {
    "default": [],
    "scratch": [],
    "head": ["--mode", "head"],
    "last:1": ["--mode", "last:1"],
    "lora": ["--mode", "lora"],
    "full": ["--mode", "full"],
    "full, decay": ["--mode", "full", "--transfer.rate_decay", "0.5"],
    "full, one rate": ["--mode", "full", "--transfer.trunk_rate", "1", "--transfer.batch_statistics", "updated"],
}
_RUNS = "finetune_runs.jsonl"


@dataclass(frozen=True)
class Run:
    """How a run ended.

    Attributes:
        key: hash of what decides it: configuration, data and base.
        name: its name: data, size, seed and mode.
        val: metrics of its best epoch on validation data, by name.
        test: metrics of that epoch on test data.
        seed: of sample and training.
        commit: version of the code.
        hardware: what it ran on.
        seconds: that training took.
        precision: of training.
    """

    key: str
    name: str
    val: dict[str, float]
    test: dict[str, float]
    seed: int
    commit: str
    hardware: str
    seconds: float
    precision: str


def base_checkpoint(name: str, command: Sequence[str]) -> Path:
    """Return the folder of a base, that of the project if it was trained by this very command; else train it.

    Args:
        name: name of the base.
        command: arguments of `zoo train`.
    """
    card = ["--card.licence", "Apache-2.0", "--card.source", "this project"]
    return shipped_checkpoint(name, command, BASES) or train_if_missing(name, WORK / "finetune", [*command, *card])


def run_mode(base: Path, mode: str, words: Sequence[str], name: str, scratch_rate: float) -> Run:
    """Return how a run ended; train it if it is not recorded.

    Args:
        base: folder of the base.
        mode: a key of `MODES`.
        words: options of `zoo finetune` that name the data.
        name: name of the run; the mode is appended.
        scratch_rate: learning rate of the mode `scratch`.
    """
    config, options = _configuration(base, mode, words, name, scratch_rate)
    key = run_key(base, config, options)
    known = {**_read(RECORDED / _RUNS), **_read(results_folder() / _RUNS)}
    if key in known:
        return known[key]
    folder = _train(config, options)
    training = read_config(folder).facts.training
    facts = {each.name: getattr(training, each.name) for each in fields(Run) if hasattr(training, each.name)}
    run = Run(key=key, name=config["name"], val=training.metrics["val"], test=training.metrics["test"], **facts)
    with (results_folder() / _RUNS).open("a") as file:  # one line at once: two processes may share the work
        file.write(json.dumps(asdict(run)) + "\n")
    return run


def train_mode(base: Path, mode: str, words: Sequence[str], name: str, scratch_rate: float) -> Path:
    """Return the checkpoint of a run, as `run_mode` does; train it if it is not in the working folder."""
    return _train(*_configuration(base, mode, words, name, scratch_rate))


def _configuration(
    base: Path, mode: str, words: Sequence[str], name: str, scratch_rate: float
) -> tuple[Given, list[str]]:
    """The configuration of a run, and further options of `zoo train`."""
    plan = _plan(base, words, mode)
    chosen = str(plan.config["transfer"]["mode"])
    if mode == "default" and chosen in MODES and _plan(base, words, chosen).config == plan.config:
        mode = chosen  # so that it is not trained twice
    config = {**plan.config, "name": f"{name}_{mode.replace(',', '').replace(' ', '_').replace(':', '_')}"}
    if mode == "scratch":
        del config["transfer"]
        config["optimizer"]["init_args"]["lr"] = scratch_rate
    return config, plan.options


def _plan(base: Path, words: Sequence[str], mode: str) -> Plan:
    return make_plan(read_request([f"local-dir:{base}", *words, *MODES[mode]]))


def run_key(base: Path, config: Given, options: Sequence[str]) -> str:
    """Hash what decides a run; base and files count by their content, wherever they lie.

    Args:
        base: folder of the base.
        config: configuration of `zoo train`.
        options: its further options.
    """
    text = json.dumps([config, list(options)], sort_keys=True)
    text = text.replace(str(base), sha256_of(base / "model.safetensors"))
    for file in data_files(config):
        text = text.replace(str(file), content_hash(file))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _train(config: Given, options: Sequence[str]) -> Path:
    path = WORK / "finetune" / "plans" / f"{config['name']}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return train_if_missing(config["name"], WORK / "finetune", [str(path), *options])


def _read(path: Path) -> dict[str, Run]:
    """Recorded runs by their key."""
    lines = path.read_text().splitlines() if path.is_file() else []
    runs = [Run(**json.loads(line)) for line in lines]
    return {run.key: run for run in runs}
