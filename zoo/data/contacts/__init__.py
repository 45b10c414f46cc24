"""DataModule of contact maps: a genome and coolers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.data.contacts.module import ContactDataModule

__all__ = ["ContactDataModule"]


def __getattr__(name: str) -> Any:
    # Loaded at first use: the module needs torch, its neighbours do not.
    if name in __all__:
        from zoo.data.contacts import module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
