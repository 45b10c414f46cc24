"""Add to checkpoints what they were trained on, from the data of their recipes; weights and predictions stay.

    python tools/add_seen.py NAME [NAME ...]

Public data are fetched. `zoo verify` and `zoo evaluate` read the file; see `zoo.hub.seen`.
"""

import sys

from zoo.errors import ZooError
from zoo.evaluation.configured import data_of_recipe
from zoo.hub.folder import SEEN
from zoo.hub.load import resolve, verify
from zoo.hub.seen import add_seen, describe_seen

# Hashes of k-mers: 96 kB for each checkpoint, so that all that are shipped stay small.
_HASHES = 24_000


def main(names: list[str]) -> None:
    """Add the file to the checkpoints of these names."""
    for name in names:
        try:
            folder = resolve(name)
            data = data_of_recipe(folder, name)
            data.prepare_data()
            seen = describe_seen(data, _HASHES)
            if seen is None:
                sys.exit(f"{name}: its data do not say what is read")
            add_seen(folder, seen)
            print(f"{name}: {(folder / SEEN).stat().st_size:,} bytes, {verify(name).difference:.2g} off")
        except ZooError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
