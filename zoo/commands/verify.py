"""`zoo verify`: prove that models are what was published."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.models import NAME_HELP
from zoo.commands.several import run_each
from zoo.errors import ConfigError
from zoo.utils.text import counted

if TYPE_CHECKING:
    from zoo.hub.verification import Verification

__all__ = ["add_verify"]


def add_verify(verbs: Any) -> None:
    """Add the verb `verify` and its options."""
    verb = verbs.add_parser(
        "verify",
        help="prove that a model is what was published",
        description="Compare the files of a model with their sha256, load its weights strictly, predict the sequences "
        "that are stored with it again, and compare with the stored predictions. Allowed differences: 1e-4 on the CPU "
        "(or what the checkpoint states), 1e-3 on a GPU, .02 in 16, .1 in bf16, of values above 1 relative to them.",
    )
    verb.add_argument("names", metavar="NAME", nargs="*", help=NAME_HELP)
    verb.add_argument("--all", action="store_true", help="all models of this computer, and those of the pinned list")
    verb.add_argument("--published", action="store_true", help="with --all: also those that others published")
    verb.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, mps, or auto")
    verb.add_argument("--precision", choices=("32", "bf16", "16"), default="32", help="arithmetic (default 32)")
    verb.set_defaults(run=verify_command)


def verify_command(options: argparse.Namespace) -> None:
    """Verify models one by one; those that fail are said at the end.

    Raises:
        ConfigError: some of several models failed.
    """
    names = _names(options)
    from zoo.hub.load import verify
    from zoo.inference.device import find_device

    device = find_device(options.device)
    run_each(names, lambda name: print(_described(verify(name, device, options.precision)), flush=True), "failed")
    if options.all:
        print(f"{counted(len(names), 'model')} verified")


def _names(options: argparse.Namespace) -> list[str]:
    from zoo.hub.registry import find, list_locations

    if bool(options.names) == options.all:
        raise ConfigError("NAME is missing: name the models to verify, or --all for those of this computer")
    if options.published and not options.all:
        raise ConfigError("--published belongs to --all")
    if options.all:
        broken: list[Path] = []
        names = [one.facts.name for one in list_locations(broken=broken) if one.config or options.published]
        return [*names, *(f"local-dir:{folder}" for folder in broken)]  # they fail, each with its reason
    for name in options.names:
        find(name)  # before torch is imported
    return list(options.names)


def _described(result: "Verification") -> str:
    capped = f", not the stated {result.stated:g}" if result.stated > result.tolerance else ""
    how = "" if (result.device, result.precision) == ("cpu", "32") else f" in {result.precision} on {result.device}"
    return (
        f"{result.name}: {result.sequences} stored predictions reproduced{how}, largest difference "
        f"{result.difference:.2g} (allowed {result.tolerance:g}{capped})"
    )
