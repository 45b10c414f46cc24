"""Runs of the tables of fine-tuning: one base and one data set, with every mode."""

from collections.abc import Sequence
from pathlib import Path

import yaml
from common import WORK, train_if_missing

from zoo.training.finetune.plan import Plan, make_plan
from zoo.training.finetune.run import read_request

__all__ = ["MODES", "run_mode"]

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


def run_mode(base: Path, mode: str, words: Sequence[str], name: str, scratch_rate: float) -> Path:
    """Return the checkpoint of one run; train it if it is missing.

    Args:
        base: folder of the base.
        mode: a key of `MODES`.
        words: options of `zoo finetune` that name the data.
        name: name of the run; the mode is appended.
        scratch_rate: learning rate of the mode `scratch`.
    """
    plan = _plan(base, words, mode)
    chosen = str(plan.config["transfer"]["mode"])
    if mode == "default" and chosen in MODES and _plan(base, words, chosen).config == plan.config:
        mode = chosen  # so that it is not trained twice
    config = {**plan.config, "name": f"{name}_{mode.replace(',', '').replace(' ', '_').replace(':', '_')}"}
    if mode == "scratch":
        del config["transfer"]
        config["optimizer"]["init_args"]["lr"] = scratch_rate
    path = WORK / "finetune" / "plans" / f"{config['name']}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return train_if_missing(config["name"], WORK / "finetune", [str(path), *plan.options])


def _plan(base: Path, words: Sequence[str], mode: str) -> Plan:
    return make_plan(read_request([f"local-dir:{base}", *words, *MODES[mode]]))
