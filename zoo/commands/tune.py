"""`zoo tune`: a configuration and a search space in, the best configuration out."""

import argparse
import re
import sys
from contextlib import redirect_stdout
from typing import Any

from zoo.errors import ConfigError

__all__ = ["add_tune"]

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def add_tune(verbs: Any) -> None:
    """Add the verb `tune` and its options."""
    verb = verbs.add_parser(
        "tune",
        help="search the options with which a configuration trains best",
        usage="zoo tune CONFIG --space SPACE [--trials N] [--key value ...]",
        description="Train a configuration with different options, and write the one whose validation metric "
        "(--monitor) is best; the test split is not scored. SPACE is a YAML file with a line for each option: "
        "`optimizer.lr: {low: 1.0e-4, high: 1.0e-1, log: true}`, `model.dropout: {low: 0, high: 0.5, step: 0.1}`, "
        "`model.hidden: {choices: [[32], [64, 32]]}`. Trials that are worse than the others at the same epoch are "
        "ended. Every key of the configuration is an option too, for all trials. Results: runs/tune/NAME/.",
        allow_abbrev=False,
    )
    verb.add_argument("config", metavar="CONFIG", help="a YAML file, or a name that `zoo config` lists")
    verb.add_argument("--space", required=True, help="the search space: a YAML file, or its content as {...}")
    verb.add_argument(
        "--trials", type=int, default=20, metavar="N", help="number of trials, earlier ones included (20)"
    )
    verb.add_argument("--timeout", metavar="TIME", help="such as 90m, 12h or 2d: trials stop after their epoch then")
    verb.add_argument("--jobs", type=int, default=1, metavar="N", help="trials at a time, which share the GPUs (1)")
    verb.add_argument("--sampler", choices=("tpe", "random"), default="tpe", help="how values are drawn (tpe)")
    verb.add_argument(
        "--pruner", choices=("median", "hyperband", "none"), default="median", help="which trials end early (median)"
    )
    for name, text in (
        ("train", "train the best configuration at the end"),
        ("resume", "go on with a search that was stopped or killed, or with more trials"),
        ("overwrite", "begin the search of that name anew"),
    ):
        verb.add_argument(f"--{name}", choices=("true", "false"), default="false", help=text)
    verb.set_defaults(run=tune_command, takes_rest=True)


def tune_command(options: argparse.Namespace) -> None:
    """Search, and print the configuration of the best trial."""
    from zoo.utils.extras import require_extras

    seconds = _seconds(options.timeout)
    require_extras(["train", "tune"], "a search")
    from zoo.tuning.run import TuneOptions, tune

    settings = TuneOptions(
        space=options.space,
        trials=options.trials,
        seconds=seconds,
        jobs=options.jobs,
        sampler=options.sampler,
        pruner=options.pruner,
        train=options.train == "true",
        resume=options.resume == "true",
        overwrite=options.overwrite == "true",
    )
    with redirect_stdout(sys.stderr):
        config = tune([options.config, *options.rest], settings)
    print(config)


def _seconds(text: str | None) -> float | None:
    """The seconds of a time such as 90m.

    Raises:
        ConfigError: no such time.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not match or not float(match[1]):
        raise ConfigError(f"--timeout {text}: a time is a number above 0 with s, m, h or d, such as 90m or 12h")
    return float(match[1]) * _UNITS[match[2]]
