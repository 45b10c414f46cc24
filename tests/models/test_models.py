import pytest
import torch
from torch import nn

from zoo.errors import ConfigError
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.ensemble import EnsembleLinear
from zoo.nn.layers import Conv1d, Conv2d
from zoo.nn.motifs import MotifConfig, MotifTrunk, Pooling, Strands


def motifs_of(model: DeepBind) -> MotifTrunk:
    assert isinstance(model.trunk, MotifTrunk)
    return model.trunk


def filters_of(model: DeepBind) -> nn.Parameter:
    return motifs_of(model).filters


def biases_of(model: DeepBind) -> nn.Parameter:
    return motifs_of(model).biases


def last_of(model: DeepBind) -> EnsembleLinear:
    return [layer for layer in model.head.modules() if isinstance(layer, EnsembleLinear)][-1]


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("hidden", "parameters"), [(0, 1569), (32, 2129)])
def test_deepbind_has_the_published_number_of_parameters(hidden: int, parameters: int) -> None:
    assert count(DeepBind(targets=["x"], length=101, hidden=hidden)) == parameters


def test_deepbind_on_paper() -> None:
    # One filter that scores 1 for A then C; bias -1.5, weight 2, bias -1. AC: 2 * (2 - 1.5) - 1 = 0.
    model = DeepBind(["x"], 4, MotifConfig(1, 2, strands="forward"), loss="mean_squared_error").eval()
    with torch.no_grad():
        filters_of(model).zero_()
        filters_of(model)[0, 0, 0] = filters_of(model)[0, 1, 1] = 1
        biases_of(model).fill_(-1.5)
        last_of(model).weight.fill_(2)
        last_of(model).bias.fill_(-1)
        codes = torch.tensor([[3, 0, 1, 3], [2, 2, 0, 2], [2, 2, 2, 0]], dtype=torch.uint8)
        # GGAG holds an A (1 - 1.5 < 0); GGGA hangs over the end: 1 + 0.25 - 1.5 < 0.
        assert model.predict(codes).flatten().tolist() == pytest.approx([0.0, -1.0, -1.0])


def test_a_filter_may_extend_over_the_end_where_every_base_counts_a_quarter() -> None:
    model = DeepBind(["x"], 3, MotifConfig(1, 3, strands="forward"), loss="mean_squared_error").eval()
    with torch.no_grad():
        filters_of(model).fill_(-9)
        filters_of(model)[0, :, 0] = torch.tensor([4.0, 0, 0, 0])  # first position: A, else a mean of 1
        filters_of(model)[0, 3, 1:] = 1.0  # then T T
        last_of(model).weight.fill_(1)
        codes = torch.tensor([[3, 3, 2]], dtype=torch.uint8)
        # TT at the start with the A hanging out: 0.25 * 4 + 1 + 1.
        assert model.predict(codes).item() == pytest.approx(3.0)


@pytest.mark.parametrize("strands", ["best_score", "best_filter"])
@pytest.mark.parametrize("pooling", ["max", "max_mean"])
def test_deepbind_of_both_strands_is_blind_to_the_strand(strands: Strands, pooling: Pooling) -> None:
    torch.manual_seed(0)
    model = DeepBind(["x"], 40, MotifConfig(pooling=pooling, strands=strands), hidden=8, ensemble_members=2).eval()
    codes = torch.randint(0, 4, (6, 40), dtype=torch.uint8)
    with torch.inference_mode():
        assert torch.allclose(model.predict(codes), model.predict((3 - codes).flip(1)), atol=1e-6)


def test_ensemble_members_are_averaged_and_trained_apart() -> None:
    torch.manual_seed(0)
    motifs = MotifConfig(4, 6, pooling="max_mean")
    both = DeepBind(["x"], 30, motifs, hidden=5, ensemble_members=2).eval()
    singles = [DeepBind(["x"], 30, motifs, hidden=5).eval() for _ in "ab"]
    for index, single in enumerate(singles):
        mine = slice(4 * index, 4 * index + 4)
        state = {key: value[index : index + 1] for key, value in both.state_dict().items() if key.startswith("head")}
        state |= {name: both.state_dict()[name][mine] for name in ("trunk.filters", "trunk.biases")}
        single.load_state_dict(state)
    x = both.encode(torch.randint(0, 4, (7, 30), dtype=torch.uint8))
    with torch.inference_mode():
        assert torch.allclose(both(x), (singles[0](x) + singles[1](x)) / 2, atol=1e-6)


def test_scanning_takes_the_best_window() -> None:
    torch.manual_seed(0)
    model = DeepBind(["x", "y"], 20, MotifConfig(width_bases=12, pooling="max_mean"), hidden=4, scan=True).eval()
    x = model.encode(torch.randint(0, 5, (3, 57), dtype=torch.uint8))
    with torch.inference_mode():
        windows = torch.stack([model(x[:, :, start : start + 20]) for start in range(38)])
        assert torch.allclose(model(x), windows.amax(0), atol=1e-6)


def test_positions_pooling_keeps_the_order_and_wants_one_strand() -> None:
    model = DeepBind(["x"], 24, MotifConfig(2, 4, 9, "positions", "forward"))
    # Two filters, 27 positions in windows of 9.
    assert model.features(torch.zeros(5, 24, dtype=torch.uint8)).shape == (5, 1, 1, 2 * 3)
    with pytest.raises(ConfigError, match="one strand"):
        DeepBind(["x"], 24, MotifConfig(pooling="positions"))


def test_mlp_is_its_layers() -> None:
    torch.manual_seed(0)
    model = MLP(targets=["x"], length=5, hidden=[3]).eval()
    codes = torch.tensor([[0, 1, 2, 3, 4]], dtype=torch.uint8)
    flat = torch.tensor([[1.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]])  # base by base; N is zeros
    first, last = (layer for layer in model.modules() if isinstance(layer, nn.Linear))
    want = torch.sigmoid(last(torch.relu(first(flat))))
    assert torch.allclose(model.predict(codes), want)
    assert count(model) == 20 * 3 + 3 + 3 + 1


def test_positions_pooling_on_paper() -> None:
    # Two filters of one base, A and C, over windows of two bases; the head tells them apart by place.
    model = DeepBind(["x"], 4, MotifConfig(2, 1, 2, "positions", "forward"), loss="mean_squared_error").eval()
    with torch.no_grad():
        filters_of(model).zero_()
        filters_of(model)[0, 0, 0] = filters_of(model)[1, 1, 0] = 1
        last_of(model).weight[0, :, 0] = torch.tensor([1.0, 10.0, 100.0, 1000.0])
        codes = torch.tensor([[0, 2, 1, 1], [2, 1, 2, 0], [2, 2, 2, 2]], dtype=torch.uint8)
        # Features: A in bases 1-2, A in 3-4, C in 1-2, C in 3-4.
        assert model.predict(codes).flatten().tolist() == pytest.approx([1001.0, 110.0, 0.0])


@pytest.mark.parametrize("width", [8, 12, 15, 16, 20, 24, 32])
@pytest.mark.parametrize("channels", [4, 8, 12, 16, 24])
@pytest.mark.parametrize("stride", [1, 4])
def test_convolutions_of_few_channels_are_right_in_bf16(width: int, channels: int, stride: int) -> None:
    """On CPUs with AMX those of PyTorch 2.13 are not: 4 channels of width 16 or 24 among them."""
    torch.manual_seed(0)
    x = torch.randn(2, channels, 300)
    for conv, image in (
        (Conv1d(channels, 6, width, stride=stride), x),
        (Conv2d(channels, 6, (1, width), stride=(1, stride)), x.unsqueeze(2).to(memory_format=torch.channels_last)),
    ):
        with torch.inference_mode():
            exact = conv(image)
            with torch.autocast("cpu", torch.bfloat16):
                rough = conv(image).float()
        assert (exact - rough).abs().max() < 0.02 * exact.abs().max()
