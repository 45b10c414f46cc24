"""From peak files to one table of sites: extended, merged, filtered, split, with matched negatives, all of it counted.

Shapes: N peaks, S sites, T targets.
"""

from collections.abc import Mapping

import bioframe
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.data.genome_split import GenomeSplit
from zoo.data.peaks.background import base_counts, draw_background
from zoo.data.peaks.merge import merge_peaks
from zoo.data.peaks.rules import PeakRules, Report
from zoo.data.peaks.table import PeakTable
from zoo.data.splits import SPLITS
from zoo.data.windows import GenomeWindows
from zoo.errors import ConfigError, InputError
from zoo.formats.peaks import read_blacklist, read_peak_file
from zoo.genome.contigs import find_contigs
from zoo.genome.fasta import Genome
from zoo.utils.progress import bar
from zoo.utils.text import some_of

__all__ = ["build_peak_table"]

Index = NDArray[np.int64]


def build_peak_table(
    files: Mapping[str, str],
    genome: Genome | Mapping[str, int],
    rules: PeakRules,
) -> tuple[PeakTable, Report]:
    """Make one table of many peak files.

    Args:
        files: target -> peak file; see `name_peak_files`.
        genome: the genome; or only contig -> length, and then neither masked bases nor copies of one sequence in two
            splits are looked for, and no negatives drawn.
        rules: how.

    Returns:
        The table, sorted by contig and place, and the report.

    Raises:
        InputError: a file that cannot be read, no contig in common, or nothing left.
        ConfigError: rules that need bases without a genome, or contigs that it does not have.
    """
    sequence = genome if isinstance(genome, Genome) else None
    contigs = genome.contigs if isinstance(genome, Genome) else dict(genome)
    if sequence is None and (rules.negatives or rules.soft_masked):
        raise ConfigError("negatives and masked bases need the bases of the genome, not only its contigs' lengths")
    report = Report()
    black = read_blacklist(rules.blacklist, list(contigs)) if rules.blacklist else pd.DataFrame()
    peaks = _on_contigs(_read_all(files, rules.summits), list(files), contigs, rules.length, report)
    contig, start, labels = _merge(peaks, len(files), np.array(list(contigs.values())), rules, report)
    keep = _passing(contig, start, list(contigs), black, sequence, rules, report)
    contig, start, labels = contig[keep], start[keep], labels[keep]
    genome_split = GenomeSplit(contigs, rules)
    split = genome_split.split_of(contig, start, rules.length)
    report.drop(int((split < 0).sum()), "sites", "across a border between train, val and test")
    keep = split >= 0
    contig, start, labels, split = contig[keep], start[keep], labels[keep], split[keep]
    report.refuse_if_empty(len(start), "site")
    if sequence is not None and rules.negatives:
        drawn = _negatives(sequence, peaks, black, contig, start, split, genome_split, rules, report)
        labels = np.concatenate([labels, np.zeros((len(drawn[0]), len(files)), np.uint8)])
        contig, start, split = (np.concatenate(pair) for pair in zip((contig, start, split), drawn, strict=True))
        order = np.lexsort((start, contig))
        contig, start, labels, split = contig[order], start[order], labels[order], split[order]
    if sequence is None:
        report.say("neither masked bases nor copies of one sequence in two splits were looked for: no genome was given")
    else:
        keep = ~_copies(GenomeWindows(sequence, contig, start, rules.length), split)  # of sites and negatives
        kind = "sites and negatives" if rules.negatives else "sites"
        report.drop(int((~keep).sum()), kind, "with the bases of one of another split, which keeps them")
        contig, start, labels, split = contig[keep], start[keep], labels[keep], split[keep]
    _refuse_empty_targets(labels.sum(0, dtype=np.int64), list(files), "site", report)
    for index, name in enumerate(SPLITS):
        inside = split == index
        without = [target for target, count in zip(files, labels[inside].sum(0), strict=True) if not count]
        lack = f"; none of {some_of(without)}" if without else ""
        report.say(f"{name}: {inside.sum():,} sites, {int(labels[inside].any(1).sum()):,} with a peak{lack}")
    return PeakTable(list(files), list(contigs), contig, start, rules.length, labels, split), report


def _read_all(files: Mapping[str, str], summits: bool) -> pd.DataFrame:
    """The peaks of all files: chrom, start, end, centre, file."""
    tables = [
        read_peak_file(path, summits).assign(file=number)
        for number, path in enumerate(bar(list(files.values()), "reading peaks"))
    ]
    return pd.concat(tables, ignore_index=True)


def _on_contigs(
    peaks: pd.DataFrame, files: list[str], contigs: Mapping[str, int], length: int, report: Report
) -> pd.DataFrame:
    """The peaks that lie on the genome, with the number of the contig."""
    report.say(f"{len(peaks):,} peaks in {len(files)} file{'s' * (len(files) > 1)}")
    number, names = pd.factorize(peaks["chrom"])
    found = find_contigs([str(name) for name in names], contigs)
    if not any(found.values()):
        raise InputError(
            f"no contig of the peaks is in the genome: the peaks have {some_of(found)}, the genome {some_of(contigs)}"
        )
    renamed = [f"{name} is {other}" for name, other in found.items() if other not in (None, name)]
    if renamed:
        report.say(f"contigs go by other names in the genome: {some_of(renamed)}")
    order = {name: place for place, name in enumerate(contigs)}
    contig = np.array([order[other] if other else -1 for other in found.values()])[number]
    missing = [name for name, other in found.items() if other is None]
    report.drop(int((contig < 0).sum()), "peaks", f"on contigs that the genome does not have ({some_of(missing)})")
    sizes = np.array(list(contigs.values()))[contig]
    past = (contig >= 0) & (peaks["end"].to_numpy() > sizes)
    report.drop(int(past.sum()), "peaks", "past the end of their contig (are they of this genome?)")
    short = (contig >= 0) & ~past & (sizes < length)
    report.drop(int(short.sum()), "peaks", f"on contigs of fewer than {length} bases")
    keep = (contig >= 0) & ~past & ~short
    report.refuse_if_empty(int(keep.sum()), "peak")
    _refuse_empty_targets(np.bincount(peaks["file"][keep], minlength=len(files)), files, "peak", report)
    return peaks[keep].assign(contig=contig[keep])


def _refuse_empty_targets(count: Index, files: list[str], kind: str, report: Report) -> None:
    """Refuse a file of which nothing is left."""
    empty = [name for name, left in zip(files, count, strict=True) if not left]
    if empty:
        raise InputError(f"no {kind} is left of {some_of(empty)}: {'; '.join(report.lines)}")


def _copies(windows: GenomeWindows, split: Index) -> NDArray[np.bool_]:
    """Which windows (N,) have the bases, on either strand, of one of an earlier split (train, val, test)."""
    _, group = np.unique(windows.digest(), return_inverse=True)
    earliest = np.full(len(split), len(SPLITS))
    np.minimum.at(earliest, group, split)
    copies: NDArray[np.bool_] = split > earliest[group]
    return copies


def _merge(
    peaks: pd.DataFrame, files: int, sizes: Index, rules: PeakRules, report: Report
) -> tuple[Index, Index, NDArray[np.uint8]]:
    """The sites: contig and start (S,), labels (S, T)."""
    contig, centre = peaks["contig"].to_numpy(np.int64), peaks["centre"].to_numpy(np.int64)
    # A window that would reach past an end of its contig is moved inside.
    left = rules.length // 2
    centre = np.clip(centre, left, sizes[contig] - (rules.length - left))
    site, centre = merge_peaks(contig, centre, rules.length - rules.overlap)
    place = np.empty(len(centre), np.int64)
    place[site] = contig
    labels = np.zeros((len(centre), files), np.uint8)
    labels[site, peaks["file"].to_numpy()] = 1
    start = centre - left
    report.say(f"{len(start):,} sites of {rules.length} bases, of windows that overlapped by {rules.overlap} or more")
    return place, start, labels


def _passing(
    contig: Index,
    start: Index,
    names: list[str],
    black: pd.DataFrame,
    genome: Genome | None,
    rules: PeakRules,
    report: Report,
) -> NDArray[np.bool_]:
    """Which sites touch no blacklist and have enough unmasked bases (S,)."""
    keep = np.ones(len(start), dtype=bool)
    if len(black):
        sites = pd.DataFrame({"chrom": np.array(names)[contig], "start": start, "end": start + rules.length})
        keep &= bioframe.count_overlaps(sites, black)["count"].to_numpy() == 0
        report.drop(int((~keep).sum()), "sites", f"on the blacklist {rules.blacklist}")
    if genome is not None and rules.min_unmasked:
        unmasked, _ = base_counts(genome, contig, start, rules.length, rules.soft_masked)
        masked = keep & (unmasked < rules.min_unmasked)
        report.drop(int(masked.sum()), "sites", f"with less than {rules.min_unmasked:.0%} of their bases unmasked")
        keep &= ~masked
    report.refuse_if_empty(int(keep.sum()), "site")
    return keep


def _negatives(
    genome: Genome,
    peaks: pd.DataFrame,
    black: pd.DataFrame,
    contig: Index,
    start: Index,
    split: Index,
    genome_split: GenomeSplit,
    rules: PeakRules,
    report: Report,
) -> tuple[Index, Index, Index]:
    """Windows that touch no peak, nor its window, nor the blacklist, matched to the sites: contig, start, split."""
    rng = np.random.default_rng([rules.split_seed, 1])
    names = np.array(list(genome.contigs))
    half = rules.length // 2 + 1
    around = {
        "chrom": names[peaks["contig"]],
        "start": np.maximum(np.minimum(peaks["start"], peaks["centre"] - half), 0),
        "end": np.maximum(peaks["end"], peaks["centre"] + half),
    }
    sites = {"chrom": names[contig], "start": start, "end": start + rules.length}  # some were moved inside a contig
    taken = pd.concat([pd.DataFrame(around), pd.DataFrame(sites), black], ignore_index=True)
    whole, rest = divmod(round(rules.negatives * len(start)), len(start))
    wanted = np.concatenate([np.tile(np.arange(len(start)), whole), rng.permutation(len(start))[:rest]])
    _, gc = base_counts(genome, contig, start, rules.length, soft_masked=False)
    drawn = draw_background(genome, taken, gc[wanted], split[wanted], genome_split, rules, rng)
    report.say(f"{len(drawn[0]):,} negatives of the sites' GC content, no two the same, which touch no peak")
    report.drop(len(wanted) - len(drawn[0]), "negatives", "of a GC content that too few windows were found to have")
    return drawn
