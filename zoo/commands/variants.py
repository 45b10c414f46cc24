"""`zoo variants`: the effects of variants."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.commands.parser import PICTURES, add_options
from zoo.commands.variant_options import VARIANT_OPTIONS
from zoo.errors import ConfigError
from zoo.utils.text import counted

if TYPE_CHECKING:
    from zoo.variants.kept import KeptBlocks
    from zoo.variants.scored import ScoredAlleles
    from zoo.variants.scorer import VariantScorer
    from zoo.variants.sources import Source

__all__ = ["add_variants"]


def add_variants(verbs: Any) -> None:
    """Add the verb `variants` and its options."""
    verb = verbs.add_parser(
        "variants",
        help="score the effects of variants",
        description="Predict for both alleles of each variant, and write what differs: a row for each allele, also for "
        "one that cannot be scored, with the reason. The window has the middle of the change in its middle.",
    )
    add_options(verb, *VARIANT_OPTIONS)
    verb.set_defaults(run=variants_command)


def variants_command(options: argparse.Namespace) -> None:
    """Score variants; what has no scores is counted on standard error."""
    from zoo.hub.registry import find

    _check_files(options)
    find(options.name)  # before torch is imported
    from zoo.hub.load import load
    from zoo.inference.processes import predict_together

    if options.plot:
        _draw(options)
        return
    with predict_together(options.device, options.devices) as processes:
        source = _source(options)
        scorer = _scorer(options, load(options.name, processes.device))
        scorer.processes = processes
        kept = _kept(options, source) if options.resume else None
        blocks = processes.whole(scorer.stream(source, kept))
        if not processes.writes:
            for _ in blocks:
                pass  # what this process computes is sent to the first one
            return
        count = _write(options, scorer, _with_progress(_checked(options, scorer, blocks)))
    from zoo.variants.report import count_sentences

    if kept:
        kept.remove()
        print(f"zoo: {counted(kept.loaded, 'allele')} of an earlier command", file=sys.stderr)
    for sentence in count_sentences(scorer.counts):
        print(f"zoo: {sentence}", file=sys.stderr)
    if options.output != "-":
        what = "record" if _is_calls(options.output) else "allele"
        print(f"{options.output}: {counted(count, what)}, {scorer.counts.scored:,} scored", file=sys.stderr)


def _draw(options: argparse.Namespace) -> None:
    """Draw the variants of a region, or both alleles of one."""
    from zoo.genome.intervals import is_region
    from zoo.hub.load import load, resolve
    from zoo.hub.targets import read_targets
    from zoo.inference.device import find_device
    from zoo.variants.picture import draw_alleles, draw_region
    from zoo.variants.sources import GenomeSource

    source = _source(options)
    if not isinstance(source, GenomeSource):
        raise ConfigError("--plot is for variants of a genome, not for pairs of sequences")
    scorer = _scorer(options, load(options.name, find_device(options.device)))
    picture = Path(options.output)
    if is_region(options.plot):
        count = draw_region(picture, scorer, source, options.plot, options.name)
        print(f"{picture}: {counted(count, 'allele')}", file=sys.stderr)
        return
    units = {row.name: row.unit for row in read_targets(resolve(options.name))}
    draw_alleles(picture, scorer, source, options.plot, options.name, units)
    print(f"{picture}: both alleles of {options.plot}", file=sys.stderr)


def _check_files(options: argparse.Namespace) -> None:
    """Refuse files that do not exist or would be written over, before torch is imported."""
    from zoo.utils.extras import require_extras
    from zoo.utils.paths import check_creatable, refuse_overwriting
    from zoo.utils.text import check_file
    from zoo.writers.tables import table_format

    if _is_calls(options.variants) or _is_calls(options.output):
        require_extras(["variants"], "reading VCF and BCF")
    if _is_calls(options.output) and not _is_calls(options.variants):
        raise ConfigError(f"{options.output}: records of a VCF are written again only of a VCF: give a table as output")
    if options.variants != "-":
        check_file(options.variants, regular=_is_calls(options.output) or (options.devices or 1) > 1)
    elif (options.devices or 1) > 1:
        raise ConfigError("--devices is for a file of variants, which each process reads, not for standard input")
    if options.genome:
        check_file(options.genome)
    refuse_overwriting(options.output, [one for one in (options.variants, options.genome) if one not in ("-", None)])
    if options.plot:
        require_extras(["plots"], "drawing")
        if not options.output.lower().endswith(PICTURES):
            raise ConfigError(f"--plot writes a picture: name it with -o, ending in {', '.join(PICTURES)}")
        if (options.devices or 1) > 1:
            raise ConfigError("--plot is drawn by one process: leave out --devices")
    elif not _is_calls(options.output):
        table_format(options.output)
    if options.resume and (options.output == "-" or options.plot or (options.devices or 1) > 1):
        raise ConfigError("--resume is for a file as output (-o), written by one process")
    if options.output != "-":
        check_creatable(Path(options.output))


def _is_calls(path: str) -> bool:
    from zoo.formats.variants import is_call_file

    return is_call_file(path)


def _source(options: argparse.Namespace) -> "Source":
    """The alleles, and the genome that they are of."""
    from zoo.genome.fasta import Genome
    from zoo.variants.sources import GenomeSource, PairSource, are_pairs

    if not _is_calls(options.variants) and are_pairs(options.variants):
        if options.genome:
            raise ConfigError(f"{options.variants} holds the sequences of both alleles: leave out --genome")
        return PairSource(options.variants)
    if not options.genome:
        raise ConfigError("--genome names the FASTA of the genome that the variants are of")
    return GenomeSource.of_file(options.variants, Genome(options.genome))


def _kept(options: argparse.Namespace, source: "Source") -> "KeptBlocks":
    """The blocks that an earlier command has scored, and where others are kept."""
    from zoo.hub.config import read_config
    from zoo.hub.load import resolve
    from zoo.utils.cache import fingerprint
    from zoo.utils.version import code_version
    from zoo.variants.kept import KeptBlocks
    from zoo.variants.sources import GenomeSource

    fields = ("hold", "shifts", "both_strands", "scores", "targets", "within", "batch_size", "precision")
    settings = {field: getattr(options, field) for field in fields}
    settings |= {"model": read_config(resolve(options.name)).sha256, "version": code_version()}
    settings["genome"] = fingerprint(Path(options.genome)) if options.genome else None
    settings["differing"] = sorted(source.assembly.differing) if isinstance(source, GenomeSource) else []
    return KeptBlocks(Path(options.output), settings)


def _scorer(options: argparse.Namespace, model: Any) -> "VariantScorer":
    from zoo.hub.background import read_background
    from zoo.hub.load import resolve
    from zoo.variants.scorer import VariantOptions, VariantScorer

    fields = ("hold", "shifts", "both_strands", "scores", "targets", "within", "batch_size", "precision")
    settings = VariantOptions(**{field: getattr(options, field) for field in fields})
    return VariantScorer(model, settings, read_background(resolve(options.name)))


def _checked(
    options: argparse.Namespace, scorer: "VariantScorer", blocks: "Iterator[ScoredAlleles]"
) -> "Iterator[ScoredAlleles]":
    """The blocks; after the last, a result without any score is refused, so that nothing is written."""
    from zoo.utils.text import shown_path
    from zoo.variants.report import check_counts

    yield from blocks
    check_counts(scorer.counts, shown_path(options.variants), options.genome or "the reference sequences")


def _with_progress(blocks: "Iterator[ScoredAlleles]") -> "Iterator[ScoredAlleles]":
    """The blocks, with a count on a terminal."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("alleles"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("scoring", total=None)
        for block in blocks:
            yield block
            progress.advance(task, len(block))


def _write(options: argparse.Namespace, scorer: "VariantScorer", blocks: "Iterator[ScoredAlleles]") -> int:
    """Write the table, or the records of the VCF; returns their number."""
    from zoo.utils.text import some_of
    from zoo.variants.table import write_calls, write_table

    if _is_calls(options.output):
        every, output = scorer.model.output.targets, Path(options.output)
        written = write_calls(options.variants, output, blocks, scorer.columns, scorer.targets, every)
        if written.replaced:
            print(f"zoo: {options.variants} has {some_of(written.replaced)} already: replaced", file=sys.stderr)
        return written.records
    return write_table(options.output, blocks, list(scorer.columns), scorer.targets)
