"""Input tracks: models of every kind predict with the values of their windows, on the strand that is read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cooler
import numpy as np
import pyBigWig
import pytest
import torch
from made.models import SIZE, TRACKS, Made, make_files
from numpy.typing import NDArray

from zoo.api import predict
from zoo.errors import ConfigError, InputError
from zoo.formats.sequences import SequenceFile
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.hub.load import load
from zoo.inference.choose import predictor_for
from zoo.inference.labels import LabelPredictor
from zoo.inference.predictions import Predictions
from zoo.inference.tracks import TrackPredictions
from zoo.inference.windows import WindowReader
from zoo.outputs import Contacts, Tracks

Run = Callable[..., tuple[int, str, str]]
Values = NDArray[np.float32]
KINDS = ("labels", "tracks", "contacts")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))


def input_values(made: Made, window: Interval) -> Values:
    """Means of `SIZE` bases (I, P), base by base, 0 past the ends; on the minus strand reversed and swapped."""
    values = np.zeros((len(TRACKS), len(window)), np.float32)
    for row, track in enumerate(TRACKS):
        contig = made.tracks[track][window.chrom]
        for index, base in enumerate(range(window.start, window.end)):
            values[row, index] = contig[base] if 0 <= base < len(contig) else 0
    means = values.reshape(len(TRACKS), -1, SIZE).mean(-1)
    on_strand: Values = means[::-1, ::-1].copy() if window.strand == "-" else means
    return on_strand


def predicted(made: Made, kind: str, window: Interval) -> Values:
    """What the model gives for one window, its inputs computed base by base."""
    model = load(made.with_inputs[kind])
    codes = torch.from_numpy(Genome(made.genome).codes(window).copy())[None]
    with torch.inference_mode():
        found: Values = model.predict(codes, torch.from_numpy(input_values(made, window))[None])[0].numpy()
    return found


def test_labels_of_sites_anywhere_on_both_strands(made: Made) -> None:
    sites = [
        Interval("chr1", 101, 121, strand="-"),
        Interval("chr2", 7, 27),
        Interval("chr1", 101, 121),
        Interval("chr4", 1_983, 2_003, "past the end", "-"),
        Interval("chr1", 2_002, 2_022, strand="-"),
    ]
    model, genome = load(made.with_inputs["labels"]), Genome(made.genome)
    with pytest.raises(InputError, match=r"chr4:1983-2003.* reaches past the end of chr4"):
        predict(model, genome, sites, inputs=made.inputs)
    predictor = LabelPredictor(model, inputs=made.inputs)  # reads what lies outside as N
    plan = predictor.plan(genome, sites)
    found = predictor.collect(plan, predictor.stream(plan))
    expected = np.stack([predicted(made, "labels", site) for site in sites])
    inside = [0, 1, 2, 4]  # a bin that a contig ends in is the mean of its bases alone
    np.testing.assert_allclose(found.values[inside], expected[inside], rtol=1e-4, atol=1e-6)
    assert np.isfinite(found.values).all()
    assert not np.allclose(found.values[0], found.values[2], atol=1e-3)


def test_blocks_of_sites_change_nothing(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    model, genome = load(made.with_inputs["labels"]), Genome(made.genome)
    sites = [Interval("chr1", start, start + 20, strand="+-"[start % 2]) for start in range(0, 900, 13)]
    whole = predict(model, genome, iter(sites), inputs=made.inputs)
    monkeypatch.setattr("zoo.inference.sources._BASES_AT_ONCE", 7 * 20)
    predictor = LabelPredictor(model, inputs=made.inputs)
    plan = predictor.plan(genome, iter(sites))
    blocks = list(predictor.stream(plan))
    assert (plan.windows, {len(block) for block in blocks[:-1]}) == (len(sites), {7})
    assert isinstance(whole, Predictions)
    np.testing.assert_allclose(np.concatenate([block.values for block in blocks]), whole.values, rtol=1e-4, atol=1e-6)


def test_tracks_along_a_contig(made: Made) -> None:
    model, genome = load(made.with_inputs["tracks"]), Genome(made.genome)
    output = model.output
    assert isinstance(output, Tracks)
    found = predict(model, genome, [Interval("chr4", 0, 2_000)], inputs=made.inputs)
    assert isinstance(found, TrackPredictions)
    (segment,) = found.segments
    trim = output.bins // 8
    for start in range(0, 125 - output.bins, output.bins - 2 * trim):
        first = (start - trim) * output.bin_size - output.crop
        window = predicted(made, "tracks", Interval("chr4", first, first + model.length))
        np.testing.assert_allclose(
            segment.values[:, start : start + output.bins - 2 * trim], window[:, trim:-trim], rtol=1e-4, atol=1e-6
        )


def test_contacts_of_one_window(made: Made) -> None:
    model, genome = load(made.with_inputs["contacts"]), Genome(made.genome)
    output = model.output
    assert isinstance(output, Contacts)
    predictor = predictor_for(output)(model, inputs=made.inputs)
    maps = predictor.predict(genome, [Interval("chr2", 0, 1_280)]).maps()
    expected = output.contact_maps(torch.from_numpy(predicted(made, "contacts", Interval("chr2", 0, 1_280))))
    np.testing.assert_allclose(maps["chr2:128-1152"], expected.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_and_unread_input_tracks_are_refused(made: Made, kind: str) -> None:
    words = r"reads 2 input tracks in addition to the sequence \(left, right\): name their table with --inputs"
    for name, inputs, message in (
        (made.with_inputs[kind], None, words),
        (made.models[kind], made.inputs, "the model reads the sequence alone: leave out --inputs"),
    ):
        model = load(name)
        with pytest.raises(ConfigError, match=message):
            predictor_for(model.output)(model, inputs=inputs)


def test_sequences_without_coordinates_have_no_input_tracks(made: Made) -> None:
    predictor = LabelPredictor(load(made.with_inputs["labels"]), inputs=made.inputs)
    with pytest.raises(ConfigError, match="--inputs needs coordinates"):
        predictor.plan_file(SequenceFile(str(made.genome)))


def test_a_site_that_values_do_not_divide_is_refused(made: Made) -> None:
    reader = WindowReader(load(made.with_inputs["labels"]), Genome(made.genome), {"chr1"}, made.inputs)
    with pytest.raises(InputError, match="'chr1:0-21': its 21 bases are no multiple of the 4 of a value"):
        reader.input_values([Interval("chr1", 0, 21)])


# The command line.


@pytest.fixture
def files(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    monkeypatch.chdir(tmp_path)
    yield made


def test_the_command_writes_what_the_predictors_give(files: Made, run_zoo: Run) -> None:
    Path("sites.bed").write_text("chr1\t101\t121\ta\t0\t-\nchr2\t7\t27\t.\t0\t.\n")
    options = ["--genome", str(files.genome), "--inputs", files.inputs]
    code, out, err = run_zoo("predict", files.with_inputs["labels"], "sites.bed", *options)
    assert (code, err) == (0, "")
    sites = [Interval("chr1", 101, 121, "a", "-"), Interval("chr2", 7, 27)]
    rows = [[float(cell) for cell in line.split("\t")[4:]] for line in out.splitlines()[1:]]
    np.testing.assert_allclose(rows, [predicted(files, "labels", site) for site in sites], rtol=1e-4)

    options = ["--contigs", "chr2", "--inputs", files.inputs]
    assert run_zoo("predict", files.with_inputs["tracks"], str(files.genome), *options, "-o", "tracks")[0] == 0
    found = predict(
        load(files.with_inputs["tracks"]), Genome(files.genome), [Interval("chr2", 0, 1_280)], inputs=files.inputs
    )
    assert isinstance(found, TrackPredictions)
    with pyBigWig.open("tracks/one.bw") as file:
        np.testing.assert_allclose(
            file.values("chr2", 0, 1_280, numpy=True)[::16], found.segments[0].values[0], rtol=1e-6
        )

    options += ["--targets", "two", "-o", "a.cool"]
    assert run_zoo("predict", files.with_inputs["contacts"], str(files.genome), *options)[0] == 0
    matrix = cooler.Cooler("a.cool").matrix(balance=False).fetch("chr2")
    model = load(files.with_inputs["contacts"])
    assert isinstance(model.output, Contacts)
    values = torch.from_numpy(predicted(files, "contacts", Interval("chr2", 0, 1_280)))
    expected = np.nan_to_num(model.output.contact_maps(values)[1].numpy())
    np.testing.assert_allclose(matrix[2:-2, 2:-2], expected, rtol=1e-4, atol=1e-6)


def test_inputs_of_sequences_are_refused_before_a_model_is_loaded(
    files: Made, run_zoo: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.load.load", None)
    code, out, err = run_zoo("predict", files.with_inputs["labels"], str(files.genome), "--inputs", files.inputs)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--inputs needs coordinates, which sequences lack" in err
