"""Writing a site: which models are in it, what it says of one's own, and the folder that it takes the place of."""

import json
import logging
import re
import shutil
from pathlib import Path

import pytest
from made.hostile_folders import edit
from made.models import Made, make_files
from made.pages import read_pages

from zoo.errors import IntegrityError, OutputError, UnknownNameError
from zoo.hub.pins import pin_checkpoint
from zoo.site.build import SiteReport, build_site
from zoo.site.folder import FILES
from zoo.site.models import collect_models, page_names


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))


@pytest.fixture
def home(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with `mlp.tiny` and `deepbind.tiny` in `checkpoints/`."""
    shutil.copytree(tiny_checkpoint, tmp_path / "checkpoints")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_two_sites_of_the_same_models_have_the_same_bytes(made: Made, tmp_path: Path, tiny_checkpoint: Path) -> None:
    names = [*made.models.values(), f"local-dir:{tiny_checkpoint}/deepbind.tiny", "deepbind.D00328.003"]
    for name in ("one", "two"):
        assert build_site(tmp_path / name, names) == SiteReport(5, 4, 0, 0)
    one = content(tmp_path / "one")
    assert one == content(tmp_path / "two")
    assert {Path(name).suffix for name in one} == {"", ".css", ".html", ".js", ".json", ".png", ".svg"}


@pytest.mark.slow
@pytest.mark.parametrize("inputs", ["models", "with_inputs"])
def test_models_of_every_kind_have_pictures(inputs: str, made: Made, tmp_path: Path) -> None:
    names: dict[str, str] = getattr(made, inputs)
    build_site(tmp_path / "site", list(names.values()))
    for name, page in read_pages(tmp_path / "site").items():
        if name != "index.html":
            assert any("../pictures/" in image["src"] for image in page.all("img")), name


def test_only_the_models_that_are_named_are_in_it_and_no_benchmarks(home: Path) -> None:
    build_site("site", ["mlp.tiny", "deepbind.D00328.*"], title="Our lab")
    pages = read_pages(Path("site"))
    names = ["mlp.tiny", "deepbind.D00328.003", "deepbind.D00328.018"]
    assert set(pages) == {"index.html", *(f"models/{name}.html" for name in names)}
    assert "Our lab" in pages["index.html"].text and "Benchmarks" not in pages["index.html"].text
    with pytest.raises(UnknownNameError, match=r"the nearest names are mlp\.tiny"):
        build_site("other", ["mlp.tin"])
    with pytest.raises(UnknownNameError, match="no model matches"):
        build_site("other", ["mlp.nothing*"])
    assert not Path("other").exists()


def test_a_model_of_ones_own_claims_neither_source_nor_licence_of_this_project(home: Path) -> None:
    build_site("site", ["mlp.tiny", f"local-dir:{home}/checkpoints/deepbind.tiny"])
    for name, page in read_pages(Path("site")).items():
        for words in ("this project", "shipped", "Apache", str(home)):
            assert words not in page.text, (name, words)
    shutil.copytree("checkpoints/mlp.tiny", "other/mlp.tiny")
    report = build_site("both", ["mlp.tiny", "local-dir:other/mlp.tiny", "local-dir:checkpoints/mlp.tiny"])
    assert report.models == 2  # two folders, one of them by two names
    text = (Path("site") / "models" / "deepbind.tiny.html").read_text()
    assert "zoo predict local-dir:deepbind.tiny sequences.fa" in text
    assert "not stated" in text


def test_a_pinned_model_is_loaded_from_the_hub_and_not_fetched(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZOO_PINS", "pins.json")
    pin_checkpoint((home / "checkpoints/mlp.tiny/config.json").read_bytes(), "lab/mlp", "c0ffee" + 34 * "0")
    shutil.rmtree("checkpoints")
    assert "mlp.tiny" not in [model.facts.name for model in collect_models()[0]]  # a list of one's own is not published
    assert build_site("site", ["mlp.tiny"]) == SiteReport(1, 0, 0, 0)
    text = read_pages(Path("site"))["models/mlp.tiny.html"].text
    assert f'zoo.load("hf-hub:lab/mlp@c0ffee{34 * "0"}")' in text and "downloaded from the Hugging Face Hub" in text


@pytest.mark.slow
def test_a_broken_checkpoint_is_a_warning_and_counted(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    weights = Path("checkpoints/deepbind.tiny/model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-8])
    edit(home / "checkpoints" / "mlp.tiny", name="mlp.other")
    shutil.copytree(home / "checkpoints" / "mlp.tiny", home / "mlp.other")
    names = ["mlp.tiny", "deepbind.tiny", "local-dir:mlp.other"]
    with caplog.at_level(logging.WARNING, "zoo"):
        assert build_site("site", names) == SiteReport(1, 1, 0, 2)
    assert [record.getMessage().split(": ")[0] for record in caplog.records] == ["left out", "left out"]
    assert "mlp.tiny" in caplog.text and "deepbind.tiny" in caplog.text
    assert list((Path("site") / "pictures").iterdir()) == [Path("site/pictures/mlp.other")]
    with pytest.raises(IntegrityError, match="none of the models can be shown"):
        build_site("none", ["deepbind.tiny"])
    assert not Path("none").exists()


def test_a_site_is_written_anew_only_where_nothing_else_is_lost(home: Path) -> None:
    build_site("site", ["mlp.tiny"])
    before = content(Path("site"))
    assert set(json.loads(before[FILES])) == set(before) - {FILES}
    with pytest.raises(OutputError, match=r"site exists already: .* add --overwrite"):
        build_site("site", ["deepbind.tiny"])
    (Path("site") / "CNAME").write_text("lab.example\n")
    with pytest.raises(OutputError, match="site holds CNAME, which `zoo site` did not write"):
        build_site("site", ["deepbind.tiny"], overwrite=True)
    (Path("site") / "CNAME").unlink()
    build_site("site", ["deepbind.tiny"], overwrite=True)
    assert (Path("site") / "models" / "deepbind.tiny.html").is_file()
    assert not (Path("site") / "models" / "mlp.tiny.html").exists()
    Path("empty").mkdir()
    build_site("empty", ["mlp.tiny"])
    assert content(Path("empty")) == before


def test_other_folders_are_never_replaced(home: Path) -> None:
    everything = content(home)
    Path("link").symlink_to("checkpoints")
    for folder, message in {
        "checkpoints": "checkpoints holds deepbind.tiny/README.md, which",
        ".": "is the working folder",
        "..": "is the working folder, or holds it",
        "link": "a link to one",
        "checkpoints/mlp.tiny/config.json": "is no folder",
        "checkpoints/mlp.tiny/config.json/site": "is a file, not a folder",
    }.items():
        with pytest.raises(OutputError, match=message):
            build_site(folder, ["mlp.tiny"], overwrite=True)
    Path("link").unlink()
    assert content(home) == everything


def test_a_failure_leaves_no_part_of_a_site(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_site("site", ["mlp.tiny"])
    before = content(home)

    def fail(source: Path, target: Path, **_: object) -> None:
        raise OSError(28, "No space left on device", str(target / "site.css"))

    monkeypatch.setattr(shutil, "copytree", fail)  # after the pages and pictures
    with pytest.raises(OutputError, match="full"):
        build_site("site", ["deepbind.tiny"], overwrite=True)
    with pytest.raises(OutputError, match="full"):
        build_site("new/site", ["deepbind.tiny"])
    assert content(home) == before and not Path("new").exists()


def test_names_of_pages_are_plain_short_and_different() -> None:
    long = "mlp." + "x" * 300
    names = ["mlp.a", "mlp.A", "../../etc/passwd", "a b", "a/b", "\u202e", long, "x" * 190, "mlp.a", "index"]
    stems = page_names(names)
    assert stems[:2] == ["mlp.a", "mlp.A-2"]
    assert len({stem.casefold() for stem in stems}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}", stem) for stem in stems)
