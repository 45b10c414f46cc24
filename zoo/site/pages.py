"""The pages of a site, from templates in which all text is escaped."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from zoo.hub.card_body import card_body
from zoo.hub.cards import read_notes, short_card
from zoo.hub.folder import CARD, CONFIG, TARGETS, checkpoint_file, checkpoint_text
from zoo.hub.markdown import in_line
from zoo.hub.targets import read_targets
from zoo.site.benchmarks import Benchmark
from zoo.site.index import FACETS, Row, facets_of
from zoo.site.markdown import Section, card_sections
from zoo.site.models import ORIGINS, SiteModel
from zoo.site.pictures import Gallery, Picture
from zoo.site.text import one_text, plain, shown, values_of
from zoo.site.usage import load_note, python_lines, shell_command, shell_lines
from zoo.utils.download import sha256_of
from zoo.utils.text import counted
from zoo.utils.version import __version__

__all__ = ["Pages"]

STATIC = Path(__file__).with_name("static")
_TEMPLATES = Path(__file__).with_name("templates")
_COLUMNS = ("Model", "Predicts", "Species", "Assay", "Cell type", "Reads", "Test score")
_SHOWN_OTHERWISE = frozenset({"How to use"})
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*(e[-+]?[0-9]+)?")


class File(NamedTuple):
    """A file of a checkpoint, as a page lists it."""

    name: str
    size: str
    sha256: str


class Pages:
    """Renders the pages of a site.

    Args:
        title: title of the site.
        has_benchmarks: whether there are pages of benchmarks.
        home: documentation that every page links to: an address, or a path from the first page; empty for none.
    """

    def __init__(self, title: str, has_benchmarks: bool, home: str = "") -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"cut": one_text, "whole": escape}
        self._environment.tests["number_text"] = lambda text: bool(_NUMBER.fullmatch(text))
        self._shared = {"site": one_text(title, 120), "version": __version__, "has_benchmarks": has_benchmarks}
        self._home = home

    def index(self, rows: Sequence[Row]) -> str:
        """The page of all models."""
        counts = {origin: sum(row.model.origin == origin for row in rows) for origin in ORIGINS}
        lead = "; ".join(f"{counted(count, 'model')} {ORIGINS[origin]}" for origin, count in counts.items() if count)
        first = next((row.model for row in rows if row.model.facts.output == "labels"), rows[0].model)
        example = f"pip install '.[all]'  # in a checkout of regzoo\n{shell_command(first)}"
        values = {"rows": rows, "facets": facets_of(rows), "columns": _COLUMNS, "keys": " ".join(FACETS)}
        return self._render("index.html", "", "models", lead=f"{lead}.", example=example, **values)

    def model(self, model: SiteModel, gallery: Gallery | None, scores: Sequence[Picture]) -> str:
        """The page of a model.

        Args:
            model: the model.
            gallery: pictures of what it sees; None for a model that is not here.
            scores: pictures of its test scores.

        Raises:
            IntegrityError: a checkpoint that is broken.
        """
        sections = _sections_of(model)
        files, weights = _files_of(model)
        contents = [("load", "Load"), *([("pictures", gallery.title)] if gallery else [])]
        contents += [(section.anchor, section.title) for section in sections if section.title]
        values = {
            "facts": model.facts,
            "stem": model.stem,
            "chips": _chips(model),
            "contents": [*contents, *([("files", "Files")] if files else [])],
            "note": load_note(model),
            "shell": shell_lines(model),
            "python": python_lines(model),
            "gallery": gallery,
            "scores": scores,
            "sections": sections,
            "files": files,
            "weights": weights,
        }
        return self._render("model.html", "../", "models", **values)

    def benchmarks(self, benchmarks: Sequence[Benchmark]) -> str:
        """The page that lists the benchmarks."""
        return self._render("benchmarks.html", "", "benchmarks", benchmarks=benchmarks)

    def benchmark(self, benchmark: Benchmark) -> str:
        """The page of a benchmark."""
        return self._render("benchmark.html", "../", "benchmarks", benchmark=benchmark)

    def _render(self, template: str, root: str, section: str, **values: Any) -> str:
        """Render a template; `root` leads from the page to the first folder of the site."""
        page = self._environment.get_template(template)
        home = self._home if ":" in self._home or not self._home else root + self._home
        return page.render(root=root, section=section, home=home, **self._shared, **values)


def _sections_of(model: SiteModel) -> list[Section]:
    """The sections of a model's card."""
    if model.folder is None or model.config is None:
        text = short_card(model.facts)
    else:
        read_targets(model.folder)
        lines = card_body(model.config, checkpoint_text(model.folder, TARGETS), shlex.quote(model.call))
        text = "\n".join([*lines, "", read_notes(model.folder)])
    # The summary is in the title of the page.
    return card_sections(text.replace(f"{in_line(model.facts.summary)}.\n", "", 1), _SHOWN_OTHERWISE)


def _chips(model: SiteModel) -> list[str]:
    """The most important facts, in few words."""
    facts = model.facts
    return [
        f"{facts.output}, {counted(len(facts.targets), 'target')}",
        one_text(facts.input),
        *values_of(facts.species, "species"),
        *values_of(facts.assay, "assays"),
        *values_of(facts.cell_type, "cell types"),
        *([f"licence: {one_text(facts.licence)}"] if facts.licence.strip() else []),
        ORIGINS[model.origin],
    ]


def _files_of(model: SiteModel) -> tuple[list[File], str]:
    """The files of a checkpoint, and the size of its weights."""
    if model.folder is None or model.config is None:
        return [], ""
    names = [CONFIG, *sorted(model.config.sha256)]
    names += [CARD] if (model.folder / CARD).is_file() else []
    sizes = {name: checkpoint_file(model.folder, name).stat().st_size for name in names}
    hashes = {CONFIG: sha256_of(model.folder / CONFIG), **model.config.sha256}
    files = [File(plain(name), _bytes(sizes[name]), hashes.get(name, "not checked")) for name in names]
    return files, _bytes(sizes[model.config.weights_file])


def _bytes(size: int) -> str:
    """A number of bytes in three digits."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return counted(size, "byte")
