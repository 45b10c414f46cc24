"""Load and verify models by name."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

import torch

from zoo.errors import IntegrityError, OutputError, UnknownNameError
from zoo.hub.checkpoint import save
from zoo.hub.example import example_for
from zoo.hub.facts import ModelFacts
from zoo.hub.folder import CONFIG
from zoo.hub.huggingface import discard_damaged, verified_marker
from zoo.hub.loading import load_folder
from zoo.hub.pins import fetch_pinned
from zoo.hub.registry import find
from zoo.hub.targets import TargetRow
from zoo.hub.verification import Verification, verify_folder
from zoo.inference.engine import Precision
from zoo.models._base import SequenceModel
from zoo.utils.download import OTHER_CACHE, cache_folder, writing_to_cache

__all__ = ["discarding_damaged", "load", "resolve", "verify"]


def load(name: str, device: str | torch.device = "cpu") -> SequenceModel:
    """Load a model by name, ready to predict.

    Examples:
        >>> import zoo
        >>> model = zoo.load("deepbind.encode_usf1_h1hesc")
        >>> model.length, model.output.targets
        (101, ('USF1',))
        >>> zoo.predict(model, "GTCACGTGAC" * 10 + "A")
        Predictions(1 x 1: 1 sequence, sequence_1; 1 target, USF1)

    `zoo.list_models()` lists the names, `zoo.predict` predicts, and `zoo.embed` gives embeddings; the model is a
    `torch.nn.Module` and a `LightningModule`, which `Trainer.fit` trains further.

    Args:
        name: `architecture.tag`, `hf-hub:org/repo@revision`, or `local-dir:path`.
        device: for the model.

    Returns:
        The model in evaluation mode. Its weights are those whose sha256 the checkpoint states, loaded strictly.

    Raises:
        UnknownNameError: no such model (the nearest names are offered), or two different models of that name.
        IntegrityError: files that are broken or not what was published.
        DownloadError: weights that cannot be downloaded.
        OutputError: a cache that cannot be written.
    """
    folder = resolve(name)
    with discarding_damaged(folder):
        return load_folder(folder).to(device)


def resolve(name: str) -> Path:
    """Find the folder of a model; download, import and verify it first where that is needed.

    Args:
        name: as of `load`, with the same errors.
    """
    location = find(name)
    folder = location.folder
    if location.pin and folder is None:
        name, folder = location.pin.address, fetch_pinned(location.pin)
    elif folder is None:
        folder = cache_folder() / "models" / name
        _import(location.facts, folder)
    if name.startswith("hf-hub:"):
        _verify_once(name, folder)
    if location.config and (base := location.config.delta_base):
        _fetch_base(base.name)
    return folder


def _verify_once(name: str, folder: Path) -> None:
    """Verify what was downloaded from the Hub, the first time that it is used on this computer."""
    marker = verified_marker(name, folder)
    if marker.exists():
        return
    with discarding_damaged(folder):
        verify_folder(folder, name)
    with suppress(OSError):  # where the cache cannot be written, it is verified again next time
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


@contextmanager
def discarding_damaged(folder: Path) -> Iterator[None]:
    """Remove from the Hub's cache what is not the published file, so that it is downloaded again next time."""
    try:
        yield
    except IntegrityError as error:
        if removed := discard_damaged(folder):
            raise IntegrityError(f"{error}; the damaged {', '.join(removed)} was removed: try again") from None
        raise


def verify(name: str, device: str | torch.device = "cpu", precision: Precision = "32") -> Verification:
    """Recompute the example that is stored with a model's weights.

    Args:
        name: as of `load`.
        device: where it is computed.
        precision: `32`, or `bf16` / `16` for autocast; each has its own tolerance, in `zoo.hub.verification`.

    Raises:
        IntegrityError: a file that is not what was published, or a prediction that is NaN or too far off.
    """
    folder = resolve(name)
    with discarding_damaged(folder):
        return verify_folder(folder, name, device, precision)


def _fetch_base(name: str) -> None:
    """Fetch the base of a delta, where it is one that others published and that is not here yet."""
    with suppress(UnknownNameError, IntegrityError):  # loading says it, with the delta
        location = find(name)
        if location.folder is None and location.pin is None:
            _import(location.facts, cache_folder() / "models" / name)


def _import(facts: ModelFacts, folder: Path) -> None:
    """Fetch weights that others published, and save them as a checkpoint folder."""
    with writing_to_cache(folder):  # before anything is downloaded
        folder.parent.mkdir(parents=True, exist_ok=True)
    importer = import_module(f"zoo.importers.{facts.architecture}")
    model: SequenceModel = importer.import_model(facts.name)
    example = example_for(model, model.length if model.max_length else 2 * model.length)
    own = importer.target_rows(facts.name) if hasattr(importer, "target_rows") else None
    targets = own or [TargetRow(target, facts.summary, model.loss.unit) for target in facts.targets]
    try:
        save(model, folder, facts, targets, example)
    except OutputError as error:
        if not (folder / CONFIG).is_file():  # otherwise another process was faster, with the same weights
            raise OutputError(f"{error}, {OTHER_CACHE}") from None
