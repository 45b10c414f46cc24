"""Shared by all tests: a clean environment, two tiny checkpoints, and the command line run in this process."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
import torch
from made.hub import ADDRESS, Hub, running

from zoo.cli import main
from zoo.hub.checkpoint import save
from zoo.hub.facts import ModelFacts, RunFacts
from zoo.hub.targets import TargetRow
from zoo.models._base import SequenceModel
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.motifs import MotifConfig

# What the client of the Hugging Face Hub reads when it is imported: no test asks the real one.
os.environ |= {"HF_ENDPOINT": ADDRESS, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
TARGETS = ("first", "second")
LENGTH = 20


# Files whose tests take longest.
_LONGEST = ("test_readme.py", "test_configs.py", "published/test_labels.py", "test_encode_loci.py", "test_wheel.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process works alone at the end."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(_LONGEST))


def pytest_collection() -> None:
    """Collect no garbage while tests are imported."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave what was imported out of collections of garbage, which took an eighth of the time."""
    gc.enable()
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("public_data") and not _mirror_exists():
        pytest.skip("needs public files: set ZOO_MIRROR to a folder that has them")
    if item.get_closest_marker("long") and os.environ.get("ENDURANCE") != "full":
        pytest.skip("takes long: set ENDURANCE=full")


def _mirror_exists() -> bool:
    mirror = os.environ.get("ZOO_MIRROR")
    return bool(mirror) and Path(str(mirror)).is_dir()


@pytest.fixture(scope="session", autouse=True)
def _same_threads() -> None:
    """Use one thread, or `OMP_NUM_THREADS`, here and in processes that tests start: sums differ by their order."""
    threads = os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(int(threads))


@pytest.fixture(scope="session", autouse=True)
def _no_learning_curves() -> Iterator[None]:
    """Leave the pictures of learning curves empty: to draw one takes a third of the time of a small run."""
    with mock.patch("zoo.training.run.draw_learning_curve", lambda run, picture, title: picture.touch()):
        yield


@pytest.fixture(autouse=True)
def _clean_environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if request.node.get_closest_marker("public_data"):  # what is prepared of public data is prepared once
        base = tmp_path_factory.getbasetemp()
        shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        monkeypatch.setenv("ZOO_CACHE", str(shared / "public_data"))
    else:
        monkeypatch.setenv("ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        monkeypatch.delenv("ZOO_MIRROR", raising=False)


@pytest.fixture
def local_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty Hub on this computer, where this process may write."""
    hub = Hub()
    monkeypatch.setenv("HF_TOKEN", hub.token)
    with running(hub):
        yield hub


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two checkpoints of random weights: `mlp.tiny` takes 20 bases, `deepbind.tiny` any length."""
    home = tmp_path_factory.mktemp("checkpoints")
    with torch.random.fork_rng():
        torch.manual_seed(7)
        _save_tiny(home / "mlp.tiny", MLP(TARGETS, LENGTH, hidden=(8,)))
        _save_tiny(home / "deepbind.tiny", DeepBind(TARGETS, LENGTH, MotifConfig(filters=4, width_bases=6), scan=True))
    return home


def _save_tiny(folder: Path, model: SequenceModel) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    run = RunFacts(
        command=f"zoo train configs/{folder.name}.yaml",
        recipe="0" * 16,
        commit="0000000",
        seed=1,
        hardware="none",
        seconds=1.0,
        precision="32-true",
        versions="none",
        data=["train: 2 sequences"],
        metrics={"val": {"auroc": 0.75}, "test": {"auroc": 0.5}},
    )
    facts = ModelFacts(
        name=folder.name,
        summary=f"Random weights of {folder.name}",
        species="Homo sapiens",
        assay="none",
        use="Tests",
        limits="Says nothing of biology",
        data="made",
        metric="test AUROC 0.5000",
        run=run,
    )
    rows = [TargetRow(target, f"The {target} target", "probability", 0.5) for target in TARGETS]
    save(model, folder, facts, rows, {"codes": torch.randint(0, 5, (4, LENGTH)).to(torch.uint8)})


@pytest.fixture
def run_zoo(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process: exit code, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def made_yeast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the yeast data set, built from synthetic files."""
    from made.yeast import fetch_made, made_objects

    from zoo.datasets import yeast, yeast_genome, yeast_starts

    for module in (yeast, yeast_genome, yeast_starts):
        monkeypatch.setattr(module, "fetch", lambda file, progress=True: fetch_made(tmp_path, file))
    monkeypatch.setattr(yeast_starts, "_read_objects", made_objects)
    return yeast.yeast_folder()
