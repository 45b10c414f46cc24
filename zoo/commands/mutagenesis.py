"""`zoo mutagenesis`: every single substitution of sequences, and deletions and tiles."""

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.parser import PICTURES
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zoo.inference.sources import Source
    from zoo.interpret.result import NamedMutants

__all__ = ["add_mutagenesis"]

_MOST_DRAWN = 8  # sequences in a picture


def add_mutagenesis(verbs: Any) -> None:
    """Add the verb `mutagenesis` and its options."""
    verb = verbs.add_parser(
        "mutagenesis",
        help="predict every single substitution of sequences",
        description="Predict every single substitution of sequences, by computing only what it reaches in the net, "
        "with the numbers of `zoo predict`. The table has a row for each mutant: the change of every target; of tracks "
        "and contact maps the change of the sum over bins, and the sum of absolute changes.",
    )
    verb.add_argument("name", metavar="NAME", help="architecture.tag, hf-hub:org/repo@revision or local-dir:path")
    verb.add_argument(
        "input",
        metavar="INPUT",
        help="FASTA, lines or a table of sequences, of the model's length; with --genome BED, or a region such as "
        "chrIX:100-900",
    )
    verb.add_argument(
        "-o",
        "--output",
        default="-",
        metavar="FILE",
        help=".tsv, .csv (also .gz), .parquet or .npz; - is TSV (default); or a picture of the substitutions (.png, "
        ".svg, .pdf), a logo and a map of colours for each sequence, of one target",
    )
    verb.add_argument("--genome", metavar="FASTA", help="FASTA of the genome; INPUT is then BED, or a region")
    verb.add_argument("--targets", nargs="+", metavar="TARGET", help="these targets only")
    verb.add_argument("--inputs", metavar="TABLE", help="table of the input tracks, for a model that reads some")
    verb.add_argument("--resize", action="store_true", help="take the model's length around each centre or summit")
    verb.add_argument("--span", metavar="FIRST-LAST", help="mutate these positions only, 0-based, LAST not included")
    verb.add_argument("--bins", metavar="FIRST-LAST", help="sum these bins only, 0-based (tracks, contacts)")
    verb.add_argument(
        "--deletions",
        action="store_true",
        help="also delete the base at each position: those right of it move left, and the last position is filled with "
        "the base that follows in the genome, or with N",
    )
    verb.add_argument("--tile", type=int, metavar="BASES", help="also replace tiles of so many bases, side by side")
    verb.add_argument(
        "--fill",
        choices=("N", "shuffle"),
        help="what they are replaced by: N (default), or their own bases, the mean over 10 random orders",
    )
    verb.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, mps; auto takes an accelerator if any")
    verb.set_defaults(run=mutagenesis_command)


def mutagenesis_command(options: argparse.Namespace) -> None:
    """Predict the mutants, and write them."""
    span, bins = _range(options.span, "--span"), _range(options.bins, "--bins")
    _check(options)
    from zoo.hub.load import load
    from zoo.inference.device import find_device
    from zoo.inference.windowing import Windowing
    from zoo.interpret.mutagenesis import MutantKinds
    from zoo.interpret.result import write_mutants
    from zoo.interpret.stream import MutantStream
    from zoo.utils.progress import stream_bar
    from zoo.utils.text import counted

    kinds = MutantKinds(options.deletions, options.tile, options.fill or "N", span=span)
    model = load(options.name, find_device(options.device))
    stream = MutantStream(model, kinds, options.targets, bins)
    notes: list[str] = []
    source = _source(options)
    sequences = stream.of(source, Windowing(options.resize), notes)
    mutated = stream_bar(sequences, "mutating", source.count)
    if options.output.lower().endswith(PICTURES):
        count = _draw(Path(options.output), options.name, stream.targets, mutated)
    else:
        count = write_mutants(options.output, stream.targets, mutated)
    for note in notes:
        print(f"zoo: {note}", file=sys.stderr)
    if options.output != "-":
        print(f"{options.output}: the mutants of {counted(count, 'sequence')}", file=sys.stderr)


def _draw(picture: Path, name: str, targets: "Sequence[str]", sequences: "Iterable[NamedMutants]") -> int:
    """Draw the first sequences for one target; returns their number.

    Raises:
        ConfigError: several targets, or more sequences than fit into a picture.
    """
    from zoo.genome.sequence import decode
    from zoo.plots.mutagenesis import MutatedSequence, draw_mutagenesis
    from zoo.utils.atomic import whole_path

    if len(targets) > 1:
        raise ConfigError(f"a picture is of one target, and there are {len(targets)}: choose it with --targets")
    drawn: list[MutatedSequence] = []
    for one in sequences:
        if len(drawn) == _MOST_DRAWN:
            raise ConfigError(f"a picture has room for {_MOST_DRAWN} sequences: give fewer, or write a table")
        change = one.mutants.substitutions.change[:, :, 0]
        letters = decode(one.mutants.codes[one.mutants.start : one.mutants.start + len(change)])
        drawn.append(MutatedSequence(one.name, one.mutants.start, letters, change))
    with whole_path(picture) as draft:
        draw_mutagenesis(draft, drawn, f"{name}: {targets[0]}")
    return len(drawn)


def _range(text: str | None, option: str) -> tuple[int, int] | None:
    """First and last of `FIRST-LAST`."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)-(\d+)", text.replace(",", ""))
    if match is None:
        raise ConfigError(f"{option} is FIRST-LAST, such as 200-400, not {text}")
    return int(match[1]), int(match[2])


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not fit each other, and files, before torch is imported."""
    from zoo.utils.extras import require_extras
    from zoo.utils.paths import check_folder_of, refuse_overwriting
    from zoo.utils.text import check_file
    from zoo.writers.tables import table_format

    if options.fill and options.tile is None:
        raise ConfigError("--fill is what tiles are replaced by: give their size with --tile")
    if options.inputs and not options.genome:
        raise ConfigError("--inputs needs coordinates, which sequences lack: give BED, and the genome with --genome")
    is_bed = options.input.removesuffix(".gz").endswith((".bed", "Peak"))
    files = [path for path in (options.genome, options.inputs) if path]
    if options.input != "-" and (not options.genome or is_bed or Path(options.input).is_file()):
        files.append(options.input)
    for path in files:
        check_file(path, regular=False)
    if is_bed and not options.genome:
        raise ConfigError(f"{options.input} holds intervals: name the genome with --genome")
    if options.output == "-":
        return
    refuse_overwriting(options.output, files)
    check_folder_of(Path(options.output))
    if options.output.lower().endswith(PICTURES):
        require_extras(["plots"], "drawing")
        if options.deletions or options.tile is not None:
            raise ConfigError("a picture is of substitutions: leave out --deletions and --tile, or write a table")
    elif not options.output.endswith(".npz"):
        table_format(options.output)


def _source(options: argparse.Namespace) -> "Source":
    """The sequences of a file, or sites of a genome."""
    if not options.genome:
        from zoo.formats.sequences import SequenceFile
        from zoo.inference.sources import FileSource

        return FileSource(SequenceFile(options.input))
    from zoo.genome.fasta import Genome
    from zoo.inference.given import source_of

    return source_of(Genome(options.genome), options.input, options.inputs, options.resize)
