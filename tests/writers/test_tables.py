"""Tables in each format read back, by other libraries, as what was written; another ending is refused."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zoo.errors import ConfigError, InputError, MissingExtraError, OutputError
from zoo.inference.predictions import Predictions
from zoo.utils import extras
from zoo.writers.labels import LabelRows, write_labels
from zoo.writers.tables import table_format

NAMES = ["plain", 'a "quoted", name', "tab\tand\nline", "chr1:5-9(-)"]
CLEAN = [name.replace("\t", " ").replace("\n", " ") for name in NAMES]
VALUES = np.array([[0.123456789, -2.5], [1e-9, 1e7], [np.nan, 3.0], [0.0, 1.0]], np.float32)
COLUMNS: dict[str, list[Any]] = {
    "chrom": ["chr1", "1", "X", "HLA-A*01:01"],
    "start": [0, 5, 7, 2**31],
    "end": [9, 9, 9, 2**31 + 9],
}


def blocks() -> Iterator[LabelRows]:
    for part in (slice(0, 3), slice(3, 4)):
        columns = {name: cells[part] for name, cells in (COLUMNS | {"name": NAMES}).items()}
        yield LabelRows(NAMES[part], VALUES[part], columns)


@pytest.mark.parametrize("target", ["name", "chrom", "start", "end", "score"])
def test_a_target_that_would_hide_another_column_is_refused(target: str, tmp_path: Path) -> None:
    found = Predictions(["a"], (target,), np.ones((1, 1), np.float32), {"name": ["a"], "score": [1]})
    with pytest.raises(ConfigError, match=f"the target '{target}' has the name of another column"):
        found.to_dataframe()
    for ending in ("tsv", "parquet"):
        with pytest.raises(ConfigError, match=f"the target '{target}' has the name of another column"):
            found.write(tmp_path / f"out.{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".tsv", ".txt", "", ".csv", ".tsv.gz", ".csv.gz", ".CSV", ".parquet"])
def test_a_table_reads_back_as_it_was_written(ending: str, tmp_path: Path) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"out{ending}"
    assert write_labels(path, ["a,b", "c"], blocks(), {"model": "mine"}) == 4
    if ending == ".parquet":
        frame = pd.read_parquet(path)
        assert [str(dtype) for dtype in frame.dtypes[1:3]] == ["int64", "int64"]
    else:
        separator = "," if ".csv" in ending.lower() else "\t"
        quoting = csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE
        compression = "gzip" if ending.endswith(".gz") else None
        frame = pd.read_csv(path, sep=separator, quoting=quoting, compression=compression, dtype={"chrom": str})
    assert list(frame) == ["chrom", "start", "end", "name", "a,b", "c"]
    assert frame["name"].tolist() == (NAMES if ending == ".parquet" else CLEAN)
    assert {name: frame[name].tolist() for name in COLUMNS} == COLUMNS
    np.testing.assert_allclose(frame[["a,b", "c"]], VALUES, rtol=1e-6)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_parquet_holds_the_metadata(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_labels(tmp_path / "out.parquet", ["a", "b"], blocks(), {"model": "mine"})
    assert parquet.read_schema(tmp_path / "out.parquet").metadata[b"model"] == b"mine"


def test_the_same_table_is_the_same_gzip_file(tmp_path: Path) -> None:
    for name in ("one.tsv.gz", "two.tsv.gz"):
        write_labels(tmp_path / name, ["a", "b"], blocks())
    assert (tmp_path / "one.tsv.gz").read_bytes() == (tmp_path / "two.tsv.gz").read_bytes()
    write_labels(tmp_path / "plain.tsv", ["a", "b"], blocks())
    assert gzip.decompress((tmp_path / "one.tsv.gz").read_bytes()) == (tmp_path / "plain.tsv").read_bytes()


@pytest.mark.parametrize("name", ["out.xlsx", "out.npz", "out.bed", "out.parquet.gz", "out.xlsx.gz", "v1.2"])
def test_another_ending_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tables end in \.tsv, \.txt, \.csv .* or \.parquet"):
        write_labels(tmp_path / name, ["a", "b"], blocks())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.tsv", "out.csv.gz", "out.parquet"])
def test_an_error_in_the_middle_leaves_nothing(name: str, tmp_path: Path) -> None:
    if name == "out.parquet":
        pytest.importorskip("pyarrow")

    def broken() -> Iterator[LabelRows]:
        yield from blocks()
        raise InputError("the fifth record is broken")

    with pytest.raises(InputError, match="fifth"):
        write_labels(tmp_path / name, ["a", "b"], broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.csv.gz", "out.parquet"])
def test_a_folder_of_that_name_or_a_missing_one_is_refused(name: str, tmp_path: Path) -> None:
    if name == "out.parquet":
        pytest.importorskip("pyarrow")
    (tmp_path / name).mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        write_labels(tmp_path / name, ["a", "b"], blocks())
    with pytest.raises(OutputError, match="there is no folder"):
        write_labels(tmp_path / "none" / name, ["a", "b"], blocks())


def test_parquet_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"writing Parquet needs pyarrow: pip install 'regzoo\[parquet\]'"):
        table_format("out.parquet")


def test_a_data_frame_has_the_columns_of_the_file(tmp_path: Path) -> None:
    table = Predictions(CLEAN, ("a", "b"), VALUES, COLUMNS | {"name": CLEAN})
    table.write(tmp_path / "out.tsv")
    pd.testing.assert_frame_equal(
        table.to_dataframe(),
        pd.read_csv(tmp_path / "out.tsv", sep="\t", dtype={"a": np.float32, "b": np.float32, "chrom": str}, quoting=3),
        rtol=1e-5,
    )
    assert table.to_numpy() is VALUES
    assert repr(table) == (
        'Predictions(4 x 2: 4 sequences, plain, a "quoted", name, tab and line, ...; 2 targets, a, b)'
    )
