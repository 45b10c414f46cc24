"""Compose the configuration of a fine-tuning from what was chosen."""

import re
from collections.abc import Sequence

import torch

from zoo.batch import DataSpec
from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import NOT_STATED
from zoo.training.finetune.data import DataPlan, with_options
from zoo.training.finetune.network import Network
from zoo.training.finetune.settings import Settings
from zoo.training.given import Given

__all__ = ["compose"]


def compose(
    name: str | None,
    base_name: str,
    options: Sequence[str],
    base: CheckpointConfig,
    data: DataPlan,
    network: Network,
    settings: Settings,
    head: str,
    spec: DataSpec,
) -> Given:
    """Compose a configuration of `zoo train`.

    Args:
        name: name of the new model; None for the network's architecture and the first target.
        base_name: name of the base, as it is loaded.
        options: options and values of `zoo train` in turn, of which those of the data are taken over.
        base: config of the base.
        data: the data.
        network: the network.
        settings: rates, epochs and what is trained.
        head: what is taken of the base's head; see `TransferOptions`.
        spec: specification of the data.
    """
    chosen: Given = {"batch_size": settings.batch_size}
    if settings.epoch_size is not None:
        chosen["epoch_size"] = settings.epoch_size
    if data.kind == "labels":
        chosen |= {"shift": settings.shift, "reverse_complement": not _reads_both_strands(base, network)}
    own = {"class_path": data.config["class_path"], "init_args": {**chosen, **data.config.get("init_args", {})}}
    return {
        "name": name or _default_name(network.architecture, spec),
        "seed_everything": 1,
        "monitor": settings.monitor,
        "model": network.config,
        "data": with_options(own, options),
        "optimizer": {
            "class_path": "torch.optim.AdamW",
            "init_args": {"lr": settings.lr, "weight_decay": settings.weight_decay, "betas": [0.9, 0.99]},
        },
        "lr_scheduler": {
            "class_path": "torch.optim.lr_scheduler.OneCycleLR",
            "init_args": {"pct_start": 0.1, "cycle_momentum": False},
        },
        "transfer": {
            "trunk_from": base_name,
            "sha256": base.sha256[base.weights_file],
            "head": head,
            **_transfer(settings),
        },
        "trainer": _trainer(settings),
        "card": _card(base, base_name),
    }


def _transfer(settings: Settings) -> Given:
    transfer: Given = {
        "mode": settings.mode,
        "trunk_rate": settings.trunk_rate,
        "rate_decay": settings.rate_decay,
        "batch_statistics": settings.statistics if settings.mode != "head" else "updated",
    }
    if settings.mode == "lora":
        transfer |= {"lora_rank": settings.lora_rank, "lora_alpha": 2.0 * settings.lora_rank}
    return transfer


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
        "species": NOT_STATED,
        "use": "Predicts these targets for sequences like those that it was trained on.",
        "limits": f"Began with the weights of {name}: what is said of its limits holds here too.{terms}",
        "data": "The user's own data.",
    }
