"""The baseline of the Basset table: counts of 6-mers against a slow loop, and a logistic regression that finds one."""

import runpy
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from zoo.data.labelled import LabelledSequences
from zoo.data.module import LabelsDataModule
from zoo.registry import shipped_folder
from zoo.sequence import Codes, decode, encode


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(shipped_folder("benchmarks") / "bench_basset.py"))


def other_strand(word: str) -> str:
    return word[::-1].translate(str.maketrans("ACGT", "TGCA"))


def test_six_mers_are_counted_on_both_strands_and_those_with_n_left_out(script: dict[str, Any]) -> None:
    codes = np.random.default_rng(0).integers(0, 5, (5, 40)).astype(np.uint8)
    found = script["count_kmers"](codes)
    words = sorted({min(word, other_strand(word)) for word in map("".join, product("ACGT", repeat=6))})
    assert found.shape == (5, len(words)) == (5, 2080)
    for row, counts in zip(codes, found, strict=True):
        text = decode(row)
        expected = dict.fromkeys(words, 0)
        for word in (text[i : i + 6] for i in range(35)):
            if "N" not in word:
                expected[min(word, other_strand(word))] += 1
        assert counts.tolist() == list(expected.values())


class Planted(LabelsDataModule[Codes]):
    """Half of the sequences hold GATTAC, on either strand."""

    @property
    def targets(self) -> list[str]:
        return ["planted"]

    def read(self) -> LabelledSequences:
        rng = np.random.default_rng(1)
        codes = rng.integers(0, 4, (18_000, 40)).astype(np.uint8)
        for row in range(0, 18_000, 2):
            start = int(rng.integers(0, 34))
            codes[row, start : start + 6] = encode("GATTAC" if row % 4 else "GTAATC")
        label = (np.arange(18_000) % 2 == 0).astype(np.float32)
        return LabelledSequences(codes, label[:, None], np.repeat([0, 1, 2], 6000))


def test_the_regression_finds_a_planted_word(script: dict[str, Any]) -> None:
    data = Planted()
    prediction = script["kmer_predictions"](data, 1)
    label = torch.from_numpy(data.part("test").labels)
    assert float(script["score"](prediction, label)["auroc"]) > 0.9
