"""Score a model on a split of prepared data, with bootstrap intervals."""

import math

import numpy as np
from lightning import Trainer

from zoo.data.base import GenomicDataModule
from zoo.errors import InputError
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts, Labels
from zoo.scoring.bootstrap import Bootstrap, intervals
from zoo.scoring.collect import Collected, collect
from zoo.scoring.contacts import ContactUnits
from zoo.scoring.data import EvaluationData
from zoo.scoring.kinds import Units
from zoo.scoring.labels import LabelUnits
from zoo.scoring.result import Evaluation, make_score
from zoo.scoring.tracks import TrackUnits
from zoo.utils.text import counted

__all__ = ["score"]

# Percentiles of resamples of fewer units than these say little.
_FEW_UNITS = 10


def score(
    model: SequenceModel, data: EvaluationData, trainer: Trainer, bootstrap: Bootstrap, name: str, described: str
) -> Evaluation:
    """Score a model; where several processes share the data, the first one returns and the others end.

    Args:
        model: the model.
        data: split and targets.
        trainer: from `zoo.scoring.collect.make_trainer`.
        bootstrap: number and seed of the resamples.
        name: of the model, for the result.
        described: what it is scored on, in words.

    Raises:
        InputError: nothing can be scored.
    """
    units = _units(model, data.module, bootstrap)
    return _evaluation(name, described, data, units, model, collect(model, data, units, trainer), bootstrap)


def _units(model: SequenceModel, data: GenomicDataModule, bootstrap: Bootstrap) -> Units:
    """What is kept of each unit, for the kind of the model."""
    if isinstance(model.output, Labels):
        return LabelUnits(bool(getattr(data, "classify", model.loss.classifies)))
    if isinstance(model.output, Contacts):
        return ContactUnits(False, bootstrap.resamples)
    return TrackUnits(model.loss.counts, bootstrap.resamples)


def _evaluation(
    name: str,
    described: str,
    data: EvaluationData,
    units: Units,
    model: SequenceModel,
    collected: Collected | None,
    bootstrap: Bootstrap,
) -> Evaluation:
    if collected is None:  # what only the first process knows
        raise SystemExit(0)
    arrays, scores = collected.arrays, collected.scores
    defined = {metric: ~np.isnan(values) for metric, values in scores.items()}
    if not any(one.any() for one in defined.values()):
        raise InputError(f"nothing can be scored: {'; '.join(collected.reasons)}")
    count = len(next(iter(arrays.values())))
    notes = [*data.notes, *data.matching.notes, *collected.reasons]
    ends = {}
    if bootstrap.resamples and count < _FEW_UNITS:
        notes.append(f"only {counted(count, units.name)}: intervals of so few are too narrow")
    if bootstrap.resamples:
        resampled = units.resampled(arrays, notes)
        values = math.prod(arrays["target"].shape[2:])
        ends = intervals(resampled, defined, count, values, bootstrap)
        undefined = max((one.undefined for one in ends.values()), default=0)
        if undefined:
            notes.append(
                f"{undefined:,} of {bootstrap.resamples:,} resamples lack a score of some target: they count without it"
            )
    length = "" if isinstance(model.output, Labels) else f" of {model.length:,} bases"
    per_target = {
        metric: [make_score(values[i], ends.get(metric), i) for i in range(len(values))]
        for metric, values in scores.items()
    }
    means = {metric: make_score(value, ends.get(metric), -1) for metric, value in collected.means.items()}
    return Evaluation(
        model=name,
        data=described,
        split="all" if data.is_all else data.split,
        unit=units.name + length,
        units=count,
        targets=data.matching.names,
        observed=collected.observed,
        scores=per_target,
        means=means,
        resamples=bootstrap.resamples,
        confidence=bootstrap.confidence,
        seed=bootstrap.seed,
        notes=notes,
    )
