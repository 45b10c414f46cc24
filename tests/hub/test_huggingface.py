"""Repositories of a Hub on this computer, by the library's own client: what is downloaded, and each way to fail."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from made.hub import Hub, Repository, hub_of, running
from made.servers import Handler, serving

from zoo.cli import main
from zoo.hub.huggingface import download

ADDRESS = "hf-hub:org/repo@"
RunZoo = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_checkpoint / "mlp.tiny", tmp_path / "repository")


@pytest.fixture
def commit(local_hub: Hub, folder: Path) -> str:
    """The commit of `org/repo`, which holds a checkpoint."""
    repository = local_hub.repositories["org/repo"] = Repository()
    return repository.commit({file.name: file.read_bytes() for file in sorted(folder.iterdir())})


def zoo(*arguments: str, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """Run a command with a clean environment, where it is the environment that is tested."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")}
    command = [sys.executable, "-m", "zoo.cli", *arguments]
    settings = {**kept, "HOME": str(cwd), "ZOO_CACHE": str(cwd / "cache"), **environment}
    done = subprocess.run(command, env=settings, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


def cached(pattern: str) -> list[Path]:
    return list(Path(os.environ["ZOO_CACHE"]).glob(f"**/{pattern}"))


@pytest.mark.parametrize("revision", ["main", ""])
def test_info_downloads_and_describes_a_repository_and_then_needs_no_hub(
    revision: str, folder: Path, tmp_path: Path
) -> None:
    hub, commit = hub_of(folder)
    name = ADDRESS + (revision or commit)
    with running(hub) as url:
        code, card, err = zoo("info", name, cwd=tmp_path, HF_ENDPOINT=url)
    assert code == 0
    assert err == (
        f"{ADDRESS}main may move: it is the commit {commit} now, and {ADDRESS}{commit} stays with it\n" * bool(revision)
    )
    assert card.startswith("# mlp.tiny\n")
    assert f"zoo predict {name} sequences.fa" in card
    # The address does not answer any more.
    code, again, err = zoo("info", name, cwd=tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert (code, again) == (0, card)
    used = f"so {commit}, which was downloaded before, is used\n" * (
        revision == "main"
    )  # it may have changed meanwhile
    away = "127.0.0.1 cannot be reached (no network, or a wrong address); "
    assert err == f"{name!r}: {away}{used}" * bool(used)
    code, again, err = zoo("info", name, cwd=tmp_path, HF_ENDPOINT=url, HF_HUB_OFFLINE="1")
    assert (code, again) == (0, card)
    assert err == f"{name!r}: the Hub is not asked, because HF_HUB_OFFLINE is set; {used}" * bool(used)


def test_verify_and_predict_take_a_repository(
    commit: str, folder: Path, tmp_path: Path, run_zoo: RunZoo, local_hub: Hub
) -> None:
    (tmp_path / "in.fa").write_text(">a\nACGTACGTACGTACGTACGT\n")
    assert run_zoo("verify", ADDRESS + commit)[0] == 0
    code, table, _ = run_zoo("predict", ADDRESS + commit, str(tmp_path / "in.fa"))
    assert code == 0
    assert run_zoo("predict", f"local-dir:{folder}", str(tmp_path / "in.fa"))[1] == table
    asked = {path.rpartition("/")[2] for path in local_hub.sent("GET", "/resolve/")}
    assert asked == {"config.json", "README.md", "targets.tsv", "example.safetensors", "model.safetensors"}


def test_nothing_else_of_a_repository_is_fetched(commit: str, local_hub: Hub, run_zoo: RunZoo) -> None:
    files = local_hub.repositories["org/repo"].files(commit) or {}
    others = {"modeling.py": b"raise SystemExit(1)", "pytorch_model.bin": b"\x80\x04.", "sub/config.json": b"{}"}
    other = local_hub.repositories["org/repo"].commit({**files, **others})
    assert run_zoo("verify", ADDRESS + other)[0] == 0
    assert not [path for path in local_hub.sent("GET", "/resolve/") if path.endswith(tuple(others))]
    assert not [*cached("modeling.py"), *cached("pytorch_model.bin"), *cached("sub")]


def answers(status: int, content: bytes = b"{}", where: str = "", **headers: str) -> Callable[[Handler], bool]:
    def fault(request: Handler) -> bool:
        if where not in request.path:
            return False
        request.answer(status, content, {name.replace("_", "-"): value for name, value in headers.items()})
        return True

    return fault


def cut(request: Handler) -> bool:
    if not request.path.endswith("model.safetensors"):
        return False
    request.answer(200, b"x" * 10_000, {"ETag": '"1"', "X-Repo-Commit": "1" * 40}, cut=True)
    return True


PAGE = b"<!DOCTYPE html><html>Welcome to the guest network: log in</html>"
FAULTS: dict[str, tuple[Callable[[Handler], bool], str]] = {
    "no such repository": (answers(404, X_Error_Code="RepoNotFound"), "there is no repository 'org/repo'"),
    "private": (answers(401, X_Error_Code="RepoNotFound"), "or it is private: log in with"),
    "gated": (answers(403, X_Error_Code="GatedRepo"), "has restricted access: ask its owner, then log in with"),
    "no such revision": (answers(404, X_Error_Code="RevisionNotFound"), "has no revision"),
    "refused": (answers(403), "127.0.0.1 refuses access (403)"),
    "too many": (answers(429), "127.0.0.1 had too many requests (429)"),
    "a fault": (answers(500), "127.0.0.1 has a fault (500): try again later"),
    "unavailable": (answers(503, Retry_After="1"), "127.0.0.1 has a fault (503): try again later"),
    "login page": (answers(200, PAGE, Content_Type="text/html"), "perhaps a login page"),
    "other JSON": (answers(200, b"{}", where="/api/models/org/repo/revision"), "is not one of the Hub"),
    "a tree that is none": (answers(200, b'{"a": 1}', where="/tree/"), "is not one of the Hub"),
    "no checkpoint": (answers(200, b"[]", where="/tree/"), "config.json is missing"),
    "cut": (cut, "cut the connection before the file was whole"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_each_failure_of_the_hub_is_its_own_sentence(case: str, commit: str, local_hub: Hub, run_zoo: RunZoo) -> None:
    local_hub.fault, words = FAULTS[case]
    code, out, err = run_zoo("info", f"{ADDRESS}main")
    assert (code, out) == (2, "")
    assert (err.splitlines()[-1][:5], err.count("zoo: ")) == ("zoo: ", 1), err
    assert words in err
    assert not cached("model.safetensors")
    assert not cached("*.incomplete")
    local_hub.fault = lambda request: False
    if case != "no checkpoint":  # the client keeps the list of files of a commit, which never changes
        assert run_zoo("verify", ADDRESS + commit)[0] == 0


def test_a_download_is_tried_again_where_the_hub_asks_to_wait(commit: str, local_hub: Hub, run_zoo: RunZoo) -> None:
    refused: list[str] = []

    def once(request: Handler) -> bool:
        if not request.path.endswith("model.safetensors") or request.command != "GET" or refused:
            return False
        refused.append(request.path)
        return answers(429, Retry_After="0")(request)

    local_hub.fault = once
    assert run_zoo("verify", ADDRESS + commit)[0] == 0
    assert len(refused) == 1
    assert len(local_hub.sent("GET", "/model.safetensors")) == 2


def test_a_download_that_was_cut_once_is_tried_again(
    commit: str, local_hub: Hub, folder: Path, run_zoo: RunZoo
) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    cuts: list[str] = []

    def cut_once(request: Handler) -> bool:
        if not request.path.endswith("model.safetensors") or request.command != "GET" or cuts:
            return False
        cuts.append(request.path)
        request.answer(200, whole, {"ETag": '"1"', "X-Repo-Commit": commit}, cut=True)
        return True

    local_hub.fault = cut_once
    assert run_zoo("verify", ADDRESS + commit)[0] == 0
    assert len(cuts) == 1
    assert all(path.read_bytes() == whole for path in cached("model.safetensors"))


def test_other_bytes_of_the_same_size_are_refused_and_not_kept(
    commit: str, local_hub: Hub, folder: Path, run_zoo: RunZoo
) -> None:
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1

    def other(request: Handler) -> bool:
        if not request.path.endswith("model.safetensors") or request.command != "GET":
            return False
        request.answer(200, bytes(weights), {"ETag": '"1"', "X-Repo-Commit": commit})
        return True

    local_hub.fault = other
    code, _, err = run_zoo("verify", ADDRESS + commit)
    assert (code, err.count("\n")) == (2, 1)
    assert "model.safetensors is not the file that was published: its sha256 differs; the damaged" in err
    local_hub.fault = lambda request: False
    assert run_zoo("verify", ADDRESS + commit)[0] == 0


def test_large_files_from_another_host_are_fetched_without_the_token(
    commit: str, local_hub: Hub, folder: Path, run_zoo: RunZoo
) -> None:
    tokens: list[str | None] = []
    by_sha256 = {hashlib.sha256(file.read_bytes()).hexdigest(): file.read_bytes() for file in folder.iterdir()}

    def storage(request: Handler) -> None:
        tokens.append(request.headers.get("Authorization"))
        request.answer(200, by_sha256[request.path.strip("/")])

    with serving(storage) as local_hub.storage:
        # Another host for the client: it is reached by another name.
        local_hub.storage = local_hub.storage.replace("127.0.0.1", "localhost")
        assert run_zoo("verify", ADDRESS + commit)[0] == 0
    assert tokens == [None, None]
    assert {token for _, path, token in local_hub.requests if "/resolve/" in path} == {local_hub.token}


def test_a_file_that_is_larger_than_it_may_be_is_not_fetched(
    commit: str, local_hub: Hub, run_zoo: RunZoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.folder._LARGEST_TEXT", 10)
    code, _, err = run_zoo("verify", ADDRESS + commit)
    assert (code, err.count("\n")) == (2, 1)
    assert "targets.tsv has" in err or "README.md has" in err
    assert not local_hub.sent("GET", "/resolve/")


@pytest.mark.parametrize("limit", [10, 1_000_000])
def test_sizes_that_the_hub_does_not_list_are_asked_for(
    limit: int, commit: str, local_hub: Hub, run_zoo: RunZoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.folder._LARGEST_TEXT", limit)
    local_hub.has_sizes = False
    assert run_zoo("verify", ADDRESS + commit)[0] == (2 if limit == 10 else 0)
    assert bool(local_hub.sent("GET", "/resolve/")) == (limit > 10)


def test_sizes_that_the_hub_does_not_know_are_refused(commit: str, local_hub: Hub, run_zoo: RunZoo) -> None:
    local_hub.has_sizes = False

    def unknown(request: Handler) -> bool:
        if request.command != "HEAD":
            return False
        request.send_response(200)
        request.send_header("ETag", '"1"')
        request.send_header("X-Repo-Commit", commit)
        request.end_headers()
        return True

    local_hub.fault = unknown
    code, _, err = run_zoo("verify", ADDRESS + commit)
    assert (code, err.count("\n")) == (2, 1)
    assert "the Hub does not say the size of" in err
    assert not local_hub.sent("GET", "/resolve/")


def test_what_a_branch_moves_to_meanwhile_is_not_fetched(
    commit: str, local_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = local_hub.repositories["org/repo"]
    monkeypatch.setattr("zoo.hub.folder._LARGEST_TEXT", 1_000_000)

    def move(request: Handler) -> bool:
        if request.path.startswith("/api/models/org/repo/tree/") and repository.heads["main"] == commit:
            repository.commit({**repository.commits[commit], "targets.tsv": b"x" * 2_000_000})
        return False

    local_hub.fault = move
    assert download(f"{ADDRESS}main").name == commit
    assert repository.heads["main"] != commit
    assert {path.split("/")[4] for path in local_hub.sent("GET", "/resolve/")} == {commit}


def test_a_branch_that_is_called_like_a_commit_is_refused(commit: str, local_hub: Hub, run_zoo: RunZoo) -> None:
    local_hub.repositories["org/repo"].heads["a" * 40] = commit
    code, _, err = run_zoo("verify", f"{ADDRESS}{'a' * 40}")
    assert (code, err.count("\n")) == (2, 1)
    assert f"the Hub says that it is the commit '{commit}', which it cannot be" in err


def test_a_repository_that_was_renamed_is_said_to_be(
    commit: str, local_hub: Hub, run_zoo: RunZoo, caplog: pytest.LogCaptureFixture
) -> None:
    local_hub.renamed["org/old"] = "org/repo"
    assert run_zoo("verify", f"hf-hub:org/old@{commit}")[0] == 0
    assert f"hf-hub:org/old@{commit} has another name now: write 'hf-hub:org/repo@{commit}'" in caplog.messages


def test_texts_of_a_mirror_that_names_them_by_sha1_are_not_called_damaged(
    commit: str, local_hub: Hub, run_zoo: RunZoo
) -> None:
    local_hub.etag = lambda path, content: hashlib.sha1(content).hexdigest()
    assert run_zoo("verify", ADDRESS + commit)[0] == 0
    local_hub.requests.clear()
    assert run_zoo("verify", ADDRESS + commit)[::2] == (0, "")
    assert not local_hub.requests


def test_two_processes_that_load_at_once_both_get_it(folder: Path, tmp_path: Path) -> None:
    hub, commit = hub_of(folder)
    results = []
    with running(hub) as url:

        def load() -> None:
            results.append(zoo("info", ADDRESS + commit, cwd=tmp_path, HF_ENDPOINT=url))

        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [(code, err) for code, _, err in results] == [(0, "")] * 2
    assert results[0][1] == results[1][1]


SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "unreachable": (
        {"HF_ENDPOINT": "http://127.0.0.1:9"},
        "127.0.0.1 cannot be reached (no network, or a wrong address)",
    ),
    "no such host": ({"HF_ENDPOINT": "http://nowhere.invalid"}, "nowhere.invalid cannot be reached"),
    "no scheme": ({"HF_ENDPOINT": "foo"}, "'foo' is not an address that begins with https://"),
    "offline": ({"HF_HUB_OFFLINE": "1"}, "the Hub is not asked, because HF_HUB_OFFLINE is set; a folder"),
    "SOCKS": ({"ALL_PROXY": "socks5://me:secret@127.0.0.1:9"}, "ALL_PROXY names a SOCKS proxy, which needs a package"),
    "proxy": ({"HTTPS_PROXY": "http://me:secret@127.0.0.1:9"}, "through the proxy that HTTPS_PROXY names"),
    "no cache": ({"HF_ENDPOINT": "{url}", "ZOO_CACHE": "{file}/cache"}, "ZOO_CACHE or HF_HOME to a folder"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_each_setting_that_keeps_the_hub_away_is_its_own_sentence(case: str, folder: Path, tmp_path: Path) -> None:
    settings, words = SETTINGS[case]
    (tmp_path / "file").touch()
    hub, commit = hub_of(folder)
    with running(hub) as url:
        given = {name: value.format(url=url, file=tmp_path / "file") for name, value in settings.items()}
        code, out, err = zoo("info", ADDRESS + commit, cwd=tmp_path, **given)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("zoo: ")
    assert words in err
    assert "secret" not in err


@pytest.mark.parametrize("variable", ["HF_HOME", "HF_HUB_CACHE"])
def test_the_client_s_own_settings_say_where_files_are_kept(variable: str, folder: Path, tmp_path: Path) -> None:
    hub, commit = hub_of(folder)
    hub.repositories["org/repo"].private = True
    where = tmp_path / "elsewhere"
    with running(hub) as url:
        given = {"HF_ENDPOINT": url, "HF_TOKEN": hub.token, variable: str(where)}
        assert zoo("info", ADDRESS + commit, cwd=tmp_path, **given)[0] == 0
    assert list(where.glob("**/config.json"))
    assert not list((tmp_path / "cache").glob("**/config.json"))


@pytest.mark.parametrize("name", ["hf-hub:org/re/po@main", "hf-hub:-@main", "hf-hub:../x@main"])
def test_a_text_that_names_no_repository_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", name]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err
    assert "does not name a repository" in err


def test_nothing_of_the_user_s_own_is_removed(folder: Path, tmp_path: Path, run_zoo: RunZoo) -> None:
    mine = shutil.copytree(folder, tmp_path / "snapshots" / "mine")
    (mine / "targets.tsv").write_text("changed")
    (mine / "model.safetensors").write_bytes(b"changed")
    code, _, err = run_zoo("verify", f"local-dir:{mine}")
    assert (code, "removed" in err) == (2, False)
    assert (mine / "targets.tsv").read_text() == "changed"
    assert (mine / "model.safetensors").read_bytes() == b"changed"


@pytest.mark.parametrize("damaged", ["config.json", "targets.tsv", "README.md", "example.safetensors"])
def test_a_damaged_download_is_fetched_again(
    damaged: str, commit: str, folder: Path, run_zoo: RunZoo, local_hub: Hub
) -> None:
    assert run_zoo("verify", ADDRESS + commit)[0] == 0
    (path,) = cached(damaged)
    content = path.resolve()
    content.write_bytes(content.read_bytes().replace(b"e", b"f", 1))
    code, _, err = run_zoo("verify", ADDRESS + commit)
    if code:
        assert f"the damaged {damaged} was removed: try again" in err
    assert run_zoo("verify", ADDRESS + commit)[0] == 0
    assert cached(damaged)[0].read_bytes() == (folder / damaged).read_bytes()
