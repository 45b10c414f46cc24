"""ScaleTargets: measurements are learnt in units in which they vary by about one, and predicted in their own."""

import logging
from typing import Literal

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import rank_zero_only

from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel

__all__ = ["ScaleTargets", "Scaling"]

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
        config = data.learn_scale(pl_module.loss.counts)
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


@rank_zero_only
def _say(line: str) -> None:
    _log.warning(line)
