"""A file that is missing, or an output that cannot be made, is noticed before torch or pandas is imported."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from zoo.commands.predict.options import COMMON, KINDS, kind_module

MODELS = {"labels": "deepbind.encode_usf1_h1hesc", "tracks": "basenji.yeast", "contacts": "akita.yeast"}
PLOT = "--plot chr1:1-100 -o a.png"
GENOME = "--genome here.fa -o peaks.tsv"
COMMANDS = [
    *(f"predict {model} gone" for model in MODELS.values()),
    f"predict {MODELS['labels']} here.bed --genome gone",
    f"predict {MODELS['labels']} here.bed --genome here.fa --inputs gone",
    f"predict {MODELS['tracks']} here.fa -o out --inputs gone",
    f"predict {MODELS['tracks']} here.fa -o out --inverse-transform gone",
    f"predict {MODELS['tracks']} here.fa {PLOT} --measured gone",
    f"predict {MODELS['contacts']} here.fa {PLOT} --measured gone::resolutions/1000",
    f"predict {MODELS['contacts']} here.fa {PLOT} --bed here.bed gone",
    f"predict {MODELS['contacts']} here.fa -o out --expected gone",
    f"predict {MODELS['labels']} here.fa -o gone/out.tsv",
    f"predict {MODELS['labels']} here.fa -o here.bed/out.tsv",
    f"predict {MODELS['tracks']} here.fa -o here.bed/out",
    f"predict {MODELS['contacts']} here.fa -o here.bed/out",
    "predict local-dir:gone here.fa",
    f"verify {MODELS['labels']} local-dir:gone",
    "info gone",
    f"data peaks gone {GENOME}",
    f"data peaks name=gone {GENOME}",
    f"data peaks here.bed {GENOME} --blacklist gone",
    "data peaks here.bed --genome gone -o peaks.tsv",
    "data peaks here.bed --contig-lengths gone -o peaks.tsv",
    "data peaks here.bed --genome here.fa -o gone/peaks.tsv",
    "train gone",
    "train basset.peaks --data.genome here.fa --data.table gone",
    "train basset.peaks --data.genome gone --data.table here.bed",
    "train basset.peaks --data.genome here.fa --data.peaks [here.bed,b=gone]",
    "train basenji.tracks --data.genome here.fa --data.targets_table gone",
    "train akita.contacts --data.genome here.fa --data.coolers {a:gone::resolutions/2000}",
    "train akita.contacts --data.genome here.fa --data.coolers {a:here.bed} --data.arms gone",
]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "here.fa").write_text(f">chr1\n{'ACGT' * 100}\n")
    (tmp_path / "here.bed").write_text("chr1\t1\t20\n")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_missing_is_noticed_at_once(command: str, desk: Path) -> None:
    words = [word.replace("{a:", "{a: ") for word in command.split()]  # a space, which YAML wants
    script = "import sys; from zoo.cli import main; code = main(sys.argv[1:]); "
    script += "sys.exit(f'imported {heavy}' if (heavy := {'torch', 'pandas'} & set(sys.modules)) else code)"
    before = sorted(desk.rglob("*"))
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script, *words], cwd=desk, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    assert (done.returncode, done.stderr[:5], done.stderr.count("\n")) == (2, "zoo: ", 1), done.stderr
    assert "gone" in done.stderr or "here.bed" in done.stderr
    assert sorted(desk.rglob("*")) == before
    assert seconds < 5  # half a second on a machine that does nothing else


def test_every_option_that_names_a_file_is_among_these() -> None:
    options = [*COMMON, *(option for kind in KINDS for option in kind_module(kind).OPTIONS)]
    files = {o.flags[-1] for o in options if o.settings.get("metavar") in ("FILE", "TABLE", "BED")}
    assert files == {flag for flag in files if any(f"{flag} " in command for command in COMMANDS)}
