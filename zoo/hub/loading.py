"""Load the model of a checkpoint folder, strictly: everything is checked before it is believed."""

from pathlib import Path
from typing import NamedTuple

from zoo.errors import IntegrityError
from zoo.hub.architectures import explained, load_architecture
from zoo.hub.config import CheckpointConfig, read_config
from zoo.hub.delta import DeltaWeights
from zoo.hub.example import check_example
from zoo.hub.folder import CONFIG, EXAMPLE, checkpoint_file
from zoo.hub.meta_device import build_on_meta
from zoo.hub.stored import WholeWeights, check_sha256
from zoo.hub.weights import check_numbers, read_forms
from zoo.models._base import SequenceModel

__all__ = ["LoadedModel", "load_checked", "load_folder"]


class LoadedModel(NamedTuple):
    """A model, the same on the meta device, and the bytes that are stored of its weights and example."""

    model: SequenceModel
    on_meta: SequenceModel
    stored: int


def load_checked(folder: Path, config: CheckpointConfig) -> LoadedModel:
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
    return LoadedModel(model.eval(), on_meta, stored)


def load_folder(folder: Path) -> SequenceModel:
    """Load the model of a checkpoint folder, strictly: every sha256 and every tensor name and shape must match.

    Returns:
        The model in evaluation mode, on the CPU.

    Raises:
        IntegrityError: a folder that is broken or does not fit the architecture, or a weight that is NaN.
    """
    return load_checked(folder, read_config(folder)).model
