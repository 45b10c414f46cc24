"""What a checkpoint was trained on, beside its weights: a sample of k-mers, and regions of a genome.

Seen are the splits train and val, of which the latter chose the epoch.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from zoo.data.base import GenomicDataModule
from zoo.data.splits import Split
from zoo.errors import IntegrityError, one_line
from zoo.genome.regions import Regions
from zoo.genome.sketch import MOST_HASHES, KmerSketch, kmer_length, sketch_kmers
from zoo.hub.folder import CONFIG, SEEN
from zoo.hub.json_reader import read_json
from zoo.hub.tensor_file import read_tensors
from zoo.utils.atomic import whole_file, whole_path
from zoo.utils.download import sha256_of

__all__ = ["Seen", "add_seen", "describe_seen", "read_seen", "write_seen"]

_MOST_REGIONS = 25_000
_FORMS = {"kmers": torch.int64, "hashes": torch.int32, "regions": torch.int64}


@dataclass(frozen=True)
class Seen:
    """What was read in training.

    Attributes:
        sketch: sample of the k-mers; None where there were too many bases.
        regions: regions of a genome; None for data without coordinates, or with very many sites.
    """

    sketch: KmerSketch | None
    regions: Regions | None


def describe_seen(data: GenomicDataModule, most: int = MOST_HASHES) -> Seen | None:
    """Describe what a model reads in training on data; None where these say nothing of it.

    Args:
        data: the data, prepared or not.
        most: hashes of k-mers that are kept at most, of four bytes each.
    """
    splits: list[Split] = ["train", "val"]
    blocks = iter(data.sequences_of(splits))
    first = next(blocks, None)
    sketch = None
    if first is not None:
        k = kmer_length(data.spec().length)
        sketch = sketch_kmers((codes for part in ([first], blocks) for codes in part), k, most)
    regions = data.regions_of(splits)
    if regions is not None and len(regions.spans) > _MOST_REGIONS:
        regions = None
    return Seen(sketch, regions) if sketch or regions else None


def write_seen(seen: Seen, path: Path) -> None:
    """Write the file of a checkpoint folder."""
    tensors, contigs = {}, {}
    if seen.sketch:
        tensors["kmers"] = torch.tensor([seen.sketch.k, seen.sketch.bits])
        tensors["hashes"] = torch.from_numpy(seen.sketch.hashes.view(np.int32))  # the type that safetensors has
    if seen.regions:
        tensors["regions"] = torch.from_numpy(np.ascontiguousarray(seen.regions.spans))
        contigs = seen.regions.contigs
    save_file(tensors, path, metadata={"contigs": json.dumps(contigs)})


def add_seen(folder: Path, seen: Seen) -> None:
    """Add the file to a checkpoint folder, or replace it; nothing else changes but its sha256 in `config.json`.

    Raises:
        OutputError: the folder cannot be written.
    """
    content = read_json(folder / CONFIG)
    with whole_path(folder / SEEN) as draft:
        write_seen(seen, draft)
    content["sha256"][SEEN] = sha256_of(folder / SEEN)
    with whole_file(str(folder / CONFIG)) as file:
        file.write(json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_seen(folder: Path) -> Seen | None:
    """Read what a checkpoint was trained on; None where it does not say so.

    Raises:
        IntegrityError: a file that is damaged or not what was published.
    """
    if (content := read_tensors(folder, SEEN)) is None:
        return None
    tensors, texts = content
    path = folder / SEEN
    try:
        contigs = json.loads(texts.get("contigs", "{}"))
    except ValueError as error:
        raise IntegrityError(f"{path} is not a whole safetensors file ({one_line(error)})") from None
    if not _fits(tensors, contigs):
        raise IntegrityError(f"{path} does not hold k-mers and regions as checkpoints do")
    sketch = regions = None
    if "hashes" in tensors:
        k, bits = tensors["kmers"].tolist()
        sketch = KmerSketch(k, bits, tensors["hashes"].numpy().view(np.uint32))
    if "regions" in tensors:
        regions = Regions(contigs, tensors["regions"].numpy())
    return Seen(sketch, regions)


def _fits(tensors: dict[str, torch.Tensor], contigs: Any) -> bool:
    """Whether the content of a file is what `write_seen` writes."""
    if not set(tensors) <= set(_FORMS) or any(value.dtype != _FORMS[name] for name, value in tensors.items()):
        return False
    if ("kmers" in tensors) != ("hashes" in tensors) or not isinstance(contigs, dict):
        return False
    if any(not isinstance(length, int) or length < 0 for length in contigs.values()):
        return False
    if "hashes" in tensors:
        kmers, hashes = tensors["kmers"], tensors["hashes"]
        if kmers.shape != (2,) or hashes.ndim != 1 or not (1 <= kmers[0] <= 32 and 0 <= kmers[1] <= 64):
            return False
        if (np.diff(hashes.numpy().view(np.uint32).astype(np.int64)) <= 0).any():
            return False
    spans = tensors.get("regions", torch.zeros(0, 3, dtype=torch.int64))
    if spans.ndim != 2 or spans.shape[1] != 3:
        return False
    return bool((spans >= 0).all() and (spans[:, 0] < len(contigs)).all() and (spans[:, 1] < spans[:, 2]).all())
