"""`zoo train`: a configuration in, a checkpoint out."""

import argparse
from typing import Any

__all__ = ["add_train"]


def add_train(verbs: Any) -> None:
    """Add the verb `train` and its options."""
    verb = verbs.add_parser(
        "train",
        help="train what a configuration describes",
        description="Train what a YAML file describes, and save a checkpoint folder. Every key is an option "
        "too: --data.batch_size 64, --trainer.devices 8, --seed_everything 2, --resume true; --print_config "
        "prints the whole configuration and trains nothing.",
        add_help=False,
    )
    verb.add_argument("config", metavar="CONFIG", nargs="?")
    verb.add_argument("-h", "--help", action="store_true", help="every option; those of CONFIG's classes first")
    verb.set_defaults(run=train_command, takes_rest=True)


def train_command(options: argparse.Namespace) -> None:
    """Train what a configuration describes."""
    from zoo.utils.extras import require_extras

    require_extras(["train"], "training")
    from zoo.training.run import print_config, show_options, train

    if options.help:
        show_options(options.config)
        return
    if "--print_config" in options.rest:
        print_config([options.config or "", *(word for word in options.rest if word != "--print_config")])
        return
    print(train([*([options.config] if options.config else []), *options.rest]))
