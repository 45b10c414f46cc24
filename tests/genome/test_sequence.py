"""Codes of bases: letters, reverse complement, one-hot encoding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo.errors import InputError
from zoo.genome.sequence import complement_codes, count_ambiguous, decode, encode, one_hot, reverse_complement

COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}


def random_letters(seed: int, length: int, letters: str = "ACGTN") -> str:
    return "".join(np.random.default_rng(seed).choice(list(letters), length))


@pytest.mark.parametrize("text", ["ACGTUN", "acgtun", b"ACGTUN", b"aCgTuN"])
def test_letters_become_their_codes_in_either_case(text: str | bytes) -> None:
    assert encode(text).tolist() == [0, 1, 2, 3, 3, 4]
    assert encode(text).dtype == np.uint8


@pytest.mark.parametrize("letter", list("RYSWKMBDHVryswkmbdhv"))
def test_every_other_iupac_letter_is_read_as_n_and_counted(letter: str) -> None:
    assert encode(f"A{letter}T").tolist() == [0, 4, 3]
    assert count_ambiguous(f"A{letter}T{letter}".encode()) == 2


def test_n_and_u_are_not_counted_as_ambiguous() -> None:
    assert count_ambiguous(b"ACGTUNacgtun") == 0


def test_no_letters_make_no_codes() -> None:
    assert encode("").tolist() == []
    assert decode(encode("")) == ""


@pytest.mark.parametrize("byte", sorted(set(range(256)) - set(b"ACGTUNRYSWKMBDHVacgtunryswkmbdhv")))
def test_every_other_byte_is_refused(byte: int) -> None:
    with pytest.raises(InputError, match="position 3"):
        encode(b"AC" + bytes([byte]) + b"GT")


def test_the_first_invalid_letter_is_named_with_its_position_from_1() -> None:
    with pytest.raises(InputError, match=r"'J' at position 4 is neither DNA nor RNA$"):
        encode("ACGJAO")


@pytest.mark.parametrize("letter", list("EFILPQ*"))
def test_the_letters_of_a_protein_are_recognised(letter: str) -> None:
    with pytest.raises(InputError, match=f"{'[*]' if letter == '*' else letter}.*looks like a protein"):
        encode(f"ACG{letter}")


def test_letters_outside_latin_1_are_refused() -> None:
    with pytest.raises(InputError, match="position 2"):
        encode("AΩ")


def test_decode_is_the_inverse_of_encode() -> None:
    text = random_letters(0, 1000)
    assert decode(encode(text)) == text


def test_reverse_complement_complements_each_letter_from_the_end() -> None:
    text = random_letters(1, 301)
    assert decode(reverse_complement(encode(text))) == "".join(COMPLEMENT[letter] for letter in reversed(text))
    assert decode(reverse_complement(encode("AACGTN"))) == "NACGTT"


def test_each_row_of_an_array_is_reverse_complemented() -> None:
    rows = [random_letters(seed, 12) for seed in range(5)]
    stacked = reverse_complement(np.stack([encode(row) for row in rows]))
    assert [decode(row) for row in stacked] == [decode(reverse_complement(encode(row))) for row in rows]


def test_tensors_and_arrays_have_the_same_reverse_complement() -> None:
    codes = np.stack([encode(random_letters(seed, 50)) for seed in range(4)])
    assert complement_codes(torch.from_numpy(codes)).tolist() == reverse_complement(codes).tolist()
    assert complement_codes(torch.from_numpy(codes)).dtype == torch.uint8


def test_one_hot_has_a_row_for_each_of_a_c_g_t_and_zeros_at_n() -> None:
    onehot = one_hot(torch.tensor([[0, 1, 2, 3, 4]], dtype=torch.uint8))
    expected = [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0]]
    assert onehot.tolist() == [expected]
    assert onehot.dtype == torch.float32


def test_one_hot_has_the_given_value_at_n() -> None:
    onehot = one_hot(torch.tensor([[4, 2]], dtype=torch.uint8), unknown=0.25)
    assert onehot.tolist() == [[[0.25, 0], [0.25, 0], [0.25, 1], [0.25, 0]]]


@pytest.mark.parametrize("unknown", [0.0, 0.25])
def test_reverse_complement_of_one_hot_is_a_flip_of_both_axes(unknown: float) -> None:
    codes = torch.from_numpy(np.stack([encode(random_letters(seed, 33)) for seed in range(3)]))
    assert torch.equal(one_hot(complement_codes(codes), unknown), one_hot(codes, unknown).flip(1, 2))
