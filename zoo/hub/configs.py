"""Configurations of `zoo train`: files of the user's own, and those that are shipped, by name.

A name is that of a file in `configs/` without its ending, such as `basset.peaks`. Nothing here imports torch.
"""

import difflib
from pathlib import Path

from zoo.errors import ConfigError, UnknownNameError, one_line
from zoo.hub.config import RECIPE
from zoo.hub.registry import shipped_folder

__all__ = ["config_names", "config_purpose", "config_text", "find_config"]


def config_names() -> list[str]:
    """The names of the shipped configurations."""
    return sorted(path.stem for path in shipped_folder("configs").glob("*.yaml"))


def find_config(text: str) -> Path:
    """Find the file of a configuration.

    Args:
        text: a file; the name of a shipped configuration, or `configs/NAME.yaml`, as commands on model cards have it; a
            checkpoint folder, also as `local-dir:FOLDER`, for the configuration of its run.

    Raises:
        ConfigError: the name of a file or folder and of a shipped configuration, or a folder without a configuration.
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
        return path / RECIPE
    if path.is_file():
        return path
    if is_name:
        return shipped
    near = difflib.get_close_matches(shipped.stem, config_names(), n=3, cutoff=0.5)
    offer = f"the nearest names are {', '.join(near)}" if near else f"there are {', '.join(config_names())}"
    raise UnknownNameError(f"there is no file {text!r}, and no shipped configuration of that name; {offer}")


def config_text(text: str) -> str:
    """The YAML of a configuration; `text` and errors are those of `find_config`, and a ConfigError if it is no text."""
    try:
        return find_config(text).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{text}: this is not YAML: {one_line(error)}") from None


def config_purpose(name: str) -> str:
    """What a shipped configuration is for: the second line of its file, a comment; the first is its command."""
    return config_text(name).splitlines()[1].removeprefix("# ")
