"""Builds the DataModule of labelled files: all of them for test, in the windows of a model."""

from collections.abc import Sequence
from typing import Any, Literal

from zoo.data.base import GenomicDataModule
from zoo.data.own_files import DataChoice
from zoo.data.splits import SPLITS, Split
from zoo.errors import ConfigError
from zoo.evaluation.options import FileOptions
from zoo.models._base import SequenceModel
from zoo.utils.text import some_of

__all__ = ["Builder"]

# The split of data to read, or all of those that have none.
Part = Split | Literal["all"]
_PEAKS = "zoo.data.peaks.PeakDataModule"


class Builder:
    """Builds the DataModule of a choice for some of its targets."""

    def __init__(self, model: SequenceModel, choice: DataChoice, options: FileOptions, batch_size: int) -> None:
        self.model, self.choice, self.options = model, choice, options
        self.arguments = choice.init_args
        self.common = {"batch_size": batch_size}
        self.notes: list[str] = []
        if model.inputs.names:
            self.common |= {"inputs_table": options.inputs, "input_size": model.inputs.size}  # type: ignore[dict-item]

    def targets(self) -> list[str]:
        """Names of all targets of the data."""
        arguments = self.arguments
        if "fasta" in arguments:
            return [name for name in arguments["fasta"] if name != arguments.get("negative_class")]
        if "label_columns" in arguments:
            return list(arguments["label_columns"])
        if "table" in arguments:
            from zoo.data.peaks.table import read_table_header

            return read_table_header(arguments["table"])[0]
        if "targets_table" in arguments:
            from zoo.data.tracks.table import read_track_table

            return [track.name for track in read_track_table(arguments["targets_table"])]
        return list(next(arguments[key] for key in ("peaks", "bigwigs", "coolers") if key in arguments))

    def build(self, kept: Sequence[str], split: str | None) -> tuple[GenomicDataModule, Part, list[str]]:
        """Build the DataModule, the split to read, and notes; `all` is in the DataModule's test split.

        Args:
            kept: targets that are scored; columns, tracks and maps of others are not read.
            split: as of `data_of_files`.
        """
        notes = [line for line in self.choice.reasons if not line.startswith(("negatives", "splits", "targets"))]
        if self.choice.kind != "labels":
            _refuse_split(split)
            return self._windows(kept), "all", [*notes, *self.notes]
        if self.choice.class_path == _PEAKS:
            return self._peaks(split, notes)
        return self._sequences(kept, split, notes)

    def _sequences(
        self, kept: Sequence[str], split: str | None, notes: list[str]
    ) -> tuple[GenomicDataModule, Part, list[str]]:
        from zoo.evaluation.sequences import EvaluatedSequences

        arguments = {**self.arguments, **self.common}
        arguments["resize"] = self.model.length if self.options.resize else None
        if "fasta" in arguments:
            _refuse_split(split)
            # All classes are read, whichever are scored: the sequences of each are negatives of the others.
            arguments["fasta"] = {name: {"test": path} for name, path in arguments["fasta"].items()}
            return EvaluatedSequences(**arguments), "all", [*notes, *self._on_negatives()]
        arguments["label_columns"] = list(kept)
        arguments["classify"], on_labels = self._labels_of_table(kept)
        notes = [*notes, *on_labels]
        column = arguments.pop("split_column", None)
        if column is None or split == "all":
            _refuse_split(None if split == "all" else split)
            return EvaluatedSequences(**{**arguments, "table": {"test": arguments["table"]}}), "all", notes
        notes = [*notes, _split_note(split, f"column {column!r}")]
        return (
            EvaluatedSequences(**arguments, split_column=column, on_leak="warn", val_fraction=0.0),
            _split(split),
            notes,
        )

    def _labels_of_table(self, columns: Sequence[str]) -> tuple[bool, list[str]]:
        """Whether labels of a table are classes, and a note."""
        from zoo.evaluation.table_labels import read_as_classes

        if self.options.measurements:
            return False, []
        if self.arguments["classify"]:  # all columns are
            return True, []
        return read_as_classes(self.arguments["table"], columns, self.model.loss.classifies)

    def _peaks(self, split: str | None, notes: list[str]) -> tuple[GenomicDataModule, Part, list[str]]:
        from zoo.data.peaks.rules import PeakRules
        from zoo.evaluation.on_genome import EvaluatedPeaks
        from zoo.genome.fasta import Genome

        arguments: dict[str, Any] = {**self.arguments, **self.common}
        if "table" in arguments:
            if self.options.contigs:
                raise ConfigError("--contigs is not for a table of sites, whose splits say what is read: --split")
            if split == "all":
                return EvaluatedPeaks(**{**arguments, "table": {"test": arguments["table"]}}), "all", notes
            notes = [*notes, _split_note(split, "the table's column `split`")]
            return EvaluatedPeaks(**arguments, on_leak="warn"), _split(split), notes
        _refuse_split(split)
        chosen = list(self.options.contigs or Genome(str(self.options.genome)).contigs)
        rules = PeakRules(length=self.model.length, val=[], test=chosen, blacklist=self.options.blacklist)
        return EvaluatedPeaks(**arguments, rules=rules), "all", [*notes, *self._on_negatives()]

    def _on_negatives(self) -> list[str]:
        """A note on the negatives of classes, unless they were given."""
        if "negative_class" in self.arguments:
            return []
        if self.arguments.get("shuffles"):
            return ["negatives: a dinucleotide-preserving shuffle of each sequence, for none were given"]
        classes = list(self.arguments.get("fasta") or self.arguments["peaks"])
        if len(classes) == 1:
            return []
        what = "sequences" if "fasta" in self.arguments else "sites"
        return [f"negatives of each of {some_of(classes)}: the {what} of the others too"]

    def _windows(self, kept: Sequence[str]) -> GenomicDataModule:
        from zoo.data.genome_split import SplitRules
        from zoo.data.windowed import WindowDataModule

        output: Any = self.model.output
        arguments: dict[str, Any] = {**self.arguments, **self.common, "length": self.model.length}
        arguments |= {"crop": output.crop // output.bin_size, "reverse_complement": False}
        arguments["blacklist"] = [self.options.blacklist] if self.options.blacklist else None
        if self.choice.kind == "tracks":
            from zoo.evaluation.on_genome import EvaluatedTracks as Module

            arguments |= {"bin_size": output.bin_size, "kept": list(kept)}
        else:
            from zoo.data.contacts.maps import MapRules
            from zoo.data.contacts.module import ContactDataModule as Module  # type: ignore[assignment]

            arguments["coolers"] = {name: uri for name, uri in arguments["coolers"].items() if name in kept}
            smooth = {} if self.options.smooth is None else {"smooth": self.options.smooth}
            rules = MapRules(**{**self.options.maps, **smooth})
            arguments |= {"diagonal": output.diagonal, "maps": rules}
            self.notes.append(f"measured maps: contacts over those expected in them, Gaussian of {rules.smooth:g} bins")
            arguments["expected"] = "all"
        chosen = self.options.contigs
        contigs = None if chosen is None else SplitRules(val=[], test=list(chosen)).contigs
        every: WindowDataModule = Module(**arguments, contigs=contigs)
        common, _ = every.common_contigs()
        test = list(common) if chosen is None else list(chosen)
        return Module(**arguments, contigs=list(common), split=SplitRules(val=[], test=test))


def _split(split: str | None) -> Split:
    for name in SPLITS:
        if name == (split or "test"):
            return name
    raise ConfigError(f"--split is {', '.join(SPLITS)} or all, not {split!r}")


def _refuse_split(split: str | None) -> None:
    """Refuse to choose a split of data that have none."""
    if split not in (None, "all"):
        raise ConfigError(f"--split {split} is for data that have splits: these files have none")


def _split_note(split: str | None, where: str) -> str:
    return f"evaluated are the data that {where} calls {_split(split)} (--split all: all of them)"
