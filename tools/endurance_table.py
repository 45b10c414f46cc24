"""Write docs/endurance.md: each fault of `make endurance`, how often it was tried and how often survived.

    python tools/endurance_table.py FOLDER

FOLDER holds the counts that the tests wrote (tests/made/endurance.py).
"""

import json
import os
import platform
import sys
from collections import Counter
from pathlib import Path

import torch

from zoo.utils.version import code_version

_PAGE = Path(__file__).parent.parent / "docs" / "endurance.md"
_HEAD = """# Endurance

What was tried by force, and what it did to the zoo: `make endurance` runs the tests in `tests/endurance/` and writes
this page. A fault is survived when nothing that was written before is lost, no wrong result is given, and what cannot
go on ends in one sentence. `make test` runs the same tests with smaller numbers.

Commit {commit}, torch {torch}, {cores} cores ({machine}).

| fault | tried | survived |
|---|---:|---:|
"""


def main(folder: str) -> None:
    """Add up the counts in a folder and write the page."""
    tried: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for path in sorted(Path(folder).glob("*.json")):
        counts = json.loads(path.read_text())
        tried[counts["fault"]] += counts["tried"]
        survived[counts["fault"]] += counts["survived"]
    if not tried:
        sys.exit(f"{folder} holds no counts: run make endurance")
    head = _HEAD.format(
        commit=code_version(), torch=torch.__version__, cores=os.cpu_count(), machine=platform.machine()
    )
    rows = [f"| {fault} | {tried[fault]:,} | {survived[fault]:,} |" for fault in sorted(tried)]
    _PAGE.write_text(head + "\n".join(rows) + "\n")
    print(_PAGE.read_text())


if __name__ == "__main__":
    main(sys.argv[1])
