"""Coolers that are written are those that cooler writes of the same pixels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cooler
import h5py
import numpy as np
import pandas as pd
import pytest

from zoo.errors import ConfigError, OutputError
from zoo.writers.contacts import ContactRows, write_coolers
from zoo.writers.cooler_file import Pixels, write_cooler

CONTIGS, BIN = {"chr2": 1_995, "chrLong": 1_000, "tiny": 3}, 10
COUNT = 200 + 100 + 1


def pieces() -> Iterator[Pixels]:
    rng = np.random.default_rng(0)
    for first in range(0, COUNT, 40):
        row = np.repeat(np.arange(first, min(first + 40, COUNT - 20)), 20)
        yield Pixels(row, row + np.tile(np.arange(20), len(row) // 20), rng.random(len(row), dtype=np.float32))


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    """The file of cooler, and ours."""
    bins = cooler.binnify(pd.Series(CONTIGS), BIN)
    bins["weight"] = 1.0
    frames = (pd.DataFrame({"bin1_id": p.row, "bin2_id": p.column, "count": p.value}) for p in pieces())
    options: dict[str, Any] = {"dtypes": {"count": np.float32}, "ordered": True, "metadata": {"a": [1]}}
    cooler.create_cooler(str(tmp_path / "theirs.cool"), bins, frames, **options)
    write_cooler(tmp_path / "ours.cool", CONTIGS, BIN, pieces(), {"a": [1]})
    return tmp_path / "theirs.cool", tmp_path / "ours.cool"


def test_tables_and_matrices_are_the_same(both: tuple[Path, Path]) -> None:
    theirs, ours = (cooler.Cooler(str(path)) for path in both)
    for table in ("chroms", "bins", "pixels"):
        pd.testing.assert_frame_equal(getattr(theirs, table)()[:], getattr(ours, table)()[:])
    for balance in (False, True):
        for region in (("chr2:100-700", "chr2"), ("chrLong",), ("chr2", "chrLong"), ("tiny",)):
            matrices = [one.matrix(balance=balance).fetch(*region) for one in (theirs, ours)]
            np.testing.assert_array_equal(*matrices)
    assert cooler.fileops.is_cooler(str(both[1]))
    own = {"creation-date", "generated-by", "sum"}
    assert {k: v for k, v in ours.info.items() if k not in own} == {
        k: v for k, v in theirs.info.items() if k not in own
    }
    np.testing.assert_allclose(ours.info["sum"], theirs.info["sum"], rtol=1e-5)


def test_a_file_has_the_same_bytes_whenever_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("a", None), ("b", None), ("c", "86400"), ("d", "86400")):
        if seconds:
            monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
        write_cooler(tmp_path / name, CONTIGS, BIN, pieces(), {"a": [1]})
    a, b, c, d = ((tmp_path / name).read_bytes() for name in "abcd")
    assert a == b != c == d
    assert "creation-date" not in cooler.Cooler(str(tmp_path / "a")).info
    assert cooler.Cooler(str(tmp_path / "c")).info["creation-date"] == "1970-01-02T00:00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ConfigError, match="SOURCE_DATE_EPOCH is a number of seconds since 1970, not 'yesterday'"):
        write_cooler(tmp_path / "e", CONTIGS, BIN, pieces(), {})
    assert not (tmp_path / "e").exists()


def test_the_layout_is_the_same(both: tuple[Path, Path]) -> None:
    layouts = []
    for path in both:
        layout: dict[str, Any] = {}
        with h5py.File(path) as file:
            file.visititems(
                lambda name, one, layout=layout: layout.__setitem__(
                    name, (one.dtype, h5py.check_enum_dtype(one.dtype), one.shape) if hasattr(one, "dtype") else None
                )
            )
        layouts.append(layout)
    assert layouts[0] == layouts[1]


@pytest.mark.parametrize(("count", "letters"), [(3_500, 20), (1_000, 200), (300, 250), (10, 13)])
def test_many_contigs_and_long_names_are_read_back_by_cooler(count: int, letters: int, tmp_path: Path) -> None:
    """Where a header of HDF5 cannot hold the names, bins refer to the table of contigs."""
    contigs = {f"{i:06}".ljust(letters, "c"): 20 + 10 * (i % 3) for i in range(count)}
    row = np.array([0, 2, count])
    column = np.array([1, 2, count + 5])
    write_cooler(tmp_path / "many.cool", contigs, 10, [Pixels(row, column, np.ones(3, np.float32))], {})
    read = cooler.Cooler(str(tmp_path / "many.cool"))
    assert read.chromnames == list(contigs)
    assert read.chromsizes.to_dict() == contigs
    bins = cooler.binnify(pd.Series(contigs), 10)
    found = read.bins()[:]
    assert found["chrom"].tolist() == bins["chrom"].tolist()
    assert found["end"].tolist() == bins["end"].tolist()
    name = list(contigs)[1]
    assert read.matrix(balance=False).fetch(name).sum() == 1
    frame = pd.DataFrame({"bin1_id": row, "bin2_id": column, "count": np.ones(3, np.float32)})
    cooler.create_cooler(str(tmp_path / "theirs.cool"), bins, frame, dtypes={"count": np.float32}, ordered=True)
    layouts = []
    for path in ("many.cool", "theirs.cool"):
        with h5py.File(tmp_path / path) as file:
            column_of_names = file["bins/chrom"]
            layouts.append((h5py.check_enum_dtype(column_of_names.dtype), dict(column_of_names.attrs)))
    assert layouts[0] == layouts[1]
    assert layouts[0][1] == ({} if count == 10 else {"enum_path": "/chroms/name"})


def test_rows_out_of_order_are_refused(tmp_path: Path) -> None:
    some = list(pieces())
    with pytest.raises(OutputError, match="pixels of row 0 come after those of row 79"):
        write_cooler(tmp_path / "out.cool", CONTIGS, BIN, [some[0], some[1], some[0]], {})


def test_a_contig_too_long_for_the_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="contigs of 2,147,483,647 bases at most, not chr1"):
        write_cooler(tmp_path / "out.cool", {"chr1": 1 << 31}, 1 << 20, [], {})
    assert list(tmp_path.iterdir()) == []


def test_a_contig_whose_name_cooler_could_not_read_is_refused_before_anything_is_predicted(tmp_path: Path) -> None:
    def rows() -> Iterator[ContactRows]:
        pytest.fail("it was predicted")
        yield  # pragma: no cover

    for path in (tmp_path / "out.cool", tmp_path / "maps"):
        with pytest.raises(
            OutputError, match=r"of ASCII letters, and 'chr\u00e9' is not: rename it in the FASTA, or"
        ) as error:
            write_coolers(path, ["a"], {"chr1": 40_000, "chr\u00e9": 900}, rows())
        assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
