"""How much of test data a checkpoint has seen, of sketches that hold few of the k-mers."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom

from zoo.batch import DataSpec
from zoo.data.base import GenomicDataModule
from zoo.data.read_regions import ReadRegions
from zoo.data.splits import Split
from zoo.errors import InputError
from zoo.evaluation.run import evaluate
from zoo.genome.fasta import Genome
from zoo.genome.regions import Regions
from zoo.genome.sequence import Codes, decode
from zoo.genome.sketch import sketch_kmers
from zoo.hub.seen import Seen, add_seen
from zoo.hub.seen_share import SeenReport, most_seen, seen_share


class Sequences(GenomicDataModule):
    """Sequences of codes (N, L)."""

    def __init__(self, codes: Codes) -> None:
        super().__init__()
        self.codes = codes

    def spec(self) -> DataSpec:
        return DataSpec("labels", ("first",), self.codes.shape[1])

    def sequences_of(self, splits: Sequence[Split]) -> Iterator[Codes]:
        return iter((self.codes,))


class Windows(ReadRegions):
    """All windows of a genome."""

    def __init__(self, genome: Path) -> None:
        super().__init__()
        self.genome = Genome(str(genome))

    @property
    def reference(self) -> Genome:
        return self.genome

    def regions_of(self, splits: Sequence[Split]) -> Regions:
        contigs = self.genome.contigs
        spans = np.array([[index, 0, length] for index, length in enumerate(contigs.values())])
        return Regions.of(contigs, spans)


def random_codes(count: int, length: int, seed: int = 0) -> Codes:
    return np.random.default_rng(seed).integers(0, 4, (count, length)).astype(np.uint8)


def checkpoint(tiny_checkpoint: Path, folder: Path, codes: Codes, most: int) -> Path:
    """A checkpoint that was trained on sequences, with a sketch of some of their k-mers."""
    shutil.copytree(tiny_checkpoint / "deepbind.tiny", folder / "deepbind.tiny")
    add_seen(folder / "deepbind.tiny", Seen(sketch_kmers([codes], 31, most), None))
    return folder / "deepbind.tiny"


def test_seen_and_new_dna_in_one_contig_are_told_apart(tiny_checkpoint: Path, tmp_path: Path) -> None:
    train, new = random_codes(1, 100_000), random_codes(1, 60_000, 1)
    unknown = np.full(3_000, 4, np.uint8)
    contig = np.concatenate([train[0, 20_000:60_000], new[0], unknown])
    (tmp_path / "g.fa").write_text(f">c\n{decode(contig)}\n>d\n{decode(random_codes(1, 999, 2)[0])}\n")
    data = Windows(tmp_path / "g.fa")
    folder = checkpoint(tiny_checkpoint, tmp_path, train, 48_000)
    # 51 blocks of 2,000 bases: 20 are those of training, 30 new ones and one is the other contig; N alone is none.
    report = seen_share(folder, data)
    assert (report.total, report.compared, report.unit) == (51, 51, "block")
    assert report.share == pytest.approx(20 / 51, abs=1 / 51)
    # The 31-mers of blocks are those of the whole regions.
    whole = sketch_kmers([contig[None], random_codes(1, 999, 2)], 31)
    assert np.array_equal(sketch_kmers(data.sequences_of(["test"]), 31).hashes, whole.hashes)
    # With 1 k-mer in 1,024 the blocks are larger: of six of the first contig two lie in the first 40,000 bases.
    few = seen_share(checkpoint(tiny_checkpoint, tmp_path / "few", train, 100), data)
    assert (few.total, few.share) == (7, 2 / 7)
    assert "of each block of 18,000 bases, of which 1 in 1,024 is compared" in str(few)


def test_too_few_sequences_that_can_be_compared_tell_nothing(tiny_checkpoint: Path, tmp_path: Path) -> None:
    train = random_codes(3_000, 101)
    folder = checkpoint(tiny_checkpoint, tmp_path, train, 300)
    few = seen_share(folder, Sequences(random_codes(200, 101, 1)))
    assert few.share is None
    assert 0 < few.compared < 40
    # None of n is seen: with 5 % of all seen, that is as likely as (1 - 0.05) ** n, or less.
    assert few.at_most is not None and few.at_most == pytest.approx(1 - 0.05 ** (1 / few.compared), rel=0.1)
    assert f"{few.compared} of 200 sequences can be compared, and none of these was seen: up to" in str(few)
    many = seen_share(folder, Sequences(random_codes(6_000, 101, 2)))
    assert (many.share, many.is_leak) == (0, False)
    assert many.at_most is not None and many.at_most < 0.02
    assert f"(of {many.compared:,} that could be compared; up to {many.at_most:.2%} of all with 95% conf" in str(many)
    mixed = seen_share(folder, Sequences(np.concatenate([train[:1_000], random_codes(1_000, 101, 3)])))
    assert mixed.is_leak
    assert mixed.share == pytest.approx(0.5, abs=0.1)


def test_strict_split_refuses_what_is_not_known(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = checkpoint(tiny_checkpoint, tmp_path, random_codes(3_000, 101), 300)
    rows = [f"{decode(row)}\t{index % 2}\n" for index, row in enumerate(random_codes(100, 101, 1))]
    (tmp_path / "t.tsv").write_text("sequence\tfirst\n" + "".join(rows))
    name, path = f"local-dir:{folder}", str(tmp_path / "t.tsv")
    assert evaluate(name, path, resamples=0).seen[0].share is None
    with pytest.raises(InputError, match=r"--strict-split: whether deepbind.tiny has seen these .* is not known"):
        evaluate(name, path, resamples=0, strict_split=True)


@pytest.mark.parametrize(("seen", "compared", "total"), [(0, 16, 300), (0, 300, 301), (2, 2_500, 10_000), (0, 1, 9)])
def test_the_bound_is_that_of_the_hypergeometric_distribution(seen: int, compared: int, total: int) -> None:
    likely = hypergeom.cdf(seen, total, np.arange(total + 1), compared) > 0.05
    assert most_seen(seen, compared, total) == np.flatnonzero(likely)[-1] / total


def test_one_is_written_as_one() -> None:
    assert str(SeenReport("a.b", 1.0, "sequence", 1, 1, "how")) == (
        "100.00% of 1 sequence was seen in training of a.b: how"
    )
