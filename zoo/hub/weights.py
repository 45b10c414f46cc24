"""Safetensors files of a checkpoint: their headers, and whether a model's tensors are those that they list."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from zoo.errors import IntegrityError
from zoo.utils.text import shorten, some_of

__all__ = ["TensorForm", "check_forms", "check_numbers", "forms_of", "read_forms", "read_tensors"]

# Bytes of a header; one tensor takes about a hundred.
_LARGEST_HEADER = 8 << 20
_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


class TensorForm(NamedTuple):
    """Type of the values of a tensor, as safetensors calls it, and its shape."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


def read_forms(path: Path) -> dict[str, TensorForm]:
    """Read the header of a safetensors file: type and shape of each tensor, by name.

    Raises:
        IntegrityError: not a whole safetensors file, or a header that is very large.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
        if size > _LARGEST_HEADER:
            raise IntegrityError(
                f"{path} is not a whole safetensors file: its header would have {size:,} bytes, where "
                f"{_LARGEST_HEADER:,} are read"
            )
        with safe_open(path, "pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  (it is no dict)
            return {name: TensorForm(one.get_dtype(), tuple(one.get_shape())) for name, one in slices.items()}
    except (SafetensorError, OSError) as error:
        raise _broken(path, error) from None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a safetensors file, by name; its header has been checked.

    Raises:
        IntegrityError: not a whole safetensors file.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _broken(path, error) from None


def check_numbers(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Check that no weight is NaN, of which each prediction would be NaN too.

    Args:
        path: path of the file, for messages.
        tensors: its tensors.

    Raises:
        IntegrityError: one is.
    """
    if broken := [name for name, tensor in tensors.items() if tensor.isnan().any()]:
        raise IntegrityError(f"{path} holds weights that are NaN, in {some_of(broken)}: the model cannot be of use")


def forms_of(tensors: Mapping[str, Tensor]) -> dict[str, TensorForm]:
    """Type and shape of tensors, by name; they may be on the meta device."""
    return {
        name: TensorForm(_NAMES.get(tensor.dtype, str(tensor.dtype)), tuple(tensor.shape))
        for name, tensor in tensors.items()
    }


def check_forms(path: Path, stored: Mapping[str, TensorForm], wanted: Mapping[str, TensorForm]) -> None:
    """Check that a file holds exactly the tensors of a model, of their types and shapes.

    Args:
        path: path of the file, for messages.
        stored: what its header lists.
        wanted: what the model has.

    Raises:
        IntegrityError: it does not; each tensor that differs is named, or the first few.
    """
    missing = [name for name in wanted if name not in stored]
    unknown = [name for name in stored if name not in wanted]
    other = [
        f"{shorten(name)} is {form}, not {wanted[name]}"
        for name, form in stored.items()
        if name in wanted and not _fits(form, wanted[name])
    ]
    reasons = [
        f"{title} {some_of(names)}"
        for title, names in (("it lacks", missing), ("the model has no", unknown), ("", other))
        if names
    ]
    if reasons:
        raise IntegrityError(f"{path} does not fit the model: {'; '.join(reason.strip() for reason in reasons)}")


def _fits(stored: TensorForm, wanted: TensorForm) -> bool:
    """Whether two forms are the same, or float32 is stored for a model that somebody builds in another precision."""
    is_float = stored.dtype == "F32" and wanted.dtype in ("F64", "F16", "BF16")
    return stored == wanted or (is_float and stored.shape == wanted.shape)


def _broken(path: Path, error: Exception) -> IntegrityError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return IntegrityError(f"{path} is not a whole safetensors file ({' '.join(str(reason).split())})")
