"""A model used as it is: evaluation mode, no gradients, the precision asked for."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.model import SequenceModel

__all__ = ["Precision", "inference", "made_example", "predict_batch"]

Precision = Literal["32", "bf16", "16"]
# Sequences that are stored as examples, and values of their predictions at most, but for a single sequence.
_EXAMPLES, _EXAMPLE_VALUES = 8, 500_000
_DTYPES = {"bf16": torch.bfloat16, "16": torch.float16}


@contextmanager
def inference(model: SequenceModel, precision: Precision) -> Iterator[None]:
    """Evaluation mode, no gradients, the precision asked for; the model is left as it was."""
    training = [module for module in model.modules() if module.training]  # a part may be frozen in evaluation mode
    model.eval()
    dtype = _DTYPES.get(precision)
    try:
        with torch.inference_mode(), torch.autocast(model.device.type, dtype, enabled=dtype is not None):
            yield
    finally:
        for module in training:
            module.training = True


def predict_batch(model: SequenceModel, batch: torch.Tensor, inputs: torch.Tensor | None = None) -> NDArray[np.float32]:
    """Predict codes (B, L), and inputs (B, I, P) if any, on the model's device: float32 (B, *output.shape).

    To be called within `inference`.
    """
    try:
        beside = None if inputs is None else inputs.to(model.device)
        return model.predict(batch.to(model.device), beside).float().cpu().numpy()
    except torch.cuda.OutOfMemoryError:
        raise ConfigError(
            f"{len(batch)} sequences of {batch.shape[1]} bases do not fit into the memory of {model.device}: "
            "lower the batch size"
        ) from None


def made_example(model: SequenceModel, length: int) -> dict[str, torch.Tensor]:
    """Arguments of `predict` to store with what it gives beside weights; few where much is predicted for each.

    `codes` (n, L), and `inputs` (n, I, P) for a model that reads tracks beside the sequence.

    They are made: nothing of public data enters a checkpoint.
    """
    count = min(_EXAMPLES, max(1, _EXAMPLE_VALUES // math.prod(model.output.shape)))
    random = torch.Generator().manual_seed(0)
    found = {"codes": torch.randint(0, 4, (count, length), generator=random).to(torch.uint8)}
    if model.inputs:
        found["inputs"] = torch.rand(count, len(model.inputs), length // model.input_size, generator=random)
    return found
