"""Every command and block of README runs, one after the other, on a small genome, with training cut short.

What needs public files is tested elsewhere; `follow_readme.py` runs that too, where they are.
"""

import shlex
from pathlib import Path

import pytest
from follow_readme import README, SHORT, TRAINING, steps_of
from made.hub import Hub
from made.own_files import make_own_files

from zoo.cli import main

ALL = [step for step in steps_of(README.read_text()) if step.is_run]
STEPS = [step for step in ALL if not step.is_public or step.text.startswith("zoo push ")]  # to a Hub on this computer
# A genome of which the published Akita, with windows of a megabase, just can be trained.
SMALL = {"chr1": 1_300_000, "chr8": 1_200_000, "chr9": 1_200_000, "chr21": 1_500_000}
# Cut short too: a minute of predictions, and two of a net with the published number of channels.
SHORTER = {
    "akita.yeast genome.fa": "akita.yeast short.bed --genome genome.fa",
    "--trials 10": "--trials 1",
    "zoo train akita.contacts ": "zoo train akita.contacts --model.trunk.stem_filters 8 --model.pair_map.filters 8 "
    "--model.trunk.tower_filters [8,8,8,8,8,8] --model.trunk.residual_filters 8 ",
}


def test_the_steps_are_those_of_the_text() -> None:
    commands = "```bash\nmake x    # one\nzoo list  # two\nzoo train a \\\n  --b c\n```\n"
    steps = steps_of(f"a\n{commands}```yaml\nzoo: 1\n```\n```python\nx = 1\n```\n")
    assert [step.text for step in steps] == ["make x", "zoo list", "zoo train a    --b c", "x = 1\n"]
    assert [step.language for step in steps] == ["bash", "bash", "bash", "python"]
    assert len(STEPS) > 25


def words_of(command: str) -> list[str]:
    """The arguments of a command, as a shell expands them."""
    words = []
    for word in shlex.split(command)[1:]:
        found = sorted(str(path) for path in Path().glob(word)) if word.startswith("*") else []
        words += found or [word]
    return words


@pytest.mark.slow
def test_readme_is_followed_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_hub: Hub) -> None:
    monkeypatch.chdir(tmp_path)
    make_own_files(tmp_path, SMALL, peaks=30)
    Path("short.bed").write_text("chr1\t0\t300000\n")
    for step in STEPS:
        if step.language == "python":  # tests/hub/test_cards.py runs it
            continue
        text = step.text
        for long, short in SHORTER.items():
            text = text.replace(long, short)
        # In this process, which has imported torch already.
        assert main(words_of(f"{text} {SHORT}" if text.startswith(TRAINING) else text)) == 0, text
    assert set(local_hub.repositories["our-lab/deepbind.lab"].heads) == {"main", "v1"}
    for table in ("predictions.tsv", "bound.tsv"):
        assert Path(table).read_text().startswith("name\t")
    for picture in ("region.png", "mine.png", "maps.png"):
        assert Path(picture).read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in Path("mine").iterdir()} == {"one.bw", "two.bw"}
    assert {path.name for path in Path("maps").iterdir()} == {"mine.cool"}
    assert len(list(Path("tracks").glob("*.bw"))) == 9
