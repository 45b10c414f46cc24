"""What keeps a checkpoint from being published: an incomplete card, a licence, files that do not belong to it."""

import re
from pathlib import Path

from zoo.errors import ConfigError
from zoo.hub.cards import render_folder
from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import NOT_STATED
from zoo.hub.folder import CARD, CONFIG, DELTA, EXAMPLE, RECIPE, SEEN, TARGETS, WEIGHTS
from zoo.hub.targets import read_targets
from zoo.utils.text import some_of

__all__ = ["FILES", "check_publishable", "obstacles"]

# What a repository holds of a checkpoint.
FILES = (CARD, CONFIG, WEIGHTS, DELTA, TARGETS, EXAMPLE, SEEN, RECIPE)
# Facts that a card must have: what the model predicts, for whom, from what, and where it fails.
_REQUIRED = ("summary", "species", "assay", "use", "limits", "data")
_STATED = ("licence", "source")
_NO_SHARING = re.compile(r"all rights reserved|proprietary|confidential|no.?(re)?distribution", re.IGNORECASE)


def check_publishable(folder: Path, config: CheckpointConfig) -> None:
    """Refuse a checkpoint that is not fit to be published; the sentence names all that is missing.

    Args:
        folder: the checkpoint.
        config: its configuration.

    Raises:
        ConfigError: an incomplete card, a licence that forbids it, or a folder with other files.
        IntegrityError: a broken file.
    """
    if problems := obstacles(folder, config):
        raise ConfigError(f"{config.facts.name} cannot be published: {'; '.join(problems)}")


def obstacles(folder: Path, config: CheckpointConfig) -> list[str]:
    """All that keeps a checkpoint from being published, each with what to do; empty where nothing does.

    Args:
        folder: the checkpoint.
        config: its configuration.

    Raises:
        IntegrityError: a broken file.
    """
    return [*_missing_facts(config), *_missing_in_targets(folder), *_licence(config), *_dirt(folder, config)]


def _missing_facts(config: CheckpointConfig) -> list[str]:
    facts = config.facts
    missing = [name for name in _REQUIRED if not getattr(facts, name).strip()]
    missing += [name for name in _STATED if getattr(facts, name).strip() in ("", NOT_STATED)]
    if facts.run is not None and not facts.run.metrics.get("test"):
        missing.append("scores of the test split")
    options = " ".join(f"--{name} TEXT" for name in missing if name in (*_REQUIRED, *_STATED))
    what_to_do = f" (zoo card {facts.name} {options} states it)" if options else ""
    return [f"its card has no {', '.join(missing)}{what_to_do}"] if missing else []


def _missing_in_targets(folder: Path) -> list[str]:
    rows = read_targets(folder)
    missing = [row.name for row in rows if not (row.description.strip() and row.unit.strip())]
    return [f"{TARGETS} has no description or unit of {some_of(missing)}"] if missing else []


def _licence(config: CheckpointConfig) -> list[str]:
    if _NO_SHARING.search(config.facts.licence):
        return [f"its licence, {config.facts.licence}, forbids it"]
    return []


def _dirt(folder: Path, config: CheckpointConfig) -> list[str]:
    """Files that do not belong to the checkpoint, and a card that is not what its configuration says."""
    problems = []
    if others := sorted(path.name for path in folder.iterdir() if path.name not in FILES):
        problems.append(f"{folder} holds {some_of(others)}, which is not part of a checkpoint: move it elsewhere")
    unknown = [
        name
        for name in (WEIGHTS, DELTA, TARGETS, EXAMPLE, SEEN, RECIPE)
        if (folder / name).exists() and name not in config.sha256
    ]
    if unknown:
        problems.append(f"{CONFIG} has no sha256 of {', '.join(unknown)}: remove it, or save the checkpoint anew")
    card = folder / CARD
    if not card.is_file() or card.read_text(encoding="utf-8") != render_folder(folder):
        problems.append(f"{CARD} is not what {CONFIG} says: zoo card {config.facts.name} renders it")
    return problems
