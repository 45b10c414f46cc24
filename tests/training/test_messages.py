"""Each mistake in a configuration is one sentence that names the key, before any data are prepared."""

import re
from pathlib import Path

import pytest
from test_configs import own_options

from zoo.data.sequences import SequenceDataModule
from zoo.errors import ZooError
from zoo.hub.registry import shipped_folder
from zoo.training.given import read_given, refuse_linked
from zoo.training.messages import explain, explain_remainder
from zoo.training.options import LINKED, option_types
from zoo.training.parse import parse, print_config
from zoo.training.run import train

CONFIG = """name: deepbind.made
monitor: val_auroc
model:
  class_path: zoo.models.deepbind.DeepBind
  init_args: {motifs: {filters: 8, width_bases: 10}, hidden: 4}
data:
  class_path: zoo.data.sequences.SequenceDataModule
  init_args:
    fasta: {bound: bound.fa}
    shuffles: 1
optimizer: {class_path: torch.optim.AdamW, init_args: {lr: 0.02}}
lr_scheduler:
  class_path: torch.optim.lr_scheduler.OneCycleLR
  init_args: {pct_start: 0.1}
trainer: {max_epochs: 1, accelerator: cpu}
"""
CALLBACKS = "--trainer.callbacks"
OPTIONS = {
    "--foo=3": "foo: there is no option 'foo'; there are name,",
    "--epochs=3": "epochs: there is no option 'epochs'; the nearest are --trainer.max_epochs, ",
    "--max_epochs=3": "epochs'; the nearest is --trainer.max_epochs$",
    "--batch_size=3": "'batch_size'; the nearest is --data.batch_size$",
    "--lr=3": "'lr'; the nearest is --optimizer.lr",
    "--hidden=3": "'hidden'; the nearest is --model.hidden",
    "--trainer.max_epoch=3": "trainer.max_epoch: .*the nearest are max_epochs",
    "--trainer.max_epochs=many": "trainer.max_epochs: 'many' is not an integer or null",
    "--trainer.max_epochs=[1]": r"trainer.max_epochs: \[1\] is not an integer",
    "--trainer.accelerator=tpuu": "'tpuu'.*cpu",
    "--trainer.precision=33": "trainer.precision: 33 is not one of",
    "--data=zoo.data.sequences.SequenceDataModul": "data: the class .*nearest .*SequenceDataModule",
    "--data.batch_sise=3": "data.batch_sise: .*the nearest are batch_size",
    "--data.batch_size=many": "data.batch_size: 'many' is not an integer",
    "--data.batch_size=[1]": r"data.batch_size: \[1\] is not an integer",
    "--data.fasta=bound.fa": "data.fasta: 'bound.fa' needs a name: write --data.fasta '{bound: bound.fa}'",
    "--data.fasta={bound:bound.fa}": "lacks a space after the colon: write --data.fasta '{bound: bound.fa}'",
    "--data.fasta=null": r"name your data with --data.fasta '\{NAME: FILE\}' or --data.table FILE",
    "--data.label_columns=y": r"'y' is not a list of texts or null: write --data.label_columns '\[y\]'$",
    "--data.seed=3": "data.seed follows from seed_everything",
    "--model=zoo.models.depbind.DeepBind": "model: the class .* the nearest is zoo.models.deepbind.DeepBind",
    "--model=zoo.data.sequences.SequenceDataModule": "is not one that fits here",
    "--trainer.callbacks=[{class_path: .mine.Own}]": "the class '.mine.Own' does not exist",
    "--model.hiden=3": "model.hiden: .*the nearest is hidden",
    "--model.motifs.filter=3": "model.motifs.filter: .*the nearest is filters",
    "--model.motifs.filters=[3]": r"model.motifs.filters: \[3\] is not an integer",
    "--model.motifs.pooling=positions": "for sequences of one strand",
    "--model.targets=[a]": "model.targets follows from the data",
    "--optimizer=Adamm": "optimizer: the class 'Adamm' does not exist; the nearest are torch.optim.Adam,",
    "--optimizer.lrr=3": "optimizer.lrr: .*the nearest is lr",
    "--optimizer.lr=many": "optimizer.lr: 'many' is not a number",
    "--optimizer.lr=-1": "optimizer.lr: .*-1",
    "--optimizer.betas=[.9]": r"optimizer.betas: \[0.9\] is not a list of 2 values",
    "--lr_scheduler.pct_start=2": "lr_scheduler.pct_start: .*between 0 and 1",
    "--lr_scheduler.max_lr=1": "lr_scheduler.max_lr follows from optimizer.lr",
    "--lr_scheduler=torch.optim.lr_scheduler.CosineAnnealingLR": "lr_scheduler.T_max is missing",
    "--optimizer=null": "lr_scheduler needs an optimizer",
    f"{CALLBACKS}=[{{class_path: EarlyStoping}}]": r"callbacks\[0\]: the class .*nearest is .*EarlyStopping",
    f"{CALLBACKS}=[{{class_path: EarlyStopping}}]": r"callbacks\[0\].monitor is missing",
    f"{CALLBACKS}=[{{class_path: EarlyStopping, init_args: {{monitr: a}}}}]": r"\.monitr: .*nearest is monitor",
    f"{CALLBACKS}=[{{class_path: EarlyStopping, init_args: {{monitor: val_los}}}}]": "'val_los' .*val_loss",
    "--param_groups.rates=3": "param_groups.rates: 3 is not a set of",
    "--param_groups.rates={trunkk: 1}": "param_groups.rates: no parameter begins with 'trunkk'",
    "--transfer.trunk_rate=many": "transfer.trunk_rate: 'many' is not a number",
    "--transfer.trunk_rate=.1": "needs transfer.trunk_from",
    "--transfer.trunkrate=1": "transfer.trunkrate: .*the nearest are trunk_rate",
    "--card.sumary=x": "card.sumary: .*the nearest is summary",
    "--card.use={cell}": "the data has no value for 'cell'",
    "--target_weights=3": "target_weights: 3 is not a list of numbers",
    "--target_weights=[1, 2]": "2 target_weights for 1 targets",
    "--seed_everything=many": "seed_everything: 'many' is not",
    "--resume=maybe": "resume: 'maybe' is not true or false",
    "--monitor=val_auc": "no metric 'val_auc' to monitor; there are val_loss, val_auroc",
    "--name=made": "'made' is not a name for this model: .*: write --name deepbind.made$",
    "--name=basset.x": "'basset.x' is not a name for this model: .*: write --name deepbind.x$",
    "--name=nope.x": "write --name deepbind.x$",
    "--name=../x": "write --name deepbind.x; --checkpoints and --runs choose the folders",
    "--name=My model (2)": "write --name deepbind.My_model_2$",
    "--name=out/deepbind.x/": "write --name deepbind.x;",
    "--name=..": "write --name deepbind.mine$",
    "--data.batch_size": "--data.batch_size has no value",
    "3": "options come in pairs.*'3'",
}
EDITS = {
    ("name: deepbind.made\n", ""): "name is missing",
    ("model:", "modl:"): "modl: .*the nearest is model",
    ("class_path: zoo.models", "clas_path: zoo.models"): "model: name a class as class_path",
    ("  init_args:\n    fasta", "  init_arg:\n    fasta"): "data.init_arg: .*the nearest is init_args",
    ("shuffles", "shufles"): "data.shufles: .*the nearest is shuffles",
    ("filters: 8", "filter: 8"): "model.motifs.filter: .*the nearest is filters",
    ("{lr: 0.02}", "[0.02]"): r"optimizer: \[0.02\] is not a set of options",
    ("trainer: {max_epochs: 1, accelerator: cpu}", "trainer: 3"): "trainer: 3 is not a set of options",
    ("\n    shuffles", "\n   shuffles"): "line 10: this is not YAML",
    (CONFIG, "- a"): "a configuration has keys",
}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of data that must neither be prepared nor read."""

    def refuse(data: object) -> None:
        raise SystemExit("data were prepared or read")  # an Exception could be hidden

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SequenceDataModule, "prepare_data", refuse)
    monkeypatch.setattr(SequenceDataModule, "read", refuse)
    (tmp_path / "bound.fa").write_text("".join(f">s{i}\n{'ACGTTGCATC' * 4}\n" for i in range(20)))
    path = tmp_path / "made.yaml"
    path.write_text(CONFIG)
    return path


def sentence(config: Path, *options: str) -> str:
    with pytest.raises(ZooError) as error:
        train([config.name, *options])
    message = str(error.value)
    assert "\n" not in message
    for jargon in ("Does not validate", "Subtypes", "Namespace", "<class", "Traceback"):
        assert jargon not in message
    return message


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS)
def test_a_mistake_in_an_option_is_one_sentence(config: Path, option: str) -> None:
    assert re.search(OPTIONS[option], sentence(config, option)), sentence(config, option)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: repr(edit[1][:20]))
def test_a_mistake_in_the_file_is_one_sentence(config: Path, edit: tuple[str, str]) -> None:
    config.write_text(CONFIG.replace(*edit))
    message = sentence(config)
    assert re.search(EDITS[edit], message), message
    assert message.startswith("made.yaml")


@pytest.mark.slow
def test_arguments_of_a_class_that_an_option_replaced_are_not_mistakes(config: Path) -> None:
    given = read_given(config.name, ["--optimizer", "SGD", "--optimizer.betas", "[.9, .9]"])
    assert "betas" in str(explain(given, option_types()))
    given = read_given(config.name, ["--lr_scheduler", "StepLR", "--lr_scheduler.step_size", "3"])
    assert explain(given, option_types()) is None


@pytest.mark.parametrize("path", sorted(shipped_folder("configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_is_wrong_with_a_shipped_configuration(path: Path) -> None:
    given = read_given(str(path), own_options(path))
    refuse_linked(given, LINKED)
    assert explain(given, option_types()) is None


def test_what_is_not_understood_is_still_one_sentence() -> None:
    dump = 'Parser key "model":\n  Does not validate against any of the Union subtypes\n  Subtypes: [...]'
    assert explain_remainder(dump).startswith("model: its value does not fit")
    assert explain_remainder("one\n  two") == "one two"


def test_the_whole_configuration_is_printed_without_reading_data(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bound.fa").unlink()
    print_config([config.name, "--optimizer.lr", "0.5"])
    printed = capsys.readouterr().out
    assert "lr: 0.5" in printed


def test_a_printed_configuration_is_a_configuration(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_config([config.name])
    Path("printed.yaml").write_text(capsys.readouterr().out)
    assert parse(["printed.yaml"]).config.optimizer.init_args.lr == 0.02
