"""DataModule of peaks: sites of a genome and the peak files that cover them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.data.peaks.module import PeakDataModule

__all__ = ["PeakDataModule"]


def __getattr__(name: str) -> Any:
    # Loaded at first use: the module needs torch, its neighbours do not.
    if name in __all__:
        from zoo.data.peaks import module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
