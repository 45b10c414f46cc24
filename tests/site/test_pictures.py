"""What pictures of a model say, against nets of which it is known on paper."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from zoo.genome.sequence import one_hot
from zoo.models.basset import Basset
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.conv_stack import ConvStackConfig
from zoo.nn.filters import HasFilterBank
from zoo.nn.motifs import MotifConfig
from zoo.site.filters import FilterMotifs, information, strongest_filters
from zoo.site.labels import draw
from zoo.site.logo import consensus, draw_logo, informative
from zoo.site.mutations import base_effects
from zoo.site.network import Network
from zoo.site.pictures import labels_in_picture
from zoo.site.scores import draw_scores

EBOX = "CACGTG"


def planted(strands: str = "forward") -> Any:
    """A net of four filters, of which the second alone is an E-box and counts, by 3 for each unit over 5."""
    config: Any = {"filters": 4, "width_bases": 8, "strands": strands}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: Any = DeepBind(["a", "b"], 40, config).eval()
    with torch.no_grad():
        model.trunk.filters.normal_(std=0.1)
        model.trunk.filters[1].zero_()
        for position, letter in enumerate(EBOX):
            model.trunk.filters[1, "ACGT".index(letter), position + 1] = 1.0
        model.trunk.biases[1] = -5.0
        last = model.head.layers[-1]
        last.weight.zero_()
        last.bias.zero_()
        last.weight[0, 1, 1] = 3.0
    return model


def strongest(model: DeepBind) -> FilterMotifs:
    network = Network(model)
    assert isinstance(network.trunk, HasFilterBank)
    with torch.inference_mode():
        motifs = strongest_filters(network, network.trunk.filter_bank())
    assert motifs is not None
    return motifs


@pytest.mark.parametrize("strands", ["forward", "best_score", "best_filter"])
def test_the_filter_that_counts_comes_first_with_its_motif_and_effect(strands: str) -> None:
    motifs = strongest(planted(strands))
    first = motifs.motifs[0]
    # Its response to an E-box is 1; without it, the second target is 3 lower, and the first does not change.
    assert (first.index, first.target, motifs.filters, motifs.considered) == (1, 1, 4, 4)
    assert first.effect == pytest.approx(1.5) and first.change == pytest.approx(3.0)
    assert [motif.effect for motif in motifs.motifs[1:]] == [0, 0, 0]
    assert consensus(information(first.counts)) == EBOX
    # 25,000 random sequences of 33 positions hold an E-box about 201 times.
    assert 140 < first.subsequences < 270


def test_responses_are_those_of_the_net() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        basset: Any = Basset(["a"], 30, ConvStackConfig((5, 4), (7, 3), (1, 1)), hidden=(6,)).eval()
    norm = basset.trunk.blocks[0].norm
    with torch.no_grad():
        for tensor in (norm.running_mean, norm.weight, norm.bias):
            tensor.normal_()
        norm.running_var.uniform_(0.5, 2)
    codes = torch.randint(0, 4, (3, 30)).to(torch.uint8)
    kept: list[torch.Tensor] = []
    basset.trunk.blocks[0].activation.register_forward_hook(lambda *call: kept.append(call[2]))
    basset.raw(codes)
    responses = basset.trunk.filter_bank().responses(one_hot(codes), torch.arange(5)).relu()
    torch.testing.assert_close(responses, kept[0].squeeze(2))


def test_a_silenced_filter_is_the_net_without_it_and_comes_back() -> None:
    model, codes = planted("best_score"), torch.randint(0, 4, (6, 40)).to(torch.uint8)
    before = model.raw(codes)
    with torch.no_grad():
        other = planted("best_score")
        other.trunk.filters[1].zero_()
        other.trunk.biases[1] = -1.0
    with model.trunk.filter_bank().silenced(1):
        torch.testing.assert_close(model.raw(codes), other.raw(codes))
    torch.testing.assert_close(model.raw(codes), before, rtol=0, atol=0)


def test_of_an_ensemble_the_first_net_is_looked_at() -> None:
    codes = torch.randint(0, 4, (5, 40)).to(torch.uint8)
    deepbind: Any = DeepBind(["a"], 40, MotifConfig(filters=3, width_bases=5), ensemble_members=2).eval()
    basset: Any = Basset(["a"], 40, ConvStackConfig((4,), (5,), (4,)), hidden=(3,), ensemble_members=2).eval()
    for model, filters in ((deepbind, 3), (basset, 4)):
        network = Network(model)
        first = network.raw(network.random(5)._replace(codes=codes))
        members = model.head.member_outputs(model.trunk(model.encode(codes)))
        torch.testing.assert_close(first, members[:, 0])
        assert network.members == 2
        assert isinstance(network.trunk, HasFilterBank)
        assert len(network.trunk.filter_bank().weight) == filters


def test_effects_of_bases_of_a_linear_net_are_its_weights() -> None:
    model = MLP(["a"], 12, hidden=()).eval()
    (layer,) = [module for module in model.modules() if isinstance(module, nn.Linear)]
    with torch.inference_mode():
        effects = base_effects(Network(model))
    assert effects is not None and effects.start == 0
    weights = layer.weight.detach().view(12, 4)
    expected = weights - weights.mean(1, keepdim=True)
    np.testing.assert_allclose(effects.effects, expected.numpy(), atol=1e-5)


def test_letters_are_as_high_as_their_information() -> None:
    counts = np.array([[1000, 0, 0, 0], [500, 500, 0, 0], [250, 250, 250, 250]])
    correction = 3 / (2 * np.log(2) * 1000)  # Schneider and Stephens 1990
    np.testing.assert_allclose(information(counts)[0], [2 - correction, 0, 0, 0])
    np.testing.assert_allclose(information(counts)[1], [(1 - correction) / 2, (1 - correction) / 2, 0, 0])
    assert information(counts)[2].sum() == 0  # not below


def test_a_logo_draws_each_letter_at_its_height(tmp_path: Path) -> None:
    heights = np.array([[0.5, 0, 0, 1.5], [-1.0, 0, 0.5, 0]])
    assert draw_logo(tmp_path / "a.svg", heights, (-2.0, 2.0), axes=False) == (26, 76)
    text = (tmp_path / "a.svg").read_text()
    letters = re.findall(r'<use href="#(.)" transform="matrix\(\S+ 0 0 (\S+) (\S+) (\S+)\)"', text)
    unit = 76 / 4  # pixels
    drawn = [(letter, float(size) * 100 / unit, float(y) / unit) for letter, size, _, y in letters]
    expected = [("A", 0.5, 1.5), ("T", 1.5, 0.0), ("G", 0.5, 1.5), ("A", 1.0, 2.0)]  # letter, height, top from 2 down
    assert [one[0] for one in drawn] == [one[0] for one in expected]
    np.testing.assert_allclose([one[1:] for one in drawn], [one[1:] for one in expected], atol=1e-3)
    long = np.tile(heights, (100, 1))
    draw_logo(tmp_path / "b.svg", long, (-2.0, 2.0), "log-odds", first=11)
    assert re.findall(r'middle">(\d+)<', (tmp_path / "b.svg").read_text())[:2] == ["11", "20"]
    assert len(informative(long, 14)) == 14


def test_predictions_that_are_not_finite_are_not_drawn(tmp_path: Path) -> None:
    model = MLP(["a"], 12, hidden=()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(3e38)
    with torch.inference_mode():
        gallery = draw(model, {}, tmp_path)
    assert "no numbers" in gallery.text and not list(tmp_path.iterdir())


def test_labels_in_pictures_are_no_formulas_and_no_two_alike() -> None:
    assert labels_in_picture(["a", "b$x_1$"]) == ["a", r"b\$x_1\$"]
    assert labels_in_picture(["\u4e2d", "\u6587"]) == ["1 ?", "2 ?"]
    assert {len(label) for label in labels_in_picture(["x" * 900, "y"])} == {40, 1}


def test_the_spread_of_scores_is_drawn_where_targets_are_many(tmp_path: Path) -> None:
    scores = {"auroc": [0.5, None, 0.6, 0.7, 0.8, 0.9], "few": [0.1, None, None, None, None, None]}
    (picture,) = draw_scores(scores, tmp_path)
    assert picture.caption == "Test auroc of 5 targets: median 0.700, from 0.500 to 0.900; 1 have none."
    bars = re.findall(r'<rect [^>]*height="([\d.]+)"', (tmp_path / picture.file).read_text())
    assert len(bars) == 5 and len(set(bars)) == 1
