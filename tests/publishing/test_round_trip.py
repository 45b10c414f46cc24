"""Train, publish, load elsewhere, fine-tune and publish the child, on a Hub on this computer."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from made.hub import ADDRESS, Hub

RunZoo = Callable[..., tuple[int, str, str]]
CARD = (
    "--species",
    "Homo sapiens",
    "--assay",
    "made",
    "--licence",
    "MIT",
    "--source",
    "A laboratory",
    "--use",
    "Tests",
)
SHORT = ("--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false")


def write_sequences(path: Path) -> None:
    """Sequences of 40 bases with a motif."""
    draw = random.Random(1)
    texts = ["".join(draw.choices("ACGT", k=16)) + "GATTACAT" + "".join(draw.choices("ACGT", k=16)) for _ in range(80)]
    path.write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(texts)))


def elsewhere(home: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run a command in a new process, in an empty folder and with a cache of its own."""
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")}
    settings = {**kept, "HOME": str(home), "ZOO_CACHE": str(home / "cache"), "HF_ENDPOINT": ADDRESS, **environment}
    command = [sys.executable, "-m", "zoo.cli", *arguments]
    done = subprocess.run(command, env=settings, cwd=home, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_a_model_goes_through_the_hub_to_its_child_and_back(desk: Path, local_hub: Hub, run_zoo: RunZoo) -> None:
    def zoo(*words: str) -> str:
        code, out, err = run_zoo(*words)
        assert code == 0, err
        return out

    write_sequences(desk / "bound.fa")
    small = ("--model.motifs.filters", "4", "--model.motifs.width_bases", "8", "--name", "deepbind.toy")
    zoo("train", "deepbind.sequences", "--data.fasta", "{bound: bound.fa}", *small, *SHORT)
    zoo("card", "deepbind.toy", *CARD, "--limits", "A toy", "--data", "made", "--summary", "A toy")
    zoo("push", "deepbind.toy", "--repo", "lab/toy", "--public", "--pin")
    commit = local_hub.repositories["lab/toy"].heads["v1"]
    address = f"hf-hub:lab/toy@{commit}"

    pins = {"ZOO_PINS": str(desk / "pins.json")}
    code, out, err = elsewhere(desk / "other", "list", "--search", "A toy", **pins)
    assert (code, "deepbind.toy" in out) == (0, True), err
    code, out, err = elsewhere(desk / "other", "verify", "deepbind.toy", address, **pins)
    assert (code, out.count("stored predictions reproduced, largest difference 0 ")) == (0, 2), err

    # A delta on weights that nobody else has is not published.
    local = ("finetune", "deepbind.toy", "bound.fa", "--name", "deepbind.alone", "--mode", "head", "--delta", "true")
    shutil.copytree("checkpoints/deepbind.toy", "elsewhere/deepbind.toy")
    zoo(local[0], "local-dir:elsewhere/deepbind.toy", *local[2:], *SHORT)
    zoo("card", "deepbind.alone", *CARD, "--limits", "A toy", "--data", "made", "--summary", "Alone")
    code, _, err = run_zoo("push", "deepbind.alone", "--repo", "lab/alone", "--public")
    assert (code, "which others do not have: publish that first" in err) == (2, True), err
    assert "lab/alone" not in local_hub.repositories

    tune = ("finetune", address, "bound.fa", "--name", "deepbind.child", "--mode", "lora", "--delta", "true")
    zoo(*tune, *SHORT)
    zoo("card", "deepbind.child", *CARD, "--limits", "A toy", "--data", "made", "--summary", "A child")
    zoo("push", "deepbind.child", "--repo", "lab/child", "--private")
    child = local_hub.repositories["lab/child"]
    data: Any = ModelCard((child.files("main") or {})["README.md"].decode()).data
    assert (data.base_model, data.base_model_relation) == ("lab/toy", "finetune")
    assert "delta.safetensors" in (child.files("v1") or {})

    name = f"hf-hub:lab/child@{child.heads['v1']}"
    code, _, err = elsewhere(desk / "third", "verify", name)
    assert (code, "or it is private: log in" in err) == (2, True)
    code, out, err = elsewhere(desk / "third", "verify", name, HF_TOKEN=local_hub.token)
    assert (code, out.count("reproduced")) == (0, 1), err
    requests = len(local_hub.requests)
    code, again, err = elsewhere(desk / "third", "verify", name, HF_HUB_OFFLINE="1")
    assert (code, again) == (0, out), err
    assert len(local_hub.requests) == requests
