"""Write a site: pages, pictures and tables in a folder that any web server can serve."""

import logging
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from zoo.errors import ConfigError, IntegrityError
from zoo.site.benchmarks import read_benchmarks
from zoo.site.folder import check_site_folder, site_folder
from zoo.site.index import Row, row_of
from zoo.site.markdown import is_web_link
from zoo.site.models import SiteModel, collect_models
from zoo.site.pages import STATIC, Pages
from zoo.site.pictures import Gallery, Picture, draw_pictures, one_thread
from zoo.site.scores import draw_scores
from zoo.utils.progress import bar
from zoo.utils.text import quoted

__all__ = ["SiteReport", "build_site"]

_log = logging.getLogger(__name__)
TITLE = "Models of regulatory DNA"


class SiteReport(NamedTuple):
    """What a site holds.

    Attributes:
        models: models, each with a page.
        drawn: of these, the models with pictures.
        tables: tables of benchmarks.
        left_out: broken checkpoints, each with a warning.
    """

    models: int
    drawn: int
    tables: int
    left_out: int


def build_site(
    folder: str | Path, names: Sequence[str] = (), title: str = TITLE, overwrite: bool = False, home: str = ""
) -> SiteReport:
    """Write a site of models.

    Args:
        folder: the new folder.
        names: models by name, as of `zoo.load`, or by a pattern of names; none for all that are shipped or published
            by others, with the tables of the benchmarks.
        title: title of the site.
        overwrite: replace an earlier site.
        home: documentation that every page links to: an address, or a path from the first page; empty for none.

    Returns:
        What the site holds.

    Raises:
        ConfigError: `home` is neither.
        OutputError: a folder that holds anything but a site, or cannot be written.
        UnknownNameError: no such model.
        IntegrityError: no model is left.
    """
    folder = Path(folder)
    check_site_folder(folder, overwrite)
    _check_home(home)
    models, left_out = collect_models(names)
    benchmarks = [] if names else read_benchmarks()
    pages = Pages(title, bool(benchmarks), home)
    with site_folder(folder, overwrite) as draft:
        rows = _write_models(pages, models, draft)
        if not rows:
            raise IntegrityError(f"{folder} is not written: none of the models can be shown")
        _write(draft / "index.html", pages.index(rows))
        if benchmarks:
            _write(draft / "benchmarks.html", pages.benchmarks(benchmarks))
            for benchmark in benchmarks:
                _write(draft / benchmark.page, pages.benchmark(benchmark))
        shutil.copytree(STATIC, draft / "static", copy_function=shutil.copyfile)
        _write(draft / ".nojekyll", "")  # GitHub Pages serves the files as they are
    drawn = sum(bool(row.thumbnail) for row in rows)
    tables = sum(len(benchmark.tables) for benchmark in benchmarks)
    return SiteReport(len(rows), drawn, tables, left_out + len(models) - len(rows))


def _check_home(home: str) -> None:
    """Refuse a link that is neither an address of the web nor a path within the server."""
    is_path = re.fullmatch(r"[\w./-]*", home, re.ASCII) and not home.startswith("/")
    if not is_path and not is_web_link(home):
        raise ConfigError(f"{quoted(home)} is no link: give an address (https://...), or a path such as ../index.html")


def _write_models(pages: Pages, models: Sequence[SiteModel], draft: Path) -> list[Row]:
    """Write the page and the pictures of each model; a broken one is a warning and left out.

    Returns:
        A row of the table for each that was written.
    """
    rows = []
    drawn = [model for model in models if model.folder is not None]
    galleries: dict[str, tuple[Gallery, list[Picture]]] = {}
    with one_thread():
        for model in bar(drawn, "Drawing"):
            folder = draft / "pictures" / model.stem
            try:
                galleries[model.stem] = _draw(model, folder)
            except IntegrityError as error:
                _log.warning(f"left out: {error}")
                shutil.rmtree(folder, ignore_errors=True)
    for model in bar(models, "Writing pages"):
        gallery, scores = galleries.get(model.stem, (None, []))
        if model.folder is not None and gallery is None:
            continue
        _write(draft / model.page, pages.model(model, gallery, scores))
        thumbnail = f"pictures/{model.stem}/{gallery.thumbnail}" if gallery and gallery.thumbnail else ""
        rows.append(row_of(model, thumbnail))
    return rows


def _draw(model: SiteModel, folder: Path) -> tuple[Gallery, list[Picture]]:
    """Draw what a model sees, and its test scores."""
    assert model.folder is not None
    gallery = draw_pictures(model.folder, folder)
    return gallery, draw_scores(model.facts.run.target_metrics if model.facts.run else {}, folder)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
