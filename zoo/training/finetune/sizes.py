"""Lengths of sequences and sizes of bins that the base of a fine-tuning takes."""

from zoo.batch import DataSpec
from zoo.errors import ConfigError
from zoo.hub.architectures import load_architecture
from zoo.hub.config import CheckpointConfig
from zoo.training.finetune.network import depends_on_length

__all__ = ["bin_size_of", "check_bin_size", "check_sizes", "length_for", "rounded_length"]


def check_sizes(base: CheckpointConfig, spec: DataSpec) -> None:
    """Check the length of sequences and the size of bins.

    Args:
        base: config of the base.
        spec: specification of the data.

    Raises:
        ConfigError: those of the data do not fit the base.
    """
    if spec.kind == "tracks":
        check_bin_size(base, spec.bin_size)
    if spec.kind == "contacts" and base.facts.output == "contacts" and spec.bin_size != bin_size_of(base):
        raise ConfigError(
            f"the bins of {base.facts.name} have {bin_size_of(base):,} bases, the cooler's {spec.bin_size:,}: take a "
            "map of its resolution, such as file.mcool::resolutions/N or one of `cooler zoomify`"
        )
    if spec.kind != "labels":
        return
    name = base.facts.name
    wanted = length_for(base, spec.length)
    if wanted != spec.length:
        raise ConfigError(
            f"the sequences have {spec.length:,} bases, and {name} takes {wanted:,}: make a table of sites with "
            f"`zoo data peaks --length {wanted}`; for peak files add --data.rules.length {wanted}, for sequences "
            f"--data.resize {wanted}"
        )


def check_bin_size(base: CheckpointConfig, size: object) -> None:
    """Check the size of the bins of tracks.

    Args:
        base: config of the base.
        size: bases per bin of the data, as a number or as an option has it.

    Raises:
        ConfigError: the base has others.
    """
    own = bin_size_of(base)
    if str(size) != str(own):
        raise ConfigError(f"the bins of {base.facts.name} have {own} bases, not {size}: leave out --data.bin_size")


def bin_size_of(base: CheckpointConfig) -> int | None:
    """Bases per bin of a base that predicts bins; None for another."""
    trunk = base.arguments.get("trunk")
    if base.facts.output == "labels" or not isinstance(trunk, dict):
        return None
    return int(load_architecture(base.architecture)(**base.arguments).output.bin_size)  # type: ignore[attr-defined]


def length_for(base: CheckpointConfig, length: int) -> int:
    """The length that a base takes for sequences of a length: itself where it can."""
    if base.facts.output != "labels":
        return rounded_length(base, length)
    own = int(base.arguments["length"])
    is_fixed = not base.arguments.get("scan") and length != own and depends_on_length(base, length)
    return own if is_fixed else length


def rounded_length(base: CheckpointConfig, length: int) -> int:
    """The next length that the bins of a base divide."""
    size = bin_size_of(base) or 1
    return -(-length // size) * size
