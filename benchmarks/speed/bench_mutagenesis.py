"""Mutants by what they change in the net, against full predictions and against tangermeme.

    zoo benchmark mutagenesis [--rounds 5] [--threads 1 2] [--pairs 512]

Everything is measured in one process, in turns, so that a busy machine slows all alike; ratios are medians of the
rounds. The Basset has the published size, 600 bases and 164 targets, with random weights and statistics of its batch
norms; tangermeme gets the same net as torch's own modules with the norms folded, which it computes fastest, in the
faster of batches of 32 and 256: of every substitution its `saturation_mutagenesis`, of pairs `substitution_effect`,
which has no fast path. Of models of long sequences, mutants at some positions are measured.

Of the Basset, every substitution of a sequence is measured twice: with a `MutantPredictor` made for it, as of a first
sequence, and with one kept, as of those that follow. The command keeps freed memory, which makes full predictions and
tangermeme's up to twice as fast with large batches; in a script of one's own they take longer, and the ratios are
higher.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import make_parser, write_results
from speed.mutagenesis_nets import folded, pair_peers, peers, random_basset
from speed.timing import time_in_turns

from zoo.hub.load import load
from zoo.inference.choose import predictor_for
from zoo.interpret.mutants import predict_mutants, predict_pairs
from zoo.interpret.predictor import MutantPredictor
from zoo.models._base import SequenceModel

HEADER = [
    *("model", "what", "threads", "mutants", "mutants per s", "times full predictions", "times tangermeme in full"),
    *("times tangermeme's fast path", "largest difference, millionths of the largest value or 1"),
]
SHIPPED = ("mlp.promoter_ecoli", "deepbind.encode_usf1_h1hesc", "basenji.yeast", "akita.yeast")
# Mutants of a model of long sequences; and of them, those that are predicted in full.
_POSITIONS, _IN_FULL = 8, 6
_PAIRS, _BATCH, _IN_ONE_WINDOW = 512, 32, 1000
_KEPT = "predictor kept from the sequence before"


class Task(NamedTuple):
    """Mutants to predict.

    Attributes:
        what: name of the task.
        mutants: how many mutants are predicted.
        ours: predicts them by what they change; returns their predictions.
        full: predicts some of them in full, and their references where the task has many.
        share: mutants that `full` predicts as a share of all.
        expected: predictions of the mutants that `full` predicts.
        chosen: which these are.
        peers: calls of other packages that predict all mutants.
    """

    what: str
    mutants: int
    ours: Callable[[], Tensor]
    full: Callable[[], Tensor]
    chosen: slice
    share: float
    peers: dict[str, Callable[[], object]]


def main(arguments: Sequence[str]) -> None:
    """Measure, print and write the table."""
    parser = make_parser("mutagenesis", __doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="of torch (default: 1 2)")
    parser.add_argument("--models", nargs="+", default=["basset", *SHIPPED], help="basset, and names of models")
    parser.add_argument(
        "--pairs", type=int, default=_PAIRS, help=f"variants in windows of their own (default: {_PAIRS})"
    )
    options = parser.parse_args(arguments)
    rows, before = [], torch.get_num_threads()
    for threads in options.threads:
        torch.set_num_threads(threads)
        for name in options.models:
            model = random_basset() if name == "basset" else load(name)
            tasks = tasks_of(model, name == "basset", options.pairs)
            rows += [[name, one.what, threads, one.mutants, *measure(one, options.rounds)] for one in tasks]
    torch.set_num_threads(before)
    facts = {"rounds": options.rounds, "ratios": "medians of turns in one process, on a machine that others use too"}
    print(write_results("mutagenesis", HEADER, rows, facts))


def measure(task: Task, rounds: int) -> list[object]:
    """Mutants per second, ratios, and the largest difference, in millionths of the largest full prediction or 1."""
    expected = task.full()
    difference = (task.ours()[task.chosen] - expected).abs().max().item() / max(1.0, expected.abs().max().item())
    seconds = time_in_turns([task.ours, task.full, *task.peers.values()], rounds)
    ours, full = seconds[:, 0], seconds[:, 1] / task.share
    others: list[object] = [float(np.median(one / ours)) for one in seconds[:, 2:].T]
    others += [""] * (2 - len(others))
    rate = round(task.mutants / float(np.median(ours)))
    return [rate, float(np.median(full / ours)), *others, round(1e6 * difference, 2)]


def tasks_of(model: SequenceModel, is_basset: bool, count: int = _PAIRS) -> list[Task]:
    """Mutants of one sequence; of the Basset also pairs, and many mutants of one window."""
    with torch.inference_mode():
        one = saturation(model, is_basset)
        if not is_basset:
            return [one]
        predictor = MutantPredictor(model)
        another = saturation(model, True, lambda: predictor)
        return [one, another._replace(what=f"{one.what}, {_KEPT}"), pairs(model, True, count), one_window(model)]


def saturation(model: SequenceModel, with_peers: bool, prepare: Callable[[], MutantPredictor] | None = None) -> Task:
    """Every substitution of a random sequence; of a model of long sequences, those at some positions.

    Args:
        model: what is measured.
        with_peers: tangermeme too.
        prepare: gives the predictor of each turn; None for a new one, as the first sequence takes it.
    """
    codes = random_codes(1, model.length)[0]
    is_long = model.length > 2_000
    positions = torch.arange(model.length)
    if is_long:
        positions = torch.linspace(0, model.length - 1, _POSITIONS).long()
    positions = positions.repeat_interleave(3)
    bases = (codes[positions] + torch.arange(1, 4).repeat(len(positions) // 3)).to(torch.uint8) % 4
    count = _IN_FULL if is_long else min(len(positions), 600)
    whole = mutated(codes, positions[:count], bases[:count])
    calls = {}
    if with_peers:
        named = peers(folded(model), codes)
        calls = {name: fastest(some) for name, some in named.items()}
    return Task(
        "every substitution" if not is_long else f"substitutions at {_POSITIONS} positions",
        len(positions),
        lambda: predict_mutants(prepare() if prepare else MutantPredictor(model), codes, positions, bases),
        lambda: in_full(model, whole),
        slice(count),
        count / len(positions),
        calls,
    )


def pairs(model: SequenceModel, with_peers: bool, count: int = _PAIRS) -> Task:
    """Variants in the middle of windows of their own, references included: two predictions each in full."""
    reference = random_codes(count, model.length)
    middle, predictor = model.length // 2, MutantPredictor(model)
    alternative = mutated(reference, torch.full((count,), middle), (reference[:, middle] + 1) % 4)

    def ours() -> Tensor:
        """Both predictions (2, N, T)."""
        parts = []
        for first in range(0, count, _BATCH):
            some = slice(first, first + _BATCH)
            both = predict_pairs(predictor, reference[some], alternative[some], middle, middle + 1)
            parts.append(torch.stack(both))
        return torch.cat(parts, 1)

    def full() -> Tensor:
        """The same by full predictions."""
        return torch.stack([in_full(model, reference), in_full(model, alternative)])

    calls = {"full": fastest(pair_peers(folded(model), reference, alternative))} if with_peers else {}
    return Task(f"variants and references, batches of {_BATCH}", count, ours, full, slice(None), 1.0, calls)


def one_window(model: SequenceModel) -> Task:
    """Many variants of one window: in full, two predictions each."""
    codes = random_codes(1, model.length)[0]
    generator = torch.Generator().manual_seed(3)
    positions = torch.randint(0, model.length, (_IN_ONE_WINDOW,), generator=generator)
    bases = (codes[positions] + 1) % 4
    count = 128
    whole = mutated(codes, positions[:count], bases[:count])

    def full() -> Tensor:
        """References too, which are of one window but are predicted for each variant."""
        in_full(model, codes.repeat(count, 1))
        return in_full(model, whole)

    def ours() -> Tensor:
        """The variants."""
        return predict_mutants(MutantPredictor(model), codes, positions, bases)

    share = count / _IN_ONE_WINDOW
    return Task("variants of one window", _IN_ONE_WINDOW, ours, full, slice(count), share, {})


def random_codes(sequences: int, length: int) -> Tensor:
    """Random bases, uint8 (N, L)."""
    generator = torch.Generator().manual_seed(2)
    return torch.randint(0, 4, (sequences, length), generator=generator, dtype=torch.uint8)


def mutated(codes: Tensor, positions: Tensor, bases: Tensor) -> Tensor:
    """Whole mutants (N, L) of one sequence (L,), or of one each (N, L)."""
    whole = codes.expand(len(positions), -1).clone()
    whole[torch.arange(len(positions)), positions] = bases
    return whole


def in_full(model: Any, codes: Tensor) -> Tensor:
    """Full predictions; batches of 32 are the fastest for a Basset."""
    size = min(_BATCH, predictor_for(model.output).usual_batch_size)
    with torch.inference_mode():
        return torch.cat([model.predict(codes[first : first + size]) for first in range(0, len(codes), size)])


def fastest(calls: list[Callable[[], object]]) -> Callable[[], object]:
    """The call that takes the least time, after one of each that is not counted."""
    time_in_turns(calls, 1)
    return calls[int(time_in_turns(calls, 1)[0].argmin())]


if __name__ == "__main__":
    main(sys.argv[1:])
