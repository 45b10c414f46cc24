"""bigWig files written byte by byte, so that any part can be wrong (Kent 2010, doi:10.1093/bioinformatics/btq351)."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["INTERVALS", "POSITIONS", "STEPS", "Block", "block", "index_entry", "write_blocks"]

INTERVALS, POSITIONS, STEPS = 1, 2, 3
# Number of the contig, first base, base after the last, and the unpacked bytes.
Block = tuple[int, int, int, bytes]


def block(
    kind: int,
    items: Sequence[Sequence[float]],
    ends: tuple[int, int],
    step: int = 0,
    span: int = 1,
    order: str = "<",
    count: int | None = None,
    contig: int = 0,
) -> Block:
    """A block of values: intervals (start, end, value), positions (start, value) or steps (value)."""
    form = f"{order}{'I' * (3 - kind)}f"
    header = struct.pack(f"{order}5I2BH", contig, *ends, step, span, kind, 0, len(items) if count is None else count)
    return contig, *ends, header + b"".join(struct.pack(form, *item) for item in items)


def write_blocks(
    path: Path,
    contigs: Mapping[str, int],
    blocks: Sequence[Block],
    order: str = "<",
    packed: bool = True,
    room: int = 0,
) -> None:
    """Write a file of one leaf; `room` is the most bytes of an unpacked block that the header states."""
    key = max(map(len, contigs))
    table = struct.pack(f"{order}4I2Q2BH", 0x78CA8C91, len(contigs), key, 8, len(contigs), 0, 1, 0, len(contigs))
    for number, (name, length) in enumerate(contigs.items()):
        table += name.encode().ljust(key, b"\0") + struct.pack(f"{order}2I", number, length)
    data_at = 64 + len(table)
    data, entries = struct.pack(f"{order}Q", len(blocks)), b""
    for contig, start, end, content in blocks:
        stored = zlib.compress(content) if packed else content
        entries += struct.pack(f"{order}4I2Q", contig, start, contig, end, data_at + len(data), len(stored))
        data += stored
    index = struct.pack(f"{order}2IQ4IQ2I", 0x2468ACE0, 256, len(blocks), 0, 0, 0, 0, 0, 1, 0)
    index += struct.pack(f"{order}2BH", 1, 0, len(blocks)) + entries
    room = room or max([len(content) for *_, content in blocks], default=1)
    places = 64, data_at, data_at + len(data)
    head = struct.pack(f"{order}I2H3Q2H2QIQ", 0x888FFC26, 4, 0, *places, 0, 0, 0, 0, room if packed else 0, 0)
    path.write_bytes(head + table + data + index + head[:4])


def index_entry(content: bytes, number: int) -> int:
    """First byte of an entry of an index that is one leaf: contig, start, contig, end, place and size of a block."""
    return int.from_bytes(content[24:32], "little") + 48 + 4 + 32 * number
