"""Sequence logos as small SVG files: letters as outlines, so that no font is needed."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["consensus", "draw_logo", "informative"]

_LETTERS = "ACGT"
# Readable on white and on black.
_COLOURS = {"A": "#1f9d55", "C": "#3178c6", "G": "#e0930f", "T": "#d64545"}
_WIDTH, _HEIGHT = 13.0, 76.0  # of a position, and of a row
_LEFT, _TOP, _BELOW, _RIGHT = 44.0, 8.0, 20.0, 6.0  # margins
_ROW = 84  # positions, at most
_FLAT = 0.25  # a letter that would be lower is not drawn
_STYLE = (
    "text{font:10px system-ui,sans-serif;fill:#5b6470}line{stroke:#9aa3ad;stroke-width:.8}"
    "@media(prefers-color-scheme:dark){text{fill:#a9b3be}}"
)
Heights = NDArray[np.float64]


@cache
def _outline(letter: str) -> str:
    """The outline of a letter in a box of 100 x 100, as the path of an SVG; y points down."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), letter, size=100, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    low, high = path.vertices.min(0), path.vertices.max(0)
    words = []
    for points, code in path.iter_segments():
        corners = (np.asarray(points).reshape(-1, 2) - low) / (high - low) * 100
        numbers = " ".join(f"{x:.1f} {100 - y:.1f}" for x, y in corners)
        words.append({1: f"M{numbers}", 2: f"L{numbers}", 3: f"Q{numbers}", 4: f"C{numbers}"}.get(int(code), "Z"))
    return "".join(words)


def draw_logo(
    path: Path, heights: Heights, limits: tuple[float, float], unit: str = "", first: int = 1, axes: bool = True
) -> tuple[int, int]:
    """Write a logo: at each position letters one above the other, the lowest at the axis; negative ones below it.

    Args:
        path: the SVG to write.
        heights: heights of the letters (P, 4), in the order A C G T.
        limits: lower and upper end of the axis.
        unit: unit of the heights.
        first: number of the first position.
        axes: draw axes; without them the logo is a small picture of its own.

    Returns:
        Width and height in pixels.
    """
    rows = -(-len(heights) // _ROW)
    length = -(-len(heights) // rows)
    left, top, below, right = (_LEFT, _TOP, _BELOW, _RIGHT) if axes else (0.0, 0.0, 0.0, 0.0)
    width = left + _WIDTH * length + right
    height = rows * (top + _HEIGHT + below)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}"><style>{_STYLE}</style><defs>',
        *(f'<path id="{letter}" fill="{_COLOURS[letter]}" d="{_outline(letter)}"/>' for letter in _LETTERS),
        "</defs>",
    ]
    for row in range(rows):
        some = heights[row * length : (row + 1) * length]
        y = row * (top + _HEIGHT + below) + top
        parts += _axes(some, limits, y, unit, first + row * length) if axes else []
        parts += _letters(some, limits, left, y)
    path.write_text("".join([*parts, "</svg>\n"]), encoding="utf-8")
    return round(width), round(height)


def _letters(heights: Heights, limits: tuple[float, float], left: float, top: float) -> list[str]:
    """The letters of one row."""
    low, high = limits
    scale = _HEIGHT / (high - low)
    zero = top + high * scale
    parts = []
    for position, column in enumerate(heights):
        x = left + position * _WIDTH
        up, down = zero, zero
        for base in np.argsort(np.abs(column), kind="stable"):
            size = abs(float(column[base])) * scale
            if size < _FLAT:
                continue
            y = up - size if column[base] > 0 else down
            up, down = (y, down) if column[base] > 0 else (up, down + size)
            matrix = f"{(_WIDTH - 0.8) / 100:g} 0 0 {size / 100:.4f} {x + 0.4:g} {y:.2f}"
            parts.append(f'<use href="#{_LETTERS[base]}" transform="matrix({matrix})"/>')
    return parts


def _axes(heights: Heights, limits: tuple[float, float], top: float, unit: str, first: int) -> list[str]:
    """The axes of one row: both ends of the heights, and every fifth or tenth position."""
    low, high = limits
    zero = top + high * _HEIGHT / (high - low)
    end = _LEFT + len(heights) * _WIDTH
    parts = [
        f'<line x1="{_LEFT:g}" y1="{top:g}" x2="{_LEFT:g}" y2="{top + _HEIGHT:g}"/>',
        f'<line x1="{_LEFT:g}" y1="{zero:.2f}" x2="{end:g}" y2="{zero:.2f}"/>',
    ]
    ticks = {high: top + 4, 0.0: zero + 3, low: top + _HEIGHT + 3}
    parts += [f'<text x="{_LEFT - 4:g}" y="{y:.2f}" text-anchor="end">{tick:g}</text>' for tick, y in ticks.items()]
    middle = top + _HEIGHT / 2
    parts.append(f'<text x="9" y="{middle:g}" text-anchor="middle" transform="rotate(-90 9 {middle:g})">{unit}</text>')
    step = 5 if len(heights) <= _ROW // 2 else 10
    for position in range(first, first + len(heights)):
        if position % step == 0 or position == first:
            x = _LEFT + (position - first + 0.5) * _WIDTH
            parts.append(f'<text x="{x:g}" y="{top + _HEIGHT + 13:g}" text-anchor="middle">{position}</text>')
    return parts


def consensus(heights: Heights) -> str:
    """The highest letter of each position: a capital from 1 bit on, small from 0.3 bits on, else a dot."""
    totals = heights.sum(1)
    letters = [_LETTERS[int(column.argmax())] for column in heights]
    return "".join(
        letter if total >= 1 else letter.lower() if total >= 0.3 else "."
        for letter, total in zip(letters, totals, strict=True)
    ).strip(".")


def informative(heights: Heights, most: int) -> Heights:
    """The window of at most so many positions in which the letters are highest together."""
    if len(heights) <= most:
        return heights
    sums = np.convolve(np.abs(heights).sum(1), np.ones(most), "valid")
    start = int(sums.argmax())
    return heights[start : start + most]
