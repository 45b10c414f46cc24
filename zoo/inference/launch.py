"""Start the processes of a prediction; one that is lost meanwhile ends the command with a sentence."""

import logging
import os
import sys
import threading
from datetime import timedelta
from subprocess import Popen
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies.ddp import DDPStrategy
from lightning.fabric.utilities.exceptions import MisconfigurationException

from zoo.errors import ConfigError, one_line
from zoo.utils.processes import SAID, end_all, sentence_on_loss, wait_for_loss

__all__ = ["launch"]

# A process waits as long for a batch of another one; one that is lost is noticed at once.
_PATIENCE = timedelta(days=1)
_LOOK = 0.1  # seconds between two looks at the processes


class _WatchedStrategy(DDPStrategy):
    """Processes that are watched here while they connect, instead of by Lightning, which would kill this process.

    Attributes:
        children: processes that this one started.
    """

    def __init__(self) -> None:
        super().__init__(process_group_backend="gloo", timeout=_PATIENCE)  # values are sent from the CPU
        self.children: list[Popen[Any]] = []

    def setup_environment(self) -> None:
        """Wait until all processes are connected; Lightning calls it once they are started."""
        started = getattr(self.launcher, "procs", [])
        self.children = list(started)
        started.clear()  # Lightning looks at them every five seconds from now on
        end = threading.Event()
        threading.Thread(target=_end_if_lost, args=(self.children, end), daemon=True).start()
        try:
            super().setup_environment()
        finally:
            end.set()


def launch(device: str, here: int, nodes: int) -> tuple[Fabric, "list[Popen[Any]]"]:
    """Start processes, or connect with those that `torchrun` or SLURM started.

    Args:
        device: kind of the devices, such as `cuda`.
        here: number of processes on this computer.
        nodes: number of computers.

    Returns:
        What this process knows of the others, and those that it started.

    Raises:
        ConfigError: devices that do not exist.
    """
    for name in ("lightning.fabric", "lightning.pytorch"):  # the second says what the first has to say once imported
        logging.getLogger(name).setLevel(logging.WARNING)
    threads = torch.get_num_threads()
    strategy = _WatchedStrategy()
    try:
        fabric = Fabric(accelerator=device, devices=here, num_nodes=nodes, strategy=strategy)
        fabric.launch()
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        end_all(strategy.children)
        raise ConfigError(f"{here} processes on {device} cannot predict together: {one_line(error)}") from None
    torch.set_num_threads(threads)
    return fabric, strategy.children


def _end_if_lost(children: "list[Popen[Any]]", end: threading.Event) -> None:
    """End this process with a sentence when one that it started is lost, until the end."""
    while not end.wait(_LOOK):
        lost = wait_for_loss(children)
        if not lost or end.wait(_LOOK):  # an error of the connection says it after the end
            continue
        end_all(children)
        if lost != SAID:
            print(f"zoo: {sentence_on_loss(lost)}", file=sys.stderr, flush=True)
        os._exit(2)  # the main thread waits for the other process
