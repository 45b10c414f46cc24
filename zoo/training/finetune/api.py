"""`zoo.finetune`: the command as a function."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError
from zoo.hub.load import load
from zoo.models._base import SequenceModel
from zoo.training.finetune.data import Files
from zoo.training.finetune.plan import Request
from zoo.training.finetune.run import train_request

__all__ = ["finetune"]


def finetune(
    model: str,
    data: str | Path | Sequence[str | Path] | Mapping[str, str | Path],
    *,
    genome: str | Path | None = None,
    negatives: str | Path | None = None,
    targets: Sequence[str] | None = None,
    mode: str | None = None,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    strict_split: bool = False,
) -> SequenceModel:
    """Fine-tune a model on own data, as the command `zoo finetune` does, and save the result in `checkpoints/`.

    Args:
        model: name of the model to begin with; see `zoo.load`.
        data: one or several files of one kind, or target -> file: FASTA files, one for each class; a table of sequences
            and labels; BED or narrowPeak files; bigWigs; coolers.
        genome: FASTA file, for all data but sequences.
        negatives: FASTA file of sequences that are of no class.
        targets: columns of labels of a table; None for all columns of numbers.
        mode: `full`, `head`, `last:N` or `lora`; None for what suits the data.
        name: name of the new model, `architecture.tag`; None to name it after the data.
        options: options of `zoo train`, such as `{"trainer.max_epochs": 50}`.
        strict_split: refuse test data that the model has seen in training, or where that is not known.

    Returns:
        The new model in evaluation mode, on the CPU.

    Raises:
        ConfigError: what does not fit the model, named.
        InputError: data that cannot be read.
        UnknownNameError: no model of that name.
    """
    if isinstance(data, Mapping):
        _check_names(list(data))
        paths = [f"{target}={path}" for target, path in data.items()]
    else:
        paths = [str(path) for path in ([data] if isinstance(data, str | Path) else data)]
    targets = [targets] if isinstance(targets, str) else targets
    files = Files(paths, str(genome) if genome else None, str(negatives) if negatives else None, targets)
    if own := sorted({"genome", "negatives", "targets", "mode", "name"} & set(options or {})):
        raise ConfigError(f"{own[0]} is an argument of zoo.finetune, not one of its options of `zoo train`")
    words = [word for key, value in (options or {}).items() for word in (f"--{key}", _text(key, value))]
    return load(f"local-dir:{train_request(Request(model, files, mode, name, words, strict_split))}")


def _check_names(targets: Sequence[str]) -> None:
    """Refuse names of targets that the command line could not give."""
    for target in targets:
        if not target or set(target) & set("=/\\"):
            raise ConfigError(f"the name of a target has a character at least, and none of = / \\: not {target!r}")


def _text(option: str, value: Any) -> str:
    """A value as the command line takes it: a text or path as it is, numbers of numpy and torch as those of Python."""
    if isinstance(value, str | Path):
        return str(value)
    try:
        return json.dumps(value, default=lambda one: one.tolist() if hasattr(one, "tolist") else str(Path(one)))
    except TypeError:
        raise ConfigError(f"options[{option!r}] is a text, a number or a list of them, not {value!r}") from None
