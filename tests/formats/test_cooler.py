"""Coolers of which a table, attribute or link is wrong are refused in one sentence; what the library writes is read."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cooler
import h5py
import numpy as np
import pandas as pd
import pytest
from made.bombs import write_cooler
from numpy.typing import NDArray

from zoo.errors import InputError
from zoo.formats import _cooler_check
from zoo.formats.cooler import CoolerFile

BINS = {"chr1": 80, "chr2": 40}  # of 1,000 bases, of `write_cooler`


@pytest.fixture
def made(tmp_path: Path) -> Path:
    write_cooler(tmp_path / "a.cool")
    return tmp_path / "a.cool"


def matrix(file: CoolerFile, name: str, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
    """Contacts within a contig: rows from `first` to `last`, and all columns from the diagonal on."""
    values = np.zeros((file.bins[name], file.bins[name]))
    for row, distance, contacts in file.pixels(name, first, last or file.bins[name], 10**6):
        values[row, row + distance] = contacts
    return values


def read(path: str) -> list[Any]:
    file = CoolerFile(path)
    return [
        file.contigs,
        file.bin_size,
        file.weights(False).tolist(),
        *(matrix(file, n).tolist() for n in file.contigs),
    ]


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read(str(path))
    said = str(error.value)
    assert str(path) in said and "\n" not in said
    return said


def test_contacts_are_those_that_were_written(made: Path) -> None:
    file = CoolerFile(str(made))
    assert (file.contigs, file.bin_size, file.first) == (
        {"chr1": 80_000, "chr2": 40_000},
        1_000,
        {"chr1": 0, "chr2": 80},
    )
    whole = np.zeros((120, 120))
    one, other = np.triu_indices(120)
    whole[one, other] = np.arange(len(one)) % 9 + 1
    np.testing.assert_array_equal(matrix(file, "chr1"), whole[:80, :80])
    np.testing.assert_array_equal(matrix(file, "chr2"), whole[80:, 80:])
    rows = np.where(np.arange(80)[:, None] // 10 == 3, whole[:80, :80], 0)
    np.testing.assert_array_equal(matrix(file, "chr1", 30, 40), rows)
    np.testing.assert_array_equal(matrix(file, "chr1", 40, 40), 0)


# What is wrong.


def set_rows(name: str, rows: Any, value: Any) -> Callable[[h5py.File], None]:
    """Change some rows of a table; `value` is a number, or a row whose value is copied."""

    def change(file: h5py.File) -> None:
        values = file[name][:]
        values[rows] = values[value[0]] if isinstance(value, list) else value
        file[name][...] = values

    return change


def replace(name: str, change: Callable[[NDArray[Any]], NDArray[Any]], **options: Any) -> Callable[[h5py.File], None]:
    def write(file: h5py.File) -> None:
        values = change(file[name][:])
        del file[name]
        file.create_dataset(name, data=values, **options)

    return write


def attribute(name: str, value: Any) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.__setitem__(name, value)


def never_written(name: str) -> Callable[[h5py.File], None]:
    """The second piece of a table was never written: HDF5 has zeros for it."""

    def write(file: h5py.File) -> None:
        values = file[name][:]
        del file[name]
        table = file.create_dataset(name, values.shape, values.dtype, chunks=(50,), compression="gzip", shuffle=True)
        table[:50], table[100:] = values[:50], values[100:]

    return write


def fewer_contigs(file: h5py.File) -> None:
    file["chroms/length"][1] = 39_000
    file["indexes/chrom_offset"][2] = 119


def no_values(file: h5py.File) -> None:
    del file["pixels/count"]
    file.create_dataset("pixels/count", (7_260,), "i4")


WRONG: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "contig before the first bin": (
        set_rows("indexes/chrom_offset", 1, -5),
        "not as many bins of 1,000 as their lengths",
    ),
    "contig of 10^14 bins": (set_rows("indexes/chrom_offset", 2, 10**14), "not as many bins of 1,000 as their lengths"),
    "another bin size": (attribute("bin-size", 500), "not as many bins of 500 as their lengths"),
    "no bin size": (attribute("bin-size", 0), "not as many bins of 0 as their lengths"),
    "another length": (set_rows("chroms/length", 1, 41_001), "not as many bins of 1,000 as their lengths"),
    "another start": (
        set_rows("bins/start", 81, 1_001),
        "bin 81 begins at base 1,001, which is no place of a bin of 1,000",
    ),
    "shifted starts": (set_rows("bins/start", slice(10, 80), [9]), "bin 10 begins at base 9,000"),
    "fewer bins": (replace("bins/start", lambda old: old[:-1]), "the columns of 'bins' are not of one length"),
    "fewer weights": (replace("bins/weight", lambda old: old[:-1]), "the columns of 'bins' are not of one length"),
    "fewer counts": (replace("pixels/count", lambda old: old[:-1]), "the columns of 'pixels' are not of one length"),
    "fewer bins in the index": (fewer_contigs, "120 bins, and 119 in its index of contigs"),
    "longer index": (
        replace("indexes/bin1_offset", lambda old: np.append(old, old[-1])),
        "its index 7,260 in 121 bins",
    ),
    "index cut off": (replace("indexes/bin1_offset", lambda old: old[:-1]), "7,260 pixels, and its index 7,259 in 119"),
    "flat index": (set_rows("indexes/bin1_offset", slice(3, None), [3]), "7,260 pixels, and its index 357 in 120 bins"),
    "index falls": (set_rows("indexes/bin1_offset", 5, 10**15), "index of pixels does not rise"),
    "index from 1": (set_rows("indexes/bin1_offset", 0, 1), "index of pixels does not rise"),
    "index below 0": (set_rows("indexes/bin1_offset", 0, -1), "index of pixels does not rise"),
    "flat in the middle": (set_rows("indexes/bin1_offset", slice(3, 60), [3]), "bins that are not its own"),
    "rows exchanged": (set_rows("pixels/bin1_id", 130, 0), "bins that are not its own"),
    "column before row": (set_rows("pixels/bin2_id", 130, 0), "bins that are not its own"),
    "column far before": (set_rows("pixels/bin2_id", 130, -(2**62)), "bins that are not its own"),
    "rows of fractions": (replace("pixels/bin1_id", lambda old: old + 0.4), "'pixels/bin1_id' are no whole numbers"),
    "index of fractions": (replace("indexes/bin1_offset", lambda old: old * 1.0), "are no whole numbers"),
    "table of two columns": (replace("bins/weight", lambda old: old.reshape(60, 2)), "'bins/weight' is no column"),
    "a piece is missing": (never_written("pixels/count"), "some values of 'pixels/count' are not in the file"),
    "a piece of bins": (never_written("bins/weight"), "some values of 'bins/weight' are not in the file"),
    "nothing was written": (no_values, "the values of 'pixels/count' are not in the file"),
    "attribute of two columns": (
        attribute("sum", np.zeros(1, "i4,f4")),
        "the attribute 'sum' of '/' is no number or text",
    ),
    "attribute of a reference": (
        lambda file: file["bins"].attrs.__setitem__("of", file["pixels"].ref),
        "the attribute 'of' of 'bins' is no number or text",
    ),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused(change: Callable[[h5py.File], None], words: str, made: Path) -> None:
    with h5py.File(made, "r+") as file:
        change(file)
    assert words in refused(made)


@pytest.mark.parametrize("like", [4, 60])
@pytest.mark.parametrize(("first", "last"), [(0, 80), (3, 50), (10, 20), (55, 60), (59, 80)])
def test_contacts_that_the_index_leaves_out_are_missed_by_whatever_rows_are_read(
    like: int, first: int, last: int, made: Path
) -> None:
    """The pixels of rows 4 to 59 seem to be those of the row before or after."""
    with h5py.File(made, "r+") as file:
        set_rows("indexes/bin1_offset", slice(4, 60), [like])(file)
    with pytest.raises(
        InputError, match=r"a\.cool is damaged: (its index of pixels does not fit|contacts of chr1 have)"
    ):
        matrix(CoolerFile(str(made)), "chr1", first, last)


@pytest.mark.parametrize(("field", "form", "value"), [(4, "<I", 1), (24, "<Q", 2**32 - 1)], ids=["packed", "place"])
def test_a_piece_that_is_elsewhere_or_unpacked_otherwise_is_refused(
    field: int, form: str, value: int, made: Path
) -> None:
    with h5py.File(made) as file:
        piece = file["pixels/count"].id.get_chunk_info(2)
    content = bytearray(made.read_bytes())
    key = struct.pack("<IIQQQ", piece.size, 0, piece.chunk_offset[0], 0, piece.byte_offset)  # in HDF5's index of pieces
    assert content.count(key) == 1
    struct.pack_into(form, content, content.index(key) + field, value)
    made.write_bytes(content)
    assert "'pixels/count' are not in the file, or cannot be unpacked" in refused(made)


@pytest.mark.parametrize(("place", "value"), [(8, 2), (-15, 1)], ids=["shuffle", "filters"])
def test_values_that_would_be_unpacked_otherwise_are_refused(place: int, value: int, made: Path) -> None:
    """HDF5 has, for each table, the number of its filters, and the bytes of a number for the filter `shuffle`."""
    with h5py.File(made) as file:
        header = h5py.h5o.get_info(file["pixels/count"].id).addr
    content = bytearray(made.read_bytes())
    content[content.index(b"shuffle\0\x04\0\0\0", header) + place] = value
    made.write_bytes(content)
    assert "'pixels/count' are not in the file, or cannot be unpacked" in refused(made)


# Links.


def other_file(made: Path, file: h5py.File, kind: str) -> None:
    other = str(made.parent / "other.h5")
    with h5py.File(other, "w") as written:
        written["x"] = file["pixels/count"][:]
    if kind == "group":
        file["elsewhere"] = h5py.ExternalLink(other, "/")
        del file["pixels/count"]
        file["pixels/count"] = h5py.SoftLink("/elsewhere/x")
        return
    del file["pixels/count"]
    if kind == "link":
        file["pixels/count"] = h5py.ExternalLink(other, "/x")
    elif kind == "bytes":
        file.create_dataset("pixels/count", (7_260,), "i4", external=[(other, 0, 4 * 7_260)])
    else:
        layout = h5py.VirtualLayout((7_260,), "i4")
        layout[:] = h5py.VirtualSource(other, "x", (7_260,))
        file.create_virtual_dataset("pixels/count", layout)


@pytest.mark.parametrize("kind", ["link", "group", "bytes", "virtual"])
def test_what_reads_another_file_is_refused(kind: str, made: Path) -> None:
    with h5py.File(made, "r+") as file:
        other_file(made, file, kind)
    name = "elsewhere" if kind == "group" else "pixels/count"
    assert f"{name!r} is a link to another file, which is not followed: copy the map itself (cooler cp)" in refused(
        made
    )


def test_links_within_the_file_are_followed(made: Path) -> None:
    cooler.fileops.cp(str(made), f"{made.parent}/b.mcool::resolutions/1000")
    cooler.fileops.ln(f"{made.parent}/b.mcool::resolutions/1000", f"{made.parent}/b.mcool::same", soft=True)
    assert read(f"{made.parent}/b.mcool::resolutions/1000") == read(str(made))
    with h5py.File(made, "r+") as file:
        file["count"] = file["pixels/count"][:]
        del file["pixels/count"]
        file["pixels/count"] = h5py.SoftLink("/count")
    assert read(str(made)) == read(f"{made.parent}/b.mcool::resolutions/1000")


# Bounds.


def test_more_bins_than_are_read_are_refused(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cooler_check, "_MOST_BINS", 120)
    read(str(made))
    monkeypatch.setattr(_cooler_check, "_MOST_BINS", 119)
    assert "bins or contigs; at most 119 are read" in refused(made)


def test_what_is_larger_than_the_memory_is_one_sentence(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(cooler.Cooler, "bins", none)
    assert "a.cool is larger than the memory that there is, or is damaged" in refused(made)


# What the library writes.


@pytest.mark.parametrize("kind", ["few", "none", "fractions", "zoomed", "merged"])
def test_what_cooler_writes_is_read(kind: str, tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), str(tmp_path / "a.cool")
    bins = cooler.binnify(pd.Series({"one": 95_500, "two": 700, "three": 40_000}), 1_000)
    one, other = np.triu_indices(len(bins))
    kept = np.flatnonzero(rng.random(len(one)) < (0.0 if kind == "none" else 0.3))
    counts = rng.random(len(kept)) if kind == "fractions" else rng.integers(1, 9, len(kept))
    pixels = pd.DataFrame({"bin1_id": one[kept], "bin2_id": other[kept], "count": counts})
    cooler.create_cooler(path, bins, pixels, dtypes={"count": counts.dtype})
    if kind == "merged":
        cooler.merge_coolers(str(tmp_path / "b.cool"), [path, path], mergebuf=20_000)
        path = str(tmp_path / "b.cool")
    elif kind == "zoomed":
        cooler.zoomify_cooler(path, str(tmp_path / "b.mcool"), [1_000, 5_000], chunksize=500)
        path = str(tmp_path / "b.mcool::resolutions/5000")
    file, opened = CoolerFile(path), cooler.Cooler(path)
    assert file.contigs == {"one": 95_500, "two": 700, "three": 40_000}
    for name in file.contigs:
        expected = np.triu(opened.matrix(balance=False).fetch(name))
        np.testing.assert_array_equal(matrix(file, name), expected)
