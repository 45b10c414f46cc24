"""Optional dependencies: which extra of the package `regzoo` installs them, and a sentence when one is missing."""

from collections.abc import Sequence
from importlib.util import find_spec

from zoo.errors import MissingExtraError

__all__ = ["EXTRAS", "missing_extra", "require_extras"]

# Extra -> the modules that it installs, as in pyproject.toml.
_TRACKS = ("pandas", "scipy")
_CONTACTS = ("cooler", "h5py", *_TRACKS)
_TRAIN = ("bioframe", "jsonargparse", "matplotlib", "tensorboard", *_CONTACTS)
EXTRAS: dict[str, tuple[str, ...]] = {
    "tracks": _TRACKS,
    "contacts": _CONTACTS,
    "plots": ("matplotlib",),
    "site": ("jinja2", "markdown_it", "matplotlib"),
    "parquet": ("pyarrow",),
    "train": _TRAIN,
    "tune": ("optuna", *_TRAIN),
    "rdata": ("rdata",),
    "variants": ("pysam",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "benchmarks": ("akita_torch", "pyBigWig", "pyfaidx", "rdata", "sklearn", *_TRAIN),
}


def require_extras(extras: Sequence[str], purpose: str) -> None:
    """Check before any work that extras are installed.

    Args:
        extras: keys of `EXTRAS`.
        purpose: what needs them, such as `predicting tracks`: the beginning of the sentence.

    Raises:
        MissingExtraError: a module of them is missing.
    """
    missing = {extra: [module for module in EXTRAS[extra] if find_spec(module) is None] for extra in extras}
    modules = dict.fromkeys(module for names in missing.values() for module in names)
    if modules:
        wanted = ",".join(extra for extra, names in missing.items() if names)
        raise MissingExtraError(f"{purpose} needs {', '.join(modules)}: pip install 'regzoo[{wanted}]'")


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """Turn a failed import into a sentence that names the extra; None for a module that no extra installs."""
    module = (error.name or "").split(".")[0]
    extras = [extra for extra, modules in EXTRAS.items() if module in modules]
    if not extras:
        return None
    return MissingExtraError(f"this needs {module}, which is not installed: pip install 'regzoo[{extras[0]}]'")
