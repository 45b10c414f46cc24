"""What must hold of a checkpoint folder that the zoo takes, read here without the zoo's own readers."""

import csv
import hashlib
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from made.folders import CONFIG, EXAMPLE, FILES, TARGETS, WEIGHTS, split_tensors
from torch import nn

__all__ = ["check_accepted", "same_model"]

_NAMES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.uint8: "U8", torch.bool: "BOOL"}


def check_accepted(folder: Path, model: Any) -> None:
    """Assert that a folder may be taken, and that the model is the one of its files.

    Args:
        folder: the folder.
        model: what the zoo loaded of it.

    Raises:
        AssertionError: it must have been refused, or is another model.
    """
    home = folder.resolve()
    for name in FILES:
        assert (folder / name).resolve().is_relative_to(home), f"{name} is a link out of the folder"
    config = json.loads((folder / CONFIG).read_bytes())
    for name in (WEIGHTS, EXAMPLE, TARGETS):
        content = (folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == config["sha256"][name], f"{name} is not that of its sha256"
    text = (folder / TARGETS).read_bytes().decode()
    names = [row["name"] for row in csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")]
    assert names == config["arguments"]["targets"], f"{TARGETS} names other targets than {CONFIG}"
    assert names == list(model.output.targets), "the model has other targets than its files"
    _check_tensors(folder, model)


def _check_tensors(folder: Path, model: nn.Module) -> None:
    """Assert that the weights are those of the file, of the same types and shapes; names depend on the format."""
    header, _ = split_tensors((folder / WEIGHTS).read_bytes())
    header.pop("__metadata__", None)
    stored = Counter((form["dtype"], tuple(form["shape"])) for form in header.values())
    state = model.state_dict()
    wanted = Counter((_NAMES[tensor.dtype], tuple(tensor.shape)) for tensor in state.values())
    assert stored == wanted, f"the tensors of the file are not the model's: {stored - wanted}, {wanted - stored}"
    assert not any(bool(tensor.isnan().any()) for tensor in state.values()), "a weight is NaN"


def same_model(one: Path, other: Path) -> bool:
    """Whether two folders have the same weights, architecture and arguments, whatever else differs."""
    keys = ("architecture", "arguments", "format")
    first, second = ([json.loads((folder / CONFIG).read_bytes()).get(key) for key in keys] for folder in (one, other))
    return first == second and (one / WEIGHTS).read_bytes() == (other / WEIGHTS).read_bytes()
