"""A container that was started with the number of a user whom it does not know: no home folder, no name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.hub.registry import shipped_folder

LABELS = "deepbind.encode_usf1_h1hesc"
EXAMPLES = shipped_folder("examples")
SCRIPT = """
import os, pwd, sys
def getpwuid(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = getpwuid
assert "HOME" in os.environ or os.path.expanduser("~") == "~"
from zoo.cli import main
sys.exit(main(sys.argv[1:]))
"""


def zoo(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")}
    command = [sys.executable, "-c", SCRIPT, *arguments]
    done = subprocess.run(command, cwd=folder, env={**kept, **environment}, capture_output=True, text=True, check=False)
    assert not (folder / "~").exists()
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "command", [["list"], ["info", LABELS], ["list", "CTCF"], ["config"], ["data", "list"], ["--help"]]
)
def test_what_reads_no_cache_works(command: list[str], tmp_path: Path) -> None:
    code, out, err = zoo(tmp_path, *command)
    assert (code, err) == (0, "")
    assert out


@pytest.mark.slow
def test_shipped_models_predict_and_draw_and_are_verified(tmp_path: Path) -> None:
    assert zoo(tmp_path, "predict", LABELS, str(EXAMPLES / "ebox.fa"), "-o", "out.tsv")[0] == 0
    assert zoo(tmp_path, "verify", LABELS)[::2] == (0, "")
    plot = ["--plot", "chr1:1,000-2,000", "-o", "a.png"]
    code, _, err = zoo(tmp_path, "predict", "basenji.yeast", str(EXAMPLES / "genome.fa"), *plot)
    assert (code, "MPLCONFIGDIR" in err) == (0, False), err


@pytest.mark.slow
def test_a_model_is_trained(tmp_path: Path) -> None:
    (tmp_path / "made.yaml").write_text(
        "name: deepbind.made\nmodel: {class_path: zoo.models.deepbind.DeepBind}\n"
        "data:\n  class_path: zoo.data.sequences.SequenceDataModule\n"
        "  init_args: {fasta: {bound: bound.fa}, shuffles: 1}\n"
        "trainer: {max_epochs: 1, accelerator: cpu}\n"
    )
    rows = [f"{number:020b}".replace("0", "C").replace("1", "T") + "ACGTACGTAC" for number in range(100, 160)]
    (tmp_path / "bound.fa").write_text("".join(f">{row}\n{row}\n" for row in rows))
    code, out, err = zoo(tmp_path, "train", "made.yaml")
    assert (code, out) == (0, "checkpoints/deepbind.made\n"), err


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{}, {"HOME": "/proc/nobody"}])
def test_what_must_be_downloaded_is_one_sentence_that_names_the_cache(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for command in (["verify", "deepbind.D00328.003"], ["info", "hf-hub:org/repo@main"], ["data", "get", "promoters"]):
        code, out, err = zoo(
            tmp_path, *command, **environment, HF_ENDPOINT="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9"
        )
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert "ZOO_CACHE" in err or "127.0.0.1" in err
    assert zoo(tmp_path, "verify", "deepbind.D00328.003", ZOO_CACHE="cache", HTTPS_PROXY="http://127.0.0.1:9")[0] == 2
