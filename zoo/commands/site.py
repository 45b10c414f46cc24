"""`zoo site`: a gallery of models as a static site."""

import argparse
import sys
from typing import Any

from zoo.utils.text import counted

__all__ = ["add_site"]


def add_site(verbs: Any) -> None:
    """Add the verb `site` and its options."""
    verb = verbs.add_parser(
        "site",
        help="write a gallery of models as a static site",
        description="Write pages of models, with cards, pictures of what each sees, scores and how to load it, and the "
        "tables of the benchmarks: files for any web server or GitHub Pages, or to be opened as they are.",
    )
    verb.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help="architecture.tag, a pattern of names, local-dir:PATH, or hf-hub:ORG/REPO@REVISION; without one, all "
        "models that are shipped or published by others, and the benchmarks",
    )
    verb.add_argument("-o", "--output", required=True, metavar="FOLDER", help="the folder of the site")
    verb.add_argument("--title", metavar="TEXT", help="title of the site")
    verb.add_argument(
        "--home",
        metavar="LINK",
        help="what every page links to as `Documentation`: an address, or a path from the site's first page",
    )
    verb.add_argument("--overwrite", action="store_true", help="write over an earlier site")
    verb.set_defaults(run=site_command)


def site_command(options: argparse.Namespace) -> None:
    """Write a site, and print its first page."""
    from pathlib import Path

    from zoo.utils.extras import require_extras

    require_extras(["site"], "zoo site")
    from zoo.site.folder import check_site_folder

    check_site_folder(Path(options.output), options.overwrite)  # before torch is imported
    from zoo.site.build import TITLE, build_site

    title = options.title or TITLE
    report = build_site(options.output, options.names, title, options.overwrite, options.home or "")
    counts = [f"{counted(report.models, 'model')}, {report.drawn:,} of them with pictures"]
    counts += [counted(report.tables, "table") + " of benchmarks"] if report.tables else []
    counts += [f"{counted(report.left_out, 'broken checkpoint')} left out"] if report.left_out else []
    print(Path(options.output) / "index.html")
    print(f"zoo: {'; '.join(counts)}", file=sys.stderr)
