"""Weights that others published as a plain state dict: read without running anything, loaded strictly."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError, one_line

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.model import SequenceModel

__all__ = ["load_published"]


def load_published(
    model: "SequenceModel",
    path: Path,
    convert: "Callable[[dict[str, Any], Path], dict[str, Tensor]]",
    title: str,
) -> None:
    """Fill a model with published weights.

    The file is read by torch's restricted unpickler, which builds tensors and containers only.

    Args:
        model: to be filled.
        path: of the file.
        convert: gives the published tensors the model's names; the path is for its errors.
        title: what the file should hold.

    Raises:
        IntegrityError: it is no plain state dict, or not of this model.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise IntegrityError(f"{path}: not a plain file of tensors ({one_line(error)[:200]})") from None
    if not isinstance(state, dict):
        raise IntegrityError(f"{path}: {type(state).__name__} where a state dict is wanted")
    try:
        model.load_state_dict(convert({str(key): value for key, value in state.items()}, path), strict=True)
    except RuntimeError as error:
        raise IntegrityError(f"{path}: not the published {title} model ({one_line(error)[:300]})") from None
