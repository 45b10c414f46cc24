"""Checkpoint folders that are damaged or made to harm: one sentence, whatever is wrong; what is right still loads."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from made.hostile_folders import HOSTILE, edit, link, pipe
from safetensors.torch import load_file

from zoo.errors import IntegrityError, ZooError
from zoo.hub.checkpoint import save
from zoo.hub.config import read_config
from zoo.hub.example import example_for
from zoo.hub.facts import ModelFacts
from zoo.hub.load import load, verify
from zoo.hub.loading import load_folder
from zoo.hub.registry import list_models
from zoo.hub.targets import TargetRow, read_targets
from zoo.hub.upgrade import upgrade_tensors
from zoo.models.mlp import MLP

Run = Callable[..., tuple[int, str, str]]
FORMAT_1 = Path(__file__).parents[1] / "fixtures" / "format1"


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `mlp.tiny` in `checkpoints` of the working folder."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(tiny_checkpoint / "mlp.tiny", tmp_path / "checkpoints" / "mlp.tiny")


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_folder_is_refused_in_one_sentence_by_every_verb(case: str, folder: Path, run_zoo: Run) -> None:
    harm, words = HOSTILE[case]
    harm(folder)
    (folder.parent.parent / "x.fa").write_text(">a\n" + "ACGT" * 5 + "\n")
    code, out, err = run_zoo("verify", "mlp.tiny")
    assert (code, out, err.count("\n"), err[:5]) == (2, "", 1, "zoo: "), err
    assert words in err
    for verb in (["info", "mlp.tiny"], ["info", "mlp.tiny", "--json"], ["predict", "mlp.tiny", "x.fa", "-o", "-"]):
        code, _, err = run_zoo(*verb)
        assert code == 0 or (code, err.count("\n"), err[:5]) == (2, 1, "zoo: "), err


def test_list_shows_the_good_ones_and_one_line_for_each_bad_one(folder: Path, run_zoo: Run) -> None:
    for name in ("mlp.deep", "mlp.link", "mlp.pipe", "deepbind.text"):
        shutil.copytree(folder, folder.parent / name)
    (folder.parent / "mlp.deep" / "config.json").write_text("[" * 90_000)
    link(folder.parent / "mlp.link", "config.json", "/dev/zero")
    pipe(folder.parent / "mlp.pipe", "config.json")
    edit(folder.parent / "deepbind.text", name="deepbind.text", sha256="x")
    shown = [facts.name for facts in list_models("mlp.*")]
    assert "mlp.tiny" in shown
    assert not {"mlp.deep", "mlp.link", "mlp.pipe"} & set(shown)


def test_one_large_config_does_not_hide_the_folders_after_it(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "mlp.hole")
    os.truncate(folder.parent / "mlp.hole" / "config.json", 1 << 40)
    assert "mlp.tiny" in [facts.name for facts in list_models("mlp.*")]


def test_a_recipe_that_is_a_link_out_of_the_folder_is_not_shown(folder: Path, run_zoo: Run) -> None:
    (folder.parent.parent / "secret").write_text("a: 1")
    (folder / "recipe.yaml").symlink_to("../../secret")
    code, out, err = run_zoo("config", "checkpoints/mlp.tiny")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "recipe.yaml is a link out of its folder" in err


def test_list_names_each_bad_folder_and_the_reason(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        shutil.copytree(folder, folder.parent / f"mlp.bad{number}")  # its config.json has another name
    list_models("mlp.*")
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split("/")[1] for line in lines] == [f"mlp.bad{number}" for number in range(5)]
    assert all("belongs to a model named 'mlp.tiny': rename" in line for line in lines)
    caplog.clear()
    monkeypatch.setattr("zoo.hub.folder._MOST_FOLDERS", 40)
    for number in range(60):
        (folder.parent / f"other.{number}").mkdir()
    list_models("mlp.*")
    assert "left out: 26 folders of checkpoints, which holds 66" in [record.getMessage() for record in caplog.records]
    caplog.clear()
    monkeypatch.setattr("zoo.hub.registry._MOST_BYTES", 5_000)
    list_models("mlp.*")
    assert "their config.json have more than 5,000 bytes in all" in caplog.text


def test_cards_of_the_good_ones_are_rendered_and_nothing_is_written_through_a_link(
    folder: Path, run_zoo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.cards.shipped_folder", lambda _: folder.parent)
    for name in ("mlp.link", "mlp.empty"):
        shutil.copytree(folder, folder.parent / name)
        edit(folder.parent / name, name=name)
    mine = folder.parent.parent / "mine"
    mine.write_text("mine")
    link(folder.parent / "mlp.link", "README.md", "../../mine")
    (folder.parent / "mlp.empty" / "targets.tsv").write_text("")
    assert run_zoo("card")[0] == 0
    assert mine.read_text() == "mine"
    page = Path("MODEL_CARDS.md").read_text()
    assert "## mlp.tiny" in page
    assert "mlp.link" not in page + "mlp.empty"


def hub_cache(folder: Path, tmp_path: Path) -> Path:
    """The files of a folder as the Hugging Face Hub's cache has them: links to blobs."""
    repository = tmp_path / "hub" / "models--org--repo"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for path in folder.iterdir():
        (repository / "blobs" / f"hash_{path.name}").write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(Path("../../blobs") / f"hash_{path.name}")
    return snapshot


def test_a_folder_of_links_into_the_blobs_of_the_hub_s_cache_loads(folder: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(folder, tmp_path)
    assert load(f"local-dir:{snapshot}").arguments == load_folder(folder).arguments
    assert verify(f"local-dir:{snapshot}").difference == 0
    (tmp_path / "link").symlink_to(snapshot)  # a folder may be a link itself
    load_folder(tmp_path / "link")
    outside = tmp_path / "outside.tsv"
    outside.write_bytes((folder / "targets.tsv").read_bytes())
    link(snapshot, "targets.tsv", str(outside))
    with pytest.raises(IntegrityError, match=r"targets\.tsv is a link out of its folder"):
        load_folder(snapshot)


def test_blobs_that_are_a_link_themselves_are_refused(folder: Path, tmp_path: Path) -> None:
    snapshot = hub_cache(folder, tmp_path)
    blobs = snapshot.parents[1] / "blobs"
    blobs.rename(tmp_path / "elsewhere")
    blobs.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="a link out of its folder"):
        load_folder(snapshot)


def test_a_text_times_a_number_is_not_computed_for_format_1(tmp_path: Path) -> None:
    copy = shutil.copytree(FORMAT_1 / "akita.tiny", tmp_path / "akita.tiny")
    edit(copy, arguments__input_size=None, arguments__stem_stride="a", arguments__stem_pool=10**12)
    with pytest.raises(IntegrityError, match="at most 100 whole numbers"):
        read_config(copy)


def test_two_tensors_that_get_one_name_are_refused() -> None:
    with pytest.raises(IntegrityError, match="two tensors have one name"):
        upgrade_tensors({"head.weight": 1, "head.0.weight": 2}, "mlp", 1)


def test_checking_a_folder_draws_no_random_numbers(folder: Path) -> None:
    config = read_config(folder)
    torch.manual_seed(1)
    MLP(**config.arguments)
    after_one = torch.rand(1)
    torch.manual_seed(1)
    load_folder(folder)
    assert torch.equal(torch.rand(1), after_one)


def test_a_model_in_another_precision_is_stored_in_float32(tmp_path: Path) -> None:
    model = MLP(["a"], 12, hidden=(4,)).half()
    rows = [TargetRow("a", "", "")]
    created = save(model, tmp_path / "mlp.half", ModelFacts("mlp.half", ""), rows, example_for(model, 12))
    assert {value.dtype for value in load_file(created / "model.safetensors").values()} == {torch.float32}
    assert model.dtype == torch.float16
    assert read_targets(created) == rows


def test_float32_weights_load_into_models_of_doubles(folder: Path) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        model = load_folder(folder)
    finally:
        torch.set_default_dtype(torch.float32)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}


def test_an_example_that_takes_too_much_is_refused_before_it_is_predicted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, words in (("_MOST_FLOPS", "multiplications"), ("_MOST_STEPS", "operations")):
        with monkeypatch.context() as patch:
            patch.setattr(f"zoo.hub.meta_device.{limit}", 3)
            with pytest.raises(ZooError, match=f"more than 3 {words}"):
                verify("mlp.tiny")
    monkeypatch.setattr("zoo.hub.meta_device._MOST_BYTES", -1_000_000)
    with pytest.raises(ZooError, match="bytes of memory"):
        verify("mlp.tiny")
