"""`zoo finetune`: every architecture on every kind of data that suits it, and what the plan says."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from made.bases import BASES, DATA, save_base, write_data
from safetensors.torch import load_file

import zoo
from zoo.cli import main
from zoo.errors import ConfigError, ZooError
from zoo.genome.sequence import decode
from zoo.hub.config import read_config
from zoo.hub.load import load
from zoo.training.finetune.run import read_request, train_request

KINDS = {"labels": ("fasta", "table", "peaks"), "tracks": ("bigwig",), "contacts": ("cooler",)}
# Base and data that fit: the same kind, and the trunk of tracks for labels and contacts.
FITTING = [
    *((base, data) for base in ("mlp", "deepbind", "basset", "basset.ensemble") for data in KINDS["labels"]),
    *(("basenji", data) for data in DATA),
    ("akita", "cooler"),
]
QUICK = ["--trainer.max_epochs", "1", "--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    for base in BASES:
        save_base(folder, base)
    return folder


@pytest.fixture
def desk(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the data and bases."""
    for path in written.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CACHE", str(written / "cache"))
    return tmp_path


def name_of(base: str) -> str:
    return f"local-dir:bases/{base if '.' in base else f'{base}.base'}"


def run(base: str, data: str, *options: str) -> Path:
    return train_request(read_request([name_of(base), *DATA[data], *QUICK, *options]))


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("base", "data"), FITTING)
def test_every_base_is_fine_tuned_on_every_kind_of_data_that_suits_it(
    base: str, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(base, data, "--trainer.limit_train_batches", "2")
    config, source = read_config(folder), read_config(Path(name_of(base).removeprefix("local-dir:")))
    assert config.facts.run is not None
    lineage = config.facts.run.base
    assert lineage is not None
    assert (lineage.name, lineage.sha256) == (name_of(base), source.sha256["model.safetensors"])
    assert lineage.mode == "full"
    targets = {"fasta": "bound", "table": "activity", "peaks": "ctcf", "bigwig": "signal", "cooler": "contacts"}
    assert config.facts.targets == (targets[data],)
    assert config.facts.run.command.startswith(f"zoo finetune {name_of(base)} {DATA[data][0]}")
    printed = capsys.readouterr().err
    assert "mode" in printed
    assert "epochs" in printed
    model = load(f"local-dir:{folder}")
    assert torch.isfinite(model.predict(torch.zeros(1, model.length, dtype=torch.uint8))).all()


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("base", "data"),
    [("basset", "bigwig"), ("mlp", "cooler"), ("akita", "fasta"), ("akita", "bigwig"), ("deepbind", "bigwig")],
)
def test_a_trunk_that_does_not_suit_the_data_is_refused_before_they_are_read(base: str, data: str) -> None:
    with pytest.raises(ConfigError, match=r"only the trunk of a model of tracks \(basenji\.\*\) can be fine-tuned"):
        run(base, data)


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["finetune", *words, "--print_config"]) == 0
    config: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
    return config


@pytest.mark.usefixtures("desk")
def test_the_plan_is_a_configuration_with_the_weights_named(capsys: pytest.CaptureFixture[str]) -> None:
    config = planned(capsys, name_of("basset"), "bound.fa", "--optimizer.lr", "0.5", "--mode", "last:1")
    stored = json.loads(Path("bases/basset.base/config.json").read_text())["sha256"]["model.safetensors"]
    assert config["name"] == "basset.bound"
    assert config["optimizer"]["init_args"]["lr"] == 0.5
    transfer = config["transfer"]
    assert {key: transfer[key] for key in ("trunk_from", "sha256", "head", "mode", "batch_statistics")} == {
        "trunk_from": name_of("basset"),
        "sha256": stored,
        "head": "layers",
        "mode": "last:1",
        "batch_statistics": "frozen",
    }
    assert config["model"]["init_args"]["loss"] == "binary_cross_entropy"
    assert config["data"]["init_args"]["reverse_complement"] is True  # a Basset reads one strand
    assert not Path("runs").exists()


@pytest.mark.usefixtures("desk")
def test_targets_that_the_base_knows_keep_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    fasta = ["two=bound.fa"]
    assert planned(capsys, name_of("basset"), *fasta)["transfer"]["head"] == "copy"
    assert planned(capsys, name_of("basset"), "three=bound.fa")["transfer"]["head"] == "layers"
    assert planned(capsys, name_of("basenji"), "two=signal.bw", *DATA["bigwig"][1:])["transfer"]["head"] == "copy"
    config = planned(capsys, name_of("basset"), "activity.tsv")
    assert config["model"]["init_args"]["loss"] == "mean_squared_error"
    assert config["monitor"] == "val_pearson"


@pytest.mark.usefixtures("desk")
def test_sequences_of_other_lengths_are_cut_only_where_the_trunk_needs_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes = np.random.default_rng(0).integers(0, 4, (40, 137)).astype(np.uint8)
    Path("long.fa").write_text("".join(f">{i}\n{decode(one)}\n" for i, one in enumerate(codes)))
    for base, resize in (("mlp", 100), ("basset", None), ("deepbind", None), ("basenji", 144)):
        config = planned(capsys, name_of(base), "long.fa")
        assert config["data"]["init_args"]["resize"] == resize, base


@pytest.mark.usefixtures("desk")
def test_a_trunk_of_tracks_is_pooled_to_the_bins_of_contacts(capsys: pytest.CaptureFixture[str]) -> None:
    config = planned(capsys, name_of("basenji"), *DATA["cooler"])
    trunk = config["model"]["init_args"]["trunk"]
    assert config["model"]["class_path"] == "zoo.models.akita.Akita"
    assert np.prod([trunk["stem_pool"], *trunk["tower_pools"]]) == 256
    assert trunk["tower_pools"][:1] == [4]
    assert (trunk["fine_after"], trunk["fine_dilations"]) == (1, [1])
    assert config["data"]["init_args"]["length"] == 80 * 256


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name a model and your data"),
        (["basset.base"], "there is no model 'basset.base'"),
        ([name_of("basset")], "name your data: files such as bound.fa"),
        ([name_of("basset"), "none.fa"], "none.fa: no such file"),
        ([name_of("basset"), "bound.fa", "--mode", "some"], "--mode is full, head, last:N"),
        ([name_of("basset"), "bound.fa", "--mode", "last:9"], "last:9: 3 blocks were taken; give last:1 to 3"),
        ([name_of("basset"), "bound.fa", "--mode", "full", "--transfer.mode", "head"], "contradict each other"),
        ([name_of("basset"), "bound.fa", "--transfer.trunk_from", "mlp.x"], "name another one there, not with"),
        (
            [name_of("basset"), "bound.fa", "--transfer.lora_rank", "4"],
            "lora_rank is of transfer.mode lora, not of full",
        ),
        (
            [name_of("basset"), "bound.fa", "--mode", "head", "--transfer.rate_decay", "0.5"],
            "leave out transfer.rate_d",
        ),
        (
            [name_of("basset"), "bound.fa", "--mode", "head", "--transfer.trunk_rate", "0.5"],
            "leave out transfer.trunk_r",
        ),
        ([name_of("mlp"), *DATA["peaks"], "--data.rules.length", "90"], "mlp.base takes 100: make a table of sites"),
        (
            [name_of("basenji"), *DATA["bigwig"], "--data.bin_size", "64"],
            "have 16 bases, not 64: leave out --data.bin_size",
        ),
        ([name_of("basset"), "bound.fa", "--mode"], "argument --mode: expected one argument"),
        ([name_of("basset"), "bound.fa", "--mode", "full", "--mode", "head"], "--mode is given twice"),
        ([name_of("basset"), "bound.fa", "--name", "mlp.x"], "_, - and dots: write --name basset.x"),
        ([name_of("basset"), "bound.fa", "--optimiser.lr", "1"], "no option 'optimiser'"),
        ([name_of("basset"), "bound.fa", "--genome", "genome.fa"], "leave out --genome"),
        ([name_of("basenji"), "signal.bw"], "add its FASTA file with --genome"),
        ([name_of("basset"), "bound.fa", "--data.inputs_table", "i.tsv"], "data.inputs_table: there is no"),
    ],
)
def test_what_does_not_fit_is_one_sentence(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["finetune", *words]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in error
    assert error.startswith("zoo: ")
    assert "/tmp" not in error
    assert not Path("runs").exists() or not list(Path("runs").iterdir())


def test_a_licence_without_derived_models_is_respected(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "bases").unlink()
    name = save_base(desk, "mlp")
    folder = train_request(read_request([name, "bound.fa", *QUICK]))
    name = save_base(desk, "mlp", {"licence": "CC-BY-NC-ND-4.0"})
    assert main(["finetune", name, "bound.fa"]) == 2
    message = "has the licence CC-BY-NC-ND-4.0, which forbids models that are derived"
    assert f"zoo: mlp.base {message}" in capsys.readouterr().err
    # Nor may `zoo train` begin with it, or any of a model that began with it.
    assert main(["train", str(folder), "--name", "mlp.again"]) == 2
    assert f"zoo: mlp.base {message}" in capsys.readouterr().err
    assert main(["finetune", f"local-dir:{folder}", "bound.fa"]) == 2
    assert f"zoo: mlp.base, with which local-dir:{folder} began, {message}" in capsys.readouterr().err


@pytest.mark.usefixtures("desk")
def test_what_is_printed_is_what_is_trained(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--transfer.mode", "head", "--trainer.max_epochs", "3", "--data.resize", "96", "--optimizer.lr", "0.1"]
    assert main(["finetune", name_of("deepbind"), "bound.fa", *options, "--print_config"]) == 0
    captured = capsys.readouterr()
    config = yaml.safe_load(captured.out)
    assert (config["transfer"]["mode"], config["trainer"]["max_epochs"]) == ("head", 3)
    lines = dict(line.split(maxsplit=1) for line in captured.err.splitlines()[1:])
    assert lines["as"] == "given   --trainer.max_epochs 3 --data.resize 96 --optimizer.lr 0.1"
    assert lines["mode"].startswith("head ")
    assert not {"epochs", "length", "learning"} & set(lines)


@pytest.mark.usefixtures("desk")
def test_a_head_that_was_copied_is_trained_by_a_linear_probe() -> None:
    folder = run("mlp", "fasta", "--mode", "head", "--name", "mlp.two", "--transfer.head", "layers")
    base = f"local-dir:{folder}"
    again = train_request(read_request([base, "bound.fa", "--mode", "head", "--name", "mlp.more", *QUICK]))
    assert read_config(again).facts.run is not None
    one, two = (load_file(path / "model.safetensors") for path in (folder, again))
    changed = {name for name, value in one.items() if not value.equal(two[name])}
    assert changed
    assert all(name.startswith("head.") for name in changed)


@pytest.mark.usefixtures("desk")
def test_a_head_is_kept_only_with_the_strands_that_it_was_trained_with(capsys: pytest.CaptureFixture[str]) -> None:
    Path("plus.bw").symlink_to("signal.bw")
    Path("minus.bw").symlink_to("signal.bw")
    data = ["x_plus=plus.bw", "x_minus=minus.bw", *DATA["bigwig"][1:]]
    folder = train_request(read_request([name_of("basenji"), *data, *QUICK, "--trainer.limit_train_batches", "1"]))
    capsys.readouterr()
    assert read_config(folder).arguments["strand_pairs"] == [1, 0]
    base = f"local-dir:{folder}"
    assert planned(capsys, base, *data)["transfer"]["head"] == "copy"
    assert planned(capsys, base, data[0], *data[2:])["transfer"]["head"] == "layers"


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("mode", ["full", "head", "last:1", "lora"])
def test_a_resumed_run_ends_with_the_weights_of_one_in_one_go(mode: str) -> None:
    def weights(run_folder: str, epochs: int, *options: str) -> bytes:
        places = ("--runs", f"runs_{run_folder}", "--checkpoints", f"checkpoints_{run_folder}")
        words = [name_of("basset"), "bound.fa", "--mode", mode, *QUICK[2:], *places]
        scheduler = ("--lr_scheduler", "torch.optim.lr_scheduler.StepLR", "--lr_scheduler.step_size", "2")
        folder = train_request(read_request([*words, "--trainer.max_epochs", str(epochs), *scheduler, *options]))
        return (folder / "model.safetensors").read_bytes()

    whole = weights("whole", 4)
    weights("parts", 2)
    assert weights("parts", 4, "--resume", "true") == whole


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
def test_test_data_that_the_base_was_trained_on_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    folder = run("basset", "fasta", "--name", "basset.first")
    words = [f"local-dir:{folder}", "bound.fa", "--data.split_seed", "7", "--name", "basset.second"]
    assert main(["finetune", *words, "--print_config"]) == 0
    printed = capsys.readouterr().err
    assert "were seen in training of basset.first" in printed
    assert "WARNING: test scores will be too high" in printed
    assert main(["finetune", *words, "--strict-split"]) == 2
    assert "zoo: --strict-split: " in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
def test_the_recipe_of_a_fine_tuning_repeats_it(capsys: pytest.CaptureFixture[str]) -> None:
    folder = run("basset", "fasta", "--name", "basset.first")
    assert main(["train", str(folder), "--name", "basset.again"]) == 0
    again = Path(capsys.readouterr().out.splitlines()[-1])
    assert (again / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    command = read_config(again).facts.training.command
    assert command.startswith("zoo finetune local-dir:bases/basset.base bound.fa --trainer.max_epochs 1")
    assert command.endswith("--name basset.again")


@pytest.mark.usefixtures("desk")
def test_the_function_takes_files_and_gives_a_model() -> None:
    model = zoo.finetune(name_of("mlp"), "bound.fa", name="mlp.mine", options={"trainer.max_epochs": 1})
    assert model.output.targets == ("bound",)
    assert not model.training
    with pytest.raises(ZooError, match="there is no model"):
        zoo.finetune("mlp.none", "bound.fa")
    with pytest.raises(ConfigError, match=r"the name of a target has .* not 'a/b'"):
        zoo.finetune(name_of("mlp"), {"a/b": "bound.fa"})
    with pytest.raises(ConfigError, match="mode is an argument of"):
        zoo.finetune(name_of("mlp"), "bound.fa", options={"mode": "head"})
    with pytest.raises(ZooError, match="no column 'ab'"):
        zoo.finetune(name_of("mlp"), "activity.tsv", targets="ab")
    with pytest.raises(ConfigError, match=r"options\['seed_everything'\] is a text, a number or a list .* not <object"):
        zoo.finetune(name_of("mlp"), "bound.fa", options={"seed_everything": object()})
    words = {"runs": Path("r"), "trainer.max_epochs": np.int64(1), "name": None}
    with pytest.raises(ConfigError, match="name is an argument of"):
        zoo.finetune(name_of("mlp"), "bound.fa", options=words)
    del words["name"]
    zoo.finetune(name_of("mlp"), "bound.fa", name="mlp.other", options=words)
    assert Path("r/mlp.other").is_dir()


@pytest.mark.usefixtures("desk")
def test_a_score_of_a_few_sequences_is_told_to_say_little(capsys: pytest.CaptureFixture[str]) -> None:
    records = Path("bound.fa").read_text().split(">")[1:25]
    Path("few.fa").write_text("".join(f">{record}" for record in records))
    folder = run("mlp", "fasta", "--data.fasta", "{bound: few.fa}")
    sentence = "The test split has 4 sequences: scores of so few say little."  # 2 and a shuffle of each
    assert sentence in capsys.readouterr().err
    assert sentence in read_config(folder).facts.limits


@pytest.mark.usefixtures("desk")
def test_few_labels_of_a_target_are_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    rows = Path("activity.tsv").read_text().splitlines()
    cells = [f"{row}\t{row.split()[1] if index % 6 == 0 else ''}" for index, row in enumerate(rows[1:])]
    Path("two.tsv").write_text("\n".join([f"{rows[0]}\trare", *cells]) + "\n")
    train_request(read_request([name_of("mlp"), "two.tsv", *QUICK, "--data.split_seed", "3"]))
    said = capsys.readouterr().err
    assert re.search(r"The test split has [1-9] labels of the target rare: a score of so few says little\.", said), said


@pytest.mark.usefixtures("desk")
def test_the_end_says_which_epoch_was_chosen_and_how_to_predict(capsys: pytest.CaptureFixture[str]) -> None:
    run("basset", "peaks")
    said = capsys.readouterr().err
    assert "weights: epoch 1 of 1, which has the best val_auroc" in said
    assert "to predict: zoo predict basset.ctcf peaks.bed --genome genome.fa --resize -o predictions.tsv" in said
    early = {"class_path": "lightning.pytorch.callbacks.EarlyStopping"}
    early["init_args"] = {"monitor": "val_auroc", "patience": 1, "mode": "min", "min_delta": 1.0}  # type: ignore[assignment]
    words = ["--name", "basset.early", "--trainer.callbacks", json.dumps([early]), "--trainer.max_epochs", "5"]
    train_request(read_request([name_of("basset"), *DATA["peaks"], *QUICK[2:], *words]))
    assert "of 2, which has the best val_auroc; training ended early, after 1 epochs" in capsys.readouterr().err
