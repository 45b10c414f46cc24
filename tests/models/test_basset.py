"""Basset: the published layers, and the importer against a forward pass written from the facts alone."""

import re
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from lightning import Trainer
from made.sizes import merged
from numpy.typing import NDArray
from torch import Tensor, nn

from zoo.batch import Batch
from zoo.errors import ConfigError, InputError, IntegrityError
from zoo.genome.sequence import complement_codes, encode, one_hot
from zoo.hub.load import load, verify
from zoo.importers import basset as importer
from zoo.importers.basset import convert, entries
from zoo.metrics.labels import RowScores
from zoo.models.basset import Basset, BassetTrunk
from zoo.nn.conv_stack import ConvStackConfig, StackBlock
from zoo.nn.ensemble import EnsembleTrunk, SeparateHeads
from zoo.nn.equivariant import StrandsConv
from zoo.nn.losses import binary_cross_entropy
from zoo.nn.scale import TargetScaleConfig
from zoo.training.callbacks import MaxNorm

Array = NDArray[np.float64]
# One block and a dense layer, for 60 bases.
SMALL = ConvStackConfig(filters=(6,), widths=(9,), pools=(4,))
CELLS = [f"cell{i}" for i in range(164)]
PATH = Path("weights.pth")

# Key -> shape of the published nn.Sequential, as its publisher lists the layers.
LAYOUT: dict[str, tuple[int, ...]] = {
    "0.weight": (300, 4, 19, 1),
    "0.bias": (300,),
    "4.weight": (200, 300, 11, 1),
    "4.bias": (200,),
    "8.weight": (200, 200, 7, 1),
    "8.bias": (200,),
    "13.1.weight": (1000, 2000),
    "13.1.bias": (1000,),
    "17.1.weight": (1000, 1000),
    "17.1.bias": (1000,),
    "21.1.weight": (164, 1000),
    "21.1.bias": (164,),
}
for _layer, _size in (("1", 300), ("5", 200), ("9", 200), ("14", 1000), ("18", 1000)):
    LAYOUT |= {f"{_layer}.{key}": (_size,) for key in ("weight", "bias", "running_mean", "running_var")}


def random_state(seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, shape in LAYOUT.items():
        value = torch.randn(shape, generator=generator)
        if key.endswith("running_var"):
            value = value.abs() + 0.5
        elif len(shape) > 1:
            value /= (value[0].numel()) ** 0.5
        state[key] = value
    return state


def published_forward(state: dict[str, Tensor], codes: NDArray[np.uint8]) -> Array:
    """Logits (B, 164) of the published net in float64, in numpy, without a layer of torch."""
    w = {key: value.double().numpy() for key, value in state.items()}
    x: Array = np.eye(4)[codes].transpose(0, 2, 1)  # (B, 4, L)
    for conv, norm, pool in (("0", "1", 3), ("4", "5", 4), ("8", "9", 4)):
        kernel = w[f"{conv}.weight"][..., 0]  # (out, in, width)
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2], axis=2)  # (B, in, P, width)
        x = np.einsum("bipw,oiw->bop", windows, kernel, optimize=True) + w[f"{conv}.bias"][:, None]
        x = np.maximum(normalise(x.swapaxes(1, 2), w, norm).swapaxes(1, 2), 0)
        x = x[..., : x.shape[2] // pool * pool].reshape(*x.shape[:2], -1, pool).max(3)
    x = x.reshape(len(x), -1)
    for dense, norm in (("13.1", "14"), ("17.1", "18")):
        x = np.maximum(normalise(x @ w[f"{dense}.weight"].T + w[f"{dense}.bias"], w, norm), 0)
    out: Array = x @ w["21.1.weight"].T + w["21.1.bias"]
    return out


def normalise(x: Array, w: dict[str, Array], layer: str) -> Array:
    """(..., channels) by what was counted in training."""
    mean, var, scale, bias = (w[f"{layer}.{key}"] for key in ("running_mean", "running_var", "weight", "bias"))
    normal: Array = (x - mean) / np.sqrt(var + 1e-5) * scale + bias
    return normal


def test_the_published_net_has_the_published_number_of_parameters_and_shapes() -> None:
    model = Basset(CELLS)
    assert sum(p.numel() for p in model.parameters()) == 4_135_064
    assert model.length == 600
    trunk, head = cast(BassetTrunk, model.trunk), model.head
    x = model.encode(torch.zeros((2, 600), dtype=torch.uint8)).unsqueeze(2)
    shapes = []
    for block in trunk.blocks:
        x = block(x)
        shapes.append((x.shape[1], x.shape[3]))
    assert shapes == [(300, 194), (200, 46), (200, 10)]
    assert [tuple(p.shape) for name, p in head.named_parameters() if name.endswith("0.weight")] == [
        (1000, 2000),
        (1000, 1000),
    ]
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d)]
    assert [(norm.eps, norm.momentum) for norm in norms] == [(1e-5, 0.1)] * 5
    assert [module.p for module in model.modules() if isinstance(module, nn.Dropout)] == [0.3, 0.3]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_importer_gives_what_the_published_layers_give(seed: int) -> None:
    state = random_state(seed)
    model = Basset(CELLS)
    model.load_state_dict(convert(state, PATH), strict=True)
    codes = np.random.default_rng(seed).integers(0, 4, (3, 600)).astype(np.uint8)
    expected = published_forward(state, codes)
    with torch.inference_mode():
        raw = model.eval()(model.encode(torch.from_numpy(codes)))
        probability = model.predict(torch.from_numpy(codes))
    assert np.abs(raw.numpy() - expected).max() < 1e-5
    assert np.abs(probability.numpy() - 1 / (1 + np.exp(-expected))).max() < 1e-5
    assert expected.std() > 0.1  # no constant passes for agreement


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_file_of_that_layout_becomes_a_model_by_name(
    zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pretrained_model_reloaded_th.pth"
    state = random_state() | {"1.num_batches_tracked": torch.tensor(3)}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    monkeypatch.setattr(importer, "fetch", lambda file: path)
    model = load("basset.dnase164")
    assert model.output.targets == entries()[0].targets
    assert torch.equal(model.state_dict()["head.2.bias"], state["21.1.bias"])
    assert verify("basset.dnase164").difference == 0


def test_the_pinned_file_is_the_published_one() -> None:
    assert importer.WEIGHTS.size == 16_565_094
    assert importer.WEIGHTS.sha256 == "9d86f8072584ce4922a001a7b4dacb83f4bf7cb5e2f83779da390ccc537625b3"
    entry = next(entry for entry in entries() if entry.name == "basset.dnase164")
    assert len(set(entry.targets)) == 164
    assert (entry.targets[0], entry.targets[-1]) == ("8988T", "PANC")
    assert "has not been run on the real file" in entry.limits


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("pytest.fail('executed')",)


def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trap.pth"
    torch.save({"0.weight": Trap()}, path)
    monkeypatch.setattr(importer, "fetch", lambda file: path)
    with pytest.raises(IntegrityError, match=r"asks for '__builtin__\.eval', which no model needs"):
        importer.import_model("basset.dnase164")


def test_a_file_with_a_wrong_shape_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "other.pth"
    torch.save(random_state() | {"0.weight": torch.zeros(300, 4, 18, 1)}, path)
    monkeypatch.setattr(importer, "fetch", lambda file: path)
    with pytest.raises(IntegrityError, match=r"not the published Basset model .* size mismatch"):
        importer.import_model("basset.dnase164")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"0.weight": None}, "not the published Basset model"),
        ({"22.weight": torch.zeros(1)}, re.escape("what are 22.weight?")),
        ({"0.weight": torch.zeros(300, 4)}, "not the published Basset model"),
    ],
)
def test_a_file_of_another_layout_is_refused(change: dict[str, Tensor | None], said: str) -> None:
    state = {key: value for key, value in (random_state() | change).items() if value is not None}
    with pytest.raises(IntegrityError, match=said):
        convert(state, PATH)


def test_it_works_at_any_length_that_its_pools_allow_and_says_which() -> None:
    model = Basset(["a"], length=168)  # the shortest: one position is left
    assert model.predict(torch.zeros((2, 168), dtype=torch.uint8)).shape == (2, 1)
    with pytest.raises(ConfigError, match=r"167 bases .* at least 168"):
        Basset(["a"], length=167)
    with pytest.raises(InputError, match="the model takes 168"):
        model.predict(torch.zeros((2, 169), dtype=torch.uint8))


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ConfigError, match="3 filters, 2 widths and 3 pools"):
        Basset(["a"], conv=ConvStackConfig(widths=(19, 11)))
    with pytest.raises(ConfigError, match="0 filters, 0 widths and 0 pools"):
        Basset(["a"], conv=ConvStackConfig((), (), ()))


def test_dropout_of_a_block_leaves_out_single_values_not_channels() -> None:
    torch.manual_seed(0)
    block = StackBlock(nn.Conv2d(4, 6, (1, 5)), 2, 0.25, pool_first=True).eval()
    x = torch.rand(50, 4, 1, 44)
    kept = block(x)
    block.dropout.train()
    found = block(x)
    left_out = (found == 0) & (kept > 0)
    assert torch.allclose(found[~left_out], kept[~left_out] / 0.75)
    assert 0.23 < left_out.sum() / (kept > 0).sum() < 0.27
    assert not left_out.flatten(2).all(2).any()


def test_padded_convolutions_keep_every_position() -> None:
    torch.manual_seed(0)
    padded = Basset(["a"], 20, ConvStackConfig((6,), (5,), (2,), "same"), (8,)).eval()
    # The same net for a sequence that has two unread bases at each end.
    valid = Basset(["a"], 24, ConvStackConfig((6,), (5,), (2,)), (8,)).eval()
    valid.load_state_dict(padded.state_dict())
    codes = torch.randint(0, 4, (3, 20), dtype=torch.uint8)
    ends = nn.functional.pad(padded.encode(codes), (2, 2))
    assert torch.allclose(padded(padded.encode(codes)), valid(ends), atol=1e-6)
    deep = ConvStackConfig((8,) * 3, (5,) * 3, (2,) * 3, "same")
    assert Basset(["a"], 8, deep).length == 8
    with pytest.raises(ConfigError, match=r"7 bases .* at least 8"):
        Basset(["a"], 7, deep)
    with pytest.raises(ConfigError, match=r"conv\.padding must be valid or same, not 'full'"):
        Basset(["a"], conv=ConvStackConfig(padding="full"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv": {"pools": (3, 4, 0)}}, r"conv\.pools must be 1 or more"),
        ({"conv": {"filters": (8, -8, 8)}}, r"conv\.filters must be 1 or more"),
        ({"ensemble_members": 0}, "ensemble_members must be 1 or more, not 0"),
        ({"hidden": (0,)}, "hidden must be 1 or more"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), not 1\.0"),
        ({"conv": {"dropout": -0.1}}, r"conv\.dropout must lie in \[0, 1\)"),
        ({"conv": {"filter": (8,)}}, "conv has no key 'filter'; its keys are filters, widths"),
        ({"conv": {"pool_first": 1}}, r"conv\.pool_first must be of type bool, not 1"),
        ({"conv": {"widths": 3}}, r"conv\.widths must be a list, not 3"),
        ({"conv": {"widths": (3.0,)}}, r"conv\.widths must be of type int, not 3\.0"),
        ({"conv": [3]}, "conv must be a mapping of filters, widths"),
    ],
)
def test_sizes_that_are_none_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Basset(["a"], **change)


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"target_scale\.spread must be above 0"):
        Basset(["a", "b"], target_scale=TargetScaleConfig(spread=[1.0, 0.0]))


def test_regression_is_a_matter_of_the_loss() -> None:
    model = Basset(["a", "b"], 200, ConvStackConfig((8, 8, 8)), (), loss="mean_squared_error").eval()
    codes = torch.randint(0, 4, (3, 200), dtype=torch.uint8)
    assert torch.equal(model.predict(codes), model(model.encode(codes)))


def test_pooling_first_gives_the_same_where_no_scale_is_negative() -> None:
    torch.manual_seed(0)
    published = Basset(["a"], 200, ConvStackConfig((8, 8, 8)), (8,)).eval()
    quick = Basset(["a"], 200, ConvStackConfig((8, 8, 8), pool_first=True), (8,)).eval()
    quick.load_state_dict(published.state_dict())
    codes = torch.randint(0, 4, (3, 200), dtype=torch.uint8)
    assert torch.allclose(published.predict(codes), quick.predict(codes), atol=1e-6)


TWO_BLOCKS: dict[str, Any] = {"length": 60, "conv": {"filters": (6, 5), "widths": (9, 4), "pools": (4, 2)}}


@pytest.mark.parametrize("pool_first", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        {"hidden": (8,)},
        {"hidden": (8, 5)},
        {"hidden": (), "conv": {"pools": (4, 10)}},  # one position is left
        {"hidden": (8,), "conv": {"widths": (9, 5), "pools": (4, 3), "padding": "same"}},
    ],
)
def test_a_net_whose_strands_share_is_blind_to_the_strand(pool_first: bool, change: dict[str, Any]) -> None:
    torch.manual_seed(0)
    options = merged(TWO_BLOCKS, change, {"conv": {"pool_first": pool_first}})
    codes = torch.randint(0, 4, (5, 60), dtype=torch.uint8)
    model = Basset(["a"], **options, rc_equivariant=True).eval()
    with torch.inference_mode():
        forward, backward = (model(model.encode(one)) for one in (codes, complement_codes(codes)))
        assert torch.allclose(forward, backward, atol=1e-6)
        assert forward.std() > 1e-3  # not blind to the sequence
        plain = Basset(["a"], **options).eval()
        assert not torch.allclose(plain(plain.encode(codes)), plain(plain.encode(complement_codes(codes))), atol=1e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conv": {"pools": (5, 2)}}, "width 9 gives 52 positions, which its pool of 5 does not divide"),
        ({"conv": {"pools": (4, 3)}}, "width 4 gives 10 positions, which its pool of 3 does not divide"),
        ({"hidden": ()}, "5 positions are left; give a hidden layer"),
        ({"conv": {"padding": "same"}}, "the width 4 pads one end more than the other"),
    ],
)
def test_strands_that_cannot_share_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Basset(["a"], **merged(TWO_BLOCKS, {"hidden": (8,)}, change), rc_equivariant=True)


def test_a_filter_is_read_on_the_other_strand_as_its_reverse_complement() -> None:
    conv = StrandsConv((4, 1), 3, partners=[3, 2, 1, 0])
    with torch.no_grad():
        conv.weight.zero_()
        assert conv.bias is not None
        conv.bias.fill_(-2.0)
        for place, base in enumerate("ACC"):
            conv.weight[0, "ACGT".index(base), 0, place] = 1.0
    found = conv(one_hot(torch.from_numpy(np.stack([encode("TACCTGGTA")]))).unsqueeze(2))
    assert found.shape == (1, 2, 1, 7)
    assert (found[0, 0, 0] == 1).nonzero().flatten().tolist() == [1]  # ACC
    assert (found[0, 1, 0] == 1).nonzero().flatten().tolist() == [5]  # GGT


def test_weights_into_a_unit_are_held_to_the_largest_norm() -> None:
    torch.manual_seed(0)
    model = Basset(["a"], 60, SMALL, (8,))
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    batch = Batch(torch.zeros(1, 60, dtype=torch.uint8), torch.zeros(1, 1))
    MaxNorm(0.5).on_train_batch_end(Trainer(logger=False, enable_checkpointing=False), model, None, batch, 0)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            assert torch.equal(parameter, before[name])
        else:
            norm = before[name].flatten(1).norm(dim=1)
            assert torch.allclose(parameter.flatten(1).norm(dim=1), norm.clamp(max=0.5), atol=1e-4)
            assert norm.max() > 0.5


def test_targets_count_by_their_weights_in_training() -> None:
    torch.manual_seed(0)
    model = Basset(["a", "b"], 60, SMALL, (), dropout=0.0).eval()
    batch = Batch(torch.randint(0, 4, (4, 60), dtype=torch.uint8), torch.rand(4, 2).round())
    model.weigh_targets([0.0, 2.0])
    raw = model(model.encode(batch.codes))
    expected = binary_cross_entropy(raw[:, 1], batch.target[:, 1]).mean()
    assert float(model.training_loss(batch).mean().detach()) == pytest.approx(float(expected.detach()), rel=1e-6)
    with pytest.raises(ConfigError, match="1 target_weights for 2 targets"):
        model.weigh_targets([1.0])
    with pytest.raises(ConfigError, match="from 0 up"):
        model.weigh_targets([1.0, -1.0])


def test_ensemble_members_are_averaged_and_trained_apart() -> None:
    torch.manual_seed(0)
    options: dict[str, Any] = {"length": 60, "conv": SMALL, "hidden": (8,), "dropout": 0.0}
    model = Basset(["a", "b"], ensemble_members=3, **options).eval()
    assert isinstance(model.trunk, EnsembleTrunk)
    assert isinstance(model.head, SeparateHeads)
    batch = Batch(torch.randint(0, 4, (5, 60), dtype=torch.uint8), torch.rand(5, 2).round())
    alone = []
    for index in range(3):
        one = Basset(["a", "b"], **options).eval()
        one.trunk.load_state_dict(model.trunk.members[index].state_dict())
        one.head.load_state_dict(model.head.members[index].state_dict())
        alone.append(one)
    x = model.encode(batch.codes)
    assert torch.equal(model.features(batch.codes), torch.stack([one.features(batch.codes) for one in alone], 1))
    assert torch.allclose(model(x), torch.stack([one(x) for one in alone]).mean(0), atol=1e-6)
    losses = torch.stack([one.training_loss(batch).mean() for one in alone])
    assert torch.allclose(model.training_loss(batch).mean(), losses.mean(), atol=1e-6)


def test_measurements_are_learnt_as_deviations_from_their_centre() -> None:
    torch.manual_seed(0)
    options: dict[str, Any] = {"length": 60, "conv": SMALL, "hidden": (), "loss": "mean_squared_error"}
    plain = Basset(["a", "b"], **options).eval()
    moved = Basset(["a", "b"], **options, target_scale=TargetScaleConfig((-3.0, 1.0), (2.0, 0.5))).eval()
    moved.load_state_dict(plain.state_dict(), strict=True)
    codes = torch.randint(0, 4, (3, 60), dtype=torch.uint8)
    expected = plain.predict(codes) * torch.tensor([2.0, 0.5]) + torch.tensor([-3.0, 1.0])
    assert torch.allclose(moved.predict(codes), expected)
    with pytest.raises(ConfigError, match=r"target_scale\.centre has 1 values for 2 targets"):
        Basset(["a", "b"], **options, target_scale=TargetScaleConfig((1.0,)))


def test_what_is_scored_is_what_is_predicted() -> None:
    torch.manual_seed(0)
    batch = Batch(torch.randint(0, 4, (6, 60), dtype=torch.uint8), torch.rand(6, 1).round())
    for rc_average in (False, True):
        model = Basset(["a"], 60, SMALL, (), rc_average=rc_average).eval()
        model.validation_step(batch, 0)
        (scores,) = model.val_scores.scores
        assert isinstance(scores, RowScores)
        assert torch.equal(scores.predictions[0], model.predict(batch.codes).detach())
