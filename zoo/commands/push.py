"""`zoo push`: publish checkpoints on the Hugging Face Hub."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.several import run_each
from zoo.errors import ConfigError
from zoo.utils.text import counted, some_of

if TYPE_CHECKING:
    from zoo.publishing.push import Plan, Published

__all__ = ["add_push"]


def add_push(verbs: Any) -> None:
    """Add the verb `push` and its options."""
    verb = verbs.add_parser(
        "push",
        help="publish a model on the Hugging Face Hub",
        description="Publish a checkpoint as one commit on the Hugging Face Hub, read it back into an empty cache, "
        "verify it, and tag it v1, v2 and so on. Files that are there already are not sent. HF_TOKEN or `hf auth "
        "login` gives the right to write.",
    )
    verb.add_argument("names", metavar="NAME", nargs="*", help="architecture.tag or local-dir:PATH")
    verb.add_argument("--all", action="store_true", help="all checkpoints that are shipped with the zoo")
    where = verb.add_mutually_exclusive_group()
    where.add_argument("--repo", metavar="ORG/REPO", help="the repository (default: the one in the pinned list)")
    where.add_argument("--org", metavar="ORG", help="the repository of each model is ORG/NAME")
    access = verb.add_mutually_exclusive_group()
    access.add_argument("--private", action="store_true", help="a new repository can be read by its owners only")
    access.add_argument("--public", action="store_true", help="a new repository can be read by everybody")
    verb.add_argument("--tag", metavar="VERSION", help="name of the result (default: v1, v2 and so on)")
    verb.add_argument("--pin", action="store_true", help="let the short name stand for what is published")
    verb.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    verb.set_defaults(run=push_command)


def push_command(options: argparse.Namespace) -> None:
    """Publish models one by one; those that cannot be are said at the end."""
    run_each(_names(options), lambda name: _push_one(name, options), "cannot be published")


def _names(options: argparse.Namespace) -> list[str]:
    """The models to publish."""
    from zoo.hub.cards import checkpoint_folders
    from zoo.hub.own import find_here

    if bool(options.names) == options.all:
        raise ConfigError(
            "give NAME or --all: name the models to publish, or --all for those that are shipped with the zoo"
        )
    broken: list[Path] = []
    for name in options.names:
        find_here(name)  # before torch is imported
    shipped = checkpoint_folders(broken=broken) if options.all else []
    # The broken ones fail, each with its reason.
    names = [*options.names, *(f"local-dir:{folder}" for folder in (*shipped, *broken))]
    if not names:
        raise ConfigError("no checkpoint is shipped with this installation")
    if options.repo and len(names) > 1:
        raise ConfigError(f"--repo names one repository, and there are {len(names)} models: --org ORG takes them all")
    return names


def _push_one(name: str, options: argparse.Namespace) -> None:
    from zoo.hub.pins import pins_file
    from zoo.publishing.push import check_access, plan_push, push

    if options.pin:
        pins_file()
    plan = plan_push(name, _repository(name, options), options.tag)
    access = True if options.private else False if options.public else None
    if access is not None or not options.dry_run:
        check_access(plan, access)
    _say_local_paths(plan)
    print(f"{plan.name} -> hf-hub:{plan.repository}: {_described(plan)}")
    if options.dry_run:
        return
    _say_published(push(plan, access, options.pin))


def _say_local_paths(plan: "Plan") -> None:
    """Warn of names of the user's folders, before they are published."""
    from zoo.hub.config import read_config
    from zoo.publishing.obstacles import local_paths

    if paths := local_paths(plan.folder, read_config(plan.folder)):
        print(
            f"zoo: {plan.name}: its card, config.json and recipe.yaml show where files lay on the computer that "
            f"trained it: {some_of(paths)}",
            file=sys.stderr,
        )


def _repository(name: str, options: argparse.Namespace) -> str:
    """The repository of a model: as the options say, else as it is pinned."""
    from zoo.hub.own import find_here
    from zoo.hub.pins import read_pins

    if options.repo:
        return str(options.repo)
    model = find_here(name).facts.name
    if options.org:
        return f"{options.org}/{model}"
    if (pin := read_pins().get(model)) is None:
        raise ConfigError(f"{model} has no repository in the pinned list: add --repo ORG/REPO")
    return pin.repository


def _described(plan: "Plan") -> str:
    """What a push changes, in a few words."""
    changes = plan.changes
    if plan.state is not None and not changes:
        return f"unchanged, {plan.version}"
    size = sum(len(plan.files[path]) for path in (*changes.added, *changes.changed))
    pieces = [
        *([f"new repository, {plan.version}"] if plan.state is None else [plan.version]),
        f"{counted(len(changes.added) + len(changes.changed), 'file')} to send ({size / 1e6:.1f} MB): "
        + some_of([*changes.added, *changes.changed], 10),
        *([f"to remove: {some_of(changes.removed)}"] if changes.removed else []),
        *([f"unchanged: {some_of(changes.unchanged)}"] if changes.unchanged else []),
        *([f"left alone: {some_of(changes.left)}"] if changes.left else []),
    ]
    return "; ".join(pieces)


def _say_published(published: "Published") -> None:
    difference = f"largest difference {published.difference:.2g}"
    print(f"published as {published.address} ({published.plan.version}); read back and verified, {difference}")
    if published.pins:
        print(f"pinned in {published.pins}: `zoo info {published.plan.name}` finds it by its name")
