"""Basenji: the published sizes, the package `basenji2-pytorch` as outside reference, strands, checkpointing."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from basenji2_pytorch import Basenji2, basenji2_params
from made.sizes import merged
from torch import nn

from zoo.batch import Batch
from zoo.errors import ConfigError, IntegrityError
from zoo.genome.sequence import complement_codes, one_hot
from zoo.importers import basenji as importer
from zoo.importers.basenji import convert, entries
from zoo.models.basenji import Basenji
from zoo.nn.layers import ConvBlock, QuickGELU
from zoo.nn.trunk import TrunkConfig

DILATIONS = (1, 2, 3, 4, 6, 9, 14, 21, 32, 48, 72)
TINY: dict[str, Any] = {
    "length": 256,
    "trunk": {
        "stem_filters": 8,
        "tower_filters": (10, 12),
        "tower_pools": (2, 4),
        "residual_filters": 6,
        "dilations": (1, 2, 4),
    },
    "head_filters": 14,
    "crop_bins": 2,
}


def tiny(**options: Any) -> Basenji:
    torch.manual_seed(0)
    model = Basenji(["plus", "minus", "both"], **merged(TINY, {"strand_pairs": (1, 0, 2)}, options))
    with torch.no_grad():  # residual blocks begin at zero: as if they were not there
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def codes(rows: int = 3, length: int = 256) -> torch.Tensor:
    return torch.randint(0, 4, (rows, length), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


@pytest.mark.slow
def test_the_defaults_are_the_published_human_net() -> None:
    model = Basenji([str(number) for number in range(5313)])
    assert sum(parameter.numel() for parameter in model.parameters()) == 30_088_228
    assert model.output.shape == (5313, 896)
    assert (model.output.bin_size, model.output.crop) == (128, 64 * 128)  # type: ignore[attr-defined]
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv1d)]
    assert [layer.dilation[0] for layer in convolutions if layer.kernel_size == (3,)] == list(DILATIONS)
    assert [layer.out_channels for layer in convolutions[:7]] == [288, 339, 399, 470, 554, 652, 768]
    assert {layer.eps for layer in model.modules() if isinstance(layer, nn.BatchNorm1d)} == {1e-3}


def test_the_small_net_of_the_authors_tutorial_has_their_number_of_parameters() -> None:
    model = Basenji(
        ["a", "b", "c"],
        trunk=TrunkConfig(
            stem_filters=64,
            stem_pool=8,
            tower_filters=(64, 72),
            tower_pools=(4, 4),
            residual_filters=32,
            dilations=(1, 2, 4, 8, 16, 32),
            dropout=0.25,
        ),
        head_filters=64,
    )
    assert sum(parameter.numel() for parameter in model.parameters()) == 109_235


def use_activation(model: nn.Module, activation: type[nn.Module]) -> nn.Module:
    """The package's net with another activation in place of the exact GELU."""
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.GELU):
                setattr(module, name, activation())
    return model


def package_model(activation: type[nn.Module] = nn.GELU) -> tuple[nn.Module, Basenji]:
    """The package's net, small, of random weights, and ours with the same sizes."""
    plan = copy.deepcopy(basenji2_params["model"])
    plan |= {"seq_length": 4096, "target_length": 32}
    stem, tower, residual, crop, last = plan["trunk"]
    stem["filters"], tower["filters_init"], residual["filters"], last["filters"] = 12, 14, 8, 20
    crop["cropping"], plan["head_human"]["units"] = 3, 5
    torch.manual_seed(3)
    theirs = Basenji2(plan)
    with torch.no_grad():
        for name, tensor in theirs.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand_like(tensor) + 0.5 if "running_var" in name else 0.3 * torch.randn_like(tensor))
    use_activation(theirs, activation)
    filters = [layer.out_channels for layer in theirs.modules() if isinstance(layer, nn.Conv1d)][1:7]
    ours = Basenji(
        [str(number) for number in range(5)],
        length=4096,
        trunk=TrunkConfig(
            stem_filters=12,
            tower_filters=filters,
            residual_filters=8,
            activation="gelu" if activation is nn.GELU else "quick_gelu",
        ),
        head_filters=20,
        crop_bins=3,
        rc_average=False,
    )
    ours.load_state_dict(convert(theirs.state_dict(), Path("random")), strict=True)
    return theirs.eval(), ours.eval()


@pytest.mark.parametrize("activation", [nn.GELU, QuickGELU])
def test_one_state_dict_in_the_package_and_in_ours_gives_one_output(activation: type[nn.Module]) -> None:
    theirs, ours = package_model(activation)
    sequences = codes(4, 4096)
    with torch.inference_mode():
        expected = theirs(one_hot(sequences).float()).transpose(1, 2)  # they give (B, N, T)
        found = ours.predict(sequences)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_the_two_gelus_are_the_difference_that_is_named() -> None:
    theirs, ours = package_model()
    ours_published = Basenji(**merged(ours.arguments, {"trunk": {"activation": "quick_gelu"}})).eval()
    ours_published.load_state_dict(ours.state_dict())
    sequences = codes(1, 4096)
    with torch.inference_mode():
        expected = theirs(one_hot(sequences).float()).transpose(1, 2)
        assert (ours_published.predict(sequences) - expected).abs().max() > 1e-3
    assert ours.arguments["trunk"]["activation"] == "gelu"
    assert "1.702" in entries()[0].limits


@pytest.mark.slow
def test_the_package_s_full_net_is_imported_and_gives_the_same_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random weights of every published name and shape; 130 bins of sequence, of which the crop leaves two."""
    plan = copy.deepcopy(basenji2_params["model"]) | {"seq_length": 130 * 128}
    torch.manual_seed(0)
    theirs = use_activation(Basenji2(plan), QuickGELU).eval()
    torch.save(theirs.state_dict(), tmp_path / "basenji2.pth")
    monkeypatch.setattr(importer, "fetch", lambda file: tmp_path / "basenji2.pth")
    ours = importer.import_model("basenji.human2020").eval()
    assert ours.output.shape == (5313, 896)
    onehot = one_hot(codes(1, 130 * 128))
    with torch.inference_mode():
        expected, found = theirs(onehot).transpose(1, 2), ours.activation(ours(onehot))
    assert found.shape == (1, 5313, 2)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_a_file_of_another_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IntegrityError, match=r"what is model\.trunk\.9\.weight"):
        convert({"model.trunk.9.weight": torch.zeros(1)}, Path("x.pth"))
    torch.save([], tmp_path / "part.pth")
    monkeypatch.setattr(importer, "fetch", lambda file: tmp_path / "part.pth")
    with pytest.raises(IntegrityError, match="list where a state dict is wanted"):
        importer.import_model("basenji.human2020")
    torch.save({"model.trunk.0.block.1.weight": torch.zeros(288, 4, 15)}, tmp_path / "part.pth")
    with pytest.raises(IntegrityError, match="not the published Basenji2 model"):
        importer.import_model("basenji.human2020")
    (tmp_path / "part.pth").write_bytes(b"no pickle")
    with pytest.raises(IntegrityError, match="not a plain file of tensors"):
        importer.import_model("basenji.human2020")


def test_both_strands_give_the_same_tracks_turned_round_with_partners_swapped() -> None:
    model = tiny().eval()
    with torch.inference_mode():
        forward, backward = model.predict(codes()), model.predict(complement_codes(codes()))
    assert forward.shape == (3, 3, 12)
    torch.testing.assert_close(backward, forward.flip(-1)[:, [1, 0, 2]])


def test_a_bin_sees_the_bases_under_it_and_around_it() -> None:
    """The gradient of a bin's output is centred on the bin: bins are where `Tracks` says they are."""
    stem = {"stem_width_bases": 16, "stem_stride_bases": 2, "stem_pool": 1}
    model = tiny(rc_average=False, trunk={"dilations": (), "activation": "gelu", **stem}).eval()
    onehot = one_hot(codes(1)).requires_grad_()
    for index in (0, 5, 11):
        (gradient,) = torch.autograd.grad(model(onehot)[0, 0, index], onehot)
        touched = gradient.abs().sum((0, 1)).nonzero().flatten()
        start = (model.trunk.crop + index) * 16
        middle = float(touched.min() + touched.max() + 1) / 2
        assert abs(middle - (start + 8)) <= 8
        assert {*range(start, start + 16)} <= set(touched.tolist())


class CountedNorm(nn.modules.batchnorm._BatchNorm):
    """Of another class, as SyncBatchNorm is, which needs a GPU."""

    def _check_input_dim(self, input: torch.Tensor) -> None: ...


@pytest.mark.parametrize("other_norm", [False, True])
def test_checkpointing_changes_memory_and_nothing_else(other_norm: bool) -> None:
    batch = Batch(codes(), torch.rand(3, 3, 12))
    results = []
    for checkpointing in (False, True):
        model = tiny(trunk={"checkpointing": checkpointing}).train()
        for module in model.modules():
            if other_norm and isinstance(module, nn.BatchNorm1d):
                module.__class__ = CountedNorm  # type: ignore[assignment]
        torch.manual_seed(5)  # of dropout
        loss = model.training_loss(batch).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        results.append((loss.detach(), gradients, model.state_dict()))
    (loss, gradients, state), (loss_again, gradients_again, state_again) = results
    assert torch.equal(loss, loss_again)
    torch.testing.assert_close(gradients, gradients_again)
    assert all(torch.equal(value, state_again[key]) for key, value in state.items())  # running statistics, counted once


def test_residual_blocks_begin_as_if_they_were_not_there() -> None:
    torch.manual_seed(0)
    model = Basenji(["a"], **TINY).eval()
    residual = model.trunk.blocks[3:]
    x = torch.randn(2, 12, 16)
    assert torch.equal(residual(x), x)


def test_weights_begin_as_keras_does() -> None:
    torch.manual_seed(0)
    weight = ConvBlock((64, 256), 5, momentum=0.1, activation="relu").conv.weight.detach()
    deviation = (2 / (64 * 5)) ** 0.5
    assert float(weight.std()) == pytest.approx(deviation, rel=0.01)
    assert float(weight.abs().max()) <= 2 * deviation / 0.87962566 + 1e-6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"length": 250}, "bins of 16 bases, which do not divide the length of 250 bases; they divide 256"),
        ({"crop_bins": 8}, "256 bases make 16 bins: none is left after cropping 8 on each side"),
        ({"crop_bins": -1}, "crop_bins must be 0 or more, not -1"),
        ({"trunk": {"tower_pools": (2,)}}, "2 tower_filters and 1 tower_pools"),
        ({"trunk": {"activation": "tanh"}}, "activation must be one of quick_gelu, gelu, relu, not 'tanh'"),
        ({"trunk": {"stem_stride_bases": 2, "stem_pool": 1}}, "width 15 cannot be centred on steps of 2"),
        ({"trunk": {"dropout": 1.0}}, r"trunk\.dropout must lie in \[0, 1\)"),
        ({"trunk": {"norm_momentum": 1.0}}, r"norm_momentum must lie between 0 and 1"),
        ({"head_filters": 0}, "head_filters must be 1 or more"),
        ({"trunk": {"dilations": (0,)}}, r"trunk\.dilations must be 1 or more"),
        ({"strand_pairs": (1, 2, 0)}, "not each other's partners"),
        ({"strand_pairs": (1, 0)}, "2 strand_pairs for 3 targets"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        tiny(**options)
