"""Everything that writes a file on which a later step relies, with made inputs; the same result each time."""

import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import torch
from made.contacts import BIN, make_contacts
from made.tracks import make_inputs

from zoo.utils import drafts

__all__ = ["CALLS", "Writer", "content_of", "killed", "make_writer_inputs", "writers"]

SIZES = {"chr1": 60_000, "chr2": 40_000}
# Moments at which a process can be killed: before a file is on the disk, before it or a folder takes its place, when it
# is begun, and before what it replaced is removed.
_CALLS: dict[str, list[tuple[Any, str]]] = {
    "fsync": [(os, "fsync")],
    "replace": [(os, "replace"), (os, "rename")],
    "exchange": [(drafts, "_exchange")],
    "remove": [(shutil, "rmtree"), (os, "unlink")],
}
CALLS = (*_CALLS, "write")
_SPOOL = 2 * 100 * 200 * 4  # bytes of the rows of one track
_LABELS, _TRACKS = ["first", "second"], ["a", "b"]


class Writer(NamedTuple):
    """Something that writes files.

    Attributes:
        write: writes them into a folder.
        refuses: whether it refuses to write over an earlier result.
        resumes: whether what is done when it stops is kept for the next run.
        spool: bytes of files that it writes before the result, as many for each file of the result, and then removes.
    """

    write: Callable[[Path], Any]
    refuses: bool = False
    resumes: bool = False
    spool: int = 0


def make_writer_inputs(folder: Path) -> None:
    """Make the files that writers read."""
    rng = np.random.default_rng(0)
    with (folder / "genome.fa").open("w") as file:
        for name, size in SIZES.items():
            file.write(f">{name}\n{''.join(rng.choice(list('ACGT'), size))}\n")
    make_inputs(folder, SIZES, ("chr1", 1_000, 2_000))
    _checkpoint(folder / "mlp.made")
    (folder / "maps").mkdir()
    make_contacts(folder / "maps", {"chr1": 200 * BIN}, depth=20.0, reach=60)


def content_of(folder: Path) -> dict[str, str]:
    """Hash of each file in a folder and below, but for locks; without the times that some formats store."""
    return {
        str(path.relative_to(folder)): _hash(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def _hash(path: Path) -> str:
    if path.suffix == ".npz":
        try:
            with np.load(path) as arrays:
                return hashlib.sha256(b"".join(name.encode() + arrays[name].tobytes() for name in arrays)).hexdigest()
        except ValueError:  # what was there before the writer came
            pass
    return hashlib.sha256(path.read_bytes()).hexdigest()


def writers(inputs: Path) -> dict[str, Writer]:
    """All writers, by what they write."""
    return {
        "predictions.tsv": Writer(lambda folder: _predictions(folder / "out.tsv")),
        "predictions.csv.gz": Writer(lambda folder: _predictions(folder / "out.csv.gz")),
        "predictions.parquet": Writer(lambda folder: _predictions(folder / "out.parquet")),
        "mutants.tsv": Writer(lambda folder: _mutants(folder / "mutants.tsv")),
        "arrays of mutants": Writer(lambda folder: _mutants(folder / "mutants.npz")),
        "annotated VCF": Writer(lambda folder: _calls(inputs, folder / "out.vcf")),
        "annotated BCF": Writer(lambda folder: _calls(inputs, folder / "out.bcf")),
        "bigWig": Writer(lambda folder: _tracks(folder / "out.bw", 1), refuses=True),
        "folder of bigWigs": Writer(lambda folder: _tracks(folder / "tracks", 2), refuses=True),
        "cooler": Writer(lambda folder: _contacts(folder / "out.cool", 1), refuses=True, spool=_SPOOL),
        "folder of coolers": Writer(lambda folder: _contacts(folder / "maps", 2), refuses=True, spool=2 * _SPOOL),
        "arrays of maps": Writer(lambda folder: _maps(folder / "out.npz"), refuses=True),
        "picture": Writer(lambda folder: _picture(folder / "out.png")),
        "picture as SVG": Writer(lambda folder: _picture(folder / "out.svg")),
        "table of peaks": Writer(lambda folder: _peaks(folder / "sites.tsv")),
        "index of a FASTA file": Writer(lambda folder: _index(folder / "genome.fa.fai")),
        "record": Writer(lambda folder: _record(folder / "done.json")),
        "example files": Writer(_example),
        "site": Writer(lambda folder: _site(folder / "site", inputs / "mlp.made"), refuses=True),
        "evaluation": Writer(lambda folder: _evaluation(folder / "scores.json")),
        "ONNX file": Writer(lambda folder: _exported(folder / "out.onnx")),
        "program of torch.export": Writer(lambda folder: _exported(folder / "out.pt2")),
        "checkpoint": Writer(lambda folder: _checkpoint(folder / "mlp.made")),
        "arrays in the cache": Writer(lambda folder: _in_cache(folder, _cached_arrays)),
        "folder in the cache": Writer(lambda folder: _in_cache(folder, _built_folder)),
        "tracks in the cache": Writer(lambda folder: _in_cache(folder, lambda: _coverage(inputs)), resumes=True),
        "maps in the cache": Writer(lambda folder: _in_cache(folder, lambda: _band(inputs))),
        "tracks of sites in the cache": Writer(lambda folder: _in_cache(folder, lambda: _sites(inputs))),
    }


def _predictions(path: Path) -> None:
    from zoo.writers.labels import LabelRows, write_labels

    rng = np.random.default_rng(1)
    blocks = [LabelRows([f"s{i}" for i in range(4000)], rng.random((4000, 2), dtype=np.float32)) for _ in range(3)]
    write_labels(path, _LABELS, blocks)


def _calls(inputs: Path, path: Path) -> None:
    from zoo.formats.alleles import Variant
    from zoo.variants.scored import ScoredAlleles
    from zoo.variants.table import write_calls

    variants = [Variant(row + 1, "chr1", row + 1, "", "A", "C") for row in range(3_000)]
    lines = "".join(f"chr1\t{one.position}\t.\tA\tC\t.\t.\t.\n" for one in variants)
    head = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=60000>\n"
    source = inputs / "calls.vcf"
    if not source.exists():
        source.write_text(f"{head}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{lines}")
    values = np.random.default_rng(8).random((3_000, 1, 2))
    block = ScoredAlleles(variants, [""] * len(variants), values)
    write_calls(str(source), path, [block], {"difference": "made"}, _LABELS)


def _mutants(path: Path) -> None:
    from zoo.interpret.effects import Effects
    from zoo.interpret.mutagenesis import SequenceMutants
    from zoo.interpret.result import NamedMutants, write_mutants

    rng = np.random.default_rng(7)
    codes = rng.integers(0, 4, 1000).astype(np.uint8)
    reference, effects = (Effects(rng.random(shape, dtype=np.float32), None) for shape in ((2,), (1000, 4, 2)))
    mutants = SequenceMutants(codes, 0, reference, effects)
    write_mutants(path, _LABELS, [NamedMutants(f"s{index}", {"name": f"s{index}"}, mutants) for index in range(5)])


def _site(folder: Path, checkpoint: Path) -> None:
    from zoo.site.build import build_site

    build_site(folder, [f"local-dir:{checkpoint}", "deepbind.D00328.*"])


def _evaluation(path: Path) -> None:
    from zoo.scoring.result import Evaluation, Score

    scores = [Score(index / 5_000, 0.0, 1.0) for index in range(5_000)]
    targets, numbers = [f"target {index}" for index in range(5_000)], ("a.x", "made", "test", "sequence", 9)
    Evaluation(*numbers, targets, [9] * 5_000, {"auroc": scores}, {"auroc": scores[0]}, 1, 0.95, 0).write(path)


def _tracks(path: Path, count: int) -> None:
    from zoo.writers.tracks import TrackSegment, write_tracks

    rng = np.random.default_rng(2)
    values = rng.random((count, 40_000), dtype=np.float32)
    write_tracks(path, _TRACKS[:count], {"chr1": 320_000}, [TrackSegment("chr1", 0, 8, values)])


def _rows(count: int) -> list[Any]:
    from zoo.writers.contacts import ContactRows

    rng = np.random.default_rng(3)
    return [ContactRows("chr1", first, 100, rng.random((count, 100, 200), dtype=np.float32)) for first in (0, 100)]


def _contacts(path: Path, count: int) -> None:
    from zoo.writers.contacts import write_coolers

    write_coolers(path, _TRACKS[:count], {"chr1": 40_000}, _rows(count))


def _maps(path: Path) -> None:
    from zoo.writers.contacts import write_npz

    write_npz(path, _TRACKS[:1], _rows(1))


def _picture(path: Path) -> None:
    import matplotlib as mpl

    from zoo.plots.tracks import draw_tracks
    from zoo.utils.atomic import whole_path

    edges = np.arange(3001)
    values = {name: np.random.default_rng(4).random(3000).astype(np.float32) for name in _TRACKS}
    with whole_path(path) as draft, mpl.rc_context({"svg.hashsalt": "made"}):
        draw_tracks(draft, "chr1", edges, values, {}, "made")
        if path.suffix == ".svg":  # it holds the time
            draft.write_text("".join(line for line in draft.read_text().splitlines(True) if "<dc:date>" not in line))


def _peaks(path: Path) -> None:
    from zoo.data.peaks.table import PeakTable

    rng, count = np.random.default_rng(5), 20_000
    labels = rng.integers(0, 2, (count, 5), dtype=np.uint8)
    zeros = np.zeros(count, np.int64)
    PeakTable([f"t{i}" for i in range(5)], ["chr1"], zeros, np.arange(count), 100, labels, zeros).write(path)


def _index(path: Path) -> None:
    from zoo.genome.fai import write_fai
    from zoo.genome.scan import FastaIndex

    number = np.arange(1, 20_001)
    write_fai(path, FastaIndex([f"c{i}" for i in number], number, 70 * number, number, number + 1))


def _record(path: Path) -> None:
    from zoo.utils.records import write_record

    write_record(path, list(range(50_000)))


def _example(folder: Path) -> None:
    from zoo.cli import build_parser

    options = build_parser().parse_args(["example", "-o", str(folder / "examples"), "--overwrite"])
    options.run(options)


def _exported(path: Path) -> None:
    from zoo.exporters.export import write_checked
    from zoo.exporters.onnx import open_onnx, save_onnx
    from zoo.exporters.program import open_program, save_program

    source, program, proto = _traced()
    if path.suffix == ".onnx":
        write_checked(path, source, lambda draft: save_onnx(proto, draft), open_onnx)
    else:
        write_checked(path, source, lambda draft: save_program(program, source.metadata, draft), open_program)


@cache
def _traced() -> tuple[Any, Any, Any]:
    """A model, its traced graph, and that as ONNX."""
    from zoo.exporters.graph import shapes_of, trace
    from zoo.exporters.onnx import convert
    from zoo.exporters.source import given_source

    source = given_source(_model())
    program = trace(source.model, "made")
    return source, program, convert(program, source.metadata, shapes_of(source.model), "made")


def _model() -> Any:
    from zoo.models.mlp import MLP

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MLP(_LABELS, 50, hidden=(200,))


def _checkpoint(folder: Path) -> None:
    from zoo.hub.checkpoint import save
    from zoo.hub.facts import ModelFacts
    from zoo.hub.targets import TargetRow

    model = _model()
    facts = ModelFacts(name="mlp.made", summary="made", species="none", assay="none", licence="none")
    example = {"codes": torch.zeros(2, 50, dtype=torch.uint8)}
    save(model, folder, facts, [TargetRow(name, name, "probability") for name in _LABELS], example)


def _in_cache(folder: Path, build: Callable[[], Any]) -> None:
    with mock.patch.dict(os.environ, {"ZOO_CACHE": str(folder / "cache")}):
        build()


def _cached_arrays() -> None:
    from zoo.utils.cache import cached_arrays

    arrays = {"x": np.random.default_rng(6).random(40_000)}
    found = cached_arrays("kind", ["key"], lambda: arrays)
    np.testing.assert_array_equal(found["x"], arrays["x"])


def _built_folder() -> None:
    from zoo.utils.atomic import whole_file
    from zoo.utils.cache import cached_folder, cached_path

    def build(folder: Path) -> None:
        for number in range(3):
            with whole_file(folder / f"{number}.txt") as file:
                file.write(f"{number}\n" * 60_000)

    folder = cached_folder(cached_path("data", ["key"]), build)
    assert (folder / "2.txt").read_text() == "2\n" * 60_000


def _coverage(inputs: Path) -> None:
    from zoo.data.tracks.coverage import Coverage
    from zoo.data.tracks.table import read_track_table
    from zoo.genome.fasta import Genome

    genome = Genome(inputs / "genome.fa")
    assert Coverage(read_track_table(inputs / "inputs.tsv"), genome, genome.contigs, 1).values.shape == (4, 100_000)


def _band(inputs: Path) -> None:
    from zoo.data.contacts.bands import ContactBand
    from zoo.data.contacts.expected_regions import Region
    from zoo.data.contacts.maps import MapRules
    from zoo.formats.cooler import CoolerFile

    (cooler,) = (inputs / "maps").glob("*.cool")
    contigs, regions, masked = {"chr1": 200 * BIN}, [Region("chr1", 0, 200)], np.zeros(200, np.bool_)
    band = ContactBand(CoolerFile(str(cooler)), contigs, 150, 2, regions, masked, MapRules(), False)
    assert band.values.shape == (200, 150)


def _sites(inputs: Path) -> None:
    from zoo.data.peaks.inputs import SiteInputs
    from zoo.data.windows import GenomeWindows
    from zoo.genome.fasta import Genome

    start = np.arange(0, 30_000, 500)
    windows = GenomeWindows(Genome(inputs / "genome.fa"), np.zeros(len(start), np.int64), start, 400)
    sites = SiteInputs(str(inputs / "inputs.tsv"), windows, 1)
    assert sites.read(np.arange(3), np.zeros(3, np.int64)).shape == (3, 4, 400)


@contextmanager
def killed(call: str, number: int) -> Iterator[None]:
    """Kill this process at the n-th call of a function in the block; of opening a file, after some of it is written."""
    calls = 0

    def count() -> bool:
        nonlocal calls
        calls += 1
        return calls == number

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call_it(*arguments: Any, **options: Any) -> Any:
            if count():
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **options)

        return call_it

    opened = Path.open

    def open_counted(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if "w" in mode and count():
            with opened(path, "wb") as file:
                file.write(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        return opened(path, mode, *arguments, **options)

    with ExitStack() as stack:
        if call == "write":
            stack.enter_context(mock.patch.object(Path, "open", open_counted))
        for module, name in _CALLS.get(call, []):
            stack.enter_context(mock.patch.object(module, name, counted(getattr(module, name))))
        yield
