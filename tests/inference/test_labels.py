"""Predictions depend on the sequence alone, and a table of them appears whole or not at all."""

import errno
import io
import os
import resource
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError, InputError, OutputError
from zoo.formats.sequences import SequenceFile
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import encode
from zoo.hub.loading import load_folder
from zoo.inference.labels import (
    LabelPredictor,
    predict_codes,
    predict_sequences,
)
from zoo.inference.predictions import Predictions
from zoo.models._base import SequenceModel
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.motifs import MotifConfig, Pooling, Strands
from zoo.writers.labels import LabelRows, write_labels

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def random_sequences(lengths: list[int], seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGTN"), length, p=[0.24, 0.24, 0.24, 0.24, 0.04])) for length in lengths]


def reverse_complement(sequence: str) -> str:
    return sequence.translate(COMPLEMENT)[::-1]


def one_by_one(model: SequenceModel, sequences: list[str]) -> NDArray[np.float32]:
    model.eval()
    with torch.inference_mode():
        rows = [model.predict(torch.from_numpy(encode(sequence).copy())[None]) for sequence in sequences]
    return torch.cat(rows).numpy()


def small_deepbind(strands: Strands = "best_score", pooling: Pooling = "max", **more: Any) -> DeepBind:
    torch.manual_seed(3)
    model = DeepBind(["a", "b"], 20, MotifConfig(4, 6, pooling=pooling, strands=strands), **more)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
    return model.eval()


class BothStrandsMLP(MLP):
    rc_average = True


def table(count: int, targets: tuple[str, ...] = ("a", "b")) -> Predictions:
    values = np.arange(count * len(targets), dtype=np.float32).reshape(count, -1)
    return Predictions([f"s{i}" for i in range(count)], targets, values)


def rows(count: int) -> LabelRows:
    return LabelRows(table(count).names, table(count).values)


@pytest.mark.parametrize("batch_size", [1, 7, 64])
@pytest.mark.parametrize("pooling", ["max", "max_mean"])
def test_mixed_lengths_are_predicted_as_if_each_sequence_were_alone(batch_size: int, pooling: Pooling) -> None:
    model = small_deepbind(scan=True, pooling=pooling, loss="mean_squared_error")
    rng = np.random.default_rng(1)
    sequences = random_sequences([*rng.integers(1, 70, 80).tolist(), *[20] * 20])
    result = predict_sequences(model, sequences, batch_size=batch_size)
    np.testing.assert_allclose(result.values, one_by_one(model, sequences), atol=1e-5, rtol=0)
    assert np.unique(result.values.round(4)).size > 80
    assert result.names[:2] == ["sequence_1", "sequence_2"]


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_batch_size_changes_nothing_for_a_loaded_checkpoint(batch_size: int, tiny_checkpoint: Path) -> None:
    model = load_folder(tiny_checkpoint / "mlp.tiny")
    sequences = random_sequences([20] * 65)
    result = predict_sequences(model, sequences, batch_size=batch_size).values
    np.testing.assert_allclose(result, one_by_one(model, sequences), atol=1e-5, rtol=0)


def test_both_strands_are_averaged_in_natural_units_where_the_model_says_so() -> None:
    torch.manual_seed(0)
    model = BothStrandsMLP(["a", "b"], 20, hidden=(8,))
    forward = MLP(["a", "b"], 20, hidden=(8,))
    forward.load_state_dict(model.state_dict())
    sequences = random_sequences([20] * 9)
    this, other = one_by_one(forward, sequences), one_by_one(forward, [reverse_complement(s) for s in sequences])
    assert np.abs(this - other).max() > 1e-3
    np.testing.assert_allclose(predict_sequences(model, sequences).values, (this + other) / 2, atol=1e-6, rtol=0)


@pytest.mark.parametrize("scan", [False, True])
@pytest.mark.parametrize("strands", ["best_score", "best_filter"])
@pytest.mark.parametrize("pooling", ["max", "max_mean"])
def test_a_deepbind_of_both_strands_does_not_care_which_is_given(
    strands: Strands, pooling: Pooling, scan: bool
) -> None:
    model = small_deepbind(strands, pooling=pooling, scan=scan, hidden=3, ensemble_members=2)
    sequences = random_sequences([33 if scan else 20] * 20)
    this = predict_sequences(model, sequences).values
    other = predict_sequences(model, [reverse_complement(sequence) for sequence in sequences]).values
    np.testing.assert_allclose(this, other, atol=1e-5, rtol=0)


def test_a_deepbind_of_one_strand_does_care() -> None:
    model = small_deepbind("forward")
    sequences = random_sequences([20] * 20)
    this = predict_sequences(model, sequences).values
    other = predict_sequences(model, [reverse_complement(sequence) for sequence in sequences]).values
    assert np.abs(this - other).max() > 1e-3


@pytest.mark.parametrize("training", [True, False])
def test_prediction_ignores_dropout_and_leaves_the_mode_as_it_was(training: bool) -> None:
    torch.manual_seed(0)
    model = MLP(["a"], 20, dropout=0.9).train(training)
    sequences = random_sequences([20] * 4)
    first = predict_sequences(model, sequences).values
    assert model.training is training
    np.testing.assert_array_equal(first, predict_sequences(model, sequences).values)
    with pytest.raises(InputError):
        predict_sequences(model, ["ACGT"])
    assert model.training is training


def test_a_part_that_was_frozen_in_evaluation_mode_stays_so() -> None:
    model = MLP(["a"], 20).train()
    model.trunk.eval()
    predict_sequences(model, random_sequences([20]))
    assert model.head.training
    assert not model.trunk.training


def test_an_error_in_the_model_leaves_its_mode_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: torch.Tensor) -> NoReturn:
        raise RuntimeError("broken")

    model = MLP(["a"], 20).train()
    monkeypatch.setattr(model, "forward", fail)
    with pytest.raises(RuntimeError, match="broken"):
        predict_sequences(model, random_sequences([20]))
    assert model.training


@pytest.mark.parametrize("precision", ["bf16", "16"])
def test_a_lower_precision_is_close_and_the_table_is_float32(precision: Literal["bf16", "16"]) -> None:
    model = small_deepbind()
    sequences = random_sequences([20] * 10)
    result = predict_sequences(model, sequences, precision=precision).values
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, predict_sequences(model, sequences).values, atol=0.05, rtol=0)


def test_no_sequences_make_an_empty_table() -> None:
    assert predict_sequences(MLP(["a", "b"], 20), []).values.shape == (0, 2)
    assert predict_codes(MLP(["a"], 20), [], []).shape == (0, 1)


@pytest.mark.parametrize("size", [0, -3])
def test_a_batch_size_below_one_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=str(size)):
        predict_sequences(MLP(["a"], 20), ["A" * 20], batch_size=size)


def test_a_wrong_length_is_refused_by_name_length_and_what_the_model_takes() -> None:
    with pytest.raises(InputError, match=r"'second'.*21 bases.*takes 20"):
        predict_sequences(MLP(["a"], 20), ["A" * 20, "A" * 21], names=["first", "second"])


@pytest.fixture
def genome(tmp_path: Path) -> Genome:
    one, two = random_sequences([100, 60], seed=5)
    (tmp_path / "genome.fa").write_text(f">chr1\n{one[:50]}\n{one[50:]}\n>chr2\n{two[:50]}\n{two[50:]}\n")
    return Genome(tmp_path / "genome.fa")


def test_intervals_are_predicted_as_their_sequences(genome: Genome, tiny_checkpoint: Path) -> None:
    model = load_folder(tiny_checkpoint / "mlp.tiny")
    intervals = [Interval("chr1", 40, 60), Interval("chr2", 5, 25, "named", "-"), Interval("chr1", 0, 20)]
    result = LabelPredictor(model).predict(genome, intervals)
    expected = one_by_one(model, [genome.sequence(interval) for interval in intervals])
    assert result.names == ["chr1:40-60", "named", "chr1:0-20"]
    np.testing.assert_allclose(result.values, expected, atol=1e-5, rtol=0)
    reversed_values = LabelPredictor(model).predict(genome, [Interval("chr2", 5, 25)]).values
    assert np.abs(reversed_values - result.values[1]).max() > 1e-3


def test_no_intervals_make_an_empty_table(genome: Genome) -> None:
    assert LabelPredictor(MLP(["a"], 20)).predict(genome, []).values.shape == (0, 1)


def test_intervals_are_read_as_they_are_predicted(genome: Genome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.inference.sources._SITES_AT_ONCE", 4)
    taken: list[int] = []

    def endless() -> Iterator[Interval]:
        while True:
            taken.append(1)
            yield Interval("chr1", 0, 20)

    predictor = LabelPredictor(MLP(["a"], 20))
    blocks = predictor.stream(predictor.plan(genome, endless()))
    assert [len(next(blocks)) for _ in range(3)] == [4, 4, 4]
    assert len(taken) <= 16


def test_a_table_has_a_header_names_and_seven_digits(tmp_path: Path) -> None:
    values = np.array([[0.123456789, 1e-9], [-2.5, 12345678.0]], dtype=np.float32)
    Predictions(["one", "two"], ("a", "b"), values).write(tmp_path / "out.tsv")
    assert (tmp_path / "out.tsv").read_text() == "name\ta\tb\none\t0.1234568\t1e-09\ntwo\t-2.5\t1.234568e+07\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.tsv"]


def test_a_percent_sign_in_a_name_is_only_a_letter(tmp_path: Path) -> None:
    Predictions(["50%s", "%d"], ("a%g",), np.ones((2, 1), np.float32)).write(tmp_path / "out.tsv")
    assert (tmp_path / "out.tsv").read_text() == "name\ta%g\n50%s\t1\n%d\t1\n"


def test_seven_digits_bring_a_probability_back_to_a_float32(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((100, 1)).astype(np.float32)
    Predictions([str(i) for i in range(100)], ("a",), values).write(tmp_path / "out.tsv")
    back = np.loadtxt(tmp_path / "out.tsv", skiprows=1, usecols=1)
    np.testing.assert_allclose(back, values[:, 0], rtol=1e-6)


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a\rb"])
def test_a_name_never_makes_another_column_or_line(name: str, tmp_path: Path) -> None:
    Predictions([name, "next"], ("t",), np.ones((2, 1), np.float32)).write(tmp_path / "out.tsv")
    rows = [line.split("\t") for line in (tmp_path / "out.tsv").read_text().splitlines()]
    assert [len(row) for row in rows] == [2, 2, 2]


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert write_labels("-", ["a", "b"], [rows(1), rows(2)]) == 3
    assert capsys.readouterr().out.splitlines()[:2] == ["name\ta\tb", "s0\t0\t1"]
    assert not sys.stdout.closed


def test_a_table_without_rows_still_has_its_header(tmp_path: Path) -> None:
    assert write_labels(tmp_path / "out.tsv", ["a"], []) == 0
    assert (tmp_path / "out.tsv").read_text() == "name\ta\n"


def test_a_new_table_is_as_public_as_any_new_file(tmp_path: Path) -> None:
    table(1).write(tmp_path / "out.tsv")
    (tmp_path / "plain").touch()
    assert (tmp_path / "out.tsv").stat().st_mode == (tmp_path / "plain").stat().st_mode


def broken_blocks() -> Iterator[LabelRows]:
    yield rows(2)
    raise InputError("the third record is broken")


@pytest.mark.parametrize("old", [None, "of yesterday"])
def test_an_error_in_the_middle_leaves_all_as_it_was(old: str | None, tmp_path: Path) -> None:
    path = tmp_path / "out.tsv"
    if old:
        path.write_text(old)
    with pytest.raises(InputError, match="third record"):
        write_labels(path, ["a", "b"], broken_blocks())
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == ({"out.tsv": old} if old else {})


def test_a_whole_table_replaces_an_old_one(tmp_path: Path) -> None:
    (tmp_path / "out.tsv").write_text("of yesterday\n" * 100)
    table(1).write(tmp_path / "out.tsv")
    assert (tmp_path / "out.tsv").read_text() == "name\ta\tb\ns0\t0\t1\n"


def full_disk(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("method", ["write", "flush", "close"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Path.open

    def opened(path: Path, mode: str = "r", **options: Any) -> Any:
        if mode != "w":
            return original(path, mode, **options)
        path.touch()
        file = io.StringIO()
        monkeypatch.setattr(file, method, full_disk)
        return file

    monkeypatch.setattr("zoo.utils.atomic.Path.open", opened)
    with pytest.raises(OutputError, match=rf"out\.tsv could not be written: the disk of {tmp_path} is full: make room"):
        table(3).write(tmp_path / "out.tsv")
    assert list(tmp_path.iterdir()) == []


def test_standard_output_on_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "write", full_disk)
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(OutputError, match="No space left on device"):
        table(3).write("-")


def test_a_full_device_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left on device"):
        table(3).write(tmp_path / "full")


@pytest.mark.slow
def test_a_real_write_that_fails_leaves_no_file(tmp_path: Path, tiny_checkpoint: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    sequences = tmp_path / "many.txt"
    sequences.write_text("ACGTACGTACGTACGTACGT\n" * 20_000)

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))  # python ignores SIGXFSZ: writing fails with EFBIG

    command = ["predict", f"local-dir:{tiny_checkpoint / 'mlp.tiny'}", str(sequences), "-o", str(home / "out.tsv")]
    done = subprocess.run(
        [sys.executable, "-B", "-m", "zoo.cli", *command],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_files,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("zoo: ")
    assert "out.tsv could not be written" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(home.iterdir()) == []


def test_a_missing_folder_and_a_folder_are_refused_before_anything_is_predicted(tmp_path: Path) -> None:
    def never() -> Iterator[LabelRows]:
        pytest.fail("nothing is to be predicted")
        yield rows(1)

    with pytest.raises(OutputError, match=r"none/out\.tsv"):
        write_labels(tmp_path / "none" / "out.tsv", ["a"], never())
    with pytest.raises(OutputError, match="is a folder"):
        write_labels(tmp_path, ["a"], never())
    assert list(tmp_path.iterdir()) == []


def test_a_fifo_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()), daemon=True)
    reader.start()
    table(2).write(pipe)
    reader.join(timeout=10)
    assert received == ["name\ta\tb\ns0\t0\t1\ns1\t2\t3\n"]
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_the_null_device_is_written_directly(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to(os.devnull)  # a link, so that a mistake here cannot replace the device
    table(2).write(tmp_path / "null")
    assert (tmp_path / "null").is_symlink()
    assert (tmp_path / "null").is_char_device()


@pytest.mark.slow
def test_memory_stays_flat_over_50_000_sequences(tmp_path: Path) -> None:
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)[np.random.default_rng(0).integers(0, 4, (50_000, 401))]
    letters[:, -1] = ord("\n")
    (tmp_path / "many.txt").write_bytes(letters.tobytes())
    del letters
    model = MLP(["a"], 400, hidden=(1,))
    predictor = LabelPredictor(model)
    blocks = predictor.stream(predictor.plan_file(SequenceFile(str(tmp_path / "many.txt"))))
    tracemalloc.start()
    try:
        count = len(next(blocks))
        _, first_peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        count += write_labels(tmp_path / "out.tsv", ["a"], blocks)
        _, later_peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 50_000
    assert later_peak < 1.5 * first_peak
    assert first_peak < 30_000_000
