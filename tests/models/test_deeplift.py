"""tangermeme's DeepLIFT on our nets: attributions add up to the difference of the outputs."""

from typing import Any

import pytest
import torch
from made.sizes import merged
from torch import Tensor, nn

from zoo.genome.sequence import one_hot
from zoo.models._base import SequenceModel
from zoo.models.basenji import Basenji
from zoo.models.basset import Basset
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.deeplift import deeplift_rules
from zoo.nn.motifs import MotifConfig

tangermeme = pytest.importorskip(
    "tangermeme.deep_lift_shap", reason="needs tangermeme: pip install --no-deps tangermeme"
)

BLOCKS: dict[str, Any] = {
    "length": 60,
    "conv": {"filters": (8, 6), "widths": (9, 4), "pools": (4, 2)},
    "hidden": (8, 5),
}
REGRESSION = {"target_scale": {"centre": (1.0,), "spread": (2.0,)}, "loss": "mean_squared_error"}
BASSETS: dict[str, dict[str, Any]] = {
    "blocks": {},
    "pool first": {"conv": {"pool_first": True}},
    "ensemble": {"ensemble_members": 2, **REGRESSION},
    "rc": {"rc_equivariant": True},
    "rc, pool first, ensemble": {"rc_equivariant": True, "conv": {"pool_first": True}, "ensemble_members": 2},
}
DEEPBINDS = {
    f"{motifs.pooling}, {motifs.strands}, pool {motifs.pool_bases}, {members} members": (motifs, members)
    for motifs, members in [
        (MotifConfig(), 1),
        (MotifConfig(strands="forward"), 1),
        (MotifConfig(pooling="max_mean", strands="best_filter", pool_bases=12), 3),
        (MotifConfig(pooling="max_mean", strands="best_score", pool_bases=7), 2),
        (MotifConfig(pooling="positions", strands="forward", pool_bases=7), 3),
    ]
}


class Total(nn.Module):
    """The sum of each track: one value per target."""

    def __init__(self, model: SequenceModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, onehot: Tensor) -> Tensor:
        total: Tensor = self.model(onehot).sum(-1)
        return total


def perturbed(model: SequenceModel) -> SequenceModel:
    """Random biases and statistics, as after training."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for name, buffer in model.named_buffers():
            if "running" in name:
                buffer.copy_(0.2 * torch.rand_like(buffer) + (0.5 if "var" in name else 0.0))
    return model.eval()


def relative_delta(model: nn.Module, length: int) -> float:
    """Largest difference between the sum of attributions and the difference of outputs, over the mean of the latter."""
    random = torch.Generator().manual_seed(2)
    x, references = (one_hot(torch.randint(0, 4, (n, length), generator=random).byte()) for n in (3, 12))
    references = references.view(3, 4, 4, length)  # (sequences, references of each, bases, L)
    multipliers = tangermeme.deep_lift_shap(
        model,
        x,
        references=references,
        additional_nonlinear_ops=deeplift_rules(),
        raw_outputs=True,
        warning_threshold=1e9,
        device="cpu",
    )
    with torch.no_grad():
        effect = model(x)[:, :1] - torch.stack([model(row)[:, 0] for row in references])
    contribution = (multipliers * (x[:, None] - references)).sum((2, 3))
    assert effect.abs().mean() > 1e-4
    return float((contribution - effect).abs().max() / effect.abs().mean())


def test_mlp() -> None:
    assert relative_delta(perturbed(MLP(["a"], 60, hidden=(20, 10))), 60) < 1e-3


@pytest.mark.slow
def test_published_basset() -> None:
    assert relative_delta(perturbed(Basset(["a"])), 600) < 1e-3


@pytest.mark.parametrize("name", BASSETS)
def test_basset(name: str) -> None:
    torch.manual_seed(0)
    assert relative_delta(perturbed(Basset(["a"], **merged(BLOCKS, BASSETS[name]))), 60) < 1e-3


@pytest.mark.parametrize("name", DEEPBINDS)
@pytest.mark.parametrize("hidden", [0, 32])
def test_deepbind(name: str, hidden: int) -> None:
    torch.manual_seed(0)
    motifs, members = DEEPBINDS[name]
    model = DeepBind(["a"], 101, motifs, hidden=hidden, ensemble_members=members)
    assert relative_delta(perturbed(model), 101) < 1e-3


@pytest.mark.slow
def test_deepbind_that_scans() -> None:
    torch.manual_seed(0)
    assert relative_delta(perturbed(DeepBind(["a"], 36, scan=True)), 60) < 1e-3


def test_basenji() -> None:
    torch.manual_seed(0)
    trunk: Any = {"stem_filters": 8, "tower_filters": (8, 8), "tower_pools": (2, 4), "residual_filters": 6}
    model = Basenji(["a"], 256, trunk | {"dilations": (1, 2, 4)}, head_filters=8, crop_bins=2)
    assert relative_delta(Total(perturbed(model)).eval(), 256) < 1e-3
