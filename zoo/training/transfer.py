"""Begin with the weights of another model, and choose which of them are trained and how fast: transfer learning."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from lightning.pytorch.callbacks import Callback

from zoo.errors import ConfigError, IntegrityError
from zoo.hub.config import read_config
from zoo.hub.facts import BaseFacts
from zoo.hub.load import load, resolve
from zoo.models._base import SequenceModel
from zoo.nn.adapters import AdapterConfig, add_adapters
from zoo.training.callbacks import FreezeModules, FreezeStatistics
from zoo.training.licence import check_licences
from zoo.training.take import named_stages, take_head, take_trunk

__all__ = ["Transfer", "TransferOptions", "apply_mode", "base_facts", "check_mode", "transfer"]

_MODE = re.compile(r"full|head|lora|last:([1-9][0-9]*)")


@dataclass
class TransferOptions:
    """Options of the transfer of another model's weights.

    Args:
        trunk_from: name of the model whose trunk this one's begins with, such as `basenji.yeast`; None for none.
        sha256: of that model's weights; others of the same name are refused. None for any.
        head: what is taken of its head: `new` nothing; `layers` all but the last layer, which belongs to the targets;
            `copy` the last layer too, for targets that it has by the same names.
        mode: what is trained: `full` all weights; `head` only those that were not taken; `last:N` these and the last N
            blocks of those that were taken; `lora` these, and of what was taken low-rank factors for the weight of each
            convolution and dense layer, which are merged into it when the run ends, biases and the scales of norms.
        trunk_rate: learning rate of what was taken, relative to the rest; 0 freezes it.
        rate_decay: factor by which the learning rate falls from each block that was taken to the one before it.
        frozen_epochs: epochs in which what was taken is frozen, before it is trained at `trunk_rate`.
        unfreeze_epochs: epochs after which one block more is trained, the last one first; 0 for all at once.
        train_mode: freeze the weights alone: dropout acts, and batch statistics follow the new data.
        batch_statistics: whether batch norms that were taken normalize by the statistics that came with them (`frozen`)
            or by those of the new data (`updated`), where their weights are trained.
        lora_rank: rank of the factors of `lora`.
        lora_alpha: their product is multiplied by lora_alpha / lora_rank.
    """

    trunk_from: str | None = None
    sha256: str | None = None
    head: Literal["new", "layers", "copy"] = "new"
    mode: str = "full"
    trunk_rate: float = 1.0
    rate_decay: float = 1.0
    frozen_epochs: int = 0
    unfreeze_epochs: int = 0
    train_mode: bool = False
    batch_statistics: Literal["frozen", "updated"] = "updated"
    lora_rank: int = 8
    lora_alpha: float = 16.0

    def check(self) -> None:
        """Raises: ConfigError: values that are impossible or contradict each other."""
        if not 0 <= self.trunk_rate < float("inf"):
            raise ConfigError(f"transfer.trunk_rate is a number from 0 up, not {self.trunk_rate}")
        if not 0 < self.rate_decay <= 1:
            raise ConfigError(f"transfer.rate_decay lies above 0 and up to 1, not {self.rate_decay}")
        if min(self.frozen_epochs, self.unfreeze_epochs) < 0:
            name = "frozen_epochs" if self.frozen_epochs < 0 else "unfreeze_epochs"
            raise ConfigError(f"transfer.{name} is a number from 0 up, not {getattr(self, name)}")
        check_mode(self.mode, "transfer.mode")
        if self.trunk_from is None and self != TransferOptions():
            raise ConfigError(f"{self._first_given()} needs transfer.trunk_from, a model's name")
        self._check_frozen()

    def _first_given(self) -> str:
        """The first options that differ from their defaults, such as `transfer.mode`."""
        default = TransferOptions()
        names = [name for name in vars(default) if getattr(self, name) != getattr(default, name)]
        return " and ".join(f"transfer.{name}" for name in names[:2])

    def _check_frozen(self) -> None:
        """Refuse options that would do nothing with what is frozen."""
        is_frozen = self.trunk_rate == 0 or self.mode == "head"
        why = "transfer.trunk_rate 0" if self.trunk_rate == 0 else "transfer.mode head"
        if is_frozen and (self.frozen_epochs or self.unfreeze_epochs):
            name = "frozen_epochs" if self.frozen_epochs else "unfreeze_epochs"
            raise ConfigError(f"{why} leaves the trunk as it is for good: leave out {name}")
        if self.trunk_rate == 0 and self.mode != "full":
            raise ConfigError(f"transfer.trunk_rate 0 freezes what transfer.mode {self.mode} would train: give one")
        if self.train_mode and not is_frozen and not self.frozen_epochs:
            raise ConfigError("transfer.train_mode is for a trunk that is frozen, by trunk_rate 0 or frozen_epochs")
        if self.train_mode and self.batch_statistics == "frozen":
            raise ConfigError("transfer.train_mode lets batch statistics follow the new data: leave out one of the two")
        if is_frozen and self.rate_decay != 1:
            raise ConfigError(f"{why} trains nothing of what was taken: leave out transfer.rate_decay")
        if self.mode == "head" and self.trunk_rate != 1:
            raise ConfigError("transfer.mode head trains nothing of what was taken: leave out transfer.trunk_rate")
        self._check_lora()

    def _check_lora(self) -> None:
        """Refuse options of factors without factors, and those that factors do not take."""
        if self.mode == "lora" and (self.frozen_epochs or self.unfreeze_epochs or self.rate_decay != 1):
            raise ConfigError("transfer.mode lora trains all factors from the first epoch, at one rate")
        default = TransferOptions()
        for name in ("lora_rank", "lora_alpha"):
            if self.mode != "lora" and getattr(self, name) != getattr(default, name):
                raise ConfigError(f"transfer.{name} is of transfer.mode lora, not of {self.mode}: leave it out")

    @property
    def blocks(self) -> int | None:
        """N of the mode `last:N`; None for another mode."""
        match = _MODE.fullmatch(self.mode)
        return int(match[1]) if match and match[1] else None


@dataclass(frozen=True)
class Transfer:
    """Result of a transfer.

    Attributes:
        rates: relative learning rates, by the name of a module.
        callbacks: they freeze modules and batch statistics.
        adapters: low-rank factors that were added; None for none.
    """

    rates: dict[str, float] = field(default_factory=dict)
    callbacks: list[Callback] = field(default_factory=list)
    adapters: AdapterConfig | None = None


def check_mode(mode: str, option: str) -> None:
    """Check what is to be trained.

    Args:
        mode: see `TransferOptions`.
        option: its name, for the message.

    Raises:
        ConfigError: it is no mode.
    """
    if not _MODE.fullmatch(mode):
        raise ConfigError(f"{option} is full, head, last:N (such as last:2) or lora, not {mode!r}")


def transfer(model: SequenceModel, options: TransferOptions) -> Transfer:
    """Take the weights that the options name.

    Args:
        model: model that will be trained.
        options: checked already.

    Raises:
        ConfigError: weights that do not fit, or a licence that forbids derived models.
        IntegrityError: weights of another sha256 than the options have.
        UnknownNameError: there is no model of that name.
    """
    if options.trunk_from is None:
        return Transfer()
    source = load(options.trunk_from)
    check_licences(options.trunk_from)
    _check_sha256(options)
    modules = take_trunk(model, source)
    if options.head != "new":
        hidden = take_head(model, source, targets=False)
        copied = take_head(model, source, targets=True) if options.head == "copy" else hidden
        modules += hidden if options.mode == "head" else copied  # a last layer that was copied is trained then
    return apply_mode(model, modules, options)


def apply_mode(model: SequenceModel, modules: Sequence[str], options: TransferOptions) -> Transfer:
    """Freeze modules, add low-rank factors and choose learning rates, as the options say.

    Args:
        model: model that will be trained; changed where it gets factors.
        modules: names of the modules that were taken.
        options: checked already.

    Raises:
        ConfigError: more blocks than were taken.
    """
    statistics: list[Callback] = [FreezeStatistics(modules)] if options.batch_statistics == "frozen" else []
    if options.trunk_rate == 0 or options.mode == "head":
        return Transfer(callbacks=[FreezeModules(list(modules), train_mode=options.train_mode), *statistics])
    if options.mode == "lora":
        adapters = AdapterConfig(tuple(modules), options.lora_rank, options.lora_alpha)
        add_adapters(model, adapters)
        return Transfer(dict.fromkeys(modules, options.trunk_rate), statistics, adapters)
    stages = named_stages(model, set(modules))
    blocks = options.blocks or len(stages)
    if blocks > len(stages):
        raise ConfigError(
            f"transfer.mode {options.mode}: {len(stages)} blocks were taken; give last:1 to {len(stages)}"
        )
    frozen = [name for stage in stages[: len(stages) - blocks] for name in stage]
    trained = stages[len(stages) - blocks :][::-1]  # the last block first
    freezing: list[Callback] = [FreezeModules(frozen)] if frozen else []
    rates: dict[str, float] = {}
    for depth, stage in enumerate(trained):
        rates |= dict.fromkeys(stage, options.trunk_rate * options.rate_decay**depth)
        if epochs := options.frozen_epochs + depth * options.unfreeze_epochs:
            freezing.append(FreezeModules(stage, epochs, options.train_mode))
    return Transfer(rates, [*freezing, *statistics])


def base_facts(options: TransferOptions) -> BaseFacts | None:
    """The model that the options name, for the facts of the new one; None for none."""
    if options.trunk_from is None:
        return None
    config = read_config(resolve(options.trunk_from))
    return BaseFacts(options.trunk_from, config.sha256[config.weights_file], options.mode)


def _check_sha256(options: TransferOptions) -> None:
    """Refuse a model whose weights are not those that the options name."""
    if options.sha256 is None:
        return
    name = str(options.trunk_from)
    config = read_config(resolve(name))
    stored = config.sha256[config.weights_file]
    if stored != options.sha256:
        raise IntegrityError(
            f"the weights of {name} have the sha256 {stored[:12]}..., and transfer.sha256 is {options.sha256[:12]}...: "
            "the run began with other weights of that name"
        )
