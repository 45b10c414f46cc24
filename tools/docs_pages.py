"""A hook of MkDocs: pages of the verbs, written from their parsers, and the navigation of what is there.

The pages are written when the documentation is built, so that they cannot be out of date.
"""

import argparse
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli import build_parser
from zoo.commands.predict.options import KINDS, kind_parser

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

__all__ = ["notebook_nav", "on_config", "on_files", "on_post_page", "verb_pages"]

_README = Path(__file__).parent.parent / "README.md"
_WIDTH = 96  # letters of a line of usage
_USAGE = "usage: "
_MOST_EXAMPLES = 6
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_IMPORT = re.compile(r"""\bimport\b[^;\n]*["']https?://""")
# The notebooks in the order of a reader; others follow by name.
_NOTEBOOKS = (
    "predict",
    "variants",
    "finetune",
    "hic",
    "publish",
    "lines_and_cubes",
    "learning_rate",
    "filters_are_motifs",
)
_INDEX = """# Verbs

The command `zoo` has one verb for each task. These pages are written from the command line itself; `zoo VERB --help`
prints the same. An error is one sentence on standard error and the exit code 2; after an interrupt the code is 130.

| verb | what it does |
|---|---|
"""


def on_config(config: "MkDocsConfig") -> "MkDocsConfig":
    """Add the verbs, the notebooks that exist, and the gallery if one was built, to the navigation."""
    nav: list[Any] = list(config.nav or [])
    verbs = [{f"zoo {name}": f"verbs/{name}.md"} for name in _verbs(build_parser())]
    nav.insert(_position(nav, "Python"), {"Verbs": ["verbs/index.md", *verbs]})
    if notebooks := notebook_nav(Path(config.docs_dir)):
        nav.insert(_position(nav, "Publish a model"), {"Notebooks": notebooks})
    if _gallery():
        nav.insert(1, {"Gallery of models": "gallery/index.html"})
    config.nav = nav
    return config


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the pages of the verbs, and the files of the gallery."""
    from mkdocs.structure.files import File

    for path, text in verb_pages().items():
        files.append(File.generated(config, path, content=text))
    if folder := _gallery():
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = f"gallery/{file.relative_to(folder).as_posix()}"
            files.append(File.generated(config, name, abs_src_path=str(file)))
    return files


def on_post_page(output: str, **_: Any) -> str:
    """Remove the scripts of notebooks that would load a library from another host."""
    return _SCRIPT.sub(lambda script: "" if _IMPORT.search(script[0]) else script[0], output)


def notebook_nav(docs: Path) -> list[str]:
    """The notebooks of a documentation folder, as paths in it and in the order of a reader."""
    names = {path.stem for path in (docs / "notebooks").glob("*.py")}
    ordered = [name for name in _NOTEBOOKS if name in names]
    return [f"notebooks/{name}.py" for name in (*ordered, *sorted(names - set(ordered)))]


def verb_pages() -> dict[str, str]:
    """The pages of all verbs: Markdown by path."""
    parser = build_parser()
    helps = {action.dest: action.help or "" for action in _subparsers(parser)._choices_actions}
    verbs = _verbs(parser)
    rows = [f"| [`zoo {name}`]({name}.md) | {_escape(helps.get(name, ''))} |" for name in verbs]
    pages = {"verbs/index.md": _INDEX + "\n".join(rows) + "\n"}
    for name, verb in verbs.items():
        pages[f"verbs/{name}.md"] = "\n".join(_page(name, verb))
    return pages


def _gallery() -> Path | None:
    """The folder that `make site` wrote the gallery to."""
    folder = os.environ.get("DOCS_GALLERY")
    return Path(folder) if folder else None


def _position(nav: list[Any], title: str) -> int:
    """Where an entry with a title is in the navigation."""
    return next(index for index, entry in enumerate(nav) if isinstance(entry, dict) and title in entry)


def _subparsers(parser: argparse.ArgumentParser) -> Any:
    return next((action for action in parser._actions if isinstance(action, argparse._SubParsersAction)), None)


def _verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    below = _subparsers(parser)
    return dict(below.choices) if below else {}


def _page(name: str, verb: argparse.ArgumentParser) -> Iterator[str]:
    """The lines of the page of a verb."""
    yield f"# zoo {name}\n"
    if name == "predict":  # each kind of model has a parser of its own
        yield f"{_escape(verb.description or '')}\n"
        for kind in KINDS:
            yield f"## Models of {kind}\n"
            yield from _arguments(kind_parser(kind))
    elif below := _verbs(verb):
        yield f"{_escape(verb.description or '')}\n"
        for action, parser in below.items():
            yield f"## zoo {name} {action}\n"
            yield from _arguments(parser)
    else:
        yield from _arguments(verb)
    if examples := _examples(name):
        yield "## Examples\n"
        yield "\n".join(["```bash", *examples, "```"]) + "\n"


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Description, usage, and a definition for each argument."""
    parser.formatter_class = partial(argparse.HelpFormatter, width=_WIDTH)
    formatter = parser._get_formatter()
    first, *others = parser.format_usage().rstrip().splitlines()
    usage = "\n".join([first.removeprefix(_USAGE), *(line.removeprefix(" " * len(_USAGE)) for line in others)])
    yield f"{_escape(parser.description or '')}\n"
    yield f"```text\n{usage}\n```\n"
    for action in parser._actions:
        if not isinstance(action, argparse._HelpAction):
            meaning = formatter._expand_help(action)
            yield f"`{formatter._format_action_invocation(action)}`\n:   {_escape(meaning)}\n"


def _examples(name: str) -> list[str]:
    """The first commands of README with a verb, without their comments."""
    blocks = re.findall(r"```bash\n(.*?)```", _README.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(f"zoo {name} ")][:_MOST_EXAMPLES]


def _escape(text: str) -> str:
    """Text of the command line as Markdown: options as code, and no letter that formats."""
    with_code = "".join(
        piece if piece.startswith("`") else re.sub(r"(?<![\w-])(--[A-Za-z][\w.-]*\w)", r"`\1`", piece)
        for piece in re.split(r"(`[^`]*`)", text)
    )
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([\\*_<\[\]|])", r"\\\1", piece)
        for piece in re.split(r"(`[^`]*`)", with_code)
    )
