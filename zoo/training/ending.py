"""What is printed when a run ends: the score, of which epoch it is, the learning curve, how to predict."""

import shlex
import sys
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import EarlyStopping

from zoo.data.peaks import PeakDataModule
from zoo.hub.card_body import usage
from zoo.hub.config import CheckpointConfig, read_config
from zoo.training.checkpoint_io import RunCheckpoint, read_checkpoint
from zoo.training.options import TrainCLI

__all__ = ["print_end"]


def print_end(cli: TrainCLI, folder: Path, curve: Path) -> None:
    """Print the end of a run.

    Args:
        cli: the run.
        folder: the checkpoint.
        curve: picture of the learning curve.
    """
    config, run = read_config(folder), cli.run_folder
    name = run.name if folder.parent == Path("checkpoints") else f"local-dir:{folder}"
    print(f"{run.name}: {config.facts.metric}", file=sys.stderr)
    print(f"weights: {_chosen_epoch(cli)}", file=sys.stderr)
    print(f"learning curve: {curve}; to predict: {_command(cli, config, name)}", file=sys.stderr)


def _chosen_epoch(cli: TrainCLI) -> str:
    """Which epoch the weights are of, and whether training ended before its last one."""
    callbacks: list[Any] = cli.trainer.callbacks  # type: ignore[attr-defined]
    best = next(one for one in callbacks if isinstance(one, RunCheckpoint) and one.monitor)
    epoch, epochs = read_checkpoint(Path(best.best_model_path))["epoch"] + 1, cli.trainer.current_epoch
    ended = [one for one in callbacks if isinstance(one, EarlyStopping) and one.stopped_epoch]
    early = f"; training ended early, after {ended[0].patience} epochs without a better one" if ended else ""
    return f"epoch {epoch} of {epochs}, which has the best {best.monitor}{early}"


def _command(cli: TrainCLI, config: CheckpointConfig, name: str) -> str:
    """A command that predicts with the new model, for files like those that it was trained on."""
    data, command = cli.datamodule, usage(config, name)
    genome = getattr(data, "genome", None)
    if isinstance(genome, str):
        command = command.replace("genome.fa", shlex.quote(genome))
        if isinstance(data, PeakDataModule):
            command = command.replace("sequences.fa", f"peaks.bed --genome {shlex.quote(genome)} --resize")
    return command
