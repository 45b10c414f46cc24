"""The house, read from the syntax trees: imports point down, and what a module promises is there."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import zoo

PACKAGE = Path(zoo.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# From the ground up. A folder stands for all that is in it.
STOREYS = [
    {"errors", "sequence", "intervals", "outputs", "processes", "progress", "targets", "writing"},
    {
        "bigwig",
        "binning",
        "contact_metrics",
        "contact_plots",
        "cooler_file",
        "download",
        "expected",
        "genome",
        "inference",
        "layers",
        "losses",
        "map_layers",
        "metrics",
        "model",
        "motifs",
        "optimization",
        "plots",
        "track_metrics",
        "trunk",
    },
    {"models", "data"},
    {"datasets", "importers", "registry"},
    {"facts"},
    {"cards", "hub"},
    {"finish"},
    {"train_options"},
    {"contact_writing", "track_writing"},
    {"contact_prediction", "contact_windows", "track_prediction"},
    {"train", "prediction"},
    {"commands"},
    {"cli", "__init__"},
]
# What travels from the data to the models: both sides may know it.
SHARED = "zoo.data.batch"


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def storey(module: str) -> int:
    (found,) = (number for number, rooms in enumerate(STOREYS) if room(module) in rooms)
    return found


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
    if other == SHARED and (module == "zoo.model" or room(module) == "models"):
        return True
    if {room(module), room(other)} == {"models", "data"} or room(module) == room(other) == "models":
        return False
    return storey(other) <= storey(module)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_place(module: str) -> None:
    assert any(room(module) in rooms for rooms in STOREYS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    assert [other for other in imported(module) if not points_down(module, other)] == []


def test_imports_make_no_circle() -> None:
    graph = {module: {other for other in imported(module) if other != "zoo"} for module in MODULES if module != "zoo"}
    # registry and model name each other's types only; what is imported for types is no import.
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("zoo.errors") < order.index("zoo.hub") < order.index("zoo.cli")


@pytest.mark.parametrize("module", [name for name in MODULES if name.count(".") == 2 and ".models." in name])
def test_an_architecture_knows_no_data_but_the_batch(module: str) -> None:
    assert {other for other in imported(module) if ".data." in other} <= {SHARED}


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


@pytest.mark.parametrize("module", [name for name in MODULES if name != "zoo.cli"])
def test_what_all_names_is_defined_in_the_module_itself(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text())
    if module == "zoo":
        return
    assigned = {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    annotated = {n.target.id for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    names = getattr(import_module(module), "__all__", [])
    assert set(names) <= assigned | annotated | set(public_definitions(MODULES[module]))
