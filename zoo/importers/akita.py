"""The human Akita model (Fudenberg 2020), as its PyTorch port publishes the authors' weights.

The file is a whole pickled module, which only running its publisher's classes would load; only its tensors are
read here, see `_module_pickle`. The port dilates its convolutions by 1, 2, 4, 7, 12, 21, 37, 65; the weights were
trained, and are used here, with the authors' 1, 2, 3, 5, 9, 16, 29, 50.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import IntegrityError
from zoo.hub.facts import ModelFacts
from zoo.importers._module_pickle import read_module
from zoo.importers._state_dict import fill_published
from zoo.utils.download import PublicFile, fetch

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.models._base import SequenceModel

__all__ = ["TARGETS", "WEIGHTS", "convert", "entries", "import_model"]

WEIGHTS = PublicFile(
    "https://raw.githubusercontent.com/PSmaruj/akita_pytorch/53bdfca5481945ab997d7b700561eadedd985052/"
    "loaded_tf_weights_human_1Mb_model.pth",
    "f2e48ffdd7158b03ebffaeece6f921bf8ccd665cd99b47f18b13916e08591aea",
    3_108_230,
    "Apache-2.0 (weights), MIT (port)",
)
TARGETS = ("HFF", "H1hESC", "GM12878", "IMR90", "HCT116")
# The publisher's own classes in the file; only the tensors inside them are read.
_CLASSES = {
    "model.SeqNN",
    *(
        f"modules.{name}"
        for name in (
            "ConcatDist2D",
            "Conv2DBlock",
            "ConvBlock",
            "ConvBlockReduce",
            "ConvTower",
            "Cropping2D",
            "DilatedResidualBlock2D",
            "Final",
            "OneToTwo",
            "ResidualDilatedBlock1D",
            "StochasticReverseComplement",
            "StochasticShift",
            "SwitchReverseTriu",
            "Symmetrize2D",
            "UpperTri",
        )
    ),
}
_TOWER, _RESIDUAL, _MAP = 10, 8, 6
# The published modules -> ours.
_NAMES = {
    "conv_block_1.conv": "trunk.sequence.blocks.0.conv",
    "conv_block_1.batch_norm": "trunk.sequence.blocks.0.norm",
    "conv_reduce.layers.1": "trunk.reduce.0.conv",
    "conv_reduce.layers.2": "trunk.reduce.0.norm",
    "conv2d_block.block.1": "trunk.pair_map.blocks.0.blocks.0.conv",
    "conv2d_block.block.2": "trunk.pair_map.blocks.0.blocks.0.norm",
    "final.dense": "head.dense",
    **{f"conv_tower.conv_tower.{4 * i + 1}": f"trunk.sequence.blocks.{1 + i}.conv" for i in range(_TOWER)},
    **{f"conv_tower.conv_tower.{4 * i + 2}": f"trunk.sequence.blocks.{1 + i}.norm" for i in range(_TOWER)},
    **{
        f"residual1d_block{1 + i}.{theirs}{1 + j}": f"trunk.sequence.blocks.{1 + _TOWER + i}.blocks.{j}.{ours}"
        for i in range(_RESIDUAL)
        for j in (0, 1)
        for theirs, ours in (("conv", "conv"), ("bn", "norm"))
    },
    **{
        f"residual2d_block{1 + i}.{theirs}{1 + j}": f"trunk.pair_map.blocks.{1 + i}.blocks.{j}.{ours}"
        for i in range(_MAP)
        for j in (0, 1)
        for theirs, ours in (("conv", "conv"), ("bn", "norm"))
    },
}


@cache
def entries() -> list[ModelFacts]:
    """The facts, offline."""
    return [
        ModelFacts(
            name="akita.human_1mb",
            output="contacts",
            targets=TARGETS,
            input="1,048,576 bp of DNA",
            length=1048576,
            summary="Contact maps (Hi-C, Micro-C) of 1 Mb of human DNA in five cell types, 2,048 bp a bin",
            species="Homo sapiens",
            assay="Hi-C, Micro-C",
            cell_type="HFF, H1-hESC, GM12878, IMR-90, HCT116",
            data="See the authors' publication.",
            source="Fudenberg 2020, doi:10.1038/s41592-020-0958-x; PyTorch port of P. Smaruj",
            licence="Apache-2.0",
            use="Natural logarithm of observed over expected contacts, for pairs of the middle 448 of 512 bins of "
            "hg38, from the second diagonal on. What was learned was coarse-grained, clipped at 2 and smoothed.",
            limits="Trained and evaluated by its authors, not by this project. It predicts what distance alone does "
            "not, within a megabase; no trans contacts, and nothing of other cell types than its five.",
        )
    ]


def import_model(name: str) -> "SequenceModel":
    """Fetch the published file, verify it, and build the model with its weights."""
    from zoo.models.akita import Akita

    model = Akita(TARGETS)
    path = fetch(WEIGHTS)
    fill_published(model, convert(read_module(path, _CLASSES), path), path, "Akita")
    return model


def convert(state: "dict[str, Tensor]", path: Path) -> "dict[str, Tensor]":
    """Rename the published tensors to the model's names.

    Args:
        state: published tensors by name.
        path: path of the file, for messages.

    Raises:
        IntegrityError: a tensor that this model does not have.
    """
    renamed = {}
    for key, value in state.items():
        module, _, tensor = key.rpartition(".")
        if module not in _NAMES or not re.fullmatch(r"\w+", tensor):
            raise IntegrityError(f"{path}: not the published Akita model (what is {key!r}?)")
        dense = module == "final.dense" and tensor == "weight"
        renamed[f"{_NAMES[module]}.{tensor}"] = value.unsqueeze(-1) if dense else value
    return renamed
