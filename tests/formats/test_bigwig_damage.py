"""bigWigs of which a table or a block is wrong: refused in one sentence, whatever part of them is read."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyBigWig
import pytest
from made.bigwigs import INTERVALS, POSITIONS, STEPS, Block, block, index_entry, write_blocks
from made.bombs import bombs

from zoo.errors import InputError
from zoo.formats.bigwig import BigWig
from zoo.formats.bigwig_writer import open_bigwig

LENGTH = 100_000
NAN = float("nan")


def read(path: Path, start: int = 0, end: int = LENGTH, contig: str = "a") -> list[float]:
    with BigWig(path) as file:
        return [float(value) for values in file.blocks(contig, start, end, 10) for value in values]


def refused(path: Path, start: int = 0, end: int = LENGTH) -> str:
    with pytest.raises(InputError) as error:
        read(path, start, end)
    said = str(error.value)
    assert str(path) in said and "\n" not in said and "fetch it again" in said
    return said


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A file of 25 blocks of 4,096 bases, the last of them shorter."""
    with open_bigwig(tmp_path / "whole.bw", {"a": LENGTH}) as file:
        file.add_bins("a", 0, np.arange(LENGTH, dtype=np.float32), 1)
    return (tmp_path / "whole.bw").read_bytes()


def patched(content: bytes, place: int, form: str, *values: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(form, changed, place, *values)
    return bytes(changed)


def copied(content: bytes, source: int, target: int) -> bytes:
    """The place and size of one block in the index stand for another block too."""
    one, other = index_entry(content, source) + 16, index_entry(content, target) + 16
    return content[:other] + content[one : one + 16] + content[other + 16 :]


INDEX_CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no index": (lambda old: patched(old, 24, "<Q", 0), "has values and no index of them"),
    "values far away": (lambda old: patched(old, 16, "<Q", 2**63 + 5), "tables are not where its header says"),
    "values after the file": (lambda old: patched(old, 16, "<Q", len(old)), "tables are not where its header says"),
    "values after their index": (lambda old: patched(old, 16, "<Q", len(old) - 12), "blocks that are not in the file"),
    "20 of 25 blocks": (lambda old: patched(old, index_entry(old, 0) - 2, "<H", 20), "its index lists 20 blocks"),
    "none": (lambda old: patched(old, index_entry(old, 0) - 2, "<H", 0), "its index lists 0 blocks"),
    "a block twice": (lambda old: copied(old, 0, 1), "blocks that are not in the file"),
    "a block before the others": (
        lambda old: patched(old, index_entry(old, 3) + 16, "<Q", 64),
        "blocks that are not in the file",
    ),
    "a block after the others": (
        lambda old: patched(old, index_entry(old, 3) + 16, "<Q", len(old) - 4),
        "blocks that are not in the file",
    ),
    "a block of 2^64 bytes": (
        lambda old: patched(old, index_entry(old, 3) + 24, "<Q", 2**64 - 1),
        "blocks that are not in the file",
    ),
    "end before start": (
        lambda old: patched(old, index_entry(old, 3) + 12, "<I", 5),
        "blocks that are not in the file",
    ),
    "another contig": (
        lambda old: patched(old, index_entry(old, 3), "<4I", 1, 12_288, 1, 16_384),
        "names contigs that it does not have",
    ),
    "to another contig": (
        lambda old: patched(old, index_entry(old, 3) + 8, "<I", 1),
        "names contigs that it does not have",
    ),
}


@pytest.mark.parametrize(("change", "words"), INDEX_CHANGES.values(), ids=INDEX_CHANGES)
def test_a_wrong_index_is_refused_when_the_file_is_opened(
    change: Callable[[bytes], bytes], words: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "a.bw").write_bytes(change(content))
    with pytest.raises(InputError, match=rf"a\.bw is damaged: .*{words}.*; fetch it again$"):
        BigWig(tmp_path / "a.bw")


def test_places_of_two_blocks_that_were_exchanged_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.bw").write_bytes(copied(copied(content, 5, 6), 0, 5))  # 0 and 5 name block 0, 6 names 5
    assert "blocks that are not in the file" in refused(tmp_path / "a.bw")
    one, other = index_entry(content, 5) + 16, index_entry(content, 6) + 16
    changed = bytearray(content)
    changed[one : one + 16], changed[other : other + 16] = content[other : other + 16], content[one : one + 16]
    (tmp_path / "a.bw").write_bytes(changed)
    assert "a block is not the one of the index" in refused(tmp_path / "a.bw")


@pytest.mark.parametrize(
    ("field", "value", "start", "end"),
    [(4, 8_292, 8_192, 8_200), (12, 12_188, 12_200, 12_288), (4, 4_090, 8_192, 8_200)],
)
def test_a_block_that_seems_to_end_early_or_begin_late_is_refused_wherever_it_is_missed(
    field: int, value: int, start: int, end: int, content: bytes, tmp_path: Path
) -> None:
    """Block 2 has the bases from 8,192 to 12,288."""
    (tmp_path / "a.bw").write_bytes(patched(content, index_entry(content, 2) + field, "<I", value))
    assert f"the values of a:{start}-{end} are damaged" in refused(tmp_path / "a.bw", start, end)
    assert "a block is not the one of the index" in refused(tmp_path / "a.bw")


def test_a_damaged_block_is_refused_and_nothing_else_is_printed(
    content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place, size = struct.unpack_from("<2Q", content, index_entry(content, 7) + 16)
    for changed in (patched(content, place + size // 2, "<Q", 0), patched(content, place + size - 4, "<I", 1)):
        (tmp_path / "a.bw").write_bytes(changed)
        assert "the values of a:0-100000 are damaged (a block cannot be unpacked)" in refused(tmp_path / "a.bw")
        assert read(tmp_path / "a.bw", 0, 8_000) == list(range(8_000))  # block 7 begins at 28,672
    assert capfd.readouterr() == ("", "")


def test_a_block_without_its_checksum_is_refused(content: bytes, tmp_path: Path) -> None:
    size = index_entry(content, 3) + 24
    (tmp_path / "a.bw").write_bytes(patched(content, size, "<Q", struct.unpack_from("<Q", content, size)[0] - 4))
    assert "a block is cut off" in refused(tmp_path / "a.bw")


def test_leaves_that_lie_over_one_another_are_not_collected(tmp_path: Path) -> None:
    (write,) = (write for what, _, write in bombs(0) if "over one another" in what)
    write(tmp_path / "a.bw")
    with pytest.raises(InputError, match="a table of it is longer than the file"):
        BigWig(tmp_path / "a.bw")


def test_any_block_of_a_file_of_many_is_checked(tmp_path: Path) -> None:
    blocks = [block(STEPS, [[first]], (first, first + 1), 1, 1) for first in range(20_005)]
    blocks[100] = block(STEPS, [[100]], (100, 101), 1, 1, count=65_535)
    write_blocks(tmp_path / "a.bw", {"a": LENGTH}, blocks)
    assert read(tmp_path / "a.bw", 102, 20_006) == pytest.approx([*range(102, 20_005), NAN], nan_ok=True)
    assert "more or fewer items than it says" in refused(tmp_path / "a.bw", 100, 110)


BLOCKS: dict[str, tuple[Block, str]] = {
    "too many": (block(STEPS, [[1], [2]], (0, 2), 1, 1, count=65_535), "more or fewer items"),
    "too few": (block(STEPS, [[1], [2]], (0, 2), 1, 1, count=1), "more or fewer items"),
    "short": ((0, 0, 2, bytes(9)), "shorter than its header"),
    "another contig": ((0, 0, 2, block(STEPS, [[1], [2]], (0, 2), 1, 1, contig=1)[3]), "not the one"),
    "another end": ((0, 0, 3, block(STEPS, [[1], [2]], (0, 2), 1, 1)[3]), "not the one"),
    "before": (block(INTERVALS, [[3, 9, 1]], (5, 9)), "items outside of its bases"),
    "after": (block(POSITIONS, [[3, 9]], (3, 5), span=3), "items outside of its bases"),
    "after its steps": (block(STEPS, [[1], [2]], (0, 19), 10, 10), "items outside of its bases"),
    "overlap": (block(INTERVALS, [[3, 9, 1], [8, 12, 1]], (3, 12)), "not sorted or overlap"),
    "turned": (block(INTERVALS, [[3, 9, 1], [12, 11, 1], [13, 14, 1]], (3, 14)), "not sorted or overlap"),
    "overlapping steps": (block(STEPS, [[1], [2]], (0, 25), 10, 15), "not sorted or overlap"),
    "no span": (block(STEPS, [[1], [2]], (0, 20), 0, 0), "items outside of its bases"),
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("made", "words"), BLOCKS.values(), ids=BLOCKS)
def test_a_wrong_block_is_refused(made: Block, words: str, packed: bool, tmp_path: Path) -> None:
    write_blocks(tmp_path / "a.bw", {"a": LENGTH, "b": 9}, [made], packed=packed)
    assert words in refused(tmp_path / "a.bw")


def test_an_unknown_kind_of_block_is_refused(tmp_path: Path) -> None:
    *ends, content = block(STEPS, [[1], [2]], (0, 2), 1, 1)
    write_blocks(tmp_path / "a.bw", {"a": LENGTH}, [(*ends, content[:20] + b"\4" + content[21:])])  # type: ignore[list-item]
    assert "more or fewer items" in refused(tmp_path / "a.bw")


def test_a_block_larger_than_the_header_says_is_not_unpacked(tmp_path: Path) -> None:
    made = block(STEPS, [[1.0]] * 60_000, (0, 60_000), 1, 1)
    write_blocks(tmp_path / "a.bw", {"a": LENGTH}, [made], room=4_096)
    assert "longer than the header says" in refused(tmp_path / "a.bw")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [True, False])
def test_all_kinds_of_blocks_in_both_orders_of_bytes_on_paper(order: str, packed: bool, tmp_path: Path) -> None:
    blocks = [
        block(INTERVALS, [[1, 3, 0.5], [3, 4, 1.5]], (1, 4), order=order),
        block(POSITIONS, [[5, 2.5], [8, 3.5]], (5, 10), span=2, order=order),
        block(STEPS, [[4.5], [5.5]], (10, 14), 2, 2, order=order),
        block(STEPS, [[6.5], [7.5]], (15, 19), 2, 1, order=order),
        block(INTERVALS, [], (19, 30), order=order),  # as pyBigWig writes now and then
        block(STEPS, [[8.5]], (19, 70_000), 0, 69_981, order=order),
        block(STEPS, [[9.5]], (0, 2), 2, 2, order=order, contig=1),
    ]
    write_blocks(tmp_path / "a.bw", {"a": LENGTH, "b": 3}, blocks, order, packed)
    expected = [NAN, 0.5, 0.5, 1.5, NAN, 2.5, 2.5, NAN, 3.5, 3.5, 4.5, 4.5, 5.5, 5.5, NAN, 6.5, NAN, 7.5, NAN]
    expected += [8.5] * (70_000 - 19) + [NAN] * 30_000
    np.testing.assert_array_equal(read(tmp_path / "a.bw"), expected)
    for start, end in ((2, 9), (11, 13), (60_000, 80_000), (0, 1), (12, 12_000)):
        np.testing.assert_array_equal(read(tmp_path / "a.bw", start, end), expected[start:end])
    np.testing.assert_array_equal(read(tmp_path / "a.bw", 0, 3, "b"), [9.5, 9.5, NAN])


@pytest.mark.parametrize("seed", range(6))
def test_whatever_pybigwig_writes_is_read_as_it_reads_it(seed: int, tmp_path: Path) -> None:
    rng, length = np.random.default_rng(seed), 400_000
    with pyBigWig.open(str(tmp_path / "a.bw"), "w") as file:
        file.addHeader([("a", length), ("b", length)])
        for name in "ab":
            place = int(rng.integers(0, 50))
            for _ in range(rng.integers(1, 9)):
                kind, count = rng.integers(0, 3), int(rng.integers(1, 6_000))
                values, span = rng.random(count).tolist(), int(rng.integers(1, 4))
                starts = place + np.cumsum(rng.integers(span, 9, count))
                ends = starts + rng.integers(1, span + 1, count)
                if kind == 0:
                    file.addEntries([name] * count, starts.tolist(), ends=ends.tolist(), values=values)
                elif kind == 1:
                    file.addEntries(name, starts.tolist(), values=values, span=span)
                else:
                    file.addEntries(name, place, values=values, span=span, step=span + int(rng.integers(0, 3)))
                place += 9 * count
    with pyBigWig.open(str(tmp_path / "a.bw")) as file:
        for name in "ab":
            np.testing.assert_array_equal(read(tmp_path / "a.bw", 0, length, name), file.values(name, 0, length))
            for start in rng.integers(0, 50_000, 20).tolist():
                expected = file.values(name, start, start + 100)
                np.testing.assert_array_equal(read(tmp_path / "a.bw", start, start + 100, name), expected)


@pytest.mark.parametrize(("contig", "start", "end"), [("c", 0, 1), ("a", 0, LENGTH + 1), ("a", 9, 5), ("a", -1, 5)])
def test_bases_that_it_does_not_have_are_refused(
    contig: str, start: int, end: int, content: bytes, tmp_path: Path
) -> None:
    with BigWig(tmp_path / "whole.bw") as file, pytest.raises(InputError, match=f"has no bases {contig}:{start}-{end}"):
        list(file.blocks(contig, start, end, 1))


@pytest.mark.parametrize(
    ("name", "words"), [(b"\xff\xfe", "names that are no text"), (b"b", "two contigs of one name")]
)
def test_names_of_contigs_that_are_none_are_refused(name: bytes, words: str, tmp_path: Path) -> None:
    write_blocks(tmp_path / "a.bw", {"aa": 9, "b": 9}, [])
    content = (tmp_path / "a.bw").read_bytes()
    (tmp_path / "a.bw").write_bytes(content.replace(b"aa", name.ljust(2, b"\0"), 1))
    with pytest.raises(InputError, match=rf"is damaged: .*{words}"):
        BigWig(tmp_path / "a.bw")


def test_runs_that_overlap_are_refused_wherever_they_are_read(tmp_path: Path) -> None:
    runs = [block(STEPS, [[value]] * 10, (start, start + 10), 1, 1) for value, start in ((1, 0), (2, 5), (3, 30))]
    write_blocks(tmp_path / "a.bw", {"a": 100}, runs)
    for start, end in ((0, 100), (0, 10), (10, 20)):
        assert "blocks that overlap" in refused(tmp_path / "a.bw", start, end)


def test_a_file_that_was_closed_is_not_read(tmp_path: Path, content: bytes) -> None:
    with BigWig(tmp_path / "whole.bw") as file:
        assert next(file.blocks("a", 0, 10, 10)).tolist() == list(range(10))
    with (tmp_path / "other").open("wb"), pytest.raises(ValueError, match="closed file"):
        next(file.blocks("a", 0, 10, 10))
