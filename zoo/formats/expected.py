"""Tables of expected contacts at each distance, as `cooltools expected-cis` writes them. D distances."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.errors import InputError, one_line
from zoo.formats.separators import refuse_semicolons
from zoo.utils.streams import UNREADABLE, WHOLE, describe_unreadable
from zoo.utils.text import check_file, open_text

__all__ = ["Expected", "read_expected"]

# The first of these columns that a table has is read.
_COLUMNS = ("balanced.avg", "count.avg")
_MOST_BINS = 20_000_000  # distances: two billion bases in bins of a hundred


@dataclass(frozen=True)
class Expected:
    """Expected contacts at each distance.

    Attributes:
        path: path of the table.
        values: mean contacts of two bins at a distance of 0, 1, 2, ... bins (D,), NaN where the table has none.
    """

    path: str
    values: NDArray[np.float64]

    def at(self, distance: NDArray[np.int64]) -> NDArray[np.float64]:
        """Look up expected contacts.

        Args:
            distance: distances in bins, of any shape.

        Returns:
            float64 of the same shape.

        Raises:
            InputError: the table has no value for one of the distances.
        """
        furthest = int(distance.max(initial=0))
        contacts = self.values[np.minimum(distance, len(self.values) - 1)]
        if furthest >= len(self.values) or np.isnan(contacts).any():
            raise InputError(f"{self.path}: no expected contacts for some distances up to {furthest} bins")
        return contacts


def read_expected(path: str) -> Expected:
    """Read a table of expected contacts. Several regions are averaged, weighted by their number of valid pairs.

    Args:
        path: TSV with the columns `dist`, `n_valid` and `balanced.avg` or `count.avg`, as `cooltools expected-cis`
            writes it (Open2C, doi:10.1371/journal.pcbi.1012067).

    Raises:
        InputError: a file that is missing or no such table.
    """
    check_file(path)
    try:
        with open_text(path, WHOLE) as file:
            table = pd.read_csv(file, sep="\t", comment="#")
    except UNREADABLE as error:
        reason = describe_unreadable(error, path)
        raise InputError(f"{path} cannot be read as a table of expected contacts ({reason})") from None
    except ValueError as error:
        raise InputError(f"{path} cannot be read as a table of expected contacts ({one_line(error)[:200]})") from None
    refuse_semicolons("\t".join(map(str, table)), path)
    column = next((name for name in _COLUMNS if name in table), None)
    if column is None or not {"dist", "n_valid"} <= set(table):
        raise InputError(
            f"{path} is no table of expected contacts: it has the columns {', '.join(map(str, table))[:200]}; needed "
            "are dist, n_valid and balanced.avg or count.avg, as `cooltools expected-cis` writes them"
        )
    try:
        distance = table["dist"].to_numpy(np.int64)
        pairs, mean = (table[name].to_numpy(np.float64) for name in ("n_valid", column))
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: a column holds something else than numbers ({one_line(error)[:200]})") from None
    valid = ~np.isnan(mean) & (pairs > 0) & (distance >= 0)
    if not valid.any():
        raise InputError(f"{path}: no expected contacts in it")
    distance, pairs, mean = distance[valid], pairs[valid], mean[valid]
    if distance.max() > _MOST_BINS:
        raise InputError(f"{path}: the distance of {distance.max():,} bins is longer than any chromosome")
    count = np.bincount(distance, pairs)
    total = np.bincount(distance, pairs * mean)
    return Expected(path, np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0))
