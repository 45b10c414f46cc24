"""The documentation: its pages, links, commands and Python are right; built, it asks no other host for anything."""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands.test_options import arguments_of
from docs_pages import notebook_nav, verb_pages
from made.doc_commands import check_command, commands, python_blocks

import zoo
from zoo.cli import build_parser, main
from zoo.commands.predict.options import KINDS, kind_parser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text() for path in sorted(DOCS.rglob("*.md"))}
VERBS = verb_pages()
NOTEBOOKS = {path.relative_to(DOCS).as_posix(): path.read_text() for path in (DOCS / "notebooks").glob("*.py")}
README = (ROOT / "README.md").read_text()
EVERYTHING = "\n".join([README, *PAGES.values()])
LINK = re.compile(r"\]\(([^)\s]+)\)")
LINKS = [(page, link) for page, text in {**PAGES, **NOTEBOOKS}.items() for link in LINK.findall(text)]
# Attributes by which a page makes a browser fetch something, but for <a>, which a person follows.
FETCHED = {"src", "srcset", "data", "poster", "href"}


class _Settings(yaml.SafeLoader):
    """YAML of MkDocs: `!ENV [NAME, default]` is its default."""


def _default(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> Any:
    return loader.construct_sequence(node)[-1]


_Settings.add_constructor("!ENV", _default)


def settings() -> dict[str, Any]:
    content: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text(), _Settings)
    return content


def nav_files(entries: Any) -> list[str]:
    if isinstance(entries, str):
        return [entries]
    values = entries.values() if isinstance(entries, dict) else entries
    return [path for value in values for path in nav_files(value)]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as Python-Markdown makes them."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads}


def test_every_page_is_in_the_navigation_and_no_other() -> None:
    assert sorted(nav_files(settings()["nav"])) == sorted(PAGES)


def test_every_notebook_is_in_the_navigation(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    for name in ("other", "hic", "predict"):
        (tmp_path / "notebooks" / f"{name}.py").touch()
    assert notebook_nav(tmp_path) == ["notebooks/predict.py", "notebooks/hic.py", "notebooks/other.py"]
    assert set(notebook_nav(DOCS)) == set(NOTEBOOKS)


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_leads_to_a_page_and_a_heading_that_exist(page: str, link: str) -> None:
    path, _, anchor = link.partition("#")
    target = os.path.normpath(Path(page).parent / path) if path else page
    if page in NOTEBOOKS:  # its links are those of the built site
        target = next((t for t in (*PAGES, *VERBS, *NOTEBOOKS) if target == f"{t.rpartition('.')[0]}.html"), target)
    text = {**PAGES, **VERBS, **NOTEBOOKS}.get(target)
    assert text is not None, f"{page} links to {link}"
    assert not anchor or anchor in anchors(text), f"{page} links to {link}"


def parsers() -> list[tuple[str, ArgumentParser]]:
    kinds = [("predict", kind_parser(kind)) for kind in KINDS]
    verbs = next(action.choices for action in build_parser()._actions if isinstance(action.choices, dict))
    return [*((name, verb) for name, verb in verbs.items() if name != "predict"), *kinds]


@pytest.mark.parametrize(("verb", "parser"), parsers(), ids=lambda value: value if isinstance(value, str) else "")
def test_the_page_of_a_verb_has_all_of_its_arguments_with_their_meaning(verb: str, parser: ArgumentParser) -> None:
    page = VERBS[f"verbs/{verb}.md"]
    terms = re.findall(r"^`(.+)`\n:   \S", page, re.MULTILINE)
    for _, argument in arguments_of(parser, verb):
        action = next((a for p in [parser, *_below(parser)] for a in p._actions if argument in _names(a)), None)
        assert action is not None
        shown = argument if action.option_strings else str(action.metavar or argument)
        assert any(re.search(rf"(^|[ ,]){re.escape(shown)}($|[ ,])", term) for term in terms), argument
    assert f"[`zoo {verb}`]({verb}.md)" in VERBS["verbs/index.md"]


def _below(parser: ArgumentParser) -> list[ArgumentParser]:
    return [
        below for action in parser._actions if isinstance(action.choices, dict) for below in action.choices.values()
    ]


def _names(action: Any) -> tuple[str, ...]:
    return (*action.option_strings, action.dest)


def test_every_public_name_is_in_the_page_of_python_once() -> None:
    names = re.findall(r"^::: zoo\.(\w+)$", PAGES["python.md"], re.MULTILINE)
    assert sorted(names) == sorted([*(name for name in zoo.__all__ if name != "__version__"), "errors"])


@pytest.mark.parametrize("command", sorted({command for page in PAGES.values() for command in commands(page)}))
def test_a_command_is_one_that_the_command_line_knows(command: str) -> None:
    check_command(command, EVERYTHING)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if python_blocks(PAGES[page])])
def test_python_of_a_page_runs(page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["example"]) == 0
    names: dict[str, Any] = {}
    for code in python_blocks(PAGES[page]):
        compile(code, page, "exec")
        if "hf-hub:" not in code:
            exec(code, names)


class _Fetched(HTMLParser):
    """What a browser fetches for a page from another host."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[str] = []

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script":
            self.others += re.findall(r"""\bimport\b[^;\n]*["']((?:https?:)?//[^"']+)""", data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_canonical = ("rel", "canonical") in attrs
        if tag != "a" and not is_canonical:
            self.others += [v for k, v in attrs if k in FETCHED and v and re.match(r"(\w+:)?//", v.strip())]


def test_what_a_page_fetches_from_others_is_seen() -> None:
    page = _Fetched()
    page.feed('<a href="https://a.org"><img src="https://b.org/b"><link href="//c.org/c"><script src="d.js"></script>')
    page.feed('<script>const a = (await import("https://d.org/d.js")).default; b = "https://e.org";</script>import "f"')
    assert page.others == ["https://b.org/b", "//c.org/c", "https://d.org/d.js"]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mkdocs") is None, reason="building the documentation needs the extra docs")
def test_the_documentation_is_built_and_asks_no_other_host(tmp_path: Path) -> None:
    gallery = tmp_path / "gallery"
    gallery.mkdir()
    (gallery / "index.html").write_text("<p>models</p>")
    environment = {**os.environ, "DOCS_EXECUTE": "false", "DOCS_GALLERY": str(gallery), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert NOTEBOOKS
    built = {path.relative_to(tmp_path / "site").as_posix(): path for path in (tmp_path / "site").rglob("*.html")}
    assert {page.replace(".md", ".html") for page in (*PAGES, *VERBS)} < set(built)
    assert {page.replace(".py", ".html") for page in NOTEBOOKS} < set(built)
    assert built["gallery/index.html"].read_text() == "<p>models</p>"
    assert 'href="gallery/index.html"' in built["index.html"].read_text()
    fetched = {}
    for name, path in built.items():
        page = _Fetched()
        page.feed(path.read_text())
        fetched[name] = page.others
    assert {name: others for name, others in fetched.items() if others} == {}
    styles = "".join(path.read_text() for path in (tmp_path / "site").rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", styles) == []
    assert "Compute embeddings" in built["python.html"].read_text()  # docstrings are there
