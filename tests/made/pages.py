"""Pages of a site as a browser would read them, with the strictest rules of HTML."""

from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

__all__ = ["Element", "Page", "read_pages"]

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# Attributes by which something is loaded without a click.
_LOADED = {("link", "href"), ("object", "data"), ("form", "action"), ("use", "href")}
_LOADED |= {(tag, "src") for tag in ("script", "img", "iframe", "source", "video", "audio", "embed", "input")}


class Element(NamedTuple):
    """A start tag."""

    tag: str
    attributes: dict[str, str]


class Page(HTMLParser):
    """A page: its elements, and its text.

    Attributes:
        path: path of the file.
        elements: the start tags, in their order.
        text: all text, without scripts.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path, self.elements, self.text = path, list[Element](), ""
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self._open, f"{path}: not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"{self.path}: an attribute of <{tag}> twice"
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"{self.path}: </{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """Attributes of all elements of a tag."""
        return [element.attributes for element in self.elements if element.tag == tag]

    @property
    def ids(self) -> list[str]:
        return [element.attributes["id"] for element in self.elements if "id" in element.attributes]

    @property
    def loaded(self) -> list[str]:
        """What is loaded without a click."""
        return [
            value
            for element in self.elements
            for name, value in element.attributes.items()
            if (element.tag, name) in _LOADED or name in ("srcset", "background", "poster", "ping", "formaction")
        ]


def read_pages(site: Path) -> dict[str, Page]:
    """The pages of a site, by their paths within it."""
    return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))}
