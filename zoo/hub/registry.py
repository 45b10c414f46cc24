"""Names of architectures and of checkpoints, and what is known of each without loading it.

A name is `architecture.tag`: the first dot splits. The architecture is a file in `zoo/models/`; the tag is a folder in
`checkpoints/`, or a model that `zoo/importers/<architecture>.py` can make of weights that others published.
Nothing here imports torch.
"""

import difflib
import fnmatch
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import UnknownNameError

if TYPE_CHECKING:
    from zoo.models._base import SequenceModel

__all__ = [
    "ModelEntry",
    "architectures",
    "find_entry",
    "list_models",
    "load_architecture",
    "shipped_folder",
    "split_name",
]

_PACKAGE = Path(__file__).parent.parent
_NAME = re.compile(r"[a-z][a-z0-9_]*\.[A-Za-z0-9][A-Za-z0-9_.-]*")
_COMMON_SPECIES = {
    "human": "Homo sapiens",
    "mouse": "Mus musculus",
    "fly": "Drosophila melanogaster",
    "worm": "Caenorhabditis elegans",
    "yeast": "Saccharomyces cerevisiae",
    "zebrafish": "Danio rerio",
    "chicken": "Gallus gallus",
    "arabidopsis": "Arabidopsis thaliana",
}


@dataclass(frozen=True)
class ModelEntry:
    """What is known of a model without loading it.

    Attributes:
        name: `architecture.tag`.
        output: `labels`, `tracks` or `contacts`.
        targets: what it predicts.
        input: what it reads.
        summary: one line.
        species: Latin name.
        assay: what the training data measured.
        metric: the headline number, such as `test AUROC 0.951`; empty where there is none.
        source: `this project`, or who published the weights.
        licence: of the weights.
        use: what it is meant for, where others published it.
        limits: where it fails, likewise.
    """

    name: str
    output: str
    targets: tuple[str, ...]
    input: str
    summary: str
    species: str
    assay: str
    metric: str
    source: str
    licence: str
    use: str = ""
    limits: str = ""

    @property
    def architecture(self) -> str:
        """The part before the first dot."""
        return self.name.split(".", 1)[0]

    def mentions(self, text: str) -> bool:
        """Whether any of its facts contains `text`, in either case."""
        facts = (self.name, self.summary, self.species, self.assay, self.source, *self.targets)
        return any(text.lower() in fact.lower() for fact in facts)


def shipped_folder(name: str) -> Path:
    """A folder that travels with the code: inside the installed package, or beside it in a checkout."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def architectures() -> list[str]:
    """The names of the architectures: the files in `zoo/models/`."""
    return sorted(path.stem for path in (_PACKAGE / "models").glob("[a-z]*.py"))


def load_architecture(name: str) -> "type[SequenceModel]":
    """The class of an architecture: the one SequenceModel that its file defines."""
    if name not in architectures():
        raise UnknownNameError(f"there is no architecture {name!r}; there are {', '.join(architectures())}")
    from zoo.models._base import SequenceModel

    module = import_module(f"zoo.models.{name}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, SequenceModel) and value.__module__ == module.__name__
    )
    return found


def list_models(pattern: str = "*", search: str | None = None, species: str | None = None) -> list[ModelEntry]:
    """List the models, shipped and importable.

    Args:
        pattern: a shell pattern of names, such as `deepbind.*`.
        search: text that the name, summary, species, assay, source or a target must contain, in either case.
        species: a Latin or common name, such as `human`.

    Returns:
        The entries by name. Works offline; no weights are read.
    """
    latin = _COMMON_SPECIES.get(species.lower(), species) if species else ""
    return [
        entry
        for name, entry in sorted(_entries().items())
        if fnmatch.fnmatchcase(name, pattern)
        and (search is None or entry.mentions(search))
        and latin.lower() in entry.species.lower()
    ]


def find_entry(name: str) -> ModelEntry:
    """What is known of the model of that name, or an UnknownNameError that offers the nearest names."""
    split_name(name)
    entry = _entries().get(name)
    if entry is None:
        near = difflib.get_close_matches(name, _entries(), n=3, cutoff=0.5)
        offer = f"the nearest names are {', '.join(near)}" if near else "`zoo list` shows all names"
        raise UnknownNameError(f"there is no model {name!r}; {offer}")
    return entry


def split_name(name: str) -> tuple[str, str]:
    """Split `architecture.tag`, or say why a text is no name."""
    if not _NAME.fullmatch(name):
        if re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not name.startswith("."):
            raise UnknownNameError(
                f"{name!r} is not a name: write hf-hub:{name}@REVISION for a repository on the Hugging Face Hub, "
                f"or local-dir:{name} for a folder here"
            )
        if "/" in name or "\\" in name or ".." in name:
            raise UnknownNameError(f"{name!r} is a path, not a name: write local-dir:{name} for a folder here")
        raise UnknownNameError(
            f"{name!r} is not a name: one has the form architecture.tag, such as deepbind.D00328.003"
        )
    architecture, tag = name.split(".", 1)
    return architecture, tag


def read_entry(folder: Path) -> ModelEntry:
    """What a checkpoint folder says of itself."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    arguments = config["arguments"]
    return ModelEntry(
        name=config["name"],
        output=config["output"],
        targets=tuple(arguments["targets"]),
        input=_input(arguments),
        summary=config["summary"],
        species=config["species"],
        assay=config["assay"],
        metric=config["metric"],
        source=config["source"],
        licence=config["licence"],
    )


def _input(arguments: dict[str, Any]) -> str:
    beside = len(arguments.get("inputs", ()))
    bases = "any length" if arguments.get("scan") else f"{arguments['length']} bp"
    return f"{bases} and {beside} tracks" if beside else bases


@cache
def _entries() -> dict[str, ModelEntry]:
    entries = [read_entry(path.parent) for path in shipped_folder("checkpoints").glob("[a-z]*/config.json")]
    for path in (_PACKAGE / "importers").glob("[a-z]*.py"):
        entries += import_module(f"zoo.importers.{path.stem}").entries()
    return {entry.name: entry for entry in entries}
