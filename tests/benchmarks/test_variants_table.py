"""The tables of measured variants: windows cut by hand, strands averaged, and a made model that knows the truth."""

from typing import Any

import numpy as np
import pytest
import torch
from accuracy import bench_variants
from accuracy.bench_variants import MATCHED, MEASURED_IN, PUBLISHED, Predictor, qtl_table, satmut_table
from accuracy.variant_effects import predict_effects, raw_outputs
from accuracy.variant_windows import Held, Windows, variant_windows

from zoo.datasets.dsqtl import Qtls
from zoo.datasets.satmut_mpra import DELETED, Experiment
from zoo.genome.sequence import Codes, decode, encode, reverse_complement
from zoo.models.basset import Basset
from zoo.nn.conv_stack import ConvStackConfig

ELEMENT = "ACGTTGCA"


@pytest.mark.parametrize(
    ("position", "allele", "held", "reference", "alternative"),
    [
        (3, "A", "left", "CGTTG", "CGATG"),
        (3, "A", "right", "CGTTG", "CGATG"),
        (3, "-", "left", "CGTTG", "CGTGC"),  # the base after the window enters at the right
        (3, "-", "right", "CGTTG", "ACGTG"),  # the base before it enters at the left
        (0, "-", "left", "ACGTT", "CGTTG"),  # near an end the window stays within the element
        (0, "-", "right", "ACGTT", "NCGTT"),
        (1, "G", "left", "ACGTT", "AGGTT"),
        (7, "-", "left", "TTGCA", "TTGCN"),
        (7, "-", "right", "TTGCA", "GTTGC"),
        (6, "T", "right", "TTGCA", "TTGTA"),
    ],
)
def test_a_window_has_the_variant_in_its_middle_and_lies_within_the_element(
    position: int, allele: str, held: Held, reference: str, alternative: str
) -> None:
    assert cut(ELEMENT, position, allele, 5, held) == [reference, alternative]


def cut(element: str, position: int, allele: str, length: int, held: Held) -> list[str]:
    code = DELETED if allele == "-" else int(encode(allele)[0])
    windows = variant_windows(encode(element), np.array([position]), np.array([code], np.uint8), length, held)
    return [decode(codes[0]) for codes in windows]


def test_an_even_window_has_one_base_more_before_the_variant() -> None:
    assert cut(ELEMENT, 3, "A", 4, "right") == ["CGTT", "CGAT"]
    assert cut(ELEMENT, 3, "-", 4, "right") == ["CGTT", "ACGT"]


def test_a_shorter_element_is_in_the_middle_with_n_around() -> None:
    assert cut("ACG", 2, "T", 7, "left") == ["NNACGNN", "NNACTNN"]
    assert cut("ACG", 0, "-", 7, "left") == ["NNACGNN", "NNCGNNN"]
    assert cut("ACG", 1, "-", 7, "right") == ["NNACGNN", "NNNAGNN"]


def test_windows_are_moved_as_far_as_the_element_goes() -> None:
    element, where = "ACGTTGCAACGTAC", (np.array([6]), np.array([0], np.uint8))  # 14 bases; A in place of C
    for shift, first in ((0, 3), (2, 5), (-2, 1)):
        windows = variant_windows(encode(element), *where, 6, shift=shift)
        assert decode(windows.reference[0]) == element[first : first + 6]
        changed = element[:6] + "A" + element[7:]
        assert decode(windows.alternative[0]) == changed[first : first + 6]
    both = np.array([1, 12]), np.zeros(2, np.uint8)
    ends = [variant_windows(encode(element), *both, 6, shift=shift).reference for shift in (-2, 2)]
    assert [[decode(row) for row in rows] for rows in ends] == [
        [element[:6], element[7:13]],
        [element[:6], element[8:]],
    ]
    short = variant_windows(encode("ACGT"), np.array([1]), np.array([3], np.uint8), 10, shift=2)
    assert decode(short.reference[0]) == "NACGTNNNNN"
    far = variant_windows(encode("ACGT"), np.array([1]), np.array([3], np.uint8), 6, shift=-9)
    assert decode(far.reference[0]) == "NNACGT"


def test_effects_are_differences_of_raw_outputs_averaged_over_both_strands() -> None:
    torch.manual_seed(0)
    model = Basset(["a", "b"], 40, ConvStackConfig((6,), (9,), (4,)), hidden=(5,)).eval()
    rng = np.random.default_rng(0)
    reference, alternative = rng.integers(0, 4, (2, 7, 40)).astype(np.uint8)

    def logits(codes: Codes) -> Any:
        with torch.inference_mode():
            return torch.logit(model.predict(torch.from_numpy(codes)).double()).numpy()

    both = [(logits(codes) + logits(reverse_complement(codes))) / 2 for codes in (reference, alternative)]
    backward = Windows(alternative[:3], reference[:3])
    effects, opposite = predict_effects(raw_outputs(model), [Windows(reference, alternative), backward])
    assert (effects.shape, opposite.shape) == ((7, 2), (3, 2))
    np.testing.assert_allclose(effects, both[1] - both[0], atol=1e-5)
    np.testing.assert_array_equal(opposite, -effects[:3])


def counts_of_g(codes: Codes) -> Any:
    """Two outputs: the number of G, and its negative three times."""
    count = (codes == 2).sum(1).astype(float)
    return np.stack([count, -3 * count], 1)


@pytest.fixture
def knowing() -> Predictor:
    """A model whose output for HepG2 is right where each G more raises the effect by one."""
    return Predictor("knowing", counts_of_g, 8, ["g", "less_g"], {"HepG2": "g", "K562": "less_g"})


def made_experiment(name: str) -> Experiment:
    codes = encode("AACCGGTTGGAACC")
    position = np.repeat(np.arange(14), 4)
    alternative = np.tile(np.array([0, 1, 2, DELETED], np.uint8), 14)
    keep = alternative != codes[position]
    position, alternative = position[keep], alternative[keep]
    effect = (alternative == 2).astype(float) - (codes[position] == 2)
    return Experiment(name, "chr1", 0, codes, position, alternative, effect, 0, 3, 1)


def test_the_output_of_the_matched_cell_line_is_compared(knowing: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {name: made_experiment(name) for name in ("F9", "PKLR-24h", "UC88")}
    monkeypatch.setattr(bench_variants, "read_experiments", lambda: made)
    header, rows = satmut_table([knowing])
    table = {(row[0], row[2]): dict(zip(header, row, strict=True)) for row in rows}
    assert table["F9", "knowing"]["SNV Pearson"] == pytest.approx(1)
    assert table["F9", "knowing"]["SNV Spearman"] == pytest.approx(1)
    assert table["PKLR-24h", "knowing"]["SNV Pearson"] == pytest.approx(-1)
    assert table["UC88", "knowing"]["SNV Pearson"] == pytest.approx(-1)  # the mean of both outputs
    assert (table["F9", "knowing"]["SNVs"], table["F9", "knowing"]["deletions"]) == (30, 14)
    assert table["F9", "knowing"]["variants left out"] == 4
    assert table["F9", "knowing"]["output"] == "g"
    assert table["UC88", "knowing"]["output"] == "g, less_g"
    (unmatched,) = [
        row for row in satmut_table([knowing._replace(matched=False)])[1] if row[:3] == ["F9", "HepG2", "knowing"]
    ]
    assert unmatched[5] == pytest.approx(-1)  # the mean of both, though HepG2 is there
    flanks = [table["F9", "knowing"][f"deletion Pearson, {held} flank held"] for held in ("left", "right")]
    assert flanks[0] != flanks[1]
    assert table["F9", "ChromBPNet, published"]["SNV Pearson"] == 0.333
    assert ("UC88", "ChromBPNet, published") not in table


def test_the_sign_of_snps_is_counted_over_all_of_them(knowing: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = np.stack([encode("AAAAAA"), encode("CCGCCC"), encode("TTTTTT"), encode("ACGTAC")])
    alternative = np.stack([encode("AAGAAA"), encode("CCTCCC"), encode("TTCTTT"), encode("ACGTGC")])
    qtls = Qtls(list("abcd"), reference, alternative, np.array([1.0, -2.0, 1.0, -1.0]), 0)
    monkeypatch.setattr(bench_variants, "read_qtls", lambda: qtls)
    monkeypatch.setattr(bench_variants, "scored_names", lambda: list("abcd"))
    _, rows = qtl_table([knowing])
    assert rows[0][:4] == ["knowing", "g", 4, 0.5]  # right, right, no difference, wrong
    assert rows[0][4] == pytest.approx(float(np.corrcoef([1, -1, 0, 1], [1, -2, 1, -1])[0, 1]))
    assert rows[1][1:4] == ["less_g", 4, 0.25]
    assert rows[-1][0] == "deltaSVM, published"


@pytest.mark.public_data
def test_every_experiment_has_its_cell_line() -> None:
    from zoo.datasets.satmut_mpra import read_experiments

    assert set(MEASURED_IN) == set(read_experiments())
    assert set(PUBLISHED) < set(MEASURED_IN)
    assert set(MATCHED) < set(MEASURED_IN.values())
