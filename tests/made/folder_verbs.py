"""What the zoo does with a checkpoint folder that somebody damaged: called in a child process."""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import torch
from made.folder_rules import check_accepted, same_model
from made.folders import FORMAT_1, GOOD
from safetensors.torch import load_file
from torch import Tensor

import zoo
from zoo.cli import main
from zoo.hub import cards, registry
from zoo.hub.folder import CONFIG, EXAMPLE, WEIGHTS
from zoo.hub.loading import load_folder
from zoo.hub.registry import list_locations
from zoo.hub.verification import verify_folder

__all__ = ["use_folder"]

# Beyond the tolerance that a checkpoint may state for its own example.
_FAR = 2e-3
_Example = tuple[dict[str, Tensor], Tensor, Tensor]

for _folder in FORMAT_1:  # what is imported on first use
    verify_folder(_folder, _folder.name)


def use_folder(home: str, name: str, original: str) -> str:
    """List, describe, load and verify a checkpoint folder, and render its card.

    Args:
        home: folder with `checkpoints/`, which holds a good checkpoint `GOOD` and the one in question.
        name: name of that folder.
        original: the folder before it was damaged.

    Returns:
        `right`, if it was verified and predicts what the original does, or is another model as a whole.

    Raises:
        ZooError: it was refused.
        AssertionError: a verb gave anything but a result or one sentence.
    """
    os.chdir(home)
    for module in (cards, registry):  # the shipped checkpoints are not damaged, and take long to read
        setattr(module, "shipped_folder", lambda _: Path("checkpoints"))  # noqa: B010
    with _warnings() as warnings:
        found = {location.facts.name for location in list_locations() if location.folder}
    assert GOOD in found, "the good checkpoint is not listed"
    assert (name in found) != any(name in line for line in warnings), f"listed, and {warnings}"
    assert all("\n" not in line for line in warnings), warnings
    with _warnings() as warnings:
        assert Path(f"checkpoints/{GOOD}/README.md") in cards.render_cards(Path("page.md"))
    place = f"local-dir:checkpoints/{name}"
    _run("info", place)
    model = zoo.load(place)
    code, sentence = _run("verify", place)
    if code:
        raise zoo.errors.IntegrityError(sentence)
    folder = Path("checkpoints") / name
    check_accepted(folder, model)
    if all(_differs(folder / file, Path(original) / file) for file in (CONFIG, WEIGHTS, EXAMPLE)):
        return "right"  # all that makes a model is of another one, whose own example was verified
    example, expected, exact = _example_of(original)
    with torch.inference_mode():
        predicted = model.predict(**example)
    if same_model(folder, Path(original)):
        assert torch.equal(predicted, exact), "the same weights predict otherwise"
    assert predicted.shape == expected.shape, "other predictions"
    far = float(((predicted - expected).abs() / expected.abs().clamp(min=1)).max())
    assert far < _FAR, f"predictions {far} off"
    return "right"


@cache
def _example_of(original: str) -> _Example:
    """Arguments, expected prediction, and what the whole folder predicts here."""
    example = load_file(Path(original) / EXAMPLE)
    expected = example.pop("expected")
    with torch.inference_mode():
        return example, expected, load_folder(Path(original)).predict(**example)


def _differs(one: Path, other: Path) -> bool:
    """Whether two files have other bytes."""
    return one.read_bytes() != other.read_bytes()


def _run(*words: str) -> tuple[int, str]:
    """Exit code and error of a command; asserts that an error is one sentence."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        code = main(words)
    text = error.getvalue()
    if code:
        assert code == 2
        assert text.startswith("zoo: ") and text.count("\n") == 1 and not out.getvalue(), text
    return code, text.removeprefix("zoo: ").rstrip("\n")


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """The warnings that are logged."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("zoo").addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger("zoo").removeHandler(handler)
