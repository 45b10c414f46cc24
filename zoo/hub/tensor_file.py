"""Files of tensors beside a checkpoint's weights, known by their sha256."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from zoo.errors import IntegrityError, one_line
from zoo.hub.config import read_config
from zoo.hub.folder import checkpoint_file
from zoo.utils.download import sha256_of

__all__ = ["read_tensors"]


def read_tensors(folder: Path, name: str) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """Read a file of a checkpoint: its tensors and texts; None where the checkpoint has none.

    Args:
        folder: the checkpoint.
        name: name of the file.

    Raises:
        IntegrityError: it is damaged, or not what was published.
    """
    published = read_config(folder).sha256.get(name)
    if published is None:
        return None
    path = checkpoint_file(folder, name)
    if sha256_of(path) != published:
        raise IntegrityError(f"{path} is not the file that was published: its sha256 differs")
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (it is no dict)
            return tensors, file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise IntegrityError(f"{path} is not a whole safetensors file ({one_line(error)})") from None
