"""spec() of label data: from headers and first records alone, at once, however large the files are."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.batch import DataSpec, InputSpec
from zoo.data.peaks.module import PeakDataModule
from zoo.data.peaks.rules import PeakRules
from zoo.data.sequences.module import SequenceDataModule
from zoo.datasets.dhs_cells import DhsCellsDataModule
from zoo.datasets.encode_loci import EncodeLociDataModule
from zoo.datasets.encode_tf import EncodeDataModule, encode_experiments
from zoo.datasets.plant_terminators import TerminatorDataModule
from zoo.datasets.promoters import PROMOTER_SETS, PromoterDataModule
from zoo.datasets.yeast_reporter import YeastReporterDataModule
from zoo.errors import ConfigError, InputError
from zoo.formats.sequences import SequenceFile
from zoo.genome.fasta import Genome

ROWS = 300_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables, FASTA and a genome of 20 to 60 megabytes, and peaks on it."""
    folder = tmp_path_factory.mktemp("large")
    sequence = "ACGTACGTCA" * 6
    (folder / "table.tsv").write_text("seq\ta\tb\tsplit\n" + f"{sequence}\t1\t0.5\ttrain\n" * ROWS)
    (folder / "one.fa").write_text(f">x\n{sequence}\n" * ROWS)
    (folder / "genome.fa").write_text(">chr1\n" + ("ACGTTGCA" * 8 + "\n") * ROWS)
    site = "chr1\t{0}\t{1}\ttrain\t1\t0\n"
    rows = "".join(site.format(start, start + 50) for start in range(0, 60 * ROWS, 60))
    (folder / "sites.tsv").write_text("chrom\tstart\tend\tsplit\tu\tv\n" + rows)
    (folder / "p.bed").write_text("".join(f"chr1\t{start}\t{start + 9}\n" for start in range(0, 60 * ROWS, 60)))
    (folder / "inputs.tsv").write_text("name\tpath\tstrand_partner\nplus\tx.bw\tminus\nminus\tx.bw\tplus\n")
    (folder / "x.bw").write_bytes(b"")
    return folder


@pytest.fixture(autouse=True)
def _poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading whole sequence files, bases of a genome, tables of peaks or public files is an error."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("spec() read the data")

    for owner, name in ((SequenceFile, "__iter__"), (SequenceFile, "codes"), (Genome, "__init__")):
        monkeypatch.setattr(owner, name, refuse)
    for name in ("peaks.table.pd.read_csv", "peaks.build.read_peak_file"):
        monkeypatch.setattr(f"zoo.data.{name}", refuse)
    for name in ("encode_tf", "encode_loci", "promoters", "plant_terminators", "dhs_cells", "yeast_variants"):
        monkeypatch.setattr(f"zoo.datasets.{name}.fetch", refuse)


LARGE: dict[str, tuple[Callable[[Path], Any], DataSpec]] = {
    "fasta": (
        lambda home: SequenceDataModule(fasta={"a": f"{home}/one.fa", "b": f"{home}/one.fa"}, negative_class="b"),
        DataSpec("labels", ("a",), 60),
    ),
    "table": (
        lambda home: SequenceDataModule(table=f"{home}/table.tsv", label_columns=["b", "a"], split_column="split"),
        DataSpec("labels", ("b", "a"), 60),
    ),
    "table of peaks": (
        lambda home: PeakDataModule(f"{home}/genome.fa", table=f"{home}/sites.tsv"),
        DataSpec("labels", ("u", "v"), 50),
    ),
    "peak files": (
        lambda home: PeakDataModule(f"{home}/genome.fa", peaks=f"{home}/p.bed", rules=PeakRules(length=120)),
        DataSpec("labels", ("p",), 120),
    ),
    "peaks and tracks": (
        lambda home: PeakDataModule(
            f"{home}/genome.fa", table=f"{home}/sites.tsv", inputs_table=f"{home}/inputs.tsv", input_size=10
        ),
        DataSpec("labels", ("u", "v"), 50, inputs=InputSpec(("plus", "minus"), 10, (1, 0))),
    ),
    "promoters": (lambda home: PromoterDataModule("mouse_tata"), DataSpec("labels", ("promoter",), 251)),
    "encode": (lambda home: EncodeDataModule("ctcfl_k562"), DataSpec("labels", ("CTCFL",), 101)),
    "loci": (lambda home: EncodeLociDataModule(), DataSpec("labels", tuple(encode_experiments()), 101)),
    "sites": (lambda home: DhsCellsDataModule(), DataSpec("labels", ("GM12878", "hESC", "K562", "HepG2"), 200)),
    "oligos": (lambda home: YeastReporterDataModule(), DataSpec("labels", ("core_promoter", "upstream"), 144)),
    "terminators": (lambda home: TerminatorDataModule(), DataSpec("labels", ("tobacco", "maize"), 170)),
}


@pytest.mark.parametrize(("create", "spec"), LARGE.values(), ids=LARGE)
def test_a_spec_is_read_from_headers_alone_in_a_second(
    large: Path, create: Callable[[Path], Any], spec: DataSpec
) -> None:
    begun = time.process_time()
    data = create(large)
    assert data.spec() == spec
    assert time.process_time() - begun < 1
    assert data.targets == list(spec.targets)
    assert (data.length, data.strand_pairs) == (spec.length, [])
    assert (data.inputs, data.input_size, data.input_pairs) == (
        spec.inputs.names,
        spec.inputs.size,
        spec.inputs.strand_pairs,
    )


def test_every_promoter_set_says_its_length() -> None:
    assert {name: PromoterDataModule(name).length for name in PROMOTER_SETS} == {
        name: chosen.length for name, chosen in PROMOTER_SETS.items()
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fasta": {"a": "nowhere.fa"}}, "nowhere.fa: no such file"),
        ({"fasta": {"a": "-"}}, "training data must be a file"),
        ({"table": "table.tsv", "label_columns": ["z"]}, "no column 'z'; there are seq, a, b, split"),
        ({"table": "table.tsv", "label_columns": ["a"], "split_column": "z"}, "no column 'z'"),
        ({"table": "table.tsv", "label_columns": ["a"], "sequence_column": "z"}, "no column 'z'"),
    ],
)
def test_a_spec_refuses_what_the_header_shows(
    large: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(large)
    with pytest.raises((ConfigError, InputError), match=message):
        SequenceDataModule(**options).spec()


def test_a_spec_refuses_a_genome_that_is_not_there_and_values_that_do_not_divide_a_site(large: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        PeakDataModule("nowhere.fa", table=f"{large}/sites.tsv").spec()
    inputs: dict[str, Any] = {"inputs_table": f"{large}/inputs.tsv", "input_size": 15}
    with pytest.raises(ConfigError, match="an input_size of 15 bases does not divide sites of 50"):
        PeakDataModule(f"{large}/genome.fa", table=f"{large}/sites.tsv", **inputs).spec()
    with pytest.raises(ConfigError, match="`shuffles` have no measured tracks"):
        PeakDataModule(f"{large}/genome.fa", table=f"{large}/sites.tsv", shuffles=1, **inputs)


def test_a_record_that_contradicts_the_spec_is_refused_when_all_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    codes = np.zeros((4, 100), np.uint8)
    monkeypatch.setattr("zoo.datasets.encode_tf.fetch", lambda file: tmp_path)
    monkeypatch.setattr("zoo.datasets.encode_tf.read_sequences", lambda path: (codes, np.ones(4, np.float32)))
    with pytest.raises(InputError, match="the sequences have 100 bases where 101 were expected"):
        EncodeDataModule("ctcfl_k562").setup("fit")
