"""The human Basenji2 model (Kelley 2020), as the PyPI package `basenji2-pytorch` lays its weights out.

The file is a plain state dict, of which tensors alone are read. Its publisher states only its md5.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError
from zoo.hub.facts import ModelFacts
from zoo.importers._state_dict import load_published
from zoo.utils.download import PublicFile, fetch

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.models._base import SequenceModel

__all__ = ["WEIGHTS", "convert", "entries", "import_model"]

WEIGHTS = PublicFile(
    "https://zenodo.org/records/14969593/files/basenji2.pth",
    sha256="",
    size=0,
    licence="as stated in record 14969593 of Zenodo",
    md5="1f46acc933e05515faf4d7eec0e27d42",
)
_TARGETS = 5313
# The published modules -> ours; within a block, 1 is the convolution and 2 its normalisation.
_BLOCKS = {
    "model.trunk.0.block": "trunk.blocks.0",
    **{f"model.trunk.1.tower.{i}.block": f"trunk.blocks.{1 + i}" for i in range(6)},
    **{
        f"model.trunk.2.block.{i}.module.{j}.block": f"trunk.blocks.{7 + i}.blocks.{j}"
        for i in range(11)
        for j in (0, 1)
    },
    "model.trunk.4.block": "head.0",
}
_LAYERS = {"1": "conv", "2": "norm"}
_LAST = "model.head.final.block.1"


@cache
def entries() -> list[ModelFacts]:
    """The facts, offline."""
    return [
        ModelFacts(
            name="basenji.human2020",
            output="tracks",
            targets=tuple(f"human_{index}" for index in range(_TARGETS)),
            input="131,072 bp of DNA",
            length=131072,
            summary="5,313 tracks (DNase, ATAC, ChIP, CAGE) along 131 kb of human DNA, 128 bp a bin",
            species="Homo sapiens",
            assay="DNase-seq, ATAC-seq, ChIP-seq, CAGE",
            cell_type="hundreds of cell types and tissues",
            data="See the authors' publication.",
            source="Kelley 2020, doi:10.1371/journal.pcbi.1008050",
            licence="as stated in record 14969593 of Zenodo",
            use="Coverage of 896 bins of 128 bp of hg38, the middle of 131,072 bp. Targets are numbered as in the "
            "authors' table of human targets.",
            limits="Trained and evaluated by its authors, not by this project. The importer was proven on random "
            "weights against the package that publishes them; it has not been run on the real file, which could not be "
            "had where it was written. That package computes the exact GELU; the weights were trained, and are used "
            "here, with x sigmoid(1.702 x).",
        )
    ]


def import_model(name: str) -> "SequenceModel":
    """Fetch the published file, verify it, and build the model with its weights."""
    from zoo.models.basenji import Basenji

    model = Basenji(entries()[0].targets)
    load_published(model, fetch(WEIGHTS), convert, "Basenji2")
    return model


def convert(state: dict[str, Any], path: Path) -> "dict[str, Tensor]":
    """Rename the published tensors to the model's names.

    Args:
        state: published tensors by name.
        path: path of the file, for messages.

    Raises:
        IntegrityError: a tensor that this model does not have.
    """
    return {
        _our_name(key, path): value.unsqueeze(-1) if key == f"{_LAST}.weight" else value for key, value in state.items()
    }


def _our_name(key: str, path: Path) -> str:
    block, _, tensor = key.rpartition(".")
    if block == _LAST:
        return f"head.2.{tensor}"
    block, _, layer = block.rpartition(".")
    if block not in _BLOCKS or layer not in _LAYERS:
        raise IntegrityError(f"{path}: not the published Basenji2 model (what is {key}?)")
    return f"{_BLOCKS[block]}.{_LAYERS[layer]}.{tensor}"
