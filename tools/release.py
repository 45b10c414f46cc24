"""Build and try what would be released, and tell what is missing. Nothing is uploaded or tagged.

    python tools/release.py [VERSION]

Writes the wheel and the sdist to dist/. The wheel is installed into an empty environment, without extras and outside of
the checkout. With VERSION, all must be ready for that version before anything is built.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from zoo.utils.text import counted

__all__ = ["PROJECT", "build", "build_both", "compare_wheels", "main", "missing_for", "read_version", "try_wheel"]

PROJECT = Path(__file__).resolve().parent.parent
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
_HEADING = re.compile(r"^## (\S+) \((.+)\)$", re.MULTILINE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MODEL = "deepbind.encode_usf1_h1hesc"
# What a person does first with an installation; each must end well.
_COMMANDS = (
    ("list",),
    ("verify", _MODEL),
    ("example",),
    ("predict", _MODEL, "examples/ebox.fa", "-o", "predictions.tsv"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, try and check; 1 if the version cannot be released yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", nargs="?", metavar="VERSION", help="the version to be released")
    wanted = parser.parse_args(arguments).version
    version = wanted or read_version(PROJECT)
    missing = missing_for(version, PROJECT)
    if wanted and missing:
        return _tell(version, missing)
    files = build_both(PROJECT / "dist")
    print(f"{files[0].name}: installed into an empty environment, without extras ...", flush=True)
    try_wheel(files[0], read_version(PROJECT))
    _run(sys.executable, "-m", "twine", "check", "--strict", *map(str, files))
    for file in files:
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(PROJECT)}")
    if missing:
        return _tell(version, missing)
    print(f"Version {version} is ready. Next:")
    print(f"  git tag -a v{version} -m 'Version {version}'")
    print(f"  git push origin v{version}")
    print(f"  python -m twine upload {' '.join(str(file.relative_to(PROJECT)) for file in files)}")
    return 0


def read_version(project: Path) -> str:
    """The version of the code."""
    return _first(_VERSION, project / "zoo" / "utils" / "version.py")[0]


def missing_for(version: str, project: Path) -> list[str]:
    """Tell what must be changed before a version can be released: a sentence each.

    Args:
        version: the version, such as 0.2.0.
        project: the checkout.
    """
    missing = []
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        missing.append(f"{version} is no version such as 0.2.0")
    if (code := read_version(project)) != version:
        missing.append(f"zoo/utils/version.py has {code}: write {version}")
    if (cited := yaml.safe_load((project / "CITATION.cff").read_text(encoding="utf-8"))["version"]) != version:
        missing.append(f"CITATION.cff has {cited}: write {version}")
    heading, date = _first(_HEADING, project / "CHANGELOG.md")
    if heading != version or not _DATE.fullmatch(date):
        missing.append(f"CHANGELOG.md begins with {heading} ({date}): write {version} and its date, as (2027-01-31)")
    return missing + _missing_in_git(version, project)


def build(kind: str, folder: Path, source: Path = PROJECT) -> Path:
    """Build a distribution.

    Args:
        kind: `wheel` or `sdist`.
        folder: where it is written.
        source: the sources.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as draft:
        _run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", draft, cwd=source)
        (file,) = Path(draft).iterdir()
        return file.replace(folder / file.name)


def build_both(folder: Path) -> tuple[Path, Path]:
    """Build wheel and sdist in a folder; the wheel that the sdist builds must be the same."""
    print(f"building wheel and sdist in {folder} ...", flush=True)
    wheel, sdist = build("wheel", folder), build("sdist", folder)
    with tempfile.TemporaryDirectory() as unpacked:
        with tarfile.open(sdist) as archive:
            archive.extractall(unpacked, filter="data")
        (source,) = Path(unpacked).iterdir()
        if different := compare_wheels(wheel, build("wheel", Path(unpacked) / "wheel", source)):
            sys.exit(f"{sdist.name} builds another wheel: {', '.join(different[:10])} differ ({len(different)} files)")
    return wheel, sdist


def compare_wheels(wheel: Path, other: Path) -> list[str]:
    """The files that differ between two wheels, or are in one of them only."""
    names = []
    for path in (wheel, other):
        with zipfile.ZipFile(path) as archive:
            names.append({(entry.filename, entry.CRC) for entry in archive.infolist()})
    return sorted({name for name, _ in names[0] ^ names[1]})


def try_wheel(wheel: Path, version: str) -> None:
    """Install a wheel into an empty environment without extras, and use it in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(Path(folder) / "environment", with_pip=True)
        bin_folder = Path(folder) / "environment" / ("Scripts" if os.name == "nt" else "bin")
        pip = (str(bin_folder / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "-c", str(PROJECT / "constraints.txt"), str(wheel), cwd=Path(folder))
        work = Path(folder) / "work"
        work.mkdir()
        said = _run(str(bin_folder / "zoo"), "--version", cwd=work)
        if said != f"zoo {version}\n":
            sys.exit(f"{wheel.name}: zoo --version says {said!r}, not {version}")
        for command in _COMMANDS:
            _run(str(bin_folder / "zoo"), *command, cwd=work)
            print(f"  zoo {' '.join(command)}", flush=True)
        rows = (work / "predictions.tsv").read_text().splitlines()[1:]
        values = {name: float(value) for name, value in (row.split("\t") for row in rows)}
        if not values or any((value > 0.5) != name.startswith("ebox") for name, value in values.items()):
            sys.exit(f"{wheel.name}: the predictions of the example are wrong: {values}")


def _missing_in_git(version: str, project: Path) -> list[str]:
    """What the history lacks: changes that are not committed, or a version that has a tag already."""
    changes = _git(project, "status", "--porcelain")
    if changes is None:
        return [f"{project} is no checkout of git"]
    missing = []
    if lines := changes.splitlines():
        missing.append(f"{counted(len(lines), 'change')} not committed, such as {lines[0][3:]}: commit all")
    if _git(project, "tag", "--list", f"v{version}"):
        missing.append(f"the tag v{version} exists already: choose the next version")
    return missing


def _git(project: Path, *words: str) -> str | None:
    """What git prints; None where it fails."""
    done = subprocess.run(["git", "-C", str(project), *words], capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout


def _first(pattern: re.Pattern[str], path: Path) -> tuple[str, ...]:
    """The groups of a pattern in a file."""
    match = pattern.search(path.read_text(encoding="utf-8"))
    if match is None:
        sys.exit(f"{path} has no line such as {pattern.pattern}")
    return match.groups()


def _run(*command: str, cwd: Path = PROJECT) -> str:
    """Run a command without this process' PYTHONPATH, and end with its output if it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _tell(version: str, missing: list[str]) -> int:
    """Print what is missing."""
    print(f"Version {version} cannot be released yet:")
    print("\n".join(f"  - {sentence}" for sentence in missing))
    return 1


if __name__ == "__main__":
    sys.exit(main())
