"""Samples of k-mers: what share of sequences they tell as seen, of known truth."""

import numpy as np
import pytest

from zoo.genome.kmers import canonical_kmers
from zoo.genome.sequence import decode, encode, reverse_complement
from zoo.genome.sketch import MOST_HASHES, KmerSketch, kmer_length, sketch_kmers

RNG = np.random.default_rng(0)
LENGTH = 101


def random_codes(count: int, length: int = LENGTH, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (count, length)).astype(np.uint8)


def shares(sketch: KmerSketch, codes: np.ndarray) -> np.ndarray:
    found = sketch.look_up(codes)
    return found.seen / np.maximum(found.looked_up, 1)


def test_canonical_kmers_are_those_of_texts() -> None:
    (text,) = (decode(row) for row in random_codes(1, 40))
    k = 7
    words = [text[i : i + k] for i in range(len(text) - k + 1)]
    others = [decode(reverse_complement(encode(word))) for word in words]
    numbers = [
        int(min(word, other).translate(str.maketrans("ACGT", "0123")), 4)
        for word, other in zip(words, others, strict=True)
    ]
    assert canonical_kmers(encode(text)[None], k)[0].tolist() == numbers


def test_all_kmers_are_kept_of_few_sequences_and_found_on_either_strand() -> None:
    codes = random_codes(100)
    sketch = sketch_kmers([codes[:40], codes[40:]], 31)
    assert sketch.fraction == 1
    assert len(sketch.hashes) == 100 * 71
    assert (shares(sketch, codes) == 1).all()
    assert (shares(sketch, reverse_complement(codes)) == 1).all()
    assert (shares(sketch, random_codes(1000, seed=1)) == 0).all()


@pytest.mark.parametrize("shift", [1, 20, 35, 60])
def test_a_shifted_sequence_shares_the_kmers_of_its_overlap(shift: int) -> None:
    codes = random_codes(200)
    shifted = np.concatenate([codes[:, shift:], random_codes(200, shift, 2)], 1)
    found = shares(sketch_kmers([codes], 31), shifted)
    assert found == pytest.approx(np.full(200, (71 - shift) / 71))
    assert ((found >= 0.5) == (shift <= 35)).all()


def test_a_sketch_of_many_sequences_is_small_and_estimates_the_share_that_was_seen() -> None:
    train = random_codes(20_000)
    sketch = sketch_kmers(np.array_split(train, 7), 31)
    assert MOST_HASHES / 2 < len(sketch.hashes) <= MOST_HASHES
    assert sketch.fraction == 1 / 32  # 1,420,000 k-mers
    test = np.concatenate([train[:500], random_codes(1_500, seed=3)])
    found = sketch.look_up(test)
    compared = found.looked_up > 0
    # Of 71 k-mers none is sampled with the probability (31/32)^71 = 0.105: 2,000 sequences, four standard errors.
    assert compared.mean() == pytest.approx(1 - 0.105, abs=0.028)
    assert (2 * found.seen >= found.looked_up)[compared].mean() == pytest.approx(500 / 2_000, abs=0.04)
    assert (found.seen[:500] == found.looked_up[:500]).all()
    assert found.seen[500:].sum() == 0


def test_unknown_bases_and_short_sequences_do_not_count() -> None:
    codes = random_codes(3)
    codes[0, 50] = 4
    assert sketch_kmers([codes], 31).look_up(codes).looked_up.tolist() == [40, 71, 71]
    assert sketch_kmers([codes], 31).look_up(codes[:, :30]).looked_up.tolist() == [0, 0, 0]
    assert len(sketch_kmers([codes[:, :30]], 31).hashes) == 0


def test_short_sequences_are_compared_by_shorter_kmers() -> None:
    assert [kmer_length(length) for length in (10, 20, 40, 101, 600)] == [10, 16, 26, 31, 31]
