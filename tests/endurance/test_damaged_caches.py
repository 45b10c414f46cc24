"""Damaged files in the cache: what is read of them is right, made anew or refused, and never another value."""

import os
import pickle
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.contacts import BIN
from made.disks import small_disk
from made.endurance import Fault, amount
from made.writers import make_writer_inputs

from zoo.data.contacts.bands import ContactBand
from zoo.data.contacts.expected_regions import Region
from zoo.data.contacts.maps import MapRules
from zoo.data.peaks.inputs import SiteInputs
from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.table import read_track_table
from zoo.data.windows import GenomeWindows
from zoo.errors import IntegrityError, OutputError
from zoo.formats.cooler import CoolerFile
from zoo.genome.fasta import Genome
from zoo.utils import records
from zoo.utils.cache import cached_arrays

TITLE = "file in the cache damaged"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_writer_inputs(folder)
    return folder


def arrays(_: Path) -> list[Any]:
    values = np.random.default_rng(6).random(4_000)
    return list(cached_arrays("kind", ["key"], lambda: {"x": values, "names": np.array(["a", "bc"])}).values())


def coverage(inputs: Path) -> list[Any]:
    genome = Genome(inputs / "genome.fa")
    made = Coverage(read_track_table(inputs / "inputs.tsv"), genome, genome.contigs, 2)
    first = np.array([0, 17, 20_000, 29_900])
    return [made.windows(first, 64), made.columns(first[:, None] + np.arange(64)), made.observed, made.facts()]


def band(inputs: Path) -> list[Any]:
    (cooler,) = (inputs / "maps").glob("*.cool")
    contigs, regions, masked = {"chr1": 200 * BIN}, [Region("chr1", 0, 200)], np.zeros(200, np.bool_)
    made = ContactBand(CoolerFile(str(cooler)), contigs, 150, 2, regions, masked, MapRules(), False)
    rows = np.arange(40)[None] + np.array([[0], [120]])
    return [made.pixels(rows, np.arange(40)), made.observed, made.expected]


def sites(inputs: Path) -> list[Any]:
    start = np.arange(0, 30_000, 500)
    windows = GenomeWindows(Genome(inputs / "genome.fa"), np.zeros(len(start), np.int64), start, 400)
    return [SiteInputs(str(inputs / "inputs.tsv"), windows, 1).read(np.array([0, 30, 59]), np.zeros(3, np.int64))]


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut off the end, replace it by zeros, change a byte, or put zeros into the middle."""
    at = int(rng.integers(len(content)))
    match rng.integers(4):
        case 0:
            return content[:at]
        case 1:
            return content[:at] + bytes(len(content) - at)
        case 2:
            return content[:at] + bytes([content[at] ^ int(rng.integers(1, 256))]) + content[at + 1 :]
    return content[:at] + bytes(len(content[at : at + 512])) + content[at + 512 :]


@pytest.mark.parametrize("maps", ["read whole", "read by block"])
@pytest.mark.parametrize("read", [arrays, coverage, band, sites])
def test_what_is_read_of_a_damaged_cache_is_right_or_refused(
    read: Callable[[Path], list[Any]],
    maps: str,
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[str], AbstractContextManager[Fault]],
) -> None:
    if maps == "read by block":
        monkeypatch.setattr(records, "_LARGE", 2_000)
    expected = pickle.dumps(read(inputs))
    files = [path for path in Path(os.environ["ZOO_CACHE"]).rglob("*") if path.is_file() and path.suffix != ".lock"]
    whole = {path: path.read_bytes() for path in files}
    rng = np.random.default_rng(len(files))
    with fault(TITLE) as counts:
        for trial in range(amount(6, 60)):
            path = files[trial % len(files)]
            path.write_bytes(damaged(whole[path], rng))
            refused = False
            try:
                is_right = pickle.dumps(read(inputs)) == expected
            except IntegrityError as error:
                refused = True
                is_right = str(path.name) in str(error) and "run the same command again" in str(error)
            if refused:  # the next run makes it anew
                is_right = is_right and pickle.dumps(read(inputs)) == expected
            counts.survived(f"{read.__name__}, {path.name}, trial {trial}", is_right, f"refused: {refused}")
            for other, content in whole.items():
                other.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("maps", ["read whole", "read by block"])
@pytest.mark.parametrize("read", [arrays, coverage, band, sites])
def test_a_damaged_cache_that_can_only_be_read_is_one_sentence(
    read: Callable[[Path], list[Any]], maps: str, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a cache that several people share."""
    if maps == "read by block":
        monkeypatch.setattr(records, "_LARGE", 2_000)
    with small_disk(tmp_path) as disk:
        if not disk.is_mounted:
            pytest.skip("needs a disk that can be mounted again")
        cache = disk.folder / "cache"
        monkeypatch.setenv("ZOO_CACHE", str(cache))
        expected = pickle.dumps(read(inputs))
        for path in [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]:
            content = bytearray(path.read_bytes())
            content[100 % len(content)] ^= 255
            path.write_bytes(content)
            with disk.read_only(), pytest.raises(OutputError) as error:
                read(inputs)
            place = re.escape(str(cache))
            sentence = (
                rf"{place}\S* is damaged.* and cannot be made anew there: the disk of {place}\S* can only be read:"
            )
            assert re.fullmatch(rf"{sentence} .* ZOO_CACHE to a folder that can be written.*", str(error.value))
            if IntegrityError in (type(found := attempt(read, inputs)), type(again := attempt(read, inputs))):
                assert "run the same command again" in str(found)
                found = again
            assert found == expected  # once it can be written


def attempt(read: Callable[[Path], list[Any]], inputs: Path) -> bytes | IntegrityError:
    try:
        return pickle.dumps(read(inputs))
    except IntegrityError as error:
        return error
