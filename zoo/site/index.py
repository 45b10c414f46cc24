"""The table of all models: what each row shows, by what it is filtered, and which words a search finds it by."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from zoo.site.models import ORIGINS, SiteModel
from zoo.site.text import one_text, plain, values_of
from zoo.utils.text import counted

__all__ = ["FACETS", "Facet", "Row", "facets_of", "row_of"]

_MOST_WORDS = 200_000  # letters of the words of one model
_MOST_OPTIONS = 300


class Facet(NamedTuple):
    """A filter.

    Attributes:
        key: its name in links.
        title: its label.
        options: its values, and the number of models that have each.
    """

    key: str
    title: str
    options: list[tuple[str, int]]


# Key -> label.
FACETS = {
    "from": "Weights",
    "architecture": "Architecture",
    "output": "Output",
    "species": "Species",
    "assay": "Assay",
    "cell": "Cell type",
    "licence": "Licence",
}


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        model: the model.
        values: filter -> the values that the model has.
        words: all words of its facts, in small letters, each once.
        unread: letters of further words, which the search does not read.
        thumbnail: path of its small picture within the site; empty for none.
    """

    model: SiteModel
    values: dict[str, list[str]]
    words: str
    unread: int
    thumbnail: str

    @property
    def facets(self) -> str:
        """The values of all filters: those of one on lines, filters between tabs."""
        return "\t".join("\n".join(self.values[key]) for key in FACETS)

    @property
    def targets(self) -> str:
        """Its target, or how many there are."""
        targets = self.model.facts.targets
        return one_text(targets[0], 40) if len(targets) == 1 else counted(len(targets), "target")

    @property
    def score(self) -> str:
        """Its headline score, without the word for the split."""
        return one_text(self.model.facts.metric.removeprefix("test ").split(",")[0], 40)

    @property
    def order(self) -> str:
        """By what rows are sorted by score: the metric, then its value."""
        match = re.fullmatch(r"(.*?)\s*(-?\d*\.?\d+)", self.score)
        return f"{match[1]} {float(match[2]) + 10:09.4f}" if match else self.score


def row_of(model: SiteModel, thumbnail: str = "") -> Row:
    """The row of a model.

    Args:
        model: the model.
        thumbnail: path of its small picture within the site; empty for none.
    """
    facts = model.facts
    values = {
        "from": [ORIGINS[model.origin]],
        "architecture": [one_text(facts.architecture)],
        "output": [facts.output],
        "species": values_of(facts.species, "species"),
        "assay": values_of(facts.assay, "assays"),
        "cell": values_of(facts.cell_type, "cell types"),
        "licence": [one_text(facts.licence)] if facts.licence.strip() else [],
    }
    words = " ".join(dict.fromkeys(plain(" ".join(facts.texts)).lower().split()))
    return Row(model, values, words[:_MOST_WORDS], max(0, len(words) - _MOST_WORDS), thumbnail)


def facets_of(rows: Sequence[Row]) -> list[Facet]:
    """The filters that tell some models from others; of very many values those that most models have."""
    facets = []
    for key, title in FACETS.items():
        counts = Counter(value for row in rows for value in row.values[key])
        options = sorted(counts.most_common(_MOST_OPTIONS), key=lambda option: option[0].casefold())
        if len(counts) > _MOST_OPTIONS:
            title += f" (the {_MOST_OPTIONS} of {len(counts):,} that most models have)"
        if len(options) > 1 or (options and options[0][1] < len(rows)):
            facets.append(Facet(key, title, options))
    return facets
