"""`zoo train`: a configuration in, a checkpoint out."""

import argparse
import sys
from contextlib import redirect_stdout
from typing import Any

__all__ = ["add_train"]


def add_train(verbs: Any) -> None:
    """Add the verb `train` and its options."""
    verb = verbs.add_parser(
        "train",
        help="train what a configuration describes",
        usage="zoo train CONFIG [--key value ...]",
        description="Train what a YAML file describes, and save a checkpoint folder. CONFIG is a file, or the name of "
        "a shipped configuration, such as basset.peaks; `zoo config` lists them. Every key is an option "
        "too: --data.batch_size 64, --trainer.devices 8, --seed_everything 2, --resume true; --print_config "
        "prints the whole configuration and trains nothing.",
        add_help=False,
    )
    verb.add_argument("config", metavar="CONFIG", nargs="?", help="a YAML file, or a name that `zoo config` lists")
    verb.add_argument("-h", "--help", action="store_true", help="every option; those of CONFIG's classes first")
    verb.set_defaults(run=train_command, takes_rest=True)


def train_command(options: argparse.Namespace) -> None:
    """Train what a configuration describes; what can be refused without torch is refused before it is imported."""
    from zoo.training.given import read_given, split_arguments
    from zoo.training.own_data import check_data
    from zoo.utils.extras import require_extras

    words = [*([options.config] if options.config else []), *options.rest]
    prints = "--print_config" in words
    if not options.help:
        words = split_arguments([word for word in words if word != "--print_config"])
        given = read_given(words[0], words[1:])
        require_extras(["train", *_data_extras(given)], "training")
        if not prints:
            check_data(given)
    require_extras(["train"], "training")
    from lightning.fabric.utilities.rank_zero import rank_zero_only

    from zoo.training.help import show_options
    from zoo.training.parse import print_config
    from zoo.training.run import train

    if options.help:
        show_options(options.config, options.rest)
    elif prints:
        print_config(words)
    else:
        with redirect_stdout(sys.stderr):  # Lightning prints there; what is printed is the folder alone
            folder = train(words)
        if getattr(rank_zero_only, "rank", 0) == 0:  # each process of a run with several devices comes here
            print(folder)


def _data_extras(given: dict[str, Any]) -> list[str]:
    """What the public data set of a configuration needs in addition."""
    from zoo.datasets.sources import extras_of

    data = given.get("data")
    module, _, _ = str(data.get("class_path") if isinstance(data, dict) else data).rpartition(".")
    return extras_of(module.removeprefix("zoo.datasets.")) if module.startswith("zoo.datasets.") else []
