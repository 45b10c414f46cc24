"""Score variants: alleles in, a row of scores for each out, block by block in bounded memory.

Shapes: N alleles, B of a batch, L bases, T targets, S scores.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.errors import ConfigError
from zoo.formats.alleles import Variant
from zoo.hub.background import Background
from zoo.inference.engine import Precision, check_finite
from zoo.inference.processes import ALONE
from zoo.inference.regions import choose_targets
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts, Labels, Tracks
from zoo.variants.changes import Bases, Change, Unscored
from zoo.variants.choose import scores_for
from zoo.variants.outputs import PairOutputs
from zoo.variants.scored import PAST_THE_END, Counts, Kept, ScoredAlleles
from zoo.variants.scores import Outputs
from zoo.variants.sources import Block, Source
from zoo.variants.windows import Flank, Hold, Windows, past_the_ends

__all__ = ["USUAL_BATCH", "VariantOptions", "VariantScorer"]

USUAL_BATCH = {Labels.kind: 64, Tracks.kind: 8, Contacts.kind: 1}


@dataclass(frozen=True)
class VariantOptions:
    """How variants are scored.

    Attributes:
        hold: for insertions and deletions, side of the change on which the bases stay where they are in the window;
            `both` for the mean of the scores of either.
        shifts: bases by which the windows are moved; the scores are the mean over them.
        both_strands: whether both strands are read, also by a model that does not average them itself.
        scores: names of the scores; None for all that the model has.
        targets: names of the targets; None for all.
        within: of tracks, bases on either side of the change in which bins count; None for all bins.
        batch_size: pairs that are predicted at once; None for the usual number of the kind.
        precision: `32`, or `bf16` / `16` for autocast.
    """

    hold: Hold = "both"
    shifts: Sequence[int] = (0,)
    both_strands: bool = False
    scores: Sequence[str] | None = None
    targets: Sequence[str] | None = None
    within: int | None = None
    batch_size: int | None = None
    precision: Precision = "32"


class VariantScorer:
    """Scores variants with a model of any kind.

    Args:
        model: a loaded model; it is used on the device that it is on.
        options: how.
        background: scores of random variants of the model; None for none.

    Attributes:
        scores: the scores of the model's kind.
        columns: what is written of each allele: name -> what it is; the scores, and how the first of them lies among
            those of random variants (S).
        targets: names of the targets (T).
        outputs: computes the model's outputs for both alleles.
        counts: what became of the alleles so far.
        processes: those that share the batches; this one alone unless it is set.

    Raises:
        ConfigError: an option that the model does not have.
    """

    def __init__(self, model: SequenceModel, options: VariantOptions, background: Background | None = None) -> None:
        if not options.shifts or max(map(abs, options.shifts)) > model.length // 8:
            raise ConfigError(f"shifts are numbers of bases, at most {model.length // 8} (an eighth of the window)")
        self.model, self.options = model, options
        self.scores = scores_for(model, options.scores, options.within)
        self.targets = choose_targets(model.output, options.targets)
        self._rows = [model.output.targets.index(name) for name in self.targets]
        self.outputs = PairOutputs(model, options.both_strands or model.rc_average, options.precision)
        self._batch = USUAL_BATCH[model.output.kind] if options.batch_size is None else options.batch_size
        if self._batch < 1:
            raise ConfigError(f"a batch size of {options.batch_size} is too small")
        self._background = background
        if background and (background.score not in self.scores.names or options.within is not None):
            self._background = None  # of other scores than are asked for
        self.columns = {name: self.scores.described[name] for name in self.scores.names}
        if self._background:
            self.columns |= _of_background(self._background)
        self.counts = Counts()
        self.processes = ALONE

    def stream(self, source: Source, kept: Kept | None = None) -> Iterator[ScoredAlleles]:
        """Score alleles block by block, in their order.

        Args:
            source: the alleles.
            kept: where scores of blocks are kept, and taken from; None for nowhere.

        Raises:
            InputError: what reading the variants or the genome raises.
            ConfigError: a prediction that is NaN or infinite.
        """
        for block in source.blocks(self.model.length):
            scored = kept.load(block) if kept else None
            if scored is None:
                scored = self._block(block)
                if kept:
                    kept.keep(block, scored)
            self._count(block, scored)
            yield scored

    def _count(self, block: Block, scored: ScoredAlleles) -> None:
        """Count what became of a block."""
        unscored = [one.reason for one in block.changes if isinstance(one, Unscored)]
        self.counts.alleles += len(block.variants)
        self.counts.scored += len(block.variants) - len(unscored)
        self.counts.reasons.update(unscored)
        self.counts.padded += scored.notes.count(PAST_THE_END)

    def _block(self, block: Block) -> ScoredAlleles:
        variants, read = block.variants, block.changes
        notes = [str(one) if isinstance(one, Unscored) else "" for one in read]
        rows = [row for row, one in enumerate(read) if isinstance(one, Change)]
        values = np.full((len(variants), len(self.scores.names), len(self.targets)), np.nan)
        changes = [one for one in read if isinstance(one, Change)]
        if changes:
            names = [_name(variants[row]) for row in rows]
            values[rows], padded = self._scored(block.bases, changes, names)
            for row in np.flatnonzero(padded):
                notes[rows[row]] = PAST_THE_END
        if self._background:
            values = np.concatenate([values, self._ranked(values, self._background)], 1)
        return ScoredAlleles(variants, notes, values)

    def _ranked(self, values: NDArray[np.float64], background: Background) -> NDArray[np.float64]:
        """Percentile and z-score of the score that the background is of, for scores (N, S, T): (N, 2, T)."""
        every = np.full((len(values), len(self.model.output.targets)), np.nan)
        every[:, self._rows] = values[:, self.scores.names.index(background.score)]
        ranked = np.stack([background.percentiles(every), background.z_scores(every)], 1)
        return ranked[:, :, self._rows]

    def _scored(
        self, bases: Bases, changes: list[Change], names: list[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Scores of changes (N, S, T), and whether a window reaches past the end of its contig (N,)."""
        total = np.zeros((len(changes), len(self.scores.names), len(self.targets)))
        padded = np.zeros(len(changes), bool)
        # Changes of one length together: 0 where the alleles have different ones.
        lengths = np.array([len(one.ref) if one.is_equal_length else 0 for one in changes])
        sides: tuple[Flank, ...] = ("left", "right") if self.options.hold == "both" else (self.options.hold,)
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            held: tuple[Flank, ...] = ("left",) if length else sides
            chosen = [changes[row] for row in rows]
            for shift, flank in product(self.options.shifts, held):
                windows = Windows(bases, chosen, self.model.length, shift, flank)
                padded[rows] |= past_the_ends(windows)
                scores = self._window_scores(windows, [names[row] for row in rows])
                total[rows] += scores / (len(held) * len(self.options.shifts))
        return total, padded

    def _window_scores(self, windows: Windows, names: list[str]) -> NDArray[np.float64]:
        """Scores (N, S, T) of windows, batch by batch; every batch has the same number of pairs, the last is filled up.

        So the scores of a pair do not depend on how many others there are.
        """
        reference, alternative, centre = windows.reference(), windows.alternative(), windows.middle()
        first, last = windows.changed()
        changed = int(last[0] - first[0]) if windows.are_equal_length else 0
        values = np.empty((len(reference), len(self.scores.names), len(self.targets)))
        for start in range(0, len(reference), self._batch):
            rows = np.arange(start, min(start + self._batch, len(reference)))
            filled = np.resize(rows, self._batch)

            def compute(rows: NDArray[np.int64] = rows, filled: NDArray[np.int64] = filled) -> NDArray[np.float32]:
                """Score these pairs; only the process that owns the batch does."""
                pair = torch.from_numpy(reference[filled]), torch.from_numpy(alternative[filled])
                starts = first[filled] if changed else None
                outputs = self.outputs.compute(*pair, starts, changed)
                scores = self._of_outputs(outputs, torch.from_numpy(centre[filled]))[: len(rows)]
                check_finite(scores.astype(np.float32), [names[row] for row in rows], self.options.precision)
                return scores.view(np.float32)  # sent as bytes: float64 of twice as many

            shape = (len(rows), len(self.scores.names), 2 * len(self.targets))
            values[rows] = np.ascontiguousarray(self.processes.batch(shape, compute)).view(np.float64)
        return values

    def _of_outputs(self, outputs: tuple[Outputs, Outputs], centre: Tensor) -> NDArray[np.float64]:
        """Scores (B, S, T) of a batch of pairs."""
        scores = self.scores.compute(*outputs, centre.to(self.model.device))
        values: NDArray[np.float64] = np.ascontiguousarray(scores.cpu().numpy()[:, :, self._rows])
        return values


def _of_background(background: Background) -> dict[str, str]:
    """What is written of how a score lies among those of random variants."""
    what = f"{background.variants:,} random substitutions in {background.source}"
    return {
        "percentile": f"percent of {what} whose {background.score} is closer to 0",
        "z_score": f"{background.score} minus the mean of {what}, in their standard deviations",
    }


def _name(variant: Variant) -> str:
    """What a message calls a variant."""
    return variant.name or (f"{variant.chrom}:{variant.position}" if variant.record else f"pair {variant.position}")
