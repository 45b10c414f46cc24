"""Checkpoint folders: save a model as one, load it again, and recompute its stored example.

A folder is, byte for byte, what a repository on the Hugging Face Hub holds: `config.json` (the architecture, its
arguments, the facts, the sha256 of the rest), `model.safetensors` (or `delta.safetensors`: what differs from a base's
weights), `targets.tsv`, `example.safetensors` (arguments of `predict` and the expected prediction), `README.md` (the
card) and, of a run of `zoo train`, `recipe.yaml` and `seen.safetensors` (what it was trained on).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor

from zoo.errors import ConfigError, IntegrityError
from zoo.hub.architectures import explained, load_architecture
from zoo.hub.base import find_base
from zoo.hub.cards import render_card
from zoo.hub.config import CheckpointConfig, read_config
from zoo.hub.delta import DeltaWeights, write_delta
from zoo.hub.example import check_example, check_example_values
from zoo.hub.facts import ModelFacts, describe_input
from zoo.hub.folder import (
    CARD,
    CONFIG,
    DELTA,
    EXAMPLE,
    RECIPE,
    SEEN,
    TARGETS,
    WEIGHTS,
    checkpoint_file,
    checkpoint_text,
)
from zoo.hub.meta_device import build_on_meta, check_work
from zoo.hub.seen import Seen, write_seen
from zoo.hub.stored import WholeWeights, check_sha256
from zoo.hub.targets import TargetRow, read_targets, write_targets
from zoo.hub.weights import check_numbers, read_forms, read_tensors
from zoo.models._base import SequenceModel
from zoo.nn.adapters import Factors
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
        IntegrityError: a folder that is broken or does not fit the architecture, or a weight that is NaN.
    """
    return _load(folder, read_config(folder)).model


def save(
    model: SequenceModel,
    folder: str | Path,
    facts: ModelFacts,
    targets: list[TargetRow],
    example: dict[str, Tensor],
    recipe: str | None = None,
    seen: Seen | None = None,
    factors: Mapping[str, Factors] | None = None,
) -> Path:
    """Write a model as a checkpoint folder: complete, loaded again and verified, or nothing.

    Args:
        model: model of an architecture in `zoo/models/`; its arguments and weights are stored.
        folder: the new folder; its name should be the model's name.
        facts: for the card and `zoo list`.
        targets: a row for each target.
        example: arguments of `predict`, which are stored with the prediction.
        recipe: YAML of the configuration that trained the model; None where there is none.
        seen: what it was trained on; None where that is not known.
        factors: low-rank factors that were merged into the weights, by the name of the weight, maybe none: the weights
            are stored as a delta on those of `facts.run.base`. None to store them whole.

    Returns:
        The folder.

    Raises:
        ConfigError: target rows that are not the model's, or a class from outside `zoo.models`.
        IntegrityError: a base on which they cannot be a delta.
        OutputError: a folder that cannot be written.
    """
    folder = Path(folder)
    if [row.name for row in targets] != list(model.output.targets):
        raise ConfigError(f"the target rows {[row.name for row in targets]} are not the model's targets")
    architecture = architecture_of(model)
    # A copy is stored and predicts the example: the caller's model, on any device and of any precision, is not changed.
    copy = type(model)(**model.arguments).eval()
    copy.load_state_dict(model.state_dict(), strict=True)
    described = replace(
        facts,
        output=model.output.kind,
        targets=tuple(model.output.targets),
        input=describe_input(model.arguments),
        length=model.length if model.max_length else 0,
    )
    with whole_folder(folder) as draft:
        if factors is None:
            save_file({key: value.contiguous() for key, value in copy.state_dict().items()}, draft / WEIGHTS)
        else:
            described = _with_delta(draft / DELTA, copy, factors, described)
        with torch.inference_mode():
            save_file({**example, "expected": copy.predict(**example)}, draft / EXAMPLE)
        write_targets(draft / TARGETS, targets)
        if recipe is not None:
            (draft / RECIPE).write_text(recipe, encoding="utf-8")
        if seen is not None:
            write_seen(seen, draft / SEEN)
        files = [name for name in (WEIGHTS, DELTA, EXAMPLE, TARGETS, RECIPE, SEEN) if (draft / name).is_file()]
        hashes = {name: sha256_of(draft / name) for name in files}
        config = CheckpointConfig(described, architecture, model.arguments, _TOLERANCE, hashes)
        (draft / CONFIG).write_text(config.to_json(), encoding="utf-8")
        card = render_card(config, checkpoint_text(draft, TARGETS))
        (draft / CARD).write_text(card, encoding="utf-8")
        verify_folder(draft, facts.name)
    return folder


def verify_folder(folder: Path, name: str) -> Verification:
    """Recompute the example of a checkpoint folder.

    Args:
        folder: the checkpoint.
        name: name of the model, for messages.

    Raises:
        IntegrityError: a broken folder, an example that would take out of proportion long, or a prediction that is NaN
            or too far from the stored one.
    """
    config = read_config(folder)
    loaded = _load(folder, config)
    read_targets(folder)
    if os.path.lexists(folder / CARD):
        checkpoint_text(folder, CARD)
    example = read_tensors(folder / EXAMPLE)
    check_example_values(folder / EXAMPLE, example)
    expected = example.pop("expected")
    with explained(folder / EXAMPLE, "cannot be predicted"):
        shapes = {name: tuple(value.shape) for name, value in example.items()}
        check_work(loaded.on_meta, shapes, loaded.stored)
        with torch.inference_mode():
            predicted = loaded.model.predict(**example)
    difference = float(((predicted - expected).abs() / expected.abs().clamp(min=1)).max())  # NaN where one is
    stated = config.tolerance
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


class _Loaded(NamedTuple):
    """A model, the same on the meta device, and the bytes that are stored of its weights and example."""

    model: SequenceModel
    on_meta: SequenceModel
    stored: int


def _load(folder: Path, config: CheckpointConfig) -> _Loaded:
    """Load the model of a folder.

    The headers of the files are compared with a model that takes no memory, before the files are read and the model is
    built: nothing is believed of their sizes.
    """
    weights = DeltaWeights(folder, config) if config.delta_base else WholeWeights(folder, config)
    example = checkpoint_file(folder, EXAMPLE)
    stored = weights.size + example.stat().st_size
    with explained(folder / CONFIG, "does not fit the architecture"):
        architecture = load_architecture(config.architecture)
        on_meta = build_on_meta(architecture, config.arguments, weights.stored_forms, stored).eval()
    if on_meta.output.kind != config.facts.output:
        kind = on_meta.output.kind
        raise IntegrityError(f"{folder}/{CONFIG}: output is {config.facts.output}, but the model's {kind}")
    weights.check(on_meta)
    check_example(example, read_forms(example), on_meta)
    for name, published in config.sha256.items():
        check_sha256(checkpoint_file(folder, name), published)
    weights.check_base()
    with explained(folder / CONFIG, "does not fit the architecture"):
        model: SequenceModel = architecture(**config.arguments)
        state = weights.read()
        model.load_state_dict(state, strict=True)
    check_numbers(weights.path, state)
    return _Loaded(model.eval(), on_meta, stored)


def _with_delta(path: Path, model: SequenceModel, factors: Mapping[str, Factors], facts: ModelFacts) -> ModelFacts:
    """Write a delta, and return the facts with its size."""
    run = facts.training
    if run.base is None:
        raise ConfigError(f"{facts.name}: a delta needs a base, and none is known of this model")
    share = write_delta(path, model, factors, find_base(path, run.base, architecture_of(model)))
    return replace(facts, run=replace(run, base=replace(run.base, delta=share)))
