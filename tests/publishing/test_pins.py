"""Short names that stand for a commit on the Hub."""

import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from made.hub import Hub

import zoo
from zoo.errors import IntegrityError
from zoo.hub.card_edit import state_facts
from zoo.hub.pins import pin_checkpoint, read_pins
from zoo.publishing.push import plan_push, push

RunZoo = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]


@pytest.fixture
def pinned(mine: Path, local_hub: Hub, run_zoo: RunZoo) -> str:
    """The commit of `mlp.tiny`, which was published and pinned, and is no longer in the working folder."""
    code, out, _ = run_zoo("push", "mlp.tiny", "--repo", "lab/tiny", "--public", "--pin")
    assert code == 0
    assert "pinned in " in out
    shutil.rmtree("checkpoints")
    return local_hub.repositories["lab/tiny"].heads["v1"]


def test_a_pinned_name_is_listed_and_described_without_the_hub_and_loaded_from_it(
    pinned: str, local_hub: Hub, run_zoo: RunZoo
) -> None:
    local_hub.requests.clear()
    assert "mlp.tiny" in run_zoo("list", "--search", "Random weights")[1]
    assert "Random weights of mlp.tiny" in run_zoo("info", "mlp.tiny")[1]
    assert not local_hub.requests
    assert zoo.load("mlp.tiny").length == 20
    assert run_zoo("verify", "mlp.tiny")[0] == 0
    assert {path.split("/")[4] for path in local_hub.sent("GET", "/resolve/")} == {pinned}


def test_a_file_that_was_changed_at_the_pinned_commit_is_refused(pinned: str, local_hub: Hub, refused: Refused) -> None:
    files = local_hub.repositories["lab/tiny"].commits[pinned]
    files["config.json"] = files["config.json"].replace(b'"assay": "ChIP-seq"', b'"assay": "ATAC-seq"')
    assert "config.json is not the one that was pinned: its sha256 differs" in refused("verify", "mlp.tiny")


def test_a_pinned_name_of_another_model_here_is_refused_with_both_spellings(
    pinned: str, tiny_checkpoint: Path, refused: Refused, run_zoo: RunZoo
) -> None:
    same = shutil.copytree(tiny_checkpoint / "mlp.tiny", Path("checkpoints/mlp.tiny"))
    assert run_zoo("verify", "mlp.tiny")[0] == 0  # the same weights
    content = json.loads((same / "config.json").read_text())
    content["sha256"]["model.safetensors"] = "0" * 64
    (same / "config.json").write_text(json.dumps(content))
    message = refused("verify", "mlp.tiny")
    assert "two different models, local-dir:checkpoints/mlp.tiny and hf-hub:lab/tiny@" in message


def test_a_delta_finds_its_pinned_base(pinned: str) -> None:
    from zoo.hub.base import find_base
    from zoo.hub.facts import BaseFacts

    config = read_pins()["mlp.tiny"].config
    base = BaseFacts("mlp.tiny", config.sha256["model.safetensors"], "lora", 0.1)
    assert find_base(Path("delta"), base, "mlp")[1].sha256 == config.sha256


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"revision": "main"}, "'main' is no revision"),
        ({"repository": "../x"}, "config"),
        ({"sha256": "0"}, "'0' is no sha256"),
        ({"more": 1}, "has the key 'more'"),
        ({"config": {"format": 1}}, "config has no key 'architecture'"),
    ],
)
def test_a_broken_list_is_one_sentence(
    change: dict[str, object], message: str, pinned: str, desk: Path, refused: Refused
) -> None:
    entries = json.loads((desk / "pins.json").read_text())
    entries["mlp.tiny"] |= change
    (desk / "pins.json").write_text(json.dumps(entries))
    if message == "config":  # a repository of two parts: the client refuses it
        assert "does not name a repository" in refused("verify", "mlp.tiny")
    else:
        assert message in refused("verify", "mlp.tiny")


def test_a_list_that_says_other_things_than_the_repository_is_refused(
    pinned: str, desk: Path, refused: Refused
) -> None:
    text = (desk / "pins.json").read_text()
    (desk / "pins.json").write_text(text.replace('"licence": "MIT"', '"licence": "CC0-1.0"'))
    assert "the pinned list does not hold what" in refused("verify", "mlp.tiny")


def test_a_pin_is_what_was_sent_and_a_broken_list_is_said_before(
    mine: Path, desk: Path, local_hub: Hub, refused: Refused
) -> None:
    plan = plan_push("mlp.tiny", "lab/tiny")
    state_facts(mine, {"use": "Changed meanwhile"})
    push(plan, private=False, pin=True)
    sent = (local_hub.repositories["lab/tiny"].files("v1") or {})["config.json"]
    assert read_pins()["mlp.tiny"].sha256 == hashlib.sha256(sent).hexdigest()
    (desk / "pins.json").write_text("[]")
    commits = len(local_hub.repositories["lab/tiny"].commits)
    assert "must hold a JSON object" in refused("push", "mlp.tiny", "--repo", "lab/tiny", "--pin")
    assert len(local_hub.repositories["lab/tiny"].commits) == commits


def test_two_that_pin_at_once_both_do(mine: Path, desk: Path) -> None:
    config = json.loads((mine / "config.json").read_text())
    names = [f"mlp.number{i}" for i in range(12)]

    def pin(name: str) -> None:
        pin_checkpoint(json.dumps({**config, "name": name}).encode(), "lab/tiny", "0" * 40)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(pin, names))
    assert set(read_pins()) == set(names)
    with pytest.raises(IntegrityError, match="must be the name of a model"):
        pin("my model;$(id)")
    assert set(read_pins()) == set(names)


def test_a_changed_model_that_is_pinned_can_be_published_again(mine: Path, local_hub: Hub, run_zoo: RunZoo) -> None:
    words = ("push", "mlp.tiny", "--repo", "lab/tiny", "--pin")
    assert run_zoo(*words, "--public")[0] == 0
    text = (mine / "targets.tsv").read_text().replace("The first target", "The first one")
    (mine / "targets.tsv").write_text(text)
    config = json.loads((mine / "config.json").read_text())
    config["sha256"]["targets.tsv"] = hashlib.sha256(text.encode()).hexdigest()
    (mine / "config.json").write_text(json.dumps(config))
    assert run_zoo("card", "mlp.tiny")[0] == 0
    code, out, err = run_zoo("push", "mlp.tiny", "--pin")
    assert (code, "v2; 3 files to send" in out) == (0, True), err
    assert run_zoo("verify", "mlp.tiny")[0] == 0


def test_a_list_that_cannot_be_written_is_said_before_anything_is_sent(
    mine: Path, local_hub: Hub, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.pins.os.access", lambda *_: False)
    words = ("push", "mlp.tiny", "--repo", "lab/tiny", "--public", "--pin")
    assert "cannot be written: set ZOO_PINS to a file that can" in refused(*words)
    assert not local_hub.repositories
