"""What a checkpoint was trained on: written by a run, read again, and compared with test data."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made.runs import make_runs
from safetensors.torch import load_file, save_file

from zoo.data.sequences.module import SequenceDataModule
from zoo.errors import InputError, IntegrityError
from zoo.evaluation.run import evaluate
from zoo.genome.fasta import Genome
from zoo.hub.folder import SEEN
from zoo.hub.seen import add_seen, describe_seen, read_seen
from zoo.hub.seen_share import seen_reports, seen_share
from zoo.hub.verification import verify_folder
from zoo.training.parse import parse
from zoo.training.run import train
from zoo.utils.download import sha256_of


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints of one epoch of an MLP on sequences and of a Basenji on tracks, and their configurations."""
    folder = tmp_path_factory.mktemp("seen")
    configs = make_runs(folder, epochs=1)
    where = ["--runs", str(folder / "runs"), "--checkpoints", str(folder / "checkpoints")]
    made = {name: train([str(configs[name]), *where]) for name in ("mlp", "basenji")}
    again = [str(configs["mlp"]), *where, "--name", "mlp.next", "--transfer.trunk_from", f"local-dir:{made['mlp']}"]
    return {**made, "next": train(again), "folder": folder, **{f"{name}.yaml": path for name, path in configs.items()}}


def training_rows(runs: dict[str, Path]) -> list[str]:
    data: Any = parse([str(runs["mlp.yaml"])]).datamodule
    return ["".join("ACGTN"[code] for code in row) for row in data.subset("train").codes]


def table(path: Path, rows: list[str]) -> str:
    path.write_text("sequence\ta\n" + "".join(f"{row}\t{index % 2}\n" for index, row in enumerate(rows)))
    return str(path)


def random_rows(count: int, length: int = 64) -> list[str]:
    return ["".join(row) for row in np.random.default_rng(9).choice(list("ACGT"), (count, length))]


def sequences_in(path: str) -> SequenceDataModule:
    return SequenceDataModule(table={"test": path}, label_columns=["a"])


@pytest.mark.slow
def test_a_run_writes_what_it_read_and_its_own_test_data_were_not_seen(runs: dict[str, Path]) -> None:
    verify_folder(runs["mlp"], "mlp.made")
    seen = read_seen(runs["mlp"])
    assert seen is not None and seen.sketch is not None and seen.regions is None
    assert seen.sketch.fraction == 1
    report = seen_share(runs["mlp"], parse([str(runs["mlp.yaml"])]).datamodule)
    assert (report.share, report.is_leak) == (0, False)
    assert seen_share(runs["mlp"], parse([str(runs["mlp.yaml"])]).datamodule, "train").share == 1
    tracks = read_seen(runs["basenji"])
    assert tracks is not None and tracks.regions is not None
    assert tracks.regions.contigs == {"chr1": 163_840, "chr2": 47_360}
    data = parse([str(runs["basenji.yaml"])]).datamodule
    shares = [seen_share(runs["basenji"], data, split).share for split in ("train", "val", "test")]
    assert shares == [1, 1, 0]
    # Sequences have no coordinates: their bases are compared.
    assert tracks.sketch is not None
    genome = Genome(runs["folder"] / "genome.fa")
    for contig, expected in (("chr1", 1.0), ("chr3", 0.0)):
        found = tracks.sketch.look_up(
            genome.windows(np.full(50, list(genome.contigs).index(contig)), np.arange(50) * 800, 200)
        )
        assert found.seen.sum() == expected * found.looked_up.sum()
        assert found.looked_up.sum() > 500  # of 50 * 170 k-mers, 1 in 8


@pytest.mark.slow
def test_sequences_of_training_are_found_shifted_and_on_the_other_strand(runs: dict[str, Path], tmp_path: Path) -> None:
    rows = training_rows(runs)[:20]
    other = [row.translate(str.maketrans("ACGT", "TGCA"))[::-1] for row in rows]
    shifted = [row[5:] + "ACGTA" for row in rows]
    for name, given in (("same", rows), ("other", other), ("shifted", shifted)):
        report = seen_share(runs["mlp"], sequences_in(table(tmp_path / f"{name}.tsv", given)))
        assert (report.share, report.compared, report.total) == (1, 20, 20), name
    report = seen_share(runs["mlp"], sequences_in(table(tmp_path / "new.tsv", random_rows(500))))
    assert (report.share, report.compared) == (0, 500)
    mixed = seen_share(runs["mlp"], sequences_in(table(tmp_path / "mixed.tsv", [*rows, *random_rows(60)])))
    assert mixed.share == 0.25
    assert mixed.is_leak
    assert (
        str(mixed) == "25.00% of 80 sequences were seen in training of mlp.made: at least half of the 31-mers of each"
    )


@pytest.mark.slow
def test_the_models_that_it_began_with_are_asked_too(runs: dict[str, Path], tmp_path: Path) -> None:
    data = sequences_in(table(tmp_path / "t.tsv", training_rows(runs)[:10]))
    reports = seen_reports(runs["next"], data)
    assert [(report.model, report.share) for report in reports] == [("mlp.next", 1), ("mlp.made", 1)]
    moved = runs["mlp"].rename(runs["mlp"].with_name("elsewhere"))
    try:
        absent = seen_reports(runs["next"], data)[1]
    finally:
        moved.rename(runs["mlp"])
    assert absent.share is None
    assert "it is not here" in str(absent)


@pytest.mark.slow
def test_an_evaluation_warns_and_strictly_refuses(
    runs: dict[str, Path], tmp_path: Path, run_zoo: Callable[..., tuple[int, str, str]]
) -> None:
    path, name = table(tmp_path / "t.tsv", [*training_rows(runs)[:10], *random_rows(30)]), f"local-dir:{runs['mlp']}"
    evaluation = evaluate(name, path, resamples=0)
    assert [report.share for report in evaluation.seen] == [0.25]
    code, _, err = run_zoo("evaluate", name, path, "--bootstrap", "0", "-o", str(tmp_path / "e.json"))
    assert code == 0
    assert "WARNING: scores are too high, for mlp.made has seen part of these data" in err
    assert json.loads((tmp_path / "e.json").read_text())["seen"][0]["share"] == 0.25
    code, out, err = run_zoo("evaluate", name, path, "--strict-split")
    assert (code, out) == (2, "")
    assert "--strict-split: 25.00% of 40 sequences were seen in training of mlp.made" in err
    new = table(tmp_path / "new.tsv", random_rows(30))
    assert evaluate(name, new, resamples=0, strict_split=True).seen[0].share == 0
    with pytest.raises(InputError, match="of 40 sequences were seen"):
        evaluate(name, path, strict_split=True)


@pytest.mark.slow
def test_the_file_is_added_to_a_checkpoint_and_nothing_else_changes(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "mlp.made"
    shutil.copytree(runs["mlp"], folder)
    content = json.loads((folder / "config.json").read_text())
    del content["sha256"][SEEN]
    (folder / "config.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / SEEN).unlink()
    data = parse([str(runs["mlp.yaml"])]).datamodule
    assert seen_share(folder, data).share is None
    seen = describe_seen(data)
    assert seen is not None
    add_seen(folder, seen)
    verify_folder(folder, "mlp.made")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in runs["mlp"].iterdir()
    }


@pytest.mark.slow
def test_a_file_that_is_damaged_or_holds_something_else_is_refused(runs: dict[str, Path]) -> None:
    path, config = runs["mlp"] / SEEN, runs["mlp"] / "config.json"
    whole, text = path.read_bytes(), config.read_text()
    bad: list[dict[str, torch.Tensor]] = [
        {"hashes": torch.zeros(2, dtype=torch.int32)},
        {**load_file(path), "kmers": torch.tensor([40, 64])},
        {**load_file(path), "hashes": load_file(path)["hashes"].flip(0)},
        {"regions": torch.tensor([[0, 5, 3]])},
        {"other": torch.zeros(1)},
    ]
    try:
        path.write_bytes(whole[:-8])
        with pytest.raises(IntegrityError, match="not the file that was published"):
            read_seen(runs["mlp"])
        for tensors in bad:
            save_file(tensors, path)
            content = json.loads(text)
            content["sha256"][SEEN] = sha256_of(path)
            config.write_text(json.dumps(content))
            with pytest.raises(IntegrityError, match="does not hold k-mers and regions"):
                read_seen(runs["mlp"])
    finally:
        path.write_bytes(whole)
        config.write_text(text)
