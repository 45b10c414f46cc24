"""The version, and a commit that is never that of somebody else's repository."""

import subprocess
from pathlib import Path

import pytest

from zoo.utils import version


def test_an_installation_inside_a_repository_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setattr(version, "_PROJECT", tmp_path / ".venv" / "site-packages")
    assert version.commit() == ""
    assert version.code_version() == f"version {version.__version__}"


def test_a_checkout_has_the_commit_of_its_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    monkeypatch.setattr(version, "_PROJECT", tmp_path)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    assert head.startswith(version.code_version())
    (tmp_path / "a").write_text("2")
    assert version.code_version().endswith("-dirty")
