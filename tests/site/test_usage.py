"""Commands and Python of a model's page run as they are copied, on made files."""

import shlex
from pathlib import Path

import pytest
from made.models import Made, make_files

from zoo.cli import main
from zoo.site.models import SiteModel, collect_models
from zoo.site.usage import load_note, python_lines, shell_lines

pytest.importorskip("cooler", reason="needs the extra `contacts`")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))


@pytest.fixture
def folder(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the checkpoints and files under the names that pages use."""
    for path in made.genome.parent.iterdir():
        (tmp_path / path.name).symlink_to(path)
    text = made.genome.read_text()
    lines = text.replace("chr1", "chr9").replace("chr4", "chr1").split(">chr1\n")
    (tmp_path / "genome.fa").unlink()
    (tmp_path / "genome.fa").write_text(f"{lines[0]}>chr1\n{'ACGTTGCA' * 4_000}\n")
    (tmp_path / "sequences.fa").write_text(f">a\n{'ACGTT' * 4}\n>b\n{'TTGCA' * 4}\n")
    (tmp_path / "sites.bed").write_text("chr2\t100\t120\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def model_of(made: Made, inputs: str, kind: str) -> SiteModel:
    names: dict[str, str] = getattr(made, inputs)
    ((model,), _) = collect_models([f"local-dir:{Path(names[kind].removeprefix('local-dir:')).name}"])
    return model


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["labels", "tracks", "contacts"])
def test_what_is_copied_runs(kind: str, made: Made, folder: Path) -> None:
    model = model_of(made, "models", kind)
    output = {"labels": "predictions.tsv", "tracks": "tracks", "contacts": "maps"}[kind]
    exec(python_lines(model), {})
    written = Path(output)
    assert written.exists()
    written.rename("by Python")
    for line in shell_lines(model).splitlines():
        assert main(shlex.split(line)[1:]) == 0, line
    assert written.exists()
    assert load_note(model).count(model.call.removeprefix("local-dir:")) == 1


def test_what_is_copied_of_a_model_that_reads_tracks_runs(made: Made, folder: Path) -> None:
    model = model_of(made, "with_inputs", "labels")
    assert 'inputs="inputs.tsv"' in python_lines(model)
    Path("genome.fa").unlink()
    Path("genome.fa").symlink_to(made.genome)
    exec(python_lines(model), {})
    assert len(Path("predictions.tsv").read_text().splitlines()) == 2


def test_a_folder_of_any_name_is_one_word_of_a_shell_and_of_python(made: Made, folder: Path) -> None:
    name = 'it\'s; $(touch marker) "x"'
    Path(name).symlink_to(folder / Path(made.models["labels"].removeprefix("local-dir:")).name)
    model = SiteModel(model_of(made, "models", "labels").facts, "own", f"local-dir:{name}")
    for line in shell_lines(model).splitlines():
        assert f"local-dir:{name}" in shlex.split(line)
    space: dict[str, object] = {}
    exec(python_lines(model).split("zoo.predict")[0].replace("zoo.load", "str"), space)
    assert space["model"] == f"local-dir:{name}"
