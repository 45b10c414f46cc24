"""Plan of a fine-tuning: a whole configuration of `zoo train`, chosen from a base and data, with the reasons."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

from lightning.fabric.utilities.rank_zero import rank_zero_only

from zoo.batch import DataSpec
from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError, InputError
from zoo.hub.architectures import load_architecture
from zoo.hub.config import CheckpointConfig, read_config
from zoo.hub.load import resolve
from zoo.hub.seen_share import seen_reports
from zoo.nn.losses import find_loss
from zoo.training.finetune.choices import Plan, describe_choices
from zoo.training.finetune.compose import compose
from zoo.training.finetune.data import (
    DataPlan,
    Files,
    build_data,
    choose_for_base,
    count_examples,
    is_of_data,
    with_options,
)
from zoo.training.finetune.network import Network, choose_network
from zoo.training.finetune.settings import Settings, choose_settings
from zoo.training.finetune.sizes import check_sizes
from zoo.training.finetune.splits import choose_splits, few_of_validation
from zoo.training.licence import check_licences
from zoo.training.transfer import check_mode

__all__ = ["Request", "make_plan"]

_MODE, _BASE = "--transfer.mode", "--transfer.trunk_from"


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Attributes:
        base: name of the model to begin with.
        files: data files.
        mode: what is trained; None for what suits.
        name: name of the new model; None for the base's architecture and the name of the data.
        options: further options and values of `zoo train`, in turn.
        strict_split: refuse test data that the base has seen in training, or where that is not known.
    """

    base: str
    files: Files
    mode: str | None = None
    name: str | None = None
    options: Sequence[str] = ()
    strict_split: bool = False


def make_plan(request: Request) -> Plan:
    """Choose everything that a fine-tuning needs; prepares the data, to count them.

    Raises:
        ConfigError: what does not fit the base, or a licence that forbids derived models.
        InputError: data that cannot be read, or that the base has seen and the request does not want.
        UnknownNameError: no model of that name.
    """
    request = _checked(request)
    base = read_config(resolve(request.base))
    check_licences(request.base)
    data = choose_for_base(base, request.files, request.options)
    built = build_data(data.config, request.options)
    if choose_splits(data, built):
        built = build_data(data.config, request.options)
    spec, classify = built.spec(), bool(getattr(built, "classify", False))
    check_sizes(base, spec)
    network = choose_network(base, spec, classify)
    count, per_epoch = count_examples(built)
    few = few_of_validation(built)
    settings = _settings(request, data, built, network, count, per_epoch)
    if few:
        settings = replace(settings, monitor="val_loss")
    settings = replace(settings, monitor=_given(request).get("monitor", settings.monitor))
    head = _head(base, network, spec)
    if head == "copy" and "target_scale" in base.arguments:
        network.arguments["target_scale"] = _target_scale(base, spec)
    pairs = _pairs(request.options)
    plan = Plan({}, [word for pair in pairs if not is_of_data(pair[0]) for word in pair], pairs)
    describe_choices(plan, base, data, network, settings, head, count)
    if few:
        plan.choose("monitor", settings.monitor, f"{few}: a score by rank says little of so few", "monitor")
    _compare_with_base(plan, request, built)
    plan.config = compose(request.name, request.base, request.options, base, data, network, settings, head, spec)
    return plan


def _checked(request: Request) -> Request:
    """A request whose mode is in its place, and known; refuses options that another one is for."""
    given = dict(_pairs(request.options))
    if whole := [option for option in ("--config", "--model", "--transfer", "--trainer") if option in given]:
        raise ConfigError(
            f"{whole[0]} would replace what zoo finetune chooses: give single options, such as --trainer.max_epochs 5; "
            "or print the configuration with --print_config, edit it, and train it with zoo train"
        )
    if _BASE in given:
        raise ConfigError(f"the model to begin with is {request.base}: name another one there, not with {_BASE}")
    if _MODE in given:
        if request.mode not in (None, given[_MODE]):
            raise ConfigError(f"--mode {request.mode} and {_MODE} {given[_MODE]} contradict each other: leave out one")
        others = [word for pair in _pairs(request.options) if pair[0] != _MODE for word in pair]
        request = replace(request, mode=given[_MODE], options=others)
    if request.mode is not None:
        check_mode(request.mode, "--mode")
    return request


def _settings(
    request: Request, data: DataPlan, built: GenomicDataModule, network: Network, count: int, per_epoch: int
) -> Settings:
    """Rates, epochs and what is trained, for the loss and the batches that were given or chosen."""
    loss = _given(request).get("model.loss") or network.arguments.get("loss") or _default_loss(network.architecture)
    is_size_given = "batch_size" in with_options(data.config, request.options).get("init_args", {})
    batch_size = getattr(built, "batch_size", None) if is_size_given else None
    return choose_settings(data.kind, count, per_epoch, find_loss(loss), request.mode, batch_size)


def _given(request: Request) -> dict[str, str]:
    """Options of `zoo train` that were given, without `--` and `init_args`."""
    return {option.removeprefix("--").replace(".init_args", ""): value for option, value in _pairs(request.options)}


def _pairs(options: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(options[::2], options[1::2], strict=True))


def _compare_with_base(plan: Plan, request: Request, data: GenomicDataModule) -> None:
    """Add which share of the test data the base has seen in training, with a warning if it has.

    Raises:
        InputError: it has, or that is not known, and the request does not want that.
    """
    if getattr(rank_zero_only, "rank", 0):  # the first process says it, and refuses before it starts others
        return
    for report in seen_reports(resolve(request.base), data):
        if request.strict_split and (report.is_leak or report.share is None):
            raise InputError(f"--strict-split: {report}")
        plan.choose("test data", report, "WARNING: test scores will be too high" if report.is_leak else "")


def _default_loss(architecture: str) -> str:
    """The loss of an architecture that is not given one."""
    return str(signature(load_architecture(architecture)).parameters["loss"].default)


def _head(base: CheckpointConfig, network: Network, spec: DataSpec) -> str:
    """What is taken of the base's head: all of it where it knows the targets, else its hidden layers."""
    if not network.is_base:
        return "new"
    is_known = set(spec.targets) <= set(base.facts.targets) and network.arguments["loss"] == base.arguments.get("loss")
    if not is_known or base.arguments["length"] != spec.length:
        return "layers"
    partners = _partners(base.facts.targets, base.arguments.get("strand_pairs"))
    own = _partners(spec.targets, spec.strand_pairs)
    return "copy" if all(partners[target] == partner for target, partner in own.items()) else "layers"


def _partners(targets: Sequence[str], pairs: Sequence[int] | None) -> dict[str, str]:
    """Each target with its partner on the other strand, itself where it has none."""
    return {target: targets[index] for target, index in zip(targets, pairs or range(len(targets)), strict=True)}


def _target_scale(base: CheckpointConfig, spec: DataSpec) -> dict[str, Any] | None:
    """The units of the base's targets, for those of them that the data have."""
    scale = base.arguments["target_scale"]
    if scale is None:
        return None
    rows = [list(base.facts.targets).index(target) for target in spec.targets]
    return {key: [value[row] for row in rows] if isinstance(value, list) else value for key, value in scale.items()}
