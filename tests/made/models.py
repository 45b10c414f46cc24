"""Tiny checkpoints of every kind of output, with random weights: with and without input tracks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyBigWig
import torch
from numpy.typing import NDArray

from zoo.batch import InputSpec
from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode
from zoo.hub.checkpoint import save
from zoo.hub.example import example_for
from zoo.hub.facts import ModelFacts
from zoo.hub.targets import TargetRow
from zoo.models._base import SequenceModel
from zoo.models.akita import Akita, AkitaTrunkConfig
from zoo.models.basenji import Basenji
from zoo.models.mlp import MLP
from zoo.nn.pair_map import PairMapConfig
from zoo.nn.trunk import TrunkConfig

CONTIGS = {"chr1": 5_003, "chr2": 1_280, "chr3": 640, "chr4": 2_000}
TARGETS = ("one", "two")
TRACKS = ("left", "right")
SIZE = 4  # bases of an input value


class Made(NamedTuple):
    """Files for predictions.

    Attributes:
        models: kind -> name of a model that reads the sequence alone.
        with_inputs: kind -> name of a model that reads two input tracks, strand partners, of `SIZE` bases per value.
        genome: FASTA of `CONTIGS`.
        inputs: table of the input tracks.
        tracks: input track -> contig -> its value at each base.
    """

    models: dict[str, str]
    with_inputs: dict[str, str]
    genome: Path
    inputs: str
    tracks: dict[str, dict[str, NDArray[np.float32]]]


def make_files(folder: Path) -> Made:
    """Write a genome, a table of input tracks, and two checkpoints of each kind into a folder."""
    rng = np.random.default_rng(0)
    sequences = {name: decode(rng.integers(0, 4, length).astype(np.uint8)) for name, length in CONTIGS.items()}
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in sequences.items()))
    Genome(folder / "genome.fa")  # writes the index
    tracks = {
        track: {name: rng.uniform(0, 4, length).astype(np.float32) for name, length in CONTIGS.items()}
        for track in TRACKS
    }
    table = write_tracks_table(folder, tracks)
    none, both = InputSpec(), InputSpec(TRACKS, SIZE, (1, 0))
    alone, with_inputs = (
        {kind: _saved(folder, kind, model) for kind, model in _models(inputs)} for inputs in (none, both)
    )
    return Made(alone, with_inputs, folder / "genome.fa", table, tracks)


def write_tracks_table(folder: Path, tracks: dict[str, dict[str, NDArray[np.float32]]]) -> str:
    """Write a bigWig for each track, and their table, in which each is the strand partner of the other."""
    for track, contigs in tracks.items():
        with pyBigWig.open(str(folder / f"{track}.bw"), "w") as file:
            file.addHeader(list(CONTIGS.items()))
            for name, values in contigs.items():
                file.addEntries(name, 0, values=values.tolist(), span=1, step=1)
    rows = [f"{track}\t{track}.bw\t{partner}\n" for track, partner in zip(TRACKS, TRACKS[::-1], strict=True)]
    (folder / "inputs.tsv").write_text("name\tpath\tstrand_partner\n" + "".join(rows))
    return str(folder / "inputs.tsv")


def _models(inputs: InputSpec) -> Iterator[tuple[str, SequenceModel]]:
    """A model of each kind, no parameter of which is zero."""
    trunk: dict[str, Any] = {"stem_filters": 6, "stem_pool": 4, "residual_filters": 4}
    tracks = TrunkConfig(**trunk, stem_width_bases=7, tower_filters=[8], tower_width=3, tower_pools=[4], dilations=[1])
    maps = AkitaTrunkConfig(**trunk, stem_width_bases=7, tower_filters=[6, 6], tower_pools=[4, 4], dilations=[1, 2])
    pairs = PairMapConfig(reduced_filters=6, filters=6, residual_filters=4, dilations=[1, 2])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield "labels", _shaken(MLP(TARGETS, 20, hidden=(8,), inputs=inputs))
        yield "tracks", _shaken(Basenji(TARGETS, 384, tracks, head_filters=8, crop_bins=2, inputs=inputs))
        yield "contacts", _shaken(Akita(TARGETS, 1_280, maps, pairs, crop_bins=2, inputs=inputs, rc_average=True))


def _shaken(model: SequenceModel) -> SequenceModel:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def _saved(folder: Path, kind: str, model: SequenceModel) -> str:
    name = f"{type(model).__name__.lower()}.{'with_inputs' if model.inputs.names else kind}"
    rows = [TargetRow(target, target, "unit") for target in TARGETS]
    save(model, folder / name, ModelFacts(name, "Random weights"), rows, example_for(model, model.length))
    return f"local-dir:{folder / name}"
