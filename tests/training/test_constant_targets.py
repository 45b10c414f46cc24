"""Data of every kind from which nothing can be learnt, or nothing scored, are refused before training."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pyBigWig
import pytest
import yaml
from made.contacts import BIN, make_contacts

from zoo.cli import main
from zoo.errors import ConfigError
from zoo.genome.sequence import decode
from zoo.training.run import train

CONTIGS = {"chr1": 30_000, "chr2": 8_000, "chr3": 8_000}
RUN = {
    "seed_everything": 1,
    "trainer": {"max_epochs": 1, "accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False},
}
TRUNK = {"stem_filters": 4, "stem_pool": 2, "tower_filters": [4], "tower_pools": [8], "dilations": [1]}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(
    name: str, model: Mapping[str, object], data: Mapping[str, object], optimizer: Mapping[str, object] | None = None
) -> str:
    """The message with which a run is refused; no checkpoint is left."""
    config = {**RUN, "name": name, "model": model, "data": data, "optimizer": optimizer}
    Path("config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError) as error:
        train(["config.yaml"])
    assert not Path("checkpoints").exists()
    return str(error.value)


def labels(values: Mapping[str, list[float]], classify: bool, loss: str, lr: float = 0.01) -> str:
    """The message for labels by split."""
    rng = np.random.default_rng(0)
    rows = ["sequence\ty\tsplit"]
    for split, numbers in values.items():
        rows += [f"{decode(rng.integers(0, 4, 20).astype(np.uint8))}\t{number}\t{split}" for number in numbers]
    Path("labels.tsv").write_text("\n".join(rows) + "\n")
    model = {"class_path": "zoo.models.mlp.MLP", "init_args": {"hidden": [4], "loss": loss}}
    options = {"table": "labels.tsv", "label_columns": ["y"], "split_column": "split", "classify": classify}
    data = {"class_path": "zoo.data.sequences.SequenceDataModule", "init_args": options}
    return refused("mlp.a", model, data, {"class_path": "torch.optim.SGD", "init_args": {"lr": lr}})


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize(("classify", "value"), [(True, 0.0), (True, 1.0), (False, 2.5)])
def test_labels_that_are_constant_in_a_split(split: str, classify: bool, value: float) -> None:
    values: dict[str, list[float]] = {"train": [0, 1] * 20, "val": [0, 1] * 5, "test": [0, 1] * 5}
    values[split] = [value] * len(values[split])
    message = labels(values, classify, "binary_cross_entropy" if classify else "mean_squared_error")
    assert f"the target 'y' has the same value everywhere ({value:g}) in the {split} split" in message
    assert not list(Path().glob("runs/**/*.ckpt"))


def test_negative_labels_and_a_loss_of_counts() -> None:
    message = labels({"train": [1, -3, 2, -1.5], "val": [0, 1], "test": [0, 1]}, False, "poisson")
    assert message == "the target 'y' has 2 negative labels, down to -3, which a loss of counts cannot learn"


def test_a_run_that_diverged_saves_no_checkpoint() -> None:
    values = {"train": [0.0, 1.0] * 64, "val": [0.0, 1.0] * 5, "test": [0.0, 1.0] * 5}
    message = labels(values, False, "mean_squared_error", lr=1e20)
    assert message.startswith("no checkpoint was saved: the ")
    assert "of the best weights on the val split is not defined" in message


def tracks(values: Mapping[str, Mapping[str, float]]) -> str:
    """The message for tracks: target -> contig -> the height of its peaks."""
    rng = np.random.default_rng(0)
    Path("genome.fa").write_text(
        "".join(f">{name}\n{decode(rng.integers(0, 4, size).astype(np.uint8))}\n" for name, size in CONTIGS.items())
    )
    for target, heights in values.items():
        with pyBigWig.open(f"{target}.bw", "w") as file:
            file.addHeader(list(CONTIGS.items()))
            for name, size in CONTIGS.items():
                starts = np.arange(0, size, 500)
                ends, values_of = (starts + 100).tolist(), [heights[name]] * len(starts)
                file.addEntries([name] * len(starts), starts.tolist(), ends=ends, values=values_of)
    Path("targets.tsv").write_text("name\tpath\n" + "".join(f"{target}\t{target}.bw\n" for target in values))
    options: dict[str, object] = {"genome": "genome.fa", "targets_table": "targets.tsv", "length": 1024}
    options |= {"bin_size": 16, "crop": 4}
    model = {"class_path": "zoo.models.basenji.Basenji", "init_args": {"trunk": TRUNK, "head_filters": 4}}
    options["split"] = {"val": ["chr2"], "test": ["chr3"]}
    return refused("basenji.a", model, {"class_path": "zoo.data.tracks.TrackDataModule", "init_args": options})


@pytest.mark.parametrize(("contig", "split"), [("chr1", "train"), ("chr2", "val"), ("chr3", "test")])
def test_a_track_without_signal_in_a_split(contig: str, split: str) -> None:
    message = tracks({"chip": {**dict.fromkeys(CONTIGS, 5.0), contig: 0.0}})
    assert f"the target 'chip' has the same value everywhere (0) in the {split} split" in message


def test_a_bigwig_of_zeros_beside_another_is_named() -> None:
    message = tracks({"chip": dict.fromkeys(CONTIGS, 5.0), "empty": dict.fromkeys(CONTIGS, 0.0)})
    assert message.startswith("the target 'empty' has the same value everywhere (0) in the train split: nothing")


@pytest.mark.parametrize(("bins", "split"), [(slice(120, 160), "val"), (slice(160, 200), "test")])
def test_a_contact_map_without_any_bin_in_a_split(bins: slice, split: str) -> None:
    made = make_contacts(Path(), {"chr1": 120 * BIN, "chr2": 40 * BIN, "chr3": 40 * BIN})
    with h5py.File(made.cooler, "r+") as file:  # all contacts of these bins are removed: the map is clipped at -2
        row = file["pixels/bin1_id"][:]
        file["pixels/count"][(row >= bins.start) & (row < bins.stop)] = 0
    options = {"genome": "genome.fa", "coolers": {"hic": "made.cool"}, "length": 18 * BIN, "crop": 2}
    model = {
        "class_path": "zoo.models.akita.Akita",
        "init_args": {
            "trunk": {"stem_filters": 4, "tower_filters": [4] * 4, "tower_pools": [4, 4, 4, 2], "dilations": [1]},
            "pair_map": {"reduced_filters": 4, "filters": 4, "residual_filters": 4, "dilations": [1]},
        },
    }
    data = {
        "class_path": "zoo.data.contacts.ContactDataModule",
        "init_args": {**options, "split": {"val": ["chr2"], "test": ["chr3"]}},
    }
    message = refused("akita.a", model, data)
    assert f"the target 'hic' has the same value everywhere (-2) in the {split} split" in message


def test_the_command_line_prints_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    tracks({"chip": {**dict.fromkeys(CONTIGS, 5.0), "chr3": 0.0}})
    assert main(["train", "config.yaml"]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("zoo: the target 'chip' has the same value")
