"""Configurations that would run a program, or write and send what they like, if `zoo train` acted on them.

Each is one change of a configuration that trains; a module `hostile` on the path, and a shell, leave a file `marker`
where anything of them runs.
"""

import copy
from pathlib import Path
from typing import Any

import yaml

__all__ = ["HOSTILE", "HOSTILE_TEXTS", "MARKER", "TRAINS", "hostile_text", "write_hostile_module"]

MARKER = "marker"
TRAINS = yaml.safe_load("""
name: mlp.a
seed_everything: 3
model: {class_path: zoo.models.mlp.MLP, init_args: {hidden: [4], loss: mean_squared_error}}
data:
  class_path: zoo.data.sequences.SequenceDataModule
  init_args: {table: t.tsv, label_columns: [y], classify: false, val_fraction: 0.2, test_fraction: 0.2, batch_size: 16}
optimizer: {class_path: torch.optim.AdamW, init_args: {lr: 0.01}}
lr_scheduler:
  class_path: torch.optim.lr_scheduler.OneCycleLR
  init_args: {pct_start: 0.3, cycle_momentum: false}
trainer: {max_epochs: 1, accelerator: cpu, enable_progress_bar: false, enable_model_summary: false}
""")
_MODULE = """
import pathlib
pathlib.Path({marker!r}).write_text("imported")
from lightning.pytorch.callbacks import Callback, LambdaCallback
from zoo.data.sequences import SequenceDataModule
from zoo.models.mlp import MLP
import torch
class Data(SequenceDataModule): pass
class Model(MLP): pass
class Optimizer(torch.optim.SGD): pass
class Own(Callback): pass
class Scheduler(torch.optim.lr_scheduler.ConstantLR): pass
def act(*arguments, **options): pass
"""
_OWN = {"class_path": "hostile.Own"}
_SHELL = {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", MARKER]}}
_LIGHTNING = "lightning.pytorch.callbacks"
_WRITES = {"save_dir": MARKER}


def _callback(name: str, **arguments: Any) -> list[dict[str, Any]]:
    return [{"class_path": f"{_LIGHTNING}.{name}", "init_args": arguments}]


# Name -> key below which a value is put, and the value.
HOSTILE: dict[str, tuple[str, Any]] = {
    "model": ("model.class_path", "hostile.Model"),
    "model as text": ("model", "hostile.Model"),
    "model that is a function": ("model.class_path", "os.system"),
    "data": ("data.class_path", "hostile.Data"),
    "data as text": ("data", "hostile.Data"),
    "data of no kind": ("data.class_path", "zoo.training.callbacks.MaxNorm"),
    "optimizer": ("optimizer.class_path", "hostile.Optimizer"),
    "optimizer as text": ("optimizer", "hostile.Optimizer"),
    "optimizer of the shell": ("optimizer", _SHELL),
    "optimizer that calls": ("optimizer", {"class_path": "torch.hub.load", "init_args": {"repo_or_dir": "hostile"}}),
    "scheduler": ("lr_scheduler.class_path", "hostile.Scheduler"),
    "scheduler of functions": (
        "lr_scheduler",
        {"class_path": "torch.optim.lr_scheduler.LambdaLR", "init_args": {"lr_lambda": "hostile.act"}},
    ),
    "function of a scheduler": (
        "lr_scheduler",
        {"class_path": "torch.optim.lr_scheduler.CyclicLR", "init_args": {"base_lr": 0.1, "scale_fn": "hostile.act"}},
    ),
    "class in an argument of no type": (
        "lr_scheduler",
        {"class_path": "torch.optim.lr_scheduler.CyclicLR", "init_args": {"base_lr": 0.1, "scale_fn": _OWN}},
    ),
    "YAML in an argument of no type": (
        "lr_scheduler",
        {
            "class_path": "torch.optim.lr_scheduler.CyclicLR",
            "init_args": {"base_lr": 0.1, "scale_fn": "{class_path: hostile.Own}"},
        },
    ),
    "callback": ("trainer.callbacks", [_OWN]),
    "callback that is not in a list": ("trainer.callbacks", _OWN),
    "callbacks as text": ("trainer.callbacks", "[{class_path: hostile.Own}]"),
    "callback after a good one": ("trainer.callbacks", [*_callback("LearningRateMonitor"), _OWN]),
    "callback of a package inside torch": ("trainer.callbacks", [{"class_path": "torch.utils.hostile.Own"}]),
    "callback through a module of torch": ("trainer.callbacks", [{"class_path": "torch.os.system"}]),
    "callback through Lightning": ("trainer.callbacks", [{"class_path": f"{_LIGHTNING}.timer.os.system"}]),
    "callback of a name like zoo": ("trainer.callbacks", [{"class_path": "zoo_hostile.Own"}]),
    "callback with a dot first": ("trainer.callbacks", [{"class_path": ".hostile.Own"}]),
    "callback with a path": ("trainer.callbacks", [{"class_path": "./hostile.Own"}]),
    "callback in a list in a list": ("trainer.callbacks", [[_OWN]]),
    "LambdaCallback": ("trainer.callbacks", _callback("LambdaCallback", on_train_start="hostile.act")),
    "LambdaCallback of the shell": ("trainer.callbacks", _callback("LambdaCallback", setup="os.system")),
    "LambdaCallback by its module": (
        "trainer.callbacks",
        [{"class_path": f"{_LIGHTNING}.lambda_function.LambdaCallback", "init_args": {"setup": "hostile.act"}}],
    ),
    "LambdaCallback without its module": ("trainer.callbacks", [{"class_path": "LambdaCallback"}]),
    "function of a callback": ("trainer.callbacks", _callback("BackboneFinetuning", lambda_func="hostile.act")),
    "class for a function of a callback": ("trainer.callbacks", _callback("BackboneFinetuning", lambda_func=_SHELL)),
    "function of an average": (
        "trainer.callbacks",
        _callback("StochasticWeightAveraging", swa_lrs=0.1, avg_fn="hostile.act"),
    ),
    "function that prunes": ("trainer.callbacks", _callback("ModelPruning", pruning_fn="hostile.act", amount=0.5)),
    "module to prune": (
        "trainer.callbacks",
        _callback("ModelPruning", pruning_fn="l1_unstructured", parameters_to_prune=[[_OWN, "weight"]]),
    ),
    "callback that saves elsewhere": ("trainer.callbacks", _callback("ModelCheckpoint", dirpath=MARKER)),
    "callback that saves above": ("trainer.callbacks", _callback("ModelCheckpoint", filename="../../marker")),
    "callback that saves on errors": ("trainer.callbacks", _callback("OnExceptionCheckpoint", dirpath=MARKER)),
    "callback that saves settings": ("trainer.callbacks", [{"class_path": "lightning.pytorch.cli.SaveConfigCallback"}]),
    "dict_kwargs of a callback": (
        "trainer.callbacks",
        [{"class_path": f"{_LIGHTNING}.WeightAveraging", "dict_kwargs": {"avg_fn": "hostile.act"}}],
    ),
    "class among words": (
        "trainer.callbacks",
        _callback("RichProgressBar", console_kwargs={"file": {"class_path": "hostile.Own"}}),
    ),
    "logger": ("trainer.logger", {"class_path": "hostile.Own"}),
    "logger that writes": (
        "trainer.logger",
        [{"class_path": "lightning.pytorch.loggers.CSVLogger", "init_args": _WRITES}],
    ),
    "logger that sends": ("trainer.logger", {"class_path": "lightning.pytorch.loggers.WandbLogger"}),
    "profiler": (
        "trainer.profiler",
        {"class_path": "lightning.pytorch.profilers.SimpleProfiler", "init_args": {"dirpath": ".", "filename": MARKER}},
    ),
    "strategy": ("trainer.strategy", {"class_path": "hostile.Own"}),
    "strategy as text": ("trainer.strategy", "hostile.Own"),
    "function of a strategy": (
        "trainer.strategy",
        {"class_path": "lightning.pytorch.strategies.DDPStrategy", "init_args": {"ddp_comm_hook": "hostile.act"}},
    ),
    "state of a strategy": (
        "trainer.strategy",
        {"class_path": "lightning.pytorch.strategies.DDPStrategy", "init_args": {"ddp_comm_state": _OWN}},
    ),
    "accelerator": ("trainer.accelerator", {"class_path": "hostile.Own"}),
    "plugins": ("trainer.plugins", [_OWN]),
    "plugin that writes": ("trainer.plugins", [{"class_path": "lightning.pytorch.plugins.io.TorchCheckpointIO"}]),
    "folder of the trainer": ("trainer.default_root_dir", MARKER),
    "registry of models": ("trainer.model_registry", "them/theirs"),
    "trainer as a class": ("trainer", {"class_path": "hostile.Own"}),
    "trainer in a file": ("trainer", "hostile.yaml"),
    "callbacks in a file": ("trainer.callbacks", "hostile.yaml"),
    "optimizer in a file": ("optimizer", "hostile.yaml"),
    "strategy in a file without an ending": ("trainer.strategy", "hostilefile"),
    "optimizer in a file without an ending": ("optimizer", "hostilefile"),
    "model in a file": ("model", "hostile.yaml"),
    "card in a file": ("card", "hostile.yaml"),
    "card as a class": ("card", {"class_path": "hostile.Own"}),
    "text of the card as a class": ("card.summary", {"class_path": "hostile.Own"}),
    "transfer as a class": ("transfer", {"class_path": "hostile.Own"}),
    "groups as a class": ("param_groups", {"class_path": "hostile.Own"}),
    "class among rates": ("param_groups.rates", {"trunk": {"class_path": "hostile.Own"}}),
    "class as the scale": ("model.init_args.target_scale", {"class_path": "hostile.Own"}),
    "class among the files": ("data.init_args.fasta", {"a": {"class_path": "hostile.Own"}}),
    "class as a number": ("seed_everything", {"class_path": "hostile.Own"}),
    "class as the name": ("name", {"class_path": "hostile.Own"}),
    "arguments of an unknown name": ("model.init_args.hook", "hostile.act"),
    "model without its class": ("model", {"init_args": {"hidden": [4]}}),
    "key with a dot": ("trainer", {"callbacks": None, "logger.class_path": "hostile.Own"}),
    "key with a plus": ("trainer", {"callbacks+": [_OWN]}),
    "a further file": ("config", "hostile.yaml"),
    "an unknown key": ("hostile", _OWN),
    "trust": ("trust", True),
    "overwriting": ("overwrite", True),
    "resuming": ("resume", True),
    "runs elsewhere": ("runs", "/tmp"),
    "runs above": ("runs", "runs/../../elsewhere"),
    "checkpoints elsewhere": ("checkpoints", "/tmp"),
    "checkpoints of another system": ("checkpoints", "C:\\elsewhere"),
}
# Texts that are no such change.
HOSTILE_TEXTS: dict[str, str] = {
    "key with dots at the top": yaml.safe_dump({**TRAINS, "trainer.logger": {"class_path": "hostile.Own"}}),
    "tag that calls": f"name: mlp.a\nmodel: !!python/object/apply:os.system ['touch {MARKER}']\n",
    "tag that imports": "name: !!python/name:hostile.act ''\n",
    "tag that builds": "name: !!python/object/new:hostile.Own []\n",
    "value that holds itself": "name: &a [*a]\n",
    "values very deep in each other": "name: " + "[" * 500 + "]" * 500,
    "keys very deep in each other": "name: " + "{a: " * 2_000 + "1" + "}" * 2_000,
    "aliases that grow": "a: &a [x, x]\n"
    + "".join(f"{i}: &{i} [*{j}, *{j}]\n" for j, i in zip("abcdefghijklmnopqrs", "bcdefghijklmnopqrst", strict=True)),
    "merges that grow": "a: &a {x: 1}\n"
    + "".join(
        f"{i}: &{i} {{<<: [*{j}, *{j}]}}\n" for j, i in zip("abcdefghijklmnopqrs", "bcdefghijklmnopqrst", strict=True)
    ),
    "deep aliases": "a: &a [x]\n"
    + "".join(f"b{i}: &b{i} [[[[[[*{f'b{i - 1}' if i else 'a'}]]]]]]\n" for i in range(900)),
    "date that is none": "name: 2024-99-99\n",
    "number without end": "seed_everything: " + "9" * 9_000,
    "number to the base of 60": "seed_everything: " + "1:" * 400_000 + "1",
    "key that is a number": "1: mlp.a\n",
    "two documents": yaml.safe_dump(TRAINS) + "---\n" + yaml.safe_dump({**TRAINS, "model": "hostile.Model"}),
    "no text": "\x00\x01",
    "millions of letters": "name: " + "a" * 3_000_000,
}


def hostile_text(name: str) -> str:
    """The YAML of a hostile configuration by its name."""
    if name in HOSTILE_TEXTS:
        return HOSTILE_TEXTS[name]
    path, value = HOSTILE[name]
    *parents, last = path.split(".")
    tree = below = copy.deepcopy(TRAINS)
    for key in parents:
        below = below.setdefault(key, {})
    below[last] = value
    text: str = yaml.safe_dump(tree)
    return text


def write_hostile_module(folder: Path) -> None:
    """Write the module `hostile`, and files that a value could name, into a folder."""
    for name in ("hostile.py", "zoo_hostile.py"):
        (folder / name).write_text(_MODULE.format(marker=str((folder / MARKER).absolute())))
    for name in ("hostile.yaml", "hostilefile"):
        (folder / name).write_text("class_path: hostile.Own\n")
