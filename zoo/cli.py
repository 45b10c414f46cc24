"""The command line: what is wrong is said in one sentence; the verbs themselves are in `zoo/commands/`.

Nothing heavy is imported before it is needed, so that `zoo list` answers at once.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from zoo.commands.data import add_data
from zoo.commands.models import add_info, add_list, add_verify
from zoo.commands.predict.labels import add_predict
from zoo.commands.project import add_benchmark, add_card
from zoo.commands.train import add_train
from zoo.errors import ConfigError, ZooError
from zoo.utils.extras import missing_extra

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, or 2 after saying on standard error in one sentence what was wrong.
    """
    try:
        options, rest = _parser().parse_known_args(arguments)
        if rest and not getattr(options, "takes_rest", False):
            raise ConfigError(
                f"zoo {options.verb} does not know {' '.join(rest)}; `zoo {options.verb} --help` lists its options"
            )
        options.rest = rest
        options.run(options)
        sys.stdout.flush()
    except ZooError as error:
        print(f"zoo: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is None:
            raise
        print(f"zoo: {missing}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone: nothing is left to say
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


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise ConfigError(f"{message}; `{self.prog} --help` lists what there is")


def _drop_output() -> None:
    """Point standard output nowhere, so that the interpreter does not try to flush it again on leaving."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="zoo", description="The model zoo of regulatory genomics.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_list(verbs)
    add_info(verbs)
    add_predict(verbs)
    add_train(verbs)
    add_verify(verbs)
    add_data(verbs)
    add_benchmark(verbs)
    add_card(verbs)
    return parser


if __name__ == "__main__":
    sys.exit(main())
