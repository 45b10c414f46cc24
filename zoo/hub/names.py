"""Names of models: their form, and words that find them among the facts. Nothing here imports torch."""

import difflib
import fnmatch
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from zoo.errors import UnknownNameError
from zoo.hub.facts import ModelFacts
from zoo.utils.text import quoted

__all__ = ["is_name", "matching", "near_words", "no_such_model", "split_name"]

_LONGEST = 200  # letters of a name that are compared with those of models
_NAME = re.compile(r"[a-z][a-z0-9_]*\.[A-Za-z0-9][A-Za-z0-9_.-]*")
_WILD = re.compile(r"[*?\[]")
_BREAKS = re.compile(r"[\s,;=()/]+")


def is_name(text: str) -> bool:
    """Whether a text has the form `architecture.tag`."""
    return bool(_NAME.fullmatch(text))


def split_name(name: str) -> tuple[str, str]:
    """Split `architecture.tag`.

    Raises:
        UnknownNameError: a text that is not a name; it says which prefix a path or a repository needs.
    """
    if not is_name(name):
        _refuse_path(name)
        if re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not name.startswith("."):
            raise UnknownNameError(
                f"{quoted(name)} is not a name: write hf-hub:{name}@REVISION for a repository on the Hugging Face Hub, "
                f"or local-dir:{name} for a folder"
            )
        if "/" in name or "\\" in name or ".." in name:
            raise UnknownNameError(f"{quoted(name)} is a path, not a name: write local-dir:{name} for a folder")
        word = name if re.fullmatch(r"[\w-]{1,40}", name) else "WORD"
        raise UnknownNameError(
            f"{quoted(name)} is not a name: one has the form architecture.tag, such as deepbind.D00328.003; "
            f"`zoo list {word}` finds models by word"
        )
    architecture, tag = name.split(".", 1)
    return architecture, tag


def no_such_model(name: str, names: Sequence[str]) -> UnknownNameError:
    """The error for a name that no model has: it is a file, differs in case, or the nearest names are offered."""
    try:
        _refuse_path(name)
    except UnknownNameError as error:
        return error
    same = [known for known in names if known.lower() == name.lower()]
    near = same or difflib.get_close_matches(name[:_LONGEST], names, n=3, cutoff=0.6)
    offer = f"the nearest names are {', '.join(near)}" if near else "`zoo list` shows all names"
    return UnknownNameError(f"there is no model {quoted(name)}; {offer}")


def matching(facts: Sequence[ModelFacts], words: Iterable[str]) -> list[ModelFacts]:
    """The models that match every word.

    A word with `*`, `?` or `[` is a shell pattern of names, in which case counts. Any other is looked for in all facts:
    as a whole word in upper or lower case, and only where no model has it as a part of one. A word without letters and
    digits is in none.
    """
    remaining = list(facts)
    for word in words:
        if _WILD.search(word):
            remaining = [one for one in remaining if fnmatch.fnmatchcase(one.name, word)]
        else:
            wanted = {f" {_pieces(word)} ", f" {_squeezed(word)} "} if _pieces(word) else set()
            whole = [one for one in remaining if any(text in _words(one) for text in wanted)]
            remaining = whole or [one for one in remaining if wanted and one.mentions(word)]
    return remaining


def near_words(word: str, facts: Iterable[ModelFacts]) -> list[str]:
    """The nearest among the words that name proteins, cells, species and assays."""
    known: dict[str, str] = {}
    for one in facts:
        for text in (*one.targets, one.species, one.common_species, one.cell_type, one.assay):
            known.update((piece.lower(), piece) for piece in (text, *re.split(r"[\s,;]+", text)))
    return [known[near] for near in difflib.get_close_matches(word.lower(), known, n=3, cutoff=0.7)]


def _words(facts: ModelFacts) -> str:
    """All facts as words between spaces; `H1-hESC` is there as `h1 hesc` and as `h1hesc`."""
    text = " ".join(facts.texts)
    squeezed = " ".join(map(_squeezed, _BREAKS.split(text)))
    return f" {_pieces(text)}  {squeezed} "


def _pieces(text: str) -> str:
    """Letters and digits in lower case, with a space wherever something else stands."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def _squeezed(text: str) -> str:
    """Letters and digits in lower case, and nothing between them."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _refuse_path(name: str) -> None:
    path = Path(name)
    if path.is_file():
        raise UnknownNameError(
            f"{quoted(name)} is a file, not the name of a model: `zoo list` shows the names, and `zoo predict NAME "
            f"{name}` predicts for a file"
        )
    if (path / "config.json").is_file():
        raise UnknownNameError(f"{quoted(name)} is a folder, not a name: write local-dir:{name}")
