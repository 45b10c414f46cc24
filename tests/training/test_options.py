"""Every option that `zoo train` has of its own changes the run or its result, or is refused; none is ignored.

The options are read from the dataclasses, so that a new one without a case fails here.
"""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from zoo.errors import ConfigError, IntegrityError
from zoo.genome.sequence import decode
from zoo.hub.config import read_config
from zoo.training.card_text import CardText
from zoo.training.optimizers import ParamGroups
from zoo.training.options import RunOptions, option_types
from zoo.training.run import train
from zoo.training.transfer import TransferOptions

CONFIG = """
name: mlp.made
monitor: val_loss
model: {class_path: zoo.models.mlp.MLP, init_args: {hidden: [4]}}
data:
  class_path: zoo.data.sequences.SequenceDataModule
  init_args: {table: table.tsv, label_columns: [a, b], val_fraction: 0.2, test_fraction: 0.2, batch_size: 16}
optimizer: {class_path: torch.optim.AdamW, init_args: {lr: 0.01, weight_decay: 0.5}}
trainer: {max_epochs: 2, accelerator: cpu, devices: 1, enable_progress_bar: false, enable_model_summary: false}
"""
Weights = dict[str, torch.Tensor]


class Desk:
    """A folder with a configuration and made data, and the weights of runs."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        rows = [(decode(rng.integers(0, 4, 12).astype(np.uint8)), *rng.integers(0, 2, 2)) for _ in range(80)]
        Path("table.tsv").write_text("sequence\ta\tb\n" + "".join(f"{s}\t{a}\t{b}\n" for s, a, b in rows))
        Path("made.yaml").write_text(CONFIG)
        self.runs = 0

    def train(self, *options: str) -> Path:
        """The checkpoint of a run in a new folder, unless the options say where it lies."""
        self.runs += 1
        places = {"--runs": f"runs_{self.runs}", "--checkpoints": f"checkpoints_{self.runs}"}
        extra = [word for name, path in places.items() if name not in options for word in (name, path)]
        return train(["made.yaml", *options, *extra])

    def weights(self, *options: str) -> Weights:
        return load_file(self.train(*options) / "model.safetensors")

    def source(self) -> tuple[str, Weights]:
        """The name and the weights of a model with the same trunk."""
        folder = self.train("--seed_everything", "7")
        return f"local-dir:{folder}", load_file(folder / "model.safetensors")


def same(one: Weights, other: Weights, part: str = "") -> bool:
    return all(torch.equal(value, other[key]) for key, value in one.items() if key.startswith(part))


def name(desk: Desk) -> None:
    assert desk.train("--name", "mlp.other").name == "mlp.other"


def checkpoints(desk: Desk) -> None:
    assert desk.train("--checkpoints", "elsewhere") == Path("elsewhere/mlp.made")


def runs(desk: Desk) -> None:
    desk.train("--runs", "elsewhere")
    assert Path("elsewhere/mlp.made/best.ckpt").is_file()


def monitor(desk: Desk) -> None:
    desk.train("--monitor", "val_auroc", "--runs", "r")
    checkpoint = torch.load("r/mlp.made/best.ckpt", weights_only=True)
    (best,) = (s for s in checkpoint["callbacks"].values() if s.get("monitor") == "val_auroc")
    assert best["best_model_score"] is not None


def resume(desk: Desk) -> None:
    for workers in ("0", "1"):
        options = ("--data.num_workers", workers)
        whole = desk.weights("--trainer.max_epochs", "3", *options)
        places = ("--runs", f"r{workers}", "--checkpoints", f"c{workers}")
        desk.train(*places, "--trainer.max_epochs", "1", *options)
        resumed = desk.weights(*places, "--trainer.max_epochs", "3", "--resume", "true", *options)
        assert same(whole, resumed)  # dropout too draws the same


def overwrite(desk: Desk) -> None:
    places = ("--runs", "r", "--checkpoints", "c")
    first = desk.weights(*places)
    with pytest.raises(ConfigError, match="holds a run of that name"):
        desk.train(*places)
    assert same(first, desk.weights(*places, "--overwrite", "true"))


def trust(desk: Desk) -> None:
    folder = desk.train()
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        recipe.read_text().replace("  logger: null", "  logger: {class_path: CSVLogger, init_args: {save_dir: l}}")
    )
    places = ("--runs", "r", "--checkpoints", "c")
    with pytest.raises(ConfigError, match="add --trust true"):
        train([str(folder), *places])
    train([str(folder), *places, "--trust", "true"])
    assert Path("l").is_dir()


def target_weights(desk: Desk) -> None:
    first, other = desk.weights(), desk.weights("--target_weights", "[1, 0]")
    assert not same(first, other)


def delta(desk: Desk) -> None:
    source, _ = desk.source()
    with pytest.raises(ConfigError, match=r"--delta true stores what differs from the weights of transfer\.trunk_from"):
        desk.train("--delta", "true")
    folder = desk.train("--transfer.trunk_from", source, "--delta", "true", "--name", "mlp.small")
    assert (folder / "delta.safetensors").is_file()
    assert not (folder / "model.safetensors").exists()


def compile(desk: Desk) -> None:
    """Traced as always, but not turned into C++, which takes long and rounds otherwise."""
    traced: list[str] = []
    whole = nn.Module.compile

    def eager(module: nn.Module) -> None:
        traced.append(type(module).__name__)
        whole(module, backend="eager")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Module, "compile", eager)
        weights = desk.weights("--compile", "true")
        again = ("--runs", "runs_again", "--checkpoints", "checkpoints_again")
        desk.train("--compile", "true", "--trainer.max_epochs", "1", *again)
        resumed = desk.weights("--compile", "true", "--resume", "true", *again)
    plain = desk.weights()
    assert len(traced) == 6  # a trunk and a head of three runs
    assert weights.keys() == plain.keys()
    for key, value in plain.items():
        torch.testing.assert_close(weights[key], value, rtol=1e-4, atol=1e-6)
    assert same(weights, resumed)
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(ConfigError, match=r"--compile true needs a C\+\+ compiler"),
    ):
        patch.setattr("zoo.training.compiled.shutil.which", lambda name: None)
        patch.setattr("torch.cuda.is_available", lambda: False)
        desk.train("--compile", "true")


def target_scaling(desk: Desk) -> None:
    regression = ("--data.classify", "false", "--model.loss", "mean_squared_error")
    scaled, plain = desk.train(*regression), desk.train(*regression, "--target_scaling", "none")
    assert read_config(scaled).arguments["target_scale"]["scaled_loss"]
    assert read_config(plain).arguments["target_scale"] is None
    with pytest.raises(ConfigError, match="target_scaling"):
        desk.train("--target_scaling", "some")


def rates(desk: Desk) -> None:
    assert not same(desk.weights(), desk.weights("--param_groups.rates", "{trunk: 0.1}"))


def decay_all(desk: Desk) -> None:
    first, other = desk.weights(), desk.weights("--param_groups.decay_all", "true")
    assert not same(first, other)


def trunk_from(desk: Desk) -> None:
    source, _ = desk.source()
    assert not same(desk.weights(), desk.weights("--transfer.trunk_from", source))


def trunk_rate(desk: Desk) -> None:
    source, theirs = desk.source()
    frozen = desk.weights("--transfer.trunk_from", source, "--transfer.trunk_rate", "0")
    assert same({key: value for key, value in frozen.items() if key.startswith("trunk.")}, theirs)
    assert not same(frozen, desk.weights("--transfer.trunk_from", source), "trunk.")


def frozen_epochs(desk: Desk) -> None:
    source, theirs = desk.source()
    frozen = desk.weights("--transfer.trunk_from", source, "--transfer.frozen_epochs", "2")
    assert same({key: value for key, value in frozen.items() if key.startswith("trunk.")}, theirs)
    thawed = desk.weights("--transfer.trunk_from", source, "--transfer.frozen_epochs", "1", "--monitor", "val_loss")
    assert not same(frozen, thawed)


def train_mode(desk: Desk) -> None:
    source, theirs = desk.source()
    options = ("--transfer.trunk_from", source, "--transfer.trunk_rate", "0")
    frozen, active = desk.weights(*options), desk.weights(*options, "--transfer.train_mode", "true")
    assert same({key: value for key, value in active.items() if key.startswith("trunk.")}, theirs)
    assert not same(frozen, active)  # the head learns behind a dropout that acts


def sha256(desk: Desk) -> None:
    source, _ = desk.source()
    stored = read_config(Path(source.removeprefix("local-dir:"))).sha256["model.safetensors"]
    desk.train("--transfer.trunk_from", source, "--transfer.sha256", stored)
    with pytest.raises(IntegrityError, match="the run began with other weights of that name"):
        desk.train("--transfer.trunk_from", source, "--transfer.sha256", "0" * 64)


def head(desk: Desk) -> None:
    source, _ = desk.source()
    new, copied = (desk.weights("--transfer.trunk_from", source, "--transfer.head", one) for one in ("layers", "copy"))
    assert same(new, desk.weights("--transfer.trunk_from", source))  # an MLP has one layer in its head
    assert not same(new, copied)


def mode(desk: Desk) -> None:
    source, theirs = desk.source()
    trunks = {}
    for name in ("full", "head", "lora", "last:1"):
        weights = desk.weights("--transfer.trunk_from", source, "--transfer.mode", name)
        assert set(weights) == {*theirs, "head.0.weight", "head.0.bias"}
        trunks[name] = {key: value for key, value in weights.items() if key.startswith("trunk.")}
    assert same(trunks["head"], theirs)
    assert not same(trunks["lora"], theirs)
    assert not same(trunks["lora"], trunks["full"])
    assert same(trunks["last:1"], trunks["full"])  # an MLP of one hidden layer has one block


def differs_with_copied_head(key: str, value: str, *options: str) -> Callable[[Desk], None]:
    def case(desk: Desk) -> None:
        source, _ = desk.source()
        common = ("--transfer.trunk_from", source, "--transfer.head", "copy", *options)
        assert not same(desk.weights(*common), desk.weights(*common, f"--transfer.{key}", value))

    return case


def batch_statistics(desk: Desk) -> None:
    sizes = {"filters": "[4]", "widths": "[3]", "pools": "[2]"}
    net = ["--model", "zoo.models.basset.Basset", "--model.hidden", "[4]", "--name", "basset.made"]
    net += [word for key, value in sizes.items() for word in (f"--model.conv.{key}", value)]
    source = desk.train(*net)
    theirs = load_file(source / "model.safetensors")
    for statistics in ("frozen", "updated"):
        options = ("--transfer.trunk_from", f"local-dir:{source}", "--transfer.batch_statistics", statistics)
        weights = desk.weights(*net, *options)
        assert same(weights, theirs, "trunk.blocks.0.norm.running_mean") == (statistics == "frozen")


def text_of(key: str) -> Callable[[Desk], None]:
    def card(desk: Desk) -> None:
        folder = desk.train(f"--card.{key}", "MIT of {targets}")
        assert getattr(read_config(folder).facts, key).startswith("MIT of a, b")
        assert "MIT of a, b" in (folder / "README.md").read_text()

    return card


def datasets(desk: Desk) -> None:
    folder = desk.train("--card.datasets", "lab/peaks, lab/more")
    assert read_config(folder).facts.datasets == ("lab/peaks", "lab/more")
    with pytest.raises(ConfigError, match="'peaks' is no id of the Hugging Face Hub"):
        desk.train("--card.datasets", "peaks")


def citation(desk: Desk) -> None:
    entry = "@misc{mine, title = {Mine}}"
    folder = desk.train("--card.citation", entry)
    assert read_config(folder).facts.citation == entry
    assert f"```bibtex\n{entry}\n```" in (folder / "README.md").read_text()


CASES: dict[str, Callable[[Desk], None]] = {
    **{
        f.__name__: f
        for f in (
            name,
            checkpoints,
            runs,
            monitor,
            resume,
            overwrite,
            trust,
            target_weights,
            target_scaling,
            delta,
            compile,
        )
    },
    **{f"param_groups.{f.__name__}": f for f in (rates, decay_all)},
    **{f"transfer.{f.__name__}": f for f in (trunk_from, trunk_rate, frozen_epochs, train_mode)},
    **{f"transfer.{f.__name__}": f for f in (sha256, head, mode, batch_statistics)},
    "transfer.rate_decay": differs_with_copied_head("rate_decay", "0.1"),
    "transfer.unfreeze_epochs": differs_with_copied_head("unfreeze_epochs", "1"),
    "transfer.lora_rank": differs_with_copied_head("lora_rank", "2", "--transfer.mode", "lora"),
    "transfer.lora_alpha": differs_with_copied_head("lora_alpha", "2", "--transfer.mode", "lora"),
    **{f"card.{field.name}": text_of(field.name) for field in fields(CardText)},
    "card.datasets": datasets,
    "card.citation": citation,
}
GROUPS = {"param_groups": ParamGroups, "transfer": TransferOptions, "card": CardText}
# Lightning's own: what their values do is Lightning's, and tests of training use them.
LIGHTNING = {"seed_everything", "trainer", "model", "data", "optimizer", "lr_scheduler"}


def test_every_option_has_a_case() -> None:
    own = {field.name for field in fields(RunOptions)}
    own |= {f"{group}.{field.name}" for group, options in GROUPS.items() for field in fields(options)}
    assert own == set(CASES)
    assert {option.split(".")[0] for option in own} | LIGHTNING == set(option_types())


@pytest.mark.parametrize("option", CASES)
def test_every_option_is_used_or_refused(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    CASES[option](Desk())
