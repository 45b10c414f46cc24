"""What keeps a checkpoint from being published: an incomplete card, a licence, files that do not belong to it."""

import re
import shlex
from pathlib import Path

from zoo.errors import ConfigError
from zoo.hub.cards import is_rendered
from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import NOT_STATED
from zoo.hub.folder import (
    BACKGROUND,
    CARD,
    CONFIG,
    DELTA,
    EXAMPLE,
    RECIPE,
    SEEN,
    TARGETS,
    WEIGHTS,
    checkpoint_text,
    paths_in,
)
from zoo.hub.names import is_name
from zoo.hub.pins import read_pins
from zoo.hub.published import published_models
from zoo.hub.registry import shipped_folder
from zoo.hub.targets import read_targets
from zoo.utils.text import some_of

__all__ = ["FILES", "check_publishable", "local_paths", "obstacles"]

# What a repository holds of a checkpoint.
FILES = (CARD, CONFIG, WEIGHTS, DELTA, TARGETS, EXAMPLE, SEEN, RECIPE, BACKGROUND)
# Facts that a card must have: what the model predicts, for whom, from what, and where it fails.
_REQUIRED = ("summary", "species", "assay", "use", "limits", "data")
_STATED = ("licence", "source")
_PLACEHOLDERS = ("", NOT_STATED, "unknown", "none", "todo", "tbd", "?", "-")
_NO_SHARING = re.compile(
    r"all rights reserved|(?<!non-)\bproprietary|confidential|internal use"
    r"|\b(no|not|without|prohibit\w*|forbid\w*)\b.{0,20}distribut|distribut\w*.{0,20}\b(not|prohibited|forbidden)\b",
    re.IGNORECASE,
)
# A path from the root, the home folder or a drive; not a part of an address or of a relative path.
_WHOLE_PATH = re.compile(r"""(?:(?<![\w./:~-])|(?<=local-dir:))(?:~?/|[A-Za-z]:[\\/])[^\s'",:{}\[\]]+""")
_ON_HUB = re.compile(r"hf-hub:[\w.-]+/[\w.-]+@[0-9a-f]{40}", re.ASCII)


def check_publishable(folder: Path, config: CheckpointConfig, name: str) -> None:
    """Refuse a checkpoint that is not fit to be published; the sentence names all that is missing.

    Args:
        folder: the checkpoint.
        config: its configuration.
        name: how it was named, for what is suggested.

    Raises:
        ConfigError: an incomplete card, a licence that forbids it, or a folder with other files.
        IntegrityError: a broken file.
    """
    if problems := obstacles(folder, config, name):
        raise ConfigError(f"{config.facts.name} cannot be published: {'; '.join(problems)}")


def obstacles(folder: Path, config: CheckpointConfig, name: str) -> list[str]:
    """All that keeps a checkpoint from being published, each with what to do; empty where nothing does.

    Args:
        folder: the checkpoint.
        config: its configuration.
        name: how it was named, for what is suggested.

    Raises:
        IntegrityError: a broken file.
    """
    facts = [*_form_of_name(config), *_missing_facts(config, name), *_missing_in_targets(folder), *_licence(config)]
    return [*facts, *_base(config, name), *_dirt(folder, config, name)]


def local_paths(folder: Path, config: CheckpointConfig) -> list[str]:
    """The files and folders of this computer, by their whole path, that a checkpoint shows to all who can read it.

    Args:
        folder: the checkpoint.
        config: its configuration.

    Raises:
        IntegrityError: a broken file.
    """
    run = config.facts.run
    texts = [run.command, run.base.name if run.base else ""] if run else []
    texts += [checkpoint_text(folder, RECIPE)] if RECIPE in config.sha256 else []
    return sorted({path for text in texts for path in _WHOLE_PATH.findall(text)})


def _form_of_name(config: CheckpointConfig) -> list[str]:
    return [] if is_name(config.facts.name) else ["its name does not have the form architecture.tag"]


def _base(config: CheckpointConfig, name: str) -> list[str]:
    """A delta whose base others do not have."""
    base = config.delta_base
    if base is None or _ON_HUB.fullmatch(base.name) or base.name in read_pins() or base.name in _published():
        return []
    return [
        f"its weights are a delta on {base.name}, which others do not have: publish that first and fine-tune from "
        f"hf-hub:ORG/REPO@COMMIT, or make it whole (zoo merge {shlex.quote(name)} -o FOLDER)"
    ]


def _published() -> set[str]:
    """The names of models that come with the zoo, or that others published."""
    return {
        *(folder.name for folder in paths_in(shipped_folder("checkpoints"))),
        *(facts.name for facts in published_models()),
    }


def _missing_facts(config: CheckpointConfig, name: str) -> list[str]:
    facts = config.facts
    missing = [fact for fact in (*_REQUIRED, *_STATED) if getattr(facts, fact).strip().lower() in _PLACEHOLDERS]
    if facts.run is not None and not facts.run.metrics.get("test"):
        missing.append("scores of the test split")
    options = " ".join(f"--{fact} TEXT" for fact in missing if fact in (*_REQUIRED, *_STATED))
    what_to_do = f" (state that: zoo card {shlex.quote(name)} {options})" if options else ""
    return [f"its card has no {', '.join(missing)}{what_to_do}"] if missing else []


def _missing_in_targets(folder: Path) -> list[str]:
    rows = read_targets(folder)
    missing = [row.name for row in rows if not (row.description.strip() and row.unit.strip())]
    return [f"{TARGETS} has no description or unit of {some_of(missing)}"] if missing else []


def _licence(config: CheckpointConfig) -> list[str]:
    if _NO_SHARING.search(config.facts.licence):
        return [f"its licence, {config.facts.licence}, forbids it"]
    return []


def _dirt(folder: Path, config: CheckpointConfig, name: str) -> list[str]:
    """Files that do not belong to the checkpoint, and a card that is not what its configuration says."""
    problems = []
    if others := sorted(path.name for path in folder.iterdir() if path.name not in FILES):
        problems.append(f"{folder} holds {some_of(others)}, which is not part of a checkpoint: move it elsewhere")
    unknown = [
        name
        for name in (WEIGHTS, DELTA, TARGETS, EXAMPLE, SEEN, RECIPE, BACKGROUND)
        if (folder / name).exists() and name not in config.sha256
    ]
    if unknown:
        problems.append(f"{CONFIG} has no sha256 of {', '.join(unknown)}: remove it, or save the checkpoint anew")
    if not is_rendered(folder):
        problems.append(f"{CARD} is not what {CONFIG} says (render it: zoo card {shlex.quote(name)})")
    return problems
