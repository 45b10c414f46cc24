"""Markdown of others: what becomes HTML, what stays text, and how much of it."""

import time

import pytest

from zoo.site.markdown import card_sections, is_web_link, render_inline, render_markdown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://doi.org/10.1/x", True),
        ("HTTP://a.b", True),
        ("javascript:alert(1)", False),
        ("//a.b/x", False),
        ("../x.html", False),
        ("#anchor", False),
        ("https:", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("https://[", False),
    ],
)
def test_links_lead_to_the_web(url: str, expected: bool) -> None:
    assert is_web_link(url) is expected


def test_html_pictures_and_other_links_stay_text() -> None:
    html = render_markdown("<b>x</b> ![p](https://a.b/p.png) [q](javascript:x) **bold**\n\n<script>\nx\n</script>")
    assert "&lt;b&gt;x&lt;/b&gt;" in html and "<strong>bold</strong>" in html
    assert "<img" not in html and "<script" not in html and "[q](javascript:x)" in html
    assert render_inline("a `b`\nc") == "a <code>b</code> c"


def test_a_card_is_cut_into_sections_that_cannot_reach_each_other() -> None:
    front, parts = "---\nlicense: mit\n---\n", ["# name", "Intro.", "## One", "```\n## not a section\n```", "## One"]
    sections = card_sections("\n\n".join([front, *parts, "<div>", "## Use", "x"]), frozenset({"Use"}))
    assert [one.title for one in sections] == ["", "One", "One"]
    assert [one.anchor for one in sections] == ["card-text", "card-one", "card-one-2"]
    assert sections[0].html == "<p>Intro.</p>\n"
    assert "## not a section" in sections[1].html and "&lt;div&gt;" in sections[2].html


def test_long_tables_lines_and_texts_are_cut_and_counted() -> None:
    table = "\n".join(["| a |", "|---|", *(f"| {number} |" for number in range(500)), "", "after"])
    html = render_markdown(table)
    assert html.count("<tr>") == 201 and "300 more rows of this table." in html and "<p>after</p>" in html
    assert "... (9,000 letters)" in render_markdown("x" * 9_000)
    assert "8,500 more lines of this section." in render_markdown("x\n" * 10_000)
    assert card_sections("## a\n" * 50)[-1].html == "<p>The card has more sections than the 40 that are shown.</p>"


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["[" * 1_000_000, "*a " * 300_000, "> " * 500_000, "`" * 999_999, ("![[a](b" * 200 + "\n") * 2_000, "|a" * 400_000],
    ids=["brackets", "stars", "quotes", "ticks", "images", "cells"],
)
def test_text_that_is_made_to_take_long_takes_seconds(text: str) -> None:
    begin = time.perf_counter()
    assert len(render_markdown(text)) < 500_000
    assert time.perf_counter() - begin < 10
