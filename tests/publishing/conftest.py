"""A checkpoint that is fit to be published, in the working folder."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.hub.card_edit import state_facts


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with an empty pinned list of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pins.json").write_text("{}\n")
    monkeypatch.setenv("ZOO_PINS", str(tmp_path / "pins.json"))
    return tmp_path


@pytest.fixture
def mine(desk: Path, tiny_checkpoint: Path) -> Path:
    """`mlp.tiny`, whose card is complete."""
    folder = shutil.copytree(tiny_checkpoint / "mlp.tiny", desk / "checkpoints" / "mlp.tiny")
    state_facts(folder, {"licence": "MIT", "source": "A laboratory", "assay": "ChIP-seq"})
    return folder


@pytest.fixture
def refused(run_zoo: Callable[..., tuple[int, str, str]]) -> Callable[..., str]:
    """Run a command that must fail in one sentence, which is returned."""

    def run(*words: str) -> str:
        code, _, err = run_zoo(*words)
        assert (code, err[:5], err.count("\n")) == (2, "zoo: ", 1), err
        return err

    return run
