"""`zoo finetune`: plan, print the plan, and train it as `zoo train` does."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from lightning.fabric.utilities.rank_zero import rank_zero_only

from zoo.errors import ConfigError, ZooError
from zoo.training.finetune.choices import Plan
from zoo.training.finetune.data import Files
from zoo.training.finetune.plan import Request, make_plan
from zoo.training.parse import print_config
from zoo.training.recipe import command_text
from zoo.training.run import finish, fit
from zoo.utils.lightning_output import quiet_lightning

__all__ = ["print_plan", "read_request", "train_request"]

# Options of `zoo finetune` itself; all others are of `zoo train`.
_STRICT = "--strict-split"
_OWN = ("--genome", "--negatives", "--targets", "--mode", "--name")


def train_request(request: Request) -> Path:
    """Fine-tune a model on own data and save the result.

    Args:
        request: the base, the data and the options.

    Returns:
        The checkpoint folder.

    Raises:
        ConfigError: what does not fit, named.
        InputError: data that cannot be read.
        Interrupted: Ctrl-C; the run can be resumed.
    """
    quiet_lightning()
    plan = make_plan(request)
    _print_choices(plan, request)
    with _config_file(plan, request) as path:
        ending = partial(finish, command=command_text("finetune", _words(request)))
        return fit([path, *plan.options], (), ending)


def print_plan(request: Request) -> None:
    """Print the configuration of a fine-tuning as YAML, for `zoo train`; nothing is trained.

    Args:
        request: as of `train_request`, with its errors.
    """
    quiet_lightning()
    plan = make_plan(request)
    _print_choices(plan, request)
    with _config_file(plan, request) as path:
        print_config([path, *plan.options])


def read_request(words: Sequence[str]) -> Request:
    """Read the arguments of the command line.

    Args:
        words: the name of a model, data files, and options with their values in any order, `--key value` or
            `--key=value`.

    Raises:
        ConfigError: no model, an option without a value, or one that is given twice.
    """
    names: list[str] = []
    given: dict[str, str] = {}
    options: list[str] = []
    rest = iter([word for word in words if word != _STRICT])
    for word in rest:
        if not word.startswith("--"):
            names.append(word)
            continue
        key, equals, value = word.partition("=")
        value = value if equals else next(rest, "")
        if not value:
            raise ConfigError(f"options come in pairs, --key value: {key} has no value")
        if key in given:
            raise ConfigError(f"{key} is given twice")
        if key in _OWN:
            given[key] = value
        else:
            options += [key, value]
    if not names:
        raise ConfigError("name a model and your data: zoo finetune NAME DATA [DATA ...] [--key value ...]")
    targets = given.get("--targets")
    files = Files(names[1:], given.get("--genome"), given.get("--negatives"), targets.split(",") if targets else None)
    return Request(names[0], files, given.get("--mode"), given.get("--name"), options, _STRICT in words)


def _words(request: Request) -> list[str]:
    """The words of the command that asks for a fine-tuning; `--strict-split` changes nothing of its result."""
    files = request.files
    own = {
        "--genome": files.genome,
        "--negatives": files.negatives,
        "--targets": ",".join(files.targets) if files.targets else None,
        "--mode": request.mode,
        "--name": request.name,
    }
    given = [word for key, value in own.items() if value is not None for word in (key, value)]
    return [request.base, *files.paths, *given, *request.options]


@contextmanager
def _config_file(plan: Plan, request: Request) -> Iterator[str]:
    """The plan as a file, as long as it is needed; messages name the command in its place."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "finetune.yaml"
        path.write_text(yaml.safe_dump(plan.config, sort_keys=False), encoding="utf-8")
        try:
            yield str(path)
        except ZooError as error:
            text = str(error).replace(str(path), f"zoo finetune {request.base}")
            raise type(error)(text) from None


@rank_zero_only
def _print_choices(plan: Plan, request: Request) -> None:
    print(f"fine-tuning {request.base}:", file=sys.stderr)
    width = max(len(what) for what, _, _ in plan.choices)
    for what, value, why in plan.choices:
        print(f"  {what:{width}}  {value}{f' ({why})' if why else ''}", file=sys.stderr)
