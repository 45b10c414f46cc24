"""The data of a fine-tuning: a user's files, in the lengths and bins of the base."""

import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from jsonargparse import ArgumentParser
from lightning import LightningDataModule

from zoo.data.base import GenomicDataModule
from zoo.data.own_files import DataChoice, choose_data
from zoo.errors import ConfigError
from zoo.formats.cooler import CoolerFile
from zoo.hub.config import CheckpointConfig
from zoo.training.finetune.network import check_kinds
from zoo.training.finetune.sizes import bin_size_of, check_bin_size, length_for, rounded_length
from zoo.training.given import Given, override
from zoo.training.messages import explain, explain_remainder
from zoo.training.parse import REFUSALS

__all__ = ["DataPlan", "Files", "build_data", "choose_for_base", "count_examples", "is_of_data", "with_options"]

# Bases of a site around a peak, as published for Basset, where the base takes any length.
_SITE = 600
# Bins of a window of contacts, and those on each side that are context only, on the trunk of a model of tracks.
_MAP_BINS, _MAP_CROP = 80, 8


@dataclass(frozen=True)
class Files:
    """Data files as the command line names them.

    Attributes:
        paths: see `zoo.data.own_files.choose_data`.
        genome: FASTA file of the genome; None for sequences.
        negatives: FASTA file of negatives; None for none.
        targets: columns of labels; None for all.
    """

    paths: Sequence[str] = ()
    genome: str | None = None
    negatives: str | None = None
    targets: Sequence[str] | None = None


@dataclass
class DataPlan:
    """Data of a fine-tuning.

    Attributes:
        config: what a configuration holds as `data`.
        kind: kind of the targets.
        reasons: a line on each choice.
    """

    config: Given
    kind: str
    reasons: list[str] = field(default_factory=list)


def choose_for_base(base: CheckpointConfig, files: Files, options: Sequence[str]) -> DataPlan:
    """Choose the DataModule, in the lengths and bins that the base reads.

    Args:
        base: config of the base.
        files: data files; without any, the options name a DataModule.
        options: options and values of `zoo train` in turn; those of the data come first of all.

    Raises:
        ConfigError: no data, or what contradicts the base.
        InputError: files that cannot be read.
    """
    if not files.paths:
        plan = _given_data(options)
        check_kinds(base, plan.kind)
        return plan
    bin_size = bin_size_of(base) if base.facts.output == "contacts" else None
    choice = choose_data(files.paths, files.genome, files.negatives, files.targets, bin_size)
    check_kinds(base, choice.kind)
    sizes = [value for option, value in zip(options[::2], options[1::2], strict=True) if option == "--data.bin_size"]
    if choice.kind == "tracks" and sizes:
        check_bin_size(base, sizes[-1])
    arguments, reasons = dict(choice.init_args), list(choice.reasons)
    if choice.kind == "labels":
        _fit_labels(base, choice, arguments, reasons)
    elif base.facts.output != choice.kind:
        _fit_map(arguments, reasons)
    else:
        _fit_windows(base, choice, arguments, reasons)
    return DataPlan({"class_path": choice.class_path, "init_args": arguments}, choice.kind, reasons)


def build_data(config: Given, options: Sequence[str]) -> GenomicDataModule:
    """Build the DataModule of a configuration and the options that override it.

    Args:
        config: what a configuration holds as `data`.
        options: options and values of `zoo train` in turn.

    Raises:
        ConfigError: a value that does not fit.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(LightningDataModule, "data", required=True)
    given = {"data": with_options(config, options)}
    try:
        data: GenomicDataModule = parser.instantiate_classes(parser.parse_object(given)).data
    except REFUSALS as error:
        message = explain(given, {"data": LightningDataModule}, needed=()) or explain_remainder(str(error))
        raise ConfigError(message) from None
    return data


def with_options(config: Given, options: Sequence[str]) -> Given:
    """What a configuration holds as `data`, with the options that are of the data.

    Args:
        config: as it is without them; left as it is.
        options: options and values of `zoo train` in turn.
    """
    given: Given = {"data": deepcopy(config)}
    for option, value in zip(options[::2], options[1::2], strict=True):
        if is_of_data(option):
            override(given, option.removeprefix("--"), value)
    data = given["data"]
    if isinstance(data, str):
        return {"class_path": data, "init_args": {}}
    return {**data, "init_args": dict(data["init_args"])} if "init_args" in data else data


def is_of_data(option: str) -> bool:
    """Whether an option is of the data."""
    return option == "--data" or option.startswith("--data.")


def count_examples(data: GenomicDataModule) -> tuple[int, int]:
    """Count what there is for training: sequences, with the shuffles that are added to them, or windows.

    Prepares the data; what is to be said of that, training says again.

    Returns:
        All of them, and those of an epoch.
    """
    log = logging.getLogger("zoo")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        data.prepare_data()
        data.setup("fit")
        loader = data.train_dataloader()
    finally:
        log.setLevel(level)
    return len(loader.dataset), len(loader.sampler)


def _given_data(options: Sequence[str]) -> DataPlan:
    data = with_options({}, options)
    if "class_path" not in data:
        raise ConfigError("name your data: files such as bound.fa, peaks.narrowPeak, coverage.bw or contacts.mcool")
    return DataPlan(data, build_data(data, ()).spec().kind)


def _fit_labels(base: CheckpointConfig, choice: DataChoice, arguments: Given, reasons: list[str]) -> None:
    """Give sequences or sites a length that the base's trunk takes."""
    length = int(base.arguments["length"])
    if choice.class_path.endswith("PeakDataModule"):
        if "peaks" in arguments:
            wanted = length if base.facts.output == "labels" else rounded_length(base, _SITE)
            arguments["rules"] = {"length": wanted}
            reasons.append(f"length: sites of {wanted} bp around peaks, which the base's trunk takes")
        return
    spec_length = build_data({"class_path": choice.class_path, "init_args": arguments}, ()).spec().length
    wanted = length_for(base, spec_length)
    if wanted != spec_length:
        arguments["resize"] = wanted
        what = "the central" if wanted < spec_length else "padded with N to"
        reasons.append(f"length: {what} {wanted} bp of the sequences of {spec_length} bp, which the base's trunk takes")


def _fit_map(arguments: Given, reasons: list[str]) -> None:
    """Give windows of contacts a length for a model of tracks, which has none for them."""
    size = CoolerFile(next(iter(arguments["coolers"].values()))).bin_size
    arguments |= {"length": _MAP_BINS * size, "crop": _MAP_CROP, **_map_windows(_MAP_BINS, size)}
    reasons.append(f"windows: {_MAP_BINS * size:,} bp, {_MAP_BINS} bins of {size:,} bp (--data.length for others)")


def _map_windows(bins: int, size: int) -> Given:
    """Overlap, shifts and smoothing of contact maps in training, for windows of so many bins of so many bases."""
    return {"stride": max(1, bins // 5), "shift": bins // 10 * size, "maps": {"smooth": 1.0}}


def _fit_windows(base: CheckpointConfig, choice: DataChoice, arguments: Given, reasons: list[str]) -> None:
    """Give windows the length, bins and crop of the base."""
    own = base.arguments
    arguments["length"] = own["length"]
    size = bin_size_of(base) or 1
    if choice.kind == "tracks":
        arguments |= {"bin_size": size, "crop": own["crop_bins"], "shift": own["length"] * 7 // 16 // size * size}
    else:
        arguments |= {
            "crop": own["crop_bins"],
            "diagonal": own["diagonal"],
            **_map_windows(own["length"] // size, size),
        }
    reasons.append(f"windows: {own['length']:,} bp, bins of {size:,} bp, those of the base")
