"""`zoo background`: random variants, with which the scores of others are compared."""

import argparse
import sys
from pathlib import Path
from typing import Any

__all__ = ["add_background_verb"]


def add_background_verb(verbs: Any) -> None:
    """Add the verb `background` and its options."""
    verb = verbs.add_parser(
        "background",
        help="score random variants, for the percentiles of others",
        description="Score random substitutions with a model of one's own, and keep their distribution in its "
        "checkpoint (background.safetensors): `zoo variants` then writes the percentile and z-score of each variant.",
    )
    verb.add_argument("name", metavar="NAME", help="architecture.tag or local-dir:PATH")
    verb.add_argument(
        "sequences",
        metavar="SEQUENCES",
        nargs="?",
        help="FASTA or table of sequences that are varied (default: those of the validation split that the model was "
        "trained with)",
    )
    verb.add_argument(
        "--variants",
        type=int,
        metavar="N",
        help="number of random variants (default: 4,000 of labels, 800 of tracks, 200 of contacts)",
    )
    verb.add_argument("--seed", type=int, default=1, help="seed of the random variants (default 1)")
    verb.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, mps; auto takes an accelerator if any")
    verb.set_defaults(run=background_command)


def background_command(options: argparse.Namespace) -> None:
    """Score random variants, and add their distribution to the checkpoint."""
    from zoo.hub.own import find_here
    from zoo.utils.text import check_file, counted

    folder = find_here(options.name).folder or Path()
    if options.sequences:
        check_file(options.sequences)
    from zoo.hub.background import add_background
    from zoo.hub.load import load
    from zoo.inference.device import find_device
    from zoo.variants.background import random_background, sequences_of_data, sequences_of_file

    model = load(options.name, find_device(options.device))
    if options.sequences:
        sequences = sequences_of_file(model, options.sequences)
        source = f"sequences of {Path(options.sequences).name}"
    else:
        from zoo.evaluation.configured import data_of_recipe

        sequences = sequences_of_data(model, data_of_recipe(folder, options.name))
        source = "sequences of the validation split"
    background = random_background(model, sequences, source, options.variants, options.seed)
    add_background(folder, background)
    what = f"{background.score} of {counted(background.variants, 'random substitution')} in {source}"
    print(f"{folder}: {what}", file=sys.stderr)
