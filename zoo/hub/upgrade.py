"""Older formats of `config.json`, brought to the current one before anything else reads them.

Format 1 (version 0.1.0): the validation split is called `valid`, reverse-complement averaging `both_strands`, and
RC-equivariant convolutions `shared_strands`.
"""

from typing import Any

from zoo.errors import IntegrityError

__all__ = ["FORMAT", "upgrade_config"]

# The format that is written.
FORMAT = 2
_RENAMED_ARGUMENTS = {"both_strands": "rc_average", "shared_strands": "rc_equivariant"}


def upgrade_config(config: dict[str, Any]) -> dict[str, Any]:
    """Bring what a `config.json` holds to the current format.

    Args:
        config: of any format up to `FORMAT`; it is left as it is.

    Returns:
        The same facts in the current format.

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


def _split_name(name: str) -> str:
    return "val" if name == "valid" else name
