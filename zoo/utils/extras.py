"""Optional dependencies: which extra of the package `regzoo` installs them, and a sentence when one is missing."""

from importlib.util import find_spec

from zoo.errors import MissingExtraError

__all__ = ["EXTRAS", "missing_extra", "require_extra"]

# Extra -> the modules that it installs, as in pyproject.toml.
EXTRAS: dict[str, tuple[str, ...]] = {
    "tracks": ("pandas", "pyBigWig", "scipy"),
    "contacts": ("cooler", "h5py", "pandas", "pyBigWig", "scipy"),
    "plots": ("matplotlib",),
    "train": ("bioframe", "jsonargparse", "matplotlib", "pandas", "scipy", "tensorboard"),
    "rdata": ("rdata",),
}


def require_extra(extra: str, purpose: str) -> None:
    """Check before any work that an extra is installed.

    Args:
        extra: a key of `EXTRAS`.
        purpose: what needs it, such as `writing bigWig files`: the beginning of the sentence.

    Raises:
        MissingExtraError: a module of it is missing.
    """
    missing = [module for module in EXTRAS[extra] if find_spec(module) is None]
    if missing:
        raise MissingExtraError(f"{purpose} needs {', '.join(missing)}: pip install 'regzoo[{extra}]'")


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """Turn a failed import into a sentence that names the extra; None for a module that no extra installs."""
    module = (error.name or "").split(".")[0]
    extras = [extra for extra, modules in EXTRAS.items() if module in modules]
    if not extras:
        return None
    return MissingExtraError(f"this needs {module}, which is not installed: pip install 'regzoo[{extras[0]}]'")
