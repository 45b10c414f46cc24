"""Intervals: half-open coordinates, labels, and windows around a centre."""

import pytest

from zoo.errors import InputError
from zoo.genome.intervals import Interval, parse_region


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


@pytest.mark.parametrize(
    "text",
    [
        "chr1:0-2147483648",
        "chr1:0-99999999999999999999",
        "chr1:5-٥٠",
        f"chr1:0-{'9' * 5000}",
        "chr1:-",
        "chr1:5-5",
        "chr1",
    ],
)
def test_a_region_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="the region 'chr1") as refusal:
        parse_region(text)
    assert len(str(refusal.value)) < 200


def test_a_region_is_read() -> None:
    assert parse_region("HLA:A:1,000-2147483647") == Interval("HLA:A", 1_000, 2_147_483_647)
