"""Options of `zoo train`: what a run has in addition to its model, its data and Lightning's Trainer."""

import re
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

import torch
from jsonargparse import Namespace
from jsonargparse.typing import register_type
from lightning import LightningDataModule, Trainer
from lightning.pytorch.callbacks import ProgressBar, Timer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, LRSchedulerTypeTuple, ReduceLROnPlateau
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError
from zoo.hub.checkpoint import architecture_of
from zoo.hub.names import is_name
from zoo.models._base import SequenceModel
from zoo.nn.adapters import AdapterConfig
from zoo.training.callbacks import SeedEachEpoch
from zoo.training.card_text import CardText, fill
from zoo.training.check_data import CheckData
from zoo.training.checkpoint_io import LAST, RunCheckpoint, WholeCheckpointIO
from zoo.training.epoch_end import EpochEnd
from zoo.training.loggers import build_loggers
from zoo.training.optimizers import OptimizerPlan, ParamGroups
from zoo.training.processes import SyncBatchNorm
from zoo.training.progress import PrintEpochs
from zoo.training.scaling import ScaleTargets, Scaling
from zoo.training.transfer import TransferOptions
from zoo.utils.lightning_output import progress_bars

__all__ = ["LINKED", "RunOptions", "TrainCLI", "make_cli", "option_types"]

# What a model's constructor takes from the data: property of the data module -> argument.
_FROM_DATA = {"length": "length", "crop": "crop_bins", "strand_pairs": "strand_pairs", "diagonal": "diagonal"}

register_type(torch.device)  # read from and written as text, such as cpu
# Options that follow from others.
LINKED = {
    "lr_scheduler.init_args.max_lr": "optimizer.lr",
    "data.init_args.seed": "seed_everything",
    "model.init_args.targets": "the data",
    "model.init_args.inputs": "the data",
    **{f"model.init_args.{argument}": "the data" for argument in _FROM_DATA.values()},
}


@dataclass
class RunOptions:
    """Options of the run itself.

    Args:
        name: the checkpoint's name, `architecture.tag`; `{key}` is filled from the data module's `card_values`.
        checkpoints: folder in which the checkpoint folder is made.
        runs: folder of the runs: logs, learning curves, and what a run is resumed from.
        monitor: validation metric that chooses the best checkpoint; losses are to be low, all else high.
        resume: go on with the run of that name from its last epoch.
        overwrite: begin the run of that name anew, and replace its checkpoint.
        trust: let a configuration that came with a checkpoint name any class; on the command line alone.
        target_weights: how much each target counts in the training loss, in the order of the targets; null for all
            alike.
        target_scaling: `auto`: measurements are learnt in units in which they vary by about one, learnt from the
            training split, and predicted in their own; a model's own `target_scale` comes first. `none`: in their own.
        delta: store of the weights only what differs from those of `transfer.trunk_from`, which loading needs too.
        compile: compile the network with `torch.compile`, which takes a minute and makes each step faster on a GPU.
    """

    name: str
    checkpoints: str = "checkpoints"
    runs: str = "runs"
    monitor: str = "val_loss"
    resume: bool = False
    overwrite: bool = False
    trust: bool = False
    target_weights: list[float] | None = None
    target_scaling: Scaling = "auto"
    delta: bool = False
    compile: bool = False


def option_types() -> dict[str, Any]:
    """The options at the top of a configuration, with the type of each, as `zoo.training.messages.explain` takes it."""
    return {
        **get_type_hints(RunOptions),
        "seed_everything": bool | int,
        "trainer": (Trainer,),
        "model": SequenceModel,
        "data": LightningDataModule,
        "optimizer": Optimizer | None,
        "lr_scheduler": LRScheduler | ReduceLROnPlateau | None,
        "param_groups": ParamGroups,
        "transfer": TransferOptions,
        "card": CardText,
    }


class TrainCLI(LightningCLI):
    """All options of Trainer, model, data, optimizer and run, in YAML and on the command line."""

    model: SequenceModel
    datamodule: GenomicDataModule
    # Low-rank factors that the model was given; they are merged when the run ends.
    adapters: AdapterConfig | None = None

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the options of a run, and link what the model takes from the data."""
        parser.add_class_arguments(RunOptions, None, instantiate=False)
        parser.add_optimizer_args((Optimizer,))
        parser.add_lr_scheduler_args(LRSchedulerTypeTuple)
        parser.add_class_arguments(ParamGroups, "param_groups")
        parser.add_class_arguments(TransferOptions, "transfer")
        parser.add_class_arguments(CardText, "card")
        parser.link_arguments("seed_everything", "data.init_args.seed")
        # A cycle's highest learning rate is the optimizer's, so that there is one option for it.
        parser.link_arguments("optimizer.init_args.lr", "lr_scheduler.init_args.max_lr")
        parser.link_arguments("data.targets", "model.init_args.targets", apply_on="instantiate")
        for name, argument in _FROM_DATA.items():  # an argument that a model does not have is not given to it
            parser.link_arguments(f"data.{name}", f"model.init_args.{argument}", apply_on="instantiate")
        parser.link_arguments("data", "model.init_args.inputs", lambda data: asdict(data.spec().inputs), "instantiate")

    def instantiate_classes(self) -> None:
        """Build the data, the model and last the trainer with its loggers, which need the name of the run."""
        self._logger, self.config.trainer.logger = self.config.trainer.logger, None
        super().instantiate_classes()

    @property
    def options(self) -> RunOptions:
        """Options of the run itself."""
        return RunOptions(**{field.name: self.config[field.name] for field in fields(RunOptions)})

    @property
    def transfer(self) -> TransferOptions:
        """Options of the transfer of another model's trunk."""
        return TransferOptions(**self.config.transfer)

    @property
    def optimizer_plan(self) -> OptimizerPlan:
        """Optimizer, scheduler and groups of parameters."""
        return OptimizerPlan(
            optimizer=_as_dict(self.config.optimizer),
            lr_scheduler=_as_dict(self.config.lr_scheduler),
            groups=ParamGroups(**self.config.param_groups),
        )

    @property
    def run_folder(self) -> Path:
        """Folder of a run's logs and resumable checkpoint: `runs/<name>`.

        Raises:
            ConfigError: `name` is not `architecture.tag` of this model, or has a placeholder for which the data have no
                value.
        """
        name = fill(self.config.name, self.datamodule)
        _check_name(name, architecture_of(self.model))
        return Path(self.config.runs) / name

    @cached_property
    def config_text(self) -> str:
        """The whole configuration as YAML, defaults filled in, without what a resumed run has in addition."""
        config = self.config.clone()
        config.resume = config.overwrite = config.trust = False
        config.config = None
        text: str = self.parser.dump(config, skip_none=False)
        return "\n".join(line for line in text.splitlines() if not line.startswith(("#", "config:")))

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Build the Trainer of the configuration, with the run's own checkpoints, logs and seeding."""
        config, run = self.config, self.run_folder
        config.trainer.logger = self._logger
        mode = "min" if config.monitor.endswith("loss") else "max"
        best = RunCheckpoint(run, filename="best", monitor=config.monitor, mode=mode, enable_version_counter=False)
        last = RunCheckpoint(run, filename=LAST, save_on_train_epoch_end=True, enable_version_counter=False)
        first = [CheckData(), ScaleTargets(config.target_scaling), SeedEachEpoch(int(config.seed_everything))]
        # The timer is part of what a run resumes from: it goes on counting.
        callbacks = [
            *first,
            Timer(config.trainer.max_time, interval="epoch"),
            *(self.config_init.trainer.callbacks or []),
            EpochEnd(self.config_text),
            best,
            last,
        ]
        # A resumed run logs into a new folder: CSVLogger would delete the earlier log.
        earlier = [int(path.name[4:]) for path in run.glob("log_*") if path.name[4:].isdecimal()]
        log = f"log_{0 if config.overwrite else 1 + max(earlier, default=-1)}"
        loggers: list[Any] = [CSVLogger(run, name="", version=log), TensorBoardLogger(run, name="", version="")]
        self.further_loggers = build_loggers(config.trainer.logger, run, config.resume)
        loggers += self.further_loggers
        if config.trainer.enable_progress_bar is not False:
            bars = [] if any(isinstance(one, ProgressBar) for one in callbacks) else progress_bars()
            callbacks += [PrintEpochs(), *bars]
            # Instead of Lightning's table of modules, `PrintEpochs` prints a line.
            kwargs["enable_model_summary"] = config.trainer.enable_model_summary is True
            kwargs["enable_progress_bar"] = any(isinstance(one, ProgressBar) for one in callbacks)
        synced = [SyncBatchNorm()] if config.trainer.sync_batchnorm else []
        kwargs["max_time"] = None  # the timer above ends the run, after a whole epoch
        kwargs["plugins"] = [*_as_list(self.config_init.trainer.plugins), WholeCheckpointIO(), *synced]
        return super().instantiate_trainer(callbacks=callbacks, logger=loggers, use_distributed_sampler=False, **kwargs)


def make_cli(arguments: list[str]) -> TrainCLI:
    """Parse arguments and build model, data and trainer from them."""
    return TrainCLI(
        model_class=SequenceModel,
        subclass_mode_model=True,
        datamodule_class=LightningDataModule,
        subclass_mode_data=True,
        seed_everything_default=1,
        save_config_callback=None,
        run=False,
        trainer_defaults={"sync_batchnorm": True},  # several processes train what one would
        auto_configure_optimizers=False,  # `use_optimizers` does it, with groups of parameters
        load_from_checkpoint_support=False,  # a SequenceModel keeps its own arguments
        parser_kwargs={"exit_on_error": False, "allow_abbrev": False, "prog": "zoo train CONFIG", "description": None},
        args=arguments,
    )


def _check_name(name: str, architecture: str) -> None:
    """Refuse a name that does not begin with the architecture; the sentence has one that does."""
    if is_name(name) and name.startswith(f"{architecture}."):
        return
    tag = name.partition(".")[2] if is_name(name) else re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    tag = re.sub(r"[^A-Za-z0-9_.-]+", "_", tag.removeprefix(f"{architecture}.")).strip("_.-") or "mine"
    places = "; --checkpoints and --runs choose the folders" if "/" in name or "\\" in name else ""
    raise ConfigError(
        f"{name!r} is not a name for this model: the architecture and a dot, then letters, digits, _, - and dots: "
        f"write --name {architecture}.{tag}{places}"
    )


def _as_list(given: Any) -> list[Any]:
    """None, one or several objects as a list."""
    return [] if given is None else list(given) if isinstance(given, list) else [given]


def _as_dict(namespace: Namespace | None) -> dict[str, Any] | None:
    return None if namespace is None else namespace.as_dict()
