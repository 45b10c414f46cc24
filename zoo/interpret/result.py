"""Mutants of several sequences: as arrays, a data frame or a table, a row for each mutant.

Shapes: N sequences, L bases, P positions that were mutated, T targets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.genome.sequence import ALPHABET, decode
from zoo.interpret.effects import Effects
from zoo.interpret.mutagenesis import SequenceMutants
from zoo.utils.atomic import whole_path
from zoo.utils.extras import missing_extra
from zoo.utils.paths import check_folder_of
from zoo.utils.text import counted, some_of
from zoo.writers.labels import check_columns
from zoo.writers.tables import open_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Mutagenesis", "NamedMutants", "write_mutants"]

_COLUMNS = ("mutant", "position", "ref", "alt")
_ABSOLUTE = " (absolute)"


class NamedMutants(NamedTuple):
    """Mutants of a sequence, and what a table calls it.

    Attributes:
        name: name of the sequence.
        columns: columns of a table before those of the mutants: the name, or the coordinates of a site.
        mutants: the mutants.
    """

    name: str
    columns: Mapping[str, object]
    mutants: SequenceMutants


@dataclass(frozen=True, repr=False)
class Mutagenesis:
    """Mutants of sequences.

    Attributes:
        targets: names of the targets (T).
        sequences: the sequences, in their order.
        notes: sentences on what was cut or padded, and why.
    """

    targets: tuple[str, ...]
    sequences: Sequence[NamedMutants]
    notes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, index: int) -> SequenceMutants:
        """The mutants of one sequence."""
        return self.sequences[index].mutants

    def __repr__(self) -> str:
        names = some_of([one.name for one in self.sequences], 3) if self.sequences else "none"
        targets = f"{counted(len(self.targets), 'target')}, {some_of(self.targets, 3)}"
        return f"Mutagenesis({counted(len(self), 'sequence')}, {names}; {targets})"

    def to_dataframe(self) -> "pd.DataFrame":
        """A pandas.DataFrame with the rows that `write` writes.

        Raises:
            MissingExtraError: pandas is not installed.
            ConfigError: a target that has the name of another column.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            raise missing_extra(error) or error from None

        if self.sequences:
            check_columns(_rows(self.sequences[0])[0], self.targets)
        frames = [
            pd.DataFrame({**columns, **dict(zip(self._names, values.T, strict=True))})
            for columns, values in map(_rows, self.sequences)
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=self._names)

    def write(self, path: str | Path) -> None:
        """Write all mutants; see `write_mutants`."""
        write_mutants(path, self.targets, self.sequences)

    @property
    def _names(self) -> list[str]:
        has_sums = bool(self.sequences) and self.sequences[0].mutants.reference.absolute is not None
        return _value_columns(self.targets, has_sums)


def write_mutants(path: str | Path, targets: Sequence[str], sequences: Iterable[NamedMutants]) -> int:
    """Write mutants as they come; the file appears whole or not at all.

    A table has the name or coordinates of the sequence, then `mutant` (reference, substitution, deletion or tile), the
    first `position` that it changes, counted from 0, its bases there (`ref`, `alt`; `-` for a deleted one), and a
    column for each target: the change of the prediction, in the row of the reference the prediction itself. Of tracks
    and contact maps these are sums over bins, and a second column has the sum of absolute changes. Arrays (.npz) are
    `targets`, `names`, `sequences`, `start`, `reference`, `substitutions` and, where they were asked for, `deletions`
    and `tiles`, the sequences on the first axis; with `_absolute` those of sums.

    Args:
        path: ends in .tsv or .csv (also .gz), .parquet or .npz; `-` is standard output.
        targets: names of the targets.
        sequences: the sequences; for .npz all of one length.

    Returns:
        The number of sequences.

    Raises:
        ConfigError: another ending, sequences of several lengths for .npz, or a target named as another column.
        OutputError: no such folder, or a full disk; nothing is left behind.
    """
    if str(path).endswith(".npz"):
        return _write_arrays(Path(path), targets, list(sequences))
    count = 0
    stream = iter(sequences)
    with open_table(path) as table:
        # Before the header, so that bad input leaves standard output empty.
        for one in chain(islice(stream, 1), stream):
            columns, values = _rows(one)
            if not count:
                check_columns(columns, targets)
            table.write(columns, _value_columns(targets, one.mutants.reference.absolute is not None), values)
            count += 1
        if not count:
            table.write(dict.fromkeys(("name", *_COLUMNS), ()), targets, np.empty((0, len(targets)), np.float32))
    return count


def _value_columns(targets: Sequence[str], has_sums: bool) -> list[str]:
    return [*targets, *(f"{target}{_ABSOLUTE}" for target in targets)] if has_sums else list(targets)


def _rows(one: NamedMutants) -> tuple[dict[str, Sequence[object]], NDArray[np.float32]]:
    """Columns and values of the rows of one sequence."""
    mutants, letters = one.mutants, decode(one.mutants.codes)
    rows: list[tuple[str, int, str, str]] = [("reference", mutants.start, "", "")]
    values = [_values(mutants.reference)[None]]
    positions = range(mutants.start, mutants.start + len(mutants.substitutions.change))
    other = [[base != letters[at] for base in ALPHABET] for at in positions]
    rows += [("substitution", at, letters[at], base) for at in positions for base in ALPHABET if base != letters[at]]
    values.append(_values(mutants.substitutions)[np.array(other, bool)])
    if mutants.deletions is not None:
        rows += [("deletion", at, letters[at], "-") for at in positions]
        values.append(_values(mutants.deletions))
    if mutants.tiles is not None:
        for at in positions[:: mutants.tile]:
            replaced = letters[at : min(at + mutants.tile, positions.stop)]
            rows.append(("tile", at, replaced, "N" * len(replaced) if mutants.fill == "N" else mutants.fill))
        values.append(_values(mutants.tiles))
    cells = dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    leading: dict[str, Sequence[object]] = {name: [cell] * len(rows) for name, cell in one.columns.items()}
    return {**leading, **cells}, np.concatenate(values)


def _values(effects: Effects) -> NDArray[np.float32]:
    """Effects (..., T), or changes and sums of absolute changes (..., 2 T)."""
    return effects.change if effects.absolute is None else np.concatenate([effects.change, effects.absolute], -1)


def _write_arrays(path: Path, targets: Sequence[str], sequences: list[NamedMutants]) -> int:
    check_folder_of(path)
    shapes = {(len(one.mutants.codes), one.mutants.substitutions.change.shape) for one in sequences}
    if len(shapes) > 1:
        raise ConfigError(f"{path}: arrays need sequences of one length: write a table (.tsv)")
    arrays: dict[str, Any] = {"targets": np.array(targets), "names": np.array([one.name for one in sequences])}
    if sequences:
        arrays["sequences"] = np.array([decode(one.mutants.codes) for one in sequences])
        arrays["start"] = np.array(sequences[0].mutants.start)
        arrays |= dict(_stacked([one.mutants for one in sequences]))
    with whole_path(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return len(sequences)


def _stacked(mutants: list[SequenceMutants]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Arrays of all sequences, by their names."""
    for name in ("reference", "substitutions", "deletions", "tiles"):
        effects = [getattr(one, name) for one in mutants]
        if effects[0] is None:
            continue
        yield name, np.stack([one.change for one in effects])
        if effects[0].absolute is not None:
            yield f"{name}_absolute", np.stack([one.absolute for one in effects])
