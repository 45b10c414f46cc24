"""`config.json`: what is written is what is read; a wrong value is one sentence that names the file and the key."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import IntegrityError
from zoo.hub.cards import checkpoint_folders
from zoo.hub.config import parse_config, read_config
from zoo.hub.upgrade import FORMAT

MISSING = object()


@pytest.fixture
def content(tiny_checkpoint: Path) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((tiny_checkpoint / "mlp.tiny" / "config.json").read_text())
    return table


WRONG: list[tuple[str, object, str]] = [
    ("format", 3, "format 3; this version of zoo reads formats 1 to 2"),
    ("format", MISSING, "format None"),
    ("name", MISSING, "no key 'name'"),
    ("name", 5, "name must be a text, not 5"),
    ("architecture", MISSING, "no key 'architecture'"),
    ("architecture", ["mlp"], "architecture must be a text"),
    ("arguments", MISSING, "no key 'arguments'"),
    ("arguments", [], "arguments must be an object"),
    ("arguments.length", MISSING, "arguments has no key 'length'"),
    ("arguments.length", "long", "length must be a number, not 'long'"),
    ("arguments.length", True, "length must be a number, not True"),
    ("arguments.length", 2.5, "whole number of bases"),
    ("arguments.length", 0, "whole number of bases"),
    ("arguments.targets", "a", "targets must be a list"),
    ("arguments.targets", [], "targets must be a list of names"),
    ("arguments.targets", [1], "targets must be a list of names"),
    ("output", "words", "output must be one of labels, tracks, contacts, not 'words'"),
    ("output", ["labels"], "output must be one of"),
    ("summary", MISSING, "no key 'summary'"),
    ("species", None, "species must be a text, not None"),
    ("limits", 1, "limits must be a text"),
    ("tolerance", "1e-4", "tolerance must be a number"),
    ("tolerance", -1, "tolerance must be 0 or more"),
    ("tolerance", float("nan"), "tolerance must be a number, not nan"),
    ("tolerance", float("inf"), "tolerance must be a number, not inf"),
    ("sha256", MISSING, "no key 'sha256'"),
    ("sha256", [], "sha256 must be an object"),
    ("sha256", {}, "no value for model.safetensors, example.safetensors, targets.tsv"),
    ("sha256", {"../x": "0" * 64}, "outside the folder: '../x'"),
    ("sha256", {"model.safetensors": "short"}, "64 hexadecimal digits"),
    ("sha256", {"model.safetensors": None}, "64 hexadecimal digits"),
    ("run", "today", "run must be an object"),
    ("run.seed", "one", "run: seed must be a number"),
    ("run.command", MISSING, "run has no key 'command'"),
    ("run.data", "lines", "run: data must be a list"),
    ("run.data", [1], "run: data"),
    ("run.metrics", [], "metrics must be an object"),
    ("run.metrics", {"test": {"auroc": "high"}}, "run: metrics"),
    ("run.target_metrics", {"auroc": ["high"]}, "run: target_metrics"),
    ("run.files", {"a.fa": "0"}, "run: files must hold a sha256"),
    ("run.intervals", {"auroc": [[0.1, 0.2]]}, "run: intervals of 'auroc' must hold"),
    ("run.interval_notes", [1], "run: interval_notes must hold texts"),
    ("run.colour", "red", "run has the key 'colour'"),
    ("tolerence", 0.1, "the key 'tolerence'"),
]


@pytest.mark.parametrize(("key", "value", "words"), WRONG, ids=[f"{key} {value!r:.20}" for key, value, _ in WRONG])
def test_a_wrong_value_is_one_sentence_with_file_and_key(
    key: str, value: object, words: str, content: dict[str, Any]
) -> None:
    *outer, last = key.split(".")
    table = content[outer[0]] if outer else content
    if value is MISSING:
        del table[last]
    else:
        table[last] = value
    with pytest.raises(IntegrityError) as caught:
        parse_config(content, "folder/config.json")
    message = str(caught.value)
    assert message.startswith("folder/config.json")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize("value", [None, 1, "text", [], True])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(IntegrityError, match="must hold a JSON object"):
        parse_config(value, "config.json")


@pytest.mark.parametrize("key", ["run", "arguments", "sha256", "output"])
@pytest.mark.parametrize("value", [None, 7, "x", [1], {"metrics": 3}, {"metrics": {}, "data": [2]}])
def test_a_wrong_value_in_format_1_is_no_traceback(key: str, value: object, content: dict[str, Any]) -> None:
    content["format"] = 1
    content[key] = value
    if key == "run" and value is None:
        assert parse_config(content, "config.json").facts.run is None
    else:
        with pytest.raises(IntegrityError, match=r"config\.json"):
            parse_config(content, "config.json")


def test_facts_that_are_optional_have_defaults(content: dict[str, Any]) -> None:
    for key in ("species", "assay", "use", "limits", "data", "metric", "run", "tolerance"):
        del content[key]
    config = parse_config(content, "config.json")
    assert config.facts.species == config.facts.metric == ""
    assert config.tolerance == 0
    with pytest.raises(IntegrityError, match="not known how this model was trained"):
        _ = config.facts.training


def test_what_is_written_is_what_is_read(content: dict[str, Any]) -> None:
    config = parse_config(copy.deepcopy(content), "config.json")
    assert json.loads(config.to_json()) == content
    assert content["format"] == FORMAT == config.stored_format


@pytest.mark.parametrize("folder", checkpoint_folders(), ids=lambda folder: folder.name)
def test_a_shipped_config_is_the_same_in_the_current_format(folder: Path) -> None:
    config = read_config(folder)
    written = parse_config(json.loads(config.to_json()), "config.json")
    assert (written.facts, written.arguments, written.sha256) == (config.facts, config.arguments, config.sha256)
    assert written.stored_format == FORMAT
    assert config.facts.training.metrics.keys() == {"val", "test"}
