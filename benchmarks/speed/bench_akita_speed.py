"""One forward pass of Akita at the published sizes, 1 Mb: seconds and memory, against the package akita-torch.

Each in a process of its own, one after the other; the first pass is not counted.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import write_results

NETS = ["zoo", "akita-torch"]
LENGTH = 1_048_576


def main(arguments: Sequence[str]) -> None:
    """Measure both nets, in turns, print and write the table."""
    parser = argparse.ArgumentParser(prog="zoo benchmark akita_speed", description=__doc__)
    parser.add_argument("--passes", type=int, default=3, help="timed passes of each process (default 3)")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each net, in turns (default 3)")
    parser.add_argument("--net", choices=NETS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.net:
        print(json.dumps(measured(options.net, options.passes)))
        return
    found: dict[str, list[dict[str, float]]] = {net: [] for net in NETS}
    for _ in range(options.rounds):
        for net in NETS:
            command = [sys.executable, __file__, "--net", net, "--passes", str(options.passes)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[net].append(json.loads(done.stdout))
    rows = []
    for net, runs in found.items():
        seconds = sorted(second for run in runs for second in run["seconds"])  # type: ignore[attr-defined]
        peak, before = (sorted(run[key] for run in runs)[len(runs) // 2] for key in ("peak", "before"))
        rows.append([net, seconds[len(seconds) // 2], seconds[0], peak, peak - before])
    header = ["net", "median seconds", "fastest", "peak memory, GB", "of it for the pass, GB"]
    print(write_results("akita_speed", header, rows, {"threads": torch.get_num_threads(), "length": LENGTH}))


def measured(net: str, passes: int) -> dict[str, object]:
    """Seconds of each pass, and memory in gigabytes: before, and at most."""
    run = ours() if net == "zoo" else theirs()
    codes = torch.randint(0, 4, (1, LENGTH), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    before = gigabytes()
    seconds = []
    with torch.inference_mode():
        for _ in range(passes + 1):
            begun = time.perf_counter()
            assert run(codes).numel() == 5 * 99_681
            seconds.append(time.perf_counter() - begun)
    return {"seconds": seconds[1:], "before": before, "peak": gigabytes()}


def ours() -> Callable[[Tensor], Tensor]:
    """This project's net, from codes."""
    from zoo.models.akita import Akita

    return Akita(list("abcde")).eval().predict


def theirs() -> Callable[[Tensor], Tensor]:
    """The package's net, from the same codes; its random shift and strand switched off."""
    from akita_torch import Akita, AkitaConfig

    from zoo.genome.sequence import one_hot

    net = Akita(AkitaConfig(augment_rc=False, augment_shift=0)).eval()
    return lambda codes: net.head(net.trunk(one_hot(codes)))


def gigabytes() -> float:
    """Memory that this process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main(sys.argv[1:])
