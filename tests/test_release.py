"""`make release`: what a version lacks is named, and nothing is built for one that is not ready."""

import subprocess
import zipfile
from pathlib import Path

import pytest
import release

import zoo


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with the files that a release looks at, ready to be released as 0.2.0."""
    folder = tmp_path / "project"
    (folder / "zoo" / "utils").mkdir(parents=True)
    (folder / "zoo" / "utils" / "version.py").write_text('"""Version."""\n__version__ = "0.2.0"\n')
    (folder / "CITATION.cff").write_text("title: a\nversion: 0.2.0\n")
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 0.2.0 (2027-01-31)\n\n## 0.1.0 (2026-12-01)\n")
    git(folder, "init", "-q")
    commit(folder)
    return folder


def git(folder: Path, *words: str) -> None:
    person = ("-c", "user.name=a", "-c", "user.email=a@b.org", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *person, *words], check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "All")


def test_a_version_that_is_ready_lacks_nothing(project: Path) -> None:
    assert release.missing_for("0.2.0", project) == []


def test_each_file_of_another_version_is_named(project: Path) -> None:
    assert [line.split(" ")[0] for line in release.missing_for("0.3.0", project)] == [
        "zoo/utils/version.py",
        "CITATION.cff",
        "CHANGELOG.md",
    ]
    assert "write 0.3.0" in release.missing_for("0.3.0", project)[0]
    assert "next is no version" in release.missing_for("next", project)[0]


@pytest.mark.parametrize("heading", ["## 0.2.0 (unreleased)", "## 0.1.9 (2027-01-31)"])
def test_a_changelog_that_does_not_begin_with_the_version_and_a_date_is_named(project: Path, heading: str) -> None:
    (project / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n\n## 0.2.0 (2026-01-01)\n")
    commit(project)
    (sentence,) = release.missing_for("0.2.0", project)
    assert sentence.startswith(f"CHANGELOG.md begins with {heading[3:]}: write 0.2.0 and its date")


def test_changes_that_are_not_committed_and_a_tag_that_exists_are_named(project: Path) -> None:
    (project / "new.txt").touch()
    git(project, "tag", "v0.2.0")
    assert release.missing_for("0.2.0", project) == [
        "1 change not committed, such as new.txt: commit all",
        "the tag v0.2.0 exists already: choose the next version",
    ]


def test_a_folder_that_is_no_checkout_is_named(project: Path, tmp_path: Path) -> None:
    (project / ".git").rename(tmp_path / "elsewhere")
    assert "is no checkout of git" in release.missing_for("0.2.0", project)[0]


def test_with_a_version_nothing_is_built_before_all_is_ready(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(release, "build_both")
    assert release.main(["99.0.0"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("Version 99.0.0 cannot be released yet:\n")
    assert f"zoo/utils/version.py has {zoo.__version__}: write 99.0.0" in out


def test_files_that_two_wheels_do_not_share_are_named(tmp_path: Path) -> None:
    contents = {"a.whl": {"same": "1", "changed": "1", "gone": "1"}, "b.whl": {"same": "1", "changed": "2", "new": "1"}}
    for wheel, files in contents.items():
        with zipfile.ZipFile(tmp_path / wheel, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    assert release.compare_wheels(tmp_path / "a.whl", tmp_path / "b.whl") == ["changed", "gone", "new"]
    assert release.compare_wheels(tmp_path / "a.whl", tmp_path / "a.whl") == []


def test_the_version_of_the_code_is_read() -> None:
    assert release.read_version(release.PROJECT) == zoo.__version__
