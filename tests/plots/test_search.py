"""The picture of a search: heights of its panels, and trials of every state."""

from pathlib import Path

import pytest

from zoo.plots.search import SearchPoint, _limits, draw_search


def test_very_bad_trials_do_not_squeeze_the_others_together() -> None:
    assert _limits([0.3, 0.4, 0.5], "min") == pytest.approx((0.29, 0.51))
    assert _limits([0.3, 0.4, 50.0], "min") == pytest.approx((0.3 - 0.025, 0.8 + 0.025))  # 5 times from best to median
    assert _limits([0.9, 0.8, -30.0], "max") == pytest.approx((0.4 - 0.025, 0.9 + 0.025))
    assert _limits([0.5], "max") == pytest.approx((0.475, 0.525))
    assert _limits([], "min") == (0.0, 1.0)


@pytest.mark.slow
def test_trials_of_every_state_are_drawn(tmp_path: Path) -> None:
    points = [
        SearchPoint(0, "complete", 0.5, {"optimizer": "torch.optim.SGD", "optimizer.lr": "0.1"}),
        SearchPoint(1, "pruned", 9.0, {"optimizer": "torch.optim.AdamW", "optimizer.lr": "0.01"}),
        SearchPoint(2, "failed", None, {"optimizer": "torch.optim.SGD", "optimizer.lr": "1e-05"}),
    ]
    choices = {"optimizer": ["torch.optim.SGD", "torch.optim.AdamW"], "optimizer.lr": None}
    for shown, importances in ((points, {"optimizer": 0.8, "optimizer.lr": 0.2}), (points[2:], {})):
        picture = tmp_path / f"{len(shown)}.png"
        draw_search(picture, shown, choices, {"optimizer.lr"}, importances, "val_loss", "min", "mine")
        assert picture.read_bytes().startswith(b"\x89PNG")
