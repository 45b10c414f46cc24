"""Where a model is: in a folder on this computer, pinned on the Hugging Face Hub, or published by others.

Nothing here imports torch.
"""

from dataclasses import dataclass
from pathlib import Path

from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import ModelFacts
from zoo.hub.pins import Pin

__all__ = ["Location"]


@dataclass(frozen=True)
class Location:
    """Location of a model.

    Attributes:
        facts: what is known of it.
        folder: its checkpoint folder; None for weights that are not downloaded yet.
        config: content of that folder's `config.json`, or of the pinned one; None for weights that others published.
        pin: its commit on the Hugging Face Hub, where the pinned list has the name and no folder here has.
    """

    facts: ModelFacts
    folder: Path | None = None
    config: CheckpointConfig | None = None
    pin: Pin | None = None

    def is_same_model(self, other: "Location") -> bool:
        """Whether two locations of one name hold the same model: the same files, or weights of the same source."""
        if self.config is None or other.config is None:
            return self.facts.source == other.facts.source
        a, b = self.config, other.config
        return (a.architecture, a.arguments, a.sha256) == (b.architecture, b.arguments, b.sha256)

    @property
    def address(self) -> str:
        """A name that means this location alone; empty for weights that others published."""
        if self.folder:
            return f"local-dir:{self.folder}"
        return self.pin.address if self.pin else ""

    def __str__(self) -> str:
        return self.address or f"the weights published by {self.facts.source}"
