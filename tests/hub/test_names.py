"""Models by name: where each is looked for, what two places mean, and that nothing is remembered of the disk."""

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from made.hub import Hub, Repository

from zoo.errors import IntegrityError, UnknownNameError
from zoo.hub.cards import describe
from zoo.hub.checkpoint import save
from zoo.hub.config import read_config
from zoo.hub.facts import ModelFacts
from zoo.hub.load import load, resolve, verify
from zoo.hub.registry import find, list_models
from zoo.hub.targets import TargetRow
from zoo.models.mlp import MLP
from zoo.utils.download import cache_folder

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, without checkpoints."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def save_model(folder: str | Path, seed: int = 0, name: str = "") -> Path:
    folder = Path(folder)
    torch.manual_seed(seed)
    rows = [TargetRow("a", "random", "probability")]
    example = {"codes": torch.randint(0, 4, (2, 12)).to(torch.uint8)}
    return save(MLP(["a"], 12, hidden=[4]), folder, ModelFacts(name or folder.name, f"Seed {seed}"), rows, example)


def names() -> list[str]:
    return [facts.name for facts in list_models("mlp.*") if "promoter" not in facts.name]


def test_a_checkpoint_in_this_folder_is_known_by_its_name_at_once(run_zoo: Run, desk: Path) -> None:
    assert names() == []
    save_model("checkpoints/mlp.mine")
    assert names() == ["mlp.mine"]
    assert resolve("mlp.mine") == Path("checkpoints/mlp.mine")
    assert load("mlp.mine").output.targets == ("a",)
    assert verify("mlp.mine").difference == 0
    assert describe("mlp.mine").startswith("# mlp.mine\n\nSeed 0.")
    (desk / "a.fa").write_text(">one\nACGTACGTACGT\n")
    for verb, *rest in (["list"], ["info"], ["verify"], ["predict", "a.fa"]):
        code, out, err = run_zoo(verb, "mlp.mine", *rest)
        assert (code, err) == (0, "")
        assert out
    shutil.rmtree("checkpoints")
    assert names() == []
    with pytest.raises(UnknownNameError, match=r"there is no model 'mlp\.mine'"):
        load("mlp.mine")


def test_a_new_checkpoint_under_an_old_name_is_the_one_that_is_loaded() -> None:
    save_model("checkpoints/mlp.mine", seed=1)
    first = load("mlp.mine").state_dict()
    save_model("checkpoints/mlp.mine", seed=2)
    second = load("mlp.mine").state_dict()
    assert [facts.summary for facts in list_models("mlp.mine")] == ["Seed 2"]
    assert any(not torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("use", [find, load, verify, resolve, describe])
def test_one_name_of_two_models_is_refused_with_both_spellings(use: Callable[[str], object]) -> None:
    here = save_model("checkpoints/mlp.mine", seed=1)
    cached = save_model(cache_folder() / "models" / "mlp.mine", seed=2)
    with pytest.raises(UnknownNameError) as caught:
        use("mlp.mine")
    assert f"local-dir:{here}" in str(caught.value)
    assert f"local-dir:{cached}" in str(caught.value)
    assert load(f"local-dir:{here}")
    assert load(f"local-dir:{cached}")


def test_one_model_in_two_places_is_taken_from_the_first(caplog: pytest.LogCaptureFixture) -> None:
    here = save_model("checkpoints/mlp.mine", seed=1)
    shutil.copytree(here, cache_folder() / "models" / "mlp.mine")
    assert resolve("mlp.mine") == here
    assert names() == ["mlp.mine"]
    assert caplog.messages == []


def test_list_names_a_model_of_two_places_once_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    save_model("checkpoints/mlp.mine", seed=1)
    save_model(cache_folder() / "models" / "mlp.mine", seed=2)
    assert [facts.summary for facts in list_models("mlp.mine")] == ["Seed 1"]
    (message,) = caplog.messages
    assert "'mlp.mine' is the name of two different models" in message


def test_a_shipped_name_is_not_replaced_in_silence() -> None:
    save_model("checkpoints/mlp.promoter_ecoli")
    with pytest.raises(UnknownNameError, match=r"two different models.*local-dir:checkpoints/mlp\.promoter_ecoli"):
        load("mlp.promoter_ecoli")


def test_a_published_name_is_not_replaced_in_silence() -> None:
    save_model("checkpoints/deepbind.D00328.003")
    message = r"local-dir:checkpoints/deepbind\.D00328\.003 .*published by Alipanahi 2015.*rename that folder"
    with pytest.raises(UnknownNameError, match=message):
        load("deepbind.D00328.003")


def test_a_checkpoint_of_another_name_is_not_taken_for_that_of_its_folder(caplog: pytest.LogCaptureFixture) -> None:
    save_model("checkpoints/mlp.mine").rename("checkpoints/mlp.other")
    with pytest.raises(IntegrityError, match=r"mlp\.other.*belongs to a model named 'mlp\.mine'"):
        load("mlp.other")
    assert load("local-dir:checkpoints/mlp.other")
    assert names() == []
    assert len(caplog.messages) == 1


def replace_config_by_a_folder(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()


def set_value(folder: Path, text: str, *keys: str) -> None:
    """Give a key of config.json a value that is written as it stands."""
    config = json.loads((folder / "config.json").read_text())
    below = config
    for key in keys[:-1]:
        below = below[key]
    below[keys[-1]] = "VALUE"
    (folder / "config.json").write_text(json.dumps(config).replace('"VALUE"', text))


BROKEN: dict[str, Callable[[Path], object]] = {
    "length without end": lambda folder: set_value(folder, "1e999", "arguments", "length"),
    "length that is none": lambda folder: set_value(folder, "NaN", "arguments", "length"),
    "number of a thousand digits": lambda folder: set_value(folder, "1" + "0" * 1000, "tolerance"),
    "lists in lists": lambda folder: (folder / "config.json").write_text("[" * 100_000),
    "bytes": lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe\x00"),
    "no config": lambda folder: (folder / "config.json").unlink(),
    "empty config": lambda folder: (folder / "config.json").write_text(""),
    "config of a newer format": lambda folder: (folder / "config.json").write_text(
        json.dumps({**json.loads((folder / "config.json").read_text()), "format": 99})
    ),
    "config that is a folder": replace_config_by_a_folder,
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_folder_is_one_warning_and_breaks_no_other(
    case: str, run_zoo: Run, caplog: pytest.LogCaptureFixture
) -> None:
    save_model("checkpoints/mlp.whole")
    BROKEN[case](save_model("checkpoints/mlp.broken"))
    assert names() == ["mlp.whole"]
    (message,) = caplog.messages
    assert message.startswith("left out: checkpoints/mlp.broken/config.json")
    assert "\n" not in message
    caplog.clear()
    assert run_zoo("list", "*whole")[0] == 0
    assert len(caplog.messages) == 1
    assert run_zoo("info", "mlp.whole")[0] == 0
    code, _, err = run_zoo("info", "mlp.broken")
    assert (code, err.count("\n")) == (2, 1)
    assert "mlp.broken/config.json" in err


def test_a_folder_that_may_not_be_read_breaks_no_other(
    run_zoo: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model("checkpoints/mlp.whole")
    save_model("checkpoints/mlp.locked")
    for method in ("read_text", "exists", "is_file", "is_dir"):
        monkeypatch.setattr(Path, method, functools.partialmethod(_guarded, getattr(Path, method)))
    assert names() == ["mlp.whole"]
    (message,) = caplog.messages
    assert message == "left out: checkpoints/mlp.locked cannot be read: Permission denied"
    assert find("mlp.whole").facts.summary == "Seed 0"
    with pytest.raises(IntegrityError, match=r"checkpoints/mlp\.locked cannot be read: Permission denied"):
        find("mlp.locked")


def _guarded(path: Path, method: Callable[..., Any], *rest: Any, **options: Any) -> Any:
    """What the system does where a user may not look into a folder; a test that is run by root may."""
    if "mlp.locked" in path.parts:
        raise PermissionError(13, "Permission denied", str(path))
    return method(path, *rest, **options)


def test_cards_are_rendered_without_a_broken_checkpoint(
    run_zoo: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = save_model("checkpoints/mlp.whole"), save_model("checkpoints/mlp.broken")
    (broken / "config.json").write_text("{}")
    (whole / "README.md").unlink()
    monkeypatch.setattr("zoo.hub.cards.shipped_folder", lambda _: Path("checkpoints"))
    assert run_zoo("card") == (0, "", "")
    assert len(caplog.messages) == 1
    assert (whole / "README.md").read_text().count("# mlp.whole") == 1
    assert "mlp.broken" not in Path("MODEL_CARDS.md").read_text()


def test_folders_that_are_no_checkpoints_need_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("notes", "bert-base", "epoch.12", ".draft.x"):
        Path("checkpoints", name).mkdir(parents=True)
    Path("checkpoints/README.md").write_text("mine")
    save_model("checkpoints/mlp.mine")
    assert names() == ["mlp.mine"]
    assert caplog.messages == []


def test_a_broken_copy_leaves_the_whole_one_in_use(caplog: pytest.LogCaptureFixture) -> None:
    cached = save_model(cache_folder() / "models" / "mlp.mine")
    (shutil.copytree(cached, Path("checkpoints/mlp.mine")) / "config.json").write_text("{")
    assert resolve("mlp.mine") == cached
    assert len(caplog.messages) == 1


def test_info_describes_folders_and_hub_repositories_like_names(run_zoo: Run, local_hub: Hub) -> None:
    here = save_model("checkpoints/mlp.mine")
    repository = local_hub.repositories["org/repo"] = Repository()
    commit = repository.commit({path.name: path.read_bytes() for path in here.iterdir()})
    names = ("mlp.mine", f"local-dir:{here}", f"hf-hub:org/repo@{commit}")
    outputs = [run_zoo("info", name) for name in names]
    assert all(f"zoo predict {name} " in text for name, (_, text, _) in zip(names, outputs, strict=True))
    texts = {text.replace(name, "").replace("mlp.mine", "") for name, (_, text, _) in zip(names, outputs, strict=True)}
    assert len(texts) == 1
    assert {(code, err) for code, _, err in outputs} == {(0, "")}
    files = repository.commits[commit] | {"README.md": b"---\nedited\n---\n"}
    edited = repository.commit(files)
    assert run_zoo("info", f"hf-hub:org/repo@{edited}")[1].replace(edited, commit) == outputs[2][1]
    assert run_zoo("verify", f"hf-hub:org/repo@{edited}")[0] == 0


def test_near_names_are_offered_from_all_places() -> None:
    save_model("checkpoints/mlp.my_first_model")
    with pytest.raises(UnknownNameError, match=r"nearest.*mlp\.my_first_model"):
        find("mlp.my_frist_model")


def test_a_found_model_has_its_facts_and_configuration() -> None:
    folder = save_model("checkpoints/mlp.mine")
    location = find("mlp.mine")
    assert location.config == read_config(folder)
    assert location.folder == folder
    facts = location.facts
    assert (facts.output, facts.targets, facts.input) == ("labels", ("a",), "12 bp of DNA")
    published = find("deepbind.D00328.003")
    assert published.folder is None
    assert published.facts in list_models("deepbind.D00328.*")
