"""Published weights in plain state dicts: read without executing code, loaded strictly."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError, one_line
from zoo.importers._pickle_values import StoredTensor
from zoo.importers._saved_file import open_saved

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.models._base import SequenceModel

__all__ = ["fill_published", "load_published", "read_state_dict"]


def load_published(
    model: "SequenceModel",
    path: Path,
    convert: "Callable[[dict[str, Any], Path], dict[str, Tensor]]",
    title: str,
) -> None:
    """Fill a model with published weights.

    Args:
        model: receives the weights.
        path: path of the file.
        convert: renames published tensors to the model's names; the path is for its messages.
        title: name of the published model, for messages.

    Raises:
        IntegrityError: a file that is no plain state dict, or not of this model.
    """
    state = read_state_dict(path)
    fill_published(model, convert(state, path), path, title)


def read_state_dict(path: Path) -> "dict[str, Tensor]":
    """Read a file that `torch.save(model.state_dict(), path)` wrote, in torch's zip format or the one before it.

    Returns:
        Tensors by name, in the order of the file.

    Raises:
        IntegrityError: a file that is no plain state dict.
    """
    with open_saved(path, "plain file of tensors", lambda name: False) as saved:
        if not isinstance(saved.root, dict):
            raise IntegrityError(f"{type(saved.root).__name__} where a state dict is wanted")
        for name, value in saved.root.items():
            if type(name) is not str or not name.isprintable() or type(value) is not StoredTensor:
                raise IntegrityError(f"not a plain file of tensors (what is {str(name)[:200]!r}?)")
        return {name: saved.build(value) for name, value in saved.root.items()}


def fill_published(model: "SequenceModel", state: "dict[str, Tensor]", path: Path, title: str) -> None:
    """Fill a model with tensors of its own names.

    Raises:
        IntegrityError: tensors that are missing, unknown or of another shape.
    """
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise IntegrityError(f"{path}: not the published {title} model ({one_line(error)[:300]})") from None
