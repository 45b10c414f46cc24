"""MPRA-DragoNN (Movva 2019, doi:10.1371/journal.pone.0218073): expression of reporters with 145 bp of human DNA.

Its layers are three times convolution, ReLU, batch normalization, and a dense layer. A normalization that follows the
ReLU is a scale and an offset of each channel, which the next layer's weights take up exactly, since its convolutions
are not padded: what is left is a Basset without pools and hidden layers. Tensors alone are read from the Keras file.

Shapes: C input channels, F filters, W positions that a filter spans, P positions that are left, T targets.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError
from zoo.hub.facts import ModelFacts
from zoo.hub.targets import TargetRow
from zoo.utils.download import PublicFile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from zoo.models.basset import Basset

__all__ = ["FACTS", "TARGET_ROWS", "WEIGHTS", "build", "convert", "read_keras"]

WEIGHTS = PublicFile(
    "https://raw.githubusercontent.com/kundajelab/MPRA-DragoNN/2799ed87821130fc537836651d37e45a3247382d/"
    "kipoi/ConvModel/pretrained.hdf5",
    "27eb5aee40317b012a17a6a409f545825292eb1787c2ad506d6d37b97990f006",
    1_390_888,
    "MIT",
)
_LENGTH, _FILTERS, _WIDTH, _BLOCKS = 145, 120, 5, 3
_LEFT = _LENGTH - _BLOCKS * (_WIDTH - 1)
_KERAS_EPS = 1e-3  # of the published batch normalizations
_PROMOTERS = {"minP": "minimal promoter", "SV40P": "SV40 promoter"}
_UNIT = "z-score of log2 RNA/DNA"


def _target_rows() -> list[TargetRow]:
    """Cell line, promoter and replicate of each output, in the published order."""
    replicates = {"rep1": "replicate 1", "rep2": "replicate 2", "pooled": "both replicates pooled"}
    return [
        TargetRow(f"{cell}_{promoter}_{replicate}", f"Sharpr-MPRA in {cell}, {full}, {which}", _UNIT)
        for cell in ("K562", "HepG2")
        for promoter, full in _PROMOTERS.items()
        for replicate, which in replicates.items()
    ]


TARGET_ROWS = _target_rows()

FACTS = ModelFacts(
    name="basset.mpra_dragonn",
    output="labels",
    targets=tuple(row.name for row in TARGET_ROWS),
    input="145 bp of DNA",
    length=_LENGTH,
    summary="Expression of reporters with 145 bp of human DNA in K562 and HepG2 (Sharpr-MPRA)",
    species="Homo sapiens",
    assay="Sharpr-MPRA",
    cell_type="K562, HepG2",
    data="Sharpr-MPRA of Ernst 2016 (doi:10.1038/nbt.3678): 145 bp tiles of 15,720 regulatory regions.",
    source="Movva 2019, doi:10.1371/journal.pone.0218073",
    licence="MIT",
    citation="@article{movva2019deciphering,\n"
    "  title = {Deciphering regulatory DNA sequences and noncoding genetic variants using neural network models of "
    "massively parallel reporter assays},\n"
    "  author = {Movva, Rajiv and Greenside, Peyton and Marinov, Georgi K. and Nair, Surag and Shrikumar, Avanti and "
    "Kundaje, Anshul},\n"
    "  journal = {PLoS ONE}, volume = {14}, number = {6}, pages = {e0218073}, year = {2019},\n"
    "  doi = {10.1371/journal.pone.0218073}\n}",
    use="Expression that 145 bp of human DNA drive from a plasmid, with a minimal or an SV40 promoter, in two cell "
    "lines; effects of variants on it.",
    limits="Trained and evaluated by its authors, not by this project: without chromosomes 8 (validation) and 18 "
    "(test). It reads the given strand alone; sequences of exactly 145 bp. A plasmid is no chromosome: it tells what a "
    "piece of DNA does by itself.",
)


def build() -> "Basset":
    """Make the net, with random weights."""
    from zoo.models.basset import Basset
    from zoo.nn.conv_stack import ConvStackConfig

    conv = ConvStackConfig((_FILTERS,) * _BLOCKS, (_WIDTH,) * _BLOCKS, (1,) * _BLOCKS)
    return Basset(FACTS.targets, _LENGTH, conv, hidden=(), loss="mean_squared_error")


def _layout() -> dict[str, tuple[int, ...]]:
    """Shapes of the published tensors, by layer and name."""
    shapes: dict[str, tuple[int, ...]] = {
        "dense_1/kernel": (_LEFT * _FILTERS, len(TARGET_ROWS)),
        "dense_1/bias": (len(TARGET_ROWS),),
    }
    for block in range(1, _BLOCKS + 1):
        shapes[f"conv1d_{block}/kernel"] = (_WIDTH, 4 if block == 1 else _FILTERS, _FILTERS)
        shapes[f"conv1d_{block}/bias"] = (_FILTERS,)
        for name in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"batch_normalization_{block}/{name}"] = (_FILTERS,)
    return shapes


def read_keras(path: Path) -> "dict[str, NDArray[Any]]":
    """Read the published tensors from the Keras file: float64, by `layer/name`.

    Raises:
        IntegrityError: no HDF5 file, or a tensor that is missing, of another shape, or not of finite numbers.
    """
    import h5py
    import numpy as np

    tensors: dict[str, NDArray[Any]] = {}
    try:
        with h5py.File(path, "r") as file:
            for key, shape in _layout().items():
                layer, name = key.split("/")
                dataset = file[f"{layer}/{layer}/{name}:0"]
                if not isinstance(dataset, h5py.Dataset) or dataset.shape != shape or dataset.dtype.kind != "f":
                    raise IntegrityError(f"{path}: not the published MPRA-DragoNN model ({key} is not {shape} numbers)")
                tensors[key] = dataset[()].astype(np.float64)
                if not np.isfinite(tensors[key]).all():
                    raise IntegrityError(f"{path}: not the published MPRA-DragoNN model ({key} is not finite)")
    except (OSError, KeyError) as error:
        raise IntegrityError(f"{path}: not the published MPRA-DragoNN model ({error})") from None
    return tensors


def convert(tensors: "Mapping[str, NDArray[Any]]") -> "dict[str, Tensor]":
    """Fold each batch normalization into the next layer, and name the tensors as the model does.

    Args:
        tensors: as `read_keras` gives them.
    """
    import numpy as np
    import torch

    state: dict[str, Tensor] = {}
    scale, offset = np.ones(4), np.zeros(4)  # of the channels that a layer reads
    for block in range(_BLOCKS):
        kernel, bias = tensors[f"conv1d_{block + 1}/kernel"], tensors[f"conv1d_{block + 1}/bias"]  # (W, C, F), (F,)
        folded = (kernel * scale[:, None]).transpose(2, 1, 0)[:, :, None]  # (F, C, 1, W)
        state[f"trunk.blocks.{block}.conv.weight"] = torch.from_numpy(folded.copy()).float()
        state[f"trunk.blocks.{block}.conv.bias"] = torch.from_numpy(bias + offset @ kernel.sum(0)).float()
        for name, value in _neutral_norm().items():
            state[f"trunk.blocks.{block}.norm.{name}"] = value
        gamma, beta, mean, variance = (
            tensors[f"batch_normalization_{block + 1}/{name}"]
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        scale = gamma / np.sqrt(variance + _KERAS_EPS)
        offset = beta - mean * scale
    dense = tensors["dense_1/kernel"].reshape(_LEFT, _FILTERS, -1)  # (P, F, T): positions, then channels
    weight = (dense * scale[:, None]).transpose(2, 1, 0).reshape(-1, _LEFT * _FILTERS)  # channels, then positions
    state["head.0.weight"] = torch.from_numpy(weight).float()
    state["head.0.bias"] = torch.from_numpy(tensors["dense_1/bias"] + offset @ dense.sum(0)).float()
    return state


def _neutral_norm() -> "dict[str, Tensor]":
    """Tensors of a batch normalization, eps 1e-5, that changes nothing."""
    import torch

    ones, zeros = torch.ones(_FILTERS), torch.zeros(_FILTERS)
    return {
        "weight": ones,
        "bias": zeros,
        "running_mean": zeros.clone(),
        "running_var": ones - 1e-5,
        "num_batches_tracked": torch.tensor(0),
    }
