"""What an installation without extras does: lists, loads and predicts labels; the rest is one sentence."""

import json
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


END = "end of a command"
ONE = "import sys; from zoo.cli import main; sys.exit(main(sys.argv[1:]))"
# The command needs neither torch nor what imports it.
LIGHT = """
import sys
from zoo.cli import main
code = main(sys.argv[1:])
sys.exit(99 if "torch" in sys.modules else code)
"""
EACH = f"""
import json, sys
from zoo.cli import main
for arguments in json.loads(sys.argv[1]):
    if main(arguments):
        sys.exit(1)
    print("{END}", flush=True)
"""


def run_core(core: Path, *arguments: str, script: str = ONE) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(zoo.__file__).parents[1]), str(core)])
    command = [sys.executable, "-S", "-c", script, *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("list",), ("info", DEEPBIND)])
def test_the_core_lists_and_describes(core: Path, arguments: tuple[str, ...]) -> None:
    done = run_core(core, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert arguments[-1].removeprefix("list") in done.stdout


@pytest.mark.slow
def test_the_core_verifies_predicts_and_evaluates_labels(core: Path, tmp_path: Path) -> None:
    # In one process: each start imports torch and Lightning, which takes longer than the commands.
    for name, unit, length in (("a", "GTCACGTGAC", 101), ("b", "ACGTTTACGA", 101), ("c", "ACGTA", 81)):
        text = (unit * 20)[:length]
        (tmp_path / f"{name}.fa").write_text(f">one\n{text}\n>two\n{text[::-1]}\n")
    a, b, c = (str(tmp_path / f"{name}.fa") for name in "abc")
    ends = {
        ("verify", DEEPBIND): f"{DEEPBIND}: ",
        ("verify", "akita.yeast"): "akita.yeast: ",
        ("predict", DEEPBIND, a, "-o", "-"): "two\t",
        ("predict", "basset.encode_tf", a, "-o", "-"): "two\t",
        ("predict", "mlp.promoter_ecoli", c, "-o", "-"): "two\t",
        ("predict", DEEPBIND, *SITES, "--resize", "-o", "-"): "chr",
        ("evaluate", DEEPBIND, a, "--negatives", b): "USF1\t4\t",
    }
    done = run_core(core, json.dumps(list(ends)), script=EACH)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(END)
    assert len(printed) == len(ends) + 1
    for start, output in zip(ends.values(), printed, strict=False):
        assert output.splitlines()[-1].startswith(start)


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
        (("train", "deepbind.encode"), "train"),
        (("train", "basset.plant_terminators"), "train,rdata"),
        (("data", "get", "yeast"), "tracks,rdata"),
        (("data", "get", "yeast_contacts"), "contacts"),
        (("benchmark", "throughput"), "benchmarks"),
        (("data", "peaks", "zoo/examples/peaks.bed", "--genome", "zoo/examples/genome.fa", "-o", "a.tsv"), "train"),
    ],
)
def test_what_needs_an_extra_names_it_in_one_sentence(core: Path, arguments: tuple[str, ...], extra: str) -> None:
    done = run_core(core, *arguments, script=LIGHT)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"pip install 'regzoo[{extra}]'" in done.stderr
