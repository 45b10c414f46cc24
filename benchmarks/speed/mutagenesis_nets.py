"""Nets and peers of the benchmark of mutagenesis: a Basset with statistics of its own, and the same in plain torch."""

import copy
from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from zoo.genome.sequence import one_hot
from zoo.models.basset import Basset

__all__ = ["Peer", "folded", "pair_peers", "peers", "random_basset"]

# A peer's saturation mutagenesis of one sequence: every prediction (L, 4, T), or those of the mutants alone.
Peer = Callable[[], object]


def random_basset(targets: int = 164) -> Basset:
    """A Basset of the published size whose outputs depend on every base: random weights and statistics of norms."""
    generator = torch.Generator().manual_seed(1)
    model = Basset([f"target_{index}" for index in range(targets)])

    def normal(parameter: Any, deviation: float, mean: float = 0.0) -> None:
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * deviation + mean)

    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                normal(module.weight, (2 / module.weight[0].numel()) ** 0.5)
                normal(module.bias, 0.1)
            elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                normal(module.weight, 0.2, 1.0)
                normal(module.bias, 0.2)
                normal(module.running_mean, 0.2)
                normal(module.running_var, 0.1, 1.0)
    return model.eval()


def folded(model: Any) -> nn.Sequential:
    """A Basset as torch's own modules in a row, batch norms folded into what precedes them: what peers read fastest."""
    layers: list[nn.Module] = []
    for block in copy.deepcopy(model.trunk.blocks):
        conv = nn.Conv1d(block.conv.in_channels, block.conv.out_channels, block.conv.kernel_size[1])
        image = fuse_conv_bn_eval(block.conv, block.norm)
        conv.load_state_dict({"weight": image.weight.squeeze(2), "bias": image.bias})
        layers += [conv, nn.ReLU(), nn.MaxPool1d(block.pool.kernel_size[1])]
    layers.append(nn.Flatten())
    *hidden, last, _ = copy.deepcopy(model.head)
    for block in hidden:
        layers += [fuse_linear_bn_eval(block[0], block[1]), nn.ReLU()]
    return nn.Sequential(*layers, last, nn.Sigmoid()).eval()


def peers(net: nn.Module, codes: Tensor, batch_sizes: tuple[int, ...] = (32, 256)) -> dict[str, list[Peer]]:
    """Calls of tangermeme for one sequence, uint8 (L,): in full and by its fast path forced on, with several batches.

    The fast path is captured before, so that its calls are those of its steady state.
    """
    module = import_module("tangermeme.saturation_mutagenesis")
    x = one_hot(codes[None])
    length, device = len(codes), torch.device("cpu")

    def full(size: int) -> Peer:
        options: dict[str, Any] = {"batch_size": size, "raw_outputs": True, "fast": False, "device": "cpu"}
        return lambda: module.saturation_mutagenesis(net, x, **options)

    def fast(size: int) -> Peer:
        captured = module._FastISM(net, x, None, 0, length, device, torch.float32, False)
        _, bases, positions = module._single_edits(x[0], 0, length)

        def call() -> object:
            with torch.no_grad():
                return captured.predict_edits(0, bases, positions, size, None)

        return call

    with torch.no_grad():
        return {"full": [full(size) for size in batch_sizes], "fast": [fast(size) for size in batch_sizes]}


def pair_peers(
    net: nn.Module, reference: Tensor, alternative: Tensor, batch_sizes: tuple[int, ...] = (32, 256)
) -> list[Peer]:
    """Calls of tangermeme that predict references and alternatives, uint8 (N, L) each, that differ by substitutions."""
    effect = import_module("tangermeme.variant_effect").substitution_effect
    x = one_hot(reference)
    row, position = torch.nonzero(reference != alternative, as_tuple=True)
    changes = torch.stack([row, position, alternative[row, position].long()], 1)

    def call(size: int) -> Peer:
        return lambda: effect(net, x, changes, batch_size=size, device="cpu")

    return [call(size) for size in batch_sizes]
