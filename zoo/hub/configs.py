"""Configurations of `zoo train`: files of the user's own, and those that are shipped, by name.

A name is that of a file in `configs/` without its ending, such as `basset.peaks`. Nothing here imports torch.
"""

import difflib
from contextlib import suppress
from pathlib import Path

from zoo.errors import ConfigError, UnknownNameError, ZooError, one_line
from zoo.formats.kinds import FileKind, file_kind
from zoo.hub.folder import RECIPE, checkpoint_file
from zoo.hub.location import Location
from zoo.hub.names import is_name
from zoo.hub.registry import find, shipped_folder

__all__ = ["config_names", "config_purpose", "config_text", "find_config"]

_LARGEST = 1_000_000  # bytes of a configuration
# Kinds of data files -> a command that trains on one.
_COMMANDS: dict[FileKind | None, str] = {
    "fasta": "deepbind.sequences --data.fasta '{{NAME: {0}}}'",
    "table": "deepbind.sequences --data.table {0} --data.label_columns '[NAME]'",
    "peaks": "basset.peaks --data.genome FILE --data.peaks '[{0}]'",
    "bigwig": "basenji.tracks --data.genome FILE --data.targets_table FILE",
    "cooler": "akita.contacts --data.genome FILE --data.coolers '{{NAME: {0}}}'",
}


def config_names() -> list[str]:
    """The names of the shipped configurations."""
    return sorted(path.stem for path in shipped_folder("configs").glob("*.yaml"))


def find_config(text: str) -> Path:
    """Find the file of a configuration.

    Args:
        text: a file; the name of a shipped configuration, or `configs/NAME.yaml`, as commands on model cards have it; a
            checkpoint folder, also as `local-dir:FOLDER`, for the configuration of its run.

    Raises:
        ConfigError: the name of a file or folder and of a shipped configuration, a folder without a configuration, a
            file of data, or the name of a model.
        UnknownNameError: neither; the nearest names are offered.
    """
    path = Path(text.removeprefix("local-dir:"))
    shipped = shipped_folder("configs") / f"{text.removeprefix('configs/').removesuffix('.yaml')}.yaml"
    is_name = text in (shipped.stem, f"configs/{shipped.name}") and shipped.is_file()
    if is_name and text == shipped.stem and path.exists():
        kind = "file" if path.is_file() else "folder"
        raise ConfigError(
            f"{text!r} is the name of a shipped configuration and of a {kind} here: write ./{text} for the {kind}, "
            f"or configs/{text}.yaml for the other"
        )
    if text and path.is_dir():
        if not (path / RECIPE).is_file():
            raise ConfigError(f"{path} holds no {RECIPE}: it is no checkpoint folder that this version of zoo trained")
        return checkpoint_file(path, RECIPE)
    if path.is_file():
        _refuse_data(text)
        return path
    if is_name:
        return shipped
    if text.startswith("local-dir:"):
        raise UnknownNameError(f"there is no folder {str(path)!r}")
    if (model := _model_of(text)) is not None:
        raise ConfigError(f"{text!r} is the name of a model, and a configuration is trained: {_how_trained(model)}")
    near = difflib.get_close_matches(shipped.stem, config_names(), n=3, cutoff=0.5)
    offer = f"the nearest names are {', '.join(near)}" if near else f"there are {', '.join(config_names())}"
    raise UnknownNameError(f"there is no file {text!r}, and no shipped configuration of that name; {offer}")


def _refuse_data(text: str) -> None:
    """Refuse a file of data where a configuration should be; the sentence names it as an option."""
    command = _COMMANDS.get(file_kind(text))
    if command:
        raise ConfigError(
            f"{text} is not a configuration, a YAML file with keys such as `name:`, `model:` and `data:`: data are "
            f"named with options, as in zoo train {command.format(text)}; `zoo config` lists the configurations"
        )


def _model_of(text: str) -> Location | None:
    """The model of a name; None where there is none."""
    with suppress(ZooError):
        return find(text) if is_name(text) else None
    return None


def _how_trained(model: Location) -> str:
    if model.facts.run is None:
        return "these weights were published by others; `zoo config` lists the configurations"
    if model.folder and (model.folder / RECIPE).is_file():
        return f"zoo train {model.folder} --name NAME repeats its run"
    return f"it was trained by {model.facts.run.command}"


def config_text(text: str) -> str:
    """The YAML of a configuration; `text` and errors are those of `find_config`, and a ConfigError if it is no text."""
    with find_config(text).open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ConfigError(
            f"{text}: this is no configuration, which has a few thousand letters: it has over {_LARGEST:,}"
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{text}: this is not YAML: {one_line(error)}") from None


def config_purpose(name: str) -> str:
    """What a shipped configuration is for: the second line of its file, a comment; the first is its command."""
    return config_text(name).splitlines()[1].removeprefix("# ")
