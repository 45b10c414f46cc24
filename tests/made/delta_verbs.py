"""What the zoo does with a delta that somebody damaged: called in a child process."""

import hashlib
import json
import os
from pathlib import Path

import torch
from made.folders import CONFIG

import zoo
from zoo.hub.load import verify

__all__ = ["DELTA", "use_delta"]

DELTA = "delta.safetensors"


def use_delta(home: str, name: str, original: str) -> str:
    """Load and verify a delta, whose base lies in the same folder.

    Args:
        home: folder with the delta and its base.
        name: name of the delta's folder.
        original: the delta before it was damaged.

    Returns:
        `right`, if it was taken.

    Raises:
        ZooError: it was refused.
        AssertionError: it was taken, and is not what its files say.
    """
    os.chdir(home)
    model = zoo.load(f"local-dir:{name}")
    verify(f"local-dir:{name}")
    content = (Path(name) / DELTA).read_bytes()
    config = json.loads((Path(name) / CONFIG).read_bytes())
    assert hashlib.sha256(content).hexdigest() == config["sha256"][DELTA], "the delta is not that of its sha256"
    assert not any(bool(value.isnan().any()) for value in model.state_dict().values()), "a weight is NaN"
    if content == (Path(original) / DELTA).read_bytes():
        whole = zoo.load(f"local-dir:{original}").state_dict()
        assert all(torch.equal(value, whole[key]) for key, value in model.state_dict().items()), "other weights"
    return "right"
