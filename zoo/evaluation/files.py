"""A DataModule of a user's labelled files, all of them for test, in the windows and targets of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from zoo.data.own_files import DataChoice, choose_data
from zoo.data.own_tables import read_header
from zoo.errors import ConfigError
from zoo.evaluation.build import Builder
from zoo.evaluation.options import FileOptions
from zoo.models._base import SequenceModel
from zoo.scoring.data import EvaluationData
from zoo.scoring.matching import match_targets
from zoo.utils.text import some_of

__all__ = ["data_of_files"]

_BATCH = {"labels": 256, "tracks": 16, "contacts": 1}


def data_of_files(
    model: SequenceModel,
    files: Sequence[str],
    options: FileOptions,
    match: Mapping[str, str] | None = None,
    wanted: Sequence[str] | None = None,
    split: str | None = None,
    batch_size: int | None = None,
) -> EvaluationData:
    """Choose a DataModule for labelled files.

    Args:
        model: the model.
        files: FASTA files of classes, a table, peak files, bigWigs or coolers; see `choose_data`.
        options: options of the files.
        match: target of the data -> target of the model, where names differ.
        wanted: targets of the model to evaluate; None for all that the data have.
        split: of a table that has splits: `test` (the default), `val`, `train` or `all`.
        batch_size: sequences or windows at once; None for the usual number.

    Raises:
        ConfigError: files or options that do not fit the model or each other, or no target in common.
        InputError: a file that does not exist or cannot be read.
    """
    choice = _choice(files, options, model, match)
    if choice.kind != model.output.kind:
        raise ConfigError(
            f"{some_of(files)}: these files hold {choice.kind}, and the model predicts {model.output.kind}"
        )
    _refuse_foreign(choice, options, model)
    builder = Builder(model, choice, options, _BATCH[choice.kind] if batch_size is None else batch_size)
    names = builder.targets()
    any_name = not any(key in choice.init_args for key in ("table", "targets_table"))
    matching = match_targets(names, model.output.targets, match, wanted, any_name)
    kept = [names[index] for index in matching.of_data]
    module, read, notes = builder.build(kept, split)
    matching = replace(matching, of_data=[module.targets.index(name) for name in kept])
    return EvaluationData(module, "test" if read == "all" else read, matching, notes, read == "all")


def _choice(
    files: Sequence[str], options: FileOptions, model: SequenceModel, match: Mapping[str, str] | None
) -> DataChoice:
    """The DataModule of the files; of a table of sequences the labels are read of the columns that are targets."""
    bin_size = getattr(model.output, "bin_size", None)
    known = {*model.output.targets, *(match or {})}
    is_table = len(files) == 1 and files[0].endswith((".tsv", ".csv", ".tsv.gz", ".csv.gz")) and options.genome is None
    columns = [name for name in read_header(files[0]) if name in known] if is_table else None
    return choose_data(files, options.genome, options.negatives, columns or None, bin_size)


def _refuse_foreign(choice: DataChoice, options: FileOptions, model: SequenceModel) -> None:
    """Refuse an option that the data or the model do not take."""
    of_sequences = "genome" not in choice.init_args
    tests = {
        "contigs": of_sequences,
        "blacklist": of_sequences or "table" in choice.init_args,
        "resize": not of_sequences,
        "measurements": "label_columns" not in choice.init_args,
        "smooth": choice.kind != "contacts",
        "inputs": not model.inputs.names,
    }
    for name, is_foreign in tests.items():
        if getattr(options, name) not in (None, False) and is_foreign:
            what = "the model, which reads the sequence alone" if name == "inputs" else "data of this kind"
            raise ConfigError(f"--{name} is not for {what}: leave it out")
    if model.inputs.names and options.inputs is None:
        raise ConfigError(f"the model reads tracks too ({some_of(model.inputs.names)}): name their table with --inputs")
