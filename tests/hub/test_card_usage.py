"""The command that each card gives for its use runs, on made files under the names that the card uses."""

import re
import shlex
from pathlib import Path

import numpy as np
import pyBigWig
import pytest

from zoo.cli import main
from zoo.genome.sequence import decode
from zoo.hub.cards import checkpoint_folders
from zoo.hub.config import read_config

FOLDERS = checkpoint_folders()
CONTIG = 200_000  # bases: one window of every model, and more


def usage_of(folder: Path) -> str:
    """The command below "How to use"."""
    found = re.search(r"## How to use\n\n```\n(zoo .*)\n```", (folder / "README.md").read_text())
    assert found
    return found.group(1)


def write_inputs(names: list[str]) -> None:
    """The tracks that a model reads in addition to the sequence, and their table."""
    rng = np.random.default_rng(1)
    for name in names:
        with pyBigWig.open(f"{name}.bw", "w") as file:
            file.addHeader([("chr1", CONTIG)])
            file.addEntries("chr1", 0, values=rng.random(CONTIG // 100), span=100, step=100)
    Path("inputs.tsv").write_text("name\tpath\n" + "".join(f"{name}\t{name}.bw\n" for name in names))


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_command_of_a_card_runs(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config, rng = read_config(folder), np.random.default_rng(0)
    rows = [decode(rng.integers(0, 4, config.arguments["length"]).astype(np.uint8)) for _ in range(3)]
    Path("sequences.fa").write_text("".join(f">{index}\n{row}\n" for index, row in enumerate(rows)))
    Path("genome.fa").write_text(f">chr1\n{decode(rng.integers(0, 4, CONTIG).astype(np.uint8))}\n")
    write_inputs((config.arguments.get("inputs") or {"names": []})["names"])
    before = set(Path().iterdir())
    words = shlex.split(usage_of(folder))[1:]
    assert main(words) == 0
    (output,) = set(Path().iterdir()) - before
    if config.facts.output == "labels":
        table = [line.split("\t") for line in output.read_text().splitlines()]
        assert table[0] == ["name", *config.facts.targets]
        assert [row[0] for row in table[1:]] == ["0", "1", "2"]
    else:
        suffix = {"tracks": ".bw", "contacts": ".cool"}[config.facts.output]
        assert sorted(path.name for path in output.iterdir()) == sorted(f"{t}{suffix}" for t in config.facts.targets)


@pytest.mark.slow
def test_the_commands_that_example_prints_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["example", "-o", "mine"]) == 0
    printed = capsys.readouterr()
    commands = re.findall(r"^\s*(zoo .*)$", printed.out + printed.err, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert main(shlex.split(command)[1:]) == 0, command
