"""The file that a model is exported to: its format, and whether it can be written. Nothing here imports torch."""

from pathlib import Path

from zoo.errors import ConfigError
from zoo.utils.extras import require_extras
from zoo.utils.paths import check_folder_of
from zoo.writers.paths import refuse_existing

__all__ = ["ONNX", "PROGRAM", "check_target"]

ONNX = ".onnx"
PROGRAM = ".pt2"


def check_target(path: Path) -> None:
    """Check the file before a model is loaded.

    Args:
        path: file that will be written.

    Raises:
        ConfigError: an ending that is neither `.onnx` nor `.pt2`.
        MissingExtraError: the packages of ONNX are not installed.
        OutputError: the file exists, or its folder does not.
    """
    if path.suffix.lower() not in (ONNX, PROGRAM):
        raise ConfigError(
            f"{path} is not written: name a file that ends in {ONNX} (ONNX) or {PROGRAM} (a program of torch.export)"
        )
    if path.suffix.lower() == ONNX:
        require_extras(["onnx"], "exporting to ONNX")
    check_folder_of(path)
    refuse_existing([path])
