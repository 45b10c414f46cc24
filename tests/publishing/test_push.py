"""Publishing on a Hub on this computer, by the library's own client."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries
from made.hub import Hub, Repository
from made.servers import Handler

from zoo.errors import ConfigError
from zoo.hub.card_edit import state_facts
from zoo.publishing.push import plan_push, push

RunZoo = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
FILES = {"README.md", "config.json", "model.safetensors", "example.safetensors", "targets.tsv"}
PUSH = ("push", "mlp.tiny", "--repo", "lab/tiny")


def files_of(hub: Hub, revision: str = "main") -> dict[str, bytes]:
    return hub.repositories["lab/tiny"].files(revision) or {}


def test_a_checkpoint_is_published_in_one_commit_and_tagged(mine: Path, local_hub: Hub, run_zoo: RunZoo) -> None:
    code, out, err = run_zoo(*PUSH, "--public")
    assert (code, err) == (0, "")
    repository = local_hub.repositories["lab/tiny"]
    assert len(repository.commits) == 2  # the first is the Hub's own, of .gitattributes
    head = repository.heads["main"]
    assert repository.heads == {"main": head, "v1": head}
    assert not repository.private
    first, second = out.splitlines()
    assert first.startswith("mlp.tiny -> hf-hub:lab/tiny: new repository, v1; 5 files to send (")
    assert second.startswith(f"published as hf-hub:lab/tiny@{head} (v1); read back and verified, largest difference ")
    files = files_of(local_hub)
    assert set(files) == {".gitattributes", *FILES}
    same = FILES - {"README.md"}
    assert {name: files[name] for name in same} == {name: (mine / name).read_bytes() for name in same}
    card = ModelCard(files["README.md"].decode())
    data: Any = card.data
    assert (data.license, data.model_name) == ("mit", "mlp.tiny")
    assert [(result.metric_name, result.metric_value) for result in data.eval_results] == [("test auroc", 0.5)]
    assert "zoo predict hf-hub:lab/tiny@v1 sequences.fa" in card.content


def test_a_dry_run_says_the_same_and_changes_nothing(mine: Path, local_hub: Hub, run_zoo: RunZoo) -> None:
    code, out, _ = run_zoo(*PUSH, "--dry-run")
    assert code == 0
    assert not local_hub.repositories
    assert not [*local_hub.sent("POST"), *local_hub.sent("PUT")]
    assert run_zoo(*PUSH, "--private")[1].splitlines()[0] == out.strip()
    assert local_hub.repositories["lab/tiny"].private


def test_what_is_there_already_is_not_sent_again(mine: Path, local_hub: Hub, run_zoo: RunZoo) -> None:
    assert run_zoo(*PUSH, "--public")[0] == 0
    head = local_hub.repositories["lab/tiny"].heads["main"]
    local_hub.requests.clear()
    code, out, _ = run_zoo(*PUSH)
    assert (code, out.splitlines()[0]) == (0, "mlp.tiny -> hf-hub:lab/tiny: unchanged, v1")
    assert f"published as hf-hub:lab/tiny@{head} (v1)" in out
    assert not [*local_hub.sent("POST"), *local_hub.sent("PUT")]
    # A new text is a new version; the weights stay.
    state_facts(mine, {"use": "More tests"})
    code, out, _ = run_zoo(*PUSH)
    assert "v2; 2 files to send" in out
    assert "(0.0 MB): config.json, README.md; unchanged: model.safetensors, targets.tsv, example.safetensors\n" in out
    assert not local_hub.sent("PUT")
    repository = local_hub.repositories["lab/tiny"]
    assert repository.heads["v1"] == head
    assert repository.heads["v2"] == repository.heads["main"] != head
    assert b"@v2" in files_of(local_hub)["README.md"]


def test_files_of_an_earlier_checkpoint_are_removed_and_others_are_left(
    mine: Path, local_hub: Hub, run_zoo: RunZoo
) -> None:
    repository = local_hub.repositories["lab/tiny"] = Repository()
    repository.commit({"seen.safetensors": b"old", "picture.png": b"x"})
    code, out, _ = run_zoo(*PUSH)
    assert code == 0
    assert "; to remove: seen.safetensors; left alone: picture.png" in out
    assert set(files_of(local_hub)) == {"picture.png", *FILES}


def test_scores_on_a_data_set_of_the_hub_are_listed_with_it(mine: Path, local_hub: Hub, run_zoo: RunZoo) -> None:
    state_facts(mine, {"datasets": ["lab/peaks"]})
    assert run_zoo(*PUSH, "--public")[0] == 0
    entries = parse_eval_result_entries(yaml.safe_load(files_of(local_hub)[".eval_results/regzoo.yaml"]))
    assert [(one.dataset_id, one.task_id, one.value, one.notes) for one in entries] == [
        ("lab/peaks", "auroc", 0.5, "test split, mean over 2 targets")
    ]
    assert "unchanged, v1" in run_zoo(*PUSH)[1]
    state_facts(mine, {"datasets": []})
    assert "; to remove: .eval_results/regzoo.yaml" in run_zoo(*PUSH)[1]
    assert ".eval_results/regzoo.yaml" not in files_of(local_hub)


def break_card(folder: Path) -> None:
    (folder / "README.md").write_text("# Other\n")


def break_weights(folder: Path) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def no_unit(folder: Path) -> None:
    import hashlib

    text = (folder / "targets.tsv").read_text().replace("\tprobability\t", "\t\t", 1)
    (folder / "targets.tsv").write_text(text)
    config = json.loads((folder / "config.json").read_text())
    config["sha256"]["targets.tsv"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "config.json").write_text(json.dumps(config))
    state_facts(folder, {})


def state(**facts: str) -> Callable[[Path], None]:
    return lambda folder: state_facts(folder, dict(facts))


OBSTACLES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no licence": (
        state(licence="not stated"),
        "card has no licence (state that: zoo card mlp.tiny --licence TEXT)",
    ),
    "no limits": (
        state(limits="", use=" "),
        "no use, limits (state that: zoo card mlp.tiny --use TEXT --limits TEXT)",
    ),
    "a licence that forbids it": (state(licence="All rights reserved"), "its licence, All rights reserved, forbids it"),
    "another card": (break_card, "README.md is not what config.json says (render it: zoo card mlp.tiny)"),
    "other files": (lambda folder: (folder / ".env").write_text("x"), "holds .env, which is not part of a checkpoint"),
    "no sha256": (lambda folder: (folder / "recipe.yaml").write_text("x"), "config.json has no sha256 of recipe.yaml"),
    "internal": (state(licence="Redistribution is not permitted"), "its licence, Redistribution is not permitted"),
    "a placeholder": (state(species="TODO"), "its card has no species"),
    "no UTF-8": (lambda folder: (folder / "README.md").write_bytes(b"\xff"), "README.md is not a text file in UTF-8"),
    "no unit": (no_unit, "targets.tsv has no description or unit of first"),
    "damaged weights": (break_weights, "model.safetensors is not the file that was published"),
}


@pytest.mark.parametrize("case", OBSTACLES)
def test_what_is_not_fit_to_be_published_is_not(case: str, mine: Path, local_hub: Hub, refused: Refused) -> None:
    change, words = OBSTACLES[case]
    change(mine)
    assert words in refused(*PUSH, "--public")
    assert not local_hub.repositories


def test_who_can_read_a_new_repository_is_said_and_never_changed(
    mine: Path, local_hub: Hub, run_zoo: RunZoo, refused: Refused
) -> None:
    assert "hf-hub:lab/tiny does not exist yet: add --private or --public" in refused(*PUSH)
    assert run_zoo(*PUSH, "--private")[0] == 0
    assert "hf-hub:lab/tiny is private, not public" in refused(*PUSH, "--public")
    assert local_hub.repositories["lab/tiny"].private


def test_a_tag_never_moves(mine: Path, local_hub: Hub, run_zoo: RunZoo, refused: Refused) -> None:
    assert run_zoo(*PUSH, "--public", "--tag", "2024.1")[0] == 0
    state_facts(mine, {"use": "More tests"})
    assert "has the tag 2024.1 already, for other files" in refused(*PUSH, "--tag", "2024.1")
    assert run_zoo(*PUSH)[0] == 0
    assert set(local_hub.repositories["lab/tiny"].heads) == {"main", "2024.1", "v1"}


def answers(status: int, where: str) -> Callable[[Handler], bool]:
    def fault(request: Handler) -> bool:
        if request.command != "POST" or where not in request.path:
            return False
        request.rfile.read(int(request.headers["Content-Length"]))
        request.answer(status, b"{}")
        return True

    return fault


FAULTS = {
    "no right": (answers(403, "/create"), "the Hub refuses to write (403): a token that may write there is needed"),
    "no token": (answers(401, "/commit/"), "the Hub refuses to write (401): a token that may write there is needed"),
    "too many": (answers(429, "/commit/"), "127.0.0.1 had too many requests (429): wait and try again; run the"),
    "a fault": (answers(500, "/commit/"), "127.0.0.1 has a fault (500): try again later; run the command again"),
    "changed": (answers(412, "/commit/"), "has been changed by somebody else meanwhile: run the command again"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_hub_that_refuses_is_one_sentence_and_nothing_is_published(
    case: str, mine: Path, local_hub: Hub, run_zoo: RunZoo, refused: Refused
) -> None:
    local_hub.fault, words = FAULTS[case]
    assert words in refused(*PUSH, "--public")
    assert not any(len(one.commits) > 1 for one in local_hub.repositories.values())
    local_hub.fault = lambda request: False
    assert run_zoo(*PUSH, *(["--public"] if case == "no right" else []))[0] == 0


def test_what_the_hub_says_of_a_card_is_passed_on(mine: Path, local_hub: Hub, refused: Refused) -> None:
    def invalid(request: Handler) -> bool:
        if "validate-yaml" not in request.path:
            return False
        request.rfile.read(int(request.headers["Content-Length"]))
        request.answer(400, b'{"errors": [{"message": "license must be one of"}], "warnings": []}')
        return True

    local_hub.fault = invalid
    assert "the Hub refuses the card: Invalid metadata in README.md." in (err := refused(*PUSH, "--public"))
    assert "license must be one of" in err


def test_without_a_token_nothing_is_sent(
    mine: Path, local_hub: Hub, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert "a token that may write there is needed" in refused(*PUSH, "--public")


def test_what_the_hub_keeps_otherwise_is_not_called_published(mine: Path, local_hub: Hub, refused: Refused) -> None:
    def damage(request: Handler) -> bool:
        for oid, content in local_hub.objects.items():
            local_hub.objects[oid] = content[:-1] + bytes([content[-1] ^ 1])
        return False

    local_hub.fault = lambda request: "/commit/" in request.path and damage(request)
    assert "was sent, but its model.safetensors is not what was sent: it is not tagged" in refused(*PUSH, "--public")
    assert set(local_hub.repositories["lab/tiny"].heads) == {"main"}


def test_a_tag_that_is_refused_is_said_and_set_by_the_next_try(
    mine: Path, local_hub: Hub, run_zoo: RunZoo, refused: Refused
) -> None:
    local_hub.fault = answers(403, "/tag/")
    assert "the files are there, but have no tag: run the command again" in refused(*PUSH, "--public")
    local_hub.fault = lambda request: False
    commits = len(local_hub.repositories["lab/tiny"].commits)
    assert run_zoo(*PUSH)[0] == 0
    repository = local_hub.repositories["lab/tiny"]
    assert (len(repository.commits), repository.heads["v1"]) == (commits, repository.heads["main"])


def test_an_answer_that_is_lost_is_not_called_a_failure_to_publish(
    mine: Path, local_hub: Hub, run_zoo: RunZoo, refused: Refused
) -> None:
    class Lost(Handler):
        """Keeps the answer to a commit from being sent."""

        def answer(self, status: int, content: bytes, headers: dict[str, str] | None = None, cut: bool = False) -> None:
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def lose(request: Handler) -> bool:
        if "/commit/" in request.path:
            request.answer = Lost.answer.__get__(request)  # type: ignore[method-assign]
        return False

    local_hub.fault = lose
    assert "run the command again, which sends only what is missing: it may have been" in refused(*PUSH, "--public")
    assert set(files_of(local_hub)) == {".gitattributes", *FILES}
    local_hub.fault = lambda request: False
    local_hub.requests.clear()
    assert run_zoo(*PUSH)[0] == 0
    assert not local_hub.sent("POST", "/commit/")
    assert "v1" in local_hub.repositories["lab/tiny"].heads


def test_a_temporary_folder_that_is_full_is_named_as_what_to_change(
    mine: Path, local_hub: Hub, run_zoo: RunZoo, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object, cache_dir: Path, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device", str(cache_dir / "blob"))

    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.snapshot_download", fill)
        words = refused(*PUSH, "--public")
    assert "No space left on device; make room, or set TMPDIR to a folder that can be written" in words
    assert set(local_hub.repositories["lab/tiny"].heads) == {"main"}  # not tagged: it was not read back
    assert run_zoo(*PUSH)[0] == 0


@pytest.mark.parametrize("name", ["lab/old", "Lab/Tiny"])
def test_nothing_is_sent_to_a_repository_that_has_another_name(
    name: str, mine: Path, local_hub: Hub, run_zoo: RunZoo, refused: Refused
) -> None:
    assert run_zoo(*PUSH, "--public")[0] == 0
    local_hub.renamed[name] = "lab/tiny"
    state_facts(mine, {"use": "More tests"})
    local_hub.requests.clear()
    words = refused("push", "mlp.tiny", "--repo", name)
    assert f"hf-hub:{name} is called 'lab/tiny' now: publish under that name" in words
    assert not [*local_hub.sent("POST"), *local_hub.sent("PUT")]


def test_folders_of_the_user_that_would_be_published_are_said(mine: Path, local_hub: Hub, run_zoo: RunZoo) -> None:
    config = json.loads((mine / "config.json").read_text())
    command = "zoo train c.yaml --data.fasta '{a: /home/me/secret/a.fa, b: ../b.fa}' --card.source https://a/b/c"
    state_facts(mine, {"run": {**config["run"], "command": command}})
    code, _, err = run_zoo(*PUSH, "--public", "--dry-run")
    assert code == 0
    assert err == (
        "zoo: mlp.tiny: its card, config.json and recipe.yaml show where files lay on the computer that trained it: "
        "/home/me/secret/a.fa\n"
    )


def test_the_same_command_with_a_tag_twice_changes_nothing(mine: Path, local_hub: Hub, run_zoo: RunZoo) -> None:
    assert run_zoo(*PUSH, "--public", "--tag", "1.0")[0] == 0
    for words in ((*PUSH, "--tag", "1.0"), PUSH):
        assert "unchanged, 1.0" in run_zoo(*words)[1]


def test_a_repository_of_another_model_is_not_overwritten(
    mine: Path, local_hub: Hub, run_zoo: RunZoo, refused: Refused
) -> None:
    repository = local_hub.repositories["lab/tiny"] = Repository()
    theirs = {"config.json": b'{"model_type": "bert"}', "model.safetensors": b"x"}
    repository.commit(theirs)
    assert "hf-hub:lab/tiny holds another model, not mlp.tiny: take another repository" in refused(*PUSH)
    assert repository.files("main") == theirs
    config = json.loads((mine / "config.json").read_text())
    repository.commit({"config.json": json.dumps({**config, "name": "mlp.other"}).encode()})
    assert "holds mlp.other, not mlp.tiny" in refused(*PUSH)


def test_a_repository_that_appears_meanwhile_is_left_alone(mine: Path, local_hub: Hub) -> None:
    plan = plan_push("mlp.tiny", "lab/tiny")
    theirs = {"config.json": b"{}"}
    local_hub.repositories["lab/tiny"] = Repository()
    local_hub.repositories["lab/tiny"].commit(theirs)
    with pytest.raises(ConfigError, match="has something of that name already; nothing was published"):
        push(plan, private=True)
    assert local_hub.repositories["lab/tiny"].files("main") == theirs


def test_several_models_go_to_the_repositories_of_an_organisation(
    mine: Path, local_hub: Hub, run_zoo: RunZoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.cards.shipped_folder", lambda _: mine.parent)
    code, out, _ = run_zoo("push", "--all", "--org", "lab", "--dry-run")
    assert (code, out[:36]) == (0, "mlp.tiny -> hf-hub:lab/mlp.tiny: new")
    code, out, err = run_zoo("push", "mlp.tiny", "mlp.promoter_ecoli", "local-dir:checkpoints/mlp.tiny", "--dry-run")
    assert code == 2
    assert err.splitlines()[-1] == (
        "zoo: 3 of 3 models cannot be published: mlp.tiny, mlp.promoter_ecoli, local-dir:checkpoints/mlp.tiny"
    )
    assert err.count("has no repository in the pinned list: add --repo ORG/REPO") == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("push", "--repo", "lab/tiny"), "name the models to publish, or --all"),
        (("push", "mlp.tiny", "--all"), "name the models to publish, or --all"),
        (("push", "mlp.tiny", "basset.encode_tf", "--repo", "a/b"), "--repo names one repository, and there are 2"),
        (("push", "mlp.tinny", "--repo", "a/b"), "there is no model 'mlp.tinny'"),
        (("push", "mlp.tiny", "--repo", "a/b/c", "--public"), "does not name a repository"),
        (("push", "mlp.tiny", "--repo", "gpt2", "--public"), "does not name a repository: write ORG/REPO"),
        (("push", "mlp.tiny", "--repo", "a/b", "--public", "--tag", "main"), "'main' cannot be a tag"),
        (("push", "mlp.tiny", "--repo", "a/b", "--public", "--tag", "a b"), "'a b' cannot be a tag"),
        (("push", "mlp.tiny", "--repo", "a/b", "--public", "--tag", "0" * 40), "cannot be a tag"),
        (("push", f"hf-hub:a/b@{'0' * 40}", "--repo", "a/b"), "is on the Hub already"),
        (("push", "deepbind.D00328.003", "--repo", "a/b"), "was published by others"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    words: tuple[str, ...], message: str, mine: Path, local_hub: Hub, refused: Refused
) -> None:
    assert message in refused(*words)
