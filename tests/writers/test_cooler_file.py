"""Coolers that are written are those that cooler writes of the same pixels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cooler
import h5py
import numpy as np
import pandas as pd
import pytest

from zoo.errors import OutputError
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


def test_very_many_contigs_have_no_list_of_names_at_their_bins(tmp_path: Path) -> None:
    contigs = {f"contig_{i:06}": 20 for i in range(5_000)}
    zeros = np.zeros(1, np.int64)
    write_cooler(tmp_path / "many.cool", contigs, 10, [Pixels(zeros, zeros, np.ones(1, np.float32))], {})
    read = cooler.Cooler(str(tmp_path / "many.cool"))
    assert read.bins()[9_998:]["chrom"].tolist() == ["contig_004999"] * 2
    assert read.chromsizes.to_dict() == contigs


def test_rows_out_of_order_are_refused(tmp_path: Path) -> None:
    some = list(pieces())
    with pytest.raises(OutputError, match="pixels of row 0 come after those of row 79"):
        write_cooler(tmp_path / "out.cool", CONTIGS, BIN, [some[0], some[1], some[0]], {})


def test_a_contig_too_long_for_the_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="contigs of 2,147,483,647 bases at most, not chr1"):
        write_cooler(tmp_path / "out.cool", {"chr1": 1 << 31}, 1 << 20, [], {})
    assert list(tmp_path.iterdir()) == []
