"""A site in a real browser: Chromium without a window, served below a path as GitHub Pages does, and as files."""

import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from made.sites import SHIPPED

from zoo.hub.facts import ModelFacts
from zoo.hub.published import published_models
from zoo.hub.registry import find

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, as in the extra `dev`")

pytestmark = pytest.mark.slow
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PAGES = {
    "index": "index.html",
    "filters": "models/deepbind.encode_usf1_h1hesc.html",
    "bases": "models/mlp.promoter_ecoli.html",
    "tracks": "models/basenji.yeast.html",
    "contacts": "models/akita.yeast.html",
    "published": "models/deepbind.D00328.003.html",
    "benchmarks": "benchmarks.html",
    "benchmark": "benchmarks/akita.html",
}
NAMES = "rows => rows.filter(row => row.checkVisibility()).map(row => row.querySelector('a').textContent)"
# Contrast (WCAG 2) of all text with what lies behind it: the elements in which it is lowest.
CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c)) return c; } return getComputedStyle(document.documentElement).backgroundColor; };
  return [...document.querySelectorAll("main *, header *, footer *")]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => { const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
      return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.outerHTML.slice(0, 90)]; })
    .sort((a, b) => a[0] - b[0]).slice(0, 3);
}"""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class Visit:
    """A page in the browser, and what went on in it.

    Attributes:
        page: the page.
        errors: what it wrote to the console, and exceptions.
        elsewhere: requests to other hosts, which were refused.
    """

    def __init__(self, context: Any, url: str) -> None:
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message))
        home = urlsplit(url).netloc

        def answer(route: Any) -> None:
            if urlsplit(route.request.url).netloc == home:
                route.continue_()
            else:
                self.elsewhere.append(route.request.url)
                route.abort()

        self.page.route("**/*", answer)
        self.page.goto(url)

    @property
    def names(self) -> list[str]:
        """Names of the models in the rows that are shown."""
        names: list[str] = self.page.eval_on_selector_all("#models tbody tr", NAMES)
        return names

    def check(self) -> None:
        """Nothing went wrong, and nobody else was asked."""
        assert (self.errors, self.elsewhere) == ([], [])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    paths = [os.environ.get("CHROMIUM"), *map(shutil.which, BROWSERS)]
    path = next(filter(None, paths), None)
    if path is None:
        pytest.skip("needs Chromium: install it, or set CHROMIUM to its path")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(whole_site: Path, hostile_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server on this computer, with the sites in folders below it."""
    root = tmp_path_factory.mktemp("served")
    (root / "zoo").symlink_to(whole_site)
    (root / "hostile").symlink_to(hostile_site)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(root)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def facts() -> list[ModelFacts]:
    """Facts of the models of the site, in the order of its table."""
    return [*(find(name).facts for name in SHIPPED), *sorted(published_models(), key=lambda one: one.name)]


def natural(model: ModelFacts) -> list[tuple[int, str]]:
    """By what a reader sorts targets: letters of either case, and numbers by their size."""
    parts = re.findall(r"\d+|\D+", model.targets[0].lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def test_search_filters_order_and_links(context: Any, address: str, facts: list[ModelFacts]) -> None:
    visit = Visit(context, f"{address}/zoo/index.html")
    page = visit.page
    assert visit.names == [one.name for one in facts]
    assert page.inner_text("#count") == "935 models"

    page.fill("#query", "ctcf")
    assert visit.names == [one.name for one in facts if one.mentions("ctcf")] != []
    page.fill("#query", "human  SELEX")
    selex = [one for one in facts if one.mentions("human") and one.mentions("selex")]
    assert visit.names == [one.name for one in selex] != []
    assert page.inner_text("#count") == f"{len(selex)} of 935 models"

    page.fill("#query", "yeast")
    page.select_option("[data-facet=output]", "tracks")
    assert visit.names == ["basenji.yeast"]
    page.select_option("[data-facet=output]", "")
    page.select_option("[data-facet=architecture]", "deepbind")
    page.select_option("[data-facet=assay]", "PBM")
    page.fill("#query", "")
    mouse = "Mus musculus"
    page.select_option("[data-facet=species]", mouse)
    chosen = [one for one in facts if (one.species, one.assay, one.architecture) == (mouse, "PBM", "deepbind")]
    assert visit.names == [one.name for one in chosen] != []

    page.click("th:has-text('Predicts') button")
    assert visit.names == [one.name for one in sorted(chosen, key=natural)]
    page.click("th:has-text('Predicts') button")
    assert visit.names[0] in [one.name for one in chosen if natural(one) == natural(max(chosen, key=natural))]
    assert page.get_attribute("th:has-text('Predicts')", "aria-sort") == "descending"

    link, names = page.url, visit.names
    again = Visit(context, link)
    assert again.names == names
    assert again.page.input_value("[data-facet=species]") == mouse
    again.page.evaluate("location.hash = '#q=ctcf&sort=-0'")  # as a link within a page, or the way back
    again.page.wait_for_function("document.getElementById('query').value === 'ctcf'")
    assert again.names == [one.name for one in reversed(facts) if one.mentions("ctcf")]
    again.page.goto(f"{address}/zoo/index.html#q=%22%3E%3Cb%3E&species=nobody&sort=99")
    again.page.reload()
    assert again.page.inner_text("#none").startswith("No model matches.")
    again.page.click("#again")
    assert len(again.names) == 935 and again.page.url == f"{address}/zoo/index.html"
    page.click("button[type=reset]")
    assert visit.names == [one.name for one in facts]
    milliseconds = page.evaluate("""() => {
        const query = document.getElementById("query"), times = [];
        for (const text of ["c", "ct", "ctc", "ctcf", "", "mouse", ""]) {
            const begin = performance.now();
            query.value = text;
            query.dispatchEvent(new Event("input"));
            document.body.offsetHeight;  // with the layout
            times.push(performance.now() - begin);
        }
        return times;
    }""")
    assert sorted(milliseconds)[3] < 250, milliseconds  # 30 where other work goes on
    visit.check()
    again.check()


def test_sorting_by_numbers_and_scores(context: Any, address: str, facts: list[ModelFacts]) -> None:
    visit = Visit(context, f"{address}/zoo/index.html")
    visit.page.select_option("[data-facet=from]", "shipped with the zoo")
    shipped = facts[: len(SHIPPED)]
    assert sorted(visit.names) == [one.name for one in shipped]
    visit.page.select_option("#order", label="Reads, descending")
    assert visit.names == [one.name for one in sorted(shipped, key=lambda one: -one.length)]
    visit.page.select_option("#order", label="Test score")
    scores = [re.fullmatch(r"test (.*?) (0\.\d+)(,.*)?", find(name).facts.metric) for name in visit.names]
    keys = [(match[1].lower(), float(match[2])) for match in scores if match]
    assert len(keys) == 4 and keys == sorted(keys)
    table = Visit(context, f"{address}/zoo/benchmarks/akita.html")
    table.page.click("#akita_human th:nth-child(2) button")
    cells = table.page.eval_on_selector_all("#akita_human td:nth-child(2)", "all => all.map(one => +one.textContent)")
    assert len(cells) == 5 and cells == sorted(cells)
    visit.check()
    table.check()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_every_kind_of_page_is_readable(width: int, scheme: str, browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)
    for kind, path in PAGES.items():
        visit = Visit(context, f"{address}/zoo/{path}")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, kind
        visit.page.wait_for_function("[...document.images].every(i => i.loading === 'lazy' || i.naturalWidth > 0)")
        if kind == "index":
            visit.page.fill("#query", "yeast")
        assert visit.page.evaluate(CONTRAST)[0][0] >= 4.5, (kind, visit.page.evaluate(CONTRAST))
        visit.check()
    context.close()


def test_a_command_is_copied(browser: Any, address: str, whole_site: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    visit = Visit(context, f"{address}/zoo/{PAGES['filters']}")
    visit.page.click("#load .pair > div:nth-child(2) .copy")
    visit.page.wait_for_selector("text=Copied")
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[2] == 'model = zoo.load("deepbind.encode_usf1_h1hesc")'
    visit.page.evaluate("Object.defineProperty(window, 'isSecureContext', {value: false})")  # http of another host
    visit.page.click("#load .pair > div:nth-child(1) .copy")
    visit.page.wait_for_selector("#load .pair > div:nth-child(1) >> text=Copied")
    assert visit.page.evaluate("navigator.clipboard.readText()").startswith("zoo info deepbind.encode_usf1_h1hesc\n")
    visit.check()
    context.close()


def test_keys_reach_everything_and_show_where_they_are(context: Any, address: str) -> None:
    visit = Visit(context, f"{address}/zoo/index.html")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Skip to content"
    reached = []
    for _ in range(24):
        visit.page.keyboard.press("Tab")
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert visit.page.evaluate(outline) != "none"
        reached.append(visit.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert {"query", "order", "Copy", "Benchmarks", "Reset", "Species", SHIPPED[0]} <= set(reached)
    visit.check()


def test_files_work_without_a_server_and_pages_without_scripts(browser: Any, context: Any, whole_site: Path) -> None:
    visit = Visit(context, (whole_site / "index.html").as_uri() + "#q=ctcf")
    assert len(visit.names) == 3
    visit.page.click("#models tbody tr:not([hidden]) a")
    visit.page.wait_for_url("**/models/*.html")  # loaded as a whole
    assert visit.page.evaluate("getComputedStyle(document.querySelector('.code')).position") == "relative"  # styles
    visit.page.go_back()
    visit.page.wait_for_function("document.getElementById('query').value === 'ctcf'")
    visit.check()
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto((whole_site / "index.html").as_uri())
    assert page.locator("#models tbody tr").count() == 935 and not page.is_visible("#controls")
    plain.close()


def test_hostile_models_act_in_no_way(browser: Any, address: str, hostile_site: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    for path in ["index.html", *sorted(f"models/{page.name}" for page in (hostile_site / "models").iterdir())]:
        visit = Visit(context, f"{address}/hostile/{path}")
        assert visit.page.evaluate("window.hit") is None
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
        visit.page.hover("h1")
        visit.check()
    context.close()
