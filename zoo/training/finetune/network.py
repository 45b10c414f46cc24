"""The network that is fine-tuned: the base's own, or one of another kind of output that holds the base's trunk."""

from dataclasses import asdict, fields
from typing import Any

import torch

from zoo.batch import DataSpec
from zoo.errors import ConfigError
from zoo.hub.architectures import load_architecture
from zoo.hub.config import CheckpointConfig
from zoo.models._base import SequenceModel
from zoo.models.akita import AkitaTrunkConfig
from zoo.nn.trunk import TrunkConfig

__all__ = ["Network", "check_kinds", "choose_network", "depends_on_length"]

# Arguments that follow from the data, or belong to the base's own targets.
_OF_DATA = ("targets", "length", "crop_bins", "strand_pairs", "diagonal", "inputs", "target_scale", "loss")
# Sizes of a map on a trunk of tracks: those of `configs/akita.yeast.yaml`, where they were chosen.
_MAP = {
    "reduced_filters": 48,
    "filters": 32,
    "residual_filters": 32,
    "dilations": [1, 2, 4, 8],
    "dropout": 0.1,
}
_COARSE = {"residual_filters": 48, "dilations": [1, 2, 4, 8, 16], "dropout": 0.3, "fine_dropout": 0.3}
_COARSE_FILTERS, _LARGEST_POOL = 96, 7


class Network:
    """Class and arguments of a model, as a configuration has them.

    Args:
        architecture: name of the architecture.
        arguments: arguments of its constructor but those that follow from the data.
        is_base: whether it is the architecture of the base, so that layers of its head can be taken too.
    """

    def __init__(self, architecture: str, arguments: dict[str, Any], is_base: bool) -> None:
        self.architecture, self.arguments, self.is_base = architecture, arguments, is_base

    @property
    def config(self) -> dict[str, Any]:
        """What a configuration holds as `model`."""
        cls = load_architecture(self.architecture)
        return {"class_path": f"{cls.__module__}.{cls.__qualname__}", "init_args": self.arguments}


def choose_network(base: CheckpointConfig, spec: DataSpec, classify: bool) -> Network:
    """Choose the network for data of any kind.

    Args:
        base: config of the base.
        spec: specification of the data.
        classify: whether labels are classes.

    Raises:
        ConfigError: a kind of data for which the base's trunk cannot be used, or other input tracks.
    """
    check_kinds(base, spec.kind)
    _check_inputs(base, spec)
    own = {key: value for key, value in base.arguments.items() if key not in _OF_DATA}
    if base.facts.output == spec.kind:
        loss = base.arguments.get("loss")
        if spec.kind == "labels":
            loss = "binary_cross_entropy" if classify else "mean_squared_error"
        return Network(base.architecture, {**own, "loss": loss}, is_base=True)
    if spec.kind == "labels":
        return _labels_network(base, classify)
    return Network("akita", _map_arguments(base, spec), is_base=False)


def check_kinds(base: CheckpointConfig, kind: str) -> None:
    """Refuse data of a kind for which the base's trunk cannot be used.

    Args:
        base: config of the base.
        kind: kind of the data.

    Raises:
        ConfigError: labels or contacts with any other base than one of tracks, or tracks with another than that.
    """
    if base.facts.output != kind and (base.architecture != "basenji" or kind == "tracks"):
        raise ConfigError(
            f"{base.facts.name} predicts {base.facts.output}, and these data are {kind}: of another kind, only the "
            "trunk of a model of tracks (basenji.*) can be fine-tuned, for labels and for contacts"
        )


def depends_on_length(base: CheckpointConfig, length: int) -> bool:
    """Whether a base's trunk has other shapes, or cannot be built, for sequences of another length.

    Args:
        base: config of the base.
        length: bases of the sequences.
    """
    cls = load_architecture(base.architecture)
    shapes = []
    for bases in (base.arguments["length"], length):
        try:
            with torch.device("meta"):
                model: SequenceModel = cls(**{**base.arguments, "length": bases})
        except ConfigError:
            return True
        shapes.append({name: tuple(value.shape) for name, value in model.trunk.state_dict().items()})
    return shapes[0] != shapes[1]


def _check_inputs(base: CheckpointConfig, spec: DataSpec) -> None:
    """Refuse data whose input tracks are not those that the base reads."""
    given = base.arguments.get("inputs") or {}
    names = tuple(given.get("names", ()) if isinstance(given, dict) else given)
    if names != tuple(spec.inputs.names):
        reads = f"the tracks {', '.join(names)}" if names else "the sequence alone"
        cure = "name them with --data.inputs_table" if names else "leave out --data.inputs_table"
        raise ConfigError(f"{base.facts.name} reads {reads}: {cure}")


def _labels_network(base: CheckpointConfig, classify: bool) -> Network:
    loss = "binary_cross_entropy" if classify else "mean_squared_error"
    arguments = {"trunk": base.arguments["trunk"], "rc_average": base.arguments.get("rc_average", True), "loss": loss}
    return Network("basenji_labels", arguments, is_base=False)


def _map_arguments(base: CheckpointConfig, spec: DataSpec) -> dict[str, Any]:
    """Arguments of an Akita whose trunk begins with that of a Basenji, pooled further to the bins of the contacts."""
    stored = base.arguments["trunk"]
    trunk = TrunkConfig(**{field.name: stored[field.name] for field in fields(TrunkConfig) if field.name in stored})
    pools = _factors((spec.bin_size or 1) // trunk.bin_size) if (spec.bin_size or 1) % trunk.bin_size == 0 else None
    if not pools:
        raise ConfigError(
            f"the bins of {base.facts.name} have {trunk.bin_size:,} bases, of which the {spec.bin_size:,} bases of the "
            f"contacts' bins are no multiple with factors up to {_LARGEST_POOL}: take another resolution"
        )
    wide = [*trunk.tower_filters, *[_COARSE_FILTERS] * len(pools)]
    own = {key: value for key, value in asdict(trunk).items() if key not in _COARSE}
    fine = {
        "fine_filters": trunk.residual_filters,
        "fine_dilations": list(trunk.dilations),
        "fine_after": len(trunk.tower_filters),
    }
    tower = {"tower_filters": wide, "tower_pools": [*trunk.tower_pools, *pools]}
    known = {field.name for field in fields(AkitaTrunkConfig)}
    sizes = {key: value for key, value in {**own, **_COARSE, **fine, **tower}.items() if key in known}
    return {"trunk": sizes, "pair_map": _MAP, "rc_average": True}


def _factors(number: int) -> list[int] | None:
    """Factors from 2 to 7 whose product is a number; None where there are none."""
    factors: list[int] = []
    for factor in (5, 4, 3, 7, 6, 2):
        while number % factor == 0:
            factors.append(factor)
            number //= factor
    return factors if number == 1 else None
