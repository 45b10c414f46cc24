"""Names: those of published models, those that are refused, and what the message offers."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import zoo.hub.load
import zoo.models
from zoo.errors import UnknownNameError
from zoo.hub.architectures import architectures, load_architecture
from zoo.hub.names import split_name
from zoo.hub.registry import find, list_models
from zoo.models._base import SequenceModel

Resolver = Callable[[str], object]
MODELS = Path(next(iter(zoo.models.__path__)))


def test_all_927_published_deepbind_models_are_listed_once_and_in_order() -> None:
    names = [entry.name for entry in list_models("deepbind.D*")]
    assert len(names) == len(set(names)) == 927
    assert names == sorted(names)
    assert all(re.fullmatch(r"deepbind\.D\d{5}\.\d{3}", name) for name in names)


def test_an_entry_holds_the_facts_of_its_model() -> None:
    entry = find("deepbind.D00328.003").facts
    assert (entry.architecture, entry.output, entry.targets) == ("deepbind", "labels", ("CTCF",))
    assert (entry.species, entry.source, entry.licence) == (
        "Homo sapiens",
        "Alipanahi 2015, doi:10.1038/nbt.3300",
        "BSD-3-Clause",
    )


def test_the_pattern_is_a_shell_pattern_in_which_case_counts() -> None:
    assert [entry.name for entry in list_models("deepbind.D00328.0?3")] == ["deepbind.D00328.003"]
    assert list_models("DEEPBIND.D*") == []


@pytest.mark.parametrize("text", ["CTCF", "ctcf"])
def test_search_finds_a_protein_in_either_case(text: str) -> None:
    result = {entry.name for entry in list_models("deepbind.D*", search=text)}
    assert result == {"deepbind.D00328.003", "deepbind.D00328.018", "deepbind.D00753.001"}


def test_search_and_pattern_are_combined() -> None:
    assert {e.name for e in list_models("*.018", search="CTCF")} == {"deepbind.D00328.018"}


@pytest.mark.parametrize(
    ("species", "latin", "count"),
    [
        ("human", "Homo sapiens", 617),
        ("Homo sapiens", "Homo sapiens", 617),
        ("Mouse", "Mus musculus", 172),
        ("fly", "Drosophila melanogaster", 67),
        ("yeast", "Saccharomyces cerevisiae", 4),
    ],
)
def test_species_are_filtered_by_common_and_latin_name(species: str, latin: str, count: int) -> None:
    result = list_models("deepbind.D*", species=species)
    assert {entry.species for entry in result} == {latin}
    assert len(result) == count


def test_an_unknown_species_has_no_models() -> None:
    assert list_models(species="unicorn") == []


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("deepbind.D00328.003", ("deepbind", "D00328.003")),
        ("mlp.promoter_ecoli", ("mlp", "promoter_ecoli")),
        ("akita.human_1mb-v2.1", ("akita", "human_1mb-v2.1")),
    ],
)
def test_the_first_dot_splits_a_name(name: str, pieces: tuple[str, str]) -> None:
    assert split_name(name) == pieces


@pytest.mark.parametrize(
    "text", ["", "ctcf", ".D1", "mlp.", "Mlp.a", "1mlp.a", "mlp .a", "mlp.a\n", "mlp.a b", "mlp.é"]
)
@pytest.mark.parametrize("resolve", [split_name, find, zoo.hub.load.resolve])
def test_text_that_is_not_a_name_is_refused_with_an_example(text: str, resolve: Resolver) -> None:
    with pytest.raises(UnknownNameError, match=r"architecture\.tag, such as deepbind\.D00328\.003"):
        resolve(text)


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("deepbind.D00328.004", "deepbind.D00328.003"), ("deepbnid.D00120.001", "deepbind.D00120.001")],
)
def test_an_unknown_name_offers_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=f"{re.escape(wrong)}.*nearest.*{re.escape(near)}"):
        find(wrong)


def test_a_name_without_near_names_points_to_the_list() -> None:
    with pytest.raises(UnknownNameError, match="`zoo list`"):
        find("q.zzzzzzzzzzzzzzzzzzzzzzzz")


@pytest.mark.parametrize("resolve", [split_name, find, zoo.hub.load.resolve])
def test_a_bare_repository_is_refused_with_both_spellings(resolve: Resolver) -> None:
    with pytest.raises(UnknownNameError) as caught:
        resolve("org/repo")
    assert "hf-hub:org/repo@" in str(caught.value)
    assert "local-dir:org/repo" in str(caught.value)


@pytest.mark.parametrize("path", ["../x", "../../etc", "/etc/nowhere", "a/b/c", "..\\x", "./mlp.a", "mlp.a/../b"])
@pytest.mark.parametrize("resolve", [split_name, find, zoo.hub.load.resolve])
def test_a_path_is_never_taken_for_a_name(path: str, resolve: Resolver) -> None:
    with pytest.raises(UnknownNameError, match="local-dir:"):
        resolve(path)


def test_the_architectures_are_the_files_in_models() -> None:
    assert architectures() == sorted(path.stem for path in MODELS.glob("*.py") if not path.stem.startswith("_"))
    assert {"deepbind", "mlp"} <= set(architectures())


@pytest.mark.parametrize("name", architectures())
def test_each_architecture_file_holds_one_sequence_model(name: str) -> None:
    tree = ast.parse((MODELS / f"{name}.py").read_text())
    bases = [ast.unparse(base) for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases]
    assert bases.count("SequenceModel") == 1
    result = load_architecture(name)
    assert issubclass(result, SequenceModel)
    assert result.__module__ == f"zoo.models.{name}"


@pytest.mark.slow
@pytest.mark.parametrize("name", architectures())
def test_each_architecture_is_built_from_targets_and_length_alone(name: str) -> None:
    build: Callable[..., SequenceModel] = load_architecture(name)
    length = {"akita": 68 * 2048, "basenji": 130 * 128, "basenji_labels": 256}.get(name, 200)
    model = build(targets=["a", "b"], length=length)
    assert model.predict(torch.zeros(3, length, dtype=torch.uint8)).shape == (3, *model.output.shape)
    assert model.arguments["targets"] == ["a", "b"]


def test_an_unknown_architecture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"'nope'.*deepbind.*mlp"):
        load_architecture("nope")
