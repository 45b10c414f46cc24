"""The benchmark of mutagenesis compares one and the same net, and the mutants it says it does."""

import numpy as np
import pytest
import torch
from speed.bench_mutagenesis import measure, mutated, one_window, pairs, random_codes, saturation
from speed.mutagenesis_nets import folded, pair_peers, peers, random_basset

from zoo.genome.sequence import one_hot
from zoo.models.mlp import MLP


def test_the_folded_net_of_the_peers_is_the_same() -> None:
    model = random_basset(targets=3)
    codes = random_codes(2, 600)
    with torch.inference_mode():
        expected = model.predict(codes)
        torch.testing.assert_close(folded(model)(one_hot(codes)), expected, atol=2e-5, rtol=0)
        mutants = model.predict(mutated(codes[0], torch.arange(0, 600, 60), torch.zeros(10, dtype=torch.uint8)))
    assert (mutants - mutants.mean(0)).abs().max() > 0.01  # a difference of 2e-5 says something


def test_tasks_predict_the_same_mutants_in_both_ways() -> None:
    model = MLP(["one", "two"], 30, hidden=(8,)).eval()
    for task in (saturation(model, False), pairs(model, False), one_window(model)):
        rate, ratio, *_, difference = measure(task, 1)
        assert isinstance(rate, int) and isinstance(ratio, float) and ratio > 0
        assert isinstance(difference, float) and difference < 20  # millionths


def test_peers_predict_every_substitution() -> None:
    pytest.importorskip("tangermeme")
    net = torch.nn.Sequential(torch.nn.Conv1d(4, 3, 5), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(48, 2))
    codes = random_codes(1, 20)[0]
    calls = peers(net.eval(), codes, (8,))
    (full,), (fast,) = calls["full"], calls["fast"]
    raw = full()
    assert isinstance(raw, tuple)
    assert raw[1].shape == (1, 4, 20, 2)
    edits = fast()
    assert isinstance(edits, torch.Tensor) and len(edits) == 60
    is_other = one_hot(codes[None])[0] == 0
    np.testing.assert_allclose(raw[1][0][is_other].numpy(), edits.detach().numpy(), atol=1e-5)


def test_peers_predict_both_alleles_of_pairs() -> None:
    pytest.importorskip("tangermeme")
    net = torch.nn.Sequential(torch.nn.Conv1d(4, 3, 5), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(48, 2))
    reference = random_codes(6, 20)
    alternative = mutated(reference, torch.arange(6), (reference[torch.arange(6), torch.arange(6)] + 1) % 4)
    (call,) = pair_peers(net.eval(), reference, alternative, (4,))
    both = call()
    assert isinstance(both, tuple) and len(both) == 2
    with torch.inference_mode():
        for predicted, codes in zip(both, (reference, alternative), strict=True):
            torch.testing.assert_close(predicted, net(one_hot(codes)), atol=1e-5, rtol=0)
