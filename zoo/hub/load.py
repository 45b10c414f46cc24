"""A name -> a folder -> a model; and back: save, verify.

A checkpoint is a folder, byte for byte what a repository on the Hugging Face Hub holds: `config.json` (the
architecture, its arguments, the facts, the sha256 of the rest), `model.safetensors`, `targets.tsv`,
`example.safetensors` (input codes and the expected prediction) and `README.md` (the card).
"""

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from zoo.errors import ConfigError, IntegrityError, OutputError, UnknownNameError, one_line
from zoo.hub.cards import render_card
from zoo.hub.example import made_example
from zoo.hub.facts import CardFacts, read_config
from zoo.hub.registry import ModelEntry, find_entry, load_architecture, shipped_folder
from zoo.hub.targets import TARGETS_FILE, TargetRow, write_targets
from zoo.hub.upgrade import FORMAT
from zoo.models._base import SequenceModel
from zoo.utils.atomic import whole_folder
from zoo.utils.download import cache_folder, sha256_of

__all__ = ["Verification", "load", "load_folder", "resolve", "save", "verify"]

_WEIGHTS = "model.safetensors"
_EXAMPLE = "example.safetensors"
_CARD = "README.md"
# How far a prediction may lie from the stored one: between processors and releases of torch, sums differ in order.
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Verification:
    """How far a model's predictions lie from the stored ones.

    Attributes:
        name: of the model.
        sequences: how many were predicted.
        difference: the largest difference; of predictions above 1, relative to them.
        tolerance: how large it may be.
    """

    name: str
    sequences: int
    difference: float
    tolerance: float


def load(name: str, device: str | torch.device = "cpu") -> SequenceModel:
    """Load a model by name, ready to predict.

    Args:
        name: `architecture.tag`, `hf-hub:org/repo@revision`, or `local-dir:path`.
        device: where it shall lie.

    Returns:
        The model in evaluation mode. Its weights are those whose sha256 the checkpoint names, loaded strictly.

    Raises:
        UnknownNameError: no such model; the nearest names are offered.
        IntegrityError: files that are broken or not what was published.
        DownloadError: weights that could not be fetched.
    """
    return load_folder(resolve(name)).to(device)


def resolve(name: str) -> Path:
    """The folder of a model, fetched and verified first where it is not here yet."""
    if name.startswith("local-dir:"):
        folder = Path(name.removeprefix("local-dir:"))
        if not (folder / "config.json").is_file():
            raise UnknownNameError(f"{folder} is not a checkpoint: there is no config.json in it")
        return folder
    if name.startswith("hf-hub:"):
        return _from_hub(name)
    entry = find_entry(name)
    folder = shipped_folder("checkpoints") / name
    if folder.is_dir():
        return folder
    folder = cache_folder() / "models" / name
    if not folder.is_dir():
        _import(entry, folder)
    return folder


def load_folder(folder: Path) -> SequenceModel:
    """Load a model from a checkpoint folder, strictly, in evaluation mode."""
    config = read_config(folder)
    _check_files(folder, config)
    architecture = load_architecture(config["architecture"])
    try:
        model = architecture(**config["arguments"])
    except ConfigError as error:
        raise IntegrityError(f"{folder}/config.json: {error}") from None
    # An architecture's arguments are numbers, words and lists; a wrong one can fail anywhere in torch.
    except (TypeError, ValueError, KeyError, RuntimeError, ArithmeticError) as error:
        raise IntegrityError(f"{folder}/config.json does not fit the architecture: {one_line(error)}") from None
    state = _read_tensors(folder / _WEIGHTS)
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise IntegrityError(f"{folder}/{_WEIGHTS} does not fit the architecture: {one_line(error)}") from None
    return model.eval()


def verify(name: str) -> Verification:
    """Recompute the example that lies beside a model's weights.

    Raises:
        IntegrityError: a file that is not what was published, or a prediction that is off by more than the tolerance.
    """
    return _verify_folder(resolve(name), name)


def save(
    model: SequenceModel,
    folder: str | Path,
    facts: CardFacts,
    targets: list[TargetRow],
    example: dict[str, Tensor],
) -> Path:
    """Write a model as a checkpoint folder: all of it, loaded again and verified, or nothing.

    Args:
        model: what to save; its arguments and weights are kept.
        folder: the new folder; its name is the model's name.
        facts: what the card and `zoo list` say.
        targets: a line for each target.
        example: arguments of `predict`, stored with what it gives beside the weights.

    Returns:
        The folder.
    """
    folder = Path(folder)
    if [row.name for row in targets] != list(model.output.targets):
        raise ConfigError(f"the target lines {[row.name for row in targets]} are not the model's targets")
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    # A copy predicts the example: the caller's model stays where and as it is.
    copy = type(model)(**model.arguments).eval()
    copy.load_state_dict(state, strict=True)
    with whole_folder(folder) as draft:
        save_file(state, draft / _WEIGHTS)
        with torch.inference_mode():
            save_file({**example, "expected": copy.predict(**example)}, draft / _EXAMPLE)
        write_targets(draft / TARGETS_FILE, targets)
        config = {
            "format": FORMAT,
            "name": facts.name,
            "architecture": type(model).__module__.rsplit(".", 1)[-1],
            "arguments": model.arguments,
            "output": model.output.kind,
            **facts.listed(),
            "tolerance": _TOLERANCE,
            "sha256": {name: sha256_of(draft / name) for name in (_WEIGHTS, _EXAMPLE, TARGETS_FILE)},
        }
        (draft / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        (draft / _CARD).write_text(render_card(config, (draft / TARGETS_FILE).read_text()))
        _verify_folder(draft, facts.name)
    return folder


def _check_files(folder: Path, config: dict[str, Any]) -> None:
    published_files: dict[str, str] = config["sha256"]
    for name, published in published_files.items():
        if Path(name).name != name:
            raise IntegrityError(f"{folder}/config.json names a file outside its folder: {name!r}")
        if not (folder / name).is_file():
            raise IntegrityError(f"{folder}/{name} is missing")
        if sha256_of(folder / name) != published:
            raise IntegrityError(f"{folder}/{name} is not the file that was published: its sha256 differs")
    if missing := {_WEIGHTS, _EXAMPLE, TARGETS_FILE} - published_files.keys():
        raise IntegrityError(f"{folder}/config.json names no sha256 of {', '.join(sorted(missing))}")


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise IntegrityError(f"{path} is not a whole safetensors file ({error})") from None


def _verify_folder(folder: Path, name: str) -> Verification:
    model = load_folder(folder)
    example = _read_tensors(folder / _EXAMPLE)
    wanted = {"codes", "expected", *(["inputs"] if model.inputs else [])}
    if example.keys() != wanted:
        raise IntegrityError(f"{folder}/{_EXAMPLE} holds {sorted(example)} where {sorted(wanted)} are wanted")
    expected = example.pop("expected")
    with torch.inference_mode():
        predicted = model.predict(**example)
    if predicted.shape != expected.shape:
        raise IntegrityError(f"{folder}/{_EXAMPLE} does not fit the model's output")
    apart = (predicted - expected).abs() / expected.abs().clamp(min=1)
    difference = float(apart.max()) if len(predicted) else float("nan")
    tolerance = float(read_config(folder).get("tolerance", 0))
    if not difference <= tolerance:
        raise IntegrityError(
            f"{name}: the stored example is predicted {difference:.3g} off, where {tolerance:g} is allowed"
        )
    return Verification(name, len(predicted), difference, tolerance)


def _import(entry: ModelEntry, folder: Path) -> None:
    """Make a checkpoint folder of weights that others published."""
    importer = import_module(f"zoo.importers.{entry.architecture}")
    model: SequenceModel = importer.import_model(entry.name)
    length = model.length if model.max_length else 2 * model.length
    example = made_example(model, length)
    targets = [TargetRow(target, entry.summary, model.loss.unit) for target in entry.targets]
    try:
        save(model, folder, CardFacts.of_import(entry), targets, example)
    except OutputError:
        if not (folder / "config.json").is_file():  # else another process was faster, with the same weights
            raise


def _from_hub(name: str) -> Path:
    repository, _, revision = name.removeprefix("hf-hub:").partition("@")
    if not revision:
        raise UnknownNameError(
            f"{name!r} names no revision: write hf-hub:{repository}@REVISION (a commit, so that it stays)"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        files = ["config.json", _WEIGHTS, TARGETS_FILE, _EXAMPLE, _CARD]
        folder = Path(snapshot_download(repository, revision=revision, allow_patterns=files))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise UnknownNameError(f"{name!r} could not be had from the Hub ({type(error).__name__})") from None
    # The folder is named by the commit, which stays; a revision such as `main` moves.
    marker = cache_folder() / "verified" / f"{repository.replace('/', '--')}@{folder.name}"
    if not marker.exists():
        _verify_folder(folder, name)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    return folder
