"""Pictures of variants: their scores along a region, or what is predicted for both alleles of one."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError, InputError
from zoo.formats.alleles import Variant
from zoo.genome.contigs import find_contigs
from zoo.genome.intervals import parse_region
from zoo.outputs import Contacts, Labels, Output, Tracks
from zoo.plots.variants import draw_allele_maps, draw_allele_tracks, draw_effects
from zoo.utils.atomic import whole_path
from zoo.utils.text import quoted
from zoo.variants.changes import Change
from zoo.variants.scorer import VariantScorer
from zoo.variants.scores import Outputs
from zoo.variants.sources import Block, GenomeSource
from zoo.variants.windows import Flank, Windows

__all__ = ["draw_alleles", "draw_region"]

_MOST_TARGETS = 8  # in a picture


def draw_region(picture: Path, scorer: VariantScorer, source: GenomeSource, region: str, model: str) -> int:
    """Draw the first score of all variants of a region.

    Args:
        picture: the file to write (png, svg, pdf).
        scorer: scores the variants.
        source: the variants.
        region: such as `chr1:1,000-2,000`, 0-based and half-open.
        model: name of the model, for the title.

    Returns:
        The number of variants that were drawn.

    Raises:
        InputError: a region that the genome does not have, or without a variant that can be scored.
        ConfigError: more targets than fit into a picture.
    """
    _check_targets(scorer.targets)
    interval = parse_region(region)
    source.genome.check(interval)
    contig = source.genome.contig(interval.chrom)
    chosen = _within(source, contig, interval.start, interval.end)
    blocks = list(scorer.stream(GenomeSource(chosen, source.genome, source.assembly)))
    if not scorer.counts.scored:
        raise InputError(f"{region}: no variant there can be scored")
    variants = [one for block in blocks for one in block.variants]
    values = np.concatenate([block.values[:, 0] for block in blocks])  # (N, T)
    effects = {target: values[:, index] for index, target in enumerate(scorer.targets)}
    records = Counter(one.record for one in variants)
    names = [
        f"{one.name} {one.ref}>{one.alt}".strip() if records[one.record] > 1 or not one.name else one.name
        for one in variants
    ]
    positions = [one.position - 1 for one in variants]
    where = contig, interval.start, interval.end
    with whole_path(picture) as draft:
        draw_effects(draft, where, positions, names, effects, next(iter(scorer.columns)), f"{model}, {region}")
    return scorer.counts.scored


def _within(source: GenomeSource, contig: str, start: int, end: int) -> Iterator[Variant]:
    """The variants whose first base lies in a region."""
    known = dict(source.assembly.contigs)
    for one in source.variants:
        if one.chrom not in known:
            known |= find_contigs([one.chrom], source.genome.contigs)
        if known[one.chrom] == contig and start < one.position <= end:
            yield one


def draw_alleles(
    picture: Path, scorer: VariantScorer, source: GenomeSource, name: str, model: str, units: Mapping[str, str]
) -> None:
    """Draw what is predicted for both alleles of one variant, and the difference: tracks or contact maps.

    Args:
        picture: the file to write (png, svg, pdf).
        scorer: has the model and how it is read; of `hold` both, the left side is held, which the title says.
        source: the variants.
        name: ID of the variant; of several alleles, the first is drawn.
        model: name of the model, for the title.
        units: target -> unit of its values.

    Raises:
        InputError: no variant of that name, or one that cannot be scored.
        ConfigError: a model of labels, which predicts one number, options of scores, or more targets than fit into a
            picture.
    """
    output, options = scorer.model.output, scorer.options
    if output.kind == Labels.kind:
        raise ConfigError("of one variant, tracks and contact maps are drawn; of labels, give a region to --plot")
    if options.within is not None or options.scores is not None or tuple(options.shifts) != (0,):
        raise ConfigError("of one variant, outputs are drawn and no scores: leave out --shifts, --within and --scores")
    _check_targets(scorer.targets)
    variant, change = _find(source, name, scorer.model.length)
    held: Flank = "right" if options.hold == "right" and not change.is_equal_length else "left"
    windows = Windows(source.genome, [change], scorer.model.length, held=held)
    pair = scorer.outputs.compute(torch.from_numpy(windows.reference()), torch.from_numpy(windows.alternative()))
    if change.strand == "-":  # along the genome, although the window was read on the other strand
        pair = _turned(output, pair[0]), _turned(output, pair[1])
    natural = [scorer.scores.natural(one)[0].cpu() for one in pair]  # (T, ...)
    start = int(windows.start[0])
    side = "" if change.is_equal_length else f", {held} side held"
    title = f"{model}: {name}, {variant.chrom}:{variant.position:,} {variant.ref}>{variant.alt}{side}"
    rows = {target: output.targets.index(target) for target in scorer.targets}
    with whole_path(picture) as draft:
        if isinstance(output, Tracks):
            edges = start + output.crop + output.bin_size * np.arange(output.bins + 1)
            values = {target: _pair(natural, row) for target, row in rows.items()}
            draw_allele_tracks(draft, change.contig, edges, values, change.start, title, units)
        else:
            contacts = cast(Contacts, output)
            maps = [contacts.contact_maps(one) for one in natural]
            values = {target: _pair(maps, row) for target, row in rows.items()}
            first = start + contacts.crop
            bounds = first, first + contacts.bins * contacts.bin_size
            draw_allele_maps(draft, change.contig, bounds, values, change.start, title)


def _turned(output: Output, outputs: Outputs) -> Outputs:
    """Outputs for the other strand, mapped onto this one."""
    return [output.reverse_complement(one) for one in outputs]


def _find(source: GenomeSource, name: str, length: int) -> tuple[Variant, Change]:
    """The first allele of a variant.

    Raises:
        InputError: there is none of that name, or it cannot be scored.
    """
    for block in source.blocks(length):
        for variant, change in _pairs(block):
            if variant.name == name:
                if not isinstance(change, Change):
                    raise InputError(f"the variant {quoted(name)} cannot be scored: {change}")
                return variant, change
    raise InputError(f"no variant has the ID {quoted(name)}: give an ID, or a region such as chr1:1,000-2,000")


def _pairs(block: Block) -> Iterator[tuple[Variant, object]]:
    return zip(block.variants, block.changes, strict=True)


def _pair(values: Sequence[torch.Tensor], row: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    reference, alternative = (one[row].numpy() for one in values)
    return reference, alternative


def _check_targets(targets: Sequence[str]) -> None:
    if len(targets) > _MOST_TARGETS:
        raise ConfigError(
            f"a picture has room for {_MOST_TARGETS} targets, and there are {len(targets)}: choose some with --targets"
        )
