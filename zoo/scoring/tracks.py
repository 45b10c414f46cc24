"""Evaluation of tracks."""

from zoo.scoring.windows import WindowUnits

__all__ = ["TrackUnits"]


class TrackUnits(WindowUnits):
    """Windows of tracks: Pearson r, R2 and Spearman's rank correlation of all bins."""
