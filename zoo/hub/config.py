"""`config.json` of a checkpoint folder: read once, brought to the current format and checked key by key.

Nothing here imports torch.
"""

import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError
from zoo.hub.config_run import read_run
from zoo.hub.facts import OUTPUT_KINDS, BaseFacts, ModelFacts, describe_input
from zoo.hub.folder import CONFIG, DELTA, EXAMPLE, TARGETS, WEIGHTS, checkpoint_file
from zoo.hub.json_reader import JsonReader, check_values, list_of, read_json
from zoo.hub.upgrade import FORMAT, upgrade_config
from zoo.utils.text import quoted, shorten

__all__ = ["CheckpointConfig", "parse_config", "read_config"]

_HASHED = (WEIGHTS, EXAMPLE, TARGETS)
_SHA256 = re.compile("[0-9a-f]{64}")
_DATA_SET = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_LONGEST_SEQUENCE = 1 << 28  # bases; the longest human chromosome has less
# Arguments of an architecture with one value for each target or input track. Other lists are sizes of layers.
_PER_TARGET = {"targets", "inputs", "names", "strand_pairs", "centre", "spread", "soft_clip"}
_MOST_LAYERS = 1_000
# What `config.json` derives from `arguments`, and so does not store twice.
_DERIVED = ("targets", "input", "length")


@dataclass(frozen=True)
class CheckpointConfig:
    """Content of a checkpoint's `config.json`.

    Attributes:
        facts: for people; its `output`, `targets` and `input` describe the model.
        architecture: a file in `zoo/models/`.
        arguments: arguments of the architecture's constructor, as plain JSON values.
        tolerance: largest difference to the stored example that the checkpoint allows itself.
        sha256: sha256 of each other file, by its name.
        stored_format: the format of the file; everything else here is in the current one.
    """

    facts: ModelFacts
    architecture: str
    arguments: dict[str, Any]
    tolerance: float
    sha256: dict[str, str]
    stored_format: int = FORMAT

    @property
    def weights_file(self) -> str:
        """Name of the file of the weights: whole, or a delta on those of a base."""
        return DELTA if DELTA in self.sha256 else WEIGHTS

    @property
    def delta_base(self) -> BaseFacts | None:
        """The base on whose weights these are a delta; None where they are stored whole."""
        return self.facts.training.base if DELTA in self.sha256 else None

    def to_json(self) -> str:
        """The text of `config.json`, in the current format."""
        facts = {key: value for key, value in asdict(self.facts).items() if key not in (*_DERIVED, "name", "output")}
        if facts["run"]:
            base = facts["run"].pop("base")
            known = {key: value for key, value in (base or {}).items() if value is not None}
            facts["run"] |= {"base": known} if known else {}
            _leave_out_empty(facts["run"], "files", "intervals", "interval_notes")
        _leave_out_empty(facts, "citation", "datasets")
        table = {
            "format": FORMAT,
            "name": self.facts.name,
            "architecture": self.architecture,
            "arguments": self.arguments,
            "output": self.facts.output,
            **facts,
            "tolerance": self.tolerance,
            "sha256": self.sha256,
        }
        return json.dumps(table, indent=1, allow_nan=False) + "\n"


def _leave_out_empty(table: dict[str, Any], *keys: str) -> None:
    """Remove keys without a value, which earlier versions of zoo do not know."""
    for key in keys:
        if not table[key]:
            del table[key]


def read_config(folder: Path) -> CheckpointConfig:
    """Read `config.json` of a checkpoint folder.

    Raises:
        IntegrityError: a file that is missing, too large or not JSON, or a key that is missing, unknown or has a wrong
            value.
    """
    path = checkpoint_file(folder, CONFIG)
    return parse_config(read_json(path), str(path))


def parse_config(content: Any, path: str) -> CheckpointConfig:
    """Check what a `config.json` holds, of any format, key by key.

    Args:
        content: content of the file.
        path: path of the file, for messages.

    Raises:
        IntegrityError: a key that is missing, unknown or has a wrong value.
    """
    table = _upgraded(content, path)
    reader = JsonReader(path, table)
    arguments = reader.table("arguments")
    run = table.get("run")
    text = {
        field.name: reader.text(field.name, "" if field.default == "" else None)
        for field in fields(ModelFacts)
        if field.type is str and field.name not in ("name", "output", "input")
    }
    targets = _targets(JsonReader(f"{path}: arguments", arguments))
    config = CheckpointConfig(
        facts=ModelFacts(
            name=reader.word("name"),
            **text,
            datasets=_datasets(reader),
            run=None if run is None else read_run(JsonReader(f"{path}: run", reader.table("run")), len(targets)),
            output=reader.choice("output", OUTPUT_KINDS),
            targets=targets,
            input=describe_input(arguments),
            length=0 if arguments.get("scan") else arguments["length"],
        ),
        architecture=reader.word("architecture"),
        arguments=arguments,
        tolerance=reader.number("tolerance", 0.0, lowest=0),
        sha256=_hashes(reader, path),
        stored_format=content["format"],
    )
    reader.refuse_others("format", "run", "datasets")
    base = config.facts.run.base if config.facts.run else None
    if (DELTA in config.sha256) != (base is not None and base.delta is not None):
        raise IntegrityError(f"{path}: sha256 has a value for {DELTA} where run.base has one for delta, and only there")
    return config


def _upgraded(content: Any, path: str) -> dict[str, Any]:
    """The table in the current format; checked as far as the upgrade needs it."""
    if not isinstance(content, dict):
        raise IntegrityError(f"{path} must hold a JSON object, not {type(content).__name__}")
    check_values(path, content)
    reader = JsonReader(path, content)
    reader.text("architecture")
    reader.table("arguments")
    try:
        return upgrade_config(content)
    except IntegrityError as error:  # it names the file without its folder
        raise IntegrityError(str(Path(path).parent / str(error))) from None
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise IntegrityError(
            f"{path} cannot be brought from format {content.get('format')!r} to {FORMAT} ({error!r})"
        ) from None


def _targets(arguments: JsonReader) -> tuple[str, ...]:
    """The names of the targets; the length, the inputs and the lists of all arguments are checked too."""
    arguments.whole("length", "bases", 1, _LONGEST_SEQUENCE)
    targets = arguments.names("targets")
    inputs = arguments.values.get("inputs") or []
    names = inputs.get("names", []) if isinstance(inputs, dict) else inputs
    if names != []:
        JsonReader(arguments.where, {"inputs": names}).names("inputs")
    groups = [arguments.values, *(value for value in arguments.values.values() if isinstance(value, dict))]
    for name, value in (item for group in groups for item in group.items()):
        most = max(len(targets), len(names)) if name in _PER_TARGET else _MOST_LAYERS
        if isinstance(value, list) and len(value) > most:
            raise IntegrityError(f"{arguments.where}: {name} holds {len(value):,} values; it may hold {most:,}")
    return tuple(targets)


def _datasets(reader: JsonReader) -> tuple[str, ...]:
    """The ids of data sets on the Hub; none where there is no such key."""
    names = list_of(str, reader.values.get("datasets", []))
    if names is None or not all(map(_DATA_SET.fullmatch, names)):
        raise IntegrityError(f"{reader.where}: datasets must hold ids of the Hugging Face Hub, such as org/name")
    return tuple(names)


def _hashes(reader: JsonReader, path: str) -> dict[str, str]:
    hashes = reader.table("sha256", most=20)
    for name, value in hashes.items():
        if not _FILE_NAME.fullmatch(name):
            raise IntegrityError(f"{path}: sha256 names a file outside the folder: {quoted(name)}")
        if not isinstance(value, str) or not _SHA256.fullmatch(value):
            raise IntegrityError(f"{path}: sha256 of {name} must be 64 hexadecimal digits, not {shorten(repr(value))}")
    if WEIGHTS in hashes and DELTA in hashes:
        raise IntegrityError(f"{path}: sha256 names both {WEIGHTS} and {DELTA}: the weights are one of the two")
    needed = _HASHED if DELTA not in hashes else _HASHED[1:]
    if missing := [name for name in needed if name not in hashes]:
        raise IntegrityError(f"{path}: sha256 has no value for {', '.join(missing)}")
    return hashes
