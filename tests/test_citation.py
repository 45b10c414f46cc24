"""CITATION.cff, by the schema of the Citation File Format 1.2.0 (doi:10.5281/zenodo.5171937)."""

import tomllib
from pathlib import Path

import yaml

import zoo

ROOT = Path(__file__).parents[1]
REQUIRED = {"authors", "cff-version", "message", "title"}
# The other keys of the schema that a file without references may have.
OPTIONAL = {
    "abstract",
    "commit",
    "contact",
    "date-released",
    "doi",
    "identifiers",
    "keywords",
    "license",
    "license-url",
    "preferred-citation",
    "references",
    "repository",
    "repository-artifact",
    "repository-code",
    "type",
    "url",
    "version",
}


def test_it_has_the_keys_of_the_format_and_the_facts_of_the_package() -> None:
    content = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert set(content) >= REQUIRED
    assert set(content) <= REQUIRED | OPTIONAL
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (content["cff-version"], content["type"]) == ("1.2.0", "software")
    assert (content["title"], content["license"]) == (project["name"], project["license"])
    assert content["version"] == zoo.__version__
    assert all(set(author) == {"name"} and author["name"] for author in content["authors"])  # entities, not persons
    assert len(content["keywords"]) == len(set(content["keywords"])) > 0
    texts = [content[key] for key in ("abstract", "message", "title", "version")]
    assert all(isinstance(text, str) and text for text in texts)
