"""A model used as it is: evaluation mode, no gradients, the precision asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.models._base import SequenceModel

__all__ = ["Precision", "inference", "predict_batch"]

Precision = Literal["32", "bf16", "16"]
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
