"""Targets in the units in which they are learnt, and back: against numpy, and the transform of tables of tracks."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo.data.tracks.table import Track, Transform
from zoo.errors import ConfigError
from zoo.nn.scale import TargetScaleConfig, TargetTransform, target_scale, target_transform

VALUES = np.random.default_rng(0).exponential(40.0, (5, 2, 300)).astype(np.float32)


def transform(config: TargetScaleConfig) -> TargetTransform:
    found = target_transform(config, (2, 300), F.softplus)
    assert found is not None
    return found


def test_a_soft_clip_is_that_of_the_table_of_tracks() -> None:
    ours = transform(TargetScaleConfig(spread=[2.0, 10.0], soft_clip=[20.0, 80.0], scaled_loss=True))
    tracks = [Track("a", "", scale=0.5, soft_clip=10.0), Track("b", "", scale=0.1, soft_clip=8.0)]
    theirs = Transform(tracks)(VALUES.transpose(1, 0, 2).copy()).transpose(1, 0, 2)
    learnt = ours(torch.from_numpy(VALUES))
    np.testing.assert_allclose(learnt, theirs, rtol=1e-5)
    assert (theirs > 8).any()
    np.testing.assert_allclose(ours.inverse(learnt), VALUES, rtol=1e-4)
    assert ours.clips


def test_centre_and_spread_are_a_linear_map_and_nan_stays() -> None:
    ours = target_transform(TargetScaleConfig([3.0, -5.0], [2.0, 0.5], scaled_loss=True), (2,), nn.Identity())
    assert ours is not None
    values = torch.tensor([[1.0, float("nan")], [1e6, -7.0]])
    learnt = ours(values)
    torch.testing.assert_close(learnt, torch.tensor([[-1.0, float("nan")], [499_998.5, -4.0]]), equal_nan=True)
    torch.testing.assert_close(ours.inverse(learnt), values, equal_nan=True)
    torch.testing.assert_close(ours.clip(values), values, equal_nan=True)
    assert not ours.clips


def test_scores_are_of_clipped_values_in_their_own_units() -> None:
    ours = transform(TargetScaleConfig(spread=[2.0, 10.0], soft_clip=[20.0, 80.0], scaled_loss=True))
    # 20 is below the clip; 2 * (10 + sqrt(90 + 1) - 1) is what is left of 200.
    values = torch.tensor([20.0, 200.0]).expand(1, 2, 2)
    assert ours.clip(values)[0, 0].tolist() == pytest.approx([20.0, 2 * (9 + 91**0.5)], rel=1e-6)


def test_a_scaled_loss_leaves_the_head_as_it_is() -> None:
    config = TargetScaleConfig(spread=[2.0, 10.0])
    assert target_transform(config, (2, 300), F.softplus) is None
    scaled = TargetScaleConfig(spread=[2.0, 10.0], scaled_loss=True)
    assert isinstance(target_scale(scaled, (2, 300), F.softplus), nn.Identity)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TargetScaleConfig(spread=[1.0, float("inf")]), "spread must be above 0"),
        (TargetScaleConfig(centre=[float("nan"), 0.0]), "centre must be a number"),
        (TargetScaleConfig(soft_clip=[1.0, 2.0]), "soft_clip takes a scaled loss"),
        (TargetScaleConfig(soft_clip=[-1.0, 2.0], scaled_loss=True), "soft_clip one above it"),
        (TargetScaleConfig(spread=[1.0], scaled_loss=True), "spread has 1 values for 2 targets"),
        (TargetScaleConfig(centre=[1.0, 1.0], scaled_loss=True), "centre has no meaning"),
    ],
)
def test_units_that_are_none_are_refused(config: TargetScaleConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        target_scale(config, (2, 300), F.softplus)


def test_the_units_are_described_in_one_line() -> None:
    config = TargetScaleConfig(spread=[2.0, 10.0, 1.0, 1.0], soft_clip=[16.0, 80.0, 8.0, 8.0], scaled_loss=True)
    assert config.describe(["a", "b", "c", "d"]) == (
        "targets are scaled in training, and predicted in their own units: a: spread 2, soft clip 16; b: spread 10, "
        "soft clip 80; c: spread 1, soft clip 8; and 1 more"
    )
