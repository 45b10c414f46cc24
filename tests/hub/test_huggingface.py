"""Repositories of a Hub on this computer, by the library's own client: what is found, and each way to fail."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made.servers import COMMIT, Handler, made_hub, serving

from zoo.cli import main

NAME = f"hf-hub:org/repo@{COMMIT}"
Info = Callable[..., tuple[int, str, str]]


@pytest.fixture
def repository(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_checkpoint / "mlp.tiny", tmp_path / "repository")


def zoo(*arguments: str, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """Run a command with a clean environment: the client reads it when it is imported."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")}
    command = [sys.executable, "-m", "zoo.cli", *arguments]
    settings = {**kept, "HOME": str(cwd), "ZOO_CACHE": str(cwd / "cache"), **environment}
    done = subprocess.run(command, env=settings, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_info_downloads_and_describes_a_repository_and_then_needs_no_hub(
    revision: str, repository: Path, tmp_path: Path
) -> None:
    name = f"hf-hub:org/repo@{revision}"
    with serving(made_hub(repository)) as url:
        code, card, err = zoo("info", name, cwd=tmp_path, HF_ENDPOINT=url)
    assert (code, err) == (0, "")
    assert card.startswith("# mlp.tiny\n")
    assert f"zoo predict {name} sequences.fa" in card
    # The address does not answer any more.
    code, again, err = zoo("info", name, cwd=tmp_path, HF_ENDPOINT=url)
    assert (code, again) == (0, card)
    assert ("so 0123456" in err) == (revision == "main")  # which could have changed meanwhile
    assert zoo("info", name, cwd=tmp_path, HF_ENDPOINT=url, HF_HUB_OFFLINE="1")[:2] == (0, card)


@pytest.mark.slow
def test_verify_and_predict_take_a_repository(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.fa").write_text(">a\nACGTACGTACGTACGTACGT\n")
    with serving(made_hub(repository)) as url:
        assert zoo("verify", NAME, cwd=tmp_path, HF_ENDPOINT=url)[0] == 0
        code, table, _ = zoo("predict", NAME, "in.fa", cwd=tmp_path, HF_ENDPOINT=url)
    assert code == 0
    assert main(["predict", f"local-dir:{repository}", str(tmp_path / "in.fa")]) == 0
    assert table == capsys.readouterr().out


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
    request.answer(200, b"x" * 10_000, {"ETag": '"1"', "X-Repo-Commit": COMMIT}, cut=True)
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
    "login page": (answers(200, PAGE, Content_Type="text/html"), "perhaps a login page"),
    "other JSON": (answers(200, b"{}", where="/api/models/org/repo/revision"), "is not one of the Hub"),
    "a tree that is none": (answers(200, b'{"a": 1}', where="/tree/"), "is not one of the Hub"),
    "no checkpoint": (answers(200, b"[]", where="/tree/"), "config.json is missing"),
    "cut": (cut, "cut the connection before the file was whole"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_each_failure_of_the_hub_is_its_own_sentence(case: str, repository: Path, tmp_path: Path) -> None:
    fault, words = FAULTS[case]
    with serving(made_hub(repository, fault)) as url:
        code, out, err = zoo("info", "hf-hub:org/repo@main", cwd=tmp_path, HF_ENDPOINT=url)
    assert (code, out) == (2, "")
    assert (err[:5], err.count("\n")) == ("zoo: ", 1), err
    assert words in err
    assert not list(tmp_path.glob("cache/**/model.safetensors")) or case == "no checkpoint"
    assert not list(tmp_path.glob("cache/**/*.incomplete"))


SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "unreachable": (
        {"HF_ENDPOINT": "http://127.0.0.1:9"},
        "127.0.0.1 cannot be reached (no network, or a wrong address)",
    ),
    "no such host": ({"HF_ENDPOINT": "http://nowhere.invalid"}, "nowhere.invalid cannot be reached"),
    "no scheme": ({"HF_ENDPOINT": "foo"}, "'foo' is not an address that begins with https://"),
    "offline": ({"HF_HUB_OFFLINE": "1"}, "is not on this computer, and HF_HUB_OFFLINE forbids"),
    "SOCKS": ({"ALL_PROXY": "socks5://me:secret@127.0.0.1:9"}, "ALL_PROXY names a SOCKS proxy, which needs a package"),
    "proxy": ({"HTTPS_PROXY": "http://me:secret@127.0.0.1:9"}, "through the proxy that HTTPS_PROXY names"),
    "no cache": ({"HF_ENDPOINT": "{url}", "ZOO_CACHE": "{file}/cache"}, "ZOO_CACHE or HF_HOME to a folder"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_each_setting_that_keeps_the_hub_away_is_its_own_sentence(case: str, repository: Path, tmp_path: Path) -> None:
    settings, words = SETTINGS[case]
    (tmp_path / "file").touch()
    with serving(made_hub(repository)) as url:
        given = {name: value.format(url=url, file=tmp_path / "file") for name, value in settings.items()}
        code, out, err = zoo("info", NAME, cwd=tmp_path, **given)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("zoo: ")
    assert words in err
    assert "secret" not in err


@pytest.mark.parametrize("name", ["hf-hub:org/re/po@main", "hf-hub:-@main", "hf-hub:../x@main"])
def test_a_text_that_names_no_repository_is_refused(name: str, tmp_path: Path) -> None:
    code, _, err = zoo("info", name, cwd=tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert (code, err.count("\n")) == (2, 1), err
    assert "does not name a repository" in err
