"""The package, read from its syntax trees: imports point down, and what a module promises is there.

The floors are those of the picture in CONTRIBUTING.md, so that it cannot be out of date.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib import import_module
from itertools import combinations
from pathlib import Path

import pytest

import zoo

PACKAGE = Path(zoo.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
LONGEST_FILE, LONGEST_BODY, MOST_TOP_LEVEL_FILES, MOST_ARGUMENTS = 250, 50, 6, 12


def read_floors(heading: str) -> dict[str, int]:
    """The folders and files that stand below a heading of CONTRIBUTING.md, and on which floor each is."""
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
    block = re.search(rf"{re.escape(heading)}.*?```\n(.*?)```", text, re.S)
    assert block, f"CONTRIBUTING.md has no picture behind {heading!r}"
    lines = [line.split() for line in block[1].splitlines()]
    return {name.rstrip("/").removesuffix(".py"): int(number) for number, *names in lines for name in names}


FLOORS = read_floors("Imports point down only")
DATA_FLOORS = read_floors("Inside `data/`")


def folder(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def data_folder(module: str) -> str:
    """The folder inside `data/`, or the name of a module that all of them share."""
    return module.split(".")[2] if module.count(".") > 1 else ""


def imported(module: str) -> Iterator[str]:
    """The modules of zoo that a module imports anywhere, inside functions and for types too."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "zoo")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative imports are not written here"
            if node.module and node.module.split(".")[0] == "zoo":
                inner = [f"{node.module}.{alias.name}" for alias in node.names]
                yield from (name if name in MODULES else node.module for name in inner)


def points_down(module: str, other: str) -> bool:
    return folder(module) == folder(other) or FLOORS[folder(other)] <= FLOORS[folder(module)]


def points_down_in_data(module: str, other: str) -> bool:
    ours, theirs = (DATA_FLOORS.get(data_folder(name), 0) for name in (module, other))  # 0: the package itself
    return data_folder(module) == data_folder(other) or theirs <= ours


def test_every_folder_stands_in_the_picture_and_no_other() -> None:
    assert {folder(module) for module in MODULES} == set(FLOORS)


def test_every_folder_and_module_of_data_stands_in_the_picture_and_no_other() -> None:
    assert {data_folder(module) for module in MODULES if folder(module) == "data"} - {""} == set(DATA_FLOORS)


def test_few_files_lie_at_the_top() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_TOP_LEVEL_FILES


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    assert [other for other in imported(module) if not points_down(module, other)] == []


@pytest.mark.parametrize("module", [name for name in MODULES if folder(name) == "data"])
def test_imports_inside_data_point_down(module: str) -> None:
    inside = [other for other in imported(module) if folder(other) == "data"]
    assert [other for other in inside if not points_down_in_data(module, other)] == []


def test_no_two_folders_import_each_other() -> None:
    pairs = {(folder(module), folder(other)) for module in MODULES for other in imported(module)}
    assert [pair for pair in combinations(sorted(set(FLOORS)), 2) if {pair, pair[::-1]} <= pairs] == []


@pytest.mark.parametrize("module", MODULES)
def test_files_are_short(module: str) -> None:
    assert len(MODULES[module].read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("module", MODULES)
def test_function_bodies_are_short(module: str) -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, functions):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            assert (node.end_lineno or 0) - first.lineno < LONGEST_BODY, f"{module}.{node.name}"


def test_imports_make_no_circle() -> None:
    graph = {module: {other for other in imported(module) if other != "zoo"} for module in MODULES if module != "zoo"}
    order = list(
        TopologicalSorter({name: needs for name, needs in graph.items() if name not in RE_EXPORTS}).static_order()
    )
    assert order.index("zoo.errors") < order.index("zoo.hub.load") < order.index("zoo.cli")


@pytest.mark.parametrize("module", [name for name in MODULES if folder(name) == "models"])
def test_an_architecture_knows_no_data_and_no_other_architecture(module: str) -> None:
    allowed = {"models": {"zoo.models._base", "zoo.models._inference"}}
    assert [o for o in imported(module) if folder(o) in ("data", "datasets")] == []
    assert {o for o in imported(module) if folder(o) == "models"} <= allowed["models"]


@pytest.mark.parametrize("name", zoo.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(zoo, name) is not None
    assert name in dir(zoo)


def test_an_unknown_public_name_is_an_attribute_error_that_lists_the_names() -> None:
    with pytest.raises(AttributeError, match=r"'lode'.*load"):
        _ = zoo.lode


def public_definitions(path: Path) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tree = ast.parse(path.read_text())
    return [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


@pytest.mark.parametrize("module", [name for name, path in MODULES.items() if public_definitions(path)])
def test_a_module_with_public_definitions_says_which_are_meant(module: str) -> None:
    found = import_module(module)
    names: list[str] = found.__all__
    assert names
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(found, name)] == []


# What users' configurations name, loaded at first use.
RE_EXPORTS = {"zoo", *(f"zoo.data.{kind}" for kind in ("sequences", "peaks", "tracks", "contacts"))}


@pytest.mark.slow
@pytest.mark.parametrize("module", sorted(set(MODULES) - RE_EXPORTS))
def test_what_all_names_is_defined_in_the_module_itself(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text())
    assigned = {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    annotated = {n.target.id for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    names = getattr(import_module(module), "__all__", [])
    assert set(names) <= assigned | annotated | set(public_definitions(MODULES[module]))


def test_the_top_level_holds_no_stray_files() -> None:
    """Files that a test or a trial left there are not committed."""
    project = Path(__file__).parents[1]
    listed = subprocess.run(["git", "ls-files"], cwd=project, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a checkout of git")
    folders = {".ci", "benchmarks", "checkpoints", "configs", "docs", "tests", "tools", "zoo"}
    texts = {"CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "MODEL_CARDS.md", "README.md", "SECURITY.md"}
    settings = {".gitignore", "Makefile", "constraints.txt", "mkdocs.yml", "pyproject.toml"}
    assert {name.split("/")[0] for name in listed.stdout.splitlines()} == folders | texts | settings
