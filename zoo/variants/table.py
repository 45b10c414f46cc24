"""Scores of variants as a table, or in the INFO of the VCF that they came from."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.formats.alleles import NO_ALLELE, Variant
from zoo.formats.vcf_writer import InfoField, WrittenCalls, annotate_calls
from zoo.utils.atomic import whole_path
from zoo.variants.scored import ScoredAlleles
from zoo.writers.tables import open_table

__all__ = ["allele_columns", "score_columns", "write_calls", "write_table"]

_NOTE = "ZOO_note"
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_.]")
_NOT_IN_INFO = str.maketrans(" ;=,:", "_____")


def score_columns(scores: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Names of the columns of scores: `log_odds:USF1`, score by score."""
    return [f"{score}:{target}" for score in scores for target in targets]


def write_table(path: str, blocks: Iterable[ScoredAlleles], scores: Sequence[str], targets: Sequence[str]) -> int:
    """Write a row for each allele; one without scores has a note that says why.

    Args:
        path: .tsv, .csv (also .gz) or .parquet; `-` is standard output.
        blocks: the scored alleles.
        scores: names of the scores.
        targets: names of the targets.

    Returns:
        The number of rows.
    """
    count = 0
    with open_table(path) as table:
        for block in blocks:
            table.write(allele_columns(block), score_columns(scores, targets), block.values.reshape(len(block), -1))
            count += len(block)
    return count


def allele_columns(block: ScoredAlleles) -> dict[str, list[Any]]:
    """What each allele is, and its note: cells (N) by the name of their column."""
    return {
        "chrom": [one.chrom for one in block.variants],
        "pos": [one.position for one in block.variants],
        "id": [one.name or "." for one in block.variants],
        "ref": [one.ref for one in block.variants],
        "alt": [one.alt for one in block.variants],
        "strand": [one.strand for one in block.variants],
        "note": block.notes,
    }


def write_calls(
    source: str,
    path: Path,
    blocks: Iterable[ScoredAlleles],
    described: Mapping[str, str],
    targets: Sequence[str],
    every: Sequence[str] | None = None,
) -> WrittenCalls:
    """Write the records of a VCF again, with a field of INFO for each score and target, and one for notes.

    Args:
        source: the VCF or BCF that the alleles came from.
        path: the new file.
        blocks: the scored alleles, in the order of `source`.
        described: name of each score -> what it is.
        targets: names of the targets.
        every: all targets of the model, so that a key does not depend on which are chosen; None for `targets`.

    Returns:
        The number of records, and the fields that `source` had already.
    """
    parts = _key_parts(targets if every is None else every)
    keys = [f"ZOO_{score}_{parts[target]}" for score in described for target in targets]  # (S * T,), as `values` are
    texts = [f"{what}; target {target}" for what in described.values() for target in targets]
    fields = [InfoField(key, False, text) for key, text in zip(keys, texts, strict=True)]
    fields.append(InfoField(_NOTE, True, "why an allele has no scores, or what is to be known of them"))
    with whole_path(path) as draft:
        return annotate_calls(source, draft, fields, _info_rows(blocks, keys))


def _key_parts(targets: Sequence[str]) -> dict[str, str]:
    """What stands for each target in keys of INFO; of targets that differ only in signs, later ones get a number."""
    plain = [_NOT_IN_KEYS.sub("_", target) for target in targets]
    parts = dict[str, str]()
    for target, part in zip(targets, plain, strict=True):
        others = {*parts.values(), *(plain if part in parts.values() else ())}
        numbered = (f"{part}_{number}" for number in itertools.count(2))
        parts[target] = next(one for one in itertools.chain([part], numbered) if one not in others)
    return parts


def _info_rows(blocks: Iterable[ScoredAlleles], keys: Sequence[str]) -> Iterator[dict[str, list[str]]]:
    """For each record the values of its fields, one for each alternative."""
    for _, alleles in itertools.groupby(_alleles(blocks), key=lambda one: one[0].record):
        variants, notes, values = zip(*alleles, strict=True)
        if variants[0].alt == NO_ALLELE:  # so no field has a value
            yield {}
            continue
        table = np.stack(values).T  # (S * T, alternatives)
        row = {key: list(map(_number, line)) for key, line in zip(keys, table, strict=True)}
        yield {**row, _NOTE: [note.translate(_NOT_IN_INFO) or "." for note in notes]}


def _number(value: float) -> str:
    return "." if np.isnan(value) else f"{value:.7g}"


def _alleles(blocks: Iterable[ScoredAlleles]) -> "Iterator[tuple[Variant, str, Any]]":
    for block in blocks:
        yield from zip(block.variants, block.notes, block.values.reshape(len(block), -1), strict=True)
