"""DataModule of tracks: a genome and bigWigs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.data.tracks.module import TrackDataModule

__all__ = ["TrackDataModule"]


def __getattr__(name: str) -> Any:
    # Loaded at first use: the module needs torch, its neighbours do not.
    if name in __all__:
        from zoo.data.tracks import module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
