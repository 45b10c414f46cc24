"""Weights that others published score as their authors' own program does."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import zoo.hub.load
from zoo.errors import DownloadError, IntegrityError
from zoo.importers import deepbind
from zoo.inference.labels import predict_sequences
from zoo.utils.download import cache_folder, fetch, sha256_of

Numbers = dict[str, int]
Arrays = dict[str, NDArray[np.float64]]
Publish = Callable[[bytes], None]

NAME = "deepbind.D00328.003"
WIDTH, DETECTORS = 7, 5
WINDOW = 10  # one and a half motifs, rounded down
SEQUENCES = [
    "A",
    "ACGTN",
    "acguUNNacg",
    "GATTACAGATTACAN",
    "NNNNNNNNNNNN",
    "UUGCAUGAAAUAACUUGGAGAGGAUAGCNACGTACGGTCA",
    "ACGTTGCAAC" + "TTNGACCATG" * 4 + "GGGTC",
]

EXAMPLE = [
    "AGGUAAUAAUUUGCAUGAAAUAACUUGGAGAGGAUAGC",
    "AGACAGAGCUUCCAUCAGCGCUAGCAGCAGAGACCAUU",
    "GAGGTTACGCGGCAAGATAA",
    "TACCACTAGGGGGCGCCACC",
]
GOLDEN = {
    "deepbind.D00210.001": [7.451420, -0.155398, -0.140683, -0.174985],
    "deepbind.D00120.001": [-0.166146, 4.113817, 0.181295, -0.152521],
    "deepbind.D00410.003": [-0.408751, 0.516956, 5.885349, -0.379695],
    "deepbind.D00328.003": [-0.026180, -0.248167, -0.026180, 17.682623],
}


@pytest.mark.public_data
@pytest.mark.parametrize("name", GOLDEN)
def test_the_published_examples_score_as_published(name: str) -> None:
    found = predict_sequences(zoo.hub.load.load(name), EXAMPLE).values[:, 0]
    np.testing.assert_allclose(found, GOLDEN[name], atol=1e-5, rtol=0)


@pytest.mark.public_data
def test_all_927_published_files_have_the_sha256_and_size_of_the_index() -> None:
    folder = Path(os.environ["ZOO_MIRROR"]) / deepbind.REPOSITORY.removeprefix("https://") / "db/params"
    rows = deepbind._index().values()
    assert len(rows) == 927
    differ = [row["id"] for row in rows if sha256_of(folder / f"{row['id']}.txt") != row["sha256"]]
    assert differ == []
    assert all((folder / f"{row['id']}.txt").stat().st_size == int(row["bytes"]) for row in rows)


def one_strand(numbers: Numbers, arrays: Arrays, rows: NDArray[np.float64]) -> float:
    """The published score of one strand, in plain numpy: rows (L, 4)."""
    width, hidden = numbers["detector_len"], numbers["num_hidden"]
    margin = np.full((width - 1, 4), 0.25)
    padded = np.concatenate([margin, rows, margin])
    # The flat index of a detector's value is detector + detectors * (base + 4 * position).
    detectors = arrays["detectors"].reshape(width, 4, numbers["num_detectors"])
    scores = [
        np.tensordot(padded[start : start + width], detectors, axes=([0, 1], [0, 1])) + arrays["thresholds"]
        for start in range(len(padded) - width + 1)
    ]
    rectified = np.maximum(np.array(scores), 0)
    features = rectified.max(0)
    if numbers["has_avg_pooling"]:
        features = np.array([value for pair in zip(features, rectified.mean(0), strict=True) for value in pair])
    if not hidden:
        return float(features @ arrays["weights1"] + arrays["biases1"][0])
    units = [
        max(0.0, float(sum(f * arrays["weights1"][i * hidden + j] for i, f in enumerate(features))) + bias)
        for j, bias in enumerate(arrays["biases1"])
    ]
    return float(np.array(units) @ arrays["weights2"] + arrays["biases2"][0])


def published_score(numbers: Numbers, arrays: Arrays, sequence: str) -> float:
    """The highest score of all windows of one and a half motifs, and of both strands where both are read."""
    bases = "ACGT"
    rows = np.full((len(sequence), 4), 0.25)
    for position, letter in enumerate(sequence.upper().replace("U", "T")):
        if letter in bases:
            rows[position] = [float(letter == base) for base in bases]
    window = int(1.5 * numbers["detector_len"])
    parts = [rows[start : start + window] for start in range(max(1, len(rows) - window + 1))]
    if numbers["reverse_complement"]:
        parts += [part[::-1, ::-1] for part in parts]
    return max(one_strand(numbers, arrays, part) for part in parts)


def made_parameters(mean: int, hidden: int, both: int) -> tuple[Numbers, Arrays]:
    rng = np.random.default_rng([mean, hidden, both])
    features = DETECTORS * (1 + mean)
    numbers = {
        "reverse_complement": both,
        "num_detectors": DETECTORS,
        "detector_len": WIDTH,
        "has_avg_pooling": mean,
        "num_hidden": hidden,
    }
    arrays = {
        "detectors": rng.normal(size=WIDTH * 4 * DETECTORS),
        "thresholds": rng.normal(size=DETECTORS),
        "weights1": rng.normal(size=features * max(hidden, 1)) * 0.3,
        "biases1": rng.normal(size=max(hidden, 1)),
    }
    if hidden:
        arrays |= {"weights2": rng.normal(size=hidden) * 0.3, "biases2": rng.normal(size=1)}
    return numbers, arrays


def as_text(numbers: Numbers, arrays: Arrays) -> dict[str, str]:
    lines = {key: str(value) for key, value in numbers.items()}
    lines |= {key: ",".join(f"{value:.9e}" for value in values) for key, values in arrays.items()}
    return {"weights2": "", "biases2": ""} | lines


def as_file(lines: dict[str, str]) -> bytes:
    # The published files end their lines as on Windows.
    return "\r\n".join(["# deepbind 0.1", *(f"{key} = {value}" for key, value in lines.items()), ""]).encode()


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Put a parameter file into a made mirror, and its sha256 into the index."""

    def put(content: bytes) -> None:
        identifier = NAME.removeprefix("deepbind.")
        row = {**deepbind._index()[NAME], "sha256": hashlib.sha256(content).hexdigest(), "bytes": str(len(content))}
        path = tmp_path / deepbind.REPOSITORY.removeprefix("https://") / "db/params" / f"{identifier}.txt"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        monkeypatch.setenv("ZOO_MIRROR", str(tmp_path))
        monkeypatch.setattr(deepbind, "_index", lambda: {NAME: row})

    return put


@pytest.mark.parametrize("both", [0, 1])
@pytest.mark.parametrize("hidden", [0, 32])
@pytest.mark.parametrize("mean", [0, 1])
def test_an_imported_model_scores_as_the_published_program(mean: int, hidden: int, both: int, publish: Publish) -> None:
    numbers, arrays = made_parameters(mean, hidden, both)
    publish(as_file(as_text(numbers, arrays)))
    model = zoo.hub.load.load(NAME)
    assert model.output.targets == ("CTCF",)
    assert (model.min_length, model.max_length) == (1, None)
    assert model.length == WINDOW
    expected = [published_score(numbers, arrays, sequence) for sequence in SEQUENCES]
    assert len({round(value, 3) for value in expected}) > len(SEQUENCES) // 2, "the sequences must tell models apart"
    np.testing.assert_allclose(predict_sequences(model, SEQUENCES).values[:, 0], expected, atol=1e-5, rtol=0)


def test_the_reverse_strand_counts_only_where_both_are_read(publish: Publish) -> None:
    numbers, arrays = made_parameters(0, 0, 1)
    one = [published_score({**numbers, "reverse_complement": 0}, arrays, sequence) for sequence in SEQUENCES]
    both = [published_score(numbers, arrays, sequence) for sequence in SEQUENCES]
    assert one != both
    publish(as_file(as_text({**numbers, "reverse_complement": 0}, arrays)))
    np.testing.assert_allclose(
        predict_sequences(zoo.hub.load.load(NAME), SEQUENCES).values[:, 0], one, atol=1e-5, rtol=0
    )


def test_an_import_is_kept_as_a_checkpoint_and_needs_its_source_no_more(
    publish: Publish, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    publish(as_file(as_text(*made_parameters(0, 0, 1))))
    first = zoo.hub.load.load(NAME)
    folder = cache_folder() / "models" / NAME
    assert (folder / "model.safetensors").is_file()
    monkeypatch.setenv("ZOO_MIRROR", str(tmp_path / "gone"))
    second = zoo.hub.load.load(NAME)
    assert all(torch.equal(value, second.state_dict()[key]) for key, value in first.state_dict().items())
    assert zoo.hub.load.verify(NAME).difference == 0


NUMBERS, ARRAYS = made_parameters(1, 32, 1)
GOOD = as_text(NUMBERS, ARRAYS)
BROKEN: dict[str, bytes] = {
    "empty": b"",
    "a page instead of a file": b"<html><body>404: Not Found</body></html>",
    "not text": b"\x00\xff\xfe\x80" * 40,
    "no key num_detectors": as_file({key: value for key, value in GOOD.items() if key != "num_detectors"}),
    "no key detectors": as_file({key: value for key, value in GOOD.items() if key != "detectors"}),
    "no key weights2": as_file({key: value for key, value in GOOD.items() if key != "weights2"}),
    "a word among the numbers": as_file(GOOD | {"thresholds": "1.0,many,2.0,1.0,1.0"}),
    "a number that is no whole one": as_file(GOOD | {"detector_len": "7.5"}),
    "too few detectors": as_file(GOOD | {"detectors": GOOD["detectors"].rpartition(",")[0]}),
    "too few thresholds": as_file(GOOD | {"thresholds": GOOD["thresholds"].rpartition(",")[0]}),
    "too few weights": as_file(GOOD | {"weights1": GOOD["weights1"].rpartition(",")[0]}),
    "too many biases": as_file(GOOD | {"biases1": GOOD["biases1"] + ",1.0"}),
    "a weight that is not finite": as_file(GOOD | {"biases2": "nan"}),
    "no detector": as_file(GOOD | {"num_detectors": "0"}),
    "detectors of a negative length": as_file(GOOD | {"detector_len": "-7"}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_parameter_file_is_refused_and_nothing_is_kept(case: str, publish: Publish) -> None:
    publish(BROKEN[case])
    with pytest.raises(IntegrityError) as caught:
        zoo.hub.load.load(NAME)
    assert "\n" not in str(caught.value)
    assert not (cache_folder() / "models" / NAME).exists()


def test_a_file_that_is_not_the_published_one_is_refused(publish: Publish, tmp_path: Path) -> None:
    publish(as_file(GOOD))
    (path,) = tmp_path.rglob("D00328.003.txt")
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(IntegrityError, match=r"D00328\.003\.txt.*sha256"):
        zoo.hub.load.load(NAME)


def test_a_file_that_the_mirror_does_not_have_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_MIRROR", str(tmp_path))
    with pytest.raises(DownloadError, match=r"D00328\.003\.txt"):
        zoo.hub.load.load(NAME)


@pytest.mark.public_data
def test_the_mirror_serves_a_published_file() -> None:
    from zoo.utils.download import PublicFile

    row = deepbind._index()[NAME]
    file = PublicFile(f"{deepbind.REPOSITORY}/db/params/{row['id']}.txt", row["sha256"], int(row["bytes"]))
    numbers, arrays = deepbind.parse_parameters(fetch(file))
    assert numbers == {
        "reverse_complement": 1,
        "num_detectors": 16,
        "detector_len": 20,
        "has_avg_pooling": 0,
        "num_hidden": 32,
    }
    assert arrays["detectors"].shape == (16 * 4 * 20,)
