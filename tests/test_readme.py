"""Every command and block of README runs, one after the other, on a small genome, with training cut short."""

import os
import sys
from pathlib import Path

import pytest
from follow_readme import README, run_step, steps_of
from made.own_files import make_own_files

STEPS = [step for step in steps_of(README.read_text()) if step.is_run]
# A genome that is predicted in seconds; a region of README lies further along a chromosome.
SMALL = {"chr1": 1_300_000, "chr8": 1_200_000, "chr9": 1_200_000, "chr21": 1_500_000}
NEARER = {"chr21:30,000,000-32,000,000": "chr21:100,000-1,100,000"}


def test_the_steps_are_those_of_the_text() -> None:
    commands = "```bash\nmake x    # one\nzoo list  # two\nzoo train a \\\n  --b c\n```\n"
    steps = steps_of(f"a\n{commands}```yaml\nzoo: 1\n```\n```python\nx = 1\n```\n")
    assert [step.text for step in steps] == ["make x", "zoo list", "zoo train a    --b c", "x = 1\n"]
    assert [step.language for step in steps] == ["bash", "bash", "bash", "python"]
    assert len(STEPS) > 25


@pytest.mark.slow
def test_readme_is_followed_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    make_own_files(tmp_path, SMALL)
    for step in STEPS:
        if step.is_public and not os.environ.get("ZOO_MIRROR"):
            continue
        text = step.text
        for far, near in NEARER.items():
            text = text.replace(far, near)
        result = run_step(step._replace(text=text), tmp_path, Path(sys.executable).parent, short=True)
        assert result.returncode == 0, f"{text}\n{result.stdout[-2000:]}{result.stderr[-4000:]}"
