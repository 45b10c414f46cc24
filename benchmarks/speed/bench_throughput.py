"""Throughput: a FASTA file through `predict_file` to a TSV, against the bare model on prepared batches, in one run.

    zoo benchmark throughput [--name deepbind.encode_usf1_h1hesc] [--sequences 200000]

The two are measured in turns, on the same made sequences, so that a noisy machine treats them alike. Memory is the
resident set after the first block and after the last.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import write_results

from zoo.formats.sequences import SequenceFile
from zoo.genome.sequence import Codes, decode
from zoo.hub.load import load
from zoo.inference.labels import Predictions, predict_file, write_predictions
from zoo.models._base import SequenceModel

BATCH = 256
TURNS = 5


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="zoo benchmark throughput", description=__doc__)
    parser.add_argument("--name", default="deepbind.encode_usf1_h1hesc")
    parser.add_argument("--sequences", type=int, default=200_000)
    options = parser.parse_args(arguments)
    model = load(options.name)
    share = options.sequences // TURNS
    codes = np.random.default_rng(0).integers(0, 4, (share, model.length)).astype(np.uint8)
    bare(model, codes[: 4 * BATCH])
    seconds = {"bare model": 0.0, "file to table": 0.0}
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        fasta = write_fasta(Path(folder) / "made.fa", codes)
        for _ in range(TURNS):
            seconds["bare model"] += bare(model, codes)
            seconds["file to table"] += whole(model, fasta, memory)
    rates = {key: options.sequences / value for key, value in seconds.items()}
    header = ["model", "sequences", "bare model per s", "file to table per s", "ratio", "MB early", "MB at the end"]
    rate, whole_rate = rates["bare model"], rates["file to table"]
    row = [options.name, options.sequences, round(rate), round(whole_rate), whole_rate / rate]
    facts = {"threads": torch.get_num_threads(), "batch": BATCH}
    print(write_results("throughput", header, [[*row, round(memory[0]), round(memory[-1])]], facts))


def bare(model: SequenceModel, codes: Codes) -> float:
    """Seconds that the model needs for batches that lie ready."""
    batches = torch.from_numpy(codes).split(BATCH)
    started = time.perf_counter()
    with torch.inference_mode():
        for batch in batches:
            model.predict(batch)
    return time.perf_counter() - started


def whole(model: SequenceModel, fasta: Path, memory: list[float]) -> float:
    """Seconds from the FASTA file to the written table; notes the resident set after every block."""
    started = time.perf_counter()
    blocks = noted(predict_file(model, SequenceFile(str(fasta)), BATCH), memory)
    write_predictions(fasta.with_suffix(".tsv"), model.output.targets, blocks)
    return time.perf_counter() - started


def noted(blocks: Iterator[Predictions], memory: list[float]) -> Iterator[Predictions]:
    """The blocks, with the resident set in megabytes noted after each."""
    for block in blocks:
        yield block
        memory.append(resident())


def resident() -> float:
    """The resident set of this process in megabytes."""
    statistics = Path("/proc/self/statm")
    if statistics.is_file():
        return int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # where there is no /proc: the peak so far


def write_fasta(path: Path, codes: Codes) -> Path:
    """Write sequences (N, L) as FASTA."""
    path.write_text("".join(f">made_{i}\n{decode(row)}\n" for i, row in enumerate(codes)))
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
