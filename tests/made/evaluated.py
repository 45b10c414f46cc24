"""Checkpoints of random weights of all architectures, and the made data of their recipes."""

from pathlib import Path
from typing import Any

import torch
from made.runs import make_runs

from zoo.data.base import GenomicDataModule
from zoo.hub.checkpoint import save
from zoo.hub.example import example_for
from zoo.hub.facts import ModelFacts, RunFacts
from zoo.hub.targets import TargetRow
from zoo.models._base import SequenceModel
from zoo.training.parse import parse

__all__ = ["Made", "make_evaluated", "save_made"]


class Made:
    """A model, the configuration of its data, and its checkpoint.

    Args:
        name: name of the architecture.
        config: its configuration.
        folder: of the checkpoint.
    """

    def __init__(self, name: str, config: Path, folder: Path) -> None:
        self.config = str(config)
        cli = parse([self.config])
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.model: SequenceModel = type(cli.model)(**cli.model.arguments).eval()
            with torch.no_grad():
                for parameter in self.model.parameters():
                    parameter.add_(0.1 * torch.randn_like(parameter))
        self.folder = save_made(self.model, folder / f"{name}.made", f"zoo train {config}", cli.datamodule.length)

    @property
    def data(self) -> GenomicDataModule:
        """The DataModule of the configuration, new."""
        return parse([self.config]).datamodule

    @property
    def name(self) -> str:
        """Name by which the checkpoint is loaded."""
        return f"local-dir:{self.folder}"


def make_evaluated(folder: Path, architectures: tuple[str, ...]) -> dict[str, Made]:
    """Write made data, and a checkpoint of each architecture."""
    configs = make_runs(folder)
    return {name: Made(name, configs[name], folder / "checkpoints") for name in architectures}


def save_made(model: SequenceModel, folder: Path, command: str, length: int, **facts: Any) -> Path:
    """Save a model as a checkpoint that was trained by a command."""
    run = RunFacts(command, "0" * 16, "0000000", 1, "none", 1.0, "32-true", "none", ["made"], {})
    rows = [TargetRow(target, target, "probability") for target in model.output.targets]
    described = ModelFacts(folder.name, "Random weights", run=run, **facts)
    return save(model, folder, described, rows, example_for(model, length))
