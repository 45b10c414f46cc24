"""Mutants computed by what they change have the numbers of `model.predict`, in every architecture and option."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from made.mutants import in_full, lively, random_codes, random_inputs, single_mutants, tell_apart
from torch import Tensor

from zoo.batch import InputSpec
from zoo.interpret.mutants import predict_mutants, predict_pairs
from zoo.interpret.predictor import MutantPredictor
from zoo.models._base import SequenceModel
from zoo.models.akita import Akita, AkitaTrunkConfig
from zoo.models.basenji import Basenji
from zoo.models.basenji_labels import BasenjiLabels
from zoo.models.basset import Basset
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.conv_stack import ConvStackConfig
from zoo.nn.motifs import MotifConfig
from zoo.nn.pair_map import PairMapConfig
from zoo.nn.scale import TargetScaleConfig
from zoo.nn.trunk import TrunkConfig

NAMES = ("first", "second", "third")
TRUNK: dict[str, Any] = {
    "stem_filters": 6,
    "stem_width_bases": 5,
    "tower_filters": (7, 8),
    "tower_width": 3,
    "tower_pools": (2, 2),
    "residual_filters": 4,
    "dilations": (1, 2, 3),
}
MAP = PairMapConfig(5, 3, "mean", 6, 4, (1, 2))
TRACKS = InputSpec(("plus", "minus"), 4, (1, 0))
SCALE = TargetScaleConfig(spread=(2.0, 0.5, 1.0))


def basset(**arguments: Any) -> SequenceModel:
    conv = arguments.pop("conv", ConvStackConfig((12, 10), (5, 3), (3, 2)))
    return Basset(NAMES, arguments.pop("length", 47), conv, **{"hidden": (7, 5), **arguments})


def stack(widths: Any, pools: Any, padding: str, pool_first: bool) -> Callable[[], SequenceModel]:
    conv = ConvStackConfig((12, 10), widths, pools, padding, 0.0, pool_first)
    return lambda: basset(conv=conv, rc_average=pool_first)


def motifs(pooling: Any, strands: Any, pool: int, members: int) -> Callable[[], SequenceModel]:
    config = MotifConfig(5, 6, pool, pooling, strands)
    return lambda: DeepBind(NAMES, 31, config, hidden=4 * (members > 1), ensemble_members=members)


def trunk(**sizes: Any) -> TrunkConfig:
    return TrunkConfig(**{**TRUNK, **sizes})


def akita(**sizes: Any) -> Callable[[], SequenceModel]:
    config = AkitaTrunkConfig(**{**TRUNK, "stem_pool": 2, "activation": "relu", **sizes})
    return lambda: Akita(NAMES, 128, config, MAP, crop_bins=2, rc_average=not sizes)


STACKS = list(product(((5, 3), (4, 6)), ((3, 2), (2, 1), (1, 3)), ("valid", "same"), (False, True)))
POOLINGS = [
    case
    for case in product(("max", "max_mean", "positions"), ("forward", "best_score", "best_filter"), (1, 4), (1, 3))
    if case[0] != "positions" or case[1] == "forward"
]
MODELS: dict[str, Callable[[], SequenceModel]] = {
    **{f"basset {'-'.join(map(str, case))}": stack(*case) for case in STACKS},
    "basset wide window": lambda: basset(conv=ConvStackConfig((8, 6, 5), (19, 11, 7), (3, 4, 4)), length=400),
    "basset ensemble": lambda: basset(ensemble_members=3),
    "basset without hidden": lambda: basset(hidden=()),
    "basset equivariant": lambda: basset(length=40, rc_equivariant=True),
    "basset tracks": lambda: basset(length=48, inputs=TRACKS, rc_average=True),
    "basset scaled": lambda: basset(target_scale=SCALE, loss="mean_squared_error"),
    "mlp": lambda: MLP(NAMES, 30, (8, 5)),
    "mlp tracks": lambda: MLP(NAMES, 32, (8, 5), inputs=TRACKS),
    **{f"deepbind {'-'.join(map(str, case))}": motifs(*case) for case in POOLINGS},
    "deepbind tracks": lambda: DeepBind(NAMES, 32, MotifConfig(5, 6), inputs=TRACKS),
    "basenji": lambda: Basenji(NAMES, 128, trunk(), 9, crop_bins=2, strand_pairs=(1, 0, 2), target_scale=SCALE),
    "basenji stride": lambda: Basenji(
        NAMES, 120, trunk(stem_stride_bases=3, stem_width_bases=9), 9, crop_bins=0, rc_average=False
    ),
    "basenji tracks": lambda: Basenji(NAMES, 128, trunk(stem_pool=2), 9, crop_bins=2, inputs=TRACKS),
    "basenji labels": lambda: BasenjiLabels(NAMES, 128, trunk(activation="gelu")),
    "akita": akita(),
    "akita fine": akita(fine_dilations=(1, 2), fine_after=1),
    "akita tracks of pairs": lambda: Akita(
        NAMES, 128, AkitaTrunkConfig(**TRUNK), MAP, crop_bins=2, inputs=InputSpec(("x",), 8), inputs_join="pairs"
    ),
}
# First changed position, from an end where it is negative, and how many bases change.
INTERVALS = [(0, 1), (-1, 1), (15, 3), (0, 5), (-6, 6), (3, 20), (7, 0)]


def assert_exact(values: Tensor, expected: Tensor) -> None:
    largest = max(1.0, expected.abs().max().item())
    torch.testing.assert_close(values / largest, expected / largest, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", MODELS)
def test_every_single_mutant_and_pairs(name: str) -> None:
    torch.manual_seed(1)
    model = lively(MODELS[name]())
    predictor = MutantPredictor(model)
    codes = random_codes(3, model.length)
    inputs = random_inputs(model, 3, model.length)
    positions, bases, whole = single_mutants(codes[0])
    values = predict_mutants(predictor, codes[0], positions, bases, None if inputs is None else inputs[0])
    expected = in_full(model, whole, None if inputs is None else inputs[:1].expand(len(whole), -1, -1))
    assert_exact(values, expected)
    assert tell_apart(predictor, expected)
    for start, count in [*INTERVALS, (0, model.length)]:
        start %= model.length
        alternative = codes.clone()
        alternative[:, start : start + count] = random_codes(3, count, seed=4)
        pairs = predict_pairs(predictor, codes, alternative, start, start + count, inputs)
        assert_exact(pairs[0], in_full(model, codes, inputs))
        assert_exact(pairs[1], in_full(model, alternative, inputs))
