"""Scores of each kind against numpy, scipy and cases computed by hand."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.special import logit

from zoo.errors import ConfigError
from zoo.models.akita import Akita
from zoo.models.basenji import Basenji
from zoo.models.basset import Basset
from zoo.models.mlp import MLP
from zoo.outputs import Contacts, Tracks
from zoo.variants.choose import scores_for


def test_log_odds_are_exact_where_probabilities_are_ties() -> None:
    scores = scores_for(MLP(["a", "b"], 4, hidden=(2,)), ["log_odds", "difference"])
    ref, alt = torch.tensor([[30.0, -1.0]]), torch.tensor([[33.0, 2.0]])
    values = scores.compute([ref], [alt], torch.tensor([2.0]))
    assert values[0, 0].tolist() == [3.0, 3.0]
    assert values[0, 1, 0] == 0  # both probabilities are 1 in float32
    # The mean over strands is one of probabilities.
    other = torch.tensor([[1.0, 0.5]])
    p, q = (torch.sigmoid(one.double()).mean(0)[0, 1].item() for one in (torch.stack([ref, other]), alt[None]))
    both = scores.compute([ref, other], [alt, alt], torch.tensor([2.0]))
    assert both[0, 0, 1].item() == pytest.approx(logit(q) - logit(p), abs=1e-12)


def test_measured_labels_have_differences_and_no_odds() -> None:
    model = MLP(["a"], 4, hidden=(2,), loss="mean_squared_error")
    scores = scores_for(model)
    assert scores.names == ["difference", "ref", "alt"]
    values = scores.compute([torch.tensor([[1.5]])], [torch.tensor([[1.0]])], torch.tensor([2.0]))
    assert values[0, :, 0].tolist() == [-0.5, 1.5, 1.0]
    with pytest.raises(ConfigError, match=r"the model has no score 'log_odds': it has difference, ref, alt"):
        scores_for(model, ["log_odds"])
    with pytest.raises(ConfigError, match="named twice"):
        scores_for(model, ["ref", "ref"])
    with pytest.raises(ConfigError, match="within is for models of tracks"):
        scores_for(Basset(["a"], 600), within=10)


@pytest.fixture(scope="module")
def tracks() -> Basenji:
    model = Basenji(["a", "b"])
    model.output = Tracks(("a", "b"), 6, 10, crop=20)
    return model


def test_scores_of_tracks_are_sums_and_divergences(tracks: Basenji) -> None:
    rng = np.random.default_rng(0)
    raw = [torch.from_numpy(rng.normal(size=(3, 2, 6)).astype(np.float32)) for _ in range(2)]
    ref, alt = (torch.nn.functional.softplus(one).double().numpy() for one in raw)
    scores = scores_for(tracks)
    values = scores.compute([raw[0]], [raw[1]], torch.full((3,), 50.0)).numpy()
    by_name = dict(zip(scores.names, values.transpose(1, 0, 2), strict=True))
    assert by_name["sum_difference"] == pytest.approx((alt - ref).sum(-1), abs=1e-5)
    assert by_name["absolute_difference"] == pytest.approx(np.abs(alt - ref).sum(-1), abs=1e-5)
    assert by_name["log2_ratio"] == pytest.approx(np.log2((alt.sum(-1) + 1) / (ref.sum(-1) + 1)), abs=1e-5)
    assert by_name["jsd"] == pytest.approx(jensenshannon(ref, alt, base=2, axis=-1) ** 2, abs=1e-6)
    same = scores_for(tracks, ["jsd"]).compute([raw[0]], [raw[0]], torch.full((3,), 50.0))
    assert same.abs().max() < 1e-12


def test_only_bins_near_the_change_count(tracks: Basenji) -> None:
    # Bins of 10 bases from base 20 on: their middles are 25, 35, ..., 75.
    raw = torch.zeros(2, 2, 6)
    raw[:, :, 2] = 5
    scores = scores_for(tracks, ["sum_difference"], within=10)
    values = scores.compute([torch.zeros(2, 2, 6)], [raw], torch.tensor([50.0, 60.0]))
    change = math.log1p(math.exp(5)) - math.log(2)
    assert values[:, 0, 0].tolist() == pytest.approx([change, 0])  # 45 is within 10 of 50, not of 60
    with pytest.raises(ConfigError, match="within 4 bases there is no bin of 10 bases"):
        scores_for(tracks, within=4)
    with pytest.raises(ConfigError, match="no bin near a change"):
        scores.compute([raw], [raw], torch.tensor([5.0, 50.0]))


def test_scores_of_maps_are_of_their_pixels() -> None:
    model = Akita(["a"])
    model.output = output = Contacts(("a",), 12, 100, crop=200, diagonal=2)
    rows, columns = output.pixels()
    raw = torch.zeros(1, 1, len(rows))
    raw[0, 0, (rows == 4) & (columns == 8)] = -3.0  # across bin 6
    raw[0, 0, (rows == 0) & (columns == 3)] = 1.0  # not across it
    scores = scores_for(model)
    values = scores.compute([torch.zeros_like(raw)], [raw], torch.tensor([850.0]))  # (850 - 200) // 100 = 6
    across = ((rows <= 6) & (columns >= 6)).sum().item()
    assert values[0, :, 0].tolist() == pytest.approx([4 / len(rows), 3.0, -3 / across])
