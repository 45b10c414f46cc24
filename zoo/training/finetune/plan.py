"""Plan of a fine-tuning: a whole configuration of `zoo train`, chosen from a base and data, with the reasons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from zoo.batch import DataSpec
from zoo.errors import ConfigError
from zoo.hub.config import CheckpointConfig, read_config
from zoo.hub.facts import NOT_STATED
from zoo.hub.folder import WEIGHTS
from zoo.hub.load import resolve
from zoo.training.finetune.data import (
    DataPlan,
    Files,
    build_data,
    choose_for_base,
    count_examples,
    is_of_data,
    with_options,
)
from zoo.training.finetune.network import Network, choose_network
from zoo.training.finetune.settings import Settings, choose_settings
from zoo.training.given import Given

__all__ = ["Plan", "Request", "make_plan"]

_NO_DERIVATIVES = re.compile(r"\bND\b|no.?deriv", re.IGNORECASE)
# Options of a run whose value the plan takes over, so that its choices agree with them.
_BATCH, _LABELS = "--data.batch_size", "labels"


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Attributes:
        base: name of the model to begin with.
        files: data files.
        mode: what is trained; None for what suits.
        name: name of the new model; None for the base's architecture and the name of the data.
        options: further options and values of `zoo train`, in turn.
    """

    base: str
    files: Files
    mode: str | None = None
    name: str | None = None
    options: Sequence[str] = ()


@dataclass
class Plan:
    """A configuration, and why it is as it is.

    Attributes:
        config: the whole configuration of `zoo train`; it holds the options of the data too.
        options: the other options.
        choices: what was chosen, its value, and why.
    """

    config: Given
    options: list[str]
    choices: list[tuple[str, str, str]] = field(default_factory=list)

    def choose(self, what: str, value: object, why: str) -> None:
        """Add a line on a choice."""
        self.choices.append((what, str(value), why))


def make_plan(request: Request) -> Plan:
    """Choose everything that a fine-tuning needs; prepares the data, to count them.

    Raises:
        ConfigError: what does not fit the base, or a licence that forbids derived models.
        InputError: data that cannot be read.
        UnknownNameError: no model of that name.
    """
    base = read_config(resolve(request.base))
    _check_licence(base)
    data = choose_for_base(base, request.files, request.options)
    built = build_data(data.config, request.options)
    spec, classify = built.spec(), bool(getattr(built, "classify", False))
    network = choose_network(base, spec, classify)
    batch_size = next((int(v) for o, v in _pairs(request.options) if o == _BATCH), None)
    count, per_epoch = count_examples(built)
    settings = choose_settings(spec.kind, count, per_epoch, classify, request.mode, batch_size)
    head = _head(base, network, spec)
    if head == "copy" and "target_scale" in base.arguments:
        network.arguments["target_scale"] = _target_scale(base, spec)
    plan = Plan({}, [word for pair in _pairs(request.options) if not is_of_data(pair[0]) for word in pair])
    _describe(plan, base, data, network, settings, head, count)
    plan.config = _config(request, base, data, network, settings, head, spec)
    return plan


def _pairs(options: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(options[::2], options[1::2], strict=True))


def _check_licence(base: CheckpointConfig) -> None:
    """Refuse a base of which no derived model may be made."""
    licence = base.facts.licence
    if _NO_DERIVATIVES.search(licence):
        raise ConfigError(
            f"{base.facts.name} has the licence {licence}, which forbids models that are derived from it: take another"
        )


def _head(base: CheckpointConfig, network: Network, spec: DataSpec) -> str:
    """What is taken of the base's head: all of it where it knows the targets, else its hidden layers."""
    if not network.is_base:
        return "new"
    is_known = set(spec.targets) <= set(base.facts.targets) and network.arguments["loss"] == base.arguments.get("loss")
    return "copy" if is_known and base.arguments["length"] == spec.length else "layers"


def _target_scale(base: CheckpointConfig, spec: DataSpec) -> dict[str, Any] | None:
    """The units of the base's targets, for those of them that the data have."""
    scale = base.arguments["target_scale"]
    if scale is None:
        return None
    rows = [list(base.facts.targets).index(target) for target in spec.targets]
    return {key: [value[row] for row in rows] if isinstance(value, list) else value for key, value in scale.items()}


def _describe(
    plan: Plan,
    base: CheckpointConfig,
    data: DataPlan,
    network: Network,
    settings: Settings,
    head: str,
    count: int,
) -> None:
    """List the choices."""
    for reason in data.reasons:
        what, _, value = reason.partition(": ")
        plan.choose(what, value, "")
    if not network.is_base:
        plan.choose("network", network.architecture, f"the trunk of {base.facts.name} with a head for {data.kind}")
    heads = {
        "new": "new: the base predicts another kind",
        "layers": "new for these targets; its hidden layers are the base's",
        "copy": "the base's: it knows these targets",
    }
    plan.choose("head", head, heads[head])
    plan.choose("mode", settings.mode, f"for {count:,} training {'sequences' if data.kind == _LABELS else 'windows'}")
    if settings.mode != "head":
        plan.choose("learning rate", settings.lr, f"of new layers; of the base's {settings.trunk_rate:g} times that")
        statistics = {
            "frozen": "those of the base: new ones of few data would ruin what it learnt",
            "updated": "those of the new data",
        }
        plan.choose("batch statistics", settings.statistics, statistics[settings.statistics])
    plan.choose(
        "epochs", settings.epochs, f"in batches of {settings.batch_size}; the one with the best {settings.monitor}"
    )


def _config(
    request: Request,
    base: CheckpointConfig,
    data: DataPlan,
    network: Network,
    settings: Settings,
    head: str,
    spec: DataSpec,
) -> Given:
    """Compose the configuration."""
    chosen: Given = {"batch_size": settings.batch_size}
    if settings.epoch_size is not None:
        chosen["epoch_size"] = settings.epoch_size
    if data.kind == _LABELS:
        chosen |= {"shift": settings.shift, "reverse_complement": not _reads_both_strands(base, network)}
    own = {"class_path": data.config["class_path"], "init_args": {**chosen, **data.config.get("init_args", {})}}
    statistics = settings.statistics if settings.mode != "head" else "updated"
    return {
        "name": request.name or _default_name(network.architecture, spec),
        "seed_everything": 1,
        "monitor": settings.monitor,
        "model": network.config,
        "data": with_options(own, request.options),
        "optimizer": {
            "class_path": "torch.optim.AdamW",
            "init_args": {"lr": settings.lr, "weight_decay": settings.weight_decay, "betas": [0.9, 0.99]},
        },
        "lr_scheduler": {
            "class_path": "torch.optim.lr_scheduler.OneCycleLR",
            "init_args": {"pct_start": 0.1, "cycle_momentum": False},
        },
        "transfer": {
            "trunk_from": request.base,
            "sha256": base.sha256[WEIGHTS],
            "head": head,
            "mode": settings.mode,
            "trunk_rate": settings.trunk_rate,
            "rate_decay": settings.rate_decay,
            "batch_statistics": statistics,
        },
        "trainer": _trainer(settings),
        "card": _card(base, request.base),
    }


def _trainer(settings: Settings) -> Given:
    trainer: Given = {
        "max_epochs": settings.epochs,
        "accelerator": "auto",
        "devices": "auto",
        "precision": "bf16-mixed" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "32-true",
        "callbacks": [
            {
                "class_path": "lightning.pytorch.callbacks.EarlyStopping",
                "init_args": {
                    "monitor": settings.monitor,
                    "mode": "min" if settings.monitor.endswith("loss") else "max",
                    "patience": settings.patience,
                },
            }
        ],
    }
    return trainer if settings.clip is None else {**trainer, "gradient_clip_val": settings.clip}


def _reads_both_strands(base: CheckpointConfig, network: Network) -> bool:
    """Whether the network treats a sequence and its reverse complement alike."""
    arguments = network.arguments
    motifs = base.arguments.get("motifs")
    return bool(
        arguments.get("rc_average")
        or arguments.get("rc_equivariant")
        or (isinstance(motifs, dict) and motifs.get("strands") != "forward")
    )


def _default_name(architecture: str, spec: DataSpec) -> str:
    tag = re.sub(r"[^A-Za-z0-9_-]+", "_", spec.targets[0]).strip("_-") or "mine"
    return f"{architecture}.{tag}"


def _card(base: CheckpointConfig, name: str) -> Given:
    """Texts of the card; what a user knows of the own data is left open."""
    licence = base.facts.licence
    terms = f" Its licence, {licence}, holds for the weights that began as its own." if licence != NOT_STATED else ""
    return {
        "summary": "{targets}, fine-tuned from " + name.replace("{", "{{").replace("}", "}}"),
        "species": base.facts.species,
        "use": "Predicts these targets for sequences like those that it was trained on.",
        "limits": f"Began with the weights of {name}: what is said of its limits holds here too.{terms}",
        "data": "The user's own data.",
    }
