"""Settings of a fine-tuning for a kind and number of data; `zoo benchmark finetune` compares them with others."""

from dataclasses import dataclass, replace
from math import ceil

from zoo.nn.losses import Loss

__all__ = ["Settings", "choose_settings"]

# Sequences up to which a batch has 64 of them, shuffles included; above, 128.
_SMALL = 3_000
# Rate of the base's weights, relative to new layers. With windows they are as fast: a third of that finds no motif that
# the base does not know.
_RATE_OF_LABELS, _RATE_OF_WINDOWS = 0.3, 1.0
# Rank of low-rank factors with up to so many sequences, or with windows, and with more sequences.
_FEW, _LOW_RANK, _HIGH_RANK = 500, 8, 32
# Steps of the optimizer with 100 training sequences; they grow with the power of the number of sequences.
_STEPS, _POWER, _MOST_EPOCHS, _LEAST_EPOCHS = 200, 0.4, 200, 5
_EPOCHS_OF_WINDOWS = 10
# Fewer sequences are drawn several times in an epoch: each epoch is validated and saved, which takes its time.
_LEAST_PER_EPOCH = 500


@dataclass(frozen=True)
class Settings:
    """Settings of a fine-tuning.

    Attributes:
        mode: what is trained; see `TransferOptions`.
        lr: learning rate of new layers.
        trunk_rate: that of what was taken, relative to it.
        rate_decay: see `TransferOptions`.
        lora_rank: rank of the factors of mode `lora`.
        weight_decay: of AdamW.
        batch_size: sequences or windows per batch.
        epoch_size: sequences drawn per epoch, some times each where they are few; None for each once.
        epochs: number of epochs.
        patience: epochs without a better score after which training ends.
        statistics: `frozen` or `updated` batch statistics.
        shift: largest random shift of a training sequence of labels, in bases.
        clip: largest norm of the gradient; None for any.
        monitor: validation metric that chooses the epoch.
    """

    mode: str
    lr: float
    trunk_rate: float
    rate_decay: float
    lora_rank: int
    weight_decay: float
    batch_size: int
    epoch_size: int | None
    epochs: int
    patience: int
    statistics: str
    shift: int
    clip: float | None
    monitor: str


def choose_settings(
    kind: str, count: int, per_epoch: int, loss: Loss, mode: str | None, batch_size: int | None
) -> Settings:
    """Choose settings.

    Args:
        kind: kind of the data.
        count: sequences, with the shuffles that are added to them, or windows for training.
        per_epoch: those of an epoch.
        loss: loss of the training.
        mode: what the user wants to train; None for what suits.
        batch_size: what the user wants; None for what suits.
    """
    settings = (
        _of_labels(count, per_epoch, loss, batch_size) if kind == "labels" else _of_windows(kind, loss, batch_size)
    )
    if mode is None:
        return settings
    if mode == "head":
        return replace(settings, mode=mode, trunk_rate=1.0, rate_decay=1.0)
    return replace(settings, mode=mode)


def _of_labels(count: int, per_epoch: int, loss: Loss, batch_size: int | None) -> Settings:
    size = batch_size or (64 if count <= _SMALL else 128)
    steps = _STEPS * (max(count, 100) / 100) ** _POWER
    rounds = max(1, round(_LEAST_PER_EPOCH / count)) if per_epoch == count else 1
    epochs = min(_MOST_EPOCHS, max(_LEAST_EPOCHS, ceil(steps / max(1, rounds * per_epoch // size))))
    return Settings(
        mode="full",
        lr=3e-3,
        trunk_rate=_RATE_OF_LABELS,
        rate_decay=1.0,
        lora_rank=_LOW_RANK if count <= _FEW else _HIGH_RANK,
        weight_decay=0.1,
        batch_size=size,
        epoch_size=rounds * count if rounds > 1 else None,
        epochs=epochs,
        patience=max(5, epochs // 2),
        statistics="frozen",
        shift=3,
        clip=None,
        monitor="val_auroc" if loss.classifies else "val_pearson",
    )


def _of_windows(kind: str, loss: Loss, batch_size: int | None) -> Settings:
    return Settings(
        mode="full",
        lr=6e-3,
        trunk_rate=_RATE_OF_WINDOWS,
        rate_decay=1.0,
        lora_rank=_LOW_RANK,
        weight_decay=0.02,
        batch_size=batch_size or (4 if kind == "tracks" else 2),
        epoch_size=None,
        epochs=_EPOCHS_OF_WINDOWS,
        patience=_EPOCHS_OF_WINDOWS,
        statistics="updated",
        shift=0,
        clip=1.0,
        # As tables of tracks are compared: a few strong bins would decide the other.
        monitor="val_pearson_log1p" if kind == "tracks" and loss.counts else "val_pearson",
    )
