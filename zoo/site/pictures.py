"""Pictures of what a model sees, chosen by the kind of its output."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import torch

from zoo.hub.architectures import explained
from zoo.hub.folder import EXAMPLE
from zoo.hub.loading import load_folder
from zoo.hub.weights import read_tensors

__all__ = ["Gallery", "Picture", "draw_pictures", "labels_in_picture", "one_thread", "png_size"]

_LONGEST_LABEL = 40  # letters in a picture
_LAST_LETTER = "\u024f"  # that the font of pictures surely has


@dataclass(frozen=True)
class Picture:
    """A picture on a page.

    Attributes:
        file: name of the file in the folder of the model's pictures.
        alt: what it shows, for those who do not see it.
        caption: a line below it.
        size: width and height in pixels.
    """

    file: str
    alt: str
    caption: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Gallery:
    """The pictures of a model.

    Attributes:
        title: heading.
        text: how they were computed.
        pictures: the pictures.
        thumbnail: file of a small picture; empty for none.
    """

    title: str
    text: str
    pictures: Sequence[Picture] = field(default=())
    thumbnail: str = ""


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: the same pictures on any number of cores, and small nets are not slower on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def draw_pictures(checkpoint: Path, folder: Path) -> Gallery:
    """Load a model, and draw what it sees.

    Args:
        checkpoint: folder of the model.
        folder: folder for the pictures, which is made.

    Raises:
        IntegrityError: a checkpoint that is broken, or of which no pictures can be made.
    """
    model = load_folder(checkpoint)
    module = import_module(f"zoo.site.{model.output.kind}")
    folder.mkdir(parents=True)
    with explained(checkpoint, "cannot be drawn"), torch.inference_mode():
        gallery: Gallery = module.draw(model, read_tensors(checkpoint / EXAMPLE), folder)
    return gallery


def labels_in_picture(names: Sequence[str]) -> list[str]:
    """Names as pictures show them: short, of letters that their font has, not read as formulas, and no two alike."""
    labels = [_label(name) for name in names]
    if len(set(labels)) == len(labels):
        return labels
    return [f"{number} {label}" for number, label in enumerate(labels, 1)]


def _label(text: str) -> str:
    known = "".join(letter if " " <= letter <= _LAST_LETTER else "?" for letter in text)
    cut = known if len(known) <= _LONGEST_LABEL else f"{known[: _LONGEST_LABEL - 3]}..."
    return cut.replace("$", r"\$")


def png_size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG in pixels, from its header."""
    with path.open("rb") as file:
        header = file.read(24)
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")
