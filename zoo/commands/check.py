"""`zoo check`: what `zoo train` would stumble over, found before it starts."""

import argparse
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError

__all__ = ["add_check"]


def add_check(verbs: Any) -> None:
    """Add the verb `check` and its options."""
    verb = verbs.add_parser(
        "check",
        help="check data, model and options before training",
        usage="zoo check CONFIG [--key value ...] [--time false] [--strict] [-o REPORT]",
        description="Hold the files, the options and the model of a run against each other, list all problems, and "
        "estimate its steps, memory and hours. The arguments are those of `zoo train`; nothing is trained. The exit "
        "code is 2 where training would stop at an error, else 0.",
    )
    verb.add_argument("config", metavar="CONFIG", help="a YAML file, or a name that `zoo config` lists")
    verb.add_argument("--time", choices=("true", "false"), default="true", help="time a few steps (default: true)")
    verb.add_argument("--strict", action="store_true", help="let warnings be errors")
    verb.add_argument("-o", "--output", metavar="REPORT", help="also write the report: .json or .tsv")
    verb.set_defaults(run=check_command, takes_rest=True)


def check_command(options: argparse.Namespace) -> None:
    """Print the table of findings, and fail where there is an error among them."""
    from zoo.utils.extras import require_extras

    require_extras(["train"], "checking a run")
    from zoo.training.given import read_given, split_arguments
    from zoo.training.own_data import named_files
    from zoo.training.preflight.check import check_arguments
    from zoo.training.preflight.report import check_report_path
    from zoo.utils.paths import check_folder_of, refuse_overwriting
    from zoo.utils.text import counted

    words = split_arguments([options.config, *options.rest])
    if options.output:
        check_report_path(options.output)
        check_folder_of(Path(options.output))
        refuse_overwriting(options.output, [file for _, file in named_files(read_given(words[0], words[1:]))])
    with redirect_stdout(sys.stderr):  # what Lightning prints
        report = check_arguments(words, options.time == "true")
    report.show()
    if options.output:
        report.write(options.output)
    if report.exit_code(options.strict):
        errors, warnings = (counted(report.count(level), level) for level in ("error", "warning"))
        raise ConfigError(f"{errors} and {warnings}: what to do is in the table above")
