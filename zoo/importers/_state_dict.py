"""Published weights in plain state dicts: read without executing code, loaded strictly."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError, one_line

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.models._base import SequenceModel

__all__ = ["fill_published", "load_published"]


def load_published(
    model: "SequenceModel",
    path: Path,
    convert: "Callable[[dict[str, Any], Path], dict[str, Tensor]]",
    title: str,
) -> None:
    """Fill a model with published weights.

    The file is read by torch's restricted unpickler, which builds tensors and containers only.

    Args:
        model: receives the weights.
        path: path of the file.
        convert: renames published tensors to the model's names; the path is for its messages.
        title: name of the published model, for messages.

    Raises:
        IntegrityError: a file that is no plain state dict, or not of this model.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise IntegrityError(f"{path}: not a plain file of tensors ({one_line(error)[:200]})") from None
    if not isinstance(state, dict):
        raise IntegrityError(f"{path}: {type(state).__name__} where a state dict is wanted")
    fill_published(model, convert({str(key): value for key, value in state.items()}, path), path, title)


def fill_published(model: "SequenceModel", state: "dict[str, Tensor]", path: Path, title: str) -> None:
    """Fill a model with tensors of its own names.

    Raises:
        IntegrityError: tensors that are missing, unknown or of another shape.
    """
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise IntegrityError(f"{path}: not the published {title} model ({one_line(error)[:300]})") from None
