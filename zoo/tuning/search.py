"""`zoo tune`: search the options of a run with which its validation metric is best; no trial scores the test split."""

import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zoo.errors import Interrupted
from zoo.training.checkpoint_io import LAST
from zoo.tuning.launch import Launch, Slot, start_process
from zoo.tuning.report import epoch_line, row_line, write_table
from zoo.tuning.rows import Row
from zoo.tuning.space import Parameter, size_of
from zoo.tuning.study import Draw, Study
from zoo.tuning.trial import Answer, Report, Result

__all__ = ["Search", "Settings"]

# Draws in a row that repeat earlier trials, as TPE draws what is good again and again, before a combination that was
# not tried is taken, if there are not too many to list; and before the search ends.
_SOME_REPEATS, _MOST_REPEATS = 3, 100
_MOST_LISTED = 10_000


@dataclass(frozen=True)
class Settings:
    """What a search does.

    Args:
        arguments: arguments of `zoo train` that all trials have: the configuration, then options and values.
        name: name of the run that is tuned.
        folder: folder of the search.
        monitor: metric that trials are compared by.
        trials: number of trials, those of earlier commands included; None for no limit.
        seconds: after so long, no trial begins and those that are trained stop after their epoch; None for no limit.
    """

    arguments: Sequence[str]
    name: str
    folder: Path
    monitor: str
    trials: int | None
    seconds: float | None

    def trial_name(self, index: int) -> str:
        """The name of a trial's run."""
        return f"{self.name}.{index:03}"

    def trial_folder(self, index: int) -> Path:
        """The folder of a trial's run."""
        return self.folder / "trials" / self.trial_name(index)


class Search:
    """A search: draws trials, trains them and keeps their results.

    Args:
        settings: what it does.
        study: where trials are kept.
        space: the parameters.
        launch: how a trial is trained.
    """

    def __init__(
        self, settings: Settings, study: Study, space: Sequence[Parameter], launch: Launch = start_process
    ) -> None:
        self.settings, self.study, self._launch = settings, study, launch
        self.reason: Literal["trials", "time", "all", "repeats"] = "trials"
        self._size = size_of(space)
        self._lock = threading.Lock()
        self._end = time.monotonic() + settings.seconds if settings.seconds else None
        self._is_over = threading.Event()
        self._in_training: dict[int, dict[str, str]] = {}
        self._repeats = 0

    def run(self, slots: Sequence[Slot]) -> None:
        """Train trials until there are as many as wanted, the time is over, or all combinations were tried.

        Args:
            slots: where trials are trained, one at a time in each.

        Raises:
            Interrupted: Ctrl-C; the search can be gone on with.
        """
        self.study.recover()
        (self.settings.folder / "trials").mkdir(parents=True, exist_ok=True)
        try:
            if len(slots) == 1:
                self._work(slots[0])
                return
            with ThreadPoolExecutor(len(slots)) as pool:
                futures = [pool.submit(self._work, slot) for slot in slots]
                try:
                    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                finally:
                    self._is_over.set()
                    if any(not future.done() for future in futures):
                        for slot in slots:
                            slot.interrupt()
                for future in done:
                    future.result()
        except KeyboardInterrupt:
            raise Interrupted(
                f"the search {self.settings.folder} was stopped: add --resume true to go on with it"
            ) from None

    def _work(self, slot: Slot) -> None:
        """Train trials in a slot until the search ends."""
        while (draw := self._next()) is not None:
            row = None
            try:
                row = self._train(slot, draw)
            finally:
                with self._lock:
                    del self._in_training[draw.number]
                    if row is not None:
                        self._keep(draw, row)
            if row is None:
                return

    def _keep(self, draw: Draw, row: Row) -> None:
        """Keep and print the result of a trial."""
        self.study.finish(draw, row)
        print(row_line(row, self.settings.monitor, self.study.best), file=sys.stderr, flush=True)
        write_table(self.study.trained, self.settings.monitor, self.settings.folder)
        for path in self.settings.trial_folder(draw.number).glob("*.ckpt"):  # the best is trained again, to the same
            path.unlink()

    def _next(self) -> Draw | None:
        """Draw the next trial; None where the search is over."""
        with self._lock:
            while not self._is_complete():
                draw = self.study.draw()
                earlier = next((n for n, values in self._in_training.items() if values == draw.values), None)
                earlier = self.study.repeated(draw) if earlier is None else earlier
                if earlier is None:
                    self._repeats, self._in_training[draw.number] = 0, draw.values
                    return draw
                self._repeats += 1
                if self._repeats % _SOME_REPEATS == 0 and self._size <= _MOST_LISTED:
                    self.study.propose_untried()
                message = f"the values of trial {earlier}"
                self.study.finish(draw, Row(draw.number, draw.values, "repeated", None, 0, 0.0, message))
            return None

    def _is_complete(self) -> bool:
        """Whether no further trial is to begin; why is kept."""
        trained = self.study.trained
        if self._is_over.is_set():
            return True
        if self._end is not None and time.monotonic() >= self._end:
            self.reason = "time"
        elif self.settings.trials is not None and len(trained) + len(self._in_training) >= self.settings.trials:
            self.reason = "trials"
        elif len(trained) + len(self._in_training) >= self._size:
            self.reason = "all"
        elif self._repeats >= _MOST_REPEATS:
            self.reason = "repeats"
        else:
            return False
        return True

    def _train(self, slot: Slot, draw: Draw) -> Row | None:
        """Train a trial; None where the search ended before it."""
        settings, folder = self.settings, self.settings.trial_folder(draw.number)
        if draw.is_again and draw.trial.should_prune():  # it was killed after it was told to end
            return self._pruned(draw)
        result = self._launch(slot, self._arguments(draw), settings.monitor, folder, self._reporter(draw))
        if result.state == "stopped":
            if self._is_over.is_set() or self._is_late():
                self.reason = "time" if self._is_late() else self.reason
                return None
            result = Result("failed", message=result.message or "it was stopped")
        return Row(draw.number, draw.values, result.state, *result[1:])

    def _pruned(self, draw: Draw) -> Row:
        """The result of a trial from what it had reported."""
        values = self.study.reported(draw)
        best = (min if self.study.mode == "min" else max)(values.values())
        return Row(draw.number, draw.values, "pruned", best, max(values), 0.0, "")

    def _arguments(self, draw: Draw) -> list[str]:
        """The arguments of `zoo train` of a trial."""
        settings, folder = self.settings, self.settings.trial_folder(draw.number)
        own = {"--name": folder.name, "--runs": str(folder.parent)}
        words = [word for option, value in own.items() for word in (option, value)]
        goes_on = ["--resume", "true"] if draw.is_again and (folder / f"{LAST}.ckpt").exists() else []
        values = [word for key, value in draw.values.items() for word in (f"--{key}", value)]
        return [*settings.arguments, *words, *goes_on, *values]

    def _reporter(self, draw: Draw) -> Report:
        """What is called after each epoch of a trial."""

        def report(epoch: int, value: float) -> Answer:
            """Tell the study the value; whether the trial is to go on."""
            with self._lock:
                is_to_end = self.study.report(draw, epoch, value)
            epoch_line(draw.number, epoch, self.settings.monitor, value)
            if self._is_over.is_set() or self._is_late():
                return "stop"
            return "prune" if is_to_end else "go on"

        return report

    def _is_late(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end
