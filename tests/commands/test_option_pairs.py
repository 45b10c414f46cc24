"""An option of `zoo predict` in any context (FASTA, BED, picture) changes the result or is refused in one sentence."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cooler
import numpy as np
import pyBigWig
import pytest
from commands.desk import SEQUENCES, Desk
from commands.predict_cases import write_cooler
from made.models import CONTIGS, Made

from zoo.commands.predict.options import COMMON, KINDS, kind_module

Run = Callable[..., tuple[int, str, str]]
# A value of each option that must change what is written or drawn, wherever the option applies.
VALUES = {
    "--targets": ["two"],
    "--inputs": ["{inputs}"],
    "--precision": ["bf16"],
    "--resize": [],
    "--tile": ["4"],
    "--best": [],
    "--keep": ["score"],
    "--sequence-column": ["other"],
    "--contigs": ["chr2"],
    "--measured": ["{measured}"],
    "--same-scale": [],
    "--inverse-transform": ["table.tsv"],
    "--expected": ["expected.tsv"],
    "--step": ["4"],
    "--bed": ["regions.bed"],
    "--smooth": ["2"],
}
# Contexts, and what decides about numbers in the last digits alone: where a model runs, and how much at once.
NOT_RESULTS = {"--device", "--devices", "--batch-size"}
CONTEXTS = {
    "labels": {"fasta": ["in.fa"], "table": ["in.tsv"], "bed": ["a.bed", "--genome", "{genome}"]},
    "tracks": {
        "fasta": ["{genome}", "-o", "new"],
        "bed": ["regions.bed", "--genome", "{genome}", "-o", "new"],
        "plot": ["{genome}", "--plot", "chr1:1000-3000", "-o", "a.png"],
        "plot measured": ["{genome}", "--plot", "chr1:1000-3000", "--measured", "table.tsv", "-o", "a.png"],
    },
    "contacts": {
        "fasta": ["{genome}", "-o", "new"],
        "npz": ["{genome}", "-o", "new.npz"],
        "bed": ["regions.bed", "--genome", "{genome}", "-o", "new"],
        "plot": ["{genome}", "--plot", "chr1:1000-3000", "-o", "a.png"],
        "plot measured": ["{genome}", "--plot", "chr1:1000-3000", "--measured", "measured.cool", "-o", "a.png"],
    },
}


def pairs() -> Iterator[tuple[str, str, str]]:
    for kind in KINDS:
        flags = [option.flags[-1] for option in (*COMMON, *kind_module(kind).OPTIONS)]
        for context, words in CONTEXTS[kind].items():
            for flag in flags:
                if flag not in {*words, *NOT_RESULTS, "--output", "--genome", "--plot"}:
                    yield kind, context, flag


@pytest.fixture
def desk(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_zoo: Run) -> Desk:
    monkeypatch.chdir(tmp_path)
    Path("in.fa").write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(SEQUENCES)))
    rows = [f"{text}\t{text[::-1]}\t{i}\n" for i, text in enumerate(SEQUENCES)]
    Path("in.tsv").write_text("sequence\tother\tscore\n" + "".join(rows))
    Path("long.fa").write_text(f">s\n{''.join(SEQUENCES)}\n")
    Path("long.tsv").write_text(f"sequence\n{''.join(SEQUENCES)}\n")
    Path("long.bed").write_text("chr1\t100\t140\tsite\n")
    Path("a.bed").write_text("chr1\t100\t120\tsite\n")
    Path("regions.bed").write_text("chr1\t1000\t3000\n")
    rows = [f"chr1\tchr1\t{distance}\t10\t5.0" for distance in range(2, 40)]
    Path("expected.tsv").write_text("\n".join(["region1\tregion2\tdist\tn_valid\tbalanced.avg", *rows]) + "\n")
    for name in ("one", "two"):
        with pyBigWig.open(f"{name}.bw", "w") as file:
            file.addHeader(list(CONTIGS.items()))
            file.addEntries("chr1", 0, values=[2.0] * 5_003, span=1, step=1)
    Path("table.tsv").write_text("name\tpath\tscale\none\tone.bw\t0.5\ntwo\ttwo.bw\t0.25\n")
    write_cooler()
    return Desk(made, run_zoo, monkeypatch)


def outcome(desk: Desk, kind: str, words: list[str]) -> tuple[int, str, Any]:
    """Exit status, messages, and what was written or drawn; the files are taken away."""
    before = set(Path().rglob("*"))
    calls = desk.drawn(kind) if kind != "labels" else []
    code, out, err = desk.run_zoo("predict", desk.made.models[kind], *words)
    new = sorted(set(Path().rglob("*")) - before, reverse=True)  # a folder after what is in it
    made = {str(path): stored(path) for path in new if path.is_file()}
    for path in new:
        path.rmdir() if path.is_dir() else path.unlink()
    if calls:
        return code, err, repr([(value if not isinstance(value, dict) else plain(value)) for value in calls[0]])
    return code, err, (out, made)


def stored(path: Path) -> object:
    """What a file holds, without the time at which it was written."""
    if path.suffix == ".cool":
        return cooler.Cooler(str(path)).pixels()[:].to_csv()
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: arrays[name].tolist() for name in arrays}
    return path.read_bytes()


def plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(one).tolist() if isinstance(one, np.ndarray) else one for name, one in values.items()}


@pytest.mark.parametrize(("kind", "context", "flag"), list(pairs()))
def test_an_option_changes_the_result_or_is_refused(kind: str, context: str, flag: str, desk: Desk) -> None:
    assert flag in VALUES, f"give a value of {flag} that changes the result"
    measured = "table.tsv" if kind == "tracks" else "measured.cool"
    filled = {"genome": str(desk.made.genome), "inputs": desk.made.inputs, "measured": measured}
    words, more = ([word.format(**filled) for word in some] for some in (CONTEXTS[kind][context], VALUES[flag]))
    if flag in ("--resize", "--tile"):  # what has the model's length stays as it is
        words[0] = f"long{Path(words[0]).suffix}"
    plain_code, plain_err, without = outcome(desk, kind, words)
    code, err, result = outcome(desk, kind, [*words, flag, *more])
    if code == 0:
        assert plain_code == 2 or repr(result) != repr(without), f"{flag} changed nothing: {err}"
    else:
        assert (code, err.count("\n"), err[:5]) == (2, 1, "zoo: ")
        assert err != plain_err, f"{flag} is refused for another reason: {err}"
