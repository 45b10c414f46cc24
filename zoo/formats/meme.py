"""Motifs of known binding sites: MEME files, and the best match of each in a sequence."""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import InputError

__all__ = ["Motif", "best_matches", "read_meme"]

_PSEUDOCOUNT = 1e-3  # of a probability, so that a base never seen is unlikely and not impossible
_BACKGROUND = 0.25


@dataclass(frozen=True)
class Motif:
    """A position weight matrix.

    Attributes:
        name: identifier and alternate name, as the file has them.
        probabilities: of A, C, G and T at each position (4, w).
    """

    name: str
    probabilities: Tensor

    def log_odds(self) -> Tensor:
        """log2 of the probabilities over a uniform background (4, w)."""
        smooth = (self.probabilities + _PSEUDOCOUNT) / (1 + 4 * _PSEUDOCOUNT)
        return torch.log2(smooth / _BACKGROUND)


def read_meme(path: str | Path) -> list[Motif]:
    """Read the motifs of a file in MEME's minimal format.

    Raises:
        InputError: no such file, no motif in it, or a matrix that is broken (its motif is named).
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    motifs = []
    for block in re.split(r"(?m)^MOTIF\s+", path.read_text())[1:]:
        name, _, rest = block.partition("\n")
        found = re.search(r"letter-probability matrix:.*?w=\s*(\d+)[^\n]*\n((?:\s*[\d.eE+-]+[^\n]*\n?)+)", rest)
        if found is None:
            raise InputError(f"{path}: the motif {name.strip()!r} has no letter-probability matrix")
        rows = [[float(value) for value in line.split()] for line in found[2].splitlines() if line.strip()]
        if len(rows) != int(found[1]) or any(len(row) != 4 for row in rows):
            raise InputError(f"{path}: the matrix of {name.strip()!r} is not {found[1]} rows of 4 numbers")
        motifs.append(Motif(name.strip(), torch.tensor(rows).T))
    if not motifs:
        raise InputError(f"{path}: no motif in it; is it in MEME format?")
    return motifs


def best_matches(one_hot: Tensor, motifs: list[Motif]) -> Tensor:
    """The log-odds of each motif's best match on either strand.

    A motif may hang over the right end, where what is missing counts 0, as an N does.

    Args:
        one_hot: sequences (B, 4, L).
        motifs: M of them.

    Returns:
        float32 (B, M).
    """
    width = max(motif.probabilities.shape[1] for motif in motifs)
    kernels = torch.stack([F.pad(m.log_odds(), (0, width - m.probabilities.shape[1])) for m in motifs])
    flipped = torch.stack([F.pad(m.log_odds().flip(0, 1), (0, width - m.probabilities.shape[1])) for m in motifs])
    scores = F.conv1d(F.pad(one_hot, (0, width - 1)), torch.cat([kernels, flipped]))  # (B, 2 M, L)
    strands: Tensor = scores.amax(2).view(-1, 2, len(motifs))
    return strands.amax(1)
