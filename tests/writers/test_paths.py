"""Where predictions of each target go: a folder, one file for one target, and no file of another format."""

from collections.abc import Callable
from pathlib import Path

import cooler
import pyBigWig
import pytest
from made.models import Made, make_files

from zoo.errors import ConfigError, OutputError
from zoo.writers.paths import output_paths

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))


def test_a_folder_holds_a_file_of_each_target_and_a_file_one(tmp_path: Path) -> None:
    endings = [".bw", ".bigWig"]
    assert output_paths(tmp_path / "v1.2", ["a", "b"], endings) == [
        tmp_path / "v1.2" / "a.bw",
        tmp_path / "v1.2" / "b.bw",
    ]
    assert output_paths(tmp_path / "x.bigWig", ["a"], endings) == [tmp_path / "x.bigWig"]
    with pytest.raises(ConfigError, match="can hold one target, there are 2"):
        output_paths(tmp_path / "x.bw", ["a", "b"], endings)
    with pytest.raises(
        ConfigError, match=r"not written as \.cool: name a folder, or a file that ends in \.bw or \.bigWig"
    ):
        output_paths(tmp_path / "x.cool", ["a"], endings)
    (tmp_path / "x.bw").touch()
    with pytest.raises(OutputError, match="exists already"):
        output_paths(tmp_path / "x.bw", ["a"], endings)


def test_one_track_is_one_bigwig(made: Made, run_zoo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["predict", made.models["tracks"], str(made.genome), "--contigs", "chr2", "--targets", "two"]
    for output in ("two.bw", "folder"):
        code, _, err = run_zoo(*words, "-o", output)
        assert code == 0, err
    files = [pyBigWig.open(path) for path in ("two.bw", "folder/two.bw")]
    assert files[0].intervals("chr2") == files[1].intervals("chr2")


@pytest.mark.parametrize("output", ["out.tsv", "out.bedGraph", "out.png", "out.mcool", "new/out.gz"])
@pytest.mark.parametrize("kind", ["tracks", "contacts"])
def test_a_file_of_another_format_is_refused_at_once(
    kind: str, output: str, made: Made, run_zoo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zoo.hub.load.load", None)  # before a model is loaded
    code, out, err = run_zoo("predict", made.models[kind], str(made.genome), "-o", output)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "name a folder, or a file that ends in" in err
    assert list(tmp_path.iterdir()) == []


def test_coolers_hold_description_and_unit(
    made: Made, run_zoo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["predict", made.models["contacts"], str(made.genome), "--contigs", "chr2", "--targets", "two"]
    assert run_zoo(*words, "-o", "two.cool")[0] == 0
    metadata = cooler.Cooler("two.cool").info["metadata"]
    assert [metadata[key] for key in ("target", "description", "unit")] == ["two", "two", "unit"]
