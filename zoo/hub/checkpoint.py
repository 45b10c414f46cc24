"""Checkpoint folders: save a model as one, complete and verified.

A folder is, byte for byte, what a repository on the Hugging Face Hub holds: `config.json` (the architecture, its
arguments, the facts, the sha256 of the rest), `model.safetensors` (or `delta.safetensors`: what differs from a base's
weights), `targets.tsv`, `example.safetensors` (arguments of `predict` and the expected prediction), `README.md` (the
card) and, of a run of `zoo train`, `recipe.yaml` and `seen.safetensors` (what it was trained on);
`zoo background` adds `background.safetensors` (scores of random variants).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from zoo.errors import ConfigError
from zoo.hub.base import find_base
from zoo.hub.cards import render_card
from zoo.hub.config import CheckpointConfig
from zoo.hub.delta import write_delta
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
    checkpoint_text,
)
from zoo.hub.seen import Seen, write_seen
from zoo.hub.targets import TargetRow, write_targets
from zoo.hub.verification import verify_folder
from zoo.models._base import SequenceModel
from zoo.nn.adapters import Factors
from zoo.utils.atomic import whole_folder
from zoo.utils.download import sha256_of

__all__ = ["architecture_of", "save"]

# What a new checkpoint allows itself: processors and releases of torch add numbers in different orders.
_TOLERANCE = 1e-4


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


def _with_delta(path: Path, model: SequenceModel, factors: Mapping[str, Factors], facts: ModelFacts) -> ModelFacts:
    """Write a delta, and return the facts with its size."""
    run = facts.training
    if run.base is None:
        raise ConfigError(f"{facts.name}: a delta needs a base, and none is known of this model")
    share = write_delta(path, model, factors, find_base(path, run.base, architecture_of(model)))
    return replace(facts, run=replace(run, base=replace(run.base, delta=share)))
