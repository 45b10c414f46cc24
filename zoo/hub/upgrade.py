"""Bring older formats of `config.json` and of the weights to the current one, before anything else reads them.

Format 1 (version 0.1.0): the validation split is called `valid`, reverse-complement averaging `both_strands`, and
RC-equivariant convolutions `shared_strands`; all sizes of an architecture are arguments of its constructor, and the
tensors of an ensemble are named by its nets, not by trunk and head.
"""

import re
from math import prod
from typing import Any, TypeVar

from zoo.errors import IntegrityError

__all__ = ["FORMAT", "upgrade_config", "upgrade_tensors"]

# The format that is written.
FORMAT = 2
Stored = TypeVar("Stored")
_MOST_FACTORS = 100  # of a bin size
_RENAMED = {
    "both_strands": "rc_average",
    "shared_strands": "rc_equivariant",
    "members": "ensemble_members",
    "crop": "crop_bins",
}
_MOTIFS = {
    "detectors": "filters",
    "width": "width_bases",
    "pool": "pool_bases",
    "pooling": "pooling",
    "strands": "strands",
    "detector_dropout": "dropout",
}
_CONV = {name: name for name in ("filters", "widths", "pools", "padding", "pool_first")} | {"conv_dropout": "dropout"}
_TRUNK = {
    "stem_width": "stem_width_bases",
    "stem_stride": "stem_stride_bases",
    "residual_dropout": "dropout",
    **{
        name: name
        for name in ("stem_filters", "stem_pool", "tower_filters", "tower_width", "tower_pools", "residual_filters")
    },
    **{name: name for name in ("dilations", "channel_dropout", "activation", "norm_momentum", "checkpointing")},
    **{name: name for name in ("fine_filters", "fine_dilations", "fine_after", "fine_dropout")},
}
_PAIR_MAP = {
    "reduced_filters": "reduced_filters",
    "reduced_width": "reduced_width_bins",
    "combine": "combine",
    "map_filters": "filters",
    "map_residual_filters": "residual_filters",
    "map_dilations": "dilations",
    "map_dropout": "dropout",
}
# For each architecture the arguments that became fields of one: argument -> {old name: field}.
_GROUPED: dict[str, dict[str, dict[str, str]]] = {
    "deepbind": {"motifs": _MOTIFS},
    "basset": {"conv": _CONV, "target_scale": {"centre": "centre", "spread": "spread"}},
    "basenji": {"trunk": _TRUNK, "target_scale": {"scales": "spread"}},
    "akita": {
        "trunk": _TRUNK,
        "pair_map": _PAIR_MAP,
        "inputs": {"inputs": "names", "input_size": "size", "input_pairs": "strand_pairs"},
    },
}
# For each architecture patterns of names of tensors and what they became. Those of the current format match none.
_TENSORS: dict[str, list[tuple[str, str]]] = {
    "mlp": [(r"trunk\.(\d+\.)", r"trunk.layers.\1"), (r"head\.(weight|bias)$", r"head.0.\1")],
    "deepbind": [
        (r"detectors$", "trunk.filters"),
        (r"thresholds$", "trunk.biases"),
        (r"head\.(\d+\.)", r"head.layers.\1"),
    ],
    "basset": [
        (r"members\.(\d+)\.trunk\.", r"trunk.members.\1.blocks."),
        (r"members\.(\d+)\.head\.", r"head.members.\1."),
    ],
    "basenji": [(r"trunk\.(\d+\.)", r"trunk.blocks.\1")],
    "akita": [
        (r"trunk\.(\d+\.)", r"trunk.sequence.blocks.\1"),
        (r"reduce\.", "trunk.reduce."),
        (r"map\.", "trunk.pair_map.blocks."),
        (r"join\.pool|join\.layers", r"trunk.pair_map.\g<0>"),
        (r"join\.\d+\.", r"trunk.sequence.\g<0>"),
        (r"head\.(weight|bias)$", r"head.dense.\1"),
    ],
}


def upgrade_config(config: dict[str, Any]) -> dict[str, Any]:
    """Bring the content of a `config.json` to the current format.

    Args:
        config: configuration of any format up to `FORMAT`; it is not changed.

    Returns:
        The same content in the current format.

    Raises:
        IntegrityError: a format that this version of zoo does not know.
    """
    version = config.get("format")
    if type(version) is not int or not 1 <= version <= FORMAT:
        raise IntegrityError(f"config.json has format {version!r}; this version of zoo reads formats 1 to {FORMAT}")
    if version == FORMAT:
        return config
    arguments = _upgrade_arguments(config["architecture"], config["arguments"])
    upgraded = {**config, "format": FORMAT, "arguments": arguments}
    if run := config.get("run"):
        metrics = {_split_name(split): scores for split, scores in run["metrics"].items()}
        lines = [line.replace("valid: ", "val: ", 1) if line.startswith("valid: ") else line for line in run["data"]]
        upgraded["run"] = {**run, "metrics": metrics, "data": lines}
    return upgraded


def upgrade_tensors(state: dict[str, Stored], architecture: str, stored_format: int) -> dict[str, Stored]:
    """Bring the names of the tensors of a checkpoint to the current format.

    Args:
        state: tensors, or what is known of them, by name as stored.
        architecture: a file in `zoo/models/`.
        stored_format: format in which they are stored.

    Returns:
        The same values in the same order under the names that the architecture has now.

    Raises:
        IntegrityError: two of them would have one name.
    """
    if stored_format == FORMAT:
        return state
    patterns = _TENSORS.get(architecture, [])
    if architecture == "basset" and not any(name.startswith("members.1.") for name in state):
        patterns = [(r"members\.0\.trunk\.", "trunk.blocks."), (r"members\.0\.head\.", "head.")]  # no ensemble
    renamed = {}
    for name, value in state.items():
        matching = ((pattern, new) for pattern, new in patterns if re.match(pattern, name))
        pattern, new = next(matching, ("", ""))
        renamed[re.sub(pattern, new, name, count=1) if pattern else name] = value
    if len(renamed) < len(state):
        raise IntegrityError("two tensors have one name in the current format")
    return renamed


def _upgrade_arguments(architecture: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Rename and group arguments of format 1."""
    arguments = {**arguments, **_changed_values(architecture, arguments)}
    groups = _GROUPED.get(architecture, {})
    fields = {old: (group, new) for group, names in groups.items() for old, new in names.items()}
    upgraded: dict[str, Any] = {}
    for name, value in arguments.items():
        if name in fields:
            group, new = fields[name]
            upgraded.setdefault(group, {})[new] = value
        else:
            upgraded[_RENAMED.get(name, name)] = value
    scale = upgraded.get("target_scale")
    if scale is not None and all(value is None for value in scale.values()):
        upgraded["target_scale"] = None
    return upgraded


def _changed_values(architecture: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of format 1 whose values changed: renamed, or a default that None stood for."""
    if architecture == "deepbind" and arguments.get("strands") == "best_detector":
        return {"strands": "best_filter"}
    if architecture != "akita":
        return {}
    factors = [arguments["stem_stride"], arguments["stem_pool"], *arguments["tower_pools"]]
    if not all(type(factor) is int for factor in factors) or len(factors) > _MOST_FACTORS:
        raise ValueError(f"the stride and the pools must be at most {_MOST_FACTORS} whole numbers")
    bin_size = prod(factors)
    return {
        "input_size": bin_size if arguments.get("input_size") is None else arguments["input_size"],
        "input_pairs": arguments.get("input_pairs") or [],
    }


def _split_name(name: str) -> str:
    return "val" if name == "valid" else name
