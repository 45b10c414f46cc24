"""Programs of torch.export: one file, `.pt2`, that torch runs without this package.

Shapes: see `zoo.exporters.graph`.
"""

import io
import json
from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram

from zoo.exporters.check import Run
from zoo.exporters.graph import quiet

__all__ = ["METADATA", "open_program", "save_program"]

# The extra file with the metadata.
METADATA = "metadata.json"


def save_program(program: ExportedProgram, metadata: dict[str, str], path: Path) -> None:
    """Write a program.

    Args:
        program: the traced graph.
        metadata: what an extra file of it holds, as JSON.
        path: path of the file.
    """
    text = json.dumps(metadata, indent=1) + "\n"
    # Into memory first: torch ends the process where a file cannot be written, and of a path it stores the name.
    buffer = io.BytesIO()
    with quiet():
        torch.export.save(program, buffer, extra_files={METADATA: text})
    path.write_bytes(buffer.getbuffer())


def open_program(path: Path) -> Run:
    """Load a program again.

    Args:
        path: path of the file.

    Returns:
        A function from one-hot bases (B, 4, L), and inputs, to predictions.
    """
    with quiet(), path.open("rb") as file:
        module = torch.export.load(file).module()

    def run(onehot: Tensor, inputs: Tensor | None) -> Tensor:
        """Predict one batch."""
        with torch.no_grad():
            predictions: Tensor = module(onehot) if inputs is None else module(onehot, inputs)
        return predictions

    return run
