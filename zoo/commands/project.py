"""`zoo benchmark`: recompute the tables of the project itself."""

import argparse
import runpy
from functools import partial
from typing import Any

from zoo.errors import UnknownNameError
from zoo.utils.text import quoted

__all__ = ["add_benchmark"]


def add_benchmark(verbs: Any) -> None:
    """Add the verb `benchmark` and its options."""
    verb = verbs.add_parser(
        "benchmark",
        help="recompute a table of benchmarks/",
        description="Recompute a table and write it to runs/benchmark/results/ in the working folder; arguments after "
        "NAME go to its script.",
        add_help=False,
    )
    verb.add_argument("name", metavar="NAME", nargs="?", help="a script of benchmarks/, such as deepbind")
    verb.add_argument("-h", "--help", action="store_true", help="with NAME: what its tables contain, and its options")
    verb.set_defaults(run=partial(benchmark_command, verb), takes_rest=True)


def benchmark_command(verb: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Run the script of a table with the remaining arguments."""
    from zoo.hub.benchmarks import benchmark_scripts
    from zoo.utils.extras import require_extras

    scripts = benchmark_scripts()
    names = ", ".join(sorted(scripts))
    if options.name is None:
        verb.print_help()
        print(f"\nNAME is one of {names}")
    elif options.name not in scripts:
        raise UnknownNameError(f"there is no benchmark {quoted(options.name)}; the benchmarks are {names}")
    else:
        require_extras(["benchmarks"], f"the benchmark {options.name}")
        rest = ["--help", *options.rest] if options.help else options.rest
        runpy.run_path(str(scripts[options.name]))["main"](rest)
