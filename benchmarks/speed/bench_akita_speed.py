"""Akita: seconds and memory of one forward pass over 1 Mb, at the published sizes, against the package akita-torch.

    zoo benchmark akita_speed [--passes 3] [--rounds 3]

Both networks have random weights and predict the same random sequence on the CPU. Each run is a process of its own, and
the two packages take turns. The first pass of each process is not counted.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, median_high
from typing import TypedDict

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import make_parser, write_results

PACKAGES = ["zoo", "akita-torch"]
LENGTH = 1_048_576
OUTPUT_VALUES = 5 * 99_681  # targets x pixels
HEADER = ["package", "median seconds", "fastest, seconds", "peak memory, GB", "memory of the forward pass, GB"]


class Run(TypedDict):
    """Seconds of each pass, and peak memory of the process before the first pass and after the last, in gigabytes."""

    seconds: list[float]
    before: float
    peak: float


def main(arguments: Sequence[str]) -> None:
    """Measure both packages in turns, print and write the table."""
    parser = make_parser("akita_speed", __doc__)
    parser.add_argument("--passes", type=int, default=3, help="passes of each process that are counted (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each package (default: 3)")
    parser.add_argument("--package", choices=PACKAGES, help=argparse.SUPPRESS)  # in the processes that main starts
    options = parser.parse_args(arguments)
    if options.package:
        print(json.dumps(measure(options.package, options.passes)))
        return
    runs: dict[str, list[Run]] = {package: [] for package in PACKAGES}
    for _ in range(options.rounds):
        for package in PACKAGES:
            command = [sys.executable, __file__, "--package", package, "--passes", str(options.passes)]
            process = subprocess.run(command, capture_output=True, text=True, check=True)
            runs[package].append(json.loads(process.stdout))
    rows = []
    for package, results in runs.items():
        seconds = [second for run in results for second in run["seconds"]]
        peak, before = median_high(run["peak"] for run in results), median_high(run["before"] for run in results)
        rows.append([package, median(seconds), min(seconds), peak, peak - before])
    print(write_results("akita_speed", HEADER, rows, {"threads": torch.get_num_threads(), "length": LENGTH}))


def measure(package: str, passes: int) -> Run:
    """Measure the forward passes of one package in this process."""
    forward = load_zoo() if package == "zoo" else load_akita_torch()
    codes = torch.randint(0, 4, (1, LENGTH), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    before = peak_gigabytes()
    seconds = []
    with torch.inference_mode():
        for _ in range(passes + 1):
            started = time.perf_counter()
            assert forward(codes).numel() == OUTPUT_VALUES
            seconds.append(time.perf_counter() - started)
    return {"seconds": seconds[1:], "before": before, "peak": peak_gigabytes()}


def load_zoo() -> Callable[[Tensor], Tensor]:
    """Return the forward pass of this project's network, from codes (B, L)."""
    from zoo.models.akita import Akita

    return Akita(list("abcde")).eval().predict


def load_akita_torch() -> Callable[[Tensor], Tensor]:
    """Return that of the package, from the same codes; its random shift and reverse complement are switched off."""
    from akita_torch import Akita, AkitaConfig

    from zoo.genome.sequence import one_hot

    network = Akita(AkitaConfig(augment_rc=False, augment_shift=0)).eval()
    return lambda codes: network.head(network.trunk(one_hot(codes)))


def peak_gigabytes() -> float:
    """Return the largest memory that this process has had; the system counts in units of 1,024 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    main(sys.argv[1:])
