"""The wheel, used from an empty folder: models, configurations and examples by name, and benchmarks."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from release import build_both
from test_configs import made_own_data

import zoo
from zoo.hub.config import read_config

pytest.importorskip("hatchling", reason="building a wheel needs hatchling")
pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[1]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the wheel, as `pip install --target` lays them out."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel, _ = build_both(folder)  # ends with an error where the sdist builds another wheel
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run_in(folder: Path, installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(installed), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "zoo.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def command(installed: Path, tmp_path: Path) -> Command:
    """Run a command of the installed wheel in an empty folder; it must leave the installation as it is."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        before = sorted(installed.rglob("*"))
        done = run_in(tmp_path, installed, *arguments)
        assert sorted(installed.rglob("*")) == before
        return done

    return run


def output(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_what_names_need_and_nothing_that_was_compiled_or_indexed(installed: Path) -> None:
    files = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    for folder in ("configs", "checkpoints", "benchmarks"):
        ours = [path for path in (PROJECT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert {f"zoo/{path.relative_to(PROJECT)}" for path in ours} <= files
    assert {
        "zoo/examples/ebox.fa",
        "zoo/examples/genome.fa",
        "zoo/examples/peaks.bed",
        "zoo/examples/variants.vcf",
    } <= files
    site = [path for path in (PROJECT / "zoo" / "site").rglob("*") if path.suffix in (".html", ".css", ".js", ".svg")]
    assert len(site) > 6 and {str(path.relative_to(PROJECT)) for path in site} <= files
    assert [name for name in files if name.endswith((".pyc", ".fai"))] == []


def test_it_says_its_version_and_no_commit(command: Command) -> None:
    assert output(command("--version")) == f"zoo {zoo.__version__}\n"


def test_examples_are_written_and_predicted(command: Command, tmp_path: Path) -> None:
    written = output(command("example", "-o", "try")).splitlines()
    assert written == ["try/ebox.fa", "try/genome.fa", "try/peaks.bed", "try/variants.vcf"]
    rows = output(command("predict", "deepbind.encode_usf1_h1hesc", "try/ebox.fa")).splitlines()
    values = {name: float(value) for name, value in (row.split("\t") for row in rows[1:])}
    assert min(v for k, v in values.items() if k.startswith("ebox")) > 0.5  # they hold the motif, the others do not
    assert max(v for k, v in values.items() if k.startswith("shuffled")) < 0.5
    words = ("variants", "deepbind.encode_usf1_h1hesc", "try/variants.vcf", "--genome", "try/genome.fa")
    header, *lines = (line.split("\t") for line in output(command(*words, "--scores", "log_odds")).splitlines())
    column = header.index("log_odds:USF1")
    odds = {row[2]: row[column] for row in lines if row[2] != "background"}
    assert all(float(value) < -1 for name, value in odds.items() if "ebox" in name)  # each of them breaks the motif
    assert odds["symbolic"] == "nan"
    assert (header[-1], len(lines)) == ("z_score:USF1", 8)  # of random variants that come with the wheel


def test_a_configuration_is_trained_by_name_and_its_model_found_by_the_name_of_its_card(
    command: Command, tmp_path: Path
) -> None:
    made_own_data(tmp_path)
    options = ["--name", "basset.mine", "--data.genome", "genome.fa", "--data.table", "peaks.tsv"]
    options += ["--data.epoch_size", "64", "--trainer.max_epochs", "1"]
    options += ["--card.licence", "MIT"]
    folder = output(command("train", "basset.peaks", *options, "--trainer.accelerator", "cpu")).splitlines()[-1]
    assert folder == "checkpoints/basset.mine"
    facts = read_config(tmp_path / folder).facts
    assert (facts.licence, facts.source) == ("MIT", "not stated")  # what was given, and nothing of this project
    run = facts.training
    assert run.command.startswith("zoo train basset.peaks --name basset.mine")
    assert run.commit == f"version {zoo.__version__}"
    card = output(command("info", "basset.mine"))
    (usage,) = [line for line in card.splitlines() if line.startswith("zoo predict basset.mine ")]
    (tmp_path / "sequences.fa").write_text(f">one\n{'ACGTTG' * 100}\n")
    output(command(*usage.split()[1:]))
    assert (tmp_path / "predictions.tsv").read_text().splitlines()[1].startswith("one\t")


def test_a_printed_configuration_is_edited_and_used(command: Command, tmp_path: Path) -> None:
    made_own_data(tmp_path)
    text = output(command("config", "basset.peaks")).replace("batch_size: 128", "batch_size: 16")
    (tmp_path / "mine.yaml").write_text(text)
    assert "batch_size: 16" in output(command("train", "mine.yaml", "--print_config", "--data.genome=genome.fa"))


def test_a_benchmark_writes_to_the_working_folder_with_version_and_hardware(command: Command, tmp_path: Path) -> None:
    refused = command("benchmark", "throughput", "--sequences", "20", "--record")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []
    table = output(command("benchmark", "throughput", "--sequences", "20"))
    results = tmp_path / "runs" / "benchmark" / "results"
    assert {path.name for path in results.iterdir()} == {f"throughput.{ending}" for ending in ("csv", "json", "md")}
    assert f"Code: version {zoo.__version__}; hardware: {os.cpu_count()} " in table
    record = json.loads((results / "throughput.json").read_text())
    assert record["commit"] == f"version {zoo.__version__}"
    assert "CPU cores" in record["hardware"]
