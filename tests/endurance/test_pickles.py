"""Mutated and hostile files of torch: read to the right tensors or refused in one sentence, within bounds."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from made.endurance import Fault, amount
from made.hostile_pickles import hostile_files
from made.sandbox import call_in_child, describe, report
from made.saved_files import KINDS, made_file, mutate

Faults = Callable[[str], AbstractContextManager[Fault]]

READ = {
    "module": "made.saved_files:read_module_digest",
    "zip": "made.saved_files:read_state_digest",
    "old": "made.saved_files:read_state_digest",
}
# Digest of `[1, 2, 3, 4]`, which each hostile file holds somewhere.
RIGHT = '{"weight": "torch.float32 (4,) '


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_are_refused_or_read_as_others_read_them(kind: str, tmp_path: Path, fault: Faults) -> None:
    whole, dice = made_file(kind), random.Random(f"mutated {kind}")
    (tmp_path / "whole.pth").write_bytes(whole)
    paths, ways = [tmp_path / "whole.pth"], ["nothing"]
    for index in range(amount(50, 700)):
        way, content = mutate(whole, kind, dice)
        paths.append(tmp_path / f"{index}.pth")
        paths[-1].write_bytes(content)
        ways.append(way)
    outcomes = call_in_child(READ[kind], [[str(path)] for path in paths], [str(paths[0])])
    assert outcomes[0].kind == "returned"
    other = [number for number, one in enumerate(outcomes) if one.kind == "returned" and one[1] != outcomes[0][1]]
    check = [[str(paths[number]), kind] for number in [0, *other]]
    expected = call_in_child("made.saved_files:expected_of", check, [str(paths[0]), kind])
    right = dict(zip([0, *other], expected, strict=True))
    assert right[0].message == outcomes[0].message
    with fault("bytes or steps of a pickled model changed, cut or exchanged") as counts:
        for number, outcome in enumerate(outcomes[1:], 1):
            reason = describe(outcome)
            if number in right and right[number].message != outcome.message:
                reason = f"read {outcome.message} where others read {right[number].message}"
            counts.survived(f"{kind}, {ways[number]}, mutation {number}", not reason, reason)
    report(outcomes)


@pytest.mark.slow
def test_hostile_files_are_refused_or_read_right(tmp_path: Path, fault: Faults) -> None:
    files = hostile_files()
    assert len(files) >= 200
    assert len({what for what, _, _ in files}) == len(files)
    step = max(1, len(files) // amount(60, len(files)))
    with fault("pickled models made to crash their reader, to exhaust it or to run something") as counts:
        for kind in KINDS:
            chosen = [one for number, one in enumerate(files) if number % step == 0 and one[1] == kind]
            paths = [tmp_path / f"{kind}{number}.pth" for number in range(len(chosen))]
            for path, (_, _, content) in zip(paths, chosen, strict=True):
                path.write_bytes(content())
            (tmp_path / "whole.pth").write_bytes(made_file(kind))
            outcomes = call_in_child(READ[kind], [[str(path)] for path in paths], [str(tmp_path / "whole.pth")])
            for (what, _, _), path, outcome in zip(chosen, paths, outcomes, strict=True):
                reason = describe(outcome)
                if outcome.kind == "returned" and not outcome.message.startswith(RIGHT) and outcome.message != "{}":
                    reason = f"read {outcome.message}"
                counts.survived(what, not reason, reason)
                path.unlink()
            report(outcomes)
    assert not Path("/tmp/executed").exists()
