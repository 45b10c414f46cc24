"""MPRA-DragoNN: golden outputs of the published file, and made files against the published layers in numpy."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.errors import IntegrityError
from zoo.genome.sequence import encode
from zoo.hub.load import load, resolve, verify
from zoo.hub.targets import read_targets
from zoo.importers import basset
from zoo.importers._mpra_dragonn import convert, read_keras
from zoo.inference.labels import predict_codes, predict_sequences

NAME = "basset.mpra_dragonn"
Array = NDArray[np.float64]
SHAPES: dict[str, tuple[int, ...]] = {
    "conv1d_1/kernel": (5, 4, 120),
    "conv1d_2/kernel": (5, 120, 120),
    "conv1d_3/kernel": (5, 120, 120),
    "dense_1/kernel": (133 * 120, 12),
    "dense_1/bias": (12,),
    **{f"conv1d_{block}/bias": (120,) for block in (1, 2, 3)},
    **{
        f"batch_normalization_{block}/{name}": (120,)
        for block in (1, 2, 3)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    },
}
# Outputs in float64 for four sequences of a linear congruential generator.
GOLDEN = """
-.30757 -.50976 -.48143 -.04377 -.10603 -.09101 -.32342 -.15163 -.29158 -.07703 -.16394 -.14811
.32124 .43338 .44225 .09405 .11441 .13341 .29978 .11209 .25272 -.03484 -.00285 -.02615
.11708 .20005 .18596 .08114 -.02108 .03689 .04988 .01605 .03880 -.06832 -.13203 -.12131
-.20635 -.32392 -.31153 -.10400 -.10542 -.12257 -.27445 -.32155 -.36025 -.16694 -.18937 -.21994
"""


def drawn_sequence(x: int) -> str:
    letters = ""
    for _ in range(145):
        x = (1103515245 * x + 12345) % 2**31
        letters += "ACGT"[(x >> 16) & 3]
    return letters


def random_tensors(seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    tensors = {}
    for key, shape in SHAPES.items():
        value = rng.normal(size=shape)
        if key.endswith("kernel"):
            value /= np.sqrt(np.prod(shape[:-1]))
        tensors[key] = np.abs(value) + 0.1 if key.endswith("moving_variance") else value
    return {key: value.astype(np.float32).astype(np.float64) for key, value in tensors.items()}


def write_keras(path: Path, tensors: dict[str, Any]) -> Path:
    with h5py.File(path, "w") as file:
        for key, value in tensors.items():
            layer, name = key.split("/")
            file[f"{layer}/{layer}/{name}:0"] = value
    return path


def published_forward(w: dict[str, Array], codes: NDArray[np.uint8]) -> Array:
    """Outputs (B, 12) of the published layers in float64: each normalization behind its ReLU, nothing folded."""
    x: Array = np.eye(4)[codes]  # (B, P, C)
    for block in (1, 2, 3):
        windows = np.lib.stride_tricks.sliding_window_view(x, 5, axis=1)  # (B, P, C, W)
        x = np.einsum("bpcw,wcf->bpf", windows, w[f"conv1d_{block}/kernel"], optimize=True)
        x = np.maximum(x + w[f"conv1d_{block}/bias"], 0)
        norm = {name: w[f"batch_normalization_{block}/{name}"] for name in ("gamma", "beta")}
        mean, variance = (w[f"batch_normalization_{block}/moving_{name}"] for name in ("mean", "variance"))
        x = norm["gamma"] * (x - mean) / np.sqrt(variance + 1e-3) + norm["beta"]
    out: Array = x.reshape(len(x), -1) @ w["dense_1/kernel"] + w["dense_1/bias"]
    return out


@pytest.mark.public_data
def test_the_published_file_gives_the_golden_outputs() -> None:
    golden = np.array([line.split() for line in GOLDEN.strip().split("\n")], np.float64)
    sequences = [drawn_sequence(number) for number in (1, 2, 3, 4)]
    assert sequences[0].startswith("GGCTTTGTAGCTAACTCTCG")
    np.testing.assert_allclose(predict_sequences(load(NAME), sequences).values, golden, atol=1e-5, rtol=0)
    assert verify(NAME).difference == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_a_file_of_that_layout_predicts_as_its_layers(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = random_tensors(seed)
    path = write_keras(tmp_path / "pretrained.hdf5", tensors)
    monkeypatch.setattr(basset, "fetch", lambda file: path)
    codes = [encode(drawn_sequence(number + 10 * seed)) for number in range(6)]
    expected = published_forward(tensors, np.stack(codes))
    np.testing.assert_allclose(predict_codes(load(NAME), codes, [""] * 6), expected, atol=2e-5, rtol=1e-5)
    assert expected.std() > 0.3  # no constant passes for agreement


def test_the_targets_have_their_published_order_and_what_they_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_keras(tmp_path / "pretrained.hdf5", random_tensors(0))
    monkeypatch.setattr(basset, "fetch", lambda file: path)
    model = load(NAME)
    assert model.output.targets[:4] == ("K562_minP_rep1", "K562_minP_rep2", "K562_minP_pooled", "K562_SV40P_rep1")
    assert model.output.targets[8] == "HepG2_minP_pooled"
    row = read_targets(resolve(NAME))[8]
    assert (row.description, row.unit) == (
        "Sharpr-MPRA in HepG2, minimal promoter, both replicates pooled",
        "z-score of log2 RNA/DNA",
    )


def test_folding_is_exact_in_the_weights() -> None:
    # One channel by hand: the first normalization scales what the second convolution reads of it.
    tensors = random_tensors(2)
    state = convert(tensors)
    scale = tensors["batch_normalization_1/gamma"] / np.sqrt(tensors["batch_normalization_1/moving_variance"] + 1e-3)
    kernel = tensors["conv1d_2/kernel"]
    folded = state["trunk.blocks.1.conv.weight"].numpy()  # (F, C, 1, W)
    assert folded[3, 7, 0, 2] == pytest.approx(kernel[2, 7, 3] * scale[7], rel=1e-6)
    np.testing.assert_array_equal(
        state["trunk.blocks.0.conv.weight"].numpy()[:, :, 0], tensors["conv1d_1/kernel"].transpose(2, 1, 0)
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dense_1/bias": None}, "not the published MPRA-DragoNN model"),
        ({"conv1d_2/kernel": np.zeros((5, 120, 119))}, r"conv1d_2/kernel is not \(5, 120, 120\) numbers"),
        ({"conv1d_1/bias": np.full(120, np.nan)}, "conv1d_1/bias is not finite"),
        ({"conv1d_1/bias": np.array([b"x"] * 120)}, r"conv1d_1/bias is not \(120,\) numbers"),
    ],
)
def test_a_file_of_another_layout_is_refused(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    tensors = {key: value for key, value in (random_tensors(0) | change).items() if value is not None}
    with pytest.raises(IntegrityError, match=said):
        read_keras(write_keras(tmp_path / "other.hdf5", tensors))


def test_what_is_no_hdf5_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pretrained.hdf5"
    path.write_bytes(b"<html>404: Not Found</html>")
    with pytest.raises(IntegrityError, match=r"pretrained\.hdf5: not the published MPRA-DragoNN model"):
        read_keras(path)
