"""Throughput: sequences per second from a FASTA file to a TSV table, against the model alone on prepared batches.

    zoo benchmark throughput [--name deepbind.encode_usf1_h1hesc] [--sequences 200000]
    zoo benchmark throughput --training [mlp.promoters deepbind.encode ...] [--steps 100] [--rounds 5]

Both work on the same random sequences in one process, in turns, so that a busy machine slows both alike. Memory is the
resident set of the process after the first block of predictions and after the last.

With --training, the loop of `zoo train` of a configuration of each architecture is compared with bare steps on one of
its batches, in turns within one run; and so is a Trainer that does nothing else on that batch, which shows how much of
the difference is Lightning's own. Ratios are medians of the rounds.
"""

import os
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import make_parser, write_results
from speed.timing import time_in_turns
from speed.training_loop import CONFIGS, measure_loop

from zoo.formats.sequences import SequenceFile
from zoo.genome.sequence import Codes, decode
from zoo.hub.load import load
from zoo.inference.labels import LabelPredictor
from zoo.models._base import SequenceModel
from zoo.writers.labels import LabelRows, write_labels

BATCH_SIZE = 256
ROUNDS = 5
HEADER = [
    *("model", "sequences", "model alone, sequences per s", "FASTA to TSV, sequences per s", "ratio"),
    *("MB after the first block", "MB after the last block"),
]
TRAINING_HEADER = [
    *("configuration", "bare steps per s", "steps of Lightning alone per s", "ratio"),
    *("steps of zoo train per s", "ratio"),
]
# Options that a configuration needs.
TRAINING = {"deepbind.encode": ("--data.experiment", "usf1_h1hesc")}


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write the table."""
    parser = make_parser("throughput", __doc__)
    parser.add_argument("--name", default="deepbind.encode_usf1_h1hesc", help="a model that predicts labels")
    parser.add_argument("--sequences", type=int, default=200_000, help="over all rounds (default: 200000)")
    parser.add_argument("--training", nargs="*", metavar="CONFIG", help="measure the training of these configurations")
    parser.add_argument("--steps", type=int, default=100, help="of training, in each round (default: 100)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of training (default: {ROUNDS})")
    options = parser.parse_args(arguments)
    if options.training is not None:
        measure_training(options.training or CONFIGS, options.steps, options.rounds)
        return
    model = load(options.name)
    codes = np.random.default_rng(0).integers(0, 4, (options.sequences // ROUNDS, model.length)).astype(np.uint8)
    predict_batches(model, codes[: 4 * BATCH_SIZE])  # not counted
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        fasta = write_fasta(Path(folder) / "sequences.fa", codes)
        methods = [partial(predict_batches, model, codes), partial(predict_to_table, model, fasta, memory)]
        seconds = time_in_turns(methods, ROUNDS).sum(0)
    alone, whole = (options.sequences / seconds).tolist()
    row = [options.name, options.sequences, round(alone), round(whole), whole / alone]
    facts = {"threads": torch.get_num_threads(), "batch": BATCH_SIZE}
    print(write_results("throughput", HEADER, [[*row, round(memory[0]), round(memory[-1])]], facts))


def measure_training(configs: Sequence[str], steps: int, rounds: int) -> None:
    """Measure, print and write the table of training loops."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, config in enumerate(configs):
            rates = measure_loop(config, Path(folder) / str(number), steps, rounds, TRAINING.get(config, ()))
            ratios = rates.lightning_ratio, rates.loop_ratio
            rows.append([config, rates.bare, rates.lightning, ratios[0], rates.loop, ratios[1]])
    facts = {"threads": torch.get_num_threads(), "steps": steps, "rounds": rounds}
    print(write_results("training_loop", TRAINING_HEADER, rows, facts))


def predict_batches(model: SequenceModel, codes: Codes) -> None:
    """Predict batches of codes that lie in memory."""
    with torch.inference_mode():
        for batch in torch.split(torch.from_numpy(codes), BATCH_SIZE):
            model.predict(batch)


def predict_to_table(model: SequenceModel, fasta: Path, memory: list[float]) -> None:
    """Predict a FASTA file to a TSV; append the resident set to `memory` after every block."""
    predictor = LabelPredictor(model, batch_size=BATCH_SIZE)
    blocks = record_memory(predictor.stream(predictor.plan_file(SequenceFile(str(fasta)))), memory)
    write_labels(fasta.with_suffix(".tsv"), model.output.targets, blocks)


def record_memory(blocks: Iterator[LabelRows], memory: list[float]) -> Iterator[LabelRows]:
    """Yield the blocks; append the resident set in megabytes to `memory` after each."""
    for block in blocks:
        yield block
        memory.append(resident_megabytes())


def resident_megabytes() -> float:
    """Return the resident set of this process; its peak so far where there is no /proc."""
    statistics = Path("/proc/self/statm")
    if statistics.is_file():
        return int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def write_fasta(path: Path, codes: Codes) -> Path:
    """Write sequences (N, L) as FASTA; return the path."""
    path.write_text("".join(f">sequence_{i}\n{decode(row)}\n" for i, row in enumerate(codes)))
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
