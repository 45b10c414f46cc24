"""Scores that are kept block by block while variants are scored, for a command that goes on after it was stopped."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from zoo.errors import ConfigError
from zoo.utils.atomic import whole_file, whole_path
from zoo.variants.scored import ScoredAlleles
from zoo.variants.sources import Block

__all__ = ["KeptBlocks"]

_SETTINGS = "settings.json"


class KeptBlocks:
    """The blocks that a command has scored so far, in a folder beside its output.

    Args:
        output: what the command writes.
        settings: what decides the scores: the model's weights, the genome, the options. JSON values.

    Attributes:
        loaded: alleles that were taken from the folder.

    Raises:
        ConfigError: the folder holds blocks of other settings.
        OutputError: it cannot be written.
    """

    def __init__(self, output: Path, settings: Mapping[str, Any]) -> None:
        self.folder = output.with_name(f"{output.name}.parts")
        self.loaded = 0
        path = self.folder / _SETTINGS
        text = json.dumps(settings, sort_keys=True, indent=1) + "\n"
        if path.is_file():
            if path.read_text(encoding="utf-8") != text:
                raise ConfigError(
                    f"{self.folder} holds scores of another model, genome or options: remove it to begin anew"
                )
            return
        self.folder.mkdir(exist_ok=True)
        with whole_file(str(path)) as file:
            file.write(text)

    def load(self, block: Block) -> ScoredAlleles | None:
        """The scores of a block that is kept, if it is whole; None otherwise."""
        variants, path = block.variants, self._path(block)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                values, notes = arrays["values"], arrays["notes"].tolist()
        except (
            OSError,
            ValueError,
            KeyError,
            EOFError,
            BadZipFile,
        ):  # none, or one that was damaged: it is scored again
            return None
        if len(values) != len(variants) or len(notes) != len(variants):
            return None
        self.loaded += len(variants)
        return ScoredAlleles(variants, notes, values)

    def keep(self, block: Block, scored: ScoredAlleles) -> None:
        """Keep the scores of a block.

        Raises:
            OutputError: the disk is full.
        """
        with whole_path(self._path(block)) as draft:
            np.savez(draft, values=scored.values, notes=np.array(scored.notes, str))

    def remove(self) -> None:
        """Remove the folder, once the output is there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, block: Block) -> Path:
        """The file of a block, named by its alleles and by the sequences that came with them."""
        text = repr([tuple(one) for one in block.variants]) + block.sequences
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"
