"""What people want to know of a model before they use it, and how it was trained: the facts behind its card."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError
from zoo.hub.registry import ModelEntry
from zoo.hub.upgrade import upgrade_config

__all__ = ["CardFacts", "RunFacts", "facts_of", "read_config"]


@dataclass
class RunFacts:
    """How a model of this project was trained.

    Attributes:
        command: that trains it again.
        recipe: hash of what that command and its configuration say; see `zoo.training.finish.recipe`.
        commit: of the code.
        seed: of everything random.
        hardware: it was trained on.
        seconds: it took.
        precision: of the arithmetic.
        versions: of Python, torch and lightning.
        data: what the parts hold, such as `train: 22,988 sequences`.
        metrics: of the final model, as {part: {metric: value}}; the test part was scored once.
        target_metrics: of the test part, as {metric: a value for each target, None where it is not defined}.
    """

    command: str
    recipe: str
    commit: str
    seed: int
    hardware: str
    seconds: float
    precision: str
    versions: str
    data: list[str]
    metrics: dict[str, dict[str, float]]
    target_metrics: dict[str, list[float | None]] = field(default_factory=dict)


@dataclass
class CardFacts:
    """What people want to know of a model before they use it.

    Attributes:
        name: `architecture.tag`.
        summary: one line.
        species: Latin name.
        assay: what the training data measured.
        licence: of the weights.
        source: `this project`, or who published the weights.
        use: what it is meant for.
        limits: where it fails, and what it must not be used for.
        data: where the training data comes from, with its reference and licence.
        metric: the headline number, such as `test AUROC 0.951`.
        run: how it was trained, when it was trained here.
    """

    name: str
    summary: str
    species: str = ""
    assay: str = ""
    licence: str = "Apache-2.0"
    source: str = "this project"
    use: str = ""
    limits: str = ""
    data: str = ""
    metric: str = ""
    run: RunFacts | None = field(default=None)

    @classmethod
    def of_import(cls, entry: ModelEntry) -> "CardFacts":
        """The facts of weights that others published."""
        return cls(
            name=entry.name,
            summary=entry.summary,
            species=entry.species,
            assay=entry.assay,
            licence=entry.licence,
            source=entry.source,
            use=entry.use,
            limits=entry.limits,
            data="See the authors' publication.",
        )

    def listed(self) -> dict[str, Any]:
        """What `config.json` keeps, so that `zoo list` and the cards can be made without the weights."""
        return asdict(self)


def facts_of(config: dict[str, Any]) -> CardFacts:
    """The facts that a `config.json` holds."""
    known = {key: config[key] for key in CardFacts.__dataclass_fields__ if key in config}
    if known.get("run"):
        known["run"] = RunFacts(**known["run"])
    return CardFacts(**known)


def read_config(folder: Path) -> dict[str, Any]:
    """The facts of a checkpoint folder."""
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        str(config["architecture"])
        dict(config["arguments"])
        dict(config["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{folder}/config.json is not a checkpoint's ({type(error).__name__}: {error})") from None
    return upgrade_config(config)
