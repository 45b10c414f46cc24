from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from zoo.errors import ConfigError
from zoo.nn.losses import (
    LOSSES,
    Loss,
    binary_cross_entropy,
    find_loss,
    mean_squared_error,
    means_and_differences,
    poisson,
    poisson_multinomial,
    scaled_softplus,
    softplus_squared_error,
)

NAN = float("nan")
# All but this one are means of what each value costs by itself.
SINGLE = {name: loss for name, loss in LOSSES.items() if name != "poisson_multinomial"}
EACH = pytest.mark.parametrize("loss", SINGLE.values(), ids=SINGLE)
ALL = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def rows() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    raw = 3 * torch.randn(40, 3, generator=generator)
    return raw, torch.randint(0, 2, (40, 3), generator=generator).float()


def test_binary_cross_entropy_is_the_one_on_paper() -> None:
    # p = 1/2 costs ln 2; a logit of ln 3 is p = 3/4: it costs ln(4/3) where the label is 1 and ln 4 where it is 0.
    raw = torch.tensor([[0.0], [math.log(3)], [math.log(3)]])
    target = torch.tensor([[1.0], [1.0], [0.0]])
    expected = (math.log(2) + math.log(4 / 3) + math.log(4)) / 3
    assert float(binary_cross_entropy(raw, target).mean()) == pytest.approx(expected, rel=1e-6)


def test_binary_cross_entropy_equals_a_slow_loop_in_float64() -> None:
    raw, target = rows()
    each = []
    for logit, label in zip(raw.flatten().tolist(), target.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        each.append(-math.log(p if label else 1 - p))
    assert float(binary_cross_entropy(raw, target).mean()) == pytest.approx(math.fsum(each) / len(each), rel=1e-6)


def test_binary_cross_entropy_of_a_huge_logit_is_the_logit() -> None:
    raw, target = torch.tensor([[200.0], [-300.0]]), torch.tensor([[0.0], [1.0]])
    assert float(binary_cross_entropy(raw, target).mean()) == 250


def test_mean_squared_error_is_the_one_on_paper() -> None:
    raw, target = torch.tensor([[1.0, 2.0], [3.0, -1.0]]), torch.tensor([[1.0, 4.0], [0.0, 1.0]])
    assert float(mean_squared_error(raw, target).mean()) == (0 + 4 + 9 + 4) / 4


@ALL
def test_missing_targets_count_for_nothing(loss: Loss) -> None:
    raw, target = rows()
    target[::4] = NAN
    left = ~torch.isnan(target[:, 0])
    assert float(loss.function(raw, target).mean()) == pytest.approx(
        float(loss.function(raw[left], target[left]).mean()), rel=1e-6
    )


def test_the_mean_is_over_what_is_left_in_any_column() -> None:
    raw = torch.tensor([[1.0, 7.0], [5.0, 2.0]])
    target = torch.tensor([[3.0, NAN], [NAN, 3.0]])
    assert float(mean_squared_error(raw, target).mean()) == (4 + 1) / 2


@EACH
def test_no_gradient_reaches_a_missing_target_and_the_others_have_theirs(loss: Loss) -> None:
    raw, target = rows()
    target[1::2, 1] = NAN
    there = ~torch.isnan(target)
    raw.requires_grad_()
    (gradient,) = torch.autograd.grad(loss.function(raw, target).mean(), raw)
    left = raw.detach()[there].requires_grad_()
    (expected,) = torch.autograd.grad(loss.function(left, target[there]).mean(), left)
    assert torch.equal(gradient[~there], torch.zeros(20))
    assert torch.allclose(gradient[there], expected, rtol=1e-6)


@ALL
def test_nothing_measured_costs_nothing(loss: Loss) -> None:
    raw = torch.ones(3, 2, requires_grad=True)
    value = loss.function(raw, torch.full((3, 2), NAN)).mean()
    (gradient,) = torch.autograd.grad(value, raw)
    assert value.item() == 0
    assert torch.equal(gradient, torch.zeros(3, 2))


@ALL
def test_half_precision_is_summed_in_single(loss: Loss) -> None:
    raw, target = rows()
    half = raw.bfloat16()
    value = loss.function(half, target).mean()
    assert value.dtype == torch.float32
    assert float(value) == float(loss.function(half.float(), target).mean())


def test_activations_turn_raw_output_into_their_unit() -> None:
    raw = torch.tensor([math.log(3), 0.0, -math.log(3)])
    assert np.allclose(find_loss("binary_cross_entropy").activation(raw), [0.75, 0.5, 0.25], atol=1e-7)
    assert torch.equal(find_loss("mean_squared_error").activation(raw), raw)


def test_an_unknown_loss_is_refused_naming_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"'hinge'.*binary_cross_entropy, mean_squared_error"):
        find_loss("hinge")


@EACH
def test_a_weight_counts_a_target_so_many_times_and_equal_ones_change_nothing(loss: Loss) -> None:
    raw, target = torch.randn(5, 2), torch.rand(5, 2).round()
    target[0, 1] = NAN
    thrice = torch.cat([raw, raw[:, 1:], raw[:, 1:]], 1), torch.cat([target, target[:, 1:], target[:, 1:]], 1)
    weighted = loss.function(raw, target, torch.tensor([0.5, 1.5])).mean()
    assert float(weighted) == pytest.approx(float(loss.function(*thrice).mean()), rel=1e-6)
    same = loss.function(raw, target, torch.tensor([2.0, 2.0])).mean()
    assert float(same) == pytest.approx(float(loss.function(raw, target).mean()), rel=1e-6)


def test_poisson_is_torch_s_of_the_softplus() -> None:
    raw, target = rows()
    expected = torch.nn.functional.poisson_nll_loss(torch.nn.functional.softplus(raw.double()), target.double(), False)
    assert float(poisson(raw, target).mean()) == pytest.approx(float(expected), rel=1e-5)


def test_poisson_of_a_rate_far_below_one_is_finite_and_so_is_its_gradient() -> None:
    raw = torch.tensor([[-200.0, -15.0, -14.9]], requires_grad=True)
    loss = poisson(raw, torch.ones(1, 3)).mean()
    (gradient,) = torch.autograd.grad(loss, raw)
    assert float(loss) == pytest.approx((200 + 15 + 14.9) / 3, rel=1e-5)
    assert torch.allclose(gradient, torch.full((1, 3), -1 / 3), rtol=1e-5)  # each base costs -log(rate), which is -raw


def test_softplus_squared_error_is_of_what_is_predicted() -> None:
    raw, target = rows()
    loss = find_loss("softplus_squared_error")
    assert float(softplus_squared_error(raw, target).mean()) == pytest.approx(
        float(((loss.activation(raw) - target) ** 2).mean()), rel=1e-6
    )


def slow_poisson_multinomial(raw: list[float], target: list[float]) -> tuple[float, int]:
    """Of one track: the sum over its bins, and how many there are."""
    pairs = [(math.log1p(math.exp(r)), t) for r, t in zip(raw, target, strict=True) if not math.isnan(t)]
    total, counts = math.fsum(rate for rate, _ in pairs), math.fsum(count for _, count in pairs)
    profile = -math.fsum(count * math.log(rate / total) for rate, count in pairs)
    return profile + 0.2 * (total - counts * math.log(total)), len(pairs)


def test_poisson_multinomial_equals_a_slow_loop_and_weights_count_targets() -> None:
    generator = torch.Generator().manual_seed(0)
    raw = 2 * torch.randn(4, 3, 6, generator=generator)
    target = torch.randint(0, 5, (4, 3, 6), generator=generator).float()
    target[0, 1, 2:] = NAN
    target[3, 2, 0] = NAN
    weights = (1.0, 2.0, 0.5)
    for weight in (None, torch.tensor(weights)[:, None]):
        total, bins = 0.0, 0.0
        for b in range(4):
            for t in range(3):
                factor = 1.0 if weight is None else weights[t]
                cost, count = slow_poisson_multinomial(raw[b, t].tolist(), target[b, t].tolist())
                total, bins = total + factor * cost, bins + factor * count
        assert float(poisson_multinomial(raw, target, weight).mean()) == pytest.approx(total / bins, rel=1e-5)


def test_the_profile_does_not_depend_on_the_total() -> None:
    """Poisson-multinomial: rates twice as high change the total's loss alone."""
    target = torch.tensor([[[1.0, 3.0]]])
    rates = torch.tensor([[[2.0, 6.0]]])

    def loss(rate: torch.Tensor) -> float:
        return 2 * float(poisson_multinomial(rate.expm1().log(), target).mean())  # of two bins

    assert loss(2 * rates) - loss(rates) == pytest.approx(0.2 * (8 - 4 * math.log(2)), rel=1e-4)


def test_a_scaled_softplus_has_a_gradient_however_low_it_is() -> None:
    raw = torch.tensor([[-200.0, -95.0, -15.0, -14.9, 0.0, 50.0]], requires_grad=True)
    scale = torch.tensor([[4.0]])
    found = scaled_softplus(raw, scale)
    rate = torch.nn.functional.softplus(raw.detach().double()) * 4
    assert torch.allclose(torch.nn.functional.softplus(found.detach().double()), rate, rtol=1e-5)
    (gradient,) = torch.autograd.grad(found.sum(), raw)
    assert torch.allclose(gradient[:, :3], torch.ones(1, 3), rtol=1e-4)
    assert (gradient > 0).all()


def test_pairs_become_their_means_and_weighted_differences() -> None:
    values = torch.tensor([[1.0, NAN], [3.0, 5.0], [-2.0, 0.0], [2.0, 1.0]])
    expected = torch.tensor([[2.0, NAN], [0.0, 0.5], [2 * 3.0, NAN], [4 * 3.0, 1 * 3.0]])
    torch.testing.assert_close(means_and_differences(values, torch.tensor(9.0)), expected, equal_nan=True)
