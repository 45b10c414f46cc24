"""`zoo finetune`: a model and data files in, a checkpoint out."""

import argparse
import sys
from contextlib import redirect_stdout
from typing import Any

__all__ = ["add_finetune"]

_MODES = "head (the new last layer alone), last:N (and the last N blocks), lora, or full"


def add_finetune(verbs: Any) -> None:
    """Add the verb `finetune` and its options."""
    verb = verbs.add_parser(
        "finetune",
        help="fine-tune a model on your own data",
        usage="zoo finetune NAME DATA [DATA ...] [--genome FILE] [--key value ...]",
        description="Begin with the weights of a model and train on your own data; prints what it chooses, and why. "
        "DATA are FASTA files, one for each class; a table of sequences and labels; peak files; bigWigs, or a table "
        "that names them; .cool or .mcool files. NAME=FILE names a target. Every option of `zoo train` is one here: "
        "--optimizer.lr 1e-4, --trainer.max_epochs 50, --resume true; --print_config prints the whole configuration "
        "and trains nothing.",
    )
    verb.add_argument("model", metavar="NAME", nargs="?", help="the model to begin with; `zoo list` lists models")
    verb.add_argument("data", metavar="DATA", nargs="*", help="data files")
    verb.add_argument("--genome", metavar="FILE", help="FASTA file of the genome, for all data but sequences")
    verb.add_argument("--negatives", metavar="FILE", help="FASTA file of sequences that are of no class")
    verb.add_argument("--targets", metavar="A,B", help="columns of labels of a table; else all columns of numbers")
    verb.add_argument("--mode", help=f"what is trained: {_MODES}; else what suits the data")
    verb.add_argument("--name", help="name of the new model, architecture.tag; else after the data")
    strict = "refuse test data that the model has seen in training, or where that is not known"
    verb.add_argument("--strict-split", action="store_true", help=strict)
    verb.set_defaults(run=finetune_command, takes_rest=True)


def finetune_command(options: argparse.Namespace) -> None:
    """Fine-tune a model, and print the folder of the result."""
    from zoo.utils.extras import require_extras

    require_extras(["train"], "training")
    from lightning.fabric.utilities.rank_zero import rank_zero_only

    from zoo.training.finetune.run import print_plan, read_request, train_request

    words = list(options.arguments)
    prints = "--print_config" in words
    request = read_request([word for word in words if word != "--print_config"])
    if prints:
        print_plan(request)
        return
    with redirect_stdout(sys.stderr):  # Lightning prints there; what is printed is the folder alone
        folder = train_request(request)
    if getattr(rank_zero_only, "rank", 0) == 0:  # each process of a run with several devices comes here
        print(folder)
