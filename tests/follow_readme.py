"""Follow README word by word: run its commands and Python blocks in an empty folder, with made files for one's own.

    python tests/follow_readme.py FOLDER [--bin BIN] [--short]

BIN is the folder of the commands `zoo` and `python` to be tried, such as that of an environment into which the wheel
was installed. `--short` cuts training short. What needs public files is skipped without ZOO_MIRROR; `make`, which
belongs to a checkout, and the benchmarks, of which most train models for hours, are not run.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from made.own_files import make_own_files

__all__ = ["SHORT", "TRAINING", "Step", "main", "run_step", "steps_of"]

README = Path(__file__).parents[1] / "README.md"
_NOT_RUN = re.compile(r"make |pip |zoo benchmark ")
_PUBLIC = re.compile(
    r"akita\.human|akita\.yeast_position|deepbind\.D0|zoo data get|deepbind\.encode --data|hf-hub:"
    r"|zoo evaluate deepbind\.encode_|zoo push "
)
# Options that cut a training run short.
SHORT = (
    "--trainer.max_epochs 1 --trainer.check_val_every_n_epoch 1 --data.epoch_size 4 --trainer.enable_progress_bar false"
)


# Commands that take those options.
TRAINING = ("zoo train", "zoo tune", "zoo finetune")


class Step(NamedTuple):
    """A command line, or a block of Python."""

    language: str
    text: str

    @property
    def is_run(self) -> bool:
        """Whether the step is run at all."""
        return not _NOT_RUN.match(self.text)

    @property
    def is_public(self) -> bool:
        """Whether the step needs public files."""
        return _PUBLIC.search(self.text) is not None


def steps_of(readme: str) -> list[Step]:
    """The steps of a Markdown text, in its order; comments behind commands are cut off."""
    steps = []
    for language, text in re.findall(r"```(bash|python)\n(.*?)```", readme, re.DOTALL):
        if language == "python":
            steps.append(Step("python", text))
            continue
        lines = [line.split("  #")[0].strip() for line in text.replace("\\\n", " ").splitlines()]
        steps += [Step("bash", line) for line in lines if line and not line.startswith("#")]
    return steps


def run_step(step: Step, folder: Path, bin_folder: Path, short: bool) -> subprocess.CompletedProcess[str]:
    """Run a step in a folder, with the commands of `bin_folder` first on the path."""
    text = f"{step.text} {SHORT}" if short and step.text.startswith(TRAINING) else step.text
    command = [str(bin_folder / "python"), "-c", text] if step.language == "python" else ["bash", "-c", text]
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def main(arguments: list[str] | None = None) -> int:
    """Follow README in a folder; the number of steps that failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bin", type=Path, default=Path(sys.executable).parent)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    if any(options.folder.iterdir()):
        parser.error(f"{options.folder} is not empty")
    make_own_files(options.folder)
    failed = 0
    for step in steps_of(README.read_text()):
        title = step.text.strip().splitlines()[0][:150]
        if not step.is_run or (step.is_public and not os.environ.get("ZOO_MIRROR")):
            print(f"not run          {title}", flush=True)
            continue
        began = time.perf_counter()
        result = run_step(step, options.folder, options.bin, options.short)
        state = "passed" if result.returncode == 0 else "FAILED"
        failed += result.returncode != 0
        print(f"{state} {time.perf_counter() - began:7.1f} s {title}", flush=True)
        if result.returncode:
            print(result.stdout[-2_000:] + result.stderr[-3_000:], flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
