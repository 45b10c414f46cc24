"""`--resize` of narrowPeak: windows around the summits, as `zoo data peaks` makes them."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made.models import Made, make_files

import zoo
from zoo.data.peaks.table import PeakTable
from zoo.errors import InputError
from zoo.formats import narrow_peak
from zoo.formats.bed import read_bed
from zoo.formats.narrow_peak import iterate_peaks
from zoo.formats.peaks import read_peak_file
from zoo.genome.intervals import Interval
from zoo.hub.load import load
from zoo.inference.labels import predict_sequences
from zoo.inference.predictions import Predictions

L = 20  # bases that the model reads
Run = Callable[..., tuple[int, str, str]]
PEAKS = [("chr1", 40, 120, 11), ("chr1", 150, 300, 149), ("chr1", 200, 231, -1), ("chr1", 60, 80, 0)]
# First bases of windows around the summits: 40 + 11 - 10, 150 + 149 - 10, (200 + 231 - 20) // 2, 60 - 10.
ON_SUMMITS = [41, 289, 205, 50]
ON_MIDDLES = [70, 215, 205, 60]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Letters of a genome in the working folder."""
    monkeypatch.chdir(tmp_path)
    text = "".join(np.random.default_rng(3).choice(list("ACGT"), 400))
    Path("g.fa").write_text(f">chr1\n{text}\n")
    return text


def write(name: str, values: tuple[str, ...] = ("7.5", "-1", "2.25")) -> str:
    rows = [(chrom, start, end, f"p{i}", 0, ".", *values, at) for i, (chrom, start, end, at) in enumerate(PEAKS)]
    Path(name).write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return name


def expected(made: Made, letters: str, starts: list[int]) -> list[float]:
    windows = [letters[start : start + L] for start in starts]
    return [float(value) for value in predict_sequences(load(made.models["labels"]), windows).values[:, 1]]


NAMED = "p.narrowPeak: intervals are centred on their summits (narrowPeak), 1 of 4, which have none, on their middles"
BY_LINES = "p.bed is narrowPeak by its lines, though not by its name: its peaks are centred on the summits of column 10"
BY_LINES_2 = NAMED.replace("p.narrowPeak", "p.bed")
OTHER = "p.bed is not narrowPeak (columns 7 to 9 are whole numbers in all lines"


@pytest.mark.parametrize(
    ("name", "values", "starts", "notes"),
    [
        ("p.narrowPeak", ("7.5", "-1", "2.25"), ON_SUMMITS, [NAMED]),
        ("p.narrowPeak", ("0", "0", "0"), ON_SUMMITS, [NAMED]),
        ("p.bed", ("7.5", "-1", "2.25"), ON_SUMMITS, [BY_LINES, BY_LINES_2]),
        ("p.bed", ("0", "0", "0"), ON_MIDDLES, [OTHER]),
    ],
)
def test_windows_lie_around_summits_and_the_table_shows_the_peaks(
    made: Made, letters: str, run_zoo: Run, name: str, values: tuple[str, ...], starts: list[int], notes: list[str]
) -> None:
    options = ("--genome", "g.fa", "--resize", "--targets", "two", "-o", "-")
    code, out, err = run_zoo("predict", made.models["labels"], write(name, values), *options)
    assert code == 0, err
    rows = [line.split("\t") for line in out.splitlines()[1:]]
    assert [row[:4] for row in rows] == [[c, str(a), str(b), f"p{i}"] for i, (c, a, b, _) in enumerate(PEAKS)]
    np.testing.assert_allclose([float(row[4]) for row in rows], expected(made, letters, starts), rtol=1e-5)
    for note in notes:
        assert note in err
    assert err.count("summits") >= len(notes)
    found = zoo.predict(load(made.models["labels"]), zoo.Genome("g.fa"), name, resize=True, targets=["two"])
    np.testing.assert_allclose(found.to_numpy()[:, 0], expected(made, letters, starts), rtol=1e-5)
    assert isinstance(found, Predictions)
    assert [any(note in said for said in found.notes) for note in notes] == [True] * len(notes)


def test_embeddings_are_of_the_same_windows(made: Made, letters: str) -> None:
    model = load(made.models["labels"])
    found = zoo.embed(model, zoo.Genome("g.fa"), write("p.narrowPeak"), resize=True)
    windows = zoo.embed(model, [letters[start : start + L] for start in ON_SUMMITS])
    np.testing.assert_allclose(found, windows, rtol=1e-5, atol=1e-6)


def test_centres_are_those_of_zoo_data_peaks(letters: str) -> None:
    path = write("p.bed.gz")
    centres = [peak.centre for peak in iterate_peaks(path, [])]
    assert centres == [51, 299, None, 60]
    assert [c for c in read_peak_file(path)["centre"] if c != 215] == [c for c in centres if c is not None]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["p.bed", "p.narrowPeak"])
def test_any_file_is_centred_as_by_zoo_data_peaks_or_refused_by_both(letters: str, seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    kinds = set()
    for _ in range(60):
        text = "chrom\tstart\tend\tname\n" * int(rng.random() < 0.1)
        columns, strange = int(rng.choice([3, 4, 9, 10, 10, 10, 12])), rng.random() < 0.3
        for start in rng.integers(0, 300, rng.integers(1, 5)).tolist():
            values = rng.choice(["0", "0", "0", "7.5", "-1", "12", str(start), str(start + 90), "1,2,3"], 3)
            summit = rng.choice(["45", "-1", "90", "x"]) if strange else "45"
            cells = ["chr1", str(start), str(start + 90), "n", "0", "+", *values, summit, "1,", "0,"]
            text += "\t".join(cells[:columns]) + "\n"
        Path(name).write_text(text)
        notes: tuple[list[str], list[str]] = ([], [])
        try:
            centres = [peak.centre for peak in iterate_peaks(name, notes[0])]
        except InputError as error:
            kinds.add("refused")
            with pytest.raises(InputError) as refusal:
                read_peak_file(name)
            assert str(refusal.value) == str(error)
            continue
        table = read_peak_file(name, notes=notes[1])
        middles = ((table["start"] + table["end"]) // 2).tolist()
        assert table["centre"].tolist() == [m if c is None else c for c, m in zip(centres, middles, strict=True)]
        kinds.add("middles" if set(centres) == {None} else "summits")
        assert [note for note in notes[0] if "intervals are" not in note] == notes[1]
    assert kinds >= {"summits", "refused"} | ({"middles"} if name == "p.bed" else set())


def test_standard_input_is_read_as_a_file(
    made: Made, letters: str, run_zoo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path(write("p")).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text))))
    code, out, err = run_zoo("predict", made.models["labels"], "-", "--genome", "g.fa", "--resize", "--targets", "two")
    assert code == 0, err
    values = [float(line.split("\t")[4]) for line in out.splitlines()[1:]]
    np.testing.assert_allclose(values, expected(made, letters, ON_SUMMITS), rtol=1e-5)
    assert "standard input is narrowPeak by its lines" in err


def test_without_resize_a_summit_changes_nothing(made: Made, letters: str) -> None:
    Path("p.narrowPeak").write_text("chr1\t60\t80\tx\t0\t.\t7.5\t-1\t2.5\t3\n")
    model = load(made.models["labels"])
    found = zoo.predict(model, zoo.Genome("g.fa"), "p.narrowPeak", targets=["two"])
    np.testing.assert_allclose(found.to_numpy()[:, 0], expected(made, letters, [60]), rtol=1e-5)
    assert isinstance(found, Predictions)
    assert not found.notes
    assert read_bed("p.narrowPeak") == [Interval("chr1", 60, 80, "x")]


def test_a_file_called_narrow_peak_that_is_none_is_refused(made: Made, letters: str, run_zoo: Run) -> None:
    for line, message in (
        ("chr1\t60\t80\n", "p.narrowPeak: narrowPeak has ten columns, not 3; call a file without summits .bed"),
        ("chr1\t60\t80\tx\t0\t.\t1\t1\t1\t20\n", "line 1: the summit 20 lies outside the peak's 20 bases"),
    ):
        Path("p.narrowPeak").write_text(line)
        code, out, err = run_zoo("predict", made.models["labels"], "p.narrowPeak", "--genome", "g.fa", "--resize")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert message in err
        with pytest.raises(InputError, match=message.replace(".", r"\.")):
            zoo.predict(load(made.models["labels"]), zoo.Genome("g.fa"), "p.narrowPeak", resize=True)


def test_recognition_does_not_depend_on_blocks_of_lines(letters: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("chr1", 100, 200, "x", 0, "+", 0, 0, 0, 7)] * 5
    for last, taken in ((("7.5", "-1", "2.5"), True), (("150", "160", "0"), False)):
        lines = [*rows, (*rows[0][:6], *last, 9), *rows]
        Path("p.bed").write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))
        for size in (1, 2, 3, 1000):
            monkeypatch.setattr(narrow_peak, "_LINES_AT_ONCE", size)
            assert [peak.centre is not None for peak in iterate_peaks("p.bed", [])] == [taken] * 11


def test_tables_that_zoo_writes_are_read_as_sites(made: Made, letters: str, run_zoo: Run) -> None:
    options = ("--genome", "g.fa", "--resize", "-o")
    code, _, err = run_zoo("predict", made.models["labels"], write("p.narrowPeak"), *options, "first.tsv")
    assert code == 0, err
    code, _, err = run_zoo("predict", made.models["labels"], "first.tsv", *options, "second.tsv")
    assert code == 0, err
    model = load(made.models["labels"])
    starts = [(a + b - L) // 2 for _, a, b, _ in PEAKS]
    rows = [line.split("\t") for line in Path("second.tsv").read_text().splitlines()]
    assert rows[0] == ["chrom", "start", "end", "name", *model.output.targets]
    assert [row[3] for row in rows[1:]] == ["p0", "p1", "p2", "p3"]
    np.testing.assert_allclose([float(row[5]) for row in rows[1:]], expected(made, letters, starts), rtol=1e-5)
    start, labels = np.array([5, 90]), np.eye(2, 1, dtype=np.uint8)
    PeakTable(["a"], ["chr1"], np.zeros(2, int), start, L, labels, np.zeros(2, int)).write("sites.tsv")
    found = zoo.predict(model, zoo.Genome("g.fa"), "sites.tsv", targets=["two"])
    np.testing.assert_allclose(found.to_numpy()[:, 0], expected(made, letters, [5, 90]), rtol=1e-5)
