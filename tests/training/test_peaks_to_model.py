"""A made genome with a motif for each of 40 experiments: peak files -> table -> model, one command each."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyBigWig
import pytest

from zoo.data.peaks.table import PeakTable
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.hub.config import read_config
from zoo.hub.load import load, verify
from zoo.hub.registry import shipped_folder
from zoo.hub.targets import read_targets
from zoo.inference.labels import LabelPredictor

EXPERIMENTS = 40
PEAKS = 150
MOTIF = 10
SIZES = {"chr1": 700_000, "chr2": 700_000, "chr3": 400_000, "chr4": 400_000}
# A small Basset that learns in seconds: one block whose filters are read on both strands, pooled over all positions.
SMALL = {
    "--data.genome": "genome.fa",
    "--model.conv.filters": "[96]",
    "--model.conv.widths": "[12]",
    "--model.conv.pools": "[89]",
    "--model.hidden": "[]",
    "--model.rc_equivariant": "true",
    "--model.conv.pool_first": "true",
    "--optimizer.lr": "0.015",
    "--trainer.max_epochs": "8",
    "--trainer.enable_progress_bar": "false",
    "--trainer.accelerator": "cpu",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """genome.fa, and 40 narrowPeak files whose summits lie on planted copies of a motif of their own."""
    home = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    letters = np.frombuffer(b"ACGT", np.uint8)
    genome = {name: letters[rng.integers(0, 4, size)].copy() for name, size in SIZES.items()}
    motifs = letters[rng.integers(0, 4, (EXPERIMENTS, MOTIF))]
    for number, motif in enumerate(motifs):
        rows = []
        for name in rng.choice(list(SIZES), PEAKS, p=np.array(list(SIZES.values())) / sum(SIZES.values())).tolist():
            place = int(rng.integers(300, SIZES[name] - 300))
            genome[name][place : place + MOTIF] = motif
            start, end = place - int(rng.integers(20, 80)), place + MOTIF + int(rng.integers(20, 80))
            rows.append(f"{name}\t{start}\t{end}\t.\t0\t.\t1\t1\t1\t{place + MOTIF // 2 - start}\n")
        (home / f"factor{number:02d}.narrowPeak").write_text("".join(rows))
    with (home / "genome.fa").open("w") as file:
        for name, bases in genome.items():
            text = bases.tobytes().decode()
            file.write(f">{name}\n" + "\n".join(text[i : i + 60] for i in range(0, len(text), 60)) + "\n")
    return home


@pytest.mark.slow
def test_peaks_to_table_to_model_in_one_command_each(
    home: Path, run_zoo: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    files = sorted(path.name for path in home.glob("*.narrowPeak"))
    code, _, said = run_zoo(
        *("data", "peaks", *files, "--genome", "genome.fa", "--length", "100"),
        *("--val", "3", "--test", "4", "-o", "peaks.tsv"),
    )
    assert code == 0, said
    assert "6,000 peaks in 40 files" in said
    table = PeakTable.read("peaks.tsv")
    assert len(table.targets) == EXPERIMENTS
    config = str(shipped_folder("configs") / "basset.peaks.yaml")
    code, out, said = run_zoo(
        *("train", config, "--name", "basset.mine", "--data.table", "peaks.tsv"),
        *(word for pair in SMALL.items() for word in pair),
    )
    assert code == 0, said
    folder = Path(out.splitlines()[-1])
    metrics = read_config(folder).facts.training.metrics
    assert metrics["test"]["auroc"] > 0.9
    assert "test AUROC" in read_config(folder).facts.metric
    # And back by name: the planted experiment of a test peak is the one that is predicted.
    rows = np.flatnonzero((table.split == 2) & (table.labels.sum(1) == 1))[:50]
    places = [Interval(table.contigs[table.contig[r]], int(table.start[r]), int(table.start[r]) + 100) for r in rows]
    found = LabelPredictor(load(f"local-dir:{folder}")).predict(Genome("genome.fa"), places)
    assert (found.values.argmax(1) == table.labels[rows].argmax(1)).mean() > 0.8


def test_training_takes_the_files_themselves_too(
    home: Path, run_zoo: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    rules = {"length": "100", "val": "[chr3]", "test": "[chr4]", "negatives": "1"}
    options = {
        **SMALL,
        "--trainer.max_epochs": "1",
        "--data.peaks": "[factor00.narrowPeak, factor01.narrowPeak]",
        **{f"--data.rules.{key}": value for key, value in rules.items()},
    }
    config = str(shipped_folder("configs") / "basset.peaks.yaml")
    words = [word for pair in options.items() for word in pair]
    code, out, said = run_zoo("train", config, "--name", "basset.two", *words)
    assert code == 0, said
    made = read_config(Path(out.splitlines()[-1]))
    assert made.arguments["targets"] == ["factor00", "factor01"]
    assert made.facts.training.data[0] == "300 peaks in 2 files, centred on their summits"
    assert all(said.count(line) <= 1 for line in made.facts.training.data)
    assert "test: " in said
    assert made.facts.summary == "Peaks of 2 experiments"
    assert [row.description for row in read_targets(Path(out.splitlines()[-1]))] == [
        "peak of factor00",
        "peak of factor01",
    ]


def test_binding_is_learned_from_a_track_next_to_the_sequence(
    run_zoo: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels depend on a track alone, such as accessibility: the sequence is random."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    bases = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, 120_000)].tobytes().decode()
    Path("genome.fa").write_text(f">chr1\n{bases}\n")
    start, bound = np.arange(100, 110_000, 120), rng.integers(0, 2, 916)
    splits = ["train", "train", "val", "test"]
    rows = [f"chr1\t{s}\t{s + 100}\t{splits[i % 4]}\t{b}\n" for i, (s, b) in enumerate(zip(start, bound, strict=True))]
    Path("peaks.tsv").write_text("chrom\tstart\tend\tsplit\tbound\n" + "".join(rows))
    with pyBigWig.open("dnase.bw", "w") as file:
        file.addHeader([("chr1", len(bases))])
        values = np.repeat(bound + rng.normal(0, 0.3, len(bound)), 10)
        place = (start[:, None] + 10 * np.arange(10)).ravel()
        file.addEntries("chr1", place.tolist(), values=values.tolist(), span=10)
    Path("inputs.tsv").write_text("name\tpath\ndnase\tdnase.bw\n")
    options = SMALL | {
        "--data.table": "peaks.tsv",
        "--data.inputs_table": "inputs.tsv",
        "--data.input_size": "5",
        "--trainer.max_epochs": "3",
    }
    config = str(shipped_folder("configs") / "basset.peaks.yaml")
    words = [word for pair in options.items() for word in pair]
    code, out, said = run_zoo("train", config, "--name", "basset.dnase", *words)
    assert code == 0, said
    folder = Path(out.splitlines()[-1])
    assert read_config(folder).facts.training.metrics["test"]["auroc"] > 0.9
    assert verify(f"local-dir:{folder}").difference == 0
