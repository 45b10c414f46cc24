from __future__ import annotations

import numpy as np
import pytest
import torch.distributed
from scipy.stats import chisquare

from zoo.data.samplers import EpochSampler


def epoch_of(sampler: EpochSampler, epoch: int) -> list[int]:
    sampler.set_epoch(epoch)
    return list(sampler)


def stand_in(monkeypatch: pytest.MonkeyPatch, rank: int, ranks: int) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda *_: ranks)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda *_: rank)


@pytest.mark.parametrize("epoch", [0, 1, 17])
def test_an_epoch_holds_every_position_once_and_carries_its_number(epoch: int) -> None:
    order = epoch_of(EpochSampler(50, seed=0), epoch)
    assert sorted(order) == list(range(50 * epoch, 50 * epoch + 50))


def test_every_epoch_has_an_order_of_its_own() -> None:
    sampler = EpochSampler(50, seed=0)
    orders = {tuple(index % 50 for index in epoch_of(sampler, epoch)) for epoch in range(20)}
    assert len(orders) == 20
    assert tuple(range(50)) not in orders


def test_seed_and_epoch_alone_fix_the_order() -> None:
    used = EpochSampler(50, seed=3)
    for epoch in range(5):
        epoch_of(used, epoch)
    assert epoch_of(used, 2) == epoch_of(EpochSampler(50, seed=3), 2)
    assert epoch_of(used, 2) != epoch_of(EpochSampler(50, seed=4), 2)


@pytest.mark.parametrize(("draws", "each"), [(20, {0, 1}), (50, {1}), (120, {2, 3}), (150, {3})])
def test_draws_fix_the_length_of_an_epoch(draws: int, each: set[int]) -> None:
    sampler = EpochSampler(50, seed=0, draws=draws)
    order = epoch_of(sampler, 0)
    assert len(order) == len(sampler) == draws
    assert set(np.bincount(order, minlength=50).tolist()) == each


def test_weights_are_the_relative_frequencies_of_draws() -> None:
    weight = np.array([0.0, 1.0, 2.0, 5.0])
    order = epoch_of(EpochSampler(4, seed=0, weight=weight, draws=40_000), 0)
    counts = np.bincount(order, minlength=4)
    assert counts[0] == 0
    assert chisquare(counts[1:], 40_000 * weight[1:] / 8).pvalue > 1e-4


def test_weighted_draws_carry_their_epoch_too() -> None:
    order = epoch_of(EpochSampler(4, seed=0, weight=np.ones(4), draws=100), 3)
    assert set(order) == {12, 13, 14, 15}


@pytest.mark.parametrize("weight", [None, np.arange(1.0, 13.0)], ids=["even", "weighted"])
@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_ranks_share_out_the_order_of_one_process(
    monkeypatch: pytest.MonkeyPatch, ranks: int, weight: np.ndarray | None
) -> None:
    alone = epoch_of(EpochSampler(12, seed=5, weight=weight), 2)
    shares = []
    for rank in range(ranks):
        stand_in(monkeypatch, rank, ranks)
        shares.append(epoch_of(EpochSampler(12, seed=5, weight=weight), 2))
    assert [index for turn in zip(*shares, strict=True) for index in turn] == alone


@pytest.mark.parametrize("draws", [None, 7, 23])
def test_ranks_draw_alike_where_an_epoch_cannot_be_shared_out_evenly(
    monkeypatch: pytest.MonkeyPatch, draws: int | None
) -> None:
    alone = epoch_of(EpochSampler(10, seed=0, draws=draws), 1)
    shares = []
    for rank in range(3):
        stand_in(monkeypatch, rank, 3)
        sampler = EpochSampler(10, seed=0, draws=draws)
        shares.append(epoch_of(sampler, 1))
        assert len(shares[-1]) == len(sampler) == (draws or 10) // 3
    # Turn by turn they draw what one process draws, but for its last one or two.
    together = [index for turn in zip(*shares, strict=True) for index in turn]
    assert together == alone[: (draws or 10) // 3 * 3]


def test_where_there_is_less_than_an_item_for_each_rank_all_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for rank in range(3):
        stand_in(monkeypatch, rank, 3)
        assert len(epoch_of(EpochSampler(2, seed=0), 1)) == 1
