"""Intervals: half-open coordinates, labels, and windows around a centre."""

import pytest

from zoo.genome.intervals import Interval


def test_an_interval_is_half_open() -> None:
    assert len(Interval("chr1", 10, 12)) == 2
    assert str(Interval("chr1", 10, 12)) == "chr1:10-12"
    assert str(Interval("chr1", 10, 12, strand="-")) == "chr1:10-12(-)"


def test_a_label_is_the_name_or_else_the_coordinates() -> None:
    assert Interval("chr1", 10, 12, "peak").label == "peak"
    assert Interval("chr1", 10, 12).label == "chr1:10-12"


@pytest.mark.parametrize(
    ("length", "start", "end"),
    [(4, 13, 17), (10, 10, 20), (12, 9, 21), (40, -5, 35), (2, 14, 16)],
)
def test_resizing_keeps_the_centre(length: int, start: int, end: int) -> None:
    assert Interval("chr1", 10, 20, "peak", "-").resized(length) == Interval("chr1", start, end, "peak", "-")


def test_a_summit_stays_in_the_middle_of_an_odd_window() -> None:
    # 100 is one base; 50 bases lie on each side of it.
    assert Interval("chr1", 100, 101).resized(101) == Interval("chr1", 50, 151)
