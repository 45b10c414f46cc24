"""Life of a DataModule of windows: spec from headers, preparation once, setup opens; in a Trainer and in scripts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import jsonargparse
import pyBigWig
import pytest
import torch
from made.contacts import BIN, make_contacts
from made.tracks import PARTNERS, make_inputs

from zoo.batch import DataSpec, InputSpec
from zoo.data.contacts.bands import ContactBand
from zoo.data.contacts.maps import MapRules
from zoo.data.contacts.module import ContactDataModule
from zoo.data.genome_split import SplitRules
from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.module import TrackDataModule
from zoo.data.windowed import WindowDataModule
from zoo.datasets import yeast_starts
from zoo.datasets.yeast import YeastDataModule, yeast_tracks
from zoo.datasets.yeast_contacts import YeastContactDataModule
from zoo.errors import ConfigError, InputError
from zoo.formats.bigwig import BigWig
from zoo.formats.cooler import CoolerFile
from zoo.genome.fasta import Genome
from zoo.nn.losses import find_loss
from zoo.outputs import Tracks

SIZES = {"chr1": 20_480, "chr2": 8_192, "chr3": 8_192}
LENGTH, CROP = 16 * BIN, 2
SPLIT = SplitRules(val=["chr2"], test=["chr3"])
NAMES = ("plus", "minus", "cover", "total")
INPUTS = InputSpec(NAMES, 64, PARTNERS)
Make = Callable[..., WindowDataModule]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("windows")
    make_contacts(folder, SIZES)
    make_inputs(folder, SIZES, ("chr2", 0, 100))
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache for every test."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))


def options_of(folder: Path, **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"genome": str(folder / "genome.fa"), "length": LENGTH, "crop": CROP, "split": SPLIT}
    return {**given, "inputs_table": str(folder / "inputs.tsv"), "input_size": 64, **options}


def tracks(folder: Path, **options: Any) -> TrackDataModule:
    given = {"targets_table": str(folder / "inputs.tsv"), "bin_size": BIN, **options}
    return TrackDataModule(**options_of(folder, **given))


def contacts(folder: Path, **options: Any) -> ContactDataModule:
    given = {"coolers": {"made": str(folder / "made.cool")}, **options}
    return ContactDataModule(**options_of(folder, **given))


BOTH = pytest.mark.parametrize("make", [tracks, contacts])


def forbid(monkeypatch: pytest.MonkeyPatch, *names: tuple[Any, str]) -> None:
    """Fail where one of these functions is called."""

    def called(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("expensive work was begun")

    for owner, name in names:
        monkeypatch.setattr(owner, name, called)


BINNING = [(Coverage, "_fill"), (ContactBand, "_fill"), (BigWig, "blocks"), (CoolerFile, "pixels")]
READING = [*BINNING, (CoolerFile, "weights"), (Genome, "codes"), (Genome, "windows")]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (tracks, DataSpec("tracks", NAMES, LENGTH, BIN, CROP, None, PARTNERS, INPUTS)),
        (contacts, DataSpec("contacts", ("made",), LENGTH, BIN, CROP, 2, (), INPUTS)),
    ],
)
def test_spec_is_fast_and_prepares_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make, expected: DataSpec
) -> None:
    forbid(monkeypatch, *READING, (Genome, "__init__"), (BigWig, "__init__"))
    started = time.perf_counter()
    assert make(folder).spec() == expected
    assert time.perf_counter() - started < 1
    assert not (tmp_path / "cache").exists()


def test_yeast_is_specified_before_it_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, *READING, (YeastDataModule, "fetch"), (YeastContactDataModule, "fetch"))
    starts = [f"{assay}_{strand}" for assay in yeast_starts.STARTS for strand in ("plus", "minus")]
    pairs = (0, 2, 1, 4, 3, 6, 5, 8, 7)
    assert YeastDataModule().spec() == DataSpec(
        "tracks", ("mnase", *starts), 8192, 16, 32, None, pairs, InputSpec(size=16)
    )
    data = YeastContactDataModule(position=True, length=160_000, crop=8, maps=MapRules(smooth=2.0))
    spec = data.spec()
    assert (spec.kind, spec.targets, spec.length, spec.bin_size) == ("contacts", ("hic_g1",), 160_000, 2_000)
    assert (spec.inputs.size, spec.inputs.strand_pairs) == (2_000, (0, 1, 2, 3, 5, 4, 6))
    assert spec.inputs.names[:2] == ("centromere_distance", "centromere_log_distance")
    data.check_model(data.output, find_loss("mean_squared_error"))
    assert not (tmp_path / "cache").exists()


def test_the_targets_of_yeast_are_those_of_the_table_that_is_built(made_yeast: Path) -> None:
    data = YeastDataModule()
    assert data.targets_table == str(made_yeast / "targets.tsv")
    built = TrackDataModule(data.genome, data.targets_table, length=8192, bin_size=16)
    assert built.tracks == data.tracks == yeast_tracks(made_yeast)


@BOTH
def test_what_is_prepared_once_is_opened_without_binning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    make(folder).prepare_data()
    forbid(monkeypatch, *BINNING)
    data = make(folder)
    data.setup("fit")
    assert next(iter(data.train_dataloader())).inputs is not None
    assert len(data.describe()) > 3


@BOTH
def test_scripts_without_a_trainer_read_as_one_that_prepares(folder: Path, make: Make) -> None:
    script, prepared = make(folder, reverse_complement=False), make(folder, reverse_complement=False)
    prepared.prepare_data()
    prepared.setup(None)
    for loader in ("train_dataloader", "val_dataloader", "test_dataloader", "predict_dataloader"):
        for one, other in zip(getattr(script, loader)(), getattr(prepared, loader)(), strict=True):
            assert one.difference_weight is other.difference_weight is None  # of pairs alone
            for a, b in zip(one[:3], other[:3], strict=True):
                assert torch.equal(a.nan_to_num(), b.nan_to_num())


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "contig": ({"contigs": ["chr1", "chr9"]}, "the contig 'chr9' is not in the genome"),
    "contig of the split": ({"split": SplitRules(val=["chr2"], test=["chr9"])}, "the contig 'chr9' is not in"),
    "long windows": ({"length": 100 * BIN}, "windows of 25,600 bases are longer than every region"),
    "genome": ({"genome": "none.fa"}, r"none\.fa: no such file"),
}


@BOTH
@pytest.mark.parametrize(("options", "said"), WRONG.values(), ids=WRONG)
def test_files_that_do_not_fit_are_refused_before_anything_is_binned(
    folder: Path, monkeypatch: pytest.MonkeyPatch, make: Make, options: dict[str, Any], said: str
) -> None:
    forbid(monkeypatch, *BINNING)
    with pytest.raises((ConfigError, InputError), match=said):
        make(folder, **options).prepare_data()


@BOTH
def test_an_input_that_lacks_a_contig_is_refused_before_anything_is_binned(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    with pyBigWig.open(str(tmp_path / "a.bw"), "w") as file:
        file.addHeader([("chr1", SIZES["chr1"])])
        file.addEntries("chr1", [0], values=[1.0], span=5)
    (tmp_path / "a.tsv").write_text("name\tpath\na\ta.bw\n")
    forbid(monkeypatch, *BINNING)
    with pytest.raises(InputError, match=r"a\.bw has no contig 'chr2', which is wanted"):
        make(folder, inputs_table=str(tmp_path / "a.tsv")).prepare_data()


@BOTH
def test_only_the_splits_of_a_stage_must_have_windows(folder: Path, make: Make) -> None:
    data = make(folder, split=SplitRules(val=["chr2"], test=[]))
    data.setup("fit")
    data.setup("validate")
    for stage in ("test", "predict"):
        with pytest.raises(ConfigError, match="the test split is empty"):
            data.setup(stage)


def test_values_that_a_loss_cannot_learn_are_refused_when_they_are_prepared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a bigWig has negative values is known when it is binned, not from its header."""
    data, counts = tracks(folder), find_loss("poisson")
    output = Tracks(NAMES, data.bins, BIN, CROP * BIN, PARTNERS)
    with monkeypatch.context() as patch:
        forbid(patch, *READING)
        data.check_model(output, counts)
    data.trainer = SimpleNamespace(lightning_module=SimpleNamespace(loss=counts, output=output))  # type: ignore[assignment]
    data.prepare_data()
    with pytest.raises(ConfigError, match=r"has negative values.*a scale of -1"):
        data.setup("fit")


SHARED = {"split", "contigs", "blacklist", "max_masked", "stride", "shift", "jitter", "reverse_complement"}
SHARED |= {"inputs_table", "input_size", "input_noise", "epoch_size", "batch_size", "num_workers", "seed"}


@pytest.mark.parametrize("kind", [TrackDataModule, ContactDataModule])
def test_every_shared_option_is_one_of_the_command_line_with_its_help(kind: type[WindowDataModule]) -> None:
    parser = jsonargparse.ArgumentParser()
    assert {name.removeprefix("data.") for name in parser.add_class_arguments(kind, "data")} > SHARED
    text = parser.format_help()
    for option in SHARED - {"split"}:
        assert f"--data.{option} " in text
    with pytest.raises(TypeError, match="unexpected keyword argument 'shifts'"):
        kind("genome.fa", {"a": "a.cool"}, length=LENGTH, bin_size=BIN, shifts=1)  # type: ignore[arg-type]
