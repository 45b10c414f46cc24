"""Optional dependencies: the table is what pyproject.toml installs, and a missing one is one sentence."""

import re
import tomllib
from pathlib import Path

import pytest

from zoo.errors import MissingExtraError
from zoo.utils import extras
from zoo.utils.extras import EXTRAS, missing_extra, require_extras

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
CORE = {re.split(r"[\[>]", line)[0].lower() for line in PROJECT["dependencies"]}


# Modules that are not named like the distribution that installs them.
DISTRIBUTIONS = {"akita_torch": "akita-torch", "markdown_it": "markdown-it-py", "sklearn": "scikit-learn"}


def installed_by(extra: str) -> set[str]:
    """The distributions that an extra installs, those of the extras that it contains too."""
    names: set[str] = set()
    for line in PROJECT["optional-dependencies"][extra]:
        inner = re.fullmatch(r"regzoo\[([\w,]+)\]", line)
        for name in inner[1].split(",") if inner else []:
            names |= installed_by(name)
        names |= set() if inner else {re.split(r"[\[>]", line)[0].lower()}
    return names


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_table_of_extras_is_what_the_project_installs(extra: str) -> None:
    assert {DISTRIBUTIONS.get(module, module.lower()) for module in EXTRAS[extra]} == installed_by(extra)


def test_all_installs_every_extra_and_no_extra_repeats_the_core() -> None:
    assert installed_by("all") == set().union(*(installed_by(extra) for extra in EXTRAS if extra != "benchmarks"))
    assert not CORE & installed_by("all")


def test_a_missing_extra_is_one_sentence_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.EXTRAS, "tracks", ("pandas", "no_such_module"))
    sentence = r"writing bigWig files needs no_such_module: pip install 'regzoo\[tracks\]'"
    with pytest.raises(MissingExtraError, match=sentence):
        require_extras(["plots", "tracks"], "writing bigWig files")


def test_an_extra_that_is_installed_is_not_missing() -> None:
    require_extras(["plots"], "drawing")


def test_a_failed_import_names_its_extra_and_other_modules_none() -> None:
    error = missing_extra(ModuleNotFoundError("No module named 'cooler.api'", name="cooler.api"))
    assert str(error) == "this needs cooler, which is not installed: pip install 'regzoo[contacts]'"
    assert missing_extra(ModuleNotFoundError("No module named 'other'", name="other")) is None
