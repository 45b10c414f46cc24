"""Example sequences that are stored with weights, together with the model's prediction for them."""

import math
from pathlib import Path

import torch
from torch import Tensor

from zoo.errors import InputError, IntegrityError
from zoo.genome.sequence import UNKNOWN
from zoo.hub.architectures import explained
from zoo.hub.meta_device import build_on_meta, check_work
from zoo.hub.weights import TensorForm, check_forms, forms_of
from zoo.models._base import SequenceModel
from zoo.utils.text import some_of

__all__ = ["check_example", "check_example_values", "check_loadable", "example_for"]

# Sequences of an example, and values of their predictions, at most; one sequence is always stored.
_EXAMPLES, _EXAMPLE_VALUES = 8, 500_000
_MOST_SEQUENCES, _MOST_BASES = 1_000, 1 << 24  # that are read
_NOT_ON_META = "fails when it {} on PyTorch's meta device, on which checkpoints are checked; {}"


def example_for(model: SequenceModel, length: int) -> dict[str, torch.Tensor]:
    """Make arguments of `predict` to store with weights: few sequences where each has a large prediction.

    They are random: nothing of public data enters a checkpoint.

    Args:
        model: whose example it is.
        length: bases of each sequence, L.

    Returns:
        `codes` uint8 (n, L), and `inputs` float32 (n, I, L / size) for a model that reads tracks too.
    """
    on_meta = _on_meta(model)
    count = min(_EXAMPLES, max(1, _EXAMPLE_VALUES // math.prod(model.output.shape)))
    while count > 1 and not _is_light(on_meta, count, length):
        count //= 2
    random = torch.Generator().manual_seed(0)
    example = {"codes": torch.randint(0, 4, (count, length), generator=random).to(torch.uint8)}
    if names := model.inputs.names:
        example["inputs"] = torch.rand(count, len(names), length // model.inputs.size, generator=random)
    return example


def check_loadable(model: SequenceModel, length: int) -> None:
    """Check that a checkpoint of a model could be loaded and verified again.

    Saving finds it too, but a long training may come before that.

    Args:
        model: model of an architecture in `zoo/models/`.
        length: bases of a sequence, L.

    Raises:
        IntegrityError: it could not, for the model cannot be built or predict without memory, or takes too much of it.
    """
    if length > _MOST_BASES:
        raise IntegrityError(f"its example would hold {length:,} bases; it may hold {_MOST_BASES:,}")
    on_meta = _on_meta(model)
    with explained(type(model).__name__, _NOT_ON_META.format("predicts", "it may not look at values of tensors")):
        _check_prediction(on_meta, 1, length)


def _on_meta(model: SequenceModel) -> SequenceModel:
    """The same model on the meta device, as a checkpoint is checked."""
    cure = 'make values that it looks at with device="cpu"'
    with explained(type(model).__name__, _NOT_ON_META.format("is built", cure)):
        return build_on_meta(type(model), model.arguments, forms_of(model.state_dict()), _stored(model)).eval()


def _stored(model: SequenceModel) -> int:
    """Bytes of a model's weights."""
    return sum(value.nbytes for value in model.state_dict().values())


def _check_prediction(on_meta: SequenceModel, count: int, length: int) -> None:
    """Check the prediction of an example of `count` sequences."""
    shapes: dict[str, tuple[int, ...]] = {"codes": (count, length)}
    if names := on_meta.inputs.names:
        shapes["inputs"] = (count, len(names), length // on_meta.inputs.size)
    check_work(on_meta, shapes, _stored(on_meta))


def _is_light(on_meta: SequenceModel, count: int, length: int) -> bool:
    """Whether an example of `count` sequences is one that is verified."""
    try:
        _check_prediction(on_meta, count, length)
    except IntegrityError:
        return False
    return count * length <= _MOST_BASES


def check_example(path: Path, forms: dict[str, TensorForm], model: SequenceModel) -> None:
    """Check the header of a stored example.

    Args:
        path: path of the file, for messages.
        forms: its tensors.
        model: whose example it is; it may be on the meta device.

    Raises:
        IntegrityError: other tensors than the model reads and predicts, or of other types and shapes.
    """
    wanted = {"codes", "expected", *(["inputs"] if model.inputs.names else [])}
    if forms.keys() != wanted:
        raise IntegrityError(f"{path} holds {some_of(sorted(forms))} where {some_of(sorted(wanted))} are expected")
    shape = forms["codes"].shape
    if len(shape) != 2 or not 1 <= shape[0] <= _MOST_SEQUENCES:
        raise IntegrityError(f"{path} must hold the codes of 1 to {_MOST_SEQUENCES:,} sequences, not {list(shape)}")
    count, length = shape
    if count * length > _MOST_BASES:
        raise IntegrityError(f"{path} holds {count * length:,} bases; it may hold {_MOST_BASES:,}")
    try:
        model.check_length(length)
    except InputError as error:
        raise IntegrityError(f"{path} does not fit the model: {error}") from None
    exact = {"codes": TensorForm("U8", shape), "expected": TensorForm("F32", (count, *model.output.shape))}
    if model.inputs.names:
        exact["inputs"] = TensorForm("F32", (count, len(model.inputs.names), length // model.inputs.size))
    check_forms(path, forms, exact)


def check_example_values(path: Path, example: dict[str, Tensor]) -> None:
    """Check the values of a stored example, whose shapes are right.

    Raises:
        IntegrityError: a code that no base has, or a number that is NaN or infinite.
    """
    if (code := int(example["codes"].max())) > UNKNOWN:
        raise IntegrityError(f"{path}: codes of bases are 0 to {UNKNOWN}, not {code}")
    for name in example.keys() - {"codes"}:
        if not example[name].isfinite().all():
            raise IntegrityError(f"{path}: {name} holds a number that is NaN or infinite")
