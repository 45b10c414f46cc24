"""DataModule of sequences: labelled sequences from FASTA or tables."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.data.sequences.module import SequenceDataModule

__all__ = ["SequenceDataModule"]


def __getattr__(name: str) -> Any:
    # Loaded at first use: the module needs torch, its neighbours do not.
    if name in __all__:
        from zoo.data.sequences import module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
