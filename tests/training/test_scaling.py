"""Raw measurements are learnt as if they had been scaled by hand, and predicted in their own units."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
import pytest
import torch
import yaml
from lightning import Trainer
from numpy.typing import NDArray

from zoo.data.sequences import SequenceDataModule
from zoo.data.tracks.table import Track, Transform
from zoo.genome.sequence import decode, encode
from zoo.hub.config import read_config
from zoo.hub.load import load
from zoo.models._base import SequenceModel
from zoo.models.mlp import MLP
from zoo.nn.scale import TargetScaleConfig
from zoo.training.run import train
from zoo.training.scaling import ScaleTargets, share_scale, unlike_partners

Values = NDArray[np.float32]
MOTIF = "TGACTCAG"
MODELS = {
    "mlp": {"class_path": "zoo.models.mlp.MLP", "init_args": {"hidden": [16], "dropout": 0.0}},
    "deepbind": {
        "class_path": "zoo.models.deepbind.DeepBind",
        "init_args": {"motifs": {"filters": 8, "width_bases": 10}, "ensemble_members": 2},
    },
    "basset": {
        "class_path": "zoo.models.basset.Basset",
        "init_args": {"conv": {"filters": [8], "widths": [10], "pools": [4]}, "hidden": [8], "dropout": 0.0},
    },
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(name: str, model: Mapping[str, Any], data: Mapping[str, Any], *options: str) -> SequenceModel:
    """The trained model of a run on the CPU."""
    trainer = {"max_epochs": 4, "accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False}
    # Not Adam: of a bias before a norm, whose gradient is a rounding error, it makes steps of its usual size.
    optimizer = {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.02, "momentum": 0.9}}
    config = {"name": name, "trainer": trainer, "model": model, "data": data, "optimizer": optimizer}
    Path("config.yaml").write_text(yaml.safe_dump({**config, "seed_everything": 1}))
    return load(f"local-dir:{train(['config.yaml', *options])}")


def write_labels(path: str, labels: NDArray[np.float64], sequences: list[str], splits: list[str]) -> None:
    rows = zip(sequences, labels.tolist(), splits, strict=True)
    Path(path).write_text("sequence\ta\tb\tsplit\n" + "".join(f"{s}\t{a}\t{b}\t{split}\n" for s, (a, b), split in rows))


def labelled() -> tuple[list[str], NDArray[np.float64], list[str]]:
    """Sequences, one in two with a motif; intensities of two arrays, about 20,000 and about 3; splits."""
    rng = np.random.default_rng(0)
    sequences, labels = [], []
    for index in range(240):
        text = decode(rng.integers(0, 4, 30).astype(np.uint8))
        sequences.append(text if index % 2 else text[:10] + MOTIF + text[18:])
        signal = (index % 2 == 0) + 0.1 * rng.normal(size=2)
        labels.append([20_000 + 8_000 * signal[0], 3 + 0.5 * signal[1]])
    return sequences, np.array(labels), ["train"] * 160 + ["val"] * 40 + ["test"] * 40


def table_data(table: str) -> dict[str, Any]:
    options = {
        "table": table,
        "label_columns": ["a", "b"],
        "split_column": "split",
        "classify": False,
        "batch_size": 16,
    }
    return {"class_path": "zoo.data.sequences.SequenceDataModule", "init_args": options}


@pytest.mark.parametrize("architecture", MODELS)
def test_raw_labels_are_learnt_as_if_scaled_by_hand(architecture: str, caplog: pytest.LogCaptureFixture) -> None:
    sequences, labels, splits = labelled()
    write_labels("raw.tsv", labels, sequences, splits)
    model = {**MODELS[architecture]}
    model["init_args"] = {**MODELS[architecture]["init_args"], "loss": "mean_squared_error"}  # type: ignore[dict-item]
    raw = run(f"{architecture}.raw", model, table_data("raw.tsv"))
    assert "targets are scaled in training, and predicted in their own units: a: centre 24" in caplog.text
    scale = raw.arguments["target_scale"]
    training = labels[:160].clip(*np.percentile(labels[:160], (1, 99), axis=0))
    np.testing.assert_allclose(scale["centre"], training.mean(0), rtol=1e-3)
    np.testing.assert_allclose(scale["spread"], training.std(0), rtol=1e-3)
    centre, spread = np.array(scale["centre"]), np.array(scale["spread"])
    write_labels("scaled.tsv", (labels - centre) / spread, sequences, splits)
    by_hand = run(f"{architecture}.hand", model, table_data("scaled.tsv"), "--target_scaling", "none")
    codes = torch.from_numpy(np.stack([encode(text) for text in sequences[-40:]]))
    with torch.inference_mode():
        scaled = (raw.predict(codes).numpy() - centre) / spread
        np.testing.assert_allclose(scaled, by_hand.predict(codes).numpy(), atol=5e-3)
    one, other = (read_config(Path(f"checkpoints/{architecture}.{tag}")).facts.training for tag in ("raw", "hand"))
    for score in ("pearson", "r2", "loss"):
        assert one.metrics["test"][score] == pytest.approx(other.metrics["test"][score], abs=2e-3)
    assert any(line.startswith("targets are scaled in training") for line in one.data)
    assert not any("scaled" in line for line in other.data)


def write_bigwig(path: str, values: Mapping[str, NDArray[np.float64]]) -> None:
    with pyBigWig.open(path, "w") as file:
        file.addHeader([(name, len(bases)) for name, bases in values.items()])
        for name, bases in values.items():
            file.addEntries(name, 0, values=bases.tolist(), span=1, step=1)


def make_tracks() -> None:
    """A genome, and raw tracks of unlike scale: peaks at a motif, of heavy tails."""
    rng = np.random.default_rng(0)
    sizes = {"chr1": 60_000, "chr2": 16_000, "chr3": 16_000}
    sequences: dict[str, str] = {}
    tracks: dict[str, dict[str, NDArray[np.float64]]] = {"chip": {}, "rna": {}}
    for name, size in sizes.items():
        codes = rng.integers(0, 4, size).astype(np.uint8)
        heights = {"chip": (rng.poisson(2.0, size // 16).repeat(16) * 500).astype(float), "rna": np.zeros(size)}
        for place in range(100, size - 100, 400):
            codes[place : place + len(MOTIF)] = encode(MOTIF)
            heights["chip"][place : place + 32] += 50_000
            heights["rna"][place : place + 32] += 0.01 * rng.pareto(1.5)
        sequences[name] = decode(codes)
        for track, bases in heights.items():
            tracks[track][name] = bases
    Path("genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in sequences.items()))
    for track, values in tracks.items():
        write_bigwig(f"{track}.bw", values)


def track_data(table: str) -> dict[str, Any]:
    options = {"genome": "genome.fa", "targets_table": table, "length": 1024, "bin_size": 16, "crop": 4, "shift": 128}
    options |= {"split": {"val": ["chr2"], "test": ["chr3"]}, "batch_size": 4}
    return {"class_path": "zoo.data.tracks.TrackDataModule", "init_args": options}


@pytest.mark.slow
def test_raw_tracks_are_learnt_as_if_scaled_and_clipped_by_hand() -> None:
    make_tracks()
    trunk = {
        "stem_filters": 8,
        "stem_pool": 2,
        "tower_filters": [8],
        "tower_pools": [8],
        "dilations": [1],
        "dropout": 0,
    }
    model = {"class_path": "zoo.models.basenji.Basenji", "init_args": {"trunk": trunk, "head_filters": 8}}
    Path("raw.tsv").write_text("name\tpath\nchip\tchip.bw\nrna\trna.bw\n")
    raw = run("basenji.raw", model, track_data("raw.tsv"))
    scale = raw.arguments["target_scale"]
    spread = np.array(scale["spread"])
    np.testing.assert_allclose(scale["soft_clip"], 2 * spread, rtol=1e-3)
    rows = "".join(
        f"{name}\t{name}.bw\t{1 / one!r}\t2\n" for name, one in zip(("chip", "rna"), spread.tolist(), strict=True)
    )
    Path("scaled.tsv").write_text("name\tpath\tscale\tsoft_clip\n" + rows)
    by_hand = run("basenji.hand", model, track_data("scaled.tsv"), "--target_scaling", "none")
    text = "".join(line.strip() for line in Path("genome.fa").read_text().split(">chr3")[1].splitlines()[1:])
    codes = torch.from_numpy(encode(text[:4096]).reshape(4, 1024))
    by_table = Transform(
        [Track(name, "", scale=1 / one, soft_clip=2.0) for name, one in zip("ab", spread, strict=True)]
    )
    with torch.inference_mode():
        found, expected = raw.predict(codes).numpy(), by_hand.predict(codes).numpy()
    # Both average the strands: of values in the tracks' own units, and of those that were learnt.
    below = expected < 1.9
    natural = by_table.inverse(expected.transpose(1, 0, 2).copy()).transpose(1, 0, 2)
    np.testing.assert_allclose(found[below], natural[below], rtol=2e-2)
    assert found[:, 0].min() > 500  # in the track's own units
    one, other = (read_config(Path(f"checkpoints/basenji.{tag}")).facts for tag in ("raw", "hand"))
    assert one.training.metrics["test"]["pearson"] == pytest.approx(other.training.metrics["test"]["pearson"], abs=5e-3)
    assert one.metric.endswith(", soft-clipped values")


def test_a_models_own_scale_comes_first_and_classes_are_not_scaled() -> None:
    sequences, labels, splits = labelled()
    write_labels("raw.tsv", labels, sequences, splits)
    own = {"centre": [0.0, 0.0], "spread": [1.0, 2.0]}
    model = {"class_path": "zoo.models.mlp.MLP", "init_args": {"loss": "mean_squared_error", "target_scale": own}}
    own_run = run("mlp.own", model, table_data("raw.tsv"), "--optimizer.lr", "1e-10")
    assert own_run.arguments["target_scale"]["spread"] == [1.0, 2.0]
    write_labels("classes.tsv", (labels > labels.mean(0)).astype(float), sequences, splits)
    data = table_data("classes.tsv")
    data["init_args"]["classify"] = True
    assert run("mlp.classes", {"class_path": "zoo.models.mlp.MLP"}, data).arguments["target_scale"] is None


def test_unscaled_targets_of_unlike_scale_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    sequences, labels, splits = labelled()
    write_labels("raw.tsv", labels, sequences, splits)
    model = {"class_path": "zoo.models.mlp.MLP", "init_args": {"loss": "mean_squared_error"}}
    run("mlp.none", model, table_data("raw.tsv"), "--target_scaling", "none", "--optimizer.lr", "1e-10")
    message = caplog.text
    assert "targets are learnt in their own units and vary by" in message
    assert "--target_scaling auto scales them" in message


def test_the_callback_works_with_a_plain_trainer_and_its_checkpoint() -> None:
    sequences, labels, splits = labelled()
    write_labels("raw.tsv", labels, sequences, splits)
    data = SequenceDataModule(table="raw.tsv", label_columns=["a", "b"], split_column="split", classify=False)
    model = MLP(data.spec().targets, data.spec().length, loss="mean_squared_error")
    trainer = Trainer(max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False,
                      enable_progress_bar=False, callbacks=[ScaleTargets()])  # fmt: skip
    trainer.fit(model, datamodule=data)
    trainer.save_checkpoint("mine.ckpt")
    again = MLP.load_from_checkpoint("mine.ckpt").eval()
    codes = torch.from_numpy(np.stack([encode(text) for text in sequences[:8]]))
    with torch.inference_mode():
        predicted = again.predict(codes)
        torch.testing.assert_close(predicted, model.eval().predict(codes))
    assert ((predicted[:, 0] > 10_000) & (predicted[:, 0] < 40_000)).all()
    assert ((predicted[:, 1] > 1) & (predicted[:, 1] < 6)).all()
    assert json.dumps(again.arguments["target_scale"]).count(",") >= 3


def test_strand_partners_share_the_units_of_the_one_that_varies_more() -> None:
    own = TargetScaleConfig(spread=[4.0, 1.0, 60.0], soft_clip=[8.0, 2.0, 120.0], scaled_loss=True)
    shared = share_scale(own, [2, 1, 0])
    assert (shared.spread, shared.soft_clip, shared.centre) == ([60.0, 1.0, 60.0], [120.0, 2.0, 120.0], None)
    assert shared.scaled_loss
    assert share_scale(own, []) == own
    centred = share_scale(TargetScaleConfig(centre=[1.0, 2.0, 3.0], spread=[4.0, 1.0, 60.0]), [1, 0, 2])
    assert (centred.centre, centred.spread) == ([1.0, 1.0, 3.0], [4.0, 4.0, 60.0])


@pytest.mark.parametrize(("minus", "count"), [(39.0, 0), (41.0, 1), (0.39, 1), (0.41, 0)])
def test_strand_partners_in_unlike_units_are_warned_of(minus: float, count: int) -> None:
    lines = unlike_partners(TargetScaleConfig(spread=[4.0, minus, 9_000.0]), [1, 0, 2], ["plus", "minus", "other"])
    assert len(lines) == count
    if lines:
        assert lines[0].startswith(f"the strand partners plus and minus vary by 4 and {minus:g}: each is learnt from ")
        more = unlike_partners(TargetScaleConfig(spread=[4.0, minus] * 3), [1, 0, 3, 2, 5, 4], list("abcdef"))
        assert ", as do 2 more pairs: " in more[0]


@pytest.mark.slow
def test_raw_tracks_of_two_strands_are_learnt_in_one_unit(caplog: pytest.LogCaptureFixture) -> None:
    make_tracks()
    trunk = {"stem_filters": 4, "stem_pool": 2, "tower_filters": [4], "tower_pools": [8], "dilations": [1]}
    model = {"class_path": "zoo.models.basenji.Basenji", "init_args": {"trunk": trunk, "head_filters": 4}}
    Path("pair.tsv").write_text("name\tpath\tstrand_partner\nchip\tchip.bw\trna\nrna\trna.bw\tchip\n")
    scale = run("basenji.pair", model, track_data("pair.tsv"), "--trainer.max_epochs", "1").arguments["target_scale"]
    assert scale["spread"][0] == scale["spread"][1]
    assert scale["soft_clip"][0] == scale["soft_clip"][1]
    assert caplog.text.count("the strand partners chip and rna vary by ") == 1
