"""`zoo.predict` and `zoo.embed`: each form of input gives the values of `model.predict` on the codes."""

import doctest
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from made.models import CONTIGS, Made, make_files

import zoo
import zoo.api
import zoo.hub.load
from zoo import Genome, Interval
from zoo.errors import ConfigError, InputError, UnknownNameError
from zoo.genome.sequence import encode, one_hot
from zoo.inference.contacts import ContactPredictions
from zoo.inference.predictions import Predictions
from zoo.inference.tracks import TrackPredictions
from zoo.models._base import SequenceModel

KINDS = ("labels", "tracks", "contacts")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def models(made: Made) -> dict[str, SequenceModel]:
    return {kind: zoo.load(made.models[kind]) for kind in KINDS}


def texts(length: int) -> list[str]:
    rng = np.random.default_rng(length)
    return ["".join(rng.choice(list("ACGTN"), length)) for _ in range(3)]


def right(model: SequenceModel, sequences: list[str]) -> np.ndarray[Any, Any]:
    with torch.inference_mode():
        return model.predict(torch.from_numpy(np.stack([encode(text) for text in sequences]))).numpy()


def values(found: object) -> np.ndarray[Any, Any]:
    assert isinstance(found, Predictions)
    return found.to_numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "form",
    [
        "list",
        "bytes",
        "codes",
        "list of codes",
        "tensor",
        "array",
        "one-hot",
        "one-hot tensor",
        "quarter",
        "fasta",
        "tsv",
    ],
)
def test_every_form_of_sequences_gives_the_same(
    kind: str, form: str, models: dict[str, SequenceModel], tmp_path: Path
) -> None:
    model = models[kind]
    sequences = texts(model.length)
    codes = np.stack([encode(text) for text in sequences])
    if form == "fasta":
        (tmp_path / "in.fa").write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(sequences)))
        if kind != "labels":
            pytest.skip("a FASTA is the genome of a model of tracks or contacts")
    (tmp_path / "in.tsv").write_text("name\tseq\n" + "".join(f"s\t{text}\n" for text in sequences))
    given: Any = {
        "list": sequences,
        "bytes": [text.encode() for text in sequences],
        "codes": codes,
        "list of codes": list(codes),
        "tensor": torch.from_numpy(codes),
        "array": codes.astype(int),
        "one-hot": one_hot(torch.from_numpy(codes)).numpy(),
        "one-hot tensor": one_hot(torch.from_numpy(codes)),
        "quarter": one_hot(torch.from_numpy(codes), 0.25),
        "fasta": tmp_path / "in.fa",
        "tsv": zoo.SequenceFile(str(tmp_path / "in.tsv")).path,
    }[form]
    if form == "tsv" and kind != "labels":
        pytest.skip("a file is the genome of a model of tracks or contacts")
    found = zoo.predict(model, given)
    np.testing.assert_allclose(values(found), right(model, sequences), atol=1e-5)
    assert len(found) == 3  # type: ignore[arg-type]
    chosen = zoo.predict(model, given, targets=["two"])
    np.testing.assert_allclose(values(chosen), right(model, sequences)[:, 1:], atol=1e-5)


def test_one_sequence_is_text_codes_or_one_hot(models: dict[str, SequenceModel]) -> None:
    model = models["labels"]
    text = "ACGTTGCA" * (model.length // 8) + "GATC"[: model.length % 8]
    codes = encode(text)
    onehot = one_hot(torch.from_numpy(codes.copy())[None])[0]
    forms = [text, text.encode(), codes, onehot, onehot.bfloat16(), onehot.long(), onehot.numpy().astype(bool)]
    for given in (*forms, onehot.numpy().astype(np.uint8), np.array([text]), np.array([text], object)):
        np.testing.assert_allclose(values(zoo.predict(model, given)), right(model, [text]), atol=1e-6)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.full((1, 20), 5, np.uint8), "codes are 0 to 4"),
        (np.zeros((2, 20, 4), np.float32), "channels come last"),
        (np.full((1, 4, 20), 0.5, np.float32) * np.array([1, 1, 0, 0])[:, None], "neither one base nor N"),
        (np.array([["A"] * 20]), "neither codes nor one-hot"),
        (np.zeros(20, np.float32), "neither codes"),
        (["ACGT" * 5, "ACGE" * 5], "'sequence_2'.*'E'"),
        ("ACGE" * 5, "'E'"),
        ("gone.fa", "gone.fa: no such file"),
        (Path("gone.tsv"), "gone.tsv: no such file"),
        ("a.bed", "Genome"),
        ([Interval("chr1", 0, 20)], "Genome"),
        (7, "an object of type int cannot be predicted"),
        ("", "the sequence is empty"),
        (np.zeros((4, 20), np.uint8), "may be one-hot or the codes of four sequences"),
        (pd.DataFrame({"sequence": ["ACGT" * 5]}), r"give its column of sequences, such as df\['sequence'\]"),
        (["ACGT"], "1 of 1 sequence does not have the 20 bases"),
    ],
)
def test_what_is_no_sequence_is_refused(given: Any, words: str, models: dict[str, SequenceModel]) -> None:
    with pytest.raises(InputError, match=words):
        zoo.predict(models["labels"], given)


def test_four_sequences_of_codes_are_not_one_hot(models: dict[str, SequenceModel]) -> None:
    codes = np.stack([encode("ACCA" * 5), encode("CACA" * 5), encode("AACC" * 5), encode("CCAA" * 5)])
    assert values(zoo.predict(models["labels"], codes)).shape == (4, 2)


def test_other_letters_in_memory_are_counted(models: dict[str, SequenceModel]) -> None:
    found = zoo.predict(models["labels"], ["ACGT" * 5, "ACRN" + "ACGy" * 4])
    assert isinstance(found, Predictions)
    assert list(found.notes) == ["the input: 5 IUPAC letters other than A, C, G, T, U and N were read as N"]


@pytest.mark.parametrize("precision", ["bf-16", "64", "half"])
def test_an_unknown_precision_is_refused(precision: Any, models: dict[str, SequenceModel]) -> None:
    for call in (zoo.predict, zoo.embed):
        with pytest.raises(ConfigError, match=f"the precision is 32, bf16 or 16, not '{precision}'"):
            call(models["labels"], "ACGT" * 5, precision=precision)


def test_embeddings_of_other_lengths_are_those_of_their_centres(
    models: dict[str, SequenceModel], caplog: pytest.LogCaptureFixture
) -> None:
    long = "GG" + "ACGTTGCACA" * 2 + "TT"
    np.testing.assert_array_equal(
        zoo.embed(models["labels"], long, resize=True), zoo.embed(models["labels"], long[2:-2])
    )
    assert "of 1 sequence, 1 was cut to the 20 bases" in caplog.text
    with pytest.raises(ConfigError, match="resize is for models of labels"):
        zoo.embed(models["tracks"], long, resize=True)


def test_the_model_comes_first_and_a_target_may_be_one_name(models: dict[str, SequenceModel]) -> None:
    with pytest.raises(ConfigError, match="the model comes first, loaded or by name; an object of type list is none"):
        zoo.predict(["ACGT" * 5], models["labels"])  # type: ignore[arg-type]
    assert zoo.predict(models["labels"], "ACGT" * 5, targets="two").targets == ("two",)


def test_other_lengths_of_tracks_are_not_told_to_be_resized(models: dict[str, SequenceModel]) -> None:
    with pytest.raises(InputError, match="give whole windows, or a genome with intervals of any length"):
        zoo.predict(models["tracks"], ["ACGT"])


def test_intervals_off_the_genome_are_refused_and_regions_may_be_text(
    models: dict[str, SequenceModel], made: Made
) -> None:
    model, genome = models["labels"], Genome(made.genome)
    end = genome.contigs["chr2"]
    for outside in (Interval("chr2", end - 10, end + 10), Interval("chr2", -5, 15)):
        with pytest.raises(InputError, match="chr2"):
            zoo.predict(model, genome, outside)
    found = zoo.predict(model, genome, ["chr1:100-120", Interval("chr1", 200, 220)])
    assert found.to_dataframe()["start"].tolist() == [100, 200]
    with pytest.raises(InputError, match="is not an interval: give zoo"):
        zoo.predict(model, genome, [("chr1", 100, 120)])  # type: ignore[list-item]


def test_sites_are_intervals_or_a_bed_file(models: dict[str, SequenceModel], made: Made, tmp_path: Path) -> None:
    model, genome = models["labels"], Genome(made.genome)
    (tmp_path / "a.bed").write_text("chr1\t7\t27\tx\nchr2\t30\t70\ty\n")
    sites = [Interval("chr1", 7, 27), Interval("chr2", 40, 60)]
    expected = right(model, [genome.sequence(site) for site in sites])
    np.testing.assert_allclose(values(zoo.predict(model, genome, sites)), expected, atol=1e-6)
    found = zoo.predict(model, genome, tmp_path / "a.bed", resize=True)
    np.testing.assert_allclose(values(found), expected, atol=1e-6)
    assert found.to_dataframe()[["chrom", "start", "end", "name"]].to_numpy().tolist() == [
        ["chr1", 7, 27, "x"],
        ["chr2", 30, 70, "y"],
    ]
    np.testing.assert_allclose(values(zoo.predict(model, genome, "chr2:40-60")), expected[1:], atol=1e-6)
    with pytest.raises(InputError, match=r"a\.bed|intervals"):
        zoo.predict(model, genome, tmp_path / "a.bed")


def test_tracks_of_a_genome_are_a_data_frame_of_bins(models: dict[str, SequenceModel], made: Made) -> None:
    found = zoo.predict(models["tracks"], str(made.genome))
    assert isinstance(found, TrackPredictions)
    frame = found.to_dataframe()
    assert list(frame) == ["chrom", "start", "end", "one", "two"]
    assert {name: int(end) for name, end in frame.groupby("chrom")["end"].max().items()} == CONTIGS
    np.testing.assert_array_equal(frame[["one", "two"]].to_numpy(), found.to_numpy())
    segment = found.segments[1]
    part = frame[frame["chrom"] == segment.contig]
    np.testing.assert_array_equal(part["two"], segment.values[1])
    assert part["start"].tolist() == list(range(segment.start, segment.start + 16 * len(segment), 16))
    assert repr(found).startswith("TrackPredictions(2 targets, 558 bins: one, two; chr1:0-5008")


def test_contacts_of_a_region_are_a_map_and_a_data_frame(models: dict[str, SequenceModel], made: Made) -> None:
    found = zoo.predict(models["contacts"], Genome(made.genome), [Interval("chr1", 1_000, 3_000)])
    assert isinstance(found, ContactPredictions)
    matrix, frame = found.to_numpy(), found.to_dataframe()
    assert list(frame) == ["chrom1", "start1", "end1", "chrom2", "start2", "end2", "one", "two"]
    upper = np.triu(np.ones(matrix.shape[1:], bool)) & ~np.isnan(matrix[0])
    assert len(frame) == upper.sum()
    first = found.rows[0].first * 64
    for row in (0, len(frame) // 2, len(frame) - 1):
        i, j = ((int(frame[f"start{side}"][row]) - first) // 64 for side in (1, 2))
        assert frame["two"][row] == matrix[1, i, j]
    assert repr(found).startswith("ContactPredictions(2 targets, ")
    with pytest.raises(ConfigError, match="2 regions"):
        zoo.predict(
            models["contacts"], Genome(made.genome), [Interval("chr1", 1000, 3000), Interval("chr4", 0, 2000)]
        ).to_numpy()


@pytest.mark.parametrize("kind", ["tracks", "contacts"])
def test_resize_is_for_labels(kind: str, models: dict[str, SequenceModel], made: Made) -> None:
    with pytest.raises(ConfigError, match=f"models of labels; this one predicts {kind}"):
        zoo.predict(models[kind], Genome(made.genome), resize=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_name_of_a_model_does_as_well(kind: str, models: dict[str, SequenceModel], made: Made) -> None:
    sequences = texts(models[kind].length)
    found = zoo.predict(made.models[kind], sequences)
    np.testing.assert_array_equal(values(found), values(zoo.predict(models[kind], sequences)))
    with pytest.raises(UnknownNameError, match=r"mlp\.nothing"):
        zoo.predict("mlp.nothing", sequences)


@pytest.mark.parametrize("kind", KINDS)
def test_embeddings_are_the_output_of_the_trunk(kind: str, models: dict[str, SequenceModel], made: Made) -> None:
    model = models[kind]
    sequences = texts(model.length)
    with torch.inference_mode():
        expected = model.features(torch.from_numpy(np.stack([encode(text) for text in sequences]))).numpy()
    for name in (model, made.models[kind]):
        np.testing.assert_allclose(zoo.embed(name, sequences, batch_size=2), expected, atol=1e-5)
    genome = Genome(made.genome)
    site = Interval("chr1", 100, 100 + model.length)
    np.testing.assert_allclose(zoo.embed(model, genome, [site]), zoo.embed(model, genome.sequence(site)), atol=1e-5)
    with pytest.raises(InputError, match="no sequence"):
        zoo.embed(model, [])


def test_the_examples_of_the_docstrings_run() -> None:
    for module in (zoo.api, zoo.hub.load):
        result = doctest.testmod(module)
        assert (result.failed, result.attempted > 2) == (0, True), module


def test_importing_zoo_is_light_and_its_names_are_found() -> None:
    script = "import sys, zoo; print(sorted({'torch', 'pandas', 'numpy', 'lightning'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    modules = [name for name in zoo.__all__ if name.endswith("DataModule")]
    assert modules == ["ContactDataModule", "PeakDataModule", "SequenceDataModule", "TrackDataModule"]
    assert all(getattr(zoo, name) for name in zoo.__all__)
