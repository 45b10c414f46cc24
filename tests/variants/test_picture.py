"""What is drawn of both alleles of a variant: counts of bases along the genome, whichever strand is read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made.variants import write_genome
from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.errors import ConfigError
from zoo.formats.alleles import Variant
from zoo.genome.fasta import Genome
from zoo.models._base import SequenceModel
from zoo.outputs import Tracks
from zoo.variants import picture as module
from zoo.variants.scorer import VariantOptions, VariantScorer
from zoo.variants.sources import GenomeSource

LENGTH, BIN = 24, 4
BASES = "".join(np.random.default_rng(4).choice(list("ACGT"), 90))


class BaseCounts(SequenceModel):
    """Tracks of how often A and C occur in each bin."""

    def __init__(self) -> None:
        super().__init__(Tracks(("A", "C"), LENGTH // BIN, BIN), LENGTH, "mean_squared_error", InputSpec())
        self.trunk, self.head = _Counts(), nn.Identity()
        self.eval()


class _Counts(nn.Module):
    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        return onehot[:, :2].reshape(len(onehot), 2, -1, BIN).sum(-1)


@pytest.fixture
def genome(tmp_path: Path) -> Genome:
    return write_genome(tmp_path, chr1=BASES)


def drawn(genome: Genome, one: Variant, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[int, Any, str]:
    """First base of the bins, the values of both alleles, and the title."""
    seen: list[Any] = []

    def draw(draft: Path, *what: Any) -> None:
        draft.write_text("")
        seen.extend(what)

    monkeypatch.setattr(module, "draw_allele_tracks", draw)
    scorer = VariantScorer(BaseCounts(), VariantOptions(**options))
    source = GenomeSource(iter([one]), genome)
    module.draw_alleles(Path(genome.path).with_name("a.svg"), scorer, source, "rs1", "counts", {})
    _, edges, values, _, title, _ = seen
    return int(edges[0]), values, title


def counts(text: str, base: str) -> list[int]:
    return [text[start : start + BIN].count(base) for start in range(0, LENGTH, BIN)]


@pytest.mark.parametrize(("strand", "bases"), [("+", "AC"), ("-", "TG")])
def test_tracks_lie_along_the_genome(strand: str, bases: str, genome: Genome, monkeypatch: pytest.MonkeyPatch) -> None:
    alt = "ACGT"["ACGT".index(BASES[50]) - 1]
    start, values, title = drawn(genome, Variant(1, "chr1", 51, "rs1", BASES[50], alt, strand), monkeypatch)
    texts = [text[start : start + LENGTH] for text in (BASES, BASES[:50] + alt + BASES[51:])]
    for target, base in zip("AC", bases, strict=True):
        for allele, text in zip(values[target], texts, strict=True):
            assert allele.tolist() == counts(text, base)
    assert title.endswith(f"{BASES[50]}>{alt}")


def test_the_side_that_is_held_is_said(genome: Genome, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Variant(1, "chr1", 50, "rs1", BASES[49:53], BASES[49])
    for hold, side in (("both", "left"), ("left", "left"), ("right", "right")):
        start, values, title = drawn(genome, one, monkeypatch, hold=hold)
        assert title.endswith(f", {side} side held")
        moved = start - 3 if side == "right" else start
        text = (BASES[:50] + BASES[53:])[moved : moved + LENGTH]
        assert values["A"][1].tolist() == counts(text, "A")


@pytest.mark.parametrize("options", [{"shifts": (0, 1)}, {"within": 8}, {"scores": ["ref"]}])
def test_options_of_scores_are_refused(
    options: dict[str, Any], genome: Genome, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="leave out --shifts, --within and --scores"):
        drawn(
            genome,
            Variant(1, "chr1", 51, "rs1", BASES[50], "ACGT"["ACGT".index(BASES[50]) - 1]),
            monkeypatch,
            **options,
        )


def test_a_window_around_the_change_does_not_depend_on_where_it_is_written(tmp_path: Path) -> None:
    """The bins that count are those around the middle of a repeat, wherever in it the file writes the deletion."""
    bases = BASES[:30] + "CA" * 6 + BASES[42:]
    repeat = write_genome(tmp_path, chr1=bases)
    ways = [Variant(1, "chr1", at, "", bases[at - 1 : at + 2], bases[at - 1]) for at in (31, 34, 39)]
    scorer = VariantScorer(BaseCounts(), VariantOptions(within=6, scores=["sum_difference"]))
    (block,) = scorer.stream(GenomeSource(iter(ways), repeat))
    assert not np.isnan(block.values).any() and (block.values == block.values[0]).all()
    assert torch.from_numpy(block.values).abs().sum() > 0
