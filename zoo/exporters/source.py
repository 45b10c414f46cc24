"""What is exported: a model, its example, and what its file says of it."""

import hashlib
import json
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor

from zoo.exporters.graph import lengths_of
from zoo.genome.sequence import ALPHABET
from zoo.hub.config import CheckpointConfig, read_config
from zoo.hub.example import example_for
from zoo.hub.facts import NOT_STATED
from zoo.hub.load import discarding_damaged, resolve
from zoo.hub.loading import load_checked
from zoo.hub.targets import read_targets
from zoo.hub.verification import read_example
from zoo.models._base import SequenceModel
from zoo.utils.version import __version__

__all__ = ["Source", "given_source", "named_source"]

_FACTS = ("name", "summary", "species", "cell_type", "assay", "use", "limits", "licence", "source")


class Source(NamedTuple):
    """What is exported.

    Attributes:
        subject: what messages call the model.
        model: in evaluation mode, on the CPU.
        example: arguments of `predict`, and what is `expected` of them.
        metadata: what the file says of the model.
    """

    subject: str
    model: SequenceModel
    example: dict[str, Tensor]
    metadata: dict[str, str]


def named_source(name: str) -> Source:
    """Load a model by name, with its stored example.

    Args:
        name: as of `zoo.load`, with the same errors.
    """
    folder = resolve(name)
    with discarding_damaged(folder):
        config = read_config(folder)
        loaded = load_checked(folder, config)
        rows, example = read_targets(folder), read_example(folder, loaded)
    known = {field: getattr(config.facts, field) for field in _FACTS} | _weights_facts(config)
    units = {"units": [row.unit for row in rows], "descriptions": [row.description for row in rows]}
    metadata = _metadata(loaded.model, {**known, "architecture": config.architecture, **units})
    return Source(name, loaded.model, example, metadata)


def given_source(model: SequenceModel) -> Source:
    """Copy a model, so that the caller's, on any device and of any precision, is not changed; make an example.

    Args:
        model: the model.
    """
    copy = type(model)(**model.arguments).eval()
    copy.load_state_dict(model.state_dict(), strict=True)
    example = example_for(copy, copy.length)
    with torch.inference_mode():
        example["expected"] = copy.predict(**example)
    state = {key: value.contiguous() for key, value in copy.state_dict().items()}
    facts = {
        "architecture": type(model).__module__.rpartition(".")[2],
        "units": [model.loss.unit] * len(model.output.targets),
        "licence": NOT_STATED,
        "source": NOT_STATED,
        "weights_sha256": hashlib.sha256(save(state)).hexdigest(),
    }
    return Source(type(model).__name__, copy, example, _metadata(copy, facts))


def _weights_facts(config: CheckpointConfig) -> dict[str, str]:
    """The sha256 of the weights, and of a delta those of its base too."""
    facts = {"weights_sha256": config.sha256[config.weights_file]}
    if base := config.delta_base:
        facts |= {"base": base.name, "base_weights_sha256": base.sha256}
    return facts


def _metadata(model: SequenceModel, facts: dict[str, Any]) -> dict[str, str]:
    """What a file says of a model, in words; lists as JSON. What is empty is left out."""
    output, lengths = model.output, lengths_of(model)
    known = {
        **facts,
        "output": output.kind,
        "targets": list(output.targets),
        **{key: getattr(output, key, None) for key in ("bins", "bin_size", "crop", "diagonal", "strand_pairs")},
        "length": model.length,
        "shortest": lengths.least,
        "longest": lengths.most,
        "channels": ALPHABET,
        "unknown_base": model.unknown_base,
        "input_names": list(model.inputs.names),
        "input_size": model.inputs.size if model.inputs.names else None,
        "regzoo_version": __version__,
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in known.items()
        if value not in (None, "", [], ())
    }
