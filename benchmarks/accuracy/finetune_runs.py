"""Runs of the tables of fine-tuning: one base and one data set, with every mode.

The bases lie in `benchmarks/bases/`. How each run of the tables `labels` and `far` ended is a line of
`benchmarks/results/finetune_runs.jsonl`: these tables are written from there, a run that is not there is trained, and a
change of its configuration, its data or its base makes it another run. The tables `tracks` and `lab` are not kept
there: they are scored on the checkpoints of the working folder.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml
from common import CODE, RECORDED, WORK, results_folder, run_folder, shipped_checkpoint, train_if_missing

from zoo.errors import InputError
from zoo.hub.config import read_config
from zoo.training.finetune.choices import Plan
from zoo.training.finetune.plan import make_plan
from zoo.training.finetune.run import read_request
from zoo.training.given import Given
from zoo.training.own_data import data_files
from zoo.utils.download import sha256_of

__all__ = [
    "BASES",
    "MODES",
    "Run",
    "base_checkpoint",
    "is_run",
    "origins",
    "run_key",
    "run_mode",
    "train_mode",
    "training_facts",
]

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
# What one rate and moving batch statistics do shows with few data; with many the runs take longest.
_LARGEST = {"full, one rate": 3_000}
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
        commit: version of the code when its process began; a record that is added does not make it "dirty".
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


def is_run(mode: str, size: int) -> bool:
    """Whether a mode is tried with so many training sequences; the cell of one that is not stays empty."""
    return size <= _LARGEST.get(mode, size)


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
    folder, is_new = _train(config, options)
    training = read_config(folder).facts.training
    facts = {each.name: getattr(training, each.name) for each in fields(Run) if hasattr(training, each.name)}
    if is_new:
        facts["commit"] = CODE
    run = Run(key=key, name=config["name"], val=training.metrics["val"], test=training.metrics["test"], **facts)
    with (results_folder() / _RUNS).open("a") as file:  # one line at once: two processes may share the work
        file.write(json.dumps(asdict(run)) + "\n")
    return run


def train_mode(base: Path, mode: str, words: Sequence[str], name: str, scratch_rate: float) -> Path:
    """Return the checkpoint folder of a run, which is not recorded; train it if the working folder lacks it.

    Args:
        base: as of `run_mode`.
        mode: as of `run_mode`.
        words: as of `run_mode`.
        name: as of `run_mode`.
        scratch_rate: as of `run_mode`.
    """
    return _train(*_configuration(base, mode, words, name, scratch_rate))[0]


def training_facts(runs: Mapping[str, Run]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the seconds of each run by its label, grouped by commit and by hardware."""
    groups: dict[str, dict[str, dict[str, float]]] = {}
    for label, run in runs.items():
        groups.setdefault(run.commit, {}).setdefault(run.hardware, {})[label] = run.seconds
    return groups


def origins(runs: Mapping[str, Run]) -> str:
    """Return a sentence on the commits and the hardware of runs, for the text under a table."""
    commits = list(dict.fromkeys(run.commit for run in runs.values()))
    hardware = list(dict.fromkeys(run.hardware for run in runs.values()))
    return f"Code of the runs: {', '.join(commits)}; hardware: {'; '.join(hardware)}."


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
    """Hash what decides a run; base and files count by all of their content, wherever they lie, the card does not.

    Args:
        base: folder of the base.
        config: configuration of `zoo train`.
        options: its further options.
    """
    files = {str(file): sha256_of(file) for file in data_files(config)}
    decisive = {name: value for name, value in config.items() if name != "card"}
    # All files: those that a table of tracks names are nowhere in the configuration.
    content = [decisive, list(options), sorted(files.values())]
    hashes = {str(base): sha256_of(base / "model.safetensors"), **files}
    return hashlib.sha256(json.dumps(_without_paths(content, hashes), sort_keys=True).encode()).hexdigest()[:16]


def _without_paths(value: Any, hashes: Mapping[str, str]) -> Any:
    """Replace paths in all texts of a JSON value: `PATH`, `local-dir:PATH`, `NAME=PATH` or `PATH::GROUP`.

    Args:
        value: the value.
        hashes: path -> what takes its place.
    """
    if isinstance(value, dict):
        return {key: _without_paths(item, hashes) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_paths(item, hashes) for item in value]
    if isinstance(value, str):
        for path, content in hashes.items():
            value = re.sub(rf"(?<![^:=]){re.escape(path)}(?![^:])", content, value)
    return value


def _train(config: Given, options: Sequence[str]) -> tuple[Path, bool]:
    """The checkpoint folder of a run, and whether it was trained now."""
    path = WORK / "finetune" / "plans" / f"{config['name']}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    command = [str(path), *options]
    is_new = not (run_folder(config["name"], WORK / "finetune", command) / "config.json").is_file()
    return train_if_missing(config["name"], WORK / "finetune", command), is_new


def _read(path: Path) -> dict[str, Run]:
    """Recorded runs by their key.

    Raises:
        InputError: a line is not the record of a run.
    """
    lines = path.read_text().splitlines() if path.is_file() else []
    runs = [_read_line(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]
    return {run.key: run for run in runs}


def _read_line(line: str, place: str) -> Run:
    try:
        record = json.loads(line)
        scores = [score for split in ("val", "test") for score in record[split].values()]
        if all(isinstance(score, float | int) for score in scores):
            return Run(**record)
    except (ValueError, TypeError, KeyError, AttributeError):  # truncated, not an object, or of other keys
        pass
    raise InputError(f"{place}: not the whole record of a run: remove the line, and the run is trained again")
