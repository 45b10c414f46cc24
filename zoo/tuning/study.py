"""The study of a search: trials in an SQLite file, drawn by Optuna so that a search that was killed goes on as if not.

Each trial is drawn with a seed of its own, of the run's seed and the trial's number; a trial that was killed is trained
again with the values that it had, and from its last whole epoch.
"""

import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import optuna
from optuna.trial import TrialState
from sqlalchemy import URL

from zoo.errors import ConfigError, IntegrityError, one_line
from zoo.training.resume import list_differences
from zoo.tuning.rows import ENDED, RESULT, Row, row_of, text_of_value
from zoo.tuning.space import Choices, Parameter
from zoo.tuning.storage import STUDY

__all__ = ["Draw", "Pruning", "Sampling", "Study"]

Sampling = Literal["tpe", "random"]
Pruning = Literal["median", "hyperband", "none"]
# Of so many epochs, the first is without pruning: a schedule's first epochs say little of its end.
_WARMUP = 4


class Draw(NamedTuple):
    """A trial to be trained.

    Attributes:
        number: number of the trial, from 0 up; a trial that is trained again has the number that it had.
        values: option -> value, as on the command line.
        trial: the trial of Optuna.
        is_again: whether it was begun before, and killed.
    """

    number: int
    values: dict[str, str]
    trial: optuna.Trial
    is_again: bool


class Study:
    """The trials of a search.

    Args:
        folder: folder of the search; the study in it is gone on with, or begun.
        space: the parameters.
        mode: whether low (`min`) or high (`max`) values of the metric are good.
        seed: seed of the run.
        sampling: how values are drawn: `tpe` learns from earlier trials, `random` does not.
        pruning: which trials are ended early: `median`, those below the median of the others at the same epoch;
            `hyperband`, by successive halving; `none`.
        epochs: number of epochs of a trial, where it is known.

    Raises:
        IntegrityError: a file that is no study.
    """

    def __init__(
        self,
        folder: Path,
        space: Sequence[Parameter],
        mode: Literal["min", "max"],
        seed: int,
        sampling: Sampling = "tpe",
        pruning: Pruning = "median",
        epochs: int | None = None,
    ) -> None:
        self.space, self.mode = space, mode
        self._seed, self._sampling = seed, sampling
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        path = folder / STUDY
        try:
            self._study = optuna.create_study(
                storage=URL.create("sqlite", database=str(path)).render_as_string(),
                study_name="zoo",
                direction="minimize" if mode == "min" else "maximize",
                pruner=_pruner(pruning, epochs),
                load_if_exists=True,
            )
        except Exception as error:  # of SQLite, SQLAlchemy or Alembic
            raise IntegrityError(f"{path} is not the study of a search: {one_line(error)[:200]}") from None
        self._killed: list[int] = list(self._study.user_attrs.get("killed", []))  # numbers of Optuna's trials

    def settle(self, settings: dict[str, Any]) -> None:
        """Keep what decides the trials of a search, or compare it with what was kept.

        Args:
            settings: option -> value, of `zoo.tuning.decisive`; a search is gone on with the same.

        Raises:
            ConfigError: those that differ.
        """
        kept = self._study.user_attrs.get("settings")
        if kept is None:
            self._study.set_user_attr("settings", settings)
            return
        names = sorted(kept.keys() | settings.keys())
        if differing := [name for name in names if kept.get(name) != settings.get(name)]:
            raise ConfigError(
                f"the search has {list_differences(differing, kept, settings)}: it goes on with what it began with; "
                "--overwrite true begins anew"
            )

    def begin_with(self, values: dict[str, Any]) -> None:
        """Let the first trial have given values, of `default_values`."""
        if not self._study.get_trials(deepcopy=False):
            self._study.enqueue_trial(values)

    def recover(self) -> None:
        """Queue the trials that were being trained when the search ended, to be trained again."""
        for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
            self._killed.append(trial.number)
            self._study.set_user_attr("killed", self._killed)
            index = trial.user_attrs.get("index")
            if index is not None and set(trial.params) == {one.key for one in self.space}:
                self._study.enqueue_trial(trial.params, {"index": index, "again": trial.number})
            self._study.tell(trial.number, state=TrialState.FAIL)

    def draw(self) -> Draw:
        """Draw the values of the next trial."""
        index = self._next_number()
        self._study.sampler = self._sampler(index)
        trial = self._study.ask()
        is_again = "again" in trial.user_attrs
        if not is_again:
            trial.set_user_attr("index", index)
        values = {one.key: text_of_value(_suggest(trial, one)) for one in self.space}
        if is_again:
            earlier = self._study.get_trials(deepcopy=False)[trial.user_attrs["again"]]
            for epoch, value in earlier.intermediate_values.items():
                trial.report(value, epoch)
        return Draw(trial.user_attrs["index"], values, trial, is_again)

    def propose_untried(self) -> None:
        """Let the next trial have a combination that was not tried, at random; of a space with few combinations."""
        tried = [row.values for row in self.trained]
        keys = [one.key for one in self.space]
        combinations = itertools.product(*(one.values or () for one in self.space))
        untried = [
            values for values in combinations if dict(zip(keys, map(text_of_value, values), strict=True)) not in tried
        ]
        if untried:
            chosen = np.random.default_rng([self._seed % 2**32, self._next_number()]).integers(len(untried))
            self._study.enqueue_trial(dict(zip(keys, untried[chosen], strict=True)))

    def report(self, draw: Draw, epoch: int, value: float) -> bool:
        """Keep the value of an epoch; whether the trial is to be ended."""
        if epoch not in self.reported(draw):
            draw.trial.report(value, epoch)
        return draw.trial.should_prune()

    def reported(self, draw: Draw) -> dict[int, float]:
        """The values of a trial so far: epoch -> value."""
        return dict(self._study.get_trials(deepcopy=False)[draw.trial.number].intermediate_values)

    def repeated(self, draw: Draw) -> int | None:
        """The number of the earlier trial that had the values of a new one; None where there is none."""
        return next((row.number for row in self.trained if row.values == draw.values), None)

    def finish(self, draw: Draw, row: Row) -> None:
        """Keep the result of a trial."""
        draw.trial.set_user_attr(RESULT, row._asdict())
        if row.state == "complete":
            self._study.tell(draw.trial, row.value)
        else:
            self._study.tell(draw.trial, state=TrialState.PRUNED if row.state == "pruned" else TrialState.FAIL)

    @property
    def rows(self) -> list[Row]:
        """The results so far, in the order of their numbers; not those of trials that were killed."""
        trials = self._study.get_trials(deepcopy=False, states=ENDED)
        rows = [row_of(trial) for trial in trials if trial.number not in self._killed]
        return sorted(rows, key=lambda row: row.number)

    @property
    def trained(self) -> list[Row]:
        """The results of trials that did not repeat another."""
        return [row for row in self.rows if row.state != "repeated"]

    @property
    def best(self) -> Row | None:
        """The best complete trial, the first of several; None where there is none."""
        rows = [row for row in self.rows if row.state == "complete" and row.value is not None]
        sign = 1 if self.mode == "min" else -1
        return min(rows, key=lambda row: sign * (row.value or 0.0), default=None)

    def importances(self) -> dict[str, float]:
        """How much each parameter decides whether a trial is among the best, by PED-ANOVA; empty where unknown."""
        complete = [row for row in self.rows if row.state == "complete"]
        if len(complete) < 4 or len({row.value for row in complete}) < 2:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        try:
            return dict(optuna.importance.get_param_importances(self._study, evaluator=evaluator))
        except (ValueError, RuntimeError):  # values that do not vary
            return {}

    def _next_number(self) -> int:
        trials = self._study.get_trials(deepcopy=False)
        return 1 + max((trial.user_attrs.get("index", -1) for trial in trials), default=-1)

    def _sampler(self, index: int) -> optuna.samplers.BaseSampler:
        (seed,) = map(int, np.random.SeedSequence([self._seed % 2**32, index]).generate_state(1))
        if self._sampling == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


def _pruner(pruning: Pruning, epochs: int | None) -> optuna.pruners.BasePruner:
    if pruning == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=max(1, (epochs or 0) // _WARMUP))
    if pruning == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs or "auto", reduction_factor=3)
    return optuna.pruners.NopPruner()


def _suggest(trial: optuna.Trial, parameter: Parameter) -> Any:
    key = parameter.key
    if isinstance(parameter, Choices):
        return trial.suggest_categorical(key, parameter.values)
    low, high, log, step = parameter.low, parameter.high, parameter.log, parameter.step
    if parameter.is_whole:
        return trial.suggest_int(key, int(low), int(high), log=log, step=int(step or 1))
    return parameter.on_step(trial.suggest_float(key, low, high, log=log, step=step))
