"""Scores of random variants, beside a checkpoint's weights: what a score is compared with.

Shapes: N variants, T targets, Q quantiles.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from zoo.errors import IntegrityError
from zoo.hub.cards import read_notes, render_card
from zoo.hub.config import parse_config, read_config
from zoo.hub.folder import BACKGROUND, CARD, CONFIG, TARGETS, checkpoint_text
from zoo.hub.json_reader import read_json
from zoo.hub.tensor_file import read_tensors
from zoo.utils.atomic import whole_files
from zoo.utils.download import sha256_of

__all__ = ["Background", "add_background", "read_background"]

_QUANTILES = 401
_LONGEST = 500  # letters of a text


@dataclass(frozen=True)
class Background:
    """How the scores of random substitutions are distributed.

    Attributes:
        score: the score, such as `log_odds`.
        source: which variants they are, in words.
        variants: their number.
        quantiles: of the absolute scores, at equal steps from the lowest to the highest, float32 (T, Q).
        mean: of the scores (T,).
        spread: their standard deviation (T,).
    """

    score: str
    source: str
    variants: int
    quantiles: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    @classmethod
    def of_scores(cls, values: NDArray[np.float64], score: str, source: str) -> "Background":
        """Summarize the scores (N, T) of random variants."""
        steps = np.linspace(0, 1, _QUANTILES)
        quantiles = np.quantile(np.abs(values), steps, axis=0).T
        single = (np.ascontiguousarray(one, np.float32) for one in (quantiles, values.mean(0), values.std(0)))
        return cls(score, source, len(values), *single)

    def percentiles(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of random variants with a smaller absolute score, in percent (N, T); NaN stays NaN."""
        pairs = zip(np.abs(values).T, self.quantiles.astype(np.float64), strict=True)
        return np.where(np.isnan(values), np.nan, np.stack([_shares_below(*pair) for pair in pairs], 1))

    def z_scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores minus the mean of random variants, in their standard deviations (N, T); NaN where these are 0."""
        spread = np.where(self.spread > 0, self.spread, np.nan).astype(np.float64)
        return (values - self.mean) / spread


def _shares_below(values: NDArray[np.float64], quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Percent of a distribution that is smaller than each value (N,), by its quantiles at equal steps (Q,)."""
    steps = np.linspace(0, 100, len(quantiles))
    first = np.minimum(np.searchsorted(quantiles, values), len(quantiles) - 1)
    # Of equal quantiles the first, before which all are smaller; interpolation would take the last.
    return np.where(quantiles[first] == values, steps[first], np.interp(values, quantiles, steps))


def add_background(folder: Path, background: Background) -> None:
    """Add the file to a checkpoint folder, or replace it, with its sha256 in `config.json`; the card is rendered.

    Raises:
        OutputError: the folder cannot be written.
    """
    content = read_json(folder / CONFIG)
    with whole_files([folder / BACKGROUND, folder / CONFIG, folder / CARD]) as (draft, config_file, card_file):
        tensors = {
            "quantiles": torch.from_numpy(background.quantiles),
            "mean": torch.from_numpy(background.mean),
            "spread": torch.from_numpy(background.spread),
            "variants": torch.tensor([background.variants]),
        }
        save_file(tensors, draft, metadata={"score": background.score, "source": background.source})
        content["sha256"][BACKGROUND] = sha256_of(draft)
        card = render_card(
            parse_config(content, str(folder / CONFIG)), checkpoint_text(folder, TARGETS), read_notes(folder)
        )
        config_file.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        card_file.write_text(card, encoding="utf-8")


def read_background(folder: Path) -> Background | None:
    """Read the scores of random variants of a checkpoint; None where it has none.

    Raises:
        IntegrityError: a file that is damaged or not what was published.
    """
    if (content := read_tensors(folder, BACKGROUND)) is None:
        return None
    tensors, texts = content
    if not _fits(tensors, texts, len(read_config(folder).facts.targets)):
        raise IntegrityError(f"{folder / BACKGROUND} does not hold the scores of random variants as checkpoints do")
    arrays = (tensors[name].numpy() for name in ("quantiles", "mean", "spread"))
    return Background(texts["score"], texts["source"], int(tensors["variants"]), *arrays)


def _fits(tensors: dict[str, torch.Tensor], texts: dict[str, str], targets: int) -> bool:
    """Whether the content of a file is what `add_background` writes."""
    if set(tensors) != {"quantiles", "mean", "spread", "variants"} or set(texts) != {"score", "source"}:
        return False
    if any(len(text) > _LONGEST for text in texts.values()):
        return False
    quantiles, mean, spread, variants = (tensors[name] for name in ("quantiles", "mean", "spread", "variants"))
    if variants.shape != (1,) or variants.dtype != torch.int64 or quantiles.ndim != 2 or quantiles.shape[1] < 2:
        return False
    if any(one.dtype != torch.float32 or one.shape[0] != targets for one in (quantiles, mean, spread)):
        return False
    if mean.shape != (targets,) or spread.shape != (targets,):
        return False
    is_finite = all(bool(torch.isfinite(one).all()) for one in (quantiles, mean, spread))
    return is_finite and bool((quantiles.diff(dim=1) >= 0).all()) and bool((quantiles[:, 0] >= 0).all())
