"""Run a command for one model after the other."""

import sys
from collections.abc import Callable, Sequence

from zoo.errors import ConfigError, ZooError
from zoo.utils.text import counted, some_of

__all__ = ["run_each"]

_MOST_NAMES = 40


def run_each(names: Sequence[str], run: Callable[[str], None], failure: str) -> None:
    """Run something for each of some models; one that fails does not keep the others from it.

    Args:
        names: names of the models.
        run: called with each name.
        failure: what is said of those that fail, such as `failed`.

    Raises:
        ZooError: the only model failed.
        ConfigError: some of several failed; their own sentences are on standard error.
    """
    failed = []
    for name in names:
        try:
            run(name)
        except ZooError as error:
            if len(names) == 1:
                raise
            print(f"zoo: {error}", file=sys.stderr)
            failed.append(name)
    if failed:
        listed = some_of(failed, _MOST_NAMES)
        raise ConfigError(f"{len(failed)} of {counted(len(names), 'model')} {failure}: {listed}")
