"""Measured values of contigs with colons in their names, and of coolers that were predicted themselves."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cooler
import numpy as np
import pandas as pd
import pyBigWig
import pytest
from commands.desk import Desk
from made.contacts import bins_of
from made.models import Made, make_files

from zoo.errors import InputError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode
from zoo.hub.targets import read_targets, write_targets
from zoo.inference.measured import measured_contacts
from zoo.inference.regions import find_region
from zoo.utils.download import sha256_of

CONTIGS = {"chr1": 2_000, "chr1:alt": 2_100, "HLA-A*01:01:01:01": 1_900, "chr1:5-10": 1_500}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))


@pytest.fixture
def genome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Genome:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    texts = {name: decode(rng.integers(0, 4, bases).astype(np.uint8)) for name, bases in CONTIGS.items()}
    Path("colon.fa").write_text("".join(f">{name}\n{text}\n" for name, text in texts.items()))
    return Genome("colon.fa")


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("chr1:100-200", ("chr1", 100, 200)),
        ("chr1:alt:1,000-1,200", ("chr1:alt", 1000, 1200)),
        ("chr1:alt", ("chr1:alt", 0, 2100)),
        ("HLA-A*01:01:01:01:3-9", ("HLA-A*01:01:01:01", 3, 9)),
        ("HLA-A*01:01:01:01", ("HLA-A*01:01:01:01", 0, 1900)),
        ("chr1:5-10", ("chr1:5-10", 0, 1500)),
        ("chr1:5-10:7-8", ("chr1:5-10", 7, 8)),
        ("1:5-11", ("1", 5, 11)),
    ],
)
def test_the_longest_name_of_a_contig_is_matched_first(text: str, region: tuple[str, int, int], genome: Genome) -> None:
    assert find_region(text, genome) == Interval(*region)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chr1:alt:9-3", "empty or reversed"),
        ("chr7", "not of the form"),
    ],
)
def test_a_region_that_the_genome_does_not_have_is_refused(text: str, words: str, genome: Genome) -> None:
    with pytest.raises(InputError, match=words):
        find_region(text, genome)


@pytest.mark.parametrize("contig", ["HLA-A*01:01:01:01", "chr1:alt"])
@pytest.mark.parametrize("kind", ["tracks", "contacts"])
def test_contigs_with_colons_are_drawn_with_what_was_measured(
    kind: str, contig: str, made: Made, genome: Genome, run_zoo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "tracks":
        with pyBigWig.open("one.bw", "w") as file:
            file.addHeader(list(CONTIGS.items()))
            file.addEntries(contig, 0, values=[3.0] * CONTIGS[contig], span=1, step=1)
        Path("m.tsv").write_text("name\tpath\none\tone.bw\n")
        measured = "m.tsv"
    else:
        table = bins_of(CONTIGS, 64).assign(weight=1.0)
        row, column = np.triu_indices(len(table))
        same = table["chrom"].to_numpy()[row] == table["chrom"].to_numpy()[column]
        count = np.random.default_rng(1).poisson(50, len(row))
        pixels = pd.DataFrame({"bin1_id": row, "bin2_id": column, "count": count})[same]
        cooler.create_cooler("m.cool", table, pixels, ordered=True)
        measured = "m.cool"
    desk = Desk(made, run_zoo, monkeypatch)
    calls = desk.drawn(kind)
    for region in (f"{contig}:300-1,700", contig):
        desk.run("predict", made.models[kind], "colon.fa", "--plot", region, "--measured", measured, "-o", "a.png")
    assert [call[0] for call in calls] == [contig, contig]
    if kind == "tracks":
        assert set(calls[0][3]["one"].tolist()) == {3.0}
    else:
        assert np.isfinite(calls[0][4]).mean() > 0.5


@pytest.mark.usefixtures("genome")
def test_one_bigwig_is_that_of_the_only_target(made: Made, run_zoo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with pyBigWig.open("one.bw", "w") as file:
        file.addHeader(list(CONTIGS.items()))
        file.addEntries("chr1:alt", 0, values=[3.0] * CONTIGS["chr1:alt"], span=1, step=1)
    desk = Desk(made, run_zoo, monkeypatch)
    calls = desk.drawn("tracks")
    words = ["predict", made.models["tracks"], "colon.fa", "--plot", "chr1:alt", "--measured", "one.bw", "-o", "a.png"]
    desk.run(*words, "--targets", "two")
    assert set(calls[0][3]["two"].tolist()) == {3.0}
    message = desk.refused(*words)
    assert "one.bw is one bigWig, and 2 targets are drawn: choose its own with --targets, or name bigWigs" in message
    Path("maps.cool").touch()
    assert "maps.cool holds no tracks: name a bigWig" in desk.refused(*words[:-3], "maps.cool", *words[-2:])


@pytest.mark.usefixtures("genome")
def test_a_bigwig_in_other_units_than_the_prediction_s_is_said_to_be(
    made: Made, run_zoo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pyBigWig.open("one.bw", "w") as file:
        file.addHeader(list(CONTIGS.items()))
        file.addEntries("chr1:alt", 0, values=[3.0] * CONTIGS["chr1:alt"], span=1, step=1)
    folder = Path(shutil.copytree(made.models["tracks"].removeprefix("local-dir:"), "other"))
    Desk(made, run_zoo, monkeypatch).drawn("tracks")
    words = ["colon.fa", "--plot", "chr1:alt", "--measured", "one.bw", "--targets", "two"]
    for unit, is_said in (("coverage", False), ("tags per million", True)):
        write_targets(folder / "targets.tsv", [replace(row, unit=unit) for row in read_targets(folder)])
        config = json.loads((folder / "config.json").read_text())
        config["sha256"]["targets.tsv"] = sha256_of(folder / "targets.tsv")
        (folder / "config.json").write_text(json.dumps(config))
        code, _, said = run_zoo("predict", f"local-dir:{folder}", *words, "-o", f"{is_said}.png")
        assert code == 0, said
        assert ("one.bw is drawn as the mean of its values in each bin" in said) == is_said, said


@pytest.mark.parametrize("scale", ["log", "contacts"])
def test_a_predicted_cooler_is_measured_as_the_prediction_itself(
    scale: str, made: Made, run_zoo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    desk = Desk(made, run_zoo, monkeypatch)
    rows = [f"chr1\tchr1\t{distance}\t10\t{100 / distance}" for distance in range(2, 40)]
    Path("expected.tsv").write_text("\n".join(["region1\tregion2\tdist\tn_valid\tbalanced.avg", *rows]) + "\n")
    more = ["--expected", "expected.tsv"] if scale == "contacts" else []
    one = ["--targets", "one"]
    desk.run("predict", made.models["contacts"], str(made.genome), *one, *more, "-o", "own.cool")
    _, start, _, _, measured, *_ = desk.plot("contacts", *one, "--measured", "own.cool")
    whole = cooler.Cooler("own.cool").matrix(balance=False).fetch("chr1")
    distance = np.abs(np.subtract.outer(np.arange(len(whole)), np.arange(len(whole))))
    expected = np.where(whole == 0, np.nan, whole)
    if scale == "contacts":  # over the mean contacts of the whole contig at each distance
        means = [np.nanmean(expected[distance == d]) if d > 1 else np.nan for d in range(len(whole))]
        expected = np.log(expected / np.array(means)[distance])
    first = int(start) // 64
    expected = expected[first : first + len(measured), first : first + len(measured)]
    assert np.isfinite(expected).sum() > 100
    np.testing.assert_allclose(measured, expected, rtol=1e-4, atol=1e-5)


def test_a_predicted_cooler_can_be_smoothed(
    made: Made, run_zoo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    desk = Desk(made, run_zoo, monkeypatch)
    desk.run("predict", made.models["contacts"], str(made.genome), "--targets", "one", "-o", "own.cool")
    maps = [measured_contacts("own.cool", sigma, Genome(made.genome), "chr1", 64, 15, 30) for sigma in (0.0, 2.0)]
    assert np.nanstd(np.diff(maps[1])) < 0.7 * np.nanstd(np.diff(maps[0]))
