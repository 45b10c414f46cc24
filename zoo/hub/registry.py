"""Find models by name, and what is known of them without loading them.

A name is `architecture.tag`: the first dot splits it. It is looked for in this order: the checkpoints that are shipped
with the code, `./checkpoints` (what `zoo train` wrote), the cache, the pinned list of the Hugging Face Hub, and the
importers, which download weights that others published. Each call reads the disk anew. Nothing here imports torch.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from zoo.errors import IntegrityError, OutputError, UnknownNameError
from zoo.hub.architectures import architectures
from zoo.hub.config import CheckpointConfig, read_config
from zoo.hub.facts import COMMON_SPECIES, ModelFacts
from zoo.hub.folder import CONFIG, LARGEST_CONFIG, paths_in
from zoo.hub.location import Location
from zoo.hub.names import is_name, matching, near_words, no_such_model, split_name
from zoo.hub.pins import read_pins
from zoo.hub.published import published_models
from zoo.utils.download import cache_folder
from zoo.utils.text import counted, quoted

__all__ = [
    "find",
    "folders_of",
    "is_model",
    "list_locations",
    "list_models",
    "model_names",
    "no_match",
    "read_checkpoints",
    "shipped_folder",
]

_log = logging.getLogger(__name__)
_PACKAGE = Path(__file__).parent.parent
_MOST_BYTES = 512 << 20  # of all config.json in one folder of checkpoints that are read


def shipped_folder(name: str) -> Path:
    """A folder that is shipped with the code: inside the installed package, or next to it in a checkout."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def list_models(
    pattern: str | Sequence[str] = (), search: str | None = None, species: str | None = None
) -> list[ModelFacts]:
    """List the models by name; works offline, and no weights are read.

    Args:
        pattern: a shell pattern of names, such as `deepbind.*`, or a word that a fact has; several must all match.
        search: text that a fact must contain, also as a part of a word, in upper or lower case.
        species: a Latin or common name, such as `human`.

    Returns:
        The facts of each model. A broken folder, and a name of two different models, is a warning.
    """
    return [location.facts for location in list_locations(pattern, search, species)]


def list_locations(
    pattern: str | Sequence[str] = (),
    search: str | None = None,
    species: str | None = None,
    broken: list[Path] | None = None,
) -> list[Location]:
    """List the models with the folder of each; see `list_models`. `broken` takes the folders that are left out."""
    latin = COMMON_SPECIES.get(species.lower(), species) if species else ""
    models: dict[str, Location] = {}
    for location in _all_models(broken):
        first = models.setdefault(location.facts.name, location)
        if not first.is_same_model(location):
            _log.warning(_two_models(location.facts.name, first, location))
    chosen = [
        location.facts
        for _, location in sorted(models.items())
        if (search is None or location.facts.mentions(search)) and latin.lower() in location.facts.species.lower()
    ]
    return [models[facts.name] for facts in matching(chosen, [pattern] if isinstance(pattern, str) else pattern)]


def no_match(words: Sequence[str]) -> UnknownNameError:
    """The error for words that no model matches; the nearest words are offered."""
    facts = [location.facts for location in _all_models()]
    near = [word for wrong in words if not matching(facts, [wrong]) for word in near_words(wrong, facts)]
    offer = f"the nearest words are {', '.join(near)}" if near else "`zoo list` shows all of them"
    return UnknownNameError(f"no model matches{' ' * bool(words)}{' '.join(words)}; {offer}")


def find(name: str) -> Location:
    """Find a model: on this computer, on the Hugging Face Hub, or among the weights that others published.

    Args:
        name: `architecture.tag`, `local-dir:path`, or `hf-hub:org/repo@revision`, which is downloaded.

    Raises:
        UnknownNameError: no such model (the nearest names are offered), or two different models of that name.
        IntegrityError: its folder is broken.
    """
    if name.startswith("local-dir:"):
        return _location(Path(name.removeprefix("local-dir:")))
    if name.startswith("hf-hub:"):
        from zoo.hub.huggingface import download

        folder = download(name)
        config = read_config(folder)
        return Location(config.facts, folder, config)
    if not is_name(name) and any(known.lower() == name.lower() for known in model_names()):
        raise no_such_model(name, model_names())
    split_name(name)
    elsewhere = (model for model in (*_pinned(), *map(Location, published_models())) if model.facts.name == name)
    locations = [*folders_of(name), *elsewhere]
    if not locations:
        if (shipped_folder("configs") / f"{name}.yaml").is_file():
            raise UnknownNameError(f"{name!r} is a configuration that `zoo train` knows, not a model")
        raise no_such_model(name, model_names())
    for other in locations[1:]:
        if not locations[0].is_same_model(other):
            raise UnknownNameError(_two_models(name, locations[0], other))
    return locations[0]


def is_model(name: str) -> bool:
    """Whether a text names a model: by its form, and a plain name only if there is such a model."""
    return name.startswith(("local-dir:", "hf-hub:")) or name in model_names()


def read_checkpoints(folder: Path, broken: list[Path] | None = None) -> Iterator[tuple[Path, CheckpointConfig]]:
    """Read the checkpoints in a folder, by name; each broken one is a warning of one sentence and left out.

    Args:
        folder: folder of checkpoints.
        broken: takes the folders that are left out.
    """
    broken = [] if broken is None else broken
    size, paths = 0, paths_in(folder)
    for index, path in enumerate(paths):
        with suppress(OSError):
            length = (path / CONFIG).lstat().st_size
            size += length if length <= LARGEST_CONFIG else 0  # a larger one is not read
        if size > _MOST_BYTES:
            _log.warning(
                f"left out: the {counted(len(paths) - index, 'folder')} of {folder} from {path.name} on, because their "
                f"config.json have more than {_MOST_BYTES:,} bytes in all"
            )
            broken += paths[index:]
            return
        try:
            is_ours = path.name.split(".")[0] in architectures() or os.path.lexists(path / CONFIG)
            location = _named_location(path) if path.is_dir() and is_ours else None
        except (IntegrityError, OSError) as error:
            reason = f"{path} cannot be read: {error.strerror}" if isinstance(error, OSError) else error
            _log.warning(f"left out: {reason}")
            broken.append(path)
        else:
            if location and location.config:
                yield path, location.config


def _checkpoint_homes() -> list[Path]:
    """The folders that may hold checkpoints; in a checkout `./checkpoints` is the shipped one and counts once."""
    homes = [shipped_folder("checkpoints"), Path("checkpoints")]
    with suppress(OutputError):  # a user without a home folder has no cache, and needs none for what is shipped
        homes.append(cache_folder() / "models")
    return list({os.path.realpath(home): home for home in reversed(homes)}.values())[::-1]


def _location(folder: Path) -> Location:
    try:
        (folder / CONFIG).lstat()
    except (FileNotFoundError, NotADirectoryError):
        raise UnknownNameError(f"{folder} is not a checkpoint: there is no config.json in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnknownNameError(f"{quoted(str(folder))} cannot be read: {reason}") from None
    config = read_config(folder)
    return Location(config.facts, folder, config)


def _named_location(folder: Path) -> Location:
    """The checkpoint in a folder; its name must be the folder's."""
    config = read_config(folder)
    if config.facts.name != folder.name:
        raise IntegrityError(
            f"{folder}/{CONFIG} belongs to a model named {config.facts.name!r}: rename the folder, or write "
            f"local-dir:{folder}"
        )
    return Location(config.facts, folder, config)


def folders_of(name: str) -> list[Location]:
    """The checkpoint folders with that name; a broken one is a warning, or an error if there is no other."""
    locations: list[Location] = []
    errors: list[IntegrityError] = []
    for folder in (home / name for home in _checkpoint_homes()):
        try:
            if folder.is_dir():
                locations.append(_named_location(folder))
        except IntegrityError as error:
            errors.append(error)
        except OSError as error:
            errors.append(IntegrityError(f"{folder} cannot be read: {error.strerror}"))
    if errors and not locations:
        raise errors[0]
    for broken in errors:
        _log.warning(f"left out: {broken}")
    return locations


def _all_models(broken: list[Path] | None = None) -> Iterator[Location]:
    for home in _checkpoint_homes():
        for folder, config in read_checkpoints(home, broken):
            yield Location(config.facts, folder, config)
    yield from _pinned()
    yield from map(Location, published_models())


def _pinned() -> Iterator[Location]:
    return (Location(pin.config.facts, None, pin.config, pin) for pin in read_pins().values())


def model_names() -> list[str]:
    """The names of all models on this computer, pinned ones and those that can be imported; no folder is read."""
    folders = [folder.name for home in _checkpoint_homes() for folder in paths_in(home)]
    return sorted({*folders, *read_pins(), *(facts.name for facts in published_models())})


def _two_models(name: str, first: Location, other: Location) -> str:
    choice = f"write {first}" + (f" or {other}" if other.address else ", or rename that folder to use the other")
    return f"{name!r} is the name of two different models, {first} and {other}: {choice}"
