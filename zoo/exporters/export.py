"""`zoo.export`: write a model as a file of another tool, loaded again and compared before it is there."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from zoo.exporters.check import Comparison, Run, compare
from zoo.exporters.graph import Shape, shapes_of, trace
from zoo.exporters.onnx import check_size, convert, open_onnx, save_onnx
from zoo.exporters.program import open_program, save_program
from zoo.exporters.source import Source, given_source, named_source
from zoo.exporters.target import ONNX, check_target
from zoo.models._base import SequenceModel
from zoo.utils.atomic import whole_path
from zoo.utils.progress import spinner

__all__ = ["Export", "export", "write_checked"]


class Export(NamedTuple):
    """An exported file.

    Attributes:
        path: the file.
        size: its bytes.
        shapes: of what it reads and gives (`predictions`), by name; an axis of any size is a word.
        comparison: how far it is off the model.
        metadata: what it says of the model.
    """

    path: Path
    size: int
    shapes: dict[str, Shape]
    comparison: Comparison
    metadata: dict[str, str]


def export(model: SequenceModel | str, path: str | Path) -> Export:
    """Export a model to ONNX or torch.export, as one file that runs without this package.

    Examples:
        >>> import zoo
        >>> exported = zoo.export("deepbind.encode_usf1_h1hesc", "usf1.onnx")  # or usf1.pt2
        >>> exported.shapes
        {'sequence': ('batch', 4, 101), 'predictions': ('batch', 1)}

    The file reads `sequence`, one-hot bases in float32 (batch, 4, length) in the order A, C, G, T, of which the four
    channels of an N hold `unknown_base` of the metadata (0, or 0.25 for `deepbind`), and the tracks `inputs` (batch,
    tracks, values) where the model reads some. It gives `predictions`, what `model.predict` gives. Any batch size
    works; the length is the model's own, or, of a model that scans, any from 2 bases, all windows of which are in
    memory at once. Before the file is put in place it is loaded again and compared: with the stored predictions, and
    with the model on random sequences in batches of other sizes.

    Args:
        model: the name of a model (see `zoo.load`), whose facts the file holds; or a loaded model, of which it holds no
            name, licence and source. That one is not changed.
        path: the new file; `.onnx` takes the extra `onnx`, `.pt2` nothing more.

    Returns:
        The size, the shapes and the metadata of the file, and the largest difference.

    Raises:
        ConfigError: another ending, a model that torch.export or torch.onnx refuses, or one that is too large for an
            ONNX file, which holds 2 GB.
        MissingExtraError: the packages of ONNX are not installed.
        OutputError: the file exists, its folder does not, or it cannot be written.
        IntegrityError: the file predicts something else than the model; it is not written.
        UnknownNameError: no model of that name.
    """
    path = Path(path)
    check_target(path)
    with spinner(f"Exporting to {path.name}"):
        source = named_source(model) if isinstance(model, str) else given_source(model)
        if path.suffix.lower() == ONNX:
            check_size(source.model, source.subject)
            program = trace(source.model, source.subject)
            proto = convert(program, source.metadata, shapes_of(source.model), source.subject)
            return write_checked(path, source, partial(save_onnx, proto), open_onnx)
        program = trace(source.model, source.subject)
        return write_checked(path, source, partial(save_program, program, source.metadata), open_program)


def write_checked(path: Path, source: Source, save: Callable[[Path], None], load: Callable[[Path], Run]) -> Export:
    """Write a file, load it again, compare it with the model, and put it in place.

    Args:
        path: the file.
        source: what is exported.
        save: writes a file.
        load: loads it again.

    Raises:
        OutputError: it cannot be written.
        IntegrityError: it predicts something else than the model.
    """
    with whole_path(path) as draft:
        save(draft)
        comparison = compare(load, draft, source)
        size = draft.stat().st_size
    return Export(path, size, shapes_of(source.model), comparison, source.metadata)
