"""From peak files to one table of sites: extend, merge, filter, split, add matched negatives; each step is counted.

Shapes: N peaks, S sites, T targets.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

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


class _Sites(NamedTuple):
    """Sites: number of the contig (S,), first base (S,), labels (S, T) and split (S,) of each."""

    contig: Index
    start: Index
    labels: NDArray[np.uint8]
    split: Index

    def select(self, keep: NDArray[np.bool_] | Index) -> "_Sites":
        """Select sites by a mask or by their indices."""
        return _Sites(self.contig[keep], self.start[keep], self.labels[keep], self.split[keep])


def build_peak_table(
    files: Mapping[str, str],
    genome: Genome | Mapping[str, int],
    rules: PeakRules,
    avoid: pd.DataFrame | None = None,
) -> tuple[PeakTable, Report]:
    """Make one table of many peak files.

    Args:
        files: target -> peak file; see `name_peak_files`.
        genome: the genome; or only contig -> length, and then neither masked bases nor copies of one sequence in two
            splits are looked for, and no negatives drawn.
        rules: how peaks become sites.
        avoid: chrom, start, end of further regions that no negative may touch.

    Returns:
        The table, sorted by contig and start, and the report.

    Raises:
        InputError: a file that cannot be read, no contig in common, or nothing left.
        ConfigError: rules that need bases without a genome, or contigs that it does not have.
    """
    sequence = genome if isinstance(genome, Genome) else None
    if rules.negatives is None:
        rules = replace(rules, negatives=0.0 if sequence is None else 1.0)
    contigs = genome.contigs if isinstance(genome, Genome) else dict(genome)
    if sequence is None and (rules.negatives or rules.soft_masked):
        raise ConfigError("negatives and masked bases need the bases of the genome, not only its contigs' lengths")
    report = Report()
    blacklist = read_blacklist(rules.blacklist, list(contigs)) if rules.blacklist else pd.DataFrame()
    peaks = _on_contigs(_read_all(files, rules.summits, report), list(files), contigs, rules.length, report)
    contig, start, labels = _merge(peaks, len(files), np.array(list(contigs.values())), rules, report)
    keep = _passing(contig, start, list(contigs), blacklist, sequence, rules, report)
    genome_split = GenomeSplit(contigs, rules.for_windows(rules.length), (contig[keep], start[keep]))
    sites = _Sites(contig, start, labels, genome_split.split_of(contig, start, rules.length)).select(keep)
    report.drop(int((sites.split < 0).sum()), "sites", "across a border between train, val and test")
    sites = sites.select(sites.split >= 0)
    report.refuse_if_empty(len(sites.start), "site")
    if sequence is None:
        report.say("neither masked bases nor copies of one sequence in two splits were looked for: no genome was given")
    else:
        if rules.negatives:
            occupied = blacklist if avoid is None else pd.concat([blacklist, avoid], ignore_index=True)
            sites = _with_negatives(sequence, peaks, occupied, sites, genome_split, rules, report)
        keep = ~_copies(GenomeWindows(sequence, sites.contig, sites.start, rules.length), sites.split)
        kind = "sites and negatives" if rules.negatives else "sites"
        report.drop(int((~keep).sum()), kind, "with the bases of one of another split, which keeps them")
        sites = sites.select(keep)
    report.refuse_empty_targets(sites.labels.sum(0, dtype=np.int64), list(files), "site")
    report.say(rules.describe(rules.length))
    _report_splits(sites, list(files), report)
    return PeakTable(list(files), list(contigs), sites.contig, sites.start, rules.length, *sites[2:]), report


def _report_splits(sites: _Sites, targets: list[str], report: Report) -> None:
    """Say which splits have no negatives, then what each split holds."""
    having: list[str] = [name for index, name in enumerate(SPLITS) if (sites.split == index).any()]
    without = [name for name in having if sites.labels[sites.split == SPLITS.index(name)].any(1).all()]
    if without:
        where = "" if without == having else f" of {' and '.join(without)}"
        report.say(f"every site{where} has a peak: a model of them tells these files apart, not peaks from other DNA")
    for index, name in enumerate(SPLITS):
        labels = sites.labels[sites.split == index]
        absent = [target for target, count in zip(targets, labels.sum(0), strict=True) if not count]
        lack = f"; none of {some_of(absent)}" if absent else ""
        report.say(f"{name}: {len(labels):,} sites, {int(labels.any(1).sum()):,} with a peak{lack}")


def _read_all(files: Mapping[str, str], summits: bool, report: Report) -> pd.DataFrame:
    """Read the peaks of all files: chrom, start, end, centre, number of the file."""
    tables = [
        read_peak_file(path, summits, report.lines).assign(file=number)
        for number, path in enumerate(bar(list(files.values()), "reading peaks"))
    ]
    on_summits = sum(bool((table["centre"] != (table["start"] + table["end"]) // 2).any()) for table in tables)
    centred = "on their middles" if not on_summits else "on their summits"
    if 0 < on_summits < len(tables):
        centred = f"on their summits in {on_summits} of these, on their middles in the others"
    peaks = pd.concat(tables, ignore_index=True)
    report.say(f"{len(peaks):,} peaks in {len(files)} file{'s' * (len(files) > 1)}, centred {centred}")
    return peaks


def _on_contigs(
    peaks: pd.DataFrame, files: list[str], contigs: Mapping[str, int], length: int, report: Report
) -> pd.DataFrame:
    """Select the peaks that lie on the genome, and add the number of their contig."""
    number, names = pd.factorize(peaks["chrom"])
    matched = find_contigs([str(name) for name in names], contigs)
    if not any(matched.values()):
        raise InputError(
            f"no contig of the peaks is in the genome: the peaks have {some_of(matched)}, the genome {some_of(contigs)}"
        )
    renamed = [f"{name} is {other}" for name, other in matched.items() if other not in (None, name)]
    if renamed:
        report.say(f"contigs have other names in the genome: {some_of(renamed)}")
    order = {name: index for index, name in enumerate(contigs)}
    contig = np.array([order[other] if other else -1 for other in matched.values()])[number]
    missing = [name for name, other in matched.items() if other is None]
    report.drop(int((contig < 0).sum()), "peaks", f"on contigs that the genome does not have ({some_of(missing)})")
    sizes = np.array(list(contigs.values()))[contig]
    past = (contig >= 0) & (peaks["end"].to_numpy() > sizes)
    report.drop(int(past.sum()), "peaks", "past the end of their contig (are they of this genome?)")
    short = (contig >= 0) & ~past & (sizes < length)
    report.drop(int(short.sum()), "peaks", f"on contigs of fewer than {length} bases")
    keep = (contig >= 0) & ~past & ~short
    report.refuse_if_empty(int(keep.sum()), "peak")
    report.refuse_empty_targets(np.bincount(peaks["file"][keep], minlength=len(files)), files, "peak")
    return peaks[keep].assign(contig=contig[keep])


def _copies(windows: GenomeWindows, split: Index) -> NDArray[np.bool_]:
    """Mark the windows (N,) with the bases, on either strand, of one of an earlier split (train, val, test)."""
    _, group = np.unique(windows.digest(), return_inverse=True)
    earliest = np.full(len(split), len(SPLITS))
    np.minimum.at(earliest, group, split)
    copies: NDArray[np.bool_] = split > earliest[group]
    return copies


def _merge(
    peaks: pd.DataFrame, files: int, sizes: Index, rules: PeakRules, report: Report
) -> tuple[Index, Index, NDArray[np.uint8]]:
    """Merge peaks into sites: contig and start (S,), labels (S, T)."""
    contig, centre = peaks["contig"].to_numpy(np.int64), peaks["centre"].to_numpy(np.int64)
    # A window that would reach past an end of its contig is moved inside.
    left = rules.length // 2
    centre = np.clip(centre, left, sizes[contig] - (rules.length - left))
    site, centre = merge_peaks(contig, centre, rules.length - rules.overlap)
    site_contig = np.empty(len(centre), np.int64)
    site_contig[site] = contig
    labels = np.zeros((len(centre), files), np.uint8)
    labels[site, peaks["file"].to_numpy()] = 1
    start = centre - left
    report.say(
        f"{len(start):,} sites of {rules.length} bases: windows that overlap by {rules.overlap} or more are one site"
    )
    return site_contig, start, labels


def _passing(
    contig: Index,
    start: Index,
    names: list[str],
    blacklist: pd.DataFrame,
    genome: Genome | None,
    rules: PeakRules,
    report: Report,
) -> NDArray[np.bool_]:
    """Mark the sites (S,) that touch no blacklisted region and have enough unmasked bases."""
    keep = np.ones(len(start), dtype=bool)
    if len(blacklist):
        sites = pd.DataFrame({"chrom": np.array(names)[contig], "start": start, "end": start + rules.length})
        keep &= bioframe.count_overlaps(sites, blacklist)["count"].to_numpy() == 0
        report.drop(int((~keep).sum()), "sites", f"on the blacklist {rules.blacklist}")
    if genome is not None and rules.min_unmasked:
        unmasked, _ = base_counts(genome, contig, start, rules.length, rules.soft_masked)
        masked = keep & (unmasked < rules.min_unmasked)
        report.drop(int(masked.sum()), "sites", f"with less than {rules.min_unmasked:.0%} of their bases unmasked")
        keep &= ~masked
    report.refuse_if_empty(int(keep.sum()), "site")
    return keep


def _with_negatives(
    genome: Genome,
    peaks: pd.DataFrame,
    excluded: pd.DataFrame,
    sites: _Sites,
    genome_split: GenomeSplit,
    rules: PeakRules,
    report: Report,
) -> _Sites:
    """Add windows that touch no peak, nor its window, nor what is excluded; GC content and splits are the sites'."""
    rng = np.random.default_rng([rules.split_seed, 1])
    names, count = np.array(list(genome.contigs)), len(sites.start)
    half = rules.length // 2 + 1
    around = {
        "chrom": names[peaks["contig"]],
        "start": np.maximum(np.minimum(peaks["start"], peaks["centre"] - half), 0),
        "end": np.maximum(peaks["end"], peaks["centre"] + half),
    }
    # Sites too, of which some were moved inside their contig.
    on_sites = {"chrom": names[sites.contig], "start": sites.start, "end": sites.start + rules.length}
    occupied = pd.concat([pd.DataFrame(around), pd.DataFrame(on_sites), excluded], ignore_index=True)
    whole, rest = divmod(round((rules.negatives or 0) * count), count)
    wanted = np.concatenate([np.tile(np.arange(count), whole), rng.permutation(count)[:rest]])
    _, gc = base_counts(genome, sites.contig, sites.start, rules.length, soft_masked=False)
    contig, start, split = draw_background(genome, occupied, gc[wanted], sites.split[wanted], genome_split, rules, rng)
    report.say(f"{len(start):,} negatives of the sites' GC content, no two the same, which touch no peak")
    report.drop(len(wanted) - len(start), "negatives", "no window has their GC content")
    together = _Sites(
        np.concatenate([sites.contig, contig]),
        np.concatenate([sites.start, start]),
        np.concatenate([sites.labels, np.zeros((len(start), sites.labels.shape[1]), np.uint8)]),
        np.concatenate([sites.split, split]),
    )
    return together.select(np.lexsort((together.start, together.contig)))
