"""Small checkpoints of every kind with random weights, and data of every kind to fine-tune them on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
import torch
from made.contacts import make_contacts

from zoo.genome.fasta import Genome
from zoo.genome.sequence import decode
from zoo.hub.checkpoint import save
from zoo.hub.example import example_for
from zoo.hub.facts import ModelFacts
from zoo.hub.targets import TargetRow
from zoo.models._base import SequenceModel
from zoo.models.akita import Akita, AkitaTrunkConfig
from zoo.models.basenji import Basenji
from zoo.models.basset import Basset
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.conv_stack import ConvStackConfig
from zoo.nn.motifs import MotifConfig
from zoo.nn.pair_map import PairMapConfig
from zoo.nn.trunk import TrunkConfig

__all__ = ["BASES", "DATA", "save_base", "write_data"]

LENGTHS = {"chr1": 90_000, "chr2": 30_000, "chr3": 30_000}
_TRUNK: dict[str, Any] = {"stem_filters": 8, "stem_width_bases": 7, "stem_pool": 4, "residual_filters": 4}
_SPLIT = ["--data.split.val", "[chr2]", "--data.split.test", "[chr3]"]


def _basset(**options: Any) -> SequenceModel:
    stack = ConvStackConfig((8, 8), (7, 3), (4, 2), pool_first=True)
    return Basset(["one", "two"], 100, stack, (8,), dropout=0.1, **options)


def _basenji() -> SequenceModel:
    trunk = TrunkConfig(**_TRUNK, tower_filters=[8], tower_width=3, tower_pools=[4], dilations=[1])
    return Basenji(["one", "two"], 512, trunk, head_filters=8, crop_bins=2)


def _akita() -> SequenceModel:
    trunk = AkitaTrunkConfig(**_TRUNK, tower_filters=[8, 8, 8], tower_pools=[4, 4, 4], dilations=[1, 2])
    pairs = PairMapConfig(reduced_filters=6, filters=6, residual_filters=4, dilations=[1, 2])
    return Akita(["one", "two"], 32 * 256, trunk, pairs, crop_bins=2, rc_average=True)


# One of each architecture, and an ensemble.
BASES: dict[str, Callable[[], SequenceModel]] = {
    "mlp": lambda: MLP(["one", "two"], 100, hidden=(8,)),
    "deepbind": lambda: DeepBind(["one", "two"], 100, MotifConfig(6, 7), hidden=4),
    "basset": _basset,
    "basset.ensemble": lambda: _basset(ensemble_members=2, rc_equivariant=False),
    "basenji": _basenji,
    "akita": _akita,
}
# Kind of data -> arguments of `zoo finetune` behind the base.
DATA: dict[str, list[str]] = {
    "fasta": ["bound.fa"],
    "table": ["activity.tsv"],
    "peaks": ["ctcf.bed", "--genome", "genome.fa"],
    "bigwig": ["signal.bw", "--genome", "genome.fa", *_SPLIT],
    "cooler": ["contacts.cool", "--genome", "genome.fa", *_SPLIT],
}


def save_base(folder: Path, base: str, facts: dict[str, Any] | None = None) -> str:
    """Save a model of `BASES`; its name."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BASES[base]().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    name = base if "." in base else f"{base}.base"
    rows = [TargetRow(target, target, "unit") for target in model.output.targets]
    known = ModelFacts(name, "Random weights", **(facts or {}))
    save(model, folder / "bases" / name, known, rows, example_for(model, model.length))
    return f"local-dir:bases/{name}"


def write_data(folder: Path) -> None:
    """Write the files that `DATA` names, of a genome with domains that a cooler shows."""
    rng = np.random.default_rng(0)
    made = make_contacts(folder, LENGTHS, depth=60)
    (folder / "genome.fa").write_bytes(made.genome.read_bytes())
    (folder / "contacts.cool").write_bytes(Path(str(made.cooler)).read_bytes())
    Genome(folder / "genome.fa")  # writes the index
    sequences = [decode(codes) for codes in rng.integers(0, 4, (120, 100)).astype(np.uint8)]
    bound = [text[:40] + "TGACTCAGGC" + text[50:] for text in sequences[:60]]
    (folder / "bound.fa").write_text("".join(f">{index}\n{text}\n" for index, text in enumerate(bound)))
    rows = [f"{text}\t{('TGACTCAGGC' in text) + rng.normal() / 10:.3f}\n" for text in bound + sequences[60:]]
    (folder / "activity.tsv").write_text("sequence\tactivity\n" + "".join(rows))
    peaks = [(name, start) for name, size in LENGTHS.items() for start in range(900, size - 900, 1500)]
    (folder / "ctcf.bed").write_text("".join(f"{name}\t{start}\t{start + 150}\n" for name, start in peaks))
    with pyBigWig.open(str(folder / "signal.bw"), "w") as file:
        file.addHeader(list(LENGTHS.items()))
        for name, size in LENGTHS.items():
            file.addEntries(name, 0, values=rng.gamma(1.0, 3.0, size // 50), span=50, step=50)
