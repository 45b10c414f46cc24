"""Made models whose predictions are counts, and genomes to vary."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.genome.fasta import Genome
from zoo.genome.sequence import encode, one_hot
from zoo.models._base import SequenceModel
from zoo.outputs import Labels, Output

__all__ = ["Counting", "write_genome"]


class _Occurrences(nn.Module):
    """How often a motif occurs in one-hot bases, (B, 4, L) -> (B, L - W + 1) of 0 and 1."""

    def __init__(self, motif: str) -> None:
        super().__init__()
        self.register_buffer("filter", one_hot(torch.from_numpy(encode(motif).copy())[None]))

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        scores = torch.conv1d(onehot, self.filter)[:, 0]  # type: ignore[arg-type]
        return (scores > self.filter.sum() - 0.5).to(onehot.dtype)  # type: ignore[operator]


class _Sum(nn.Module):
    """Counts, of several motifs, as the values of labels (B, T)."""

    def __init__(self, motifs: Sequence[str]) -> None:
        super().__init__()
        self.motifs = nn.ModuleList(map(_Occurrences, motifs))

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        return torch.stack([motif(onehot).sum(-1) for motif in self.motifs], 1)


class Counting(SequenceModel):
    """Predicts how often motifs occur in a window: each target is a motif."""

    def __init__(self, targets: Sequence[str], length: int = 20, loss: str = "mean_squared_error") -> None:
        output: Output = Labels(tuple(targets))
        super().__init__(output, length, loss, InputSpec())
        self.trunk, self.head = _Sum(targets), nn.Identity()
        self.eval()


def write_genome(folder: Path, **contigs: str) -> Genome:
    """Write a FASTA, lines of 60 bases."""
    path = folder / "genome.fa"
    lines = []
    for name, bases in contigs.items():
        lines += [f">{name}", *(bases[start : start + 60] for start in range(0, len(bases), 60))]
    path.write_text("\n".join(lines) + "\n")
    return Genome(path)
