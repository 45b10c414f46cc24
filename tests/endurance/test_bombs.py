"""Users' files made to exhaust memory or time, and damaged binary files: refused in one sentence, within bounds."""

import contextlib
import os
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from made.bombs import bombs, write_bigwig, write_cooler
from made.endurance import Fault, amount
from made.sandbox import Outcome, call_in_child

Faults = Callable[[str], AbstractContextManager[Fault]]

READ = "made.users_files:read_users_file"
# Two gigabytes in `make endurance`; in the test suite, more than the longest sequence that is read.
SIZE = amount(330_000_000, 2_000_000_000)
MOST = 600_000_000  # bytes above the base


def problem(outcome: Outcome) -> str:
    """Why an outcome is no refusal within bounds; empty if it is one."""
    if outcome.kind != "refused":
        return f"{outcome.kind}: {outcome.message[:300]}"
    return f"{outcome.memory:,} bytes" if outcome.memory > MOST else ""


@pytest.mark.slow
def test_bombs_are_refused_in_little_memory_and_time(tmp_path: Path, fault: Faults) -> None:
    made = bombs(SIZE)
    assert len({what for what, _, _ in made}) == len(made) >= 12
    slowest, largest = 0.0, 0
    with fault("small files made to exhaust memory or time") as counts:
        for kind in sorted({kind for _, kind, _ in made}):
            chosen = [one for one in made if one[1] == kind]
            path = tmp_path / "warm"
            path.write_bytes(b"no file of any kind\n")
            files = [tmp_path / f"{kind.replace(' ', '_')}{number}" for number in range(len(chosen))]
            for file, (_, _, write) in zip(files, chosen, strict=True):
                write(file)
            outcomes = call_in_child(READ, [[kind, str(file)] for file in files], [kind, str(path)])
            for (what, _, _), file, outcome in zip(chosen, files, outcomes, strict=True):
                message = problem(outcome) or ("" if str(file) in outcome.message else f"no file in {outcome.message}")
                counts.survived(f"{kind}: {what}", not message, message)
                slowest, largest = max(slowest, outcome.seconds), max(largest, outcome.memory)
                file.unlink()
        for kind in ("BED", "sequences"):
            outcome = read_endless_pipe(kind, tmp_path / f"pipe of {kind}")
            counts.survived(f"a pipe without an end as {kind}", not problem(outcome), problem(outcome))
    print(f"slowest {slowest:.1f} s, most memory {largest / 1e6:.0f} MB")


def read_endless_pipe(kind: str, path: Path) -> Outcome:
    """Read a pipe into which letters are written as long as somebody reads."""
    os.mkfifo(path)

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), path.open("wb", buffering=0) as pipe:
            while True:
                pipe.write(b"ACGT" * 16_384)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    (outcome,) = call_in_child(READ, [[kind, str(path)]])
    thread.join(10)
    assert not thread.is_alive()
    return outcome


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "write"), [("bigWig", write_bigwig), ("cooler", write_cooler)])
def test_damaged_binary_files_are_refused_or_read_as_before(
    kind: str, write: Callable[[Path], None], tmp_path: Path, fault: Faults
) -> None:
    whole, dice = tmp_path / "whole", random.Random(f"damaged {kind}")
    write(whole)
    content, files = whole.read_bytes(), [whole]
    kept = names_and_lengths(content) if kind == "bigWig" else []
    for number in range(amount(100, 1_500)):
        files.append(tmp_path / str(number))
        files[-1].write_bytes(damage(content, dice, kept))
    expected, *outcomes = call_in_child(READ, [[kind, str(file)] for file in files], [kind, str(whole)])
    assert expected.kind == "returned"
    with fault("bytes of a bigWig (none of its contigs' names and lengths) or of a cooler changed") as counts:
        for number, outcome in enumerate(outcomes):
            is_right = outcome.kind == "refused" or (outcome.kind, outcome.message) == ("returned", expected.message)
            counts.survived(f"{kind}, damage {number}", is_right and outcome.memory < MOST, outcome.message)
    refused = sum(outcome.kind == "refused" for outcome in outcomes)
    assert len(outcomes) / 4 < refused < len(outcomes)
    print(f"{refused} of {len(outcomes)} refused, slowest {max(one.seconds for one in outcomes):.1f} s")


def names_and_lengths(content: bytes) -> list[slice]:
    """Bytes of the names and lengths of contigs in a bigWig: it has no second copy of them, nor a checksum."""
    places = [content.index(name) for name in (b"chr1", b"chr2")]
    return [slice(first, first + 4) for place in places for first in (place, place + 8)]  # the number is between them


def damage(content: bytes, dice: random.Random, kept: Sequence[slice]) -> bytes:
    """Change some bytes, half of them in the header and first tables, or cut the file; never none."""
    damaged = content
    while damaged == content:
        changed = bytearray(content)
        for _ in range(dice.choice((1, 1, 2, 5))):
            size = dice.choice((1, 4, 8))
            first = dice.randrange(8, dice.choice((700, len(changed))) - size)
            byte = bytes([dice.choice((0, 255, dice.randrange(256)))])
            changed[first : first + size] = dice.choice((byte * size, dice.randbytes(size)))
        for place in kept:
            changed[place] = content[place]
        damaged = bytes(changed[: dice.randrange(len(changed))] if dice.random() < 0.1 else changed)
    return damaged
