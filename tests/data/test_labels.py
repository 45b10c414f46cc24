"""LabelsDataModule: validation and test are shared among processes, each sequence counted once."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo.batch import Batch, DataSpec
from zoo.data.labelled import LabelledSequences
from zoo.data.labels import LabelsDataModule
from zoo.data.samplers import ShareSampler
from zoo.genome.sequence import Codes

SIZE = 23  # of validation and of test


class Random(LabelsDataModule[Codes]):
    """Random sequences; all are positives, so that validation has shuffles of them as negatives."""

    def spec(self) -> DataSpec:
        return DataSpec("labels", ("y",), 30)

    def read(self) -> LabelledSequences:
        rng = np.random.default_rng(0)
        codes = rng.integers(0, 4, (3 * SIZE, 30)).astype(np.uint8)
        return LabelledSequences(codes, np.ones((3 * SIZE, 1), np.float32), np.repeat([0, 1, 2], SIZE))


def simulate_rank(monkeypatch: pytest.MonkeyPatch, rank: int, ranks: int) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda *_: ranks)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda *_: rank)


def observed(batches: Iterable[Batch]) -> list[tuple[bytes, float]]:
    """The sequences that have a target, with it."""
    rows = [row for batch in batches for row in zip(batch.codes.numpy(), batch.target[:, 0].tolist(), strict=True)]
    return sorted((codes.tobytes(), target) for codes, target in rows if not np.isnan(target))


@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize("batch_size", [1, 4, 46, 100])
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_ranks_score_each_sequence_once_and_the_same_shuffles_as_one_process(
    monkeypatch: pytest.MonkeyPatch, ranks: int, batch_size: int, split: str
) -> None:
    def loader() -> list[Batch]:
        data = Random(shuffles=1, batch_size=batch_size)
        return list(data.val_dataloader() if split == "val" else data.test_dataloader())

    alone = observed(loader())
    assert len(alone) == 2 * SIZE
    assert [target for _, target in alone].count(0.0) == SIZE
    shares = []
    for rank in range(ranks):
        simulate_rank(monkeypatch, rank, ranks)
        shares.append(loader())
    assert len({len(share) for share in shares}) == 1  # else a rank would wait for a batch that never comes
    assert observed(batch for share in shares for batch in share) == alone


@pytest.mark.parametrize("block", [1, 4, 7])
@pytest.mark.parametrize("size", [1, 8, 23])
@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_shares_have_each_index_once_by_whole_blocks(
    monkeypatch: pytest.MonkeyPatch, ranks: int, size: int, block: int
) -> None:
    indices, blocks = [], set()
    for rank in range(ranks):
        simulate_rank(monkeypatch, rank, ranks)
        sampler = ShareSampler(size, block)
        share = list(sampler)
        assert len(sampler) == len(share)
        assert all(len({i // block for i in share[s : s + block] if i < size}) < 2 for s in range(0, len(share), block))
        blocks.add(-(-len(share) // block))
        indices += share
    assert len(blocks) == 1
    assert sorted(index for index in indices if index < size) == list(range(size))


def test_the_whole_test_split_is_predicted(tmp_path: Path) -> None:
    batches = list(Random(shuffles=1, batch_size=10).predict_dataloader())
    assert sum(len(batch.codes) for batch in batches) == 2 * SIZE


class TwoClasses(Random):
    """Two targets, of which some splits have negatives."""

    def __init__(self, negatives: list[int], shuffles: int = 0) -> None:
        super().__init__(shuffles=shuffles)
        self.negatives = negatives

    def spec(self) -> DataSpec:
        return DataSpec("labels", ("a", "b"), 30)

    def read(self) -> LabelledSequences:
        codes = super().read()
        labels = np.eye(2, dtype=np.float32)[np.arange(3 * SIZE) % 2]
        labels[np.isin(codes.split, self.negatives) & (np.arange(3 * SIZE) % 3 == 0)] = 0
        return LabelledSequences(codes.codes, labels, codes.split)


@pytest.mark.parametrize(
    ("negatives", "line"),
    [
        ([], "every sequence is a positive of some target: a model of them tells the targets apart"),
        (
            [0],
            "every sequence of val and test is a positive of some target: scores of them show how a model tells",
        ),
        ([1, 2], "every sequence of train is a positive of some target: a model of them tells the targets apart"),
        ([0, 1], "every sequence of test is a positive of some target: scores of them show"),
        ([0, 1, 2], None),
    ],
)
def test_splits_without_negatives_are_named(negatives: list[int], line: str | None) -> None:
    told = [one for one in TwoClasses(negatives).describe() if one.startswith("every sequence")]
    assert [one[: len(line or "")] for one in told] == ([line] if line else [])
    assert not any(one.startswith("every") for one in TwoClasses(negatives, shuffles=1).describe())
