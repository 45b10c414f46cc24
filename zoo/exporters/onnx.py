"""ONNX: one file, without external data, that onnxruntime runs without torch. Shapes: see `zoo.exporters.graph`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from zoo.errors import ConfigError
from zoo.exporters.check import Run
from zoo.exporters.graph import BATCH, INPUTS, LENGTH, OUTPUT, SEQUENCE, Shape, quiet, refusals
from zoo.models._base import SequenceModel

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["check_size", "convert", "open_onnx", "save_onnx"]

# Bytes of a file; protobuf, in which ONNX files are written, cannot hold more.
LARGEST = (1 << 31) - 1
_ERRORS = 3  # the level from which onnxruntime prints


def check_size(model: SequenceModel, subject: str) -> None:
    """Refuse a model that no ONNX file can hold, before it is traced.

    Args:
        model: the model.
        subject: what messages call it.

    Raises:
        ConfigError: its weights alone are larger than a file.
    """
    _refuse_large(sum(value.nbytes for value in model.state_dict().values()), "the weights", subject)


def _refuse_large(size: int, what: str, subject: str) -> None:
    if size > LARGEST:
        raise ConfigError(
            f"{subject} cannot be exported to ONNX: {what} would take {size:,} bytes, and a file holds at most "
            f"{LARGEST:,}; write a .pt2 file, which may be larger"
        )


def convert(program: ExportedProgram, metadata: dict[str, str], shapes: dict[str, Shape], subject: str) -> "ModelProto":
    """Convert a traced graph.

    Args:
        program: the traced graph.
        metadata: the file's `metadata_props`.
        shapes: of what it reads and gives, by name.
        subject: what messages call the model.

    Raises:
        ConfigError: torch.onnx cannot convert it, or it is larger than a file.
    """
    with refusals(subject, "torch.onnx"), quiet():
        converted = torch.onnx.export(
            program, input_names=[name for name in shapes if name != OUTPUT], output_names=[OUTPUT], verbose=False
        )
        assert converted is not None
        proto: ModelProto = converted.model_proto
        _refuse_large(proto.ByteSize(), "the file", subject)
        _name_axes(proto, shapes)
        proto.producer_name, proto.producer_version = "regzoo", metadata["regzoo_version"]
        for key, value in metadata.items():
            proto.metadata_props.add(key=key, value=value)
    return proto


def _name_axes(proto: "ModelProto", shapes: dict[str, Shape]) -> None:
    """Name the axes of any size, which torch numbers."""
    names = {
        dim.dim_param: size
        for value in proto.graph.input
        for dim, size in zip(value.type.tensor_type.shape.dim, shapes[value.name], strict=True)
        if size in (BATCH, LENGTH)
    }
    for value in (*proto.graph.input, *proto.graph.value_info, *proto.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.HasField("dim_param"):
                dim.dim_param = re.sub(r"\w+", lambda word: str(names.get(word[0], word[0])), dim.dim_param)


def save_onnx(proto: "ModelProto", path: Path) -> None:
    """Write a converted model into one file.

    Args:
        proto: the converted model.
        path: path of the file.
    """
    path.write_bytes(proto.SerializeToString(deterministic=True))


def open_onnx(path: Path) -> Run:
    """Load an ONNX file in onnxruntime, on the CPU.

    Args:
        path: path of the file.

    Returns:
        A function from one-hot bases (B, 4, L), and inputs, to predictions.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(onehot: Tensor, inputs: Tensor | None) -> Tensor:
        """Predict one batch."""
        feeds: dict[str, Any] = {SEQUENCE: onehot.contiguous().numpy()}
        if inputs is not None:
            feeds[INPUTS] = inputs.numpy()
        return torch.from_numpy(session.run([OUTPUT], feeds)[0])

    return run
