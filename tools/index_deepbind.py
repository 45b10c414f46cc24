"""Make `zoo/importers/deepbind_index.tsv`: the facts of the 927 published DeepBind models.

    python tools/index_deepbind.py FOLDER

FOLDER is a copy of the DeepBind repository, with the index of models in db/db.tsv and their parameters in db/params.
"""

import argparse
import ast
import csv
import hashlib
from pathlib import Path

from zoo.importers import deepbind

_COLUMNS = ("id", "protein", "type", "species", "family", "class", "experiment", "details", "bytes", "sha256")


def main(folder: Path) -> None:
    """Write the index: a row for each model that has a parameter file."""
    lines = [line for line in (folder / "db/db.tsv").read_text().splitlines() if not line.startswith("#")]
    rows = []
    for row in csv.DictReader(lines, delimiter="\t"):
        path = folder / "db/params" / f"{row['ID']}.txt"
        if path.is_file():
            rows.append(make_row(row, path.read_bytes()))
    target = Path(deepbind.__file__).with_name("deepbind_index.tsv")
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{target}: {len(rows)} models")


def make_row(row: dict[str, str], parameters: bytes) -> dict[str, str | int]:
    """Convert a row of db.tsv to one of the index, with size and sha256 of the model's parameter file."""
    details = row["Experiment Details"].strip()
    return {
        "id": row["ID"],
        "protein": row["Protein"],
        "type": row["Type"],
        "species": row["Species"].capitalize(),
        "family": row["Family"],
        "class": row["Class"],
        "experiment": row["Experiment"],
        "details": "; ".join(ast.literal_eval(details)) if details else "",
        "bytes": len(parameters),
        "sha256": hashlib.sha256(parameters).hexdigest(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the index of the published DeepBind models.")
    parser.add_argument("folder", type=Path, help="a copy of the DeepBind repository")
    main(parser.parse_args().folder)
