"""DNA and RNA as text, as codes and as one-hot tensors; all other modules take the alphabet from here.

A base is one byte: A 0, C 1, G 2, T (or U) 3, N 4. Every other IUPAC letter is read as N.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.errors import InputError

__all__ = [
    "ALPHABET",
    "UNKNOWN",
    "complement_codes",
    "count_ambiguous",
    "decode",
    "describe_invalid",
    "encode",
    "find_invalid",
    "one_hot",
    "reverse_complement",
    "reverse_complement_one_hot",
]

Codes = NDArray[np.uint8]

ALPHABET = "ACGT"
UNKNOWN = 4
_AMBIGUOUS = b"RYSWKMBDHV"
_INVALID = 255

# Letter (as a byte, either case) -> code.
_CODE = np.full(256, _INVALID, dtype=np.uint8)
for _code, _letters in enumerate((b"Aa", b"Cc", b"Gg", b"TtUu", b"Nn" + _AMBIGUOUS + _AMBIGUOUS.lower())):
    _CODE[list(_letters)] = _code
_TO_CODE = _CODE.tobytes()
_LETTER = np.frombuffer(b"ACGTN", dtype=np.uint8)
_COMPLEMENT = np.array([3, 2, 1, 0, 4], dtype=np.uint8)
_AMBIGUOUS_BOTH_CASES = _AMBIGUOUS + _AMBIGUOUS.lower()


def encode(text: bytes | str) -> Codes:
    """Convert letters to codes.

    Args:
        text: DNA or RNA, upper or lower case, IUPAC letters allowed (read as N).

    Returns:
        uint8 codes (L,), a read-only view.

    Raises:
        InputError: a letter that is not an IUPAC nucleotide code; names the first one.
    """
    raw = text.encode("latin-1", "replace") if isinstance(text, str) else text
    codes = np.frombuffer(raw.translate(_TO_CODE), dtype=np.uint8)
    if codes.size and codes.max() == _INVALID:
        position = find_invalid(raw)
        raise InputError(describe_invalid(raw[position], f"position {position + 1}"))
    return codes


def find_invalid(text: bytes) -> int:
    """Find the first letter that is not an IUPAC nucleotide code: its index, or the length of the text."""
    valid = _CODE[np.frombuffer(text, np.uint8)] != _INVALID
    return len(text) if valid.all() else int(np.argmin(valid))


def describe_invalid(letter: int, place: str) -> str:
    """Describe a letter (as a byte) that is not an IUPAC nucleotide code, at a place of a sequence."""
    text = chr(letter)
    hint = "; this looks like a protein" if text.upper() in "EFILPQZX*" else ""
    return f"the letter {text!r} at {place} is neither DNA nor RNA{hint}"


def count_ambiguous(text: bytes) -> int:
    """Count the IUPAC letters other than A, C, G, T, U and N, which `encode` reads as N."""
    return len(text) - len(text.translate(None, _AMBIGUOUS_BOTH_CASES))


def decode(codes: Codes) -> str:
    """Convert codes uint8 (L,) to upper-case DNA."""
    return _LETTER[codes].tobytes().decode("ascii")


def reverse_complement(codes: Codes) -> Codes:
    """Reverse-complement codes uint8 (..., L)."""
    return _COMPLEMENT[codes[..., ::-1]]


def complement_codes(codes: Tensor) -> Tensor:
    """Reverse-complement a batch of codes uint8 (B, L), on its device."""
    return torch.from_numpy(_COMPLEMENT).to(codes.device)[codes.flip(-1).long()]


def reverse_complement_one_hot(onehot: Tensor) -> Tensor:
    """Reverse-complement one-hot bases (B, 4, L): in the order A C G T, the complement is the mirror image."""
    return onehot.flip(1, 2)


def one_hot(codes: Tensor, unknown: float = 0.0) -> Tensor:
    """Encode a batch of codes as one-hot.

    Args:
        codes: uint8 (B, L).
        unknown: value of each of the four channels at an N: 0, or 0.25 where a published model needs it.

    Returns:
        float32 (B, 4, L), in the base order A C G T.
    """
    rows = torch.eye(4, dtype=torch.float32, device=codes.device)
    table = torch.cat([rows, torch.full((1, 4), unknown, device=codes.device)])
    return table[codes.long()].transpose(1, 2)  # (B, L, 4) -> (B, 4, L)
