"""The command line: a table of verbs, which are in `zoo/commands/`; an error is one sentence on standard error.

Nothing heavy is imported before it is needed, so that `zoo list` answers at once.
"""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Sequence

from zoo.commands.background import add_background_verb
from zoo.commands.card import add_card
from zoo.commands.check import add_check
from zoo.commands.completion import add_completion, complete
from zoo.commands.data import add_data
from zoo.commands.evaluate import add_evaluate
from zoo.commands.export import add_export
from zoo.commands.finetune import add_finetune
from zoo.commands.models import add_info, add_list, add_merge
from zoo.commands.mutagenesis import add_mutagenesis
from zoo.commands.parser import Parser
from zoo.commands.predict.command import add_predict
from zoo.commands.project import add_benchmark
from zoo.commands.push import add_push
from zoo.commands.shipped import add_config, add_example
from zoo.commands.site import add_site
from zoo.commands.train import add_train
from zoo.commands.tune import add_tune
from zoo.commands.variants import add_variants
from zoo.commands.verify import add_verify
from zoo.errors import ConfigError, ZooError
from zoo.utils import version
from zoo.utils.extras import missing_extra
from zoo.utils.memory import keeping_freed_memory
from zoo.utils.text import shorten

__all__ = ["build_parser", "main"]

_LONGEST_MESSAGE = 2_000  # letters
# Objects between collections of garbage. To import torch and Lightning makes half a million objects that stay; with
# Python's 700 a fifth of the time until a command begins went into looking through them.
_COLLECTIONS = (20_000, 20, 50)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: arguments of the command line; None for those of this process.

    Returns:
        0; 2 after an error, which is one sentence on standard error; 130 after an interrupt.
    """
    if arguments is None:
        gc.set_threshold(*_COLLECTIONS)
        arguments = sys.argv[1:]
    arguments = list(arguments)
    logging.getLogger("matplotlib").addFilter(_is_about_pictures)
    try:
        parser = build_parser()
        complete(parser)
        options, rest = parser.parse_known_args(arguments)
        if rest and not getattr(options, "takes_rest", False):
            raise ConfigError(
                f"zoo {options.verb} does not know {' '.join(rest)}; `zoo {options.verb} --help` lists its options"
            )
        options.rest, options.arguments = rest, arguments[1:]
        with keeping_freed_memory():
            options.run(options)
        sys.stdout.flush()
    except ZooError as error:
        print(f"zoo: {shorten(str(error), _LONGEST_MESSAGE)}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is None:
            raise
        print(f"zoo: {missing}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has closed it
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        print(f"zoo: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("zoo: stopped", file=sys.stderr)
        return 130
    return 0


def _is_about_pictures(record: logging.LogRecord) -> bool:
    """Whether matplotlib speaks of a picture, not of its own cache: torchmetrics imports it for predictions too."""
    return "MPLCONFIGDIR" not in record.getMessage() and "mkdir -p failed" not in record.getMessage()


def _drop_output() -> None:
    """Point standard output to the null device, so that the interpreter does not try to flush it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    parser = Parser(prog="zoo", description="The model zoo of regulatory genomics.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version, and in a checkout the commit")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_list(verbs)
    add_info(verbs)
    add_predict(verbs)
    add_mutagenesis(verbs)
    add_evaluate(verbs)
    add_train(verbs)
    add_check(verbs)
    add_finetune(verbs)
    add_tune(verbs)
    add_config(verbs)
    add_example(verbs)
    add_verify(verbs)
    add_merge(verbs)
    add_push(verbs)
    add_export(verbs)
    add_data(verbs)
    add_benchmark(verbs)
    add_card(verbs)
    add_site(verbs)
    add_variants(verbs)
    add_background_verb(verbs)
    add_completion(verbs)
    return parser


class _Version(argparse.Action):
    """Print the version and end; the commit is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and end."""
        commit = version.commit()
        print(f"zoo {version.__version__}" + (f" (commit {commit})" if commit else ""))
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
