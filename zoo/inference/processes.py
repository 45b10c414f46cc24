"""Predict with several processes: each batch is computed by one of them, and the first process has all values in order.

Every process goes through the same stream of batches; it reads and computes its own, and passes over the others. The
others send what they computed to the first process, one batch ahead at most, so that memory stays bounded.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from subprocess import Popen, TimeoutExpired
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from zoo.errors import ConfigError, ZooError
from zoo.inference.device import find_device
from zoo.utils.processes import end_all, is_lost_connection, sentence_on_loss, wait_for_loss

__all__ = ["ALONE", "Processes", "count_processes", "predict_together"]

Values = NDArray[np.float32]
Piece = TypeVar("Piece")
# Seconds in which it is found out how a process was lost, and in which others end after a finished prediction.
_GRACE = 3.0


class Processes:
    """The processes that share a prediction, as one of them sees them.

    Args:
        device: device of this process, such as `cuda:1`.
        rank: number of this process, from 0.
        size: number of processes.
        children: processes that this one started.
    """

    def __init__(self, device: str, rank: int = 0, size: int = 1, children: "list[Popen[Any]] | None" = None) -> None:
        self.device, self.rank, self.size = device, rank, size
        self._children = children or []
        self._turn = 0
        self._sent: list[tuple[dist.Work, torch.Tensor]] = []

    @property
    def writes(self) -> bool:
        """Whether this is the first process, which has all values and writes them."""
        return self.rank == 0

    def batch(self, shape: tuple[int, ...], compute: Callable[[], Values]) -> Values:
        """The values of the next batch.

        Args:
            shape: their shape.
            compute: reads and predicts the batch; it is called in one of the processes alone.

        Returns:
            float32 (*shape); in other processes than the first zeros, which take no memory and are not to be used.

        Raises:
            ConfigError: another process was lost, or failed; with its sentence.
        """
        owner, self._turn = self._turn % self.size, self._turn + 1
        if owner == self.rank:
            values = compute()
            if self.rank == 0:
                return values
            self._send(True, np.ascontiguousarray(values, np.float32))
        elif self.rank == 0:
            return self._receive(owner, shape)
        return np.broadcast_to(np.float32(0), shape)

    def whole(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """The pieces of a prediction; after the last, the processes wait for each other."""
        yield from pieces
        if self.size > 1:
            self._wait()
            self._together(lambda: dist.barrier())

    def fail(self, sentence: str) -> None:
        """Send a sentence to the first process in place of the next batch."""
        with suppress(RuntimeError):
            self._send(False, np.frombuffer(sentence.encode(), np.uint8))
            self._wait()

    def end(self, finished: bool) -> None:
        """Leave the other processes: after a finished prediction they end by themselves, else they are ended."""
        for child in self._children if finished else []:
            with suppress(TimeoutExpired):
                child.wait(_GRACE)
        end_all(self._children)

    def _send(self, fine: bool, values: NDArray[Any]) -> None:
        self._wait()
        content = torch.from_numpy(values.reshape(-1).view(np.uint8).copy())
        for tensor in (torch.tensor([int(fine), len(content)]), content):
            self._sent.append((dist.isend(tensor, 0), tensor))  # type: ignore[arg-type]

    def _wait(self) -> None:
        """Wait until what was sent has arrived."""
        for work, _ in self._sent:
            work.wait()
        self._sent.clear()

    def _receive(self, owner: int, shape: tuple[int, ...]) -> Values:
        head = torch.zeros(2, dtype=torch.int64)
        self._together(lambda: dist.recv(head, owner))
        content = torch.empty(int(head[1]), dtype=torch.uint8)
        self._together(lambda: dist.recv(content, owner))
        if not head[0]:
            raise ConfigError(content.numpy().tobytes().decode())
        return content.numpy().view(np.float32).reshape(shape)

    def _together(self, act: Callable[[], object]) -> None:
        """Do something that needs other processes.

        Raises:
            ConfigError: one of them was lost.
        """
        try:
            act()
        except RuntimeError as error:
            if not is_lost_connection(error):
                raise
            lost = wait_for_loss(self._children, _GRACE) or "one of the processes"
            raise ConfigError(sentence_on_loss(lost)) from None


ALONE = Processes("cpu")


def count_processes(devices: int | None) -> int:
    """Count the processes that predict: as many as wanted, or as `torchrun` or SLURM started.

    Raises:
        ConfigError: a number below 1, or another one than those that were started.
    """
    if devices is not None and devices < 1:
        raise ConfigError(f"--devices is a number from 1 up, not {devices}")
    here, nodes = _started()
    if here and devices not in (None, here):
        raise ConfigError(
            f"--devices {devices}, but {here} processes were started on this computer: leave it out, or give {here}"
        )
    return (here or devices or 1) * nodes


@contextmanager
def predict_together(device: str, devices: int | None) -> Iterator[Processes]:
    """Start the processes of a prediction, with Lightning Fabric; afterwards they have ended.

    Each has as many threads as one process alone has, because their number changes the last digits of some sums.

    Args:
        device: as of `find_device`.
        devices: number of processes on this computer; None for one, or those of `torchrun` or SLURM.

    Raises:
        ConfigError: devices that do not exist, or a process that was lost.
    """
    if (count := count_processes(devices)) == 1:
        yield Processes(find_device(device))
        return
    if ":" in device:
        raise ConfigError(f"--device {device} is one device, for one process: leave out its number, or --devices")
    here, nodes = _started()
    from zoo.inference.launch import launch

    fabric, children = launch(find_device(device), here or devices or 1, nodes)
    processes = Processes(str(fabric.device), fabric.global_rank, fabric.world_size, children)
    assert processes.size == count
    finished = False
    try:
        yield processes
        finished = True
    except (ZooError, KeyboardInterrupt) as error:
        if processes.writes:
            raise
        if isinstance(error, ZooError):
            processes.fail(str(error))
        raise SystemExit(2) from None  # the first process says why
    except RuntimeError as error:
        if processes.writes or not is_lost_connection(error):
            raise
        raise SystemExit(2) from None
    finally:
        processes.end(finished)


def _started() -> tuple[int, int]:
    """Number of processes that `torchrun` or SLURM started on this computer (0 if none did), and of computers."""
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    if TorchElasticEnvironment.detect():
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        return here, int(os.environ["WORLD_SIZE"]) // here
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1 and SLURMEnvironment.detect():  # by srun, not in a script
        nodes = int(os.environ.get("SLURM_STEP_NUM_NODES") or os.environ.get("SLURM_NNODES", "1"))
        return int(os.environ["SLURM_STEP_NUM_TASKS"]) // nodes, nodes
    return 0, 1
