"""Checkpoint folders: what is saved is what is loaded, and anything else is refused in one sentence."""

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from made.hub import Hub, Repository
from safetensors.torch import load as read_tensors
from safetensors.torch import save_file
from torch import Tensor

from zoo.errors import ConfigError, IntegrityError, OutputError, UnknownNameError, ZooError
from zoo.hub.checkpoint import save
from zoo.hub.config import read_config
from zoo.hub.facts import ModelFacts
from zoo.hub.load import load, resolve, verify
from zoo.hub.loading import load_folder
from zoo.hub.registry import shipped_folder
from zoo.hub.targets import TargetRow, read_targets
from zoo.hub.verification import LARGEST_TOLERANCE
from zoo.models._base import SequenceModel
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.motifs import MotifConfig
from zoo.utils.download import sha256_of

NAMES = ("mlp.tiny", "deepbind.tiny")
FILES = {"README.md", "config.json", "example.safetensors", "model.safetensors", "targets.tsv"}
Change = Callable[[Path], object]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def copied(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_checkpoint / "mlp.tiny", tmp_path / "home" / "mlp.tiny")


def random_codes(count: int, length: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 5, (count, length), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def save_mlp(folder: Path, **arguments: Any) -> SequenceModel:
    model = MLP(["a"], 12, hidden=(4,), **arguments)
    save(
        model,
        folder,
        ModelFacts(folder.name, "Made"),
        [TargetRow("a", "random", "probability")],
        {"codes": random_codes(2, 12)},
    )
    return model


def edit_config(folder: Path, **changes: Any) -> Path:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    return folder


def edit_arguments(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    edit_config(folder, arguments={**config["arguments"], **changes})


def publish(folder: Path) -> Path:
    """Make the sha256 in config.json those of the files as they are now."""
    config = json.loads((folder / "config.json").read_text())
    return edit_config(folder, sha256={name: sha256_of(folder / name) for name in config["sha256"]})


def edit_weights(folder: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    state = read_tensors((folder / "model.safetensors").read_bytes())
    edit(state)
    save_file(state, folder / "model.safetensors")
    publish(folder)


def flip_byte(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def full_disk(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_model_predicts_bit_for_bit_what_the_saved_one_did(name: str, tmp_path: Path) -> None:
    model: SequenceModel = (
        MLP(["a", "b"], 20, hidden=(8, 4))
        if name.startswith("mlp")
        else DeepBind(["a", "b"], 20, MotifConfig(width_bases=6, pooling="max_mean"), hidden=3, ensemble_members=2)
    )
    codes = random_codes(16, 20)
    with torch.inference_mode():
        expected = model.eval().predict(codes)
    rows = [TargetRow("a", "random", "probability", 0.25), TargetRow("b", "random", "probability")]
    save(model, tmp_path / name, ModelFacts(name, "Made"), rows, {"codes": codes[:2]})
    loaded = load(f"local-dir:{tmp_path / name}")
    with torch.inference_mode():
        assert torch.equal(loaded.predict(codes), expected)
    assert loaded.arguments == model.arguments
    assert not loaded.training
    assert read_targets(tmp_path / name) == rows


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_has_its_five_files_and_reproduces_its_example(name: str, tiny_checkpoint: Path) -> None:
    assert {path.name for path in (tiny_checkpoint / name).iterdir()} == FILES
    result = verify(f"local-dir:{tiny_checkpoint / name}")
    assert result.sequences == 4
    assert result.difference <= result.tolerance <= 1e-4


def test_the_files_of_a_checkpoint_are_as_public_as_any_new_file(tiny_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    modes = {path.name: path.stat().st_mode for path in (tiny_checkpoint / "mlp.tiny").iterdir()}
    assert modes == dict.fromkeys(FILES, (tmp_path / "plain").stat().st_mode)


@pytest.mark.slow
def test_every_shipped_checkpoint_is_whole() -> None:
    for config in shipped_folder("checkpoints").glob("[a-z]*/config.json"):
        name = config.parent.name
        assert read_config(config.parent).facts.name == name
        assert resolve(name) == config.parent
        result = verify(name)
        assert result.difference <= result.tolerance


def test_a_changed_weight_is_found_even_when_its_sha256_is_changed_too(copied: Path) -> None:
    edit_weights(copied, lambda state: state["head.0.bias"].add_(0.1))
    load_folder(copied)
    with pytest.raises(IntegrityError, match=r"off, where 0\.0001 is allowed"):
        verify(f"local-dir:{copied}")


def test_a_weight_that_is_no_number_is_found(copied: Path) -> None:
    edit_weights(copied, lambda state: state["head.0.bias"].fill_(float("nan")))
    for verb in (load, verify):
        with pytest.raises(IntegrityError, match=r"model\.safetensors holds weights that are NaN, in head\.0\.bias"):
            verb(f"local-dir:{copied}")


def test_the_tolerance_that_a_checkpoint_states_for_itself_is_capped(copied: Path, run_zoo: Run) -> None:
    edit_config(copied, tolerance=0.5)
    result = verify(f"local-dir:{copied}")
    assert (result.difference, result.tolerance, result.stated) == (0, LARGEST_TOLERANCE, 0.5)
    code, out, _ = run_zoo("verify", f"local-dir:{copied}")
    assert code == 0
    assert "(allowed 0.001, not the stated 0.5)" in out
    edit_weights(copied, lambda state: state["head.0.bias"].add_(0.1))
    with pytest.raises(IntegrityError, match=r"where 0\.001 is allowed \(config\.json states 0\.5; at most 0\.001"):
        verify(f"local-dir:{copied}")
    edit_config(copied, tolerance=0)
    with pytest.raises(IntegrityError, match="off, where 0 is allowed"):
        verify(f"local-dir:{copied}")


@pytest.mark.parametrize("where", ["expected", "weights"])
def test_a_difference_that_is_nan_is_never_allowed(where: str, copied: Path) -> None:
    if where == "weights":
        edit_weights(copied, lambda state: state["head.0.bias"].fill_(float("nan")))
    else:
        example = read_tensors((copied / "example.safetensors").read_bytes())
        example["expected"][0, 0] = float("nan")
        save_file(example, copied / "example.safetensors")
        publish(copied)
    words = "expected holds a number that is NaN" if where == "expected" else "weights that are NaN"
    with pytest.raises(IntegrityError, match=words):
        verify(f"local-dir:{copied}")


class OwnNet(MLP):
    """An architecture of a user's own script."""


def test_a_class_from_outside_the_package_is_refused_when_it_is_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"OwnNet is defined in \S*test_load, outside zoo\.models: .*zoo/models/"):
        save(
            OwnNet(["a"], 12),
            tmp_path / "ownnet.new",
            ModelFacts("ownnet.new", ""),
            [TargetRow("a", "", "")],
            {"codes": random_codes(2, 12)},
        )
    assert list(tmp_path.iterdir()) == []


def test_a_class_from_outside_the_package_is_named_when_it_is_loaded(copied: Path) -> None:
    edit_config(copied, architecture="ownnet")
    with pytest.raises(IntegrityError, match=r"config\.json: the architecture 'ownnet' is not part of zoo.*ownnet\.py"):
        load_folder(copied)


def test_an_output_that_is_not_the_architecture_s_is_refused(copied: Path) -> None:
    edit_config(copied, output="tracks")
    with pytest.raises(IntegrityError, match="output is tracks, but the model's labels"):
        load_folder(copied)


def truncate(path: Path) -> int:
    return path.write_bytes(path.read_bytes()[:-20])


BROKEN: dict[str, tuple[Change, str]] = {
    "flipped byte in the weights": (lambda f: flip_byte(f / "model.safetensors", -1), "model.safetensors"),
    "flipped byte in the example": (lambda f: flip_byte(f / "example.safetensors", -1), "example.safetensors"),
    "flipped byte in the targets": (lambda f: flip_byte(f / "targets.tsv", 0), "targets.tsv"),
    "truncated weights": (lambda f: truncate(f / "model.safetensors"), "model.safetensors"),
    "truncated weights, published so": (
        lambda f: (truncate(f / "model.safetensors"), publish(f)),
        "model.safetensors",
    ),
    "empty weights, published so": (
        lambda f: ((f / "model.safetensors").write_bytes(b""), publish(f)),
        "model.safetensors",
    ),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors"),
    "no example": (lambda f: (f / "example.safetensors").unlink(), "example.safetensors"),
    "no targets": (lambda f: (f / "targets.tsv").unlink(), "targets.tsv"),
    "no sha256 of the weights": (lambda f: edit_config(f, sha256={}), "model.safetensors"),
    "sha256 that is no table": (lambda f: edit_config(f, sha256=["model.safetensors"]), "config.json"),
    "extra tensor": (lambda f: edit_weights(f, lambda s: s.update(extra=torch.zeros(1))), "extra"),
    "missing tensor": (lambda f: edit_weights(f, lambda s: s.pop("head.0.bias")), "head.0.bias"),
    "misshapen tensor": (lambda f: edit_weights(f, lambda s: s.update({"head.0.bias": torch.zeros(3)})), "head.0.bias"),
    "file outside the folder": (
        lambda f: ((f.parent / "secret").write_text("x"), edit_config(f, sha256={"../secret": "0" * 64})),
        "../secret",
    ),
    "absolute file": (lambda f: edit_config(f, sha256={"/etc/passwd": "0" * 64}), "/etc/passwd"),
    "unknown argument": (lambda f: edit_arguments(f, colour="red"), "colour"),
    "argument of a wrong type": (lambda f: edit_arguments(f, length="long"), "config.json"),
    "argument out of range": (lambda f: edit_arguments(f, hidden=[-1]), "config.json"),
    "missing argument": (lambda f: edit_config(f, arguments={"targets": ["a"]}), "length"),
    "arguments that are no table": (lambda f: edit_config(f, arguments=[1]), "config.json"),
    "unknown loss": (lambda f: edit_arguments(f, loss="regret"), "regret"),
    "unknown architecture": (lambda f: edit_config(f, architecture="transformer"), "transformer"),
    "architecture that is a path": (lambda f: edit_config(f, architecture="../../evil"), "../../evil"),
    "config that is no JSON": (lambda f: (f / "config.json").write_text("{"), "config.json"),
    "config that is a list": (lambda f: (f / "config.json").write_text("[]"), "config.json"),
    "config without architecture": (lambda f: (f / "config.json").write_text("{}"), "architecture"),
    "config that is binary": (lambda f: (f / "config.json").write_bytes(b"\xff\xfe\x00"), "config.json"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_checkpoint_is_refused_in_one_sentence(case: str, copied: Path) -> None:
    breaks, word = BROKEN[case]
    breaks(copied)
    with pytest.raises(ZooError) as caught:
        load(f"local-dir:{copied}")
    message = str(caught.value)
    assert word in message
    assert "\n" not in message


@pytest.mark.parametrize("change", [{"motifs": {"pooling": "median"}}, {"motifs": {"strands": "sideways"}}])
def test_a_choice_that_deepbind_does_not_have_is_refused(
    change: dict[str, dict[str, str]], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_checkpoint / "deepbind.tiny", tmp_path / "deepbind.tiny")
    edit_arguments(folder, **change)
    with pytest.raises(ZooError, match=next(iter(change["motifs"].values()))):
        load_folder(folder)


def test_an_example_without_its_prediction_is_refused(copied: Path) -> None:
    save_file({"codes": random_codes(2, 20)}, copied / "example.safetensors")
    publish(copied)
    with pytest.raises(IntegrityError, match=r"example\.safetensors"):
        verify(f"local-dir:{copied}")


def test_a_folder_without_config_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no config\.json"):
        load(f"local-dir:{tmp_path}")


def test_weights_are_never_unpickled(copied: Path) -> None:
    torch.save({"head.0.bias": torch.zeros(2)}, copied / "model.safetensors")
    publish(copied)
    with pytest.raises(IntegrityError, match=r"not a whole safetensors file"):
        load_folder(copied)


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_full_disk_leaves_nothing_behind(fails_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def save_some(*arguments: Any) -> None:
        calls.append(arguments)
        full_disk() if len(calls) == fails_at else save_file(*arguments)

    monkeypatch.setattr("zoo.hub.checkpoint.save_file", save_some)
    with pytest.raises(OutputError, match=r"mlp\.new could not be written: the disk of \S+ is full: make room"):
        save_mlp(tmp_path / "mlp.new")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_checkpoint_as_it_was(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in copied.iterdir()}
    monkeypatch.setattr("zoo.hub.checkpoint.save_file", full_disk)
    with pytest.raises(OutputError):
        save_mlp(copied)
    assert {path.name: path.read_bytes() for path in copied.iterdir()} == before
    assert [path.name for path in copied.parent.iterdir()] == ["mlp.tiny"]


def test_saving_over_a_checkpoint_replaces_it_whole(copied: Path) -> None:
    (copied / "notes.txt").write_text("of the old one")
    model = save_mlp(copied)
    assert {path.name for path in copied.iterdir()} == FILES
    assert load_folder(copied).arguments == model.arguments
    assert [path.name for path in copied.parent.iterdir()] == ["mlp.tiny"]


def test_a_file_in_the_place_of_a_checkpoint_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mlp.new").write_text("mine")
    with pytest.raises(OutputError, match=r"mlp\.new"):
        save_mlp(tmp_path / "mlp.new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_target_lines_that_are_not_the_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'b'"):
        save(
            MLP(["a"], 12),
            tmp_path / "mlp.new",
            ModelFacts("mlp.new", ""),
            [TargetRow("b", "", "")],
            {"codes": random_codes(2, 12)},
        )
    assert list(tmp_path.iterdir()) == []


def test_saving_leaves_the_callers_model_in_its_mode(tmp_path: Path) -> None:
    assert save_mlp(tmp_path / "mlp.new").training


def test_a_hub_name_without_revision_is_refused_with_the_cure(local_hub: Hub) -> None:
    for name in ("hf-hub:org/repo", "hf-hub:org/repo@"):
        with pytest.raises(UnknownNameError, match="hf-hub:org/repo@REVISION"):
            load(name)
    assert not local_hub.requests


def test_a_hub_name_is_fetched_at_its_revision_and_verified_once(copied: Path, local_hub: Hub) -> None:
    repository = local_hub.repositories["org/repo"] = Repository()
    files = {path.name: path.read_bytes() for path in copied.iterdir()}
    first = repository.commit(files)
    codes = random_codes(3, 20)
    with torch.inference_mode():
        assert torch.equal(load(f"hf-hub:org/repo@{first}").predict(codes), load_folder(copied).predict(codes))
    assert {path.split("/")[4] for path in local_hub.sent("GET", "/resolve/")} == {first}
    edit_weights(copied, lambda state: state["head.0.bias"].add_(0.1))
    changed = {path.name: path.read_bytes() for path in copied.iterdir()}
    snapshot = resolve(f"hf-hub:org/repo@{first}")
    for name, content in changed.items():
        (snapshot / name).unlink()
        (snapshot / name).write_bytes(content)
    load(f"hf-hub:org/repo@{first}")
    with pytest.raises(IntegrityError, match="off, where"):
        load(f"hf-hub:org/repo@{repository.commit(changed)}")


def test_a_hub_repository_that_is_no_checkpoint_is_refused(local_hub: Hub) -> None:
    local_hub.repositories["org/repo"] = Repository()
    commit = local_hub.repositories["org/repo"].commit({"README.md": b"# Something"})
    with pytest.raises(IntegrityError, match=r"config\.json"):
        load(f"hf-hub:org/repo@{commit}")
