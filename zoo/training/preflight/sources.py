"""Files of a data set, each looked at alone and against the genome, so that no problem of one hides another's.

A DataModule stops at the first file that does not fit, as training must. Here the same functions are called for each.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from zoo.data.genome_split import SplitRules
from zoo.data.peaks.table import PeakTable
from zoo.data.sequences.files import Columns, Resizing, read_fasta_classes, read_tables
from zoo.data.splits import files_by_split
from zoo.data.tracks.table import Track, read_track_table, tracks_of
from zoo.data.window_plan import named_contigs, wanted_contigs
from zoo.errors import ConfigError, ZooError
from zoo.formats.bed import read_bed
from zoo.formats.bigwig import BigWig, match_bigwig
from zoo.formats.cooler import CoolerFile
from zoo.formats.peaks import name_peak_files, read_blacklist, read_peak_file
from zoo.genome.contigs import find_contigs
from zoo.genome.fasta import Genome
from zoo.training.preflight.report import Report
from zoo.utils.progress import bar
from zoo.utils.text import counted, some_of

__all__ = ["check_headers", "check_sources"]

_OTHER_GENOME = "use the genome on which the file was made, or a file made on this genome"
# Fraction of the peaks of a file that may lie off the genome without a warning.
_FEW_OFF = 0.01

Arguments = Mapping[str, Any]


def check_sources(arguments: Arguments, report: Report) -> None:
    """Check all files that the arguments of a DataModule name.

    Args:
        arguments: attributes of a DataModule, or its arguments where it could not be built.
        report: where findings are added.
    """
    genome = _open_genome(arguments, report)
    _check_sequences(arguments, report)
    _check_peaks(arguments, genome, report)
    for table in [*_paths(arguments.get("table")), *_paths(arguments.get("test_table"))] if genome else []:
        with report.collecting("table of peaks", "write it again with `zoo data peaks`"):
            PeakTable.read(table)
    _check_beds(arguments, genome, report)


def check_headers(arguments: Arguments, report: Report) -> None:
    """Check the headers of all bigWigs and coolers that the arguments of a DataModule name.

    Args:
        arguments: as of `check_sources`.
        report: where findings are added.
    """
    genome = _open_genome(arguments, report)
    _check_bigwigs(arguments, genome, report)
    _check_coolers(arguments, genome, report)


def _open_genome(arguments: Arguments, report: Report) -> Genome | None:
    """Open the FASTA of the genome and report its contigs; None without one, or where it cannot be read."""
    given = arguments.get("genome")
    if given is None or isinstance(given, Genome):
        return given
    genome = None
    with report.collecting("genome", "give the FASTA file of the genome, unpacked"):
        genome = Genome(str(given))
        contigs = genome.contigs
        bases = sum(contigs.values())
        report.ok("genome", f"{given}: {counted(len(contigs), 'contig')} ({some_of(contigs)}), {bases:,} bases")
    return genome


def _paths(given: Any) -> list[str]:
    """The files of an argument that is a file, or a file for each split."""
    if isinstance(given, str):
        return [given]
    return [str(path) for path in given.values()] if isinstance(given, Mapping) else []


def _check_sequences(arguments: Arguments, report: Report) -> None:
    """Read each FASTA file of a class, or each table of sequences, alone."""
    resizing = arguments.get("_resizing") or Resizing(arguments.get("resize"))
    classes = [arguments.get(key) for key in ("fasta", "test_fasta")]
    for name, given in [pair for fasta in classes if isinstance(fasta, Mapping) for pair in fasta.items()]:
        for path in _paths(given):
            with report.collecting(f"class {name}"):
                data = read_fasta_classes({name: path}, [name], Resizing(resizing.length))
                report.ok(f"class {name}", f"{path}: {len(data):,} sequences of {data.codes.shape[1]:,} bases")
    if arguments.get("genome") is not None:
        return
    labels = list(arguments.get("label_columns") or [])
    columns = Columns(arguments.get("sequence_column"), labels, arguments.get("split_column"))
    for path in [*_paths(arguments.get("table")), *_paths(arguments.get("test_table"))]:
        with report.collecting("table of sequences"):
            data = read_tables(files_by_split(path), columns, Resizing(resizing.length))
            report.ok("table of sequences", f"{path}: {len(data):,} sequences of {data.codes.shape[1]:,} bases")


def _check_peaks(arguments: Arguments, genome: Genome | None, report: Report) -> None:
    """Read each peak file, and count its peaks that do not lie on the genome."""
    files: list[tuple[str, str]] = []
    for given in (arguments.get("peaks"), arguments.get("test_peaks")):
        with report.collecting("peak files"):
            named = {} if given is None else name_peak_files([given] if isinstance(given, str) else given)
            files += named.items()
    summits = getattr(arguments.get("rules"), "summits", True)
    total = 0
    for name, path in bar(files, "checking peaks"):
        with report.collecting(f"peaks of {name}"):
            peaks = read_peak_file(path, summits)
            total += len(peaks)
            if genome is not None:
                _compare_peaks(f"peaks of {name}", path, peaks, genome, report)
    if total:
        report.ok("peak files", f"{total:,} peaks in {counted(len(files), 'file')}")


def _compare_peaks(what: str, path: str, peaks: Any, genome: Genome, report: Report) -> None:
    """Count the peaks of a file that lie on other contigs than the genome's, or past their ends."""
    matched = find_contigs(peaks["chrom"].unique(), genome.contigs)
    renamed = [f"{name} is {other}" for name, other in matched.items() if other not in (None, name)]
    if renamed:
        report.ok("contigs", f"have other names in the genome: {some_of(renamed)}")
    missing = [name for name, other in matched.items() if other is None]
    sizes = peaks["chrom"].map({name: genome.contigs.get(other or "", -1) for name, other in matched.items()})
    off, past = int((sizes < 0).sum()), int(((sizes >= 0) & (peaks["end"] > sizes)).sum())
    details = [f"{off:,} on contigs that the genome does not have ({some_of(missing)})"] if off else []
    details += [f"{past:,} past the end of their contig"] if past else []
    if not details:
        return
    detail = f"{path}: of {len(peaks):,} peaks, {' and '.join(details)}, which are dropped"
    if off + past == len(peaks):
        report.error(what, f"{detail}: none is left", _OTHER_GENOME)
    elif past or off > _FEW_OFF * len(peaks):
        report.warn(what, detail, _OTHER_GENOME)
    else:
        report.ok(what, detail)


def _check_beds(arguments: Arguments, genome: Genome | None, report: Report) -> None:
    """Read the blacklists, the arms and the regions of splits, and match their contigs."""
    rules = arguments.get("rules")
    masks = [*_listed(arguments.get("blacklist")), *_listed(getattr(rules, "blacklist", None))]
    for path in masks:
        with report.collecting("blacklist", _OTHER_GENOME):
            regions = read_blacklist(path, list(genome.contigs)) if genome else read_peak_file(path, summits=False)
            report.ok("blacklist", f"{path}: {len(regions):,} regions")
    regions = rules.files if isinstance(rules, SplitRules) else []
    for path in [*_listed(arguments.get("arms")), *map(str, regions)]:
        with report.collecting("regions", _OTHER_GENOME):
            names = {entry.chrom for entry in read_bed(path)}
            known = find_contigs(names, genome.contigs) if genome else {}
            if known and not any(known.values()):
                raise ConfigError(f"{path}: no contig of it is in the genome; it has {some_of(sorted(names))}")


def _listed(given: Any) -> list[str]:
    return [] if given is None else [given] if isinstance(given, str) else list(given)


def _wanted(arguments: Arguments, genome: Genome, report: Report) -> tuple[dict[str, int], list[str]]:
    """Contigs to use, and those of them that no file may lack; all where the options name others."""
    wanted: dict[str, int] = dict(genome.contigs)
    named: list[str] = []
    with report.collecting("contigs"):
        wanted = wanted_contigs(genome.contigs, arguments.get("contigs"))
        rules = arguments.get("rules")
        named = named_contigs(wanted, arguments.get("contigs"), rules if type(rules) is SplitRules else SplitRules())
    return wanted, named


def _check_bigwigs(arguments: Arguments, genome: Genome | None, report: Report) -> None:
    """Open the header of each bigWig of the tables, and match its contigs."""
    targets: list[Track] = []
    inputs: list[Track] = []
    with report.collecting("table of tracks"):
        targets += [track for table in _listed(arguments.get("targets_table")) for track in read_track_table(table)]
    with report.collecting("bigWigs"):
        targets += tracks_of(arguments["bigwigs"]) if arguments.get("bigwigs") else []
    with report.collecting("table of input tracks"):
        inputs += [track for table in _listed(arguments.get("inputs_table")) for track in read_track_table(table)]
    wanted, named = _wanted(arguments, genome, report) if genome else ({}, [])
    for what, tracks in (("track", targets), ("input track", inputs)):
        for track in bar(tracks, "checking bigWigs"):
            with report.collecting(f"{what} {track.name}", _OTHER_GENOME):
                if genome is None:
                    BigWig(track.path)
                    continue
                names = match_bigwig(track.path, wanted, named)
                lacking = [contig for contig, name in names.items() if name is None]
                if lacking and tracks is inputs and not _has_sites(arguments):
                    raise ConfigError(f"{track.path} has no contig {some_of(lacking)}, and inputs need all")


def _has_sites(arguments: Arguments) -> bool:
    """Whether inputs are read along sites alone, not along whole contigs."""
    return arguments.get("peaks") is not None or arguments.get("table") is not None


def _check_coolers(arguments: Arguments, genome: Genome | None, report: Report) -> None:
    """Open the header of each cooler, match its contigs, and compare the sizes of bins."""
    given = arguments.get("coolers")
    sizes: dict[int, list[str]] = {}
    for name, uri in given.items() if isinstance(given, Mapping) else ():
        with report.collecting(f"cooler {name}", _OTHER_GENOME):
            file = CoolerFile(str(uri))
            sizes.setdefault(file.bin_size, []).append(name)
            for problem in _cooler_problems(file, arguments, genome, report):
                report.error(f"cooler {name}", str(problem))
    if len(sizes) > 1:
        listed = ", ".join(f"{size:,} bases ({some_of(names)})" for size, names in sorted(sizes.items()))
        report.error("coolers", f"bins of several sizes: {listed}", "name one resolution for all, FILE::resolutions/N")


def _cooler_problems(
    file: CoolerFile, arguments: Arguments, genome: Genome | None, report: Report
) -> Iterator[ZooError]:
    """What is refused of a cooler whose header can be read."""
    try:
        file.check_balanced(bool(arguments.get("balance")))
    except ZooError as error:
        yield error
    if genome is not None:
        wanted, named = _wanted(arguments, genome, report)
        try:
            names: Mapping[str, str | None] = file.match(wanted)
        except ZooError as error:
            yield error
            return
        if lacking := [contig for contig in named if names[contig] is None]:
            yield ConfigError(
                f"{file.uri} has no contig {lacking[0]!r}, which is wanted; it has {some_of(file.contigs)}"
            )
