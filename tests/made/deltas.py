"""Checkpoints whose weights are stored as a delta on those of a base, and the same models in memory."""

from dataclasses import replace
from pathlib import Path

import torch

from zoo.hub.checkpoint import save
from zoo.hub.config import read_config
from zoo.hub.example import example_for
from zoo.hub.facts import BaseFacts, ModelFacts, RunFacts
from zoo.hub.targets import TargetRow
from zoo.models._base import SequenceModel
from zoo.nn.adapters import factors_of, merge_adapters
from zoo.training.take import named_stages, take_head, take_trunk
from zoo.training.transfer import TransferOptions, apply_mode

__all__ = ["fine_tuned", "save_delta", "save_whole"]

_RUN = RunFacts("zoo train", "none", "none", 1, "none", 1.0, "32-true", "none", [], {"test": {"auroc": 0.9}})


def save_whole(model: SequenceModel, folder: Path) -> str:
    """Save a model with whole weights; its name."""
    rows = [TargetRow(target, target, "unit") for target in model.output.targets]
    save(model, folder, ModelFacts(folder.name, "Made"), rows, example_for(model, model.length))
    return f"local-dir:{folder}"


def fine_tuned(source: SequenceModel, mode: str, rank: int = 2) -> SequenceModel:
    """A model with three new targets that began with another's weights, of which those that `mode` trains are moved.

    Its low-rank factors, which `lora` adds, are not merged; statistics move too.
    """
    torch.manual_seed(5)
    model = type(source)(**{**source.arguments, "targets": ["red", "two", "blue"]})
    taken = take_trunk(model, source) + take_head(model, source, targets=False)
    moving = [name for name, _ in model.named_parameters() if not name.startswith(tuple(f"{one}." for one in taken))]
    if mode.startswith("last"):
        moving += [f"{stage}." for stage in named_stages(model, set(taken))[-1]]
    transfer = apply_mode(model, taken, TransferOptions("base", mode=mode, lora_rank=rank))
    assert (transfer.adapters is not None) == (mode == "lora")
    with torch.no_grad():
        for name, value in model.state_dict().items():
            is_moved = name.startswith(tuple(moving)) or name.endswith((".up", ".down")) or "running" in name
            if is_moved and value.is_floating_point():
                value.add_(0.1 * torch.rand_like(value))
    return model.eval()


def save_delta(model: SequenceModel, folder: Path, base: str, mode: str) -> float:
    """Merge the factors of a model and save it as a delta on a base; its bytes, relative to the base's weights."""
    factors = factors_of(model)
    merge_adapters(model)
    config = read_config(Path(base.removeprefix("local-dir:")))
    run = replace(_RUN, base=BaseFacts(base, config.sha256[config.weights_file], mode))
    rows = [TargetRow(target, target, "unit") for target in model.output.targets]
    facts = ModelFacts(folder.name, "Made", run=run)
    save(model, folder, facts, rows, example_for(model, model.length), factors=factors)
    stored = read_config(folder).delta_base
    assert stored is not None
    assert stored.delta is not None
    return stored.delta
