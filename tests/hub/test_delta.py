"""Weights stored as a delta: what is loaded are the merged weights, bit for bit, and anything else is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from made.bases import BASES
from made.deltas import fine_tuned, save_delta, save_whole
from safetensors.torch import load_file, save_file
from test_contract import codes_of
from torch import Tensor

import zoo
from zoo.cli import main
from zoo.errors import ConfigError, IntegrityError, OutputError
from zoo.hub.architectures import architectures
from zoo.hub.config import read_config
from zoo.hub.load import load, verify
from zoo.hub.registry import list_models, shipped_folder
from zoo.models._base import SequenceModel
from zoo.models.basenji_labels import BasenjiLabels
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.adapters import factors_of
from zoo.nn.motifs import MotifConfig
from zoo.nn.trunk import TrunkConfig
from zoo.utils.download import sha256_of

FILES = {"README.md", "config.json", "delta.safetensors", "example.safetensors", "targets.tsv"}
_TRUNK = TrunkConfig(
    8, 7, stem_pool=4, tower_filters=[8], tower_width=3, tower_pools=[4], residual_filters=4, dilations=[1]
)
# A small model of every architecture, and an ensemble.
MODELS: dict[str, Callable[[], SequenceModel]] = {
    **BASES,
    "basenji_labels": lambda: BasenjiLabels(["one", "two"], 512, _TRUNK),
}


def build(kind: str) -> SequenceModel:
    torch.manual_seed(0)
    return MODELS[kind]().eval()


@pytest.mark.parametrize("mode", ["lora", "head", "last:1"])
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow) if kind == "akita" else kind for kind in MODELS]
)
def test_a_loaded_delta_predicts_what_the_merged_model_did(kind: str, mode: str, tmp_path: Path) -> None:
    source, architecture = build(kind), kind.partition(".")[0]
    base = save_whole(source, tmp_path / f"{architecture}.base")
    model = fine_tuned(source, mode)
    codes = codes_of(model, 4)
    expected = model.predict(codes)
    folder = tmp_path / f"{architecture}.tuned"
    share = save_delta(model, folder, base, mode)
    assert {path.name for path in folder.iterdir()} == FILES
    sizes = [(path / name).stat().st_size for path, name in _two_files(tmp_path, architecture)]
    assert share == sizes[0] / sizes[1]
    loaded = load(f"local-dir:{folder}")
    assert torch.equal(loaded.predict(codes), expected)
    assert torch.equal(loaded.features(codes), model.features(codes))
    for name, value in model.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    assert verify(f"local-dir:{folder}").difference == 0
    stored = load_file(folder / "delta.safetensors")
    moved = {name for name, value in model.state_dict().items() if not _equals(value, source.state_dict().get(name))}
    assert {name.partition("@")[0] for name in stored} == moved
    assert any("@up" in name for name in stored) == (mode == "lora")


def _two_files(home: Path, architecture: str) -> list[tuple[Path, str]]:
    return [(home / f"{architecture}.tuned", "delta.safetensors"), (home / f"{architecture}.base", "model.safetensors")]


def _equals(value: Tensor, other: Tensor | None) -> bool:
    return other is not None and value.shape == other.shape and torch.equal(value, other)


def test_every_architecture_is_tested() -> None:
    assert {kind.partition(".")[0] for kind in MODELS} == set(architectures())


def test_factors_of_the_members_of_an_ensemble_are_composed_as_they_were_merged(tmp_path: Path) -> None:
    source = DeepBind(["one"], 60, MotifConfig(32, 11), hidden=16, ensemble_members=2).eval()
    base = save_whole(source, tmp_path / "deepbind.base")
    model = fine_tuned(source, "lora")
    assert {factors.up.shape[0] for factors in factors_of(model).values()} == {1, 2}  # a group for each member
    codes = codes_of(model, 4)
    expected = model.predict(codes)
    save_delta(model, tmp_path / "deepbind.tuned", base, "lora")
    assert torch.equal(load(f"local-dir:{tmp_path}/deepbind.tuned").predict(codes), expected)
    stored = load_file(tmp_path / "deepbind.tuned" / "delta.safetensors")
    assert {len(value) for name, value in stored.items() if name.endswith("@up")} == {1, 2}


@pytest.mark.slow
def test_a_low_rank_delta_of_the_shipped_basset_is_a_few_per_cent(tmp_path: Path) -> None:
    """Its factors take rank (units + inputs) values of each weight, of the layer (300 + 19 * 4) * 8 for the first."""
    base = f"local-dir:{shipped_folder('checkpoints') / 'basset.encode_tf'}"
    source = load(base)
    model = fine_tuned(source, "lora", rank=8)
    weights = {name: value for name, value in source.state_dict().items() if f"{name}" in factors_of(model)}
    values = sum(8 * (len(value) + value[0].numel()) for value in weights.values())
    share = save_delta(model, tmp_path / "basset.tuned", base, "lora")
    assert values * 4 / sum(value.nbytes for value in source.state_dict().values()) < share < 0.1


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    torch.manual_seed(0)
    source = MLP(["one", "two"], 40, hidden=(20,)).eval()
    base = save_whole(source, home / "mlp.base")
    save_delta(fine_tuned(source, "lora"), home / "mlp.tuned", base, "lora")
    return home


@pytest.fixture
def home(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a base and a delta on it, named by a path from there, in which the test works."""
    for name in ("mlp.base", "mlp.tuned"):
        shutil.copytree(written / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    edit_base(tmp_path / "mlp.tuned", name="local-dir:mlp.base")
    return tmp_path


def edit_config(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    config = json.loads((folder / "config.json").read_text())
    edit(config)
    (folder / "config.json").write_text(json.dumps(config))


def edit_base(folder: Path, **changes: Any) -> None:
    edit_config(folder, lambda config: config["run"]["base"].update(changes))


def edit_delta(folder: Path, edit: Callable[[dict[str, Tensor]], object]) -> None:
    """Change the tensors of a delta, and publish its sha256."""
    path = folder / "delta.safetensors"
    tensors = load_file(path)
    edit(tensors)
    save_file({name: value.clone() for name, value in tensors.items()}, path)
    edit_config(folder, lambda config: config["sha256"].update({path.name: sha256_of(path)}))


def refusal(name: str = "local-dir:mlp.tuned") -> str:
    with pytest.raises(IntegrityError) as caught:
        load(name)
    with pytest.raises(IntegrityError):
        verify(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.usefixtures("home")
def test_a_delta_needs_its_base_and_names_it() -> None:
    load("local-dir:mlp.tuned")
    Path("mlp.base").rename("mlp.other")
    message = refusal()
    assert message.startswith("mlp.tuned/delta.safetensors is a delta on the weights of local-dir:mlp.base, which is")
    assert "looked for from the current folder): mlp.base is not a checkpoint" in message
    edit_base(Path("mlp.tuned"), name="mlp.none")
    assert "the weights of mlp.none, which is missing: there is no model 'mlp.none'" in refusal()
    assert main(["info", "local-dir:mlp.tuned"]) == 0  # which reads no weights


@pytest.mark.usefixtures("home")
def test_a_base_with_other_weights_is_refused_with_both_sha256(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = read_config(Path("mlp.base")).sha256["model.safetensors"]
    shutil.rmtree("mlp.base")
    torch.manual_seed(7)
    save_whole(MLP(["one", "two"], 40, hidden=(20,)), Path("mlp.base"))
    ours = read_config(Path("mlp.base")).sha256["model.safetensors"]
    message = refusal()
    assert f"sha256 {theirs[:12]}..., but those of that name here have {ours[:12]}..." in message
    edit_config(Path("mlp.base"), lambda config: config["sha256"].update({"model.safetensors": theirs}))  # a lie
    assert "mlp.base/model.safetensors is not the file that was published" in refusal()


@pytest.mark.usefixtures("home")
def test_a_base_that_is_a_delta_or_of_another_architecture_is_refused() -> None:
    model = load("local-dir:mlp.tuned")
    tuned = read_config(Path("mlp.tuned"))
    edit_base(Path("mlp.tuned"), name="local-dir:mlp.tuned", sha256=tuned.sha256["delta.safetensors"])
    assert "mlp.tuned, but that is a delta itself" in refusal()
    with pytest.raises(IntegrityError, match="a delta itself, on which no other can be stored: `zoo merge` makes"):
        save_delta(model, Path("mlp.again"), "local-dir:mlp.tuned", "head")
    other = save_whole(DeepBind(["one"], 40), Path("deepbind.base"))
    with pytest.raises(IntegrityError, match="is of the architecture deepbind, not mlp"):
        save_delta(model, Path("mlp.again"), other, "head")
    assert not Path("mlp.again").exists()


def _set(name: str, value: Tensor) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors.update({name: value})


UP, DOWN, SCALE = (f"trunk.layers.0.weight@{part}" for part in ("up", "down", "scale"))
HOSTILE: dict[str, tuple[Callable[[dict[str, Tensor]], object], str]] = {
    "unknown tensor": (_set("trunk.other", torch.zeros(2)), "the model has no trunk.other"),
    "wrong shape": (_set("trunk.layers.0.bias", torch.zeros(7)), "trunk.layers.0.bias is F32 [7], not F32 [20]"),
    "new tensor missing": (lambda tensors: tensors.pop("head.0.bias"), "head.0.bias is F32 [2], not F32 [3]"),
    "factors of nothing": (_set("trunk.other@up", torch.zeros(1, 2, 2)), "factors of trunk.other, which is no weight"),
    "factors of a bias": (
        _set("trunk.layers.0.bias@up", torch.zeros(1)),
        "factors of trunk.layers.0.bias, which is no",
    ),
    "factors of a new weight": (
        _set("head.0.weight@up", torch.zeros(1)),
        "holds both factors and all values of head.0",
    ),
    "one factor": (lambda tensors: tensors.pop(DOWN), "has factors without down"),
    "both": (_set("trunk.layers.0.weight", torch.zeros(20, 160)), "both factors and all values of trunk.layers.0"),
    "huge rank": (_set(UP, torch.zeros(1, 20, 21)), "factors of the rank 21, where 1 to 20 fit"),
    "rank 0": (_set(UP, torch.zeros(1, 20, 0)), "factors of the rank 0, where"),
    "a number": (_set(UP, torch.tensor(1.0)), "factors of the rank 0, where"),
    "other ranks": (_set(DOWN, torch.zeros(1, 3, 160)), "of which down is F32 [1, 3, 160], not F32 [1, 2, 160]"),
    "other type": (_set(SCALE, torch.tensor(1.0)), "of which scale is F32 [], not F64 []"),
    "not a number": (_set(SCALE, torch.tensor(float("nan"), dtype=torch.float64)), "weights that are NaN, in trunk"),
    "infinite": (_set(UP, torch.full((1, 20, 2), float("inf"))), "weights that are"),
}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_delta_is_one_sentence(what: str) -> None:
    edit, message = HOSTILE[what]
    edit_delta(Path("mlp.tuned"), edit)
    assert message in refusal()


@pytest.mark.usefixtures("home")
def test_a_delta_that_was_changed_cut_or_linked_is_refused(tmp_path: Path) -> None:
    path = Path("mlp.tuned/delta.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "is not the file that was published" in refusal()
    path.write_bytes(content[:-9])
    assert "is not a whole safetensors file" in refusal()
    path.unlink()
    assert "delta.safetensors is missing" in refusal()
    (tmp_path / "elsewhere").write_bytes(content)
    path.symlink_to(tmp_path / "elsewhere")
    assert "is a link out of its folder" in refusal()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda config: config["run"].pop("base"), "sha256 has a value for delta.safetensors where run.base"),
        (lambda config: config.pop("run"), "sha256 has a value for delta.safetensors where run.base"),
        (lambda config: config["run"]["base"].pop("delta"), "sha256 has a value for delta.safetensors where run.base"),
        (lambda config: config["run"]["base"].update(delta=-1), "delta must"),
        (lambda config: config["sha256"].update({"model.safetensors": "0" * 64}), "names both model.safetensors and"),
        (lambda config: config["sha256"].pop("delta.safetensors"), "no value for model.safetensors"),
    ],
)
def test_a_config_that_contradicts_itself_is_refused(edit: Any, message: str) -> None:
    edit_config(Path("mlp.tuned"), edit)
    assert message in refusal()


@pytest.mark.usefixtures("home")
def test_a_merged_delta_needs_no_base(capsys: pytest.CaptureFixture[str]) -> None:
    before = load("local-dir:mlp.tuned").state_dict()
    assert main(["info", "local-dir:mlp.tuned"]) == 0
    printed = capsys.readouterr().out
    share = read_config(Path("mlp.tuned")).facts.training.base
    assert share is not None
    assert f"a delta of {100 * (share.delta or 0):.1f} % on those of `local-dir:mlp.base`" in printed
    assert "`zoo merge local-dir:mlp.tuned -o FOLDER`" in printed
    assert main(["merge", "local-dir:mlp.tuned", "-o", "checkpoints/mlp.merged"]) == 0
    assert capsys.readouterr().out == "checkpoints/mlp.merged\n"
    with pytest.raises(OutputError, match="exists already: name a new folder"):
        zoo.merge("local-dir:mlp.tuned", "mlp.base")
    shutil.rmtree("mlp.base")
    after = load("mlp.merged").state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert "mlp.merged" in [facts.name for facts in list_models("mlp.*")]
    facts = read_config(Path("checkpoints/mlp.merged")).facts
    assert facts.training.base is not None
    assert (facts.training.base.name, facts.training.base.delta) == ("local-dir:mlp.base", None)
    with pytest.raises(ConfigError, match="is no delta: its weights are stored whole already"):
        zoo.merge("mlp.merged", "mlp.twice")


def test_weights_without_factors_differ_where_a_bit_does(tmp_path: Path) -> None:
    source = MLP(["red", "two", "blue"], 40, hidden=(20,)).eval()
    base = save_whole(source, tmp_path / "mlp.base")
    model = MLP(**source.arguments).eval()
    model.load_state_dict(source.state_dict())
    with torch.no_grad():
        model.get_parameter("trunk.layers.0.bias")[3] += 1e-3
    save_delta(model, tmp_path / "mlp.tuned", base, "full")
    assert list(load_file(tmp_path / "mlp.tuned" / "delta.safetensors")) == ["trunk.layers.0.bias"]
