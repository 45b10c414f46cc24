"""Other people's tools on every architecture: torch.export, forward hooks, and head(trunk(x)) as the contract says."""

from collections import Counter

import pytest
import torch
from test_contract import build, codes_of
from torch import nn

from zoo.hub.architectures import architectures
from zoo.nn.ensemble import EnsembleHead
from zoo.nn.maxima import Maximum

# Modules whose hooks tools need; each is called once in a forward pass.
SEEN = (nn.ReLU, nn.GELU, nn.MaxPool2d, Maximum)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", architectures())
def test_torch_export_gives_the_same_output(architecture: str) -> None:
    model = build(architecture).eval()
    onehot = model.encode(codes_of(model, 2))
    with torch.no_grad():
        program = torch.export.export(model, (onehot,))
        assert torch.allclose(program.module()(onehot), model(onehot), atol=1e-5)


@pytest.mark.parametrize("architecture", architectures())
def test_forward_is_the_head_of_the_trunk_and_features_are_the_trunk(architecture: str) -> None:
    model = build(architecture).eval()
    codes = codes_of(model, 3)
    with torch.inference_mode():
        onehot = model.encode(codes)
        features = model.features(codes)
        assert torch.equal(features, model.trunk(onehot))
        assert torch.equal(model(onehot), model.head(features))
    assert len(features) == 3
    parameters = [*model.trunk.parameters(), *model.head.parameters()]
    assert {id(p) for p in parameters} == {id(p) for p in model.parameters()}
    assert isinstance(model.head, EnsembleHead) == (architecture == "deepbind")


@pytest.mark.parametrize("architecture", architectures())
def test_every_activation_and_maximum_is_a_module_that_is_called_once(architecture: str) -> None:
    model = build(architecture).eval()
    calls: Counter[str] = Counter()
    for name, module in model.named_modules():
        if isinstance(module, SEEN):
            module.register_forward_hook(lambda *_, name=name: calls.update([name]))
    with torch.inference_mode():
        model(model.encode(codes_of(model, 2)))
    assert set(calls.values()) == {1}
