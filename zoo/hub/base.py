"""The base of a delta: the checkpoint on whose weights another one's are stored as a difference.

Nothing here imports torch.
"""

from pathlib import Path

from zoo.errors import IntegrityError, UnknownNameError
from zoo.hub.config import CheckpointConfig, read_config
from zoo.hub.facts import BaseFacts
from zoo.hub.folder import WEIGHTS
from zoo.hub.pins import fetch_pinned
from zoo.hub.registry import find

__all__ = ["base_obstacle", "find_base"]


def find_base(subject: Path, base: BaseFacts, architecture: str) -> tuple[Path, CheckpointConfig]:
    """Find the base of a delta: a checkpoint of that name with weights of that sha256, which are stored whole.

    Args:
        subject: file of the delta, for messages.
        base: name and sha256.
        architecture: of the delta.

    Returns:
        Its folder and configuration.

    Raises:
        IntegrityError: it is missing, broken, another one, or a delta itself.
    """
    start = f"{subject} is a delta on the weights of {base.name}"
    try:
        location = find(base.name)
        folder = fetch_pinned(location.pin) if location.pin else location.folder
        if folder is None:
            raise IntegrityError(f"{start}, which are not downloaded: `zoo verify {base.name}` does that")
        config = read_config(folder)
    except UnknownNameError as error:
        is_relative = (
            base.name.startswith("local-dir:") and not Path(base.name.removeprefix("local-dir:")).is_absolute()
        )
        origin = " (looked for from the current folder)" if is_relative else ""
        raise IntegrityError(f"{start}, which is missing{origin}: {error}") from None
    except IntegrityError as error:
        raise error if str(error).startswith(start) else IntegrityError(f"{start}: {error}") from None
    if reason := base_obstacle(config, architecture):
        raise IntegrityError(f"{start}, but {reason}")
    if config.sha256[WEIGHTS] != base.sha256:
        raise IntegrityError(
            f"{start} of the sha256 {base.sha256[:12]}..., but those of that name here have "
            f"{config.sha256[WEIGHTS][:12]}...: put back the checkpoint that it was trained from"
        )
    return folder, config


def base_obstacle(config: CheckpointConfig, architecture: str) -> str:
    """Say why a checkpoint cannot be the base of a delta; empty where it can.

    Args:
        config: configuration of the checkpoint.
        architecture: of the delta.
    """
    if config.delta_base:
        return "that is a delta itself, on which no other can be stored: `zoo merge` makes it whole"
    if config.architecture != architecture:
        return f"that is of the architecture {config.architecture}, not {architecture}"
    return ""
