"""Every configuration is run for a moment, on made files that stand in for the public ones."""

import gzip
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import cooler
import numpy as np
import pandas as pd
import pyBigWig
import pytest
import rdata
import yaml
from made.contacts import bins_of
from made.promoter_variants import made_promoter_variants
from made.sizes import merged
from made.yeast import CHROMOSOME, MADE_YEAST, made_objects

from zoo.data.peaks.table import PeakTable
from zoo.datasets.dhs_cells import CELLS
from zoo.datasets.encode_loci import encode_loci
from zoo.datasets.plant_terminators import read_terminators
from zoo.datasets.yeast_variants import read_variants
from zoo.genome.sequence import decode
from zoo.hub.architectures import architectures
from zoo.hub.cards import checkpoint_folders
from zoo.hub.config import read_config
from zoo.hub.load import verify
from zoo.hub.registry import shipped_folder
from zoo.training.recipe import recipe
from zoo.training.run import train
from zoo.utils.download import PublicFile

# Bases of a chromosome that holds a window of akita.yeast, and a little more.
WINDOWED = 134_000
# What a run on made files changes: windows as long as those of the template are longer than the made genome.
SHORTER = {
    "akita.contacts": {"--data.length": "64000", "--data.crop": "8", "--data.stride": "16"},  # as a refusal proposes
}
CONFIGS = sorted(shipped_folder("configs").glob("*.yaml"))
# Those of human data have windows of a megabase, and are run in `test_human_configs.py`.
QUICK = [path for path in CONFIGS if ".human_" not in path.name]


def own_options(config: Path) -> list[str]:
    """The options that name a user's own data in the command at the beginning of a configuration."""
    return [] if "datasets" in config.read_text() else shlex.split(config.read_text().splitlines()[0])[4:]


def made_file(folder: Path, chromosome: int) -> Callable[..., Path]:
    """What stands in for `fetch`: a made file of the public one's kind; chromosomes have so many bases."""

    def fetch(file: PublicFile, progress: bool = True) -> Path:
        path = folder / file.name
        if path.suffix == ".RData":
            made_promoter_variants(folder)
            return path
        kinds = {".gz": made_peaks, ".fa": made_fasta, ".Rdata": made_assay, ".tsv": made_predictions}
        kinds |= {".cool": made_cooler}
        if path.name.startswith("chr"):
            write_fasta(path, made_rows(np.random.default_rng(len(file.name)), chromosome)[:1])
            return path
        kind = made_sites if path.name.startswith("K562") else (kinds | MADE_YEAST)[path.suffix]
        kind(path, np.random.default_rng(len(file.name)))
        return path

    return fetch


def made_rows(rng: np.random.Generator, length: int) -> list[str]:
    return [decode(row) for row in rng.integers(0, 4, (120, length)).astype(np.uint8)]


def made_peaks(path: Path, rng: np.random.Generator) -> None:
    lines = ["FoldID\tEventID\tseq\tBound"]
    rows = made_rows(rng, 101)
    lines += [f"A\tseq_{i}\t{row}\t{1 if '_AC.' in path.name else i % 2}" for i, row in enumerate(rows)]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))


def made_fasta(path: Path, rng: np.random.Generator) -> None:
    write_fasta(path, made_rows(rng, 81))


def write_fasta(path: Path, rows: list[str]) -> None:
    path.write_text("".join(f">{i}\n{row}\n" for i, row in enumerate(rows)))


def made_cooler(path: Path, rng: np.random.Generator) -> None:
    """Contacts near the diagonal of sixteen chromosomes, named as the public file names them."""
    write_cooler(path, {f"chr{number}": WINDOWED for number in range(1, 17)}, 2000, rng)


def write_cooler(path: Path, lengths: dict[str, int], size: int, rng: np.random.Generator) -> None:
    bins = bins_of(lengths, size).assign(weight=1.0)
    row = np.repeat(np.arange(len(bins)), 70)
    column = row + np.tile(np.arange(70), len(bins))
    inside = (column < len(bins)) & (rng.random(len(row)) < 0.5)
    pixels = pd.DataFrame({"bin1_id": row, "bin2_id": column, "count": rng.poisson(3, len(row)) + 1})[inside]
    cooler.create_cooler(str(path), bins, pixels, ordered=True)


def made_assay(path: Path, rng: np.random.Generator) -> None:
    """An R data frame of both files' columns; the sequences are the same in both, as the assays share them."""
    rows = {"id": [f"t{i}" for i in range(120)], "seq": made_rows(np.random.default_rng(0), 170)}
    table = pd.DataFrame(rows, dtype=object)  # rdata cannot write the strings that pandas makes with pyarrow
    rdata.write_rda(path, {path.stem: table.assign(mean_enrichment=rng.normal(-3, 1, 120))})


def made_predictions(path: Path, rng: np.random.Generator) -> None:
    names = ["enrichment_tobacco_predictions", "enrichment_maize_predictions"]
    table = pd.DataFrame(rng.normal(-3, 1, (20, 2)), columns=names, index=[f"t{i}" for i in range(20)])
    table.to_csv(path, sep="\t", index_label="id")


def made_sites(path: Path, rng: np.random.Generator) -> None:
    """Sites of four cell lines in turn, of all splits."""
    lines = ["\t".join(["sequence", *CELLS.values(), "data_label"])]
    for number, row in enumerate(made_rows(rng, 200)):
        cells = ["1" if number % 4 == cell else "0" for cell in range(4)]
        lines.append("\t".join([row, *cells, ("training", "validation", "test")[number // 4 % 3]]))
    path.write_text("\n".join(lines) + "\n")


def made_own_data(folder: Path) -> None:
    """What the templates for one's own data name: bound.fa, genome.fa, peaks.tsv and targets.tsv."""
    rng = np.random.default_rng(0)
    write_fasta(folder / "bound.fa", made_rows(rng, 40))
    (folder / "genome.fa").write_text(f">chr1\n{decode(rng.integers(0, 4, 1_000_000).astype(np.uint8))}\n")
    with pyBigWig.open(str(folder / "one.bw"), "w") as file:
        file.addHeader([("chr1", 1_000_000)])
        file.addEntries("chr1", 0, values=rng.integers(0, 9, 20_000).astype(float), span=50, step=50)
    (folder / "targets.tsv").write_text("name\tpath\none\tone.bw\n")
    write_cooler(folder / "contacts.cool", {"chr1": 1_000_000}, 2000, rng)
    cooler.zoomify_cooler(str(folder / "contacts.cool"), str(folder / "contacts.mcool"), [2000, 4000], 10_000_000)
    start = np.arange(60) * 1600 + rng.integers(10, 1000, 60)  # none overlaps another
    labels = np.arange(120).reshape(60, 2).astype(np.uint8) // 2 % 2
    split = np.repeat([0, 1, 2], 20)
    PeakTable(["one", "two"], ["chr1"], np.zeros(60, np.int64), start, 600, labels, split).write(folder / "peaks.tsv")


@pytest.fixture
def made_data(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Made files in place of the public ones, and nothing read of one left for the other."""
    chromosome = WINDOWED if "akita" in request.node.name else CHROMOSOME
    yeast = ("yeast", "yeast_genome", "yeast_starts", "yeast_contacts", "yeast_variants")
    sets = ("promoters", "encode_tf", "encode_loci", "plant_terminators", "dhs_cells", *yeast)
    for module in sets:
        monkeypatch.setattr(f"zoo.datasets.{module}.fetch", made_file(tmp_path, chromosome))
    monkeypatch.setattr("zoo.datasets.yeast_starts._read_objects", made_objects)
    made_own_data(tmp_path)
    cached = (encode_loci, read_terminators, read_variants)
    for reader in cached:
        reader.cache_clear()
    yield
    for reader in cached:
        reader.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("config", QUICK, ids=lambda path: path.stem)
@pytest.mark.usefixtures("made_data")
def test_a_config_trains_to_a_checkpoint(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = {
        "--trainer.max_epochs": "1",
        "--trainer.check_val_every_n_epoch": "1",
        "--data.epoch_size": "2" if "akita" in config.stem else "128",
        "--trainer.accelerator": "cpu",
        "--trainer.enable_progress_bar": "false",
        **SHORTER.get(config.stem, {}),
    }
    folder = train([str(config), *own_options(config), *(word for pair in options.items() for word in pair)])
    assert verify(f"local-dir:{folder}").difference == 0
    made = read_config(folder)
    assert made.architecture == config.stem.split(".")[0]
    wanted = yaml.safe_load(config.read_text())["model"]["init_args"]
    assert merged(made.arguments, wanted) == made.arguments


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_begins_with_its_command_and_its_purpose(config: Path) -> None:
    command, purpose, _ = config.read_text().split("\n", 2)
    assert command.split()[:4] == ["#", "zoo", "train", config.stem]
    assert re.fullmatch(r"# [A-Z].*\.", purpose)


def test_every_architecture_has_a_config() -> None:
    made_by_finetune = {"basenji_labels"}  # its configurations are those that `zoo finetune` makes
    assert {path.stem.split(".")[0] for path in CONFIGS} == set(architectures()) - made_by_finetune


@pytest.mark.parametrize("folder", checkpoint_folders(), ids=lambda path: path.name)
def test_a_shipped_checkpoint_is_what_its_config_says_now(folder: Path) -> None:
    run = read_config(folder).facts.training
    config, *options = shlex.split(run.command)[2:]
    assert run.recipe == recipe([str(shipped_folder("configs") / Path(config).name), *options])


def test_a_recipe_is_the_numbers_not_the_words(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("# one\nmodel: {width: 1, length: 2}\ncard: {summary: one}\n")
    second.write_text("model:\n  length: 2\n  width: 1\n")
    assert recipe([str(first)]) == recipe([str(second), "--runs", "elsewhere"])
    assert recipe([str(first)]) == recipe([str(first), "--card.licence", "MIT", "--card.source", "me"])
    assert recipe([str(first)]) != recipe([str(first), "--model.width", "3"])
    second.write_text("model: {width: 2, length: 2}")
    assert recipe([str(first)]) != recipe([str(second)])
