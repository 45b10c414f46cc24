"""Call functions on hostile files in a child process of bounded memory and time, and see what each of them does."""

import contextlib
import importlib
import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Outcome", "call_in_child", "describe", "report"]

MEMORY = 1_000_000_000  # bytes above those of the child before its first call
SECONDS = 30
_ENCODINGS = ("ascii", "cp437", "latin_1", "raw_unicode_escape", "unicode_escape", "utf_8", "utf_8_sig", "utf_16")
# What no reader does: audit events of python.
_FORBIDDEN = (
    *("exec", "compile", "import", "pickle.find_class", "os.system", "os.exec", "os.fork", "os.forkpty", "os.spawn"),
    *("os.posix_spawn", "subprocess.Popen", "socket.connect", "ctypes.dlopen", "os.remove", "os.rename", "os.mkdir"),
)


class Outcome(NamedTuple):
    """What a call did.

    Attributes:
        kind: `returned`, `refused` (one sentence of an error of the zoo) or `failed` (all else, a killed child too).
        message: the returned value as JSON, the sentence, or what failed.
        seconds: wall time.
        memory: bytes that the child took at most, above its base.
        events: what the call ran or changed: audit events of python.
    """

    kind: str
    message: str
    seconds: float
    memory: int
    events: list[str]


def call_in_child(
    function: str, arguments: Iterable[Sequence[Any]], warm: Sequence[Any] | None = None, limit_s: int = SECONDS
) -> list[Outcome]:
    """Call a function once for each list of arguments, in one child process, or another one where one died.

    Args:
        function: `module:name`, as the child imports it.
        arguments: of each call; they can be written as JSON.
        warm: arguments of a first call that is not counted, for what is imported on first use; may fail.
        limit_s: seconds of a call.
    """
    remaining, outcomes = list(arguments), list[Outcome]()
    while remaining:
        child = subprocess.Popen(
            [sys.executable, __file__, function, str(limit_s)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdin is not None and child.stdout is not None
        with child, contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps([warm, remaining]) + "\n")
            child.stdin.close()
            answers = [json.loads(line) for line in child.stdout if line.endswith("\n")]
        assert answers and answers[0] == "ready", f"the child did not begin (status {child.returncode})"
        outcomes += [Outcome(*answer) for answer in answers[1:]]
        remaining = remaining[len(answers) - 1 :]
        if remaining:
            outcomes.append(Outcome("failed", f"the process ended with status {child.returncode}", 0, 0, []))
            remaining = remaining[1:]
    return outcomes


def describe(outcome: Outcome) -> str:
    """What was wrong with an outcome; empty for nothing."""
    if outcome.kind == "failed":
        return outcome.message
    if outcome.events:
        return f"it did {outcome.events}"
    return f"it took {outcome.memory:,} bytes" if outcome.memory > MEMORY else ""


def report(outcomes: Sequence[Outcome]) -> None:
    """Print the slowest and largest, which `-s` or a failure shows."""
    refused = sum(outcome.kind == "refused" for outcome in outcomes)
    slowest, largest = max(one.seconds for one in outcomes), max(one.memory for one in outcomes)
    print(f"{len(outcomes)} trials, {refused} refused; slowest {slowest:.2f} s, most memory {largest / 1e6:.0f} MB")


def _memory(key: str) -> int:
    """Bytes of this process: VmSize, VmRSS or VmHWM."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{key}:"))
    return 1024 * int(line.split()[1])


def _attempt(call: Any, arguments: Sequence[Any], events: list[str]) -> Outcome:
    from zoo.errors import ZooError

    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
    base, start = _memory("VmRSS"), time.perf_counter()
    events.clear()
    try:
        kind, message = "returned", json.dumps(call(*arguments), default=str)
    except ZooError as error:
        kind, message = "refused", str(error)
        if "\n" in message or len(message) > 5_000:
            kind = "failed"
    except BaseException as error:  # MemoryError too
        kind, message = "failed", f"{type(error).__name__}: {str(error)[:500]}"
    done = list(events)
    return Outcome(kind, message, time.perf_counter() - start, max(_memory("VmHWM") - base, 0), done)


def _main(function: str, limit_s: int) -> None:
    module, _, name = function.partition(":")
    call = getattr(importlib.import_module(module), name)
    warm, rows = json.loads(sys.stdin.readline())
    if warm is not None:
        with contextlib.suppress(Exception):
            call(*warm)
    for encoding in _ENCODINGS:  # python imports them on first use
        importlib.import_module(f"encodings.{encoding}")
    events = list[str]()

    def watch(event: str, details: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN:
            events.append(f"{event} {str(details)[:100]}")
        if event == "open" and isinstance(details[1], str) and set(details[1]) & set("wxa+"):
            events.append(f"{event} {str(details)[:100]}")

    sys.addaudithook(watch)
    print(json.dumps("ready"), flush=True)
    resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize") + MEMORY, resource.RLIM_INFINITY))
    for arguments in rows:
        signal.alarm(limit_s)
        outcome = _attempt(call, arguments, events)
        signal.alarm(0)
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    _main(sys.argv[1], int(sys.argv[2]))
