"""Bring older formats of `config.json` and of the weights to the current one, before anything else reads them.

Format 1 (version 0.1.0): the validation split is called `valid`, reverse-complement averaging `both_strands`, and
RC-equivariant convolutions `shared_strands`.
"""

from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FORMAT", "upgrade_config", "upgrade_tensors"]

# The format that is written.
FORMAT = 2
_RENAMED_ARGUMENTS = {"both_strands": "rc_average", "shared_strands": "rc_equivariant"}


def upgrade_config(config: dict[str, Any]) -> dict[str, Any]:
    """Bring the content of a `config.json` to the current format.

    Args:
        config: of any format up to `FORMAT`; it is not changed.

    Returns:
        The same content in the current format.

    Raises:
        IntegrityError: a format that this version of zoo does not know.
    """
    version = config.get("format")
    if version == FORMAT:
        return config
    if version != 1:
        raise IntegrityError(f"config.json has format {version!r}; this version of zoo reads formats 1 to {FORMAT}")
    arguments = {_RENAMED_ARGUMENTS.get(key, key): value for key, value in config["arguments"].items()}
    upgraded = {**config, "format": FORMAT, "arguments": arguments}
    if run := config.get("run"):
        metrics = {_split_name(split): scores for split, scores in run["metrics"].items()}
        lines = [line.replace("valid: ", "val: ", 1) if line.startswith("valid: ") else line for line in run["data"]]
        upgraded["run"] = {**run, "metrics": metrics, "data": lines}
    return upgraded


def upgrade_tensors(state: "dict[str, Tensor]", architecture: str, stored_format: int) -> "dict[str, Tensor]":
    """Bring the names of the tensors of a checkpoint to the current format.

    Args:
        state: tensors by name, as stored.
        architecture: a file in `zoo/models/`.
        stored_format: that they were stored in.

    Returns:
        The same tensors under the names that the architecture has now.
    """
    return state


def _split_name(name: str) -> str:
    return "val" if name == "valid" else name
