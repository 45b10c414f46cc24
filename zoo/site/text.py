"""Text of models that others may have written, as pages show it: bounded, and read in the order in which it stands."""

import re
from typing import Any

from markupsafe import Markup

from zoo.utils.text import shorten

__all__ = ["LONGEST_TEXT", "one_text", "plain", "shown", "values_of"]

LONGEST_TEXT = 2_000  # letters of one text on a page
_MOST_VALUES = 20  # in a list of words such as cell types
# Marks that reorder what is written around them, and letters of no width: names that look like others.
_HIDDEN = re.compile("[\u061c\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


def plain(text: str) -> str:
    """Text in which marks of writing direction and letters of no width are written out, such as `[U+202E]`."""
    return _HIDDEN.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


def shown(value: Any) -> Any:
    """What a template writes of a value: text plain and of at most `LONGEST_TEXT` letters; HTML of ours as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return shorten(plain(value), LONGEST_TEXT)


def one_text(text: str, most: int = 80) -> str:
    """Text on one line, plain, cut to `most` letters."""
    return shorten(plain(" ".join(text.split())), most)


def values_of(text: str, plural: str) -> list[str]:
    """The words of a list such as `GM12878, K562`; of a very long one their number, such as `57 cell types`."""
    values = list(dict.fromkeys(one_text(part) for part in text.split(",") if part.strip()))
    return values if len(values) <= _MOST_VALUES else [f"{len(values):,} {plural}"]
