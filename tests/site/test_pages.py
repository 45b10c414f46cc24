"""The files of a site: links that lead somewhere, nothing loaded from elsewhere, text that stays text."""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from made.hostile_cards import EVIL, HIT, HOSTILE_TEXTS
from made.pages import Page, read_pages
from made.sites import SHIPPED

from zoo.hub.benchmarks import benchmark_scripts, recorded_results
from zoo.hub.published import published_models
from zoo.hub.registry import find

pytestmark = pytest.mark.slow
Pages = dict[str, Page]


@pytest.fixture(scope="module")
def pages(whole_site: Path) -> Pages:
    return read_pages(whole_site)


@pytest.fixture(scope="module")
def hostile_pages(hostile_site: Path) -> Pages:
    return read_pages(hostile_site)


def broken_links(site: Path, pages: Pages) -> list[str]:
    """Links of a site that lead to no file or to no place in a page; other hosts are not asked."""
    broken = []
    for name, page in pages.items():
        for url in [*(a["href"] for a in page.all("a")), *page.loaded]:
            path, anchor = urldefrag(url)
            if urlsplit(path).scheme in ("http", "https"):
                continue
            target = ((site / name).parent / unquote(path)).resolve() if path else (site / name).resolve()
            inside = target.is_relative_to(site.resolve()) and target.is_file()
            if not inside or (anchor and anchor not in pages[target.relative_to(site.resolve()).as_posix()].ids):
                broken.append(f"{name}: {url}")
    return broken


def test_every_link_and_anchor_leads_to_a_file_of_the_site(whole_site: Path, pages: Pages) -> None:
    assert len(pages) == 4 + 931 + 2 + len({page for page in pages if page.startswith("benchmarks/")})
    assert broken_links(whole_site, pages) == []
    linked = {a["href"] for a in pages["index.html"].all("a")}
    assert {name for name in pages if name.startswith("models/")} <= linked  # no page that nothing leads to


def test_links_are_relative_so_that_a_site_works_below_any_path(pages: Pages) -> None:
    assert [url for page in pages.values() for url in page.loaded if urlsplit(url).netloc or url.startswith("/")] == []
    assert [a for page in pages.values() for a in page.all("a") if a["href"].startswith("/")] == []


def test_styles_and_scripts_ask_no_other_host(whole_site: Path) -> None:
    css = (whole_site / "static" / "site.css").read_text()
    assert "url(" not in css and "@import" not in css
    script = (whole_site / "static" / "site.js").read_text()
    assert re.findall(r"https?:|\bfetch\b|XMLHttpRequest|innerHTML|\beval\b|import\(", script) == []
    for picture in whole_site.rglob("*.svg"):
        assert re.findall(r"(?:href|src)=\"(?!#[ACGT]\")|<script|<foreignObject", picture.read_text()) == []


def test_every_page_names_its_language_and_forbids_other_sources_before_it_loads_anything(pages: Pages) -> None:
    for page in pages.values():
        assert page.elements[0].attributes == {"lang": "en"}
        tags = [(element.tag, element.attributes) for element in page.elements]
        policy = next(i for i, (_, a) in enumerate(tags) if a.get("http-equiv") == "Content-Security-Policy")
        assert policy < next(i for i, (tag, _) in enumerate(tags) if tag in ("link", "script", "img"))
        rules = dict(rule.strip().split(" ", 1) for rule in tags[policy][1]["content"].split(";"))
        assert rules.pop("default-src") == rules.pop("base-uri") == rules.pop("form-action") == "'none'"
        assert set(rules.values()) == {"'self'"}
        assert page.all("meta")[2] == {"name": "viewport", "content": "width=device-width, initial-scale=1"}
        assert [i for i in page.all("img") if "alt" not in i] == []
        assert len(set(page.ids)) == len(page.ids)
        names = {name for element in page.elements for name in element.attributes}
        assert not [name for name in names if name == "style" or name.startswith("on")]


def test_pictures_of_what_a_model_sees_are_described(pages: Pages) -> None:
    for name in SHIPPED:
        pictures = [img for img in pages[f"models/{name}.html"].all("img") if "../pictures/" in img["src"]]
        assert pictures and all(len(picture["alt"]) > 20 for picture in pictures), name
    alts = " ".join(img["alt"] for img in pages["models/deepbind.encode_usf1_h1hesc.html"].all("img"))
    assert "CACGTG" in alts  # the E-box that USF1 binds


def test_a_page_holds_card_scores_files_and_how_to_load(pages: Pages) -> None:
    folder = find("deepbind.encode_usf1_h1hesc").folder
    assert folder is not None
    text = pages["models/deepbind.encode_usf1_h1hesc.html"].text
    card = (folder / "README.md").read_text()
    for line in re.findall(r"^- (.*)", card.split("# deepbind", 1)[1], re.MULTILINE):
        assert line in text, line
    for cell in re.findall(r"\b0\.\d{4}\b", card):
        assert cell in text
    for digest in (find("deepbind.encode_usf1_h1hesc").config or pytest.fail()).sha256.values():
        assert digest in text
    assert 'zoo.load("deepbind.encode_usf1_h1hesc")' in text
    assert "zoo predict deepbind.encode_usf1_h1hesc sequences.fa -o predictions.tsv" in text


def test_the_page_of_a_published_model_tells_its_facts_and_source(pages: Pages) -> None:
    text = pages["models/deepbind.D00328.003.html"].text
    for words in ("CTCF", "SELEX", "Homo sapiens", "BSD-3-Clause", "doi:10.1038/nbt.3300", "on first use"):
        assert words in text


def test_every_recorded_table_is_there_with_all_cells_and_its_command(pages: Pages) -> None:
    texts = {name.removeprefix("benchmarks/").removesuffix(".html"): page for name, page in pages.items()}
    names = [name for name in benchmark_scripts() if name in texts]
    for table, path in recorded_results().items():
        (page,) = [texts[name] for name in names if table in texts[name].ids]
        for line in path.with_suffix(".md").read_text().splitlines():
            for cell in filter(None, (part.strip() for part in line.split("|")[1:-1] if "---" not in part)):
                assert cell in page.text, (table, cell)
        writing = [name for name, script in benchmark_scripts().items() if f'results("{table}"' in script.read_text()]
        assert writing in ([], [page.path.stem])
    assert [name for name in names if "training_loop" in texts[name].ids] == ["throughput"]
    assert all(f"zoo benchmark {name}" in texts[name].text for name in names)


@pytest.mark.parametrize("query", ["ctcf", "yeast", "USF1 H1-hESC", "mouse pbm", "rna-binding human", "hic", "zzz"])
def test_the_search_reads_what_zoo_list_reads(query: str, pages: Pages) -> None:
    rows = pages["index.html"].all("tr")[1:]
    facts = [*(find(name).facts for name in SHIPPED), *published_models()]
    words = query.lower().split()
    matching = sum(all(word in row["data-words"] for word in words) for row in rows)
    assert len(rows) == len(facts) == 935
    assert matching == sum(all(one.mentions(word) for word in words) for one in facts)
    assert (matching == 0) == (query == "zzz")


def test_the_files_are_listed_and_github_takes_them_as_they_are(whole_site: Path) -> None:
    assert (whole_site / ".nojekyll").read_bytes() == b""
    assert sum(path.stat().st_size for path in whole_site.rglob("*")) < 15_000_000
    assert not [path for path in whole_site.rglob("*") if path.is_file() and path.stat().st_mode & 0o111]


def test_hostile_text_stays_text(hostile_site: Path, hostile_pages: Pages) -> None:
    assert broken_links(hostile_site, hostile_pages) == []
    for page in hostile_pages.values():
        assert [a["src"] for a in page.all("script")] in (["static/site.js"], ["../static/site.js"])
        assert all(not urlsplit(url).netloc for url in page.loaded)
        assert not [e for e in page.elements if any(name.startswith("on") for name in e.attributes)]
        assert {urlsplit(a["href"]).scheme for a in page.all("a")} <= {"", "https"}
        assert not re.search("[\u200b\u202e]", page.path.read_text())
    acting = next(page for name, page in hostile_pages.items() if "window-hit" in name)
    assert HOSTILE_TEXTS["species"] in acting.text and f"<script>{HIT}</script>" in acting.text
    links = [a for a in acting.all("a") if urlsplit(a["href"]).netloc]
    assert {a["href"] for a in links} >= {f"https://{EVIL}/paper"}
    assert all(a["rel"] == "nofollow noopener noreferrer" for a in links)


def test_what_floods_a_page_is_cut_and_counted(hostile_site: Path, hostile_pages: Pages) -> None:
    assert max(path.stat().st_size for path in hostile_site.rglob("*.html")) < 600_000
    flooding = hostile_pages["models/mlp.flooding.html"].text
    assert "... (900,000 letters)" in flooding and "9,800 more rows of this table." in flooding
    index = hostile_pages["index.html"].text
    assert "10,000 targets" in index and "10,000 cell types" in index
    assert re.search(r"the search does not read [\d,]+ letters of the names of its targets", index)
