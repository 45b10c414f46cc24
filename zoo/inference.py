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


def predict_batch(model: SequenceModel, batch: torch.Tensor) -> NDArray[np.float32]:
    """Predict codes (B, L) on the model's device: float32 (B, *output.shape). To be called within `inference`."""
    try:
        return model.predict(batch.to(model.device)).float().cpu().numpy()
    except torch.cuda.OutOfMemoryError:
        raise ConfigError(
            f"{len(batch)} sequences of {batch.shape[1]} bases do not fit into the memory of {model.device}: "
            "lower the batch size"
        ) from None


def made_example(model: SequenceModel, length: int) -> torch.Tensor:
    """Codes (n, L) to store with their predictions beside weights; few where much is predicted for each.

    They are made: nothing of public data enters a checkpoint.
    """
    count = min(_EXAMPLES, max(1, _EXAMPLE_VALUES // math.prod(model.output.shape)))
    return torch.randint(0, 4, (count, length), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
