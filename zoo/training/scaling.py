"""ScaleTargets: measurements are learnt in units in which they vary by about one, and predicted in their own."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import rank_zero_only

from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.nn.scale import TargetScaleConfig

__all__ = ["ScaleTargets", "Scaling", "share_scale", "unlike_partners"]

Scaling = Literal["auto", "none"]
_log = logging.getLogger("zoo")
# Spreads by which a net learns targets badly that are not scaled.
_UNLIKE = 10.0


class ScaleTargets(Callback):
    """Let a model learn its targets scaled, in units that are learnt from the training split (`learn_scale`).

    Raw signals of unlike scale train badly: targets of large values outweigh the others, or training diverges. Classes
    are not scaled, nor are contact maps, which are logarithms of ratios; a model that has a `target_scale` keeps it.

    Args:
        scaling: `auto`, or `none` for targets in their own units, with a warning where they vary by far more or less
            than one.
    """

    def __init__(self, scaling: Scaling = "auto") -> None:
        if scaling not in ("auto", "none"):
            raise ConfigError(f"target_scaling is auto or none, not {scaling!r}")
        self.scaling = scaling

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Learn the units, before the model is moved to its device."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        if stage != "fit" or not isinstance(pl_module, SequenceModel) or not isinstance(data, GenomicDataModule):
            return
        takes_scale = pl_module.hparams.get("target_scale", "no such argument") is None
        if not takes_scale or pl_module.loss.classifies:
            return
        own = data.learn_scale(pl_module.loss.counts)
        for line in unlike_partners(own, data.strand_pairs, data.targets):
            _say(line)
        config = share_scale(own, data.strand_pairs)
        if self.scaling == "auto":
            pl_module.learn_scaled(config)
            _say(f"{config.describe(pl_module.output.targets)} (--target_scaling none leaves them as they are)")
            return
        spreads = list(config.spread or ())
        if max(spreads) > _UNLIKE or min(spreads) < 1 / _UNLIKE:
            _say(
                f"targets are learnt in their own units and vary by {min(spreads):g} to {max(spreads):g}: they may be "
                "learnt badly; --target_scaling auto scales them"
            )


def share_scale(config: TargetScaleConfig, strand_pairs: Sequence[int]) -> TargetScaleConfig:
    """Give strand partners the units of the one that varies more, for a model learns each from either strand.

    Args:
        config: units of each target (T).
        strand_pairs: for each target the index of its partner, its own index without one (T); empty for no partners.
    """
    spread = list(config.spread or ())
    if not strand_pairs or not spread:
        return config
    source = [max(sorted((index, partner)), key=lambda one: spread[one]) for index, partner in enumerate(strand_pairs)]
    return replace(
        config,
        centre=None if config.centre is None else [config.centre[index] for index in source],
        spread=[spread[index] for index in source],
        soft_clip=None if config.soft_clip is None else [config.soft_clip[index] for index in source],
    )


def unlike_partners(config: TargetScaleConfig, strand_pairs: Sequence[int], targets: Sequence[str]) -> list[str]:
    """A line on strand partners of which one varies over ten times as much as the other; none where there are none.

    Args:
        config: units of each target (T).
        strand_pairs: as of `share_scale`.
        targets: names (T).
    """
    spread = list(config.spread or ())
    pairs = [(index, partner) for index, partner in enumerate(strand_pairs) if index < partner]
    unlike = [(a, b) for a, b in pairs if not 1 / _UNLIKE <= spread[a] / spread[b] <= _UNLIKE]
    if not unlike:
        return []
    a, b = unlike[0]
    more = f", as do {len(unlike) - 1} more pairs" if len(unlike) > 1 else ""
    return [
        f"the strand partners {targets[a]} and {targets[b]} vary by {spread[a]:g} and {spread[b]:g}{more}: each is "
        "learnt from either strand, so both should have one unit (the column `scale` of the table of targets)"
    ]


@rank_zero_only
def _say(line: str) -> None:
    _log.warning(line)
