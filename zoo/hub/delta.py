"""Weights that are stored as a delta: in `delta.safetensors` lies what differs from the weights of a base.

Of a weight that was trained by low-rank factors, these are stored (`NAME@up`, `NAME@down`, `NAME@scale`), unless the
weight itself is smaller; every other tensor is stored whole, under its name, where a bit of it differs. Shapes: see
`zoo.nn.adapters`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zoo.errors import IntegrityError
from zoo.hub.base import find_base
from zoo.hub.config import CheckpointConfig
from zoo.hub.folder import DELTA, checkpoint_file
from zoo.hub.stored import WholeWeights, check_sha256
from zoo.hub.weights import TensorForm, check_forms, forms_of, read_forms, read_tensors
from zoo.models._base import SequenceModel
from zoo.nn.adapters import Factors, add_product, unit_sizes
from zoo.nn.units import is_weight, unit_dims
from zoo.utils.text import shorten, some_of

__all__ = ["DeltaWeights", "write_delta"]

_PARTS = ("up", "down", "scale")


class DeltaWeights:
    """Weights that are stored as a delta, with those of its base.

    Args:
        folder: the checkpoint.
        config: its configuration, which names a base.

    Attributes:
        path: file of the delta.
        size: bytes of the delta and of the base's weights.
        stored_forms: type and shape of the tensors of both.

    Raises:
        IntegrityError: a file that is missing or broken, or a base that is not the one that it was trained from.
    """

    def __init__(self, folder: Path, config: CheckpointConfig) -> None:
        base = config.delta_base
        assert base is not None
        self.path = checkpoint_file(folder, DELTA)
        self._whole, self._factors = _split(read_forms(self.path))
        self._sha256 = base.sha256
        self._base = WholeWeights(*find_base(self.path, base, config.architecture))
        self.size = self.path.stat().st_size + self._base.size
        self.stored_forms = {**self._base.stored_forms, **self._whole}
        self._names: list[str] = []
        self._dims: dict[str, tuple[int, ...]] = {}

    def check(self, on_meta: SequenceModel) -> None:
        """Check that base and delta together have the tensors of a model.

        Raises:
            IntegrityError: they do not, or there are factors that belong to no weight or do not fit it.
        """
        state = on_meta.state_dict()
        self._names = list(state)
        wanted, of_base = forms_of(state), self._base.forms()
        if twice := sorted(self._whole.keys() & self._factors.keys()):
            raise IntegrityError(f"{self.path} holds both factors and all values of {some_of(twice)}")
        taken = {name: of_base[name] for name in wanted if name in of_base and name not in self._whole}
        check_forms(self.path, {**taken, **self._whole}, wanted)
        for name, parts in self._factors.items():
            dims = _dims_of(on_meta, name) if name in taken else None
            if dims is None:
                raise IntegrityError(f"{self.path} holds factors of {shorten(name)}, which is no weight of the base")
            _check_factors(f"{self.path}: {shorten(name)}", parts, state[name], dims)
            self._dims[name] = dims

    def check_base(self) -> None:
        """Check the sha256 of the base's weights.

        Raises:
            IntegrityError: it is another.
        """
        check_sha256(self._base.path, self._sha256)

    def read(self) -> dict[str, Tensor]:
        """Compose the tensors as training did; `check` was called."""
        whole, factors = _split(read_tensors(self.path))
        base = self._base.read()
        state = {**base, **whole}
        for name, parts in factors.items():
            state[name] = _compose(base[name], self._dims[name], parts)
        return {name: state[name] for name in self._names}


def write_delta(
    path: Path, model: SequenceModel, factors: Mapping[str, Factors], base: tuple[Path, CheckpointConfig]
) -> float:
    """Write the weights of a model as a delta.

    Args:
        path: the new file.
        model: a model on the CPU, into whose weights factors were merged.
        factors: these, by the name of the weight.
        base: folder and configuration of the base.

    Returns:
        Its bytes, relative to those of the base's weights.
    """
    source = WholeWeights(*base)
    before = source.read()
    stored: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if name in before and _is_same(value, before[name]):
            continue
        parts = _smaller_parts(factors.get(name), value, before.get(name), _dims_of(model, name))
        stored |= {f"{name}@{part}": one for part, one in parts.items()} if parts else {name: value.contiguous()}
    save_file(stored, path)
    return path.stat().st_size / source.size


def _split(tensors: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Split what a file holds into whole tensors and the factors of weights, by the names of the model's tensors."""
    whole: dict[str, Any] = {}
    factors: dict[str, dict[str, Any]] = {}
    for key, value in tensors.items():
        name, mark, part = key.rpartition("@")
        if mark and part in _PARTS:
            factors.setdefault(name, {})[part] = value
        else:
            whole[key] = value
    return whole, factors


def _smaller_parts(
    factors: Factors | None, value: Tensor, before: Tensor | None, dims: tuple[int, ...] | None
) -> dict[str, Tensor]:
    """The factors that make a weight of the base's; none where they do not, or take more bytes than the weight."""
    if factors is None or before is None or dims is None or before.shape != value.shape:
        return {}
    scale = torch.tensor(factors.scale, dtype=torch.float64)
    parts = {"up": factors.up.contiguous(), "down": factors.down.contiguous(), "scale": scale}
    is_smaller = sum(part.nbytes for part in parts.values()) < value.nbytes
    return parts if is_smaller and _is_same(value, _compose(before, dims, parts)) else {}


def _compose(weight: Tensor, dims: tuple[int, ...], parts: Mapping[str, Tensor]) -> Tensor:
    """Add factors to a weight of the base, in memory that is aligned as in training."""
    factors = Factors(parts["up"].clone(), parts["down"].clone(), float(parts["scale"]))
    return add_product(weight.clone(), dims, factors)


def _is_same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same bits."""
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    bits = [value.contiguous().reshape(-1).view(torch.uint8) for value in (one, other)]
    return torch.equal(*bits)


def _dims_of(model: nn.Module, name: str) -> tuple[int, ...] | None:
    """Dimensions of a weight that count units; None where a model has no such weight."""
    path, _, last = name.rpartition(".")
    parameter = dict(model.named_parameters()).get(name)
    if parameter is None or not is_weight(last, parameter):
        return None
    return unit_dims(model.get_submodule(path))


def _check_factors(subject: str, parts: Mapping[str, TensorForm], weight: Tensor, dims: tuple[int, ...]) -> None:
    """Check the forms of the factors of one weight.

    Raises:
        IntegrityError: some are missing, or do not fit the weight or each other.
    """
    if missing := [part for part in _PARTS if part not in parts]:
        raise IntegrityError(f"{subject} has factors without {some_of(missing)}")
    groups, units, inputs = unit_sizes(weight, dims)
    rank = parts["up"].shape[-1] if parts["up"].shape else 0
    if not 1 <= rank <= min(units, inputs):
        raise IntegrityError(f"{subject} has factors of the rank {rank:,}, where 1 to {min(units, inputs):,} fit")
    wanted = {
        "up": TensorForm("F32", (groups, units, rank)),
        "down": TensorForm("F32", (groups, rank, inputs)),
        "scale": TensorForm("F64", ()),
    }
    for part, form in wanted.items():
        if parts[part] != form or weight.dtype != torch.float32:
            raise IntegrityError(f"{subject} has factors of which {part} is {parts[part]}, not {form}")
