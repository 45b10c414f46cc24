"""Make `zoo/importers/deepbind_index.tsv`: the facts of the 927 published DeepBind models.

python benchmarks/index_deepbind.py FOLDER     # FOLDER: a copy of the repository, with db/db.tsv and db/params
"""

import ast
import csv
import hashlib
import sys
from pathlib import Path

from zoo.importers import deepbind

_COLUMNS = ("id", "protein", "type", "species", "family", "class", "experiment", "details", "bytes", "sha256")


def main(folder: Path) -> None:
    """Join the index of the repository with the sha256 of each parameter file."""
    lines = [line for line in (folder / "db/db.tsv").read_text().splitlines() if not line.startswith("#")]
    rows = []
    for row in csv.DictReader(lines, delimiter="\t"):
        path = folder / "db/params" / f"{row['ID']}.txt"
        if path.is_file():
            content = path.read_bytes()
            details = row["Experiment Details"].strip()
            rows.append(
                {
                    "id": row["ID"],
                    "protein": row["Protein"],
                    "type": row["Type"],
                    "species": row["Species"].capitalize(),
                    "family": row["Family"],
                    "class": row["Class"],
                    "experiment": row["Experiment"],
                    "details": "; ".join(ast.literal_eval(details)) if details else "",
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
            )
    target = Path(deepbind.__file__).with_name("deepbind_index.tsv")
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{target}: {len(rows)} models")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
