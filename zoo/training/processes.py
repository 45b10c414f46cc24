"""Runs of several processes: what a lost process ends with, and which hardware they ran on."""

import math
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import Any

import torch
from lightning import Trainer
from lightning.pytorch.plugins.layer_sync import TorchSyncBatchNorm
from torch import nn
from typing_extensions import override

from zoo.errors import Interrupted
from zoo.nn.parallel import share_batch_norms
from zoo.training.checkpoint_io import LAST
from zoo.utils.processes import SAID, end_all, is_lost_connection, wait_for_loss

__all__ = ["SyncBatchNorm", "hardware", "stopped", "watch_processes"]

# Seconds between two looks at the other processes; Lightning looks every five and then kills without a word.
_LOOK = 0.1
# Seconds in which the process that others depend on ends them, so that it alone says why.
_GRACE = 3.0
# Seconds in which a run ends that the user stopped; after them, it waits for a process that does not answer.
_PATIENCE = 30.0


class SyncBatchNorm(TorchSyncBatchNorm):
    """Batch norms over the batches of all processes; Lightning's takes GPUs only."""

    @override
    def apply(self, model: Any) -> nn.Module:
        """Share the batch norms of a LightningModule."""
        if model.device.type == "cuda":
            return super().apply(model)
        share_batch_norms(model)
        return model  # type: ignore[no-any-return]

    @override
    def revert(self, model: Any) -> nn.Module:
        """Bring back ordinary ones."""
        share_batch_norms(model, shared=False)
        return super().revert(model)


@contextmanager
def watch_processes(trainer: Trainer, run: Path, is_stopped: Callable[[], bool]) -> Iterator[None]:
    """End a run of several processes with one sentence when one of them is lost; outside it, nothing is watched.

    Args:
        trainer: the trainer of the run.
        run: folder of the run.
        is_stopped: whether the user has stopped it; where it does not end then, it waits for another process.

    Raises:
        Interrupted: another process was lost; the sentence says how to go on.
    """
    if trainer.world_size == 1:
        yield
        return
    end = threading.Event()
    threading.Thread(target=_watch, args=(trainer, run, end, is_stopped), daemon=True).start()
    try:
        yield
        _wait_for(trainer)
    except RuntimeError as error:
        if not is_lost_connection(error):
            raise
        if not trainer.is_global_zero:
            time.sleep(_GRACE)
        lost = wait_for_loss(_children(trainer), _GRACE)
        if lost == SAID:
            raise SystemExit(2) from None
        raise Interrupted(stopped(run, f"lost {lost or 'one of its other processes'}")) from None
    finally:
        end.set()
        if sys.exc_info()[0] is not None:
            end_all(_children(trainer))


def _wait_for(trainer: Trainer) -> None:
    """Wait until the other processes have ended after a finished training; Lightning then watches none of them.

    One that is lost by then would make it kill this process, which needs the others no more.
    """
    children = getattr(trainer.strategy.launcher, "procs", None) or []
    for child in children:
        with suppress(TimeoutExpired):
            child.wait(_GRACE)
    children.clear()


def _watch(trainer: Trainer, run: Path, end: threading.Event, is_stopped: Callable[[], bool]) -> None:
    """Look at the processes that this one started, until the end or until one is lost or does not answer."""
    answer_by = math.inf
    while not end.wait(_LOOK):
        if is_stopped():
            answer_by = min(answer_by, time.monotonic() + _PATIENCE)
        lost = wait_for_loss(_children(trainer))
        if not lost and time.monotonic() < answer_by:
            continue
        if end.wait(_LOOK):  # the run has just ended by itself
            return
        end_all(_children(trainer))
        if lost != SAID:
            what = f"lost {lost}" if lost else "was stopped, and did not answer"
            print(f"zoo: {stopped(run, what)}", file=sys.stderr, flush=True)
        os._exit(2)  # the main thread waits for the other process


def _children(trainer: Trainer) -> "list[Popen[Any]]":
    """The processes that Lightning started from this one."""
    return list(getattr(trainer.strategy.launcher, "procs", None) or [])


def stopped(run: Path, what: str) -> str:
    """The sentence on a run that ended early, with how it goes on.

    Args:
        run: folder of the run.
        what: what happened to it, such as `was stopped`.
    """
    is_resumable = (run / f"{LAST}.ckpt").exists()
    cure = "add --resume true to go on from its last whole epoch" if is_resumable else "no epoch was finished yet"
    return f"the run {run} {what}: {cure}"


def hardware(trainer: Trainer) -> str:
    """What a run was trained on: processes, and processors or devices, of all its computers."""
    device, processes = trainer.strategy.root_device, trainer.world_size
    nodes = f" on {trainer.num_nodes} computers" if trainer.num_nodes > 1 else ""
    if device.type == "cuda":
        return f"{processes} x {torch.cuda.get_device_name(device)}{nodes}"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        cores = f"{threads} of {os.cpu_count()} {platform.machine()} CPU cores"
        return cores if processes == 1 else f"{processes} processes{nodes}, each on {cores}"
    return f"{processes} x {device.type}{nodes}"
