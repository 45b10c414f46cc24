"""Measure one training step of the published human Basenji in this process.

    python benchmarks/speed/training_memory.py yes|no     # with or without activation checkpointing

Prints peak memory before the step and after it, in gigabytes, and the seconds of the step.
"""

import resource
import sys
import time

import torch

from zoo.models.basenji import Basenji
from zoo.nn.trunk import TrunkConfig

TARGETS = 5313


def main(checkpointing: bool) -> None:
    """Run loss and gradients of one window of 131,072 bases, in float32."""
    model = Basenji([f"target{index}" for index in range(TARGETS)], trunk=TrunkConfig(checkpointing=checkpointing))
    codes, target = torch.randint(0, 4, (1, model.length)).to(torch.uint8), torch.ones(1, *model.output.shape)
    before, started = peak_gigabytes(), time.perf_counter()
    model.loss.function(model(model.encode(codes)), target).mean().backward()  # type: ignore[no-untyped-call]
    print(before, peak_gigabytes(), time.perf_counter() - started)


def peak_gigabytes() -> float:
    """Return the largest memory that this process has had; the system counts in units of 1,024 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    main(sys.argv[1] == "yes")
