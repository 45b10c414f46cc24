"""Pairs of oligos: their labels, splits and batches, and what training on them lowers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from made.promoter_variants import made_promoter_variants, write_promoter_variants

from zoo.data.splits import SPLITS
from zoo.datasets import yeast_variants as module
from zoo.datasets.yeast_reporter import LENGTH, YeastReporterDataModule, end_aligned, expression
from zoo.datasets.yeast_variants import read_variants
from zoo.errors import ConfigError
from zoo.genome.sequence import decode
from zoo.models.basset import Basset
from zoo.nn.conv_stack import ConvStackConfig
from zoo.utils.download import PublicFile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    def fetch(file: PublicFile, progress: bool = True) -> Path:
        return tmp_path / file.name

    monkeypatch.setattr(module, "fetch", fetch)
    made_promoter_variants(tmp_path)
    read_variants.cache_clear()
    yield tmp_path
    read_variants.cache_clear()


def test_oligos_are_aligned_at_the_end_that_is_next_to_the_gene() -> None:
    long, short = end_aligned(["A" + "C" * (LENGTH - 1) + "G", "ACG"])
    assert decode(long) == "C" * (LENGTH - 1) + "G"
    assert decode(short) == "N" * (LENGTH - 3) + "ACG"


def test_expression_of_both_oligos_has_the_published_mean_and_difference(folder: Path) -> None:
    variants = read_variants()
    labels = expression(variants).reshape(-1, 2, 2).astype(np.float64)
    assert (np.isnan(labels).sum((1, 2)) == 2).all()
    own = labels[np.arange(len(labels)), :, variants.library]
    np.testing.assert_allclose(own.mean(1), variants.mean, atol=1e-6)
    np.testing.assert_allclose(own[:, 1] - own[:, 0], variants.effect, atol=1e-6)


def test_whole_contigs_are_held_out_and_pairs_stay_together(folder: Path) -> None:
    data = YeastReporterDataModule()
    contig = read_variants().contig.repeat(2)
    split = np.array(SPLITS)[data.data.split]
    assert set(contig[split == "test"]) == {"chrIX", "chrXIV"}
    assert set(contig[split == "val"]) == {"chrXI"}
    other = YeastReporterDataModule(["chrI"], ["chrII"])
    assert [len(other.subset(name)) for name in SPLITS] == [560, 40, 40]
    assert "left out: 0 pairs" in other.describe()[-1]


def test_training_pairs_that_share_bases_with_held_out_ones_are_left_out(folder: Path) -> None:
    middle = "ACGTTGCATTACGGATCCATGCAATG"
    rest = ("GT" * 59, "GA" * 59)
    oligos = {f"Y{i}_{allele}": base + middle + rest[i] for i in range(2) for allele, base in ((1, "A"), (2, "C"))}
    oligos |= {f"Y2_{allele}": base + "ACT" * 47 for allele, base in ((1, "A"), (2, "C"))}
    rows = [
        [f"Y{i}_2", "1", contig, "5", "A", "C", f"Y{i}", ("TSS", "UpStream")[i % 2], "+", str(i), str(i), "1", "9"]
        for i, contig in enumerate(("chrI", "chrIX", "chrII"))
    ]
    write_promoter_variants(folder, rows, oligos)
    read_variants.cache_clear()
    assert YeastReporterDataModule().read().split.tolist() == [2, 2, 0, 0]
    assert YeastReporterDataModule(shared_kmer=32).read().split.tolist() == [0, 0, 2, 2, 0, 0]


def test_a_batch_has_whole_pairs_in_a_new_order_each_epoch(folder: Path) -> None:
    data = YeastReporterDataModule(batch_size=20, difference_weight=3.0)
    first = list(data.train_dataloader())
    assert {len(batch.codes) for batch in first} == {20}
    for batch in first:
        assert ((batch.codes[::2] != batch.codes[1::2]).sum(1) == 1).all()
        assert batch.difference_weight == torch.tensor(3.0)
        assert torch.equal(batch.target[::2].isnan(), batch.target[1::2].isnan())
    seen = {row.numpy().tobytes() for batch in first for row in batch.codes}
    assert len(seen) == 20 * len(first)
    loader = data.train_dataloader()
    loader.sampler.set_epoch(1)  # type: ignore[attr-defined]
    assert not torch.equal(next(iter(loader)).codes, first[0].codes)
    assert next(iter(data.val_dataloader())).difference_weight is None


def test_both_oligos_of_a_pair_are_shifted_alike(folder: Path) -> None:
    data = YeastReporterDataModule(batch_size=200, shift=7)
    batch = next(iter(data.train_dataloader()))
    differ = batch.codes[::2] != batch.codes[1::2]
    assert (differ.sum(1) == 1).all()
    offset = differ.int().argmax(1) - 72  # made variants are at base 72
    assert set(offset.tolist()) == set(range(-7, 8))
    for pair, moved in zip(batch.codes.view(-1, 2, LENGTH), offset.tolist(), strict=True):
        assert (pair == 4).sum(1).tolist() == [abs(moved)] * 2
    assert not (next(iter(data.val_dataloader())).codes == 4).any()


@pytest.mark.parametrize("members", [1, 3])
def test_training_lowers_squared_errors_of_means_and_weighted_differences(folder: Path, members: int) -> None:
    torch.manual_seed(0)
    model = Basset(
        ["core_promoter", "upstream"],
        LENGTH,
        ConvStackConfig((6,), (9,), (8,)),
        hidden=(),
        ensemble_members=members,
        loss="mean_squared_error",
    ).eval()
    batch = next(iter(YeastReporterDataModule(batch_size=30, difference_weight=5.0).train_dataloader()))
    with torch.inference_mode():
        features = model.trunk(model.encode(batch.codes))
        raw = model.head.member_outputs(features) if members > 1 else model.head(features).unsqueeze(1)  # type: ignore[operator]
    loss, count = 0.0, 0
    for row in range(0, 30, 2):
        for target in range(2):
            reference, alternative = (float(batch.target[row + allele, target]) for allele in range(2))
            if np.isnan(reference):
                continue
            for member in range(members):
                one, other = (float(raw[row + allele, member, target]) for allele in range(2))
                loss += ((one + other) / 2 - (reference + alternative) / 2) ** 2
                loss += 5 * ((other - one) - (alternative - reference)) ** 2
                count += 2
    assert float(model.training_loss(batch).mean().detach()) == pytest.approx(loss / count, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_contigs": ["chr9"]}, "'chr9' is no contig of yeast"),
        ({"val_contigs": ["chrIX"]}, "named twice"),
        ({"difference_weight": 0}, "difference_weight is a number above 0"),
        ({"reverse_complement": True}, "leave out reverse_complement"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        YeastReporterDataModule(**options)  # type: ignore[arg-type]


def test_a_loss_of_counts_is_refused() -> None:
    data = YeastReporterDataModule()
    model = Basset(data.targets, LENGTH, ConvStackConfig((6,), (9,), (8,)), loss="poisson")
    with pytest.raises(ConfigError, match="mean_squared_error"):
        data.check_model(model.output, model.loss)


@pytest.mark.public_data
def test_the_published_oligos() -> None:
    read_variants.cache_clear()
    data = YeastReporterDataModule()
    assert [len(data.subset(name)) for name in SPLITS] == [10_350, 954, 1_128]
    assert "left out: 146 pairs" in data.describe()[-1]
