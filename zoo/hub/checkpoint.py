"""Checkpoint folders: save a model as one, load it again, and recompute its stored example.

A folder is, byte for byte, what a repository on the Hugging Face Hub holds: `config.json` (the architecture, its
arguments, the facts, the sha256 of the rest), `model.safetensors`, `targets.tsv`, `example.safetensors` (arguments of
`predict` and the expected prediction), `README.md` (the card) and, of a run of `zoo train`, `recipe.yaml`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from zoo.errors import ConfigError, IntegrityError, UnknownNameError, one_line
from zoo.hub.architectures import load_architecture
from zoo.hub.cards import render_card
from zoo.hub.config import CARD, CONFIG, EXAMPLE, RECIPE, TARGETS, WEIGHTS, CheckpointConfig, read_config
from zoo.hub.facts import ModelFacts, describe_input
from zoo.hub.targets import TargetRow, write_targets
from zoo.hub.upgrade import upgrade_tensors
from zoo.models._base import SequenceModel
from zoo.utils.atomic import whole_folder
from zoo.utils.download import sha256_of

__all__ = ["LARGEST_TOLERANCE", "Verification", "architecture_of", "load_folder", "save", "verify_folder"]

# Processors and releases of torch add numbers in different orders, so results differ in the last digits.
_TOLERANCE = 1e-4
# A checkpoint states its own tolerance; a larger one than this is not used.
LARGEST_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Verification:
    """Result of a verification: the largest difference between a model's predictions and the stored ones.

    Attributes:
        name: name of the model.
        sequences: number of predicted sequences.
        difference: the largest difference; of stored values above 1, relative to them.
        tolerance: how large it may be, at most `LARGEST_TOLERANCE`.
        stated: the tolerance that the checkpoint states.
    """

    name: str
    sequences: int
    difference: float
    tolerance: float
    stated: float


def load_folder(folder: Path) -> SequenceModel:
    """Load the model of a checkpoint folder, strictly: every sha256 and every tensor name and shape must match.

    Returns:
        The model in evaluation mode, on the CPU.

    Raises:
        IntegrityError: a folder that is broken or does not fit the architecture.
    """
    config = read_config(folder)
    _check_files(folder, config)
    try:
        model: SequenceModel = load_architecture(config.architecture)(**config.arguments)
    except (ConfigError, UnknownNameError) as error:
        raise IntegrityError(f"{folder}/{CONFIG}: {error}") from None
    # An architecture's arguments are numbers, words and lists; a wrong one can fail anywhere in torch.
    except (TypeError, ValueError, KeyError, RuntimeError, ArithmeticError) as error:
        raise IntegrityError(f"{folder}/{CONFIG} does not fit the architecture: {one_line(error)}") from None
    if model.output.kind != config.facts.output:
        raise IntegrityError(f"{folder}/{CONFIG}: output is {config.facts.output}, but the model's {model.output.kind}")
    state = upgrade_tensors(_read_tensors(folder / WEIGHTS), config.architecture, config.stored_format)
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise IntegrityError(f"{folder}/{WEIGHTS} does not fit the architecture: {one_line(error)}") from None
    return model.eval()


def save(
    model: SequenceModel,
    folder: str | Path,
    facts: ModelFacts,
    targets: list[TargetRow],
    example: dict[str, Tensor],
    recipe: str | None = None,
) -> Path:
    """Write a model as a checkpoint folder: complete, loaded again and verified, or nothing.

    Args:
        model: model of an architecture in `zoo/models/`; its arguments and weights are stored.
        folder: the new folder; its name should be the model's name.
        facts: for the card and `zoo list`.
        targets: a row for each target.
        example: arguments of `predict`, which are stored with the prediction.
        recipe: YAML of the configuration that trained the model; None where there is none.

    Returns:
        The folder.

    Raises:
        ConfigError: target rows that are not the model's, or a class from outside `zoo.models`.
        OutputError: a folder that cannot be written.
    """
    folder = Path(folder)
    if [row.name for row in targets] != list(model.output.targets):
        raise ConfigError(f"the target rows {[row.name for row in targets]} are not the model's targets")
    architecture = architecture_of(model)
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    # A copy predicts the example: the caller's model is not moved or changed.
    copy = type(model)(**model.arguments).eval()
    copy.load_state_dict(state, strict=True)
    described = replace(
        facts,
        output=model.output.kind,
        targets=tuple(model.output.targets),
        input=describe_input(model.arguments),
        length=model.length if model.max_length else 0,
    )
    with whole_folder(folder) as draft:
        save_file(state, draft / WEIGHTS)
        with torch.inference_mode():
            save_file({**example, "expected": copy.predict(**example)}, draft / EXAMPLE)
        write_targets(draft / TARGETS, targets)
        if recipe is not None:
            (draft / RECIPE).write_text(recipe)
        files = [name for name in (WEIGHTS, EXAMPLE, TARGETS, RECIPE) if (draft / name).is_file()]
        hashes = {name: sha256_of(draft / name) for name in files}
        config = CheckpointConfig(described, architecture, model.arguments, _TOLERANCE, hashes)
        (draft / CONFIG).write_text(config.to_json())
        (draft / CARD).write_text(render_card(config, (draft / TARGETS).read_text()))
        verify_folder(draft, facts.name)
    return folder


def verify_folder(folder: Path, name: str) -> Verification:
    """Recompute the example of a checkpoint folder.

    Args:
        folder: the checkpoint.
        name: name of the model, for messages.

    Raises:
        IntegrityError: a broken folder, or a prediction that is NaN or too far from the stored one.
    """
    model = load_folder(folder)
    example = _read_tensors(folder / EXAMPLE)
    wanted = {"codes", "expected", *(["inputs"] if model.inputs.names else [])}
    if example.keys() != wanted:
        raise IntegrityError(f"{folder}/{EXAMPLE} holds {sorted(example)} where {sorted(wanted)} are expected")
    expected = example.pop("expected")
    with torch.inference_mode():
        predicted = model.predict(**example)
    if predicted.shape != expected.shape or not len(predicted):
        raise IntegrityError(f"{folder}/{EXAMPLE} does not fit the model's output")
    difference = float(((predicted - expected).abs() / expected.abs().clamp(min=1)).max())  # NaN where one is
    stated = read_config(folder).tolerance
    tolerance = min(stated, LARGEST_TOLERANCE)
    if not difference <= tolerance:
        capped = f" (config.json states {stated:g}; at most {LARGEST_TOLERANCE:g} counts)" if stated > tolerance else ""
        raise IntegrityError(
            f"{name}: the stored example is predicted {difference:.3g} off, where {tolerance:g} is allowed{capped}"
        )
    return Verification(name, len(predicted), difference, tolerance, stated)


def architecture_of(model: SequenceModel) -> str:
    """The name of a model's architecture: the file in `zoo/models/` that defines its class.

    Raises:
        ConfigError: the class is defined elsewhere, so a checkpoint could not name it.
    """
    module = type(model).__module__
    if module.rpartition(".")[0] != "zoo.models":
        raise ConfigError(
            f"{type(model).__name__} is defined in {module}, outside zoo.models: a checkpoint names the file in "
            "zoo/models/ that can load it, so put the class into a file there to save its models"
        )
    return module.rpartition(".")[2]


def _check_files(folder: Path, config: CheckpointConfig) -> None:
    for name, published in config.sha256.items():
        if not (folder / name).is_file():
            raise IntegrityError(f"{folder}/{name} is missing")
        if sha256_of(folder / name) != published:
            raise IntegrityError(f"{folder}/{name} is not the file that was published: its sha256 differs")


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise IntegrityError(f"{path} is not a whole safetensors file ({error})") from None
