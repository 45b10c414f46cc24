"""Whatever is wrong with a command: exit code 2, one line that says what to do, and nothing written."""

import gzip
import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.importers import deepbind

Run = Callable[..., tuple[int, str, str]]

GOOD = "ACGTACGTACGTACGTACGT"
FILES = {
    "good.fa": f">good\n{GOOD}\n",
    "empty.fa": "",
    "bare.fa": ">bare\n>next\nACGT\n",
    "protein.fa": f">good\n{GOOD}\n>albumin\nMKWVTFISLLFLFSSAYSRG\n",
    "short.fa": f">good\n{GOOD}\n>stub\nACGT\n",
    "long.fa": f">good\n{GOOD}\n>giant\n{GOOD}ACGTA\n",
    "columns.tsv": f"id\tdna\na\t{GOOD}\n",
    "ragged.tsv": f"id\tsequence\na\t{GOOD}\nb\n",
    "good.bed": "chr1\t0\t20\tgood\n",
    "past.bed": "chr1\t0\t20\tfirst\nchr1\t45\t65\tlast\n",
    "contig.bed": "chr7\t0\t20\n",
    "wide.bed": "chr1\t0\t20\tfirst\nchr1\t0\t30\twide\n",
    "backwards.bed": "chr1\t0\t20\nchr1\t20\t0\n",
    "words.bed": "chr1\tzero\ttwenty\n",
    "narrow.bed": "chr1 0 20\n",
    "none.bed": "# nothing\n",
    "notes.txt": "mine",
}
# {mlp} and {broken} are checkpoint folders, {genome} and {elsewhere} lie outside of the working folder.
COMMANDS: list[tuple[str, list[str]]] = [
    # names
    ("info deepbind.D00328.004", ["deepbind.D00328.004", "nearest", "deepbind.D00328.003"]),
    ("predict deepbind.D00328.004 good.fa", ["deepbind.D00328.004", "nearest", "deepbind.D00328.003"]),
    ("verify deepbind.D00328.004", ["deepbind.D00328.004", "nearest", "deepbind.D00328.003"]),
    ("predict CTCF good.fa", ["'CTCF'", "architecture.tag"]),
    ("predict org/repo good.fa", ["hf-hub:org/repo@", "local-dir:org/repo"]),
    ("info org/repo", ["hf-hub:org/repo@", "local-dir:org/repo"]),
    ("predict ../x good.fa", ["'../x'", "local-dir:../x"]),
    ("info ../x", ["'../x'"]),
    ("predict hf-hub:org/repo good.fa", ["hf-hub:org/repo@REVISION"]),
    ("predict local-dir:nowhere good.fa", ["nowhere", "config.json"]),
    ("predict good.fa deepbind.D00328.003", ["the model comes before", "zoo predict deepbind.D00328.003 good.fa"]),
    ("predict good.fa local-dir:{broken} -o out.tsv", ["the model comes before", "zoo predict local-dir:"]),
    ("predict good.fa", ["'good.fa' is a file, not the name of a model", "zoo predict NAME good.fa"]),
    ("predict good.fa deepbind.D00328.004", ["'good.fa' is a file"]),
    ("info good.fa", ["'good.fa' is a file", "zoo list"]),
    ("info notes.txt", ["'notes.txt' is a file"]),
    ("verify good.bed", ["'good.bed' is a file"]),
    ("info {broken}", ["is a folder", "local-dir:"]),
    ("list nothing.*", ["`zoo list`"]),
    ("list CTFC", ["CTFC", "the nearest words are", "CTCF"]),
    ("list CTCF moues", ["moues", "mouse"]),
    ("list --json --tsv", ["--json", "--tsv"]),
    ("completion tcsh", ["tcsh", "bash"]),
    ("config basset.peeks", ["'basset.peeks'", "basset.peaks"]),
    ("example -o good.fa/here", ["good.fa/here cannot be created"]),
    ("list --search unobtainium", ["no model"]),
    # sequences
    ("predict {mlp} missing.fa", ["missing.fa", "no such file"]),
    ("predict {mlp} .", ["."]),
    ("predict {mlp} empty.fa", ["empty.fa", "no sequence"]),
    ("predict {mlp} bare.fa", ["bare.fa", "'bare'", "no sequence"]),
    ("predict {mlp} protein.fa", ["'albumin'", "protein", "position 6"]),
    ("predict {mlp} protein.fa -o out.tsv", ["'albumin'", "protein"]),
    ("predict {mlp} short.fa", ["1 of 2 sequences", "20 bases", "4 bases (stub)", "--resize", "--tile"]),
    ("predict {mlp} long.fa", ["1 of 2 sequences", "25 bases (giant)", "20 bases"]),
    ("predict {mlp} long.fa -o out.tsv", ["1 of 2 sequences", "25 bases (giant)", "20 bases"]),
    ("predict {mlp} long.fa -o notes.txt", ["1 of 2 sequences", "25 bases (giant)", "20 bases"]),
    ("predict {mlp} columns.tsv", ["columns.tsv", "'sequence'", "dna"]),
    ("predict {mlp} columns.tsv --sequence-column rna", ["'rna'", "dna"]),
    ("predict {mlp} ragged.tsv", ["ragged.tsv", "line 3"]),
    ("predict {mlp} truncated.fa.gz", ["truncated.fa.gz"]),
    ("predict {mlp} binary.fa", ["binary.fa"]),
    # intervals
    ("predict {mlp} good.bed", ["--genome"]),
    ("predict {mlp} good.fa --resize --tile 3", ["--resize", "--tile", "choose one"]),
    ("predict {mlp} good.fa --best", ["--best", "--tile"]),
    ("predict {mlp} good.fa -o out.xlsx", [".xlsx", ".tsv", ".parquet"]),
    ("predict {mlp} good.fa -o out.parquet.gz", [".gz", ".tsv", ".parquet"]),
    ("predict {mlp} good.fa --keep score", ["good.fa", "no table", "--keep"]),
    ("predict {mlp} past.bed --genome {genome}", ["chr1:45-65", "50 bases"]),
    ("predict {mlp} past.bed --genome {genome} -o out.tsv", ["chr1:45-65", "50 bases"]),
    ("predict {mlp} contig.bed --genome {genome}", ["'chr7'", "chr1"]),
    ("predict {mlp} wide.bed --genome {genome}", ["1 of 2 intervals", "30 bases (wide)", "20 bases", "--resize"]),
    ("predict {mlp} backwards.bed --genome {genome}", ["backwards.bed", "line 2"]),
    ("predict {mlp} words.bed --genome {genome}", ["words.bed", "line 1", "'zero'"]),
    ("predict {mlp} narrow.bed --genome {genome}", ["narrow.bed", "line 1", "tab"]),
    ("predict {mlp} none.bed --genome {genome}", ["none.bed", "no interval"]),
    ("predict {mlp} binary.bed --genome {genome}", ["binary.bed"]),
    ("predict {mlp} missing.bed --genome {genome}", ["missing.bed", "no such file"]),
    ("predict {mlp} good.bed --genome missing.fa", ["missing.fa", "no such file"]),
    ("predict {mlp} good.bed --genome notes.txt", ["notes.txt", "FASTA"]),
    ("predict {mlp} good.bed --genome good.fa.gz", ["good.fa.gz", "gunzip"]),
    # weights
    ("predict local-dir:{broken} good.fa", ["model.safetensors", "sha256"]),
    ("verify local-dir:{broken}", ["model.safetensors", "sha256"]),
    ("predict deepbind.D00120.001 good.fa", ["D00120.001.txt", "sha256"]),
    ("verify deepbind.D00120.001", ["D00120.001.txt", "sha256"]),
    ("predict deepbind.D00328.003 good.fa", ["D00328.003.txt", "mirror"]),
    # outputs
    ("predict {mlp} good.fa -o nowhere/out.tsv", ["nowhere/out.tsv"]),
    ("predict {mlp} good.fa -o .", ["folder"]),
    ("predict {mlp} good.fa -o {elsewhere}", ["folder"]),
    ("predict {mlp} good.fa -o full", ["full", "No space left on device"]),
    ("export {mlp} -o out.pb", ["out.pb", ".onnx", ".pt2"]),
    ("export {mlp} -o nowhere/out.onnx", ["nowhere/out.onnx", "no folder nowhere"]),
    ("export {mlp} -o .", [".onnx", ".pt2"]),
    ("export {mlp}", ["-o"]),
    ("export deepbind.D00328.004 -o out.pt2", ["deepbind.D00328.004", "nearest"]),
    ("export local-dir:{broken} -o out.pt2", ["model.safetensors", "sha256"]),
    ("card -o nowhere/cards.md", ["nowhere/cards.md"]),
    ("card --check", ["MODEL_CARDS.md", "zoo card"]),
    # options
    ("predict {mlp} good.fa --device abacus", ["'abacus'", "device"]),
    ("predict {mlp} good.fa --device cuda:99", ["'cuda:99'", "device"]),
    ("predict {mlp} good.fa --device meta", ["'meta'", "device"]),
    ("predict {mlp} good.fa --batch-size 0", ["batch size", "0"]),
    ("predict {mlp} good.fa --batch-size -1 -o out.tsv", ["batch size", "-1"]),
    ("predict {mlp} good.fa --batch-size many", ["batch-size", "many"]),
    ("predict {mlp} good.fa --precision 8", ["precision", "8"]),
    ("predict {mlp} good.fa --colour red", ["--colour", "zoo predict --help"]),
    ("predict {mlp}", ["INPUT"]),
    ("predict {mlp} EMPTY", ["the value of INPUT is empty"]),
    ("predict {mlp} good.fa -o EMPTY", ["the value of --output is empty"]),
    ("predict {mlp} good.bed --genome EMPTY", ["the value of --genome is empty"]),
    ("example -o EMPTY", ["the value of --output is empty"]),
    ("list %%%", ["no model matches %%%"]),
    ("info basset.peaks", ["is a configuration that `zoo train` knows, not a model"]),
    ("list " + "x" * 3_000, ["(3,0"]),
    ("info CTCF", ["'CTCF' is not a name", "`zoo list CTCF` finds models by word"]),
    ("info DeepBind.encode_USF1_h1hesc", ["the nearest names are deepbind.encode_usf1_h1hesc"]),
    ("list --serach CTCF", ["--serach", "zoo list --help"]),
    ("verify", ["NAME"]),
    ("frobnicate", ["frobnicate", "predict"]),
    ("", ["VERB"]),
    # data, benchmarks, configurations
    ("data get nothing", ["'nothing'", "promoters"]),
    ("data get", ["promoters"]),
    ("data fetch promoters", ["fetch", "get"]),
    ("benchmark nothing", ["'nothing'", "promoters"]),
    ("train missing.yaml", ["missing.yaml", "configuration"]),
    ("train", ["configuration"]),
]


@pytest.fixture(scope="module")
def broken(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(tiny_checkpoint / "mlp.tiny", tmp_path_factory.mktemp("broken") / "mlp.tiny")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    return folder


@pytest.fixture
def desk(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with files, good and bad, and a mirror whose one file is not what was published."""
    folder = tmp_path / "desk"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    zipped = gzip.compress(FILES["good.fa"].encode() * 50)
    (folder / "good.fa.gz").write_bytes(zipped)
    (folder / "truncated.fa.gz").write_bytes(zipped[:-9])
    for name in ("binary.fa", "binary.bed"):
        (folder / name).write_bytes(bytes(range(256)) * 4)
    (folder / "full").symlink_to("/dev/full")
    parameters = tmp_path / "mirror" / deepbind.REPOSITORY.removeprefix("https://") / "db" / "params"
    parameters.mkdir(parents=True)
    (parameters / "D00120.001.txt").write_text("# deepbind 0.1\n")
    monkeypatch.setenv("ZOO_MIRROR", str(tmp_path / "mirror"))
    # `zoo card` writes beside the checkpoints: it gets others than the project's own.
    cards = shutil.copytree(tiny_checkpoint, tmp_path / "checkpoints")
    monkeypatch.setattr("zoo.hub.cards.shipped_folder", lambda _: cards)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(("command", "words"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_a_bad_command_is_one_line_and_leaves_nothing(
    command: str, words: list[str], desk: Path, tmp_path: Path, tiny_checkpoint: Path, broken: Path, run_zoo: Run
) -> None:
    genome = tmp_path / "genome.fa"
    genome.write_text(f">chr1\n{'ACGTN' * 10}\n>chr2\nACGT\n")
    mlp = f"local-dir:{tiny_checkpoint / 'mlp.tiny'}"
    places = {"mlp": mlp, "broken": str(broken), "genome": str(genome), "elsewhere": str(tmp_path)}
    before = contents(desk)
    code, out, err = run_zoo(*(word.replace("EMPTY", "") for word in command.format(**places).split()))
    assert err.startswith("zoo: "), err
    assert err.count("\n") == 1, err
    assert err.endswith("\n")
    assert [word for word in words if word not in err] == []
    assert "Traceback" not in err + out
    assert code == 2
    assert contents(desk) == before


def contents(folder: Path) -> dict[str, bytes | None]:
    result = sorted(folder.rglob("*"))
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in result}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "no sequence"),
        (b">a\nMKWVTF\n", "protein"),
        (gzip.compress(b"A" * 99, mtime=0)[:15], "gzip archive is cut off"),
        (b"\x1f\x8b", "gzip archive is cut off"),
    ],
)
def test_bad_standard_input_is_one_line(
    content: bytes, word: str, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, run_zoo: Run
) -> None:
    stream = io.BufferedReader(io.BytesIO(content))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
    code, _, err = run_zoo("predict", f"local-dir:{tiny_checkpoint / 'mlp.tiny'}", "-")
    assert err.startswith("zoo: "), err
    assert (code, err.count("\n")) == (2, 1)
    assert word in err


def test_an_interrupted_command_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch, run_zoo: Run) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo.hub.registry.list_locations", interrupt)
    assert run_zoo("list") == (130, "", "zoo: stopped\n")
