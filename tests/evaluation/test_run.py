"""An evaluation gives what `Trainer.test` gives, of all architectures; in two processes the same as in one."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightning import Trainer
from made.evaluated import Made, make_evaluated
from sklearn.metrics import average_precision_score, roc_auc_score

import zoo
from zoo.cli import main
from zoo.errors import ConfigError, InputError
from zoo.evaluation.files import data_of_files
from zoo.evaluation.on_genome import EvaluatedPeaks
from zoo.evaluation.options import FileOptions
from zoo.evaluation.run import evaluate
from zoo.models.deepbind import DeepBind

ARCHITECTURES = ("deepbind", "basset", "basenji", "akita")
TESTED = ("deepbind", "basenji", "akita")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    return make_evaluated(tmp_path_factory.mktemp("evaluated"), ARCHITECTURES)


def by_trainer(case: Made, split: str) -> tuple[dict[str, float], dict[str, list[float | None]]]:
    """Scores of Lightning's Trainer: means, and those of each target."""
    trainer = Trainer(logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu")
    run = trainer.test if split == "test" else trainer.validate
    (values,) = run(case.model, datamodule=case.data, verbose=False)
    means = {key.removeprefix(f"{split}_"): value for key, value in values.items() if not key.endswith("loss")}
    return means, case.model.target_scores


@pytest.mark.slow
@pytest.mark.parametrize("architecture", TESTED)
def test_point_values_are_those_of_the_trainer(made: dict[str, Made], architecture: str) -> None:
    case = made[architecture]
    means, per_target = by_trainer(case, "test")
    evaluation = evaluate(case.model, case.data, resamples=20)
    assert list(evaluation.means) == list(means)
    for name, value in means.items():
        assert evaluation.value(name) == pytest.approx(value, rel=1e-6, abs=1e-6)
        scores = [score.value for score in evaluation.scores[name]]
        assert [score if score is None else round(score, 4) for score in scores] == per_target[name]
    # The same by the name of the checkpoint alone, by its configuration, and with other batches.
    others: list[tuple[Any, Any, int | None]] = [(case.name, None, None), (case.model, case.config, 3)]
    for model, data, size in others:
        again = evaluate(model, data, resamples=20, batch_size=size)
        assert (again.units, again.observed) == (evaluation.units, evaluation.observed)
        for metric, score in evaluation.means.items():
            assert again.value(metric) == pytest.approx(score.value, rel=1e-5, abs=1e-5)
            assert again.means[metric].low == pytest.approx(score.low, rel=1e-5, abs=1e-5)


def test_the_validation_split_is_evaluated_too(made: dict[str, Made]) -> None:
    means, _ = by_trainer(made["deepbind"], "val")
    evaluation = evaluate(made["deepbind"].model, made["deepbind"].data, split="val", resamples=0)
    assert {name: score.value for name, score in evaluation.means.items()} == pytest.approx(means, abs=1e-6)
    assert all(score.low is None for score in evaluation.means.values())


@pytest.mark.slow
def test_two_processes_give_the_same_file_as_one(made: dict[str, Made], tmp_path: Path) -> None:
    words = ["evaluate", made["basenji"].name, "--device", "cpu", "--bootstrap", "50", "--batch-size", "3"]
    one, two = str(tmp_path / "1.json"), str(tmp_path / "2.json")
    assert main([*words, "-o", one]) == 0
    command = [sys.executable, "-m", "zoo.cli", *words, "--devices", "2", "-o", two]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("target\tvalues") == 1
    assert Path(one).read_text() == Path(two).read_text()


def fasta(path: Path, rows: list[str]) -> str:
    path.write_text("".join(f">{index}\n{text}\n" for index, text in enumerate(rows)))
    return str(path)


def texts(count: int, length: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(row) for row in rng.choice(list("ACGT"), (count, length))]


def test_fasta_and_negatives_have_the_scores_of_scikit_learn_on_what_predict_gives(
    made: dict[str, Made], tmp_path: Path
) -> None:
    model = made["deepbind"].model
    bound, unbound = texts(50, model.length), texts(70, model.length, 1)
    paths = fasta(tmp_path / "bound.fa", bound), fasta(tmp_path / "unbound.fa", unbound)
    evaluation = evaluate(model, f"a={paths[0]}", negatives=paths[1], resamples=300)
    predicted = zoo.predict(model, bound + unbound, targets="a").to_numpy()[:, 0].astype(float)
    labels = np.repeat([1, 0], [50, 70])
    assert evaluation.value("auroc", "a") == pytest.approx(roc_auc_score(labels, predicted), abs=1e-6)
    assert evaluation.value("auprc", "a") == pytest.approx(average_precision_score(labels, predicted), abs=1e-6)
    # Another bootstrap, of its own draws: both ends within four standard errors of a percentile.
    rng, own = np.random.default_rng(5), []
    for _ in range(300):
        rows = rng.integers(0, 120, 120)
        own.append(roc_auc_score(labels[rows], predicted[rows]))
    ends = evaluation.scores["auroc"][0]
    assert [ends.low, ends.high] == pytest.approx(np.quantile(own, [0.025, 0.975]).tolist(), abs=0.03)
    assert evaluation.notes == ["not evaluated: 1 target of the model that the data do not have, b"]
    assert (evaluation.units, evaluation.observed) == (120, [120])


def test_classes_that_are_not_scored_are_negatives_all_the_same(made: dict[str, Made], tmp_path: Path) -> None:
    model = made["deepbind"].model
    rows = [texts(count, model.length, seed) for seed, count in enumerate((30, 40, 20))]
    paths = [fasta(tmp_path / f"{name}.fa", one) for name, one in zip("abc", rows, strict=True)]
    predicted = zoo.predict(model, [text for one in rows for text in one], targets="a").to_numpy()[:, 0].astype(float)
    others = "negatives of each of a, c: the sequences of the others too"
    cases: list[tuple[list[int], dict[str, Any]]] = [
        ([0, 2], {}),  # c is no target of the model
        ([0, 1], {"targets": ["a"]}),
        ([0, 1, 2], {"targets": "a"}),
        ([0, 1], {"targets": "a", "negatives": paths[2]}),
    ]
    for files, options in cases:
        evaluation = evaluate(model, [f"{'abc'[index]}={paths[index]}" for index in files], resamples=0, **options)
        given = [*files, *([2] if "negatives" in options else [])]
        truth = np.repeat([1.0, 0.0, 0.0], [30, 40, 20])
        used = np.repeat([index in given for index in range(3)], [30, 40, 20])
        assert evaluation.value("auroc", "a") == pytest.approx(roc_auc_score(truth[used], predicted[used]), abs=1e-6)
        assert (evaluation.targets, evaluation.units) == (["a"], used.sum())
        assert (others in evaluation.notes) == (files == [0, 2])


def test_sites_of_targets_that_are_not_scored_are_evaluated_too(made: dict[str, Made], tmp_path: Path) -> None:
    for name, first in (("peaks", 0), ("other", 20_000)):
        (tmp_path / f"{name}.bed").write_text(
            "".join(f"chr3\t{first + 500 * i}\t{first + 500 * i + 30}\n" for i in range(20))
        )
    options = FileOptions(genome=str(Path(made["basset"].config).parent / "genome.fa"))
    files = [str(tmp_path / "peaks.bed"), str(tmp_path / "other.bed")]
    data = data_of_files(made["basset"].model, files, options)
    assert (data.module.targets, data.matching.names, data.matching.of_data) == (["peaks", "other"], ["peaks"], [0])
    assert "negatives of each of peaks, other: the sites of the others too" in data.notes
    assert isinstance(data.module, EvaluatedPeaks)
    data.module.prepare_data()
    assert sum(line.startswith(("train:", "val:")) for line in data.module.logged) == 0
    assert sum(line.startswith("test: ") and "sites, 40 with a peak" in line for line in data.module.logged) == 1


def test_a_table_of_measurements_is_scored_by_correlation_and_missing_labels_do_not_count(
    made: dict[str, Made], tmp_path: Path
) -> None:
    model = made["deepbind"].model
    rows = texts(40, model.length)
    values = np.random.default_rng(0).normal(size=40).round(3)
    cells = ["NA" if index % 5 == 0 else str(value) for index, value in enumerate(values)]
    lines = (f"{text}\t{cell}\t1.5\n" for text, cell in zip(rows, cells, strict=True))
    (tmp_path / "t.tsv").write_text("seq\tscore\tb\n" + "".join(lines))
    evaluation = evaluate(model, tmp_path / "t.tsv", match={"score": "a"}, measurements=True, resamples=50)
    known = np.arange(40) % 5 > 0
    predicted = zoo.predict(model, rows, targets="a").to_numpy()[:, 0]
    assert evaluation.value("pearson", "a") == pytest.approx(
        np.corrcoef(predicted[known], values[known])[0, 1], abs=1e-6
    )
    assert evaluation.observed == [32, 40]
    assert evaluation.scores["pearson"][1].value is None
    assert any(
        "'b' has the same value everywhere: pearson, r2, spearman not defined" in note for note in evaluation.notes
    )
    assert evaluation.means["pearson"] == evaluation.scores["pearson"][0]


def test_labels_that_are_no_classes_are_refused_for_a_model_of_classes_and_noted_for_others(
    made: dict[str, Made], tmp_path: Path
) -> None:
    model = made["deepbind"].model
    lines = [f"{text}\t{index % 2}\t{index % 2}\n" for index, text in enumerate(texts(40, model.length))]
    lines[29] = lines[29].replace("\t1\t1", "\t0.9\t1")
    table = tmp_path / "t.tsv"
    table.write_text("sequence\ta\tb\n" + "".join(lines))
    what = "t.tsv, line 31: the label '0.9' in 'a' is not 0 or 1"
    with pytest.raises(ConfigError, match=f"{what}, and the model predicts classes: correct it, or add --measurements"):
        evaluate(model, table)
    assert set(evaluate(model, table, targets="b", resamples=0).means) == {"auroc", "auprc"}
    as_measured = evaluate(model, table, measurements=True, resamples=0)
    assert set(as_measured.means) == {"pearson", "r2", "spearman"}
    regression = DeepBind(("a", "b"), model.length, loss="mean_squared_error").eval()
    noted = evaluate(regression, table, resamples=0)
    assert any(note.endswith(what) and note.startswith("labels are read as measurements: ") for note in noted.notes)
    assert set(noted.means) == {"pearson", "r2", "spearman"}


def test_unequal_sequences_are_refused_with_an_option_that_this_command_has(
    made: dict[str, Made], tmp_path: Path, run_zoo: Callable[..., tuple[int, str, str]]
) -> None:
    (tmp_path / "t.tsv").write_text(
        "sequence\ta\n" + "".join(f"{text}\t1\n" for text in [*texts(1, 64), *texts(5, 60)])
    )
    code, _, err = run_zoo("evaluate", made["deepbind"].name, str(tmp_path / "t.tsv"))
    assert (code, err.count("\n")) == (2, 1)
    assert "5 of 6 have 60 bases" in err
    assert err.endswith("--resize cuts or pads all around their centres\n")


def test_a_table_with_splits_is_evaluated_on_its_test_rows(made: dict[str, Made], tmp_path: Path) -> None:
    model = made["deepbind"].model
    words = np.array(["train", "val", "test"])[np.arange(60) % 3]
    lines = (
        f"{text}\t{index // 3 % 2}\t{word}\n"
        for index, (text, word) in enumerate(zip(texts(60, 64), words, strict=True))
    )
    (tmp_path / "t.tsv").write_text("sequence\ta\tsplit\n" + "".join(lines))
    evaluation = evaluate(model, tmp_path / "t.tsv", resamples=0)
    assert evaluation.units == 20
    assert "evaluated are the data that column 'split' calls test (--split all: all of them)" in evaluation.notes
    assert evaluate(model, tmp_path / "t.tsv", resamples=0, split="all").units == 60


@pytest.mark.slow
def test_files_on_a_genome(made: dict[str, Made], tmp_path: Path) -> None:
    folder = Path(made["basset"].config).parent
    genome = str(folder / "genome.fa")
    starts = np.random.default_rng(0).integers(0, 40_000, 40)
    (tmp_path / "some.bed").write_text("".join(f"chr3\t{start}\t{start + 30}\n" for start in starts))
    peaks = evaluate(made["basset"].model, tmp_path / "some.bed", genome=genome, resamples=20)
    assert 60 < peaks.units <= 80  # as many negatives as sites, of which some are merged
    assert peaks.notes == ["some is taken for the target peaks"]
    whole = evaluate(made["basset"].model, tmp_path / "some.bed", genome=genome, contigs=["chr3"], resamples=20)
    assert whole.units == peaks.units
    tracks = evaluate(made["basenji"].model, folder / "targets.tsv", genome=genome, contigs=["chr3"], resamples=20)
    assert tracks.means == evaluate(made["basenji"].model, made["basenji"].config, resamples=20, batch_size=16).means
    assert tracks.unit == "window of 6,144 bases"
    regions = tmp_path / "chr3.bed"
    regions.write_text("chr3\t0\t47360\n")
    by_region = evaluate(made["basenji"].model, folder / "one.bw", genome=genome, contigs=[str(regions)], resamples=20)
    assert by_region.means == tracks.means
    maps = evaluate(made["akita"].model, folder / "made.cool", genome=genome, contigs=["chr3"], resamples=20)
    assert set(maps.means) == {"pearson", "r2", "spearman", "mse", "pearson_window"}
    assert maps.value("pearson") == pytest.approx(
        evaluate(made["akita"].model, made["akita"].config, resamples=0).value("pearson"), abs=0.1
    )


def test_the_command_prints_a_table_and_writes_files(
    made: dict[str, Made], tmp_path: Path, run_zoo: Callable[..., tuple[int, str, str]]
) -> None:
    bound = fasta(tmp_path / "a.fa", texts(30, 64))
    negative = fasta(tmp_path / "n.fa", texts(30, 64, 1))
    words = ("evaluate", made["deepbind"].name, bound, "--negatives", negative, "--bootstrap", "40", "--device", "cpu")
    code, out, err = run_zoo(*words, "-o", str(tmp_path / "a.json"))
    assert code == 0, err
    assert out.splitlines()[0] == "target\tvalues\tauroc\tauprc"
    assert "all data: 95% intervals by 40 resamples of the 60 sequences" in err
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["targets"] == ["a"]
    assert (
        content["scores"]["auroc"][0]["low"]
        < content["scores"]["auroc"][0]["value"]
        < content["scores"]["auroc"][0]["high"]
    )
    assert run_zoo(*words, "-o", str(tmp_path / "a.tsv"))[1] == out
    rows = [line.split("\t") for line in (tmp_path / "a.tsv").read_text().splitlines()]
    assert rows[0] == ["target", "metric", "value", "low", "high", "observed"]
    assert [float(cell) for cell in rows[1][2:5]] == list(content["scores"]["auroc"][0].values())


def test_what_does_not_fit_is_one_sentence(
    made: dict[str, Made], tmp_path: Path, run_zoo: Callable[..., tuple[int, str, str]]
) -> None:
    name, bound = made["deepbind"].name, fasta(tmp_path / "bound.fa", texts(9, 64))
    short = fasta(tmp_path / "a.fa", texts(9, 50))
    folder = Path(made["deepbind"].config).parent
    cases = [
        ((bound,), "the data have bound; the model predicts a, b; say which is which: --match NAME=TARGET"),
        ((bound, "--match", "bound=c"), "--match names 'c', which is no target of the model"),
        ((bound, "--match", "bound"), "write NAME=TARGET"),
        ((short,), "the sequence has 50 bases; the model takes 64; --resize cuts or pads"),
        ((f"a={bound}", "--split", "val"), "--split val is for data that have splits"),
        ((f"a={bound}", "--contigs", "chr1"), "--contigs is not for data of this kind"),
        ((str(folder / "one.bw"), "--genome", str(folder / "genome.fa")), "hold tracks, and the model predicts labels"),
        ((str(tmp_path / "no.fa"),), "no.fa: no such file"),
        ((bound, "-o", str(tmp_path / "a.xlsx")), "an evaluation is written as .json, .tsv, .csv"),
        ((bound, "--confidence", "95"), "the confidence lies between 0 and 1"),
        (("basset.peaks", "--genome", str(folder / "genome.fa")), "are for data that are named as files"),
        ((bound, "--bogus"), "zoo evaluate does not know --bogus"),
    ]
    for words, message in cases:
        code, out, err = run_zoo("evaluate", name, *words)
        assert (code, out) == (2, ""), words
        assert message in err
        assert err.count("\n") == 1
    with pytest.raises(InputError, match="nothing can be scored: test split: target 'a' has one class only"):
        (tmp_path / "t.tsv").write_text("sequence\ta\n" + "".join(f"{text}\t1\n" for text in texts(5, 64)))
        evaluate(made["deepbind"].model, tmp_path / "t.tsv")
    with pytest.raises(ConfigError, match="of a model that was not loaded by name, no data are known"):
        evaluate(made["deepbind"].model)
    with pytest.raises(ConfigError, match=r"evaluated were auroc, auprc of a"):
        evaluate(made["deepbind"].model, f"a={bound}", resamples=0).value("pearson")
