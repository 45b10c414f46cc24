"""Published models of Basset's form: that of its author (Kelley 2016), DNase I accessibility in 164 human cell types;
and MPRA-DragoNN, see `_mpra_dragonn`.

Basset's file is a plain state dict of an `nn.Sequential` whose convolutions are Conv2d with kernel (k, 1), converted
from Torch 7 for Kipoi. Tensors alone are read from it.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError
from zoo.hub.facts import ModelFacts
from zoo.hub.targets import TargetRow
from zoo.importers import _mpra_dragonn
from zoo.importers._state_dict import fill_published, load_published
from zoo.utils.download import PublicFile, fetch

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.models._base import SequenceModel

__all__ = ["WEIGHTS", "convert", "entries", "import_model", "target_rows"]

WEIGHTS = PublicFile(
    "https://zenodo.org/record/1466068/files/pretrained_model_reloaded_th.pth",
    "9d86f8072584ce4922a001a7b4dacb83f4bf7cb5e2f83779da390ccc537625b3",
    16_565_094,
    "MIT",
)
# Cell types in the order of the model's outputs: the columns of the authors' table of sites.
_TARGETS = Path(__file__).with_name("basset_targets.txt")

# Layers of the published nn.Sequential -> ours. Between them lie ReLU, pooling and dropout, which have no weights.
_CONVOLUTIONS = {"0": "trunk.blocks.0.conv", "4": "trunk.blocks.1.conv", "8": "trunk.blocks.2.conv"}
_DENSE = {"13.1": "head.0.0", "17.1": "head.1.0", "21.1": "head.2"}
_NORMS = {
    "1": "trunk.blocks.0.norm",
    "5": "trunk.blocks.1.norm",
    "9": "trunk.blocks.2.norm",
    "14": "head.0.1",
    "18": "head.1.1",
}
_NORM_KEYS = ("weight", "bias", "running_mean", "running_var")
# Number of training batches; written by torch 0.4.1 and later.
_COUNTER = "num_batches_tracked"


@cache
def entries() -> list[ModelFacts]:
    """The facts, offline."""
    return [
        ModelFacts(
            name="basset.dnase164",
            output="labels",
            targets=tuple(_TARGETS.read_text().split("\n")[:-1]),
            input="600 bp of DNA",
            length=600,
            summary="Accessibility (DNase I) of 600 bp of human DNA in 164 cell types",
            species="Homo sapiens",
            assay="DNase-seq",
            cell_type="164 cell types",
            data="See the authors' publication.",
            source="Kelley 2016, doi:10.1101/gr.200535.115",
            licence="MIT",
            use="Probability that 600 bp of hg19, around the middle of a site, are accessible in each cell type.",
            limits="Trained and evaluated by its author (mean test AUROC 0.894), not by this project. The importer was "
            "proven on random weights of the published layout; it has not been run on the real file, which could not "
            "be had where it was written.",
        ),
        _mpra_dragonn.FACTS,
    ]


def target_rows(name: str) -> list[TargetRow] | None:
    """Description and unit of each target; None where the model's facts say all that is known."""
    return _mpra_dragonn.TARGET_ROWS if name == _mpra_dragonn.FACTS.name else None


def import_model(name: str) -> "SequenceModel":
    """Fetch the published file, verify it, and build the model with its weights."""
    from zoo.models.basset import Basset

    if name == _mpra_dragonn.FACTS.name:
        path = fetch(_mpra_dragonn.WEIGHTS)
        net = _mpra_dragonn.build()
        fill_published(net, _mpra_dragonn.convert(_mpra_dragonn.read_keras(path)), path, "MPRA-DragoNN")
        return net
    model = Basset(targets=entries()[0].targets)
    load_published(model, fetch(WEIGHTS), convert, "Basset")
    return model


def convert(state: dict[str, Any], path: Path) -> "dict[str, Tensor]":
    """Rename the published tensors to the model's names.

    Args:
        state: published tensors by name.
        path: path of the file, for messages.

    Raises:
        IntegrityError: a tensor that is missing or unknown, or a convolution that is not two-dimensional.
    """
    import torch

    remaining = {key: value for key, value in state.items() if not key.endswith(_COUNTER)}
    renamed: dict[str, Tensor] = {}
    try:
        for theirs, ours in _CONVOLUTIONS.items():
            renamed[f"{ours}.weight"] = remaining.pop(f"{theirs}.weight").transpose(
                2, 3
            )  # (out, in, k, 1) -> (out, in, 1, k)
            renamed[f"{ours}.bias"] = remaining.pop(f"{theirs}.bias")
        for theirs, ours in _DENSE.items():
            renamed |= {f"{ours}.{key}": remaining.pop(f"{theirs}.{key}") for key in ("weight", "bias")}
        for theirs, ours in _NORMS.items():
            renamed |= {f"{ours}.{key}": remaining.pop(f"{theirs}.{key}") for key in _NORM_KEYS}
            renamed[f"{ours}.{_COUNTER}"] = torch.tensor(0)
    except (KeyError, AttributeError, IndexError) as error:
        raise IntegrityError(f"{path}: not the published Basset model ({error})") from None
    if remaining:
        raise IntegrityError(f"{path}: not the published Basset model (what are {', '.join(sorted(remaining)[:5])}?)")
    return renamed
