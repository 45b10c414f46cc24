"""Files made to exhaust the memory or time of who reads them, in the formats that users give."""

import gzip
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

__all__ = ["Bomb", "bombs", "write_bigwig", "write_cooler"]

# What, the reader of `made.users_files`, and a function that writes it to a path.
Bomb = tuple[str, str, Callable[[Path], object]]

_TEXTS = ("sequences", "genome", "BED", "peaks", "contigs", "fai", "MEME", "expected", "tracks", "peak table")
_MEGABYTE = 1 << 20


def _sparse(path: Path, size: int, head: bytes = b"") -> None:
    """A file of NUL bytes that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


def _repeated(path: Path, block: bytes, size: int, head: bytes = b"", zipped: bool = True) -> None:
    """A file of one block again and again; gzipped, it takes a thousandth."""
    squeeze: Callable[[bytes], bytes] = gzip.compress if zipped else bytes
    member = squeeze(block)  # an archive may have any number of members
    with path.open("wb") as file:
        file.write(squeeze(head))
        for _ in range(size // len(block)):
            file.write(member)


def _texts(size: int) -> Iterator[Bomb]:
    heads = {"genome": b">a\n", "tracks": b"name\tpath\n", "peak table": b"chrom\tstart\tend\tsplit\tt\n"}
    for kind in _TEXTS:
        head = heads.get(kind, b"")
        # A genome is mapped, which a bound of addresses counts as memory.
        most = min(size, 330_000_000) if kind == "genome" else size
        yield f"{most:,} NUL bytes as {kind}", kind, lambda path, h=head, n=most: _sparse(path, n, h)  # type: ignore[misc]
        if kind != "genome":
            yield (
                f"{size:,} letters without a line break as {kind}, gzipped",
                kind,
                lambda path, h=head: _repeated(path, b"A" * _MEGABYTE, size, h),  # type: ignore[misc]
            )
    yield (
        "letters without a line break as sequences",
        "sequences",
        lambda path: _repeated(path, b"ACGT" * (_MEGABYTE // 4), size, zipped=False),
    )
    yield "UTF-16", "BED", lambda path: _repeated(path, b"\0A" * _MEGABYTE, size, b"\xfe\xff")
    yield "bytes that are not UTF-8", "peaks", lambda path: _repeated(path, b"\xff\n" * 9_999, 100_000_000)


def _archives(size: int) -> Iterator[Bomb]:
    record = b"A" * 60 + b"\n"
    yield "one record of many lines", "sequences", lambda path: _repeated(path, record * 9_999, size, b">a\n")
    header = b"name\tsequence\na\t"
    yield "one cell without an end", "sequences", lambda path: _repeated(path, b"A" * _MEGABYTE, size, header)
    yield (
        "one quoted cell without an end",
        "sequences",
        lambda path: _repeated(path, record * 9_999, size, header + b'"'),
    )
    lines = b"chr1\t1\t2\n" * 99_999
    yield "peaks without an end", "peaks", lambda path: _repeated(path, lines, size)
    yield "motifs without an end", "MEME", lambda path: _repeated(path, b"MOTIF a\n" * 99_999, size)
    yield "contigs without an end", "contigs", lambda path: _repeated(path, b"#chr1\t1\n" * 99_999, size)


def _numbers() -> Iterator[Bomb]:
    expected = b"dist\tn_valid\tbalanced.avg\n%d\t1\t1\n"
    yield "a distance of a trillion bins", "expected", lambda path: path.write_bytes(expected % 10**12)
    yield "a distance of a billion bins", "expected", lambda path: path.write_bytes(expected % 10**9)
    yield "a contig of 10^17 bases", "contigs", lambda path: path.write_bytes(b"chr1\t%d\n" % 10**17)
    matrix = b"MOTIF a\nletter-probability matrix: w= 1000000000\n 1 0 0 0\n"
    yield "a motif of a billion positions", "MEME", lambda path: path.write_bytes(matrix)


def write_bigwig(path: Path) -> None:
    """A small bigWig of two contigs."""
    import pyBigWig

    file = pyBigWig.open(str(path), "w")
    file.addHeader([("chr1", 100_000), ("chr2", 50_000)])
    values = np.random.default_rng(0).random(3_000)
    file.addEntries("chr1", 0, values=values.tolist(), span=10, step=10)
    file.addEntries(["chr2", "chr2"], [5, 100], ends=[50, 120], values=[1.5, 2.5])
    file.close()


def _patched(path: Path, changes: Callable[[bytearray], None]) -> None:
    write_bigwig(path)
    content = bytearray(path.read_bytes())
    changes(content)
    path.write_bytes(content)


def _bigwigs() -> Iterator[Bomb]:
    def put(form: str, place: int, *values: int, table: int | None = None) -> Callable[[Path], None]:
        """Write numbers at a byte of the file, or of a table whose place stands at another byte."""

        def change(content: bytearray) -> None:
            first = 0 if table is None else int.from_bytes(content[table : table + 8], "little")
            struct.pack_into(form, content, first + place, *values)

        return lambda path: _patched(path, change)

    contigs, index = 8, 24  # bytes of the header that hold the places of the tables
    yield "a bigWig whose blocks unpack to 4 GB", "bigWig", put("<I", 52, 2**32 - 1)
    yield "a bigWig of 65,535 zoom levels", "bigWig", put("<H", 6, 65_535)
    yield "a bigWig of 2^60 contigs", "bigWig", put("<Q", 16, 2**60, table=contigs)
    yield "a bigWig of names of 4 GB", "bigWig", put("<I", 8, 2**32 - 1, table=contigs)
    yield "a bigWig of 65,535 contigs in a node", "bigWig", put("<H", 34, 65_535, table=contigs)
    yield "a bigWig whose index has 65,535 blocks", "bigWig", put("<H", 50, 65_535, table=index)
    yield "a bigWig with a block of 2^60 bytes", "bigWig", put("<Q", 76, 2**60, table=index)
    yield "a bigWig whose index leads to itself", "bigWig", lambda path: _patched(path, _to_itself)
    yield "a bigWig of 2,000 leaves that lie over one another", "bigWig", lambda path: _patched(path, _over_one_another)


def _to_itself(content: bytearray) -> None:
    root = int.from_bytes(content[24:32], "little") + 48
    struct.pack_into("<BBH4IQ", content, root, 0, 0, 1, 0, 0, 0, 9, root)


def _over_one_another(content: bytearray) -> None:
    """An index at the end of the file: each leaf begins a byte after another, and has 65,535 blocks."""
    end, leaves = bytes(content[-4:]), 2_000
    index = len(content)
    struct.pack_into("<Q", content, 24, index)
    content += struct.pack("<2IQ4IQ2I2BH", 0x2468ACE0, 256, leaves, 0, 0, 0, 0, 0, 1, 0, 0, 0, leaves)
    first = len(content) + 24 * leaves
    content += b"".join(struct.pack("<4IQ", 0, 0, 0, 1_000, first + leaf) for leaf in range(leaves))
    content += b"\xff" * (leaves + 4 + 65_535 * 32) + end


def write_cooler(path: Path) -> None:
    """A small cooler of two contigs."""
    import cooler
    import pandas as pd

    sizes = {"chr1": 80, "chr2": 40}
    starts = [(name, np.arange(bins) * 1_000) for name, bins in sizes.items()]
    bins = pd.concat([pd.DataFrame({"chrom": n, "start": s, "end": s + 1_000, "weight": 1.0}) for n, s in starts])
    one, other = np.triu_indices(120)
    pixels = pd.DataFrame({"bin1_id": one, "bin2_id": other, "count": np.arange(len(one)) % 9 + 1})
    cooler.create_cooler(str(path), bins.reset_index(drop=True), pixels)


def _coolers() -> Iterator[Bomb]:
    import h5py

    def replace(name: str, size: int, **options: object) -> Callable[[Path], None]:
        def write(path: Path) -> None:
            write_cooler(path)
            with h5py.File(path, "r+") as file:
                kind = options.pop("dtype", file[name].dtype)
                del file[name]
                file.create_dataset(name, (size,), kind, **options)

        return write

    tables = ("bins/weight", "bins/start", "bins/end", "bins/chrom", "indexes/bin1_offset", "indexes/chrom_offset")
    for name in (*tables, "chroms/length", "pixels/count", "pixels/bin2_id"):
        yield f"a cooler whose {name} has 10^12 numbers", "cooler", replace(name, 10**12, chunks=(1_000,))
    yield "a cooler in pieces of 3 GB", "cooler", replace("bins/weight", 10**9, chunks=(4 * 10**8,))
    yield "a cooler of names of a gigabyte", "cooler", replace("chroms/name", 2, dtype="S1000000000", chunks=None)


def bombs(size: int) -> list[Bomb]:
    """All of them; `size` is that of those which may have any, in bytes once unpacked."""
    return [*_texts(size), *_archives(size), *_numbers(), *_bigwigs(), *_coolers()]
