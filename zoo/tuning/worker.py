"""The process of one trial, started by `zoo tune`: so that no memory, crash or device error outlives its trial.

    python -m zoo.tuning.worker REQUEST

REQUEST is a JSON file. Lines of JSON go to the search on standard output, its answers come on standard input; all that
a run prints goes to standard error. Where the search ends, this process and those that it started end too.
"""

import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

__all__ = ["main"]


def main(words: list[str]) -> int:
    """Train the trial of a request file; processes that Lightning starts for further devices come here too."""
    request = json.loads(Path(words[0]).read_text(encoding="utf-8"))
    from lightning.fabric.utilities.rank_zero import rank_zero_only

    from zoo.tuning.trial import Answer, run_trial

    if getattr(rank_zero_only, "rank", 0) != 0:  # the first process reports; this one hears its answers from it
        run_trial(request["arguments"], request["monitor"], lambda *_: "go on")
        return 0
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(answers,), daemon=True).start()

    def report(epoch: int, value: float) -> Answer:
        """Tell the search the value; its answer."""
        _tell(channel, epoch=epoch, value=value)
        return answers.get()  # type: ignore[return-value]

    result = run_trial(request["arguments"], request["monitor"], report)
    _tell(channel, result=result._asdict())
    return 0


def _tell(channel: TextIO, **content: Any) -> None:
    channel.write(json.dumps(content) + "\n")
    channel.flush()


def _listen(answers: "queue.SimpleQueue[str]") -> None:
    """Queue the answers of the search, one at a time; where it is gone, end this process and all of its group."""
    while line := os.read(0, 1_000):  # not through `sys.stdin`, whose lock the end of the interpreter waits for
        answers.put(line.decode().strip())
    if hasattr(os, "killpg"):
        os.killpg(os.getpgid(0), signal.SIGKILL)
    os._exit(2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
