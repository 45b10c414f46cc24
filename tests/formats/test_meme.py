from math import log2
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo.errors import InputError
from zoo.formats.meme import Motif, best_matches, read_meme
from zoo.genome.sequence import complement_codes, encode, one_hot

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
    # CCCCCC has only the C: best where that is the first base, and the A lies before it, as N.
    assert found.flatten().tolist() == pytest.approx([2 * hit, 2 * hit, hit], abs=1e-5)
    assert miss < 0 < hit


def scan(text: str, matrix: np.ndarray) -> float:
    """The highest log-odds of a matrix (4, w) anywhere on either strand, base by base; past the ends bases count 0."""
    best = -np.inf
    for strand in (text, text[::-1].translate(str.maketrans("ACGT", "TGCA"))):
        for start in range(1 - matrix.shape[1], len(strand)):
            inside = [(j, strand[start + j]) for j in range(matrix.shape[1]) if 0 <= start + j < len(strand)]
            best = max(best, sum(matrix["ACGT".index(base), j] for j, base in inside if base != "N"))
    return best


def test_best_matches_are_those_of_a_scan_and_the_same_on_both_strands() -> None:
    rng = np.random.default_rng(0)
    matrices = [rng.dirichlet(np.full(4, 0.3), width).T.astype(np.float32) for width in (1, 4, 9, 15, 30)]
    motifs = [Motif(f"M{i}", torch.from_numpy(matrix)) for i, matrix in enumerate(matrices)]
    texts = ["".join(rng.choice(list("ACGT"), 21)) for _ in range(12)] + ["C" * 21, "ACGTN" * 4 + "A"]
    log_odds = [np.log2((matrix.astype(np.float64) + 1e-3) / 1.004 / 0.25) for matrix in matrices]
    codes = torch.stack([torch.from_numpy(encode(text).copy()) for text in texts])
    matches = best_matches(one_hot(codes), motifs)
    np.testing.assert_allclose(matches, [[scan(text, one) for one in log_odds] for text in texts], atol=1e-4)
    np.testing.assert_allclose(best_matches(one_hot(complement_codes(codes)), motifs), matches, atol=1e-5)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_match_over_an_end_counts_on_either_side(side: str) -> None:
    motif = Motif("GATTACA", torch.eye(4)[encode("GATTACA").tolist()].T)
    text = "TTACACCCCCCC" if side == "left" else "CCCCCCCGATTA"
    codes = torch.from_numpy(encode(text).copy())[None]
    assert float(best_matches(one_hot(codes), [motif])) == pytest.approx(5 * log2(1.001 / 1.004 / 0.25), abs=1e-4)
