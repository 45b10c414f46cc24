from math import log2
from pathlib import Path

import pytest
import torch

from zoo.errors import InputError
from zoo.formats.meme import best_matches, read_meme
from zoo.genome.sequence import encode, one_hot

MEME = """MEME version 4
ALPHABET= ACGT

MOTIF M1 first
letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0
1.0 0.0 0.0 0.0
0.0 1.0 0.0 0.0
URL http://example.org

MOTIF M2
letter-probability matrix: alength= 4 w= 3
0.25 0.25 0.25 0.25
0.0 0.0 0.5 0.5
0.7 0.1 0.1 0.1
"""


def test_meme_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "m.meme").write_text(MEME)
    first, second = read_meme(tmp_path / "m.meme")
    assert (first.name, second.name) == ("M1 first", "M2")
    assert first.probabilities.tolist() == [[1, 0], [0, 1], [0, 0], [0, 0]]
    assert second.probabilities[:, 2].tolist() == pytest.approx([0.7, 0.1, 0.1, 0.1])


@pytest.mark.parametrize(
    ("text", "words"),
    [("nothing", "no motif"), ("MOTIF A\nURL x\n", "no letter-probability"), (MEME.replace("w= 3", "w= 4"), "M2")],
)
def test_broken_meme_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "m.meme").write_text(text)
    with pytest.raises(InputError, match=words):
        read_meme(tmp_path / "m.meme")


def test_best_matches_on_paper(tmp_path: Path) -> None:
    (tmp_path / "m.meme").write_text(MEME)
    motifs = read_meme(tmp_path / "m.meme")[:1]
    sequences = torch.stack([torch.from_numpy(encode(text).copy()) for text in ("TTACTT", "TTGTTT", "CCCCCC")])
    found = best_matches(one_hot(sequences), motifs)
    hit, miss = log2(1.001 / 1.004 / 0.25), log2(0.001 / 1.004 / 0.25)
    # AC itself, AC on the other strand, and CCCCCC, which has only the C.
    assert found.flatten().tolist() == pytest.approx([2 * hit, 2 * hit, hit + miss], abs=1e-5)
