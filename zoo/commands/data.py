"""`zoo data`: public data sets, and tables of your own peaks."""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.commands.tables import print_table
from zoo.errors import ConfigError
from zoo.utils.text import counted

__all__ = ["add_data"]

# Data sets that are converted to other files: the function of their module that does it and returns the folder.
_BUILT = {"yeast": "yeast_folder", "yeast_contacts": "contacts_folder"}


def add_data(verbs: Any) -> None:
    """Add the verb `data` and its options to the parser."""
    verb = verbs.add_parser(
        "data",
        help="fetch a public data set, or make a table of your peaks",
        description="List or fetch named public data sets, or make one table of your own peak files.",
    )
    actions = verb.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = actions.add_parser("list", help="the public data sets", description="List the public data sets.")
    action.set_defaults(run=data_list_command)
    action = actions.add_parser("get", help="fetch one", description="Fetch a public data set.")
    action.add_argument("name", metavar="NAME", nargs="?", help="a data set that `zoo data list` lists")
    action.set_defaults(run=data_get_command)
    _add_data_peaks(actions)


def _add_data_peaks(actions: Any) -> None:
    verb = actions.add_parser(
        "peaks",
        help="one table of many peak files",
        description="Make one table of many BED or narrowPeak files (plain or gzipped): peaks are extended to one "
        "length, overlapping ones merged into sites, and each site is labelled with the files that have a peak there.",
        argument_default=argparse.SUPPRESS,  # defaults are those of PeakRules
    )
    add = verb.add_argument
    add(
        "files",
        metavar="FILE",
        nargs="+",
        help="a peak file (any BED, or narrowPeak by its lines or name), or NAME=FILE; the name becomes the target",
    )
    add("-o", "--output", required=True, help="the TSV to write; - is standard output")
    source = verb.add_mutually_exclusive_group(required=True)
    source.add_argument("--genome", help="FASTA of the genome")
    source.add_argument("--contig-lengths", help="instead: a file of contig names and lengths (chrom.sizes or .fai)")
    add("--length", type=int, help="bases of every site (default 600)")
    add("--merge-overlap", type=int, help="overlap in bases from which two windows become one site (default a third)")
    add(
        "--middles",
        dest="summits",
        action="store_false",
        default=argparse.SUPPRESS,
        help="centre sites on the middles of peaks, not on summits",
    )
    add("--blacklist", help="BED file of regions that no site may touch")
    add("--min-unmasked", type=float, help="smallest fraction of bases that are not N (default 0.5)")
    add("--soft-masked", action="store_true", default=argparse.SUPPRESS, help="count lower-case letters as masked too")
    add("--val", nargs="+", metavar="CONTIG", help="contigs, or a BED file of regions, for validation; with --test")
    add("--test", nargs="+", metavar="CONTIG", help="contigs, or a BED file of regions, for test, not random blocks")
    add("--block-size", type=int, help="bases of the blocks that are assigned to train, val and test (default 100000)")
    add("--val-fraction", type=float, help="fraction of the blocks for validation (default 0.1)")
    add("--test-fraction", type=float, help="fraction of the blocks for test (default 0.1)")
    add(
        "--negatives",
        type=float,
        help="windows without a peak that are added per site, of its GC content (default 1; 0 with --contig-lengths)",
    )
    add("--split-seed", type=int, help="seed of the blocks and negatives (default 0)")
    verb.set_defaults(run=data_peaks_command)


def data_list_command(options: argparse.Namespace) -> None:
    """List the public data sets, with the number and size of their files."""
    from zoo.datasets.sources import data_sets, files_of

    rows = [
        [name, str(len(files_of(name))), f"{sum(f.size for f in files_of(name)) / 1e6:.1f}"] for name in data_sets()
    ]
    print_table(["data set", "files", "megabytes"], rows)


def data_get_command(options: argparse.Namespace) -> None:
    """Fetch a public data set, convert it where needed, and print the paths of its files."""
    from zoo.datasets.sources import data_sets, extras_of, files_of
    from zoo.utils.extras import require_extras

    if not options.name:
        raise ConfigError(f"name a data set: zoo data get {' | '.join(data_sets())}")
    from zoo.utils.download import fetch
    from zoo.utils.progress import bar
    from zoo.utils.records import RECORD

    files = files_of(options.name)
    if options.name in _BUILT:
        require_extras(extras_of(options.name), f"the data set {options.name}")
    paths = [fetch(file, progress=False) for file in bar(files, options.name)]
    if options.name in _BUILT:
        folder: Path = getattr(import_module(f"zoo.datasets.{options.name}"), _BUILT[options.name])()
        print((folder / "report.txt").read_text(), end="", file=sys.stderr)
        paths = sorted(path for path in folder.iterdir() if path.name not in ("report.txt", RECORD))
    print("\n".join(map(str, paths)))


def data_peaks_command(options: argparse.Namespace) -> None:
    """Make one table of many peak files, and print what happened to the peaks."""
    from zoo.utils.extras import require_extras

    require_extras(["train"], "making a table of peaks")
    from zoo.utils.paths import check_folder_of, refuse_overwriting
    from zoo.utils.text import check_file

    others = [getattr(options, name) for name in ("genome", "contig_lengths", "blacklist") if name in options]
    for path in [*filter(None, map(_peak_file, options.files)), *others]:
        check_file(path)  # before pandas is imported
    if options.output != "-":
        check_folder_of(Path(options.output))
    from zoo.data.peaks.build import build_peak_table
    from zoo.data.peaks.rules import PeakRules
    from zoo.formats.peaks import name_peak_files
    from zoo.genome.contigs import read_contig_lengths
    from zoo.genome.fasta import Genome

    given = {key: value for key, value in vars(options).items() if key in PeakRules.__dataclass_fields__}
    _refuse_unused(given, "contig_lengths" in options)
    rules = PeakRules(**given)
    files = name_peak_files(options.files)
    refuse_overwriting(options.output, [*files.values(), *others])
    genome = Genome(options.genome) if "genome" in options else read_contig_lengths(options.contig_lengths)
    table, report = build_peak_table(files, genome, rules)
    table.write(options.output)
    print("\n".join(report.lines), file=sys.stderr)
    if options.output != "-":
        print(
            f"{options.output}: {counted(len(table), 'site')}, {counted(len(table.targets), 'target')}", file=sys.stderr
        )


def _peak_file(text: str) -> str:
    """The file in FILE or NAME=FILE; empty where NAME has none, which is refused later."""
    return text if "=" not in text or Path(text).exists() else text.partition("=")[2]


def _refuse_unused(given: dict[str, Any], lengths_only: bool) -> None:
    """Refuse options that would change nothing next to the others.

    Raises:
        ConfigError: the first such option, and why.
    """
    if lengths_only and "min_unmasked" in given:
        raise ConfigError("--min-unmasked needs the bases of a --genome, not only its contigs' lengths")
    if "test" not in given:
        return
    for name in ("test_fraction", *(("block_size", "val_fraction") if "val" in given else ())):
        if name in given:
            raise ConfigError(f"--{name.replace('_', '-')} is for random blocks: leave it out, or --val and --test")
    if "val" in given and "split_seed" in given and not given.get("negatives", not lengths_only):
        raise ConfigError("--split-seed is for random blocks and negatives: leave it out, or --val and --test")
