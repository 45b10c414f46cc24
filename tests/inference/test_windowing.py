"""Sequences and sites of other lengths than a model's: cut, padded or tiled, compared with hand-cut windows."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from made.models import Made, make_files
from numpy.typing import NDArray

from zoo.errors import ConfigError, InputError
from zoo.formats.sequences import SequenceFile
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import encode
from zoo.hub.load import load
from zoo.inference import cut, sources
from zoo.inference.labels import LabelPredictor, predict_sequences
from zoo.inference.predictions import Predictions
from zoo.inference.sources import FileSource, MemorySource, SiteSource
from zoo.inference.windowing import Windowing
from zoo.models._base import SequenceModel
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.motifs import MotifConfig
from zoo.utils.text import shown_path

L = 20
BASES = [5, 19, 20, 21, 33, 64, 20, 1, 40]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def model() -> SequenceModel:
    torch.manual_seed(1)
    return MLP(["a", "b"], L, hidden=(8,)).eval()


def texts() -> list[str]:
    rng = np.random.default_rng(4)
    return ["".join(rng.choice(list("ACGT"), bases)) for bases in BASES]


def padded(text: str) -> tuple[str, int]:
    """The model's length around the centre of a sequence, by letters, and its first base."""
    start = (len(text) - L) // 2
    return "".join(text[i] if 0 <= i < len(text) else "N" for i in range(start, start + L)), start


def tiles(text: str, step: int) -> list[tuple[str, int]]:
    """Windows of a sequence, by letters, and their first bases."""
    if len(text) < L:
        return [padded(text)]
    starts = [*range(0, len(text) - L, step), len(text) - L]
    return [(text[start : start + L], start) for start in starts]


def predicted(model: SequenceModel, source: FileSource | MemorySource | SiteSource, **options: object) -> Predictions:
    predictor = LabelPredictor(model, windowing=Windowing(**options))  # type: ignore[arg-type]
    plan = predictor.plan_source(source)
    return predictor.collect(plan, predictor.stream(plan))


def in_memory(sequences: list[str]) -> MemorySource:
    return MemorySource([f"s{i}" for i in range(len(sequences))], [encode(text) for text in sequences])


def test_resized_sequences_are_cut_or_padded_around_their_centre(model: SequenceModel) -> None:
    found = predicted(model, in_memory(texts()), resize=True)
    expected = predict_sequences(model, [padded(text)[0] for text in texts()]).values
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert found.names == [f"s{i}" for i in range(len(BASES))]
    (note,) = found.notes
    assert note == (
        "the input: of 9 sequences, 4 were cut and 3 were padded with N at both ends to the 20 bases around the centre"
    )


@pytest.mark.parametrize("step", [1, 7, 20, 100])
@pytest.mark.parametrize("at_once", [3, 8192])
def test_tiles_are_the_windows_of_each_sequence(
    step: int, at_once: int, model: SequenceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut, "_WINDOWS_AT_ONCE", at_once)
    found = predicted(model, in_memory(texts()), tile=step)
    windows = [(f"s{i}", *window) for i, text in enumerate(texts()) for window in tiles(text, step)]
    expected = predict_sequences(model, [window for _, window, _ in windows]).values
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert found.names == [name for name, _, _ in windows]
    assert found.columns["start"] == [start for _, _, start in windows]
    assert found.columns["end"] == [start + L for _, _, start in windows]


@pytest.mark.parametrize("at_once", [1, 3, 8192])
def test_the_best_window_is_that_of_each_sequence_and_target(
    at_once: int, model: SequenceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut, "_WINDOWS_AT_ONCE", at_once)
    found = predicted(model, in_memory(texts()), tile=3, best=True)
    assert list(found.columns) == ["name", "a_start", "a_end", "b_start", "b_end"]
    for i, text in enumerate(texts()):
        windows = tiles(text, 3)
        values = predict_sequences(model, [window for window, _ in windows]).values
        np.testing.assert_allclose(found.values[i], values.max(0), atol=1e-6)
        best = [windows[index][1] for index in values.argmax(0)]
        assert [found.columns["a_start"][i], found.columns["b_start"][i]] == best
        assert found.columns["b_end"][i] == best[1] + L
    assert len(found) == len(BASES)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_prediction_that_is_no_number_is_not_hidden_by_the_best_of_the_others(
    value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut, "_WINDOWS_AT_ONCE", 2)

    class Broken(MLP):
        def predict(self, codes: torch.Tensor, inputs: torch.Tensor | None = None) -> torch.Tensor:
            values = super().predict(codes, inputs)
            return values.masked_fill((codes == encode("G")[0]).all(1)[:, None], value)

    source = in_memory(["A" * 45, "A" * 30 + "G" * 20 + "A" * 30])
    with pytest.raises(ConfigError, match="'s1': the model computes a value that is NaN or infinite"):
        predicted(Broken(["a"], L).eval(), source, tile=5, best=True)


def test_sites_are_tiled_along_their_strand_and_read_from_the_genome(model: SequenceModel, tmp_path: Path) -> None:
    text = "".join(np.random.default_rng(8).choice(list("ACGT"), 300))
    (tmp_path / "genome.fa").write_text(f">chr1\n{text}\n")
    genome = Genome(tmp_path / "genome.fa")
    sites = [Interval("chr1", 10, 53, "x", "-"), Interval("chr1", 100, 110, "y"), Interval("1", 0, 20)]
    found = predicted(model, SiteSource(genome, sites, where="a.bed"), tile=10)
    spans = [(33, 53), (23, 43), (13, 33), (10, 30), (95, 115), (0, 20)]
    strands = ["-"] * 4 + ["."] * 2
    windows = [Interval("chr1", *span, "", strand) for span, strand in zip(spans, strands, strict=True)]
    expected = predict_sequences(model, [genome.sequence(window) for window in windows]).values
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert list(zip(found.columns["start"], found.columns["end"], strict=True)) == spans
    assert found.columns["name"] == ["x"] * 4 + ["y", "1:0-20"]
    best = predicted(model, SiteSource(genome, sites, where="a.bed"), tile=10, best=True)
    np.testing.assert_allclose(best.values[0], expected[:4].max(0), atol=1e-6)
    assert best.columns["name"] == ["x", "y", "1:0-20"]
    resized = predicted(model, SiteSource(genome, sites, where="a.bed"), resize=True)
    assert list(zip(resized.columns["start"], resized.columns["end"], strict=True)) == [(10, 53), (100, 110), (0, 20)]
    centres = [genome.sequence(site.resized(L)) for site in [*sites[:2], Interval("chr1", 0, 20)]]
    np.testing.assert_allclose(resized.values, predict_sequences(model, centres).values, atol=1e-6)


def test_windows_keep_the_name_of_their_site_across_blocks(
    model: SequenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.inference.sources._SITES_AT_ONCE", 7)
    (tmp_path / "genome.fa").write_text(f">chr1\n{'ACGGT' * 40}\n")
    genome = Genome(tmp_path / "genome.fa")
    sites = [Interval("chr1", 0, 50), Interval("chr1", 60, 200, strand="-"), Interval("chr1", 3, 30)]
    windows = predicted(model, SiteSource(genome, sites, where="a.bed"), tile=3)
    assert list(dict.fromkeys(windows.columns["name"])) == ["chr1:0-50", "chr1:60-200(-)", "chr1:3-30"]
    best = predicted(model, SiteSource(genome, sites, where="a.bed"), tile=3, best=True)
    assert best.columns["name"] == ["chr1:0-50", "chr1:60-200(-)", "chr1:3-30"]


def test_windows_past_a_contig_are_shown_as_far_as_it_goes(model: SequenceModel, tmp_path: Path) -> None:
    text = "".join(np.random.default_rng(9).choice(list("ACGT"), 31))
    (tmp_path / "genome.fa").write_text(f">chr1\n{text}\n")
    genome = Genome(tmp_path / "genome.fa")
    source = SiteSource(genome, [Interval("chr1", 0, 10), Interval("chr1", 21, 31)], where="a.bed")
    found = predicted(model, source, tile=1)
    assert (found.columns["start"], found.columns["end"]) == ([0, 16], [15, 31])
    expected = predict_sequences(model, ["N" * 5 + text[:15], text[16:] + "N" * 5]).values
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert "2 windows reach past the end of the contig" in " ".join(found.notes)


def test_models_of_any_length_say_what_was_cut_and_padded() -> None:
    scanning = DeepBind(["a"], L, MotifConfig(filters=4, width_bases=6), scan=True).eval()
    source = in_memory(["A" * L, "A" * (L - 3), "A" * (L + 5), "A" * (L + 9)])
    note = f"the input: of 4 sequences, 2 were cut and 1 was padded with N at both ends to the {L} bases around"
    assert note in predicted(scanning, source, resize=True).notes[0]
    assert predicted(scanning, source).notes == ()


def test_a_step_beyond_any_sequence_is_one_window_and_the_last(model: SequenceModel) -> None:
    assert predicted(model, in_memory(["ACGT" * 10]), tile=10**30).columns["start"] == [0, 40 - L]


def test_all_sites_of_another_length_are_counted(model: SequenceModel, tmp_path: Path) -> None:
    (tmp_path / "genome.fa").write_text(f">chr1\n{'ACGT' * 50}\n")
    sites = [Interval("chr1", 0, end) for end in (20, 30, 20, 50, 19)]
    with pytest.raises(InputError, match=r"a\.bed: 3 of 5 intervals do not .* but 19 to 50 bases .chr1:0-30"):
        predicted(model, SiteSource(Genome(tmp_path / "genome.fa"), sites, where="a.bed"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"resize": True, "tile": 2}, "choose one"),
        ({"tile": 0}, "from 1 up, not 0"),
        ({"tile": -3}, "from 1 up, not -3"),
        ({"tile": 1.5}, "whole number of bases from 1 up, not 1.5"),
        ({"best": True}, "name the step"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Windowing(**options)  # type: ignore[arg-type]


def values_of(table: str) -> NDArray[np.float64]:
    return np.array([line.split("\t")[-1] for line in table.splitlines()[1:]], float)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("form", ["fasta", "gzip", "lines", "table", "stdin"])
def test_every_input_of_sequences_has_both_ways(
    form: str, made: Made, run_zoo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = {
        "lines": "".join(f"{one}\n" for one in texts()),
        "table": "name\tseq\n" + "".join(f"r{i}\t{one}\n" for i, one in enumerate(texts())),
    }.get(form, "".join(f">r{i}\n{one}\n" for i, one in enumerate(texts())))
    Path("in").write_bytes(gzip.compress(text.encode()) if form == "gzip" else text.encode())
    source = "-" if form == "stdin" else "in"

    def run(*options: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text.encode()))))
        return run_zoo("predict", made.models["labels"], source, "--targets", "two", *options)

    model = load(made.models["labels"])
    for options, windows in (
        (["--resize"], [padded(one)[0] for one in texts()]),
        (["--tile", "7"], [window for one in texts() for window, _ in tiles(one, 7)]),
    ):
        code, out, err = run(*options)
        assert code == 0, err
        np.testing.assert_allclose(values_of(out), predict_sequences(model, windows).values[:, 1], rtol=1e-5)
        assert "3 were padded with N" in err
    code, _, err = run()
    assert (code, err.count("\n")) == (2, 1)
    assert f"zoo: {shown_path(source)}: 7 of 9 sequences do not have the 20 bases that the model takes, but 1 to" in err
    assert "--resize" in err
    assert "--tile" in err


def test_windows_of_a_long_record_are_predicted_in_bounded_memory(
    model: SequenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "long.fa").write_text(">chr\n" + "ACGTTGCA" * 500 + "\n")
    monkeypatch.setattr(cut, "_WINDOWS_AT_ONCE", 100)
    predictor = LabelPredictor(model, windowing=Windowing(tile=1))
    plan = predictor.plan_file(SequenceFile(str(tmp_path / "long.fa")))
    sizes = [len(rows) for rows in predictor.stream(plan)]
    assert (max(sizes), sum(sizes)) == (100, 4000 - L + 1)


def test_lengths_of_other_sites_are_counted_in_blocks(
    model: SequenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_SITES_AT_ONCE", 2)
    (tmp_path / "genome.fa").write_text(f">chr1\n{'ACGT' * 50}\n")
    sites = [Interval("chr1", 0, 20)] * 4 + [Interval("chr1", 3, 24)]
    with pytest.raises(InputError, match="1 of 5 intervals"):
        predicted(model, SiteSource(Genome(tmp_path / "genome.fa"), sites))
