"""`zoo list` on a terminal and elsewhere, by words, and what a shell completes."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.commands.tables import Column, fit_table
from zoo.hub.facts import ModelFacts
from zoo.hub.names import matching
from zoo.hub.registry import list_models

Run = Callable[..., tuple[int, str, str]]
COMMAND = [sys.executable, "-m", "zoo.cli"]


def on_terminal(width: int, *arguments: str) -> list[str]:
    """The lines that a command prints on a terminal, without colours."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(width)}
    process = subprocess.Popen([*COMMAND, *arguments], stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    content = b""
    while select.select([master], [], [], 30)[0]:
        try:
            block = os.read(master, 65536)
        except OSError:  # how Linux says that the other end was closed
            break
        if not block:
            break
        content += block
    os.close(master)
    assert process.wait() == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", content.decode()).replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize("width", [80, 120, 250])
def test_each_model_is_one_line_with_its_whole_name(width: int) -> None:
    lines = on_terminal(width, "list")
    assert max(map(len, lines)) <= width
    starts = {line.split(" ")[0] for line in lines}
    models = list_models()
    assert {model.name for model in models} <= starts
    assert len(lines) == len(models) + 2 * 3 + 1  # two groups with a title, a header and an empty line; the last line
    assert lines[0] == "Shipped with the zoo (39)"
    assert ("…" in "".join(lines)) == (width < 250)


def test_the_columns_at_80_characters_are_those_that_help_to_choose() -> None:
    lines = on_terminal(80, "list", "usf1", "human")
    row = next(line for line in lines if line.startswith("deepbind.encode_usf1_h1hesc"))
    assert row.split()[1:] == ["USF1", "H1-hESC", "ChIP-seq", "human", "101", "bp", "AUROC", ".9985"]
    assert next(line for line in lines if line.startswith("deepbind.D00700.006")).split()[1:4] == [
        "USF1",
        "HepG2",
        "ChIP-seq",
    ]


def test_cells_are_cut_before_columns_leave_and_empty_columns_are_not_shown() -> None:
    soft = [Column("long", 4), Column("empty"), Column("extra", 3, rank=1)]
    columns = [Column("name"), *soft, Column("spare", spare=True)]
    rows = [["a.very_long_name", "abcdefghij", "", "klmnop", "x"], ["b", "c", "", "d", "y"]]
    cut = [fit_table(columns, rows, width)[1] for width in (60, 38, 34, 27, 22, 10)]
    assert cut == [
        "a.very_long_name  abcdefghij  klmnop  x",
        "a.very_long_name  abcdefghij  klmnop",
        "a.very_long_name abcdefghij klmnop",
        "a.very_long_name abc… klmn…",
        "a.very_long_name abcd…",
        "a.very_long_name abc…",
    ]


def test_lists_that_do_not_fit_are_counted() -> None:
    columns = [Column("name"), Column("cell", 7, plural="cells")]
    rows = [["one", "K562, HepG2, H1-hESC"], ["two", "a long one"], ["three", "A, B"]]
    assert fit_table(columns, rows, 14)[1:] == ["one   3 cells", "two   a long …", "three A, B"]
    assert fit_table(columns, rows, 27)[1] == "one    K562, HepG2, H1-hESC"


FACTS = [
    ModelFacts("net.one", "First", species="Homo sapiens", cell_type="H1-hESC", targets=("CTCF",)),
    ModelFacts("net.two", "Second", species="Mus musculus", assay="Hi-C", targets=("CTCFL", "AR")),
    ModelFacts("net.three", "Third", species="Arabidopsis thaliana", targets=("x",)),
]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["CTCF"], ["one"]),  # a whole word, where one model has it
        (["ctcf"], ["one"]),
        (["CTC"], ["one", "two"]),  # else a part of a word
        (["AR"], ["two"]),  # not Arabidopsis
        (["H1-hESC"], ["one"]),
        (["h1hesc"], ["one"]),
        (["hi-c"], ["two"]),
        (["mouse"], ["two"]),
        (["human", "mouse"], []),
        (["net.t*"], ["two", "three"]),
        (["NET.t*"], []),
        (["net.t*", "arabidopsis"], ["three"]),
        ([], ["one", "two", "three"]),
    ],
)
def test_words_find_models_by_any_fact(words: list[str], names: list[str]) -> None:
    assert [facts.name.removeprefix("net.") for facts in matching(FACTS, words)] == names


def test_json_is_the_same_whatever_the_output_is(run_zoo: Run) -> None:
    models = json.loads(run_zoo("list", "--json", "deepbind.D*")[1])
    assert len(models) == 927
    assert models[0]["name"] == "deepbind.D00001.001"
    assert json.loads("\n".join(on_terminal(80, "list", "--json", "deepbind.D*"))) == models


BASH = """
eval "$(zoo completion bash)"
ask() {
  COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=($1); COMP_TYPE=9; COMPREPLY=()
  [ "${1: -1}" = " " ] && COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _python_argcomplete zoo "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
  echo "${COMPREPLY[@]}"
}
"""
COMPLETIONS = {
    "zoo pred": "predict",
    "zoo predict deepbind.encode_usf1": "deepbind.encode_usf1_h1hesc deepbind.encode_usf1_hepg2",
    "zoo predict basenji.yeast in.f": "in.fa",
    "zoo predict basenji.yeast in.fa --preci": "--precision",
    "zoo predict basenji.yeast in.fa --targets mn": "mnase",
    "zoo info akita.y": "akita.yeast akita.yeast_position",
    "zoo verify mlp.promoter_ecoli mlp.promoter_m": "mlp.promoter_mouse_tata",
    "zoo train basset.p": "basset.peaks basset.plant_terminators",
    "zoo train min": "mine.yaml",
    "zoo config akita.c": "akita.contacts",
    "zoo benchmark th": "throughput",
    "zoo data get yeast_": "yeast_contacts yeast_variants",
    "zoo completion f": "fish",
}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_verbs_options_names_and_files(tmp_path: Path) -> None:
    pytest.importorskip("argcomplete")
    shim = tmp_path / "bin" / "zoo"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m zoo.cli "$@"\n')
    shim.chmod(0o755)
    for name in ("in.fa", "mine.yaml"):
        (tmp_path / name).touch()
    script = BASH + "\n".join(f'ask "{line}"' for line in COMPLETIONS)
    environment = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    answers = dict(zip(COMPLETIONS, map(str.strip, done.stdout.splitlines()), strict=True))
    assert answers == COMPLETIONS, done.stderr
