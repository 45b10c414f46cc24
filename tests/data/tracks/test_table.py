"""The table of targets: what its cells mean, what is refused, and what its numbers make of values."""

from __future__ import annotations

import gzip
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zoo.data.tracks.table import Track, Transform, read_track_table, strand_pairs, write_track_table
from zoo.errors import InputError

# Every column, in another order than the attributes'.
FULL = """\
description\tname\tpath\tclip\tsoft_clip\tscale\tmissing\tstatistic\tstrand_partner\tunit
starts, + strand\tplus\ta.bw\t384\t32\t2\tmask\tsum\tminus\ttags
\t minus\tsub/b.bw \t\t 16.5 \t-1e0\t\t\tplus\t
\tdense\ta.bw\t\t\t\t\t\t\t
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in ("a.bw", "sub/b.bw"):
        (tmp_path / name).write_bytes(b"")  # the table's reader looks whether they are there, and no further
    return tmp_path


def table(folder: Path, text: str) -> Path:
    (folder / "targets.tsv").write_text(text)
    return folder / "targets.tsv"


def refused(folder: Path, text: str) -> str:
    path = table(folder, text)
    with pytest.raises(InputError) as error:
        read_track_table(path)
    said = str(error.value)
    assert str(path) in said
    assert "\n" not in said
    return said


def expected(folder: Path) -> list[Track]:
    first = Track(
        name="plus",
        path=str(folder / "a.bw"),
        strand_partner="minus",
        statistic="sum",
        missing="mask",
        scale=2.0,
        soft_clip=32.0,
        clip=384.0,
        unit="tags",
        description="starts, + strand",
    )
    second = Track("minus", str(folder / "sub" / "b.bw"), strand_partner="plus", scale=-1.0, soft_clip=16.5)
    return [first, second, Track("dense", str(folder / "a.bw"))]


# Reading and writing.


def test_every_column_is_read_and_an_empty_cell_is_the_default(folder: Path) -> None:
    found = read_track_table(table(folder, FULL))
    assert found == expected(folder)
    dense = found[2]
    assert (dense.statistic, dense.missing, dense.scale, dense.unit) == ("mean", "zero", 1, "coverage")
    assert (dense.soft_clip, dense.clip, dense.strand_partner, dense.description) == (math.inf, math.inf, "", "")


def test_name_and_path_are_enough(folder: Path) -> None:
    found = read_track_table(table(folder, "path\tname\na.bw\tone\n"))
    assert found == [Track("one", str(folder / "a.bw"))]


def test_empty_lines_are_passed_over(folder: Path) -> None:
    found = read_track_table(table(folder, "name\tpath\n\none\ta.bw\n\t\n\ntwo\ta.bw"))
    assert [track.name for track in found] == ["one", "two"]


def test_a_zipped_table_and_one_of_windows_are_read_alike(folder: Path) -> None:
    zipped = folder / "targets.tsv.gz"
    zipped.write_bytes(gzip.compress(FULL.encode()))
    assert read_track_table(zipped) == expected(folder)
    (folder / "windows.tsv").write_bytes(FULL.replace("\n", "\r\n").encode())
    assert read_track_table(folder / "windows.tsv") == expected(folder)


def test_paths_are_relative_to_the_tables_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(folder, "name\tpath\nrelative\tsub/b.bw\nwhole\t" + str(folder / "a.bw") + "\n")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    found = read_track_table("../targets.tsv")
    assert [Path(track.path).resolve() for track in found] == [folder / "sub" / "b.bw", folder / "a.bw"]


def test_what_is_written_is_read_back(folder: Path) -> None:
    odd = Track("odd name+", str(folder / "a.bw"), description='said "so"\tand, then', unit="log2 ratio", scale=1 / 3)
    tracks = [*expected(folder), odd]
    write_track_table(folder / "again.tsv", tracks)
    assert read_track_table(folder / "again.tsv") == tracks


def test_a_table_that_was_read_by_a_relative_path_can_be_written_into_its_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub" / "targets.tsv").write_text("name\tpath\none\tb.bw\n")
    monkeypatch.chdir(folder)
    tracks = read_track_table("sub/targets.tsv")
    write_track_table(Path("sub/again.tsv"), tracks)
    (found,) = read_track_table("sub/again.tsv")
    assert Path(found.path).samefile(folder / "sub" / "b.bw")


def test_what_is_written_leaves_defaults_out(folder: Path) -> None:
    tracks = [Track("one", str(folder / "a.bw")), Track("two", str(folder / "sub/b.bw"), clip=5.0)]
    write_track_table(folder / "again.tsv", tracks)
    assert (folder / "again.tsv").read_text() == (
        "name\tpath\tstrand_partner\tstatistic\tmissing\tscale\tsoft_clip\tclip\tunit\tdescription\n"
        "one\ta.bw\t\t\t\t\t\t\t\t\n"
        "two\tsub/b.bw\t\t\t\t\t\t5.0\t\t\n"
    )


def test_strand_partners_point_at_each_other_and_others_at_themselves() -> None:
    tracks = [Track("p", "", "m"), Track("alone", ""), Track("m", "", "p"), Track("q", "", "n"), Track("n", "", "q")]
    assert strand_pairs(tracks) == [2, 1, 0, 4, 3]
    assert strand_pairs([]) == []


# Refusals.

BAD_TABLES = {
    "nothing": ("", "its columns are none"),
    "no name": ("path\tclip\na.bw\t1\n", "its columns are path, clip; needed are name and path"),
    "no path": ("name\nx\n", "its columns are name; needed are name and path"),
    "unknown column": ("name\tpath\tcolour\nx\ta.bw\tred\n", "its columns are name, path, colour"),
    "a column twice": ("name\tpath\tname\nx\ta.bw\tx\n", "its columns are name, path, name"),
    "header alone": ("name\tpath\n", "no target in it"),
    "few cells": ("name\tpath\tclip\nx\ta.bw\t1\ny\ta.bw\n", "line 3: 2 cells under 3 columns"),
    "many cells": ("name\tpath\n\nx\ta.bw\t1\n", "line 3: 3 cells under 2 columns"),
    "no cell for the name": ("name\tpath\n \ta.bw\n", "line 2: the name is missing"),
    "no cell for the path": ("name\tpath\nx\t\n", "line 2: the path is missing"),
    "no such file": ("name\tpath\nx\ta.bw\ny\tnone.bw\n", "none.bw: no such file"),
    "a folder": ("name\tpath\nx\tsub\n", "sub: no such file"),
    "one name twice": ("name\tpath\nx\ta.bw\nx\tsub/b.bw\n", "two targets are named 'x'"),
    "partner absent": (
        "name\tpath\tstrand_partner\nx\ta.bw\tz\ny\ta.bw\t\n",
        "'z', the strand partner of 'x', is not among the targets",
    ),
    "partner has none": (
        "name\tpath\tstrand_partner\nx\ta.bw\ty\ny\ta.bw\t\n",
        "'y' is the strand partner of 'x', but its own is",
    ),
    "partner has another": (
        "name\tpath\tstrand_partner\nx\ta.bw\ty\ny\ta.bw\tz\nz\ta.bw\ty\n",
        "'y' is the strand partner of 'x', but its own is 'z'",
    ),
    "scale 0": ("name\tpath\tscale\nx\ta.bw\t0\n", "line 2: the scale '0' is not a number"),
    "scale nan": ("name\tpath\tscale\nx\ta.bw\tnan\n", "line 2: the scale 'nan' is not a number"),
    "scale text": ("name\tpath\tscale\nx\ta.bw\tone\n", "line 2: the scale 'one' is not a number"),
    "scale 1_000": ("name\tpath\tscale\nx\ta.bw\t1_000\n", "line 2: the scale '1_000' is not a number"),
    "scale 1e39": ("name\tpath\tscale\nx\ta.bw\t1e39\n", "line 2: the scale '1e39' is not a number"),
    "scale inf": ("name\tpath\tscale\nx\ta.bw\tinf\n", "line 2: the scale 'inf' is not a number"),
    "clip 0": ("name\tpath\tclip\nx\ta.bw\t0\n", "line 2: the clip '0' is not a number above 0"),
    "clip negative": ("name\tpath\tclip\nx\ta.bw\t-3\n", "line 2: the clip '-3' is not a number above 0"),
    "clip text": ("name\tpath\tclip\nx\ta.bw\t3,5\n", "line 2: the clip '3,5' is not a number above 0"),
    "soft clip negative": (
        "name\tpath\tsoft_clip\nx\ta.bw\t-1\n",
        "line 2: the soft_clip '-1' is not a number above 0",
    ),
    "statistic": ("name\tpath\tstatistic\nx\ta.bw\tmax\n", "line 2: the statistic 'max' is neither mean nor sum"),
    "missing": ("name\tpath\tmissing\nx\ta.bw\tdrop\n", "line 2: the missing 'drop' is neither zero nor mask"),
    "name with a slash": ("name\tpath\nx/y\ta.bw\n", "line 2: 'x/y' cannot name a target"),
    "name with a colon": ("name\tpath\nx:y\ta.bw\n", "line 2: 'x:y' cannot name a target"),
    "hidden name": ("name\tpath\n.x\ta.bw\n", "line 2: '.x' cannot name a target"),
}


@pytest.mark.parametrize(("text", "said"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_table_that_does_not_fit_is_refused(folder: Path, text: str, said: str) -> None:
    assert said in refused(folder, text)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_track_table(tmp_path / "none.tsv")


@pytest.mark.parametrize("data", [b"name\xff", gzip.compress(FULL.encode() * 99, mtime=0)[:-50]])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "targets.tsv").write_bytes(data)
    with pytest.raises(InputError, match=r"targets\.tsv cannot be read as a table of targets"):
        read_track_table(tmp_path / "targets.tsv")


# What is made of values.


def transformed(track: Track, *values: float) -> list[float]:
    found = Transform([track])(np.array([[values]], dtype=np.float32))
    assert found.dtype == np.float32
    row: list[float] = found[0, 0].tolist()
    return row


def test_scale_alone_multiplies() -> None:
    assert transformed(Track("a", "", scale=-2), 0, 1, -3, 0.25) == [0, -2, 6, -0.5]


def test_a_soft_clip_takes_a_root_of_the_excess() -> None:
    # 35 exceeds 32 by 3: 32 - 1 + sqrt(3 + 1) = 33; 131 by 99: 31 + 10 = 41.
    assert transformed(Track("a", "", soft_clip=32), 0, 31, 32, 35, 131) == [0, 31, 32, 33, 41]


def test_a_clip_cuts() -> None:
    assert transformed(Track("a", "", clip=4), -7, 0, 4, 4.5, 1e9) == [-7, 0, 4, 4, 4]


def test_scale_comes_first_then_the_soft_clip_then_the_clip() -> None:
    track = Track("a", "", scale=0.5, soft_clip=8, clip=10)
    # 16 -> 8; 22 -> 11 -> 8 - 1 + sqrt(3 + 1) = 9; 32 -> 16 -> 7 + 3 = 10; 46 -> 23 -> 7 + 4 = 11 -> 10.
    assert transformed(track, 14, 16, 22, 32, 46) == [7, 8, 9, 10, 10]


def test_nan_stays_nan() -> None:
    for track in (Track("a", "", scale=3), Track("a", "", soft_clip=1), Track("a", "", clip=1)):
        assert np.isnan(transformed(track, math.nan, 5)).tolist() == [True, False]


def test_what_lies_below_the_soft_clip_is_left_as_it_is() -> None:
    values = [1e-9, 0.1, 0.3, 7.7]
    assert transformed(Track("a", "", soft_clip=8), *values) == np.array(values, dtype=np.float32).tolist()


def test_each_target_has_its_own_numbers_and_the_array_is_not_changed() -> None:
    plain = Track("a", "")
    tracks = [plain, replace(plain, scale=10), replace(plain, soft_clip=2), replace(plain, clip=1)]
    values = np.tile(np.array([[0, 1, 5], [10, 2, 1]], dtype=np.float32), (4, 1, 1))
    before = values.copy()
    found = Transform(tracks)(values)
    np.testing.assert_allclose(found[0], [[0, 1, 5], [10, 2, 1]], rtol=1e-6)
    np.testing.assert_allclose(found[1], [[0, 10, 50], [100, 20, 10]], rtol=1e-6)
    np.testing.assert_allclose(found[2], [[0, 1, 3], [4, 2, 1]], rtol=1e-6)
    np.testing.assert_allclose(found[3], [[0, 1, 1], [1, 1, 1]], rtol=1e-6)
    np.testing.assert_array_equal(values, before)


def test_what_is_made_of_values_can_be_undone_but_for_the_clip() -> None:
    plain = Track("a", "")
    tracks = [plain, replace(plain, scale=-0.5), replace(plain, scale=2, soft_clip=8), replace(plain, clip=4)]
    values = np.tile(np.array([[0, 1, 5], [-3, 50, 1_000]], dtype=np.float32), (4, 1, 1))
    transform = Transform(tracks)
    found = transform.inverse(transform(values))
    np.testing.assert_allclose(found[:3], values[:3], rtol=1e-4)
    np.testing.assert_allclose(found[3], np.minimum(values[3], 4), rtol=1e-6)


def test_what_is_predicted_below_the_soft_clip_is_left_as_it_is() -> None:
    values = np.array([[[1e-9, 0.1, 0.3, 7.7]]], dtype=np.float32)
    for track in (Track("a", ""), Track("a", "", soft_clip=8)):
        assert Transform([track]).inverse(values).tolist() == values.tolist()
