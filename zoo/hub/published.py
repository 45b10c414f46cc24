"""Models that others published, which the importers fetch on first use. Nothing here imports torch."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from zoo.hub.facts import ModelFacts

__all__ = ["published_models"]

_IMPORTERS = Path(__file__).parent.parent / "importers"


def published_models() -> Iterator[ModelFacts]:
    """The facts of each; offline, and no folder of checkpoints is read."""
    for path in sorted(_IMPORTERS.glob("[a-z]*.py")):
        yield from import_module(f"zoo.importers.{path.stem}").entries()
