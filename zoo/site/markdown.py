"""Markdown that others may have written, as HTML: bounded, no HTML of its own, no pictures, links to the web only.

A text is cut into its sections first, and each is rendered alone, so that none can change how another is read.
"""

import re
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from zoo.site.text import LONGEST_TEXT, one_text, plain
from zoo.utils.text import counted, shorten

__all__ = ["Section", "card_sections", "is_web_link", "render_inline", "render_markdown"]

_MOST_ROWS, _MOST_LINES = 200, 1_500  # of a table, and of a section
_MOST_SECTIONS, _MOST_LETTERS = 40, 80_000  # of a text
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class Section(NamedTuple):
    """A section of a text.

    Attributes:
        title: its heading; empty for what stands before the first.
        anchor: the name by which links reach it; no two sections of a text have the same.
        html: its content.
    """

    title: str
    anchor: str
    html: Markup


def is_web_link(url: str) -> bool:
    """Whether a link leads to a page of the web, by http or https."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)


def card_sections(text: str, left_out: frozenset[str] = frozenset()) -> list[Section]:
    """The sections of a model card, without its front matter and title.

    Args:
        text: Markdown of the card.
        left_out: titles of sections that a page shows in its own way.
    """
    sections: list[Section] = []
    anchors: set[str] = set()
    letters = _MOST_LETTERS
    for title, lines in _split(_FRONT_MATTER.sub("", text, count=1)):
        if title in left_out:
            continue
        if len(sections) == _MOST_SECTIONS:
            html = Markup("<p>The card has more sections than the {} that are shown.</p>").format(_MOST_SECTIONS)
            return [*sections, Section("", "", html)]
        anchor = "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:40] or "text"
        while anchor in anchors:
            anchor += "-2"
        anchors.add(anchor)
        kept = _bounded([plain(line) for line in lines], letters)
        letters -= sum(map(len, kept))
        sections.append(Section(title, f"card-{anchor}", _render(kept)))
    return [section for section in sections if section.title or section.html.strip()]


def _split(text: str) -> list[tuple[str, list[str]]]:
    """Title and lines of each section; headings of the second level begin one, the first of level one is dropped."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif fence and mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        heading = None if fence or mark else _HEADING.match(line)
        if heading and heading[1] == "##":
            sections.append((one_text(heading[2].strip()), []))
        elif not (heading and heading[1] == "#" and len(sections) == 1 and not "".join(sections[0][1]).strip()):
            sections[-1][1].append(line)
    return sections


def render_markdown(text: str) -> Markup:
    """Render Markdown; what goes beyond the bounds is left out, and counted."""
    return _render(_bounded(plain(text).splitlines(), _MOST_LETTERS))


def render_inline(text: str) -> Markup:
    """Render Markdown within one paragraph, without the paragraph."""
    line = shorten(plain(" ".join(text.split())), LONGEST_TEXT)
    html = _renderer().renderInline(line)
    return Markup(html)  # nosec B704


def _render(lines: list[str]) -> Markup:
    html = _renderer().render("\n".join(lines))
    return Markup(html)  # nosec B704


def _bounded(lines: list[str], letters: int) -> list[str]:
    """The lines, long ones cut, and of long tables and of the text itself the beginning, up to so many letters."""
    kept: list[str] = []
    rows = 0
    for index, line in enumerate(lines):
        rows = rows + 1 if line.startswith("|") else 0
        if rows > _MOST_ROWS + 2:  # the first two are the heading
            is_last = index + 1 == len(lines) or not lines[index + 1].startswith("|")
            kept += ["", f"*{counted(rows - _MOST_ROWS - 2, 'more row')} of this table.*"] if is_last else []
            continue
        line = shorten(line, LONGEST_TEXT)
        letters -= len(line)
        if len(kept) >= _MOST_LINES or letters < 0:
            return [*kept, "", f"*{counted(len(lines) - index, 'more line')} of this section.*"]
        kept.append(line)
    return kept


@cache
def _renderer() -> MarkdownIt:
    # With `html` off it escapes all HTML, so that what it renders can be marked as safe.
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    renderer.validateLink = is_web_link  # type: ignore[method-assign]
    renderer.add_render_rule("link_open", _open_link)
    renderer.add_render_rule("table_open", _open_table)
    renderer.add_render_rule("table_close", lambda *_: "</table></div>\n")
    renderer.add_render_rule("fence", _code)
    renderer.add_render_rule("code_block", _code)
    renderer.add_render_rule("heading_open", _heading)
    renderer.add_render_rule("heading_close", _heading)
    return renderer


def _open_link(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    """A link that gives the page it leads to no hint, and search engines no vote."""
    tokens[index].attrSet("rel", "nofollow noopener noreferrer")
    return renderer.renderToken(tokens, index, options, environment)


def _code(renderer: RendererHTML, tokens: list[Token], index: int, *_: object) -> str:
    """Code that can be copied; its language is not told, which others chose."""
    text = escape(tokens[index].content.rstrip("\n"))
    return f'<div class="code"><pre tabindex="0" role="group" aria-label="code"><code>{text}</code></pre></div>\n'


def _open_table(*_: object) -> str:
    return '<div class="scroll" tabindex="0" role="group" aria-label="table"><table>\n'


def _heading(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    """Headings within a section are below its own, which is of the second level."""
    tokens[index].tag = f"h{max(3, int(tokens[index].tag[1]))}"
    return renderer.renderToken(tokens, index, options, environment)
