"""The checkpoints of a run: whole or not there, and checked when they are read.

Lightning writes a checkpoint to the temporary folder and moves it, which across file systems is no single step.
"""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint
from typing_extensions import override

from zoo.errors import ConfigError, IntegrityError, one_line
from zoo.utils.atomic import whole_path
from zoo.utils.text import shorten

__all__ = ["LAST", "RunCheckpoint", "WholeCheckpointIO", "read_checkpoint"]

# The checkpoint of every epoch, better or not: where a resumed run goes on.
LAST = "last"


class WholeCheckpointIO(TorchCheckpointIO):
    """Checkpoints that replace the one before only when they are on the disk, and that are checked when they are read.

    A checkpoint is a zip file with a checksum of each of its records.
    """

    def __init__(self) -> None:
        self._is_readable = False  # whether one was read back

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint beside the one before, then replace it.

        Raises:
            OutputError: it cannot be written; the one before is kept.
            ConfigError: a callback's state holds what could not be read again.
        """
        if "://" in str(path):  # of a callback of the user's, in the cloud
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_path(target) as draft:
            torch.save(checkpoint, draft)
            if not self._is_readable:
                _check_readable(draft, checkpoint)
                self._is_readable = True

    @override
    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: bool | None = True) -> dict[str, Any]:
        """Read a checkpoint; nothing in it is executed.

        Raises:
            IntegrityError: a file that is cut, damaged or no checkpoint.
        """
        if "://" in str(path):
            return super().load_checkpoint(path, map_location, weights_only)
        return read_checkpoint(Path(path))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of a run.

    Raises:
        IntegrityError: a file that is cut, damaged or no checkpoint of Lightning.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        content = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign file can fail in any step of these readers
        raise _not_whole(path, one_line(error)[:100]) from None
    if damaged:
        raise _not_whole(path, f"the checksum of {damaged} differs")
    if not isinstance(content, dict) or not {"state_dict", "epoch", "global_step", "loops"} <= content.keys():
        raise _not_whole(path, "it holds something else")
    return content


def _check_readable(draft: Path, content: dict[str, Any]) -> None:
    """Refuse states of callbacks that could not be read again without executing code from the file."""
    try:
        torch.load(draft, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        wrong = [name for name, state in content.get("callbacks", {}).items() if not _is_plain(state)]
        raise ConfigError(
            f"the run could not be resumed: the state of {shorten(wrong[0], 100) if wrong else 'a callback'} holds "
            "other things than numbers, texts, tensors, lists and dictionaries of them"
        ) from None


def _is_plain(state: Any) -> bool:
    """Whether an object is read again by torch's restricted unpickler."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    try:
        torch.load(file, weights_only=True)
    except pickle.UnpicklingError:
        return False
    return True


def _not_whole(path: Path, reason: str) -> IntegrityError:
    return IntegrityError(
        f"{path} is not a whole checkpoint of a run ({reason}): put a copy of it in its place, or begin anew with "
        "--overwrite true"
    )


class RunCheckpoint(ModelCheckpoint):
    """A checkpoint in the folder of a run, which may be moved between a stop and `--resume true`."""

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the best score, with the folder as it is called now."""
        before, now = str(state_dict.get("dirpath", self.dirpath)), str(self.dirpath)

        def moved(value: Any) -> Any:
            """The same value with paths in the folder of now."""
            if isinstance(value, dict):
                return {moved(key): moved(inner) for key, inner in value.items()}
            is_inside = isinstance(value, str) and value.startswith(before)
            return now + value[len(before) :] if is_inside else value

        super().load_state_dict(moved(state_dict))
