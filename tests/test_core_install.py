"""What an installation without extras does: lists, loads and predicts labels; the rest is one sentence."""

import os
import subprocess
import sys
import sysconfig
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import zoo
from zoo.utils.extras import EXTRAS

MODULES = {module for modules in EXTRAS.values() for module in modules}
DEEPBIND = "deepbind.encode_usf1_h1hesc"
SITES = ("zoo/examples/peaks.bed", "--genome", "zoo/examples/genome.fa")


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages without those that extras install: links to all others."""
    folder = tmp_path_factory.mktemp("core")
    names = {name.lower().replace("-", "_") for module in MODULES for name in packages_distributions().get(module, [])}
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        distribution = entry.name.split("-")[0].lower()
        left_out = entry.name.split(".")[0] in MODULES or (entry.suffix == ".dist-info" and distribution in names)
        if not left_out and entry.suffix != ".pth":
            (folder / entry.name).symlink_to(entry)
    return folder


def run_core(core: Path, *arguments: str, end: str = "sys.exit(code)") -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(zoo.__file__).parents[1]), str(core)])
    script = f"import sys; from zoo.cli import main; code = main(sys.argv[1:]); {end}"
    command = [sys.executable, "-S", "-c", script, *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("list",), ("info", DEEPBIND), ("verify", DEEPBIND), ("verify", "akita.yeast")])
def test_the_core_lists_describes_and_verifies(core: Path, arguments: tuple[str, ...]) -> None:
    done = run_core(core, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert arguments[-1].removeprefix("list") in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("model", [DEEPBIND, "basset.encode_tf", "mlp.promoter_ecoli"])
def test_the_core_predicts_labels(core: Path, model: str, tmp_path: Path) -> None:
    length = {"basset.encode_tf": 101, "mlp.promoter_ecoli": 81}.get(model, 101)
    fasta = tmp_path / "some.fa"
    fasta.write_text(f">one\n{'ACGTA' * (length // 5)}{'C' * (length % 5)}\n")
    done = run_core(core, "predict", model, str(fasta), "-o", "-")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("one\t")


@pytest.mark.slow
def test_the_core_exports_a_program(core: Path, tmp_path: Path) -> None:
    done = run_core(core, "export", "mlp.promoter_ecoli", "-o", str(tmp_path / "a.pt2"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "largest difference" in done.stdout


@pytest.mark.slow
def test_the_core_evaluates_labels(core: Path, tmp_path: Path) -> None:
    for name, text in (("a", "GTCACGTGAC" * 10 + "A"), ("b", "ACGTTTACGA" * 10 + "A")):
        (tmp_path / f"{name}.fa").write_text(f">one\n{text}\n>two\n{text[::-1]}\n")
    done = run_core(core, "evaluate", DEEPBIND, str(tmp_path / "a.fa"), "--negatives", str(tmp_path / "b.fa"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("USF1\t4\t")


@pytest.mark.slow
def test_the_core_predicts_sites_of_a_genome(core: Path) -> None:
    bed, genome = "zoo/examples/peaks.bed", "zoo/examples/genome.fa"
    done = run_core(core, "predict", DEEPBIND, bed, "--genome", genome, "--resize", "-o", "-")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("predict", "basenji.yeast", "zoo/examples/genome.fa", "-o", "tracks"), "tracks"),
        (
            ("predict", "basenji.yeast", "zoo/examples/genome.fa", "--plot", "chr1:1,000-2,000", "-o", "a.png"),
            "tracks,plots",
        ),
        (("predict", "akita.yeast", "zoo/examples/genome.fa", "-o", "maps"), "contacts"),
        (("predict", DEEPBIND, *SITES, "--inputs", "zoo/examples/peaks.bed"), "tracks"),
        (("evaluate", DEEPBIND, *SITES), "train"),
        (("export", DEEPBIND, "-o", "a.onnx"), "onnx"),
        (("train", "deepbind.encode"), "train"),
        (("train", "basset.plant_terminators"), "train,rdata"),
        (("train", "basset.yeast_reporter"), "train,tracks,rdata"),
        (("data", "get", "yeast"), "tracks,rdata"),
        (("data", "get", "yeast_contacts"), "contacts"),
        (("benchmark", "throughput"), "benchmarks"),
        (("site", "-o", "site"), "site"),
        (("data", "peaks", "zoo/examples/peaks.bed", "--genome", "zoo/examples/genome.fa", "-o", "a.tsv"), "train"),
    ],
)
def test_what_needs_an_extra_names_it_in_one_sentence(core: Path, arguments: tuple[str, ...], extra: str) -> None:
    done = run_core(core, *arguments, end="sys.exit(99 if 'torch' in sys.modules else code)")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"pip install 'regzoo[{extra}]'" in done.stderr
