"""What pictures show, read from their axes: units, scales, positions, square maps; and epochs as whole numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.genome.intervals import Interval
from zoo.plots.contacts import draw_contact_maps
from zoo.plots.mutagenesis import MutatedSequence, draw_mutagenesis
from zoo.plots.positions import label_positions
from zoo.plots.tracks import draw_tracks
from zoo.plots.training import draw_learning_curve
from zoo.plots.variants import draw_allele_maps, draw_allele_tracks, draw_effects

figure_module = pytest.importorskip("matplotlib.figure")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The figures that are drawn from now on, after they were laid out."""
    drawn: list[Any] = []
    save = figure_module.Figure.savefig

    def saving(figure: Any, *arguments: Any, **options: Any) -> None:
        save(figure, *arguments, **options)
        drawn.append(figure)

    monkeypatch.setattr(figure_module.Figure, "savefig", saving)
    yield drawn


@pytest.mark.parametrize(
    ("bounds", "unit", "labels"),
    [
        ((30_000_000, 32_000_000), "Mb", ["30.0", "30.5", "31.0", "31.5", "32.0"]),
        ((200_000, 500_000), "Mb", ["0.2", "0.3", "0.4", "0.5"]),
        ((100_000, 120_000), "kb", ["100", "105", "110", "115", "120"]),
        ((1_000, 2_000), "bp", ["1,000", "1,200", "1,400", "1,600", "1,800", "2,000"]),
        ((0, 8), "bp", ["0", "2", "4", "6", "8"]),
    ],
)
def test_positions_have_the_unit_of_their_span(bounds: tuple[int, int], unit: str, labels: list[str]) -> None:
    axes = figure_module.Figure().subplots()
    axes.set_xlim(*bounds)
    assert label_positions(axes.xaxis, bounds) == unit
    axes.figure.canvas.draw()
    ticks = [
        text for text, at in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True) if bounds[0] <= at <= bounds[1]
    ]
    assert [text.get_text() for text in ticks] == labels


def map_of(bins: int) -> np.ndarray[Any, Any]:
    values = np.random.default_rng(0).normal(size=(bins, bins)).astype(np.float32)
    return values + values.T


@pytest.mark.parametrize("features", [{}, {"genes.bed": [Interval("chr1", 1_100_000, 1_200_000)]}])
@pytest.mark.parametrize("measured", [False, True])
def test_contact_maps_are_square_of_one_size_and_aligned(
    features: dict[str, list[Interval]], measured: bool, figures: list[Any], tmp_path: Path
) -> None:
    maps = {"one": map_of(40), "two": map_of(40)}
    other = map_of(40) if measured else None
    place, notes = ("chr1", 1_000_000, 10_000), ("smoothed", "smoothed")
    draw_contact_maps(tmp_path / "a.png", *place, maps, other, features, "mine", notes)
    (figure,) = figures
    count = 2 + measured
    shown = [axes for axes in figure.axes if axes.images]
    boxes = [axes.get_window_extent() for axes in shown]
    assert len(shown) == count
    assert all(abs(box.width - box.height) < 1 for box in boxes)
    assert max(box.width for box in boxes) - min(box.width for box in boxes) < 1
    assert max(box.y0 for box in boxes) - min(box.y0 for box in boxes) < 1
    titles = [axes.title.get_window_extent().y0 for axes in shown]
    assert max(titles) - min(titles) < 1
    assert [axes.get_title() for axes in shown] == ["measured"] * measured + ["one, predicted", "two, predicted"]
    others = [axes for axes in figure.axes if not axes.images and "log(" not in axes.get_ylabel()]
    below = [axes for axes in others if axes.collections] if features else []
    for axes, box in zip(below, boxes, strict=False):
        assert abs(axes.get_window_extent().x0 - box.x0) < 1
        assert abs(axes.get_window_extent().x1 - box.x1) < 1
    texts = [axes.get_xlabel() for axes in figure.axes] + [axes.get_ylabel() for axes in figure.axes]
    assert texts.count("chr1 (Mb)") == count + 1
    assert "log(observed/expected), smoothed" in texts


def test_maps_that_are_smoothed_differently_say_so_in_their_titles(figures: list[Any], tmp_path: Path) -> None:
    notes = "", "Gaussian of 2 bins"
    draw_contact_maps(tmp_path / "a.png", "chr1", 0, 10_000, {"one": map_of(9)}, map_of(9), {}, "mine", notes)
    assert [axes.get_title() for axes in figures[0].axes if axes.images] == [
        "measured",
        "one, predicted, Gaussian of 2 bins",
    ]
    assert "log(observed/expected)" in [axes.get_ylabel() for axes in figures[0].axes]


def test_tracks_have_their_units_and_scales(figures: list[Any], tmp_path: Path) -> None:
    edges = np.arange(0, 1_001, 10)
    tracks = {
        name: np.linspace(low, high, 100, dtype=np.float32)
        for name, low, high in (("a", 0, 1), ("b", 1, 10), ("c", -2, 3))
    }
    units = {"a": "reads", "b": "reads", "c": "log2"}
    measured = {"a": np.full(100, 4, np.float32)}
    for same in (False, True):
        draw_tracks(tmp_path / "a.png", "chr1", edges, tracks, measured, "mine", units, same)
    own, same_scale = ([axes.get_ylim() for axes in figure.axes] for figure in figures)
    np.testing.assert_allclose(own, [(0, 4.24), (0, 10.6), (-2.12, 3.18)], rtol=1e-5)
    np.testing.assert_allclose(same_scale, [(0, 10.6), (0, 10.6), (-2.12, 3.18)], rtol=1e-5)
    labels = [axes.get_ylabel() for axes in figures[0].axes]
    assert labels == ["a\n(reads)", "b\n(reads)", "c\n(log2)"]
    assert figures[0].axes[-1].get_xlabel() == "chr1 (bp)"


def test_tracks_without_a_value_are_drawn(figures: list[Any], tmp_path: Path) -> None:
    draw_tracks(tmp_path / "a.png", "chr1", np.arange(0, 41, 4), {"a": np.full(10, np.nan, np.float32)}, {}, "mine")
    assert figures[0].axes[0].get_ylim() == pytest.approx((0, 1.06))


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 40])
def test_epochs_are_whole_numbers(epochs: int, figures: list[Any], tmp_path: Path) -> None:
    (tmp_path / "log_0").mkdir()
    rows = [f"{epoch},{1 / (1 + epoch)}" for epoch in range(epochs)]
    (tmp_path / "log_0" / "metrics.csv").write_text("\n".join(["epoch,val_loss", *rows]) + "\n")
    draw_learning_curve(tmp_path, tmp_path / "a.png", "mine")
    ticks = figures[0].axes[0].get_xticks()
    assert all(float(tick).is_integer() for tick in ticks)
    (line,) = figures[0].axes[0].lines
    assert list(line.get_xdata()) == list(range(1, epochs + 1))


def test_stems_of_variants_end_at_their_scores(figures: list[Any], tmp_path: Path) -> None:
    effects = {"a": np.array([0.5, -2.0, np.nan]), "b": np.array([1.0, 1.0, 1.0])}
    region = "chr1", 100, 200
    draw_effects(tmp_path / "a.png", region, [110, 150, 190], ["x", "y", "z"], effects, "log_odds", "mlp.a")
    first, second = figures[0].axes
    assert first.collections[1].get_offsets().tolist() == [[110.5, 0.5], [150.5, -2.0]]
    assert [text.get_text() for text in first.texts] == ["x", "y"]  # the third has no score
    assert second.get_xlim() == (100, 200)
    assert second.get_xlabel() == "chr1 (bp)"


def test_alleles_are_drawn_with_their_difference(figures: list[Any], tmp_path: Path) -> None:
    reference, alternative = np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 2.5])
    edges = np.array([0, 16, 32, 48])
    draw_allele_tracks(tmp_path / "a.svg", "chr1", edges, {"t": (reference, alternative)}, 20, "x", {"t": "coverage"})
    upper, lower = figures[0].axes
    assert [patch.get_data().values.tolist() for patch in upper.patches] == [reference.tolist(), alternative.tolist()]
    assert lower.patches[0].get_data().values.tolist() == [0.0, 2.0, -0.5]
    assert upper.get_ylabel() == "t\n(coverage)"
    maps = np.array([[np.nan, 1.0], [1.0, np.nan]]), np.array([[np.nan, -1.0], [-1.0, np.nan]])
    draw_allele_maps(tmp_path / "a.png", "chr1", (0, 4_000), {"t": maps}, 2_000, "x")
    images = [axes.images[0] for axes in figures[1].axes[:3]]
    assert images[2].get_array()[0, 1] == -2.0
    assert [image.get_clim() for image in images] == [(-1, 1), (-1, 1), (-2, 2)]


def test_letters_are_as_high_as_the_loss_without_them(figures: list[Any], tmp_path: Path) -> None:
    change = np.zeros((3, 4), np.float32)
    change[0, 1:] = -0.3, -0.6, 0  # of the A; the mean loss is .3
    change[2, :3] = 0.9, 0, 0  # of the T, which lowers the prediction by .3
    draw_mutagenesis(tmp_path / "a.png", [MutatedSequence("one", 10, "ACT", change)], "x")
    logo, heat = figures[0].axes[:2]
    boxes = [patch.get_path().get_extents() for patch in logo.patches]
    assert len(boxes) == 2  # the C does not matter
    assert [round(box.y1, 6) for box in boxes] == [0.3, 0.0]
    assert [round(box.y0, 6) for box in boxes] == [0.0, -0.3]
    assert boxes[1].x0 < 12 < boxes[1].x1
    assert heat.images[0].get_array().shape == (4, 3)
    long = MutatedSequence("two", 0, "A" * 200, np.ones((200, 4), np.float32))
    draw_mutagenesis(tmp_path / "a.svg", [long], "x")
    assert len(figures[1].axes[0].patches) == 200  # bars
