"""The folder of a run: begun, resumed or begun anew; what is there is kept until there is something in its place."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import ConfigError
from zoo.hub.folder import CONFIG
from zoo.training.checkpoint_io import LAST

__all__ = ["opened_run"]


@contextmanager
def opened_run(run: Path, checkpoint: Path, resume: bool, overwrite: bool) -> Iterator[None]:
    """Check the folder of a run, and set an earlier run aside that is begun anew.

    That run is removed once the new one has finished an epoch, and put back if it never does.

    Args:
        run: the folder, under the run's lock.
        checkpoint: folder of the checkpoint that the run will write.
        resume: whether the run that is there goes on.
        overwrite: whether it is begun anew.

    Raises:
        ConfigError: a run, or a checkpoint of another run, is there and neither is asked for; or none to resume.
    """
    folder = run.resolve()  # of a link, the folder that it leads to
    last, aside = folder / f"{LAST}.ckpt", folder.with_name(f".{folder.name}.before")
    _settle(last, aside)  # after a command that was killed while it began the run anew
    if last.exists() and not resume and not overwrite:
        raise ConfigError(
            f"{run} holds a run of that name: add --resume true to go on with it, or --overwrite true to begin anew"
        )
    if (checkpoint / CONFIG).exists() and not resume and not overwrite:
        raise ConfigError(
            f"{checkpoint} is a checkpoint of that name, of a run that is not in {run.parent}: add --overwrite true to "
            "replace it, or --name for another name"
        )
    if resume and not last.exists():
        raise ConfigError(f"{run} holds no run to resume")
    if last.exists() and overwrite:
        folder.rename(aside)
        if run.is_symlink():
            folder.mkdir()
    try:
        yield
    finally:
        _settle(last, aside)


def _settle(last: Path, aside: Path) -> None:
    """Remove a run that was set aside, or put it back where nothing took its place."""
    if not aside.exists():
        return
    if last.exists():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        shutil.rmtree(last.parent, ignore_errors=True)
        aside.rename(last.parent)
