"""Motifs of known binding sites: MEME files, and the best match of each in a sequence.

Shapes: B sequences of L bases, M motifs of w positions.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import InputError
from zoo.utils.streams import UNREADABLE, WHOLE, describe_unreadable
from zoo.utils.text import check_file, open_text, quoted

__all__ = ["Motif", "best_matches", "read_meme"]

_PSEUDOCOUNT = 1e-3  # added to each probability, so that a base that was never seen is unlikely, not impossible
_BACKGROUND = 0.25


@dataclass(frozen=True)
class Motif:
    """A position weight matrix.

    Attributes:
        name: identifier and alternate name, as in the file.
        probabilities: probabilities of A, C, G and T at each position, float32 (4, w).
    """

    name: str
    probabilities: Tensor

    def log_odds(self) -> Tensor:
        """Compute log2 of the probabilities over a uniform background: float32 (4, w)."""
        smooth = (self.probabilities + _PSEUDOCOUNT) / (1 + 4 * _PSEUDOCOUNT)
        return torch.log2(smooth / _BACKGROUND)


def read_meme(path: str | Path) -> list[Motif]:
    """Read the motifs of a file in MEME's minimal format (https://meme-suite.org/meme/doc/meme-format.html).

    Raises:
        InputError: no such file, no motif, or an invalid matrix (its motif is named).
    """
    path = Path(path)
    check_file(path)
    motifs = []
    try:
        with open_text(path, WHOLE) as file:
            text = file.read()
    except UNREADABLE as error:
        raise InputError(f"{path}: not a text file of motifs ({describe_unreadable(error, path)})") from None
    for block in re.split(r"(?m)^MOTIF\s+", text)[1:]:
        name, _, rest = block.partition("\n")
        matrix = re.search(r"letter-probability matrix:.*?w=\s*(\d+)[^\n]*\n((?:\s*[\d.eE+-]+[^\n]*\n?)+)", rest)
        if matrix is None:
            raise InputError(f"{path}: the motif {quoted(name.strip())} has no letter-probability matrix")
        rows = [[float(value) for value in line.split()] for line in matrix[2].splitlines() if line.strip()]
        if len(rows) != int(matrix[1]) or any(len(row) != 4 for row in rows):
            raise InputError(f"{path}: the matrix of {quoted(name.strip())} is not {matrix[1]} rows of 4 numbers")
        motifs.append(Motif(name.strip(), torch.tensor(rows).T))
    if not motifs:
        raise InputError(f"{path}: no motif in it; is it in MEME format?")
    return motifs


def best_matches(one_hot: Tensor, motifs: list[Motif]) -> Tensor:
    """Compute the log-odds of each motif's best match on either strand.

    A motif may extend past either end, where missing bases count 0, as N does; one base at least lies under it. A
    sequence and its reverse complement have the same scores.

    Args:
        one_hot: sequences, float32 (B, 4, L).
        motifs: the motifs (M).

    Returns:
        float32 (B, M).
    """
    widths = torch.tensor([motif.probabilities.shape[1] for motif in motifs])
    width = int(widths.max())
    both = [strand for motif in motifs for strand in (motif.log_odds(), motif.log_odds().flip(0, 1))]
    kernels = torch.stack([F.pad(one, (0, width - one.shape[1])) for one in both])
    scores = F.conv1d(F.pad(one_hot, (width - 1, width - 1)), kernels)  # (B, 2 M, L + width - 1)
    scores = scores.view(len(one_hot), len(motifs), 2, -1)
    # Of motifs that are shorter than the longest, the first positions lie before the sequence.
    outside = torch.arange(scores.shape[-1]) < width - widths[:, None]
    best: Tensor = scores.masked_fill(outside[:, None], -torch.inf).amax((2, 3))
    return best
