"""Fine-tuning against training from scratch, by the number of training sequences and by what is trained.

    zoo benchmark finetune [--tables labels tracks far lab] [--sizes 100 300 1000 3000 10000] [--modes default ...]
                           [--experiments KEY ...] [--seeds 1 2 3]

Five ENCODE experiments are held out of a base that is trained for this purpose: their labels, and every sequence that a
path of shared 31-mers joins with one of their peaks. Of each, so many sequences are drawn for training, half of them
peaks and half dinucleotide-preserving shuffles, with a quarter more for validation (20 to 1,000); the test set is 1,400
peaks and 1,400 shuffles, the same for all sizes and seeds. Scores are the test AUROC of the epoch with the best
validation AUROC, the mean over experiments, with the mean over seeds of each experiment in the JSON file.

Modes: `default` is what `zoo finetune` chooses; `scratch` the same network, data and steps from random weights, at the
learning rate of its own (see `SCRATCH_RATE`); `head` a linear probe; `last:1` also the last block; `lora` low-rank
factors; `full` all weights, `full, decay` with rates that fall by half from block to block, and `full, one rate` at one
rate for all, with batch statistics that follow the new data (up to 3,000 sequences).

More tables are of tracks that a base never saw, of plant terminators with the human base, and of the simulated
laboratory of README: see `benchmarks/accuracy/finetune_tracks.py`, `finetune_far.py` and `finetune_lab.py`.

Runs of the tables `labels` and `far` that are not recorded in `benchmarks/results/finetune_runs.jsonl` are trained (510
of labels in all, each in 10 seconds to 5 minutes on one core); with `--record` they are added there.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parents[1]))
from accuracy.finetune_far import far_table
from accuracy.finetune_lab import lab_table
from accuracy.finetune_runs import MODES, Run, base_checkpoint, is_run, origins, run_mode, training_facts
from accuracy.finetune_tracks import tracks_table
from common import make_parser, run_facts, table_name, write_results

from zoo.datasets.encode_loci import EncodeLociDataModule

HELD_OUT = ["arid3a_k562", "ctcfl_k562", "rest_gm12878", "tead4_h1hesc", "zbtb7a_hepg2"]
# Shuffles are negatives of all its targets, so that it learns what peaks have in common, which helps with new ones.
BASE = "basset.encode_tf16s"
TABLES = ["labels", "tracks", "far", "lab"]
SEEDS = [1, 2, 3]
TEST_PEAKS = 1_400
SIZES = [100, 300, 1_000, 3_000, 10_000]
# Learning rate from scratch, chosen on validation data among .001, .003 and .01.
SCRATCH_RATE = 0.01
_DATA = "zoo.datasets.encode_sample.EncodeSampleDataModule"
_QUIET = ["--trainer.enable_progress_bar", "false"]


def main(arguments: Sequence[str]) -> None:
    """Train the runs that are missing and write the table."""
    parser = make_parser("finetune", __doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES, help="tables to write")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="training sequences")
    parser.add_argument("--modes", nargs="+", choices=list(MODES), default=list(MODES), help="columns of the table")
    parser.add_argument("--experiments", nargs="+", choices=HELD_OUT, default=HELD_OUT, help="held-out experiments")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, help="seeds of samples and training")
    options = parser.parse_args(arguments)
    if "labels" in options.tables:
        print(labels_table(options))
    if "tracks" in options.tables:
        print(tracks_table(["default", "scratch"]))
    if "far" in options.tables:
        print(far_table(base_folder(), options.sizes, options.modes, options.seeds, _is_complete(options)))
    if "lab" in options.tables:
        print(lab_table())


def labels_table(options: argparse.Namespace) -> str:
    """Train the runs on samples of the held-out experiments that are missing, and write the table."""
    base = base_folder()
    runs: dict[str, Run] = {}
    rows: list[list[object]] = []
    for size in options.sizes:
        cells: list[object] = []
        for mode in options.modes:
            of_cell = {
                f"{mode}, {size}, {experiment}, seed {seed}": run_sample(base, mode, experiment, size, seed)
                for experiment in options.experiments
                for seed in options.seeds
                if is_run(mode, size)
            }
            cells.append(mean(run.test["auroc"] for run in of_cell.values()) if of_cell else "")
            runs |= of_cell
        rows.append([size, *cells])
    scores = {label: run.test["auroc"] for label, run in runs.items()}
    facts = {"base": run_facts(base), "auroc": scores, "seconds": training_facts(runs)}
    name = table_name("finetune", _is_complete(options) and options.experiments == HELD_OUT)
    return write_results(name, ["training sequences", *options.modes], rows, facts, origins(runs))


def _is_complete(options: argparse.Namespace) -> bool:
    """Whether all sizes, modes and seeds are asked for."""
    return [options.sizes, options.modes, options.seeds] == [SIZES, list(MODES), SEEDS]


def base_folder() -> Path:
    """Return the base that never saw the held-out experiments; train it if it is missing."""
    data = EncodeLociDataModule(held_out=HELD_OUT)
    share = data.subset("train").labels.mean(0)
    weight = (share * (1 - share)) ** -0.5  # as in configs/basset.encode_tf.yaml
    weights = f"[{','.join(f'{value:.2f}' for value in weight / weight.mean())}]"
    words = ["--data.held_out", f"[{','.join(HELD_OUT)}]", "--target_weights", weights]
    words += ["--model.ensemble_members", "1", "--name", BASE, "--data.shuffles", "1", "--trainer.max_epochs", "8"]
    words += ["--card.summary", "Binding of 15 proteins in 16 ENCODE experiments to 101 bp of human DNA"]
    return base_checkpoint(BASE, ["basset.encode_tf", *words])


def run_sample(base: Path, mode: str, experiment: str, size: int, seed: int) -> Run:
    """Return how a run on a sample of an experiment ended; train it if it is not recorded."""
    data = {"experiment": experiment, "size": size, "sample_seed": seed, "test_peaks": TEST_PEAKS}
    words = ["--data", _DATA, "--seed_everything", str(seed), *_QUIET]
    words += [word for key, value in data.items() for word in (f"--data.{key}", str(value))]
    return run_mode(base, mode, words, f"basset.{experiment}_{size}_seed{seed}", SCRATCH_RATE)


if __name__ == "__main__":
    main(sys.argv[1:])
