"""The 927 DeepBind models that its authors published (Alipanahi 2015), read from their text files.

`deepbind_index.tsv` lists the facts and the sha256 of the file of each; the weights are fetched on first use.
"""

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import IntegrityError
from zoo.hub.facts import ModelFacts
from zoo.utils.download import PublicFile, fetch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zoo.models._base import SequenceModel

__all__ = ["REPOSITORY", "entries", "import_model", "parse_parameters"]

REPOSITORY = "https://raw.githubusercontent.com/kundajelab/deepbind/714d552fd9808a37a4445049ab4bbb235995f0bd"
_INDEX = Path(__file__).with_name("deepbind_index.tsv")

# Release 0.11 scores windows of one and a half motifs.
_WINDOW = 1.5
_INTEGERS = ("reverse_complement", "num_detectors", "detector_len", "has_avg_pooling", "num_hidden")
_ARRAYS = ("detectors", "thresholds", "weights1", "biases1", "weights2", "biases2")


@cache
def _index() -> dict[str, dict[str, str]]:
    with _INDEX.open(newline="") as table:
        return {f"deepbind.{row['id']}": row for row in csv.DictReader(table, delimiter="\t")}


@cache
def entries() -> list[ModelFacts]:
    """The facts of all 927, offline."""
    return [_entry(name, row) for name, row in _index().items()]


def _entry(name: str, row: dict[str, str]) -> ModelFacts:
    kind = "RNA-binding protein" if row["type"] == "RBP" else "transcription factor"
    family = f", {row['family']}" if row["family"] else ""
    details = f" ({row['details']})" if row["details"] else ""
    return ModelFacts(
        name=name,
        output="labels",
        targets=(row["protein"],),
        input="RNA or DNA of any length, read on one strand" if row["type"] == "RBP" else "DNA of any length",
        summary=f"{row['protein']}, {kind}{family}: {row['experiment']}{details}",
        species=row["species"],
        assay=row["experiment"],
        cell_type=row["details"].partition("CellLine=")[2].partition(";")[0],
        data="See the authors' publication.",
        source="Alipanahi 2015, doi:10.1038/nbt.3300",
        licence="BSD-3-Clause",
        use="Scores of binding, higher is stronger, without a unit; comparable within one model only. Sequences "
        "in which no motif exceeds its threshold all have the same score.",
        limits="Trained and evaluated by its authors, not by this project.",
    )


def import_model(name: str) -> "SequenceModel":
    """Fetch a model's text file, verify it, and build the model with its weights."""
    import torch

    from zoo.models.deepbind import DeepBind
    from zoo.nn.motifs import MotifConfig

    row = _index()[name]
    file = PublicFile(f"{REPOSITORY}/db/params/{row['id']}.txt", row["sha256"], int(row["bytes"]), "BSD-3-Clause")
    numbers, arrays = parse_parameters(fetch(file))
    count, width, hidden = numbers["num_detectors"], numbers["detector_len"], numbers["num_hidden"]
    model = DeepBind(
        targets=[row["protein"]],
        length=int(_WINDOW * width),
        motifs=MotifConfig(
            filters=count,
            width_bases=width,
            pooling="max_mean" if numbers["has_avg_pooling"] else "max",
            strands="best_score" if numbers["reverse_complement"] else "forward",
        ),
        hidden=hidden,
        scan=True,
        loss="mean_squared_error",
    )
    # `detectors` has index k + 16 * (base + 4 * position), `weights1` has index i * hidden + j.
    # (position * base * filter) -> (filter, base, position)
    state = {
        "trunk.filters": arrays["detectors"].reshape(width, 4, count).transpose(2, 1, 0),
        "trunk.biases": arrays["thresholds"],
    }
    if hidden:
        state["head.layers.1.weight"] = arrays["weights1"].reshape(1, -1, hidden)
        state["head.layers.1.bias"] = arrays["biases1"].reshape(1, hidden)
        state["head.layers.4.weight"] = arrays["weights2"].reshape(1, hidden, 1)
        state["head.layers.4.bias"] = arrays["biases2"].reshape(1, 1)
    else:
        state["head.layers.1.weight"] = arrays["weights1"].reshape(1, -1, 1)
        state["head.layers.1.bias"] = arrays["biases1"].reshape(1, 1)
    model.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in state.items()}, strict=True)
    return model


def parse_parameters(path: Path) -> tuple[dict[str, int], "dict[str, NDArray[np.float32]]"]:
    """Read a parameter file: lines of `key = value,value,...`.

    Returns:
        Integers by key, and flat arrays by key.

    Raises:
        IntegrityError: a key that is missing, or values that are not numbers.
    """
    import numpy as np

    try:
        lines = dict(line.split(" = ", 1) for line in path.read_text().splitlines() if " = " in line)
        numbers = {key: int(lines[key]) for key in _INTEGERS}
        arrays = {
            key: np.array([float(value) for value in lines.get(key, "").split(",") if value.strip()], dtype=np.float32)
            for key in _ARRAYS
        }
    except (KeyError, ValueError) as error:
        raise IntegrityError(f"{path}: not a DeepBind parameter file ({error})") from None
    for key, size in _sizes(numbers).items():
        if len(arrays[key]) != size or not np.isfinite(arrays[key]).all():
            raise IntegrityError(f"{path}: {key} has {len(arrays[key])} values where {size} finite ones belong")
    return numbers, arrays


def _sizes(numbers: dict[str, int]) -> dict[str, int]:
    """Number of values of each array."""
    count, width, hidden = numbers["num_detectors"], numbers["detector_len"], numbers["num_hidden"]
    if count < 1 or width < 1 or hidden < 0:
        raise IntegrityError(
            f"{count} detectors of {width} bases and {hidden} hidden units do not make a DeepBind model"
        )
    features = count * (2 if numbers["has_avg_pooling"] else 1)
    sizes = {"detectors": 4 * count * width, "thresholds": count, "weights1": features * (hidden or 1)}
    sizes |= {"biases1": hidden or 1, "weights2": hidden, "biases2": 1 if hidden else 0}
    return sizes
