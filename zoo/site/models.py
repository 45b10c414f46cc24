"""The models of a site: which there are, what page each has, and by which name it is loaded."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from zoo.errors import IntegrityError
from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import ModelFacts
from zoo.hub.location import Location
from zoo.hub.names import is_name
from zoo.hub.pins import Pin, read_pins
from zoo.hub.published import published_models
from zoo.hub.registry import find, list_locations, no_match, read_checkpoints, shipped_folder

__all__ = ["ORIGINS", "SiteModel", "collect_models", "page_names"]

_log = logging.getLogger(__name__)
_LONGEST_NAME = 120  # letters of a file's name
# Where a model comes from -> what pages say of it.
ORIGINS = {
    "own": "of this site",
    "hub": "on the Hugging Face Hub",
    "shipped": "shipped with the zoo",
    "published": "published by others, fetched on first use",
}


@dataclass(frozen=True)
class SiteModel:
    """A model of a site.

    Attributes:
        facts: what is known of it.
        origin: key of `ORIGINS`.
        call: the name by which it is loaded.
        stem: name of its page and of the folder of its pictures.
        folder: its checkpoint; None for published weights that are not downloaded.
        config: content of the checkpoint's `config.json`.
    """

    facts: ModelFacts
    origin: str
    call: str
    stem: str = ""
    folder: Path | None = None
    config: CheckpointConfig | None = None

    @property
    def page(self) -> str:
        """Path of its page within the site."""
        return f"models/{self.stem}.html"


def collect_models(names: Sequence[str] = ()) -> tuple[list[SiteModel], int]:
    """Find the models of a site.

    Args:
        names: names as of `zoo.load`, and shell patterns of names; none for all that are shipped or published by
            others.

    Returns:
        The models, and how many broken ones were left out, each with a warning.

    Raises:
        UnknownNameError: no such model.
    """
    broken: list[Path] = []
    if not names:
        shipped = [
            SiteModel(config.facts, "shipped", config.facts.name, folder=folder, config=config)
            for folder, config in read_checkpoints(shipped_folder("checkpoints"), broken)
        ]
        pinned = [SiteModel(pin.config.facts, "hub", name, config=pin.config) for name, pin in _pins_by_name()]
        known = {model.facts.name for model in (*shipped, *pinned)}
        others = [SiteModel(facts, "published", facts.name) for facts in published_models() if facts.name not in known]
        return _with_stems([*shipped, *pinned, *sorted(others, key=lambda model: model.facts.name)]), len(broken)
    models: list[SiteModel] = []
    for name in dict.fromkeys(names):
        try:
            models += [_model(*pair) for pair in _locations(name)]
        except IntegrityError as error:
            _log.warning(f"left out: {error}")
            broken.append(Path(name))
    different = {model.folder.resolve() if model.folder else model.call: model for model in models}
    return _with_stems(list(different.values())), len(broken)


def _pins_by_name() -> list[tuple[str, Pin]]:
    """The models that this project published on the Hub; those of a list of one's own are named to be shown."""
    return sorted(read_pins(own=False).items())


def _locations(name: str) -> Iterator[tuple[str, Location]]:
    """Name and location of the models that a name or a pattern of names is of."""
    if ":" in name or not re.search(r"[*?\[]", name):
        yield name, find(name)
        return
    locations = list_locations(name)
    if not locations:
        raise no_match([name])
    yield from ((location.facts.name, location) for location in locations)


def _model(name: str, location: Location) -> SiteModel:
    """A model that was named."""
    facts, folder, config = location.facts, location.folder, location.config
    if location.pin:
        return SiteModel(facts, "hub", location.pin.address, folder=folder, config=config)
    if folder is None:
        return SiteModel(facts, "published", name)
    if name.startswith("hf-hub:"):
        return SiteModel(facts, "hub", name, folder=folder, config=config)
    home = folder.resolve().parent
    if home == shipped_folder("checkpoints").resolve():
        return SiteModel(facts, "shipped", folder.resolve().name, folder=folder, config=config)
    if not name.startswith("local-dir:") and home != Path("checkpoints").resolve():  # the cache holds it
        return SiteModel(facts, "published", name, folder=folder, config=config)
    # Folders above the checkpoint are this computer's alone.
    call = f"local-dir:{folder.resolve().name}" if name.startswith("local-dir:") else name
    return SiteModel(facts, "own", call, folder=folder, config=config)


def _with_stems(models: list[SiteModel]) -> list[SiteModel]:
    stems = page_names([model.facts.name for model in models])
    return [
        SiteModel(one.facts, one.origin, one.call, stem, one.folder, one.config)
        for one, stem in zip(models, stems, strict=True)
    ]


def page_names(names: Iterable[str]) -> list[str]:
    """Names of files for models, which others may have named: short, of plain letters, and no two alike."""
    stems: list[str] = []
    taken: set[str] = set()
    for name in names:
        stem = name
        if not is_name(name) or len(name) > _LONGEST_NAME:
            cleaned = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:60].strip("-")
            stem = f"{cleaned or 'model'}-{sha256(name.encode()).hexdigest()[:12]}"
        number, first = 1, stem
        while stem.casefold() in taken:
            number += 1
            stem = f"{first}-{number}"
        taken.add(stem.casefold())
        stems.append(stem)
    return stems
