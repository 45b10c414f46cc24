"""Low-rank factors: on which weights they are, and what is refused."""

import pytest
import torch
from torch import nn

from zoo.errors import ConfigError
from zoo.nn.adapters import AdapterConfig, LowRank, add_adapters, has_adapters, merge_adapters


def net() -> nn.Sequential:
    torch.manual_seed(0)
    convolution = nn.ConvTranspose1d(3, 5, 4)
    return nn.Sequential(nn.Conv1d(4, 3, 2), nn.BatchNorm1d(3), convolution, nn.Flatten(), nn.Linear(5 * 12, 2))


def test_each_weight_has_factors_of_its_units_and_inputs_and_is_frozen() -> None:
    model = net()
    add_adapters(model, AdapterConfig(("0", "1", "2", "4"), rank=3))
    shapes = {
        name.split(".")[0]: (tuple(module.up.shape), tuple(module.down.shape))
        for name, module in model.named_modules()
        if isinstance(module, LowRank)
    }
    # A transposed convolution counts its units in the second dimension; a rank is at most the number of units.
    assert shapes == {"0": ((1, 3, 3), (1, 3, 8)), "2": ((1, 5, 3), (1, 3, 12)), "4": ((1, 2, 2), (1, 2, 60))}
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    vectors = {"0.bias", "1.weight", "1.bias", "2.bias", "4.bias"}
    factors = {f"{layer}.parametrizations.weight.0.{part}" for layer in (0, 2, 4) for part in ("up", "down")}
    assert trained == vectors | factors


def test_factors_change_nothing_until_they_are_trained_and_are_merged_bit_for_bit() -> None:
    model, x = net().eval(), torch.randn(2, 4, 10)
    before = model(x)
    add_adapters(model, AdapterConfig(("0", "2", "4"), rank=2, alpha=4.0))
    assert torch.equal(model(x), before)
    for module in model.modules():
        if isinstance(module, LowRank):
            nn.init.normal_(module.up)
    adapted = model(x)
    assert not torch.allclose(adapted, before)
    merge_adapters(model)
    assert not has_adapters(model)
    assert torch.equal(model(x), adapted)
    assert set(model.state_dict()) == set(net().state_dict())


def test_in_half_precision_the_product_is_that_of_float32() -> None:
    layer = nn.Linear(6, 4)
    model = nn.Sequential(layer)
    add_adapters(model, AdapterConfig(("0",), rank=2))
    (factors,) = (module for module in model.modules() if isinstance(module, LowRank))
    nn.init.normal_(factors.up)
    alone = layer.weight.clone()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.weight, alone)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (AdapterConfig(("0",), rank=0), "a rank is 1 or more"),
        (AdapterConfig(("0",), alpha=0.0), "alpha above 0"),
        (AdapterConfig(("1",)), "no convolution or dense layer"),
    ],
)
def test_what_makes_no_sense_is_refused(config: AdapterConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        add_adapters(net(), config)
