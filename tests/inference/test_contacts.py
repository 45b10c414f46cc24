"""Maps predicted along a genome: pixel by pixel the mean of what the model gives, written as coolers, drawn; refusals.

What shall be predicted is computed window by window with `model.predict`, into dense matrices.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cooler
import numpy as np
import pandas as pd
import pyBigWig
import pytest
import torch
from made.contacts import bins_of
from numpy.typing import NDArray

import zoo.inference.contacts
import zoo.plots.contacts
from zoo.api import predict
from zoo.batch import InputSpec
from zoo.errors import ConfigError, InputError, OutputError
from zoo.formats.expected import read_expected
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode
from zoo.hub.checkpoint import save
from zoo.hub.facts import ModelFacts
from zoo.hub.targets import TargetRow
from zoo.inference.contacts import ContactPredictions, ContactPredictor
from zoo.models._base import SequenceModel
from zoo.models.akita import Akita
from zoo.models.mlp import MLP
from zoo.outputs import Contacts
from zoo.writers.contacts import COUNT_SCALE, LOG_SCALE, ContactRows, write_coolers

# Bins of 64 bases: 79, 20, 2 and 32; the last one of chr1, chr3 and chr4 is no whole one.
LENGTHS = {"chr1": 5_003, "chr2": 1_280, "chr3": 100, "chr4": 2_000}
# Windows of 20 bins, of which 16 are predicted.
BIN, BINS, CROP, DIAGONAL, LENGTH = 64, 16, 2, 2, 1_280
# The first bins of windows half of one apart: from the first with context to the last.
STARTS = {"chr1": [2, 10, 18, 26, 34, 42, 50, 58, 61], "chr2": [2], "chr4": [2, 10, 14]}
TARGETS = ("one", "two")
Run = Callable[..., tuple[int, str, str]]
Values = NDArray[np.float32]


def akita(**options: Any) -> Akita:
    """A small net with no parameter at zero."""
    trunk: dict[str, Any] = {"stem_filters": 6, "stem_width_bases": 7, "stem_pool": 4}
    trunk |= {"tower_filters": [6, 6], "tower_pools": [4, 4], "residual_filters": 4, "dilations": [1, 2]}
    pair_map: Any = {"reduced_filters": 6, "filters": 6, "residual_filters": 4, "dilations": [1, 2]}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Akita(TARGETS, LENGTH, trunk=trunk, pair_map=pair_map, crop_bins=CROP, **options)  # type: ignore[arg-type]
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


ENDS = "zoo: not predicted: 128 bases at each end of a contig, which windows read as context"


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Genome:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    sequences = {name: decode(rng.integers(0, 4, length).astype(np.uint8)) for name, length in LENGTHS.items()}
    path.write_text("".join(f">{name}\n{text}\n" for name, text in sequences.items()))
    return Genome(path)


@pytest.fixture(scope="module")
def model() -> Akita:
    return akita()


def bins(name: str) -> int:
    return -(-LENGTHS[name] // BIN)


InputValues = Callable[[str, int], Values]


def slow_maps(
    model: Akita, genome: Genome, name: str, starts: Iterable[int], input_values: InputValues | None = None
) -> NDArray[np.float64]:
    """The mean of windows that predict from these bins on: a contig's map (T, n, n), NaN where there is none."""
    total = np.zeros((len(model.output.targets), bins(name), bins(name)))
    count = np.zeros((bins(name), bins(name)))
    for start in starts:
        first = (start - CROP) * BIN
        codes = torch.from_numpy(genome.codes(Interval(name, first, first + LENGTH)).copy())[None]
        inputs = None if input_values is None else torch.from_numpy(input_values(name, first))[None]
        with torch.inference_mode():
            values = model.predict(codes, inputs)[0].numpy()
        for pixel, (row, column) in enumerate(zip(*np.triu_indices(BINS, DIAGONAL), strict=True)):
            for i, j in ((row + start, column + start), (column + start, row + start)):
                total[:, i, j] += values[:, pixel]
                count[i, j] += 1
    with np.errstate(invalid="ignore"):
        return total / count


def inside(maps: NDArray[np.float64], first: int, last: int) -> NDArray[np.float64]:
    """Of a contig's map what lies between bins."""
    return maps[:, first:last, first:last]


def regions_of(names: Sequence[str]) -> list[Interval]:
    return [Interval(name, 0, LENGTHS[name]) for name in names]


# What is predicted.


def map_regions(
    model: SequenceModel, genome: Genome, regions: list[Interval], targets: list[str] | None = None, **options: Any
) -> ContactPredictions:
    return ContactPredictor(model, targets, **options).predict(genome, regions)


def predict_contacts(
    model: SequenceModel, genome: Genome, regions: list[Interval], **options: Any
) -> Iterator[ContactRows]:
    predictor = ContactPredictor(model, **options)
    yield from predictor.stream(predictor.plan(genome, regions))


def window_count(model: SequenceModel, genome: Genome, regions: list[Interval], step: int | None = None) -> int | None:
    return ContactPredictor(model, step=step).plan(genome, regions).windows


def test_every_pixel_is_the_mean_of_the_windows_that_predict_it(model: Akita, genome: Genome) -> None:
    maps = map_regions(model, genome, regions_of(list(LENGTHS))).maps()
    assert list(maps) == ["chr1:128-4928", "chr2:128-1152", "chr4:128-1920"]
    for (name, starts), result in zip(STARTS.items(), maps.values(), strict=True):
        expected = slow_maps(model, genome, name, starts)
        np.testing.assert_allclose(result, inside(expected, 2, bins(name) - 2), rtol=1e-5, atol=1e-6)
        assert np.isnan(expected[:, :2]).all()
        assert np.isnan(expected[:, -2:]).all()
    distance = np.abs(np.subtract.outer(np.arange(75), np.arange(75)))
    assert np.isnan(maps["chr1:128-4928"][0, distance < 2]).all()
    assert np.isnan(maps["chr1:128-4928"][0, distance >= BINS]).all()
    assert np.nanstd(maps["chr1:128-4928"]) > 0.01


def test_of_a_contig_as_long_as_a_window_it_is_just_what_the_model_predicts(model: Akita, genome: Genome) -> None:
    result = map_regions(model, genome, regions_of(["chr2"]), precision="32")
    codes = torch.from_numpy(genome.codes(Interval("chr2", 0, LENGTH)).copy())[None]
    assert isinstance(model.output, Contacts)
    with torch.inference_mode():
        expected = model.output.contact_maps(model.predict(codes))[0].numpy()
    assert np.array_equal(result.maps()["chr2:128-1152"], expected, equal_nan=True)


@pytest.mark.parametrize("batch_size", [2, 3, 5, 100])
def test_results_do_not_depend_on_the_batch(model: Akita, genome: Genome, batch_size: int) -> None:
    alone = map_regions(model, genome, regions_of(list(LENGTHS))).maps()
    batched = map_regions(model, genome, regions_of(list(LENGTHS)), batch_size=batch_size).maps()
    assert list(batched) == list(alone)
    for name, result in batched.items():
        np.testing.assert_allclose(result, alone[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("step", "starts"),
    [(16, [2, 18, 34, 50, 61]), (13, [*range(2, 61, 13), 61]), (5, [*range(2, 61, 5), 61]), (1, list(range(2, 62)))],
)
def test_a_step_says_how_far_windows_lie_apart(model: Akita, genome: Genome, step: int, starts: list[int]) -> None:
    region = regions_of(["chr1"])
    result = map_regions(model, genome, region, step=step, batch_size=4).maps()
    expected = slow_maps(model, genome, "chr1", starts)
    np.testing.assert_allclose(result["chr1:128-4928"], inside(expected, 2, 77), rtol=1e-4, atol=1e-6)
    assert window_count(model, genome, region, step) == len(starts)
    usual = slow_maps(model, genome, "chr1", STARTS["chr1"])
    assert not np.allclose(expected, usual, rtol=1e-3, equal_nan=True)
    assert window_count(model, genome, region) == len(STARTS["chr1"])


# Region, the bins it touches, and the first bins of the windows that cover it.
REGIONS: dict[str, tuple[list[Interval], list[tuple[str, int, int, list[int]]]]] = {
    "overlapping ones are taken together": (
        [Interval("chr1", 2_000, 3_500, strand="-"), Interval("1", 1_000, 2_500)],
        [("chr1", 15, 55, [15, 23, 31, 39])],
    ),
    "one of the bins of a window": ([Interval("chr1", 640, 1_664)], [("chr1", 10, 26, [10])]),
    "a small one in the middle of a window": ([Interval("chr1", 1_300, 1_600)], [("chr1", 20, 25, [14])]),
    "apart from one another": (
        [Interval("chr4", 700, 1_000), Interval("chr1", 4_000, 4_300), Interval("chr1", 1_300, 1_600)],
        [("chr1", 20, 25, [14]), ("chr1", 62, 68, [57]), ("chr4", 10, 16, [5])],
    ),
    "at the ends of a contig": (
        [Interval("chr1", 0, 1_500), Interval("chr1", 4_600, 5_003)],
        [("chr1", 2, 24, [2, 8]), ("chr1", 71, 77, [61])],
    ),
}


@pytest.mark.parametrize(("regions", "wanted"), REGIONS.values(), ids=REGIONS)
def test_of_regions_the_pixels_within_are_predicted(
    model: Akita, genome: Genome, regions: list[Interval], wanted: list[tuple[str, int, int, list[int]]]
) -> None:
    maps = map_regions(model, genome, regions).maps()
    assert list(maps) == [f"{name}:{first * BIN}-{last * BIN}" for name, first, last, _ in wanted]
    for result, (name, first, last, starts) in zip(maps.values(), wanted, strict=True):
        expected = slow_maps(model, genome, name, starts)
        np.testing.assert_allclose(result, inside(expected, first, last), rtol=1e-5, atol=1e-6)
    assert window_count(model, genome, regions) == sum(len(starts) for *_, starts in wanted)


def test_no_pixel_reaches_out_of_a_region(model: Akita, genome: Genome) -> None:
    # The bins 20 to 40 and 41 to 63; and fewer than a window has, 10 to 16.
    regions = [Interval("chr1", 1_280, 2_560), Interval("chr1", 2_624, 4_032), Interval("chr4", 700, 1_000)]
    pixels = set()
    for piece in predict_contacts(model, genome, regions):
        for row, distance in np.argwhere(~np.isnan(piece.values[0])):
            pixels.add((piece.contig, piece.first + int(row), piece.first + int(row + distance)))
    wanted = {
        (name, i, j)
        for name, first, last in (("chr1", 20, 40), ("chr1", 41, 63), ("chr4", 10, 16))
        for i in range(first, last)
        for j in range(i + DIAGONAL, min(i + BINS, last))
    }
    assert pixels <= wanted
    missing = wanted - pixels  # windows half of one apart leave out what is far from the diagonal
    assert all(j - i > BINS // 2 for _, i, j in missing)


def test_chosen_targets_are_predicted_in_the_order_asked_for(model: Akita, genome: Genome) -> None:
    result = map_regions(model, genome, regions_of(["chr4"]), ["two", "one"])
    assert result.targets == ("two", "one")
    both = map_regions(model, genome, regions_of(["chr4"])).maps()["chr4:128-1920"]
    assert np.array_equal(result.maps()["chr4:128-1920"], both[::-1], equal_nan=True)


def test_predict_gives_maps_for_a_model_of_contacts(model: Akita, genome: Genome) -> None:
    result = predict(model, genome, regions_of(["chr2"]))
    assert isinstance(result, ContactPredictions)
    assert [(name, each.shape) for name, each in result.maps().items()] == [("chr2:128-1152", (2, 16, 16))]


def test_a_caller_is_left_alone_between_windows(model: Akita, genome: Genome) -> None:
    model.train()
    first, second = (predict_contacts(model, genome, regions_of(["chr1"])) for _ in range(2))
    next(first)
    next(second)
    del first, second  # in an order of its own, each ends where it had come to
    assert not torch.is_inference_mode_enabled()
    assert model.training
    model.eval()


def test_contigs_shorter_than_a_window_are_known(model: Akita, genome: Genome) -> None:
    predictor = ContactPredictor(model)
    assert predictor.plan(genome, regions_of(["chr3", "chr1"])).omitted.contigs == ["chr3"]
    assert predictor.plan(genome, regions_of(["chr2", "chr1"])).omitted.contigs == []


def test_what_lies_without_context_is_not_predicted(model: Akita, genome: Genome, tmp_path: Path) -> None:
    for region in (Interval("chr1", 0, 100), Interval("chr1", 4_960, 5_003)):
        with pytest.raises(InputError, match=f"nothing is predicted for {region}: it lies too near the end"):
            map_regions(model, genome, [region])
        for path in (tmp_path / "maps", tmp_path / "a.cool", tmp_path / "a.npz"):
            chosen = ContactPredictions(("one",), genome.contigs, [])
            with pytest.raises(InputError, match="nothing is predicted: the regions lie too near the ends"):
                chosen.write(path)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_is_refused(model: Akita, genome: Genome) -> None:
    region, settings = regions_of(["chr1"]), list[tuple[dict[str, Any], str]]()
    settings += [
        ({"targets": ["one", "one"]}, "the target 'one' is chosen twice"),
        ({"targets": ["one", "nope"]}, "no target 'nope'; it has one, two"),
        ({"batch_size": 0}, "a batch size of 0 is too small"),
        ({"step": 0}, "a step of 0 is too small"),
        ({"step": -1}, "a step of -1 is too small"),
        ({"step": 17}, "steps of 17 bins skip some between windows of 16"),
        ({"inputs": "a.tsv"}, "the model reads the sequence alone: leave out --inputs"),
    ]
    for options, words in settings:
        with pytest.raises(ConfigError, match=words):
            list(predict_contacts(model, genome, region, **options))
    with pytest.raises(ConfigError, match="predicts labels, not contacts"):
        list(predict_contacts(MLP(["a"], 20), genome, region))
    with pytest.raises(InputError, match="'chr9' is not in the genome"):
        list(predict_contacts(model, genome, [Interval("chr9", 0, 10)]))
    with pytest.raises(InputError, match="reaches past the end of chr1, which has 5003 bases"):
        list(predict_contacts(model, genome, [Interval("chr1", 0, 5_004)]))
    with pytest.raises(InputError, match="no region to predict"):
        list(predict_contacts(model, genome, []))
    with pytest.raises(InputError, match="windows of 1,280 bases are longer than every contig that is to be predicted"):
        list(predict_contacts(model, genome, regions_of(["chr3"])))


# Coolers and arrays.


def test_a_cooler_holds_every_pixel_and_nothing_else(model: Akita, genome: Genome, tmp_path: Path) -> None:
    paths = map_regions(model, genome, regions_of(["chr1", "chr4"])).write(tmp_path / "maps")
    assert paths == [tmp_path / "maps" / f"{target}.cool" for target in TARGETS]
    assert sorted((tmp_path / "maps").iterdir()) == sorted(paths)
    for index, path in enumerate(paths):
        file = cooler.Cooler(str(path))
        assert dict(file.chromsizes) == LENGTHS
        table = file.bins()[:]
        wanted = bins_of(LENGTHS, BIN)
        for column in ("chrom", "start", "end"):
            assert table[column].astype(wanted[column].dtype).tolist() == wanted[column].tolist()
        assert file.binsize == BIN
        assert file.storage_mode == "symmetric-upper"
        assert file.info["metadata"]["scale"] == LOG_SCALE
        assert file.info["metadata"]["target"] == TARGETS[index]
        pixels = 0
        for name in LENGTHS:
            balanced, result = (file.matrix(balance=balance).fetch(name) for balance in (True, False))
            assert np.array_equal(result, balanced)
            assert np.array_equal(result, result.T)
            mask = np.zeros((bins(name), bins(name)), bool)
            if name in ("chr1", "chr4"):
                expected = slow_maps(model, genome, name, STARTS[name])[index]
                mask = ~np.isnan(expected)
                np.testing.assert_allclose(result[mask], expected[mask], rtol=0, atol=1e-5)
            assert (result[~mask] == 0).all()
            pixels += int(np.triu(mask).sum())
        assert file.info["nnz"] == pixels
        assert file.matrix().fetch("chr1", "chr4").sum() == 0
        places = file.pixels()[:][["bin1_id", "bin2_id"]].apply(tuple, axis=1).tolist()
        assert places == sorted(set(places))


def test_regions_of_several_contigs_are_written_in_order(model: Akita, genome: Genome, tmp_path: Path) -> None:
    regions = [Interval("chr4", 0, 2_000), Interval("chr1", 2_624, 4_032), Interval("chr1", 1_280, 2_560)]
    result = map_regions(model, genome, regions, ["two"])
    (path,) = result.write(tmp_path / "two.cool")
    file = cooler.Cooler(str(path))
    matrices = {name: file.matrix().fetch(name) for name in LENGTHS}
    total = 0
    for region, values in result.maps().items():
        name, _, place = region.partition(":")
        first, last = (int(each) // BIN for each in place.split("-"))
        mask = ~np.isnan(values[0])
        np.testing.assert_array_equal(matrices[name][first:last, first:last][mask], values[0][mask])
        total += int(np.triu(mask).sum())
    assert file.info["nnz"] == total


def test_arrays_hold_the_maps(model: Akita, genome: Genome, tmp_path: Path) -> None:
    result = map_regions(model, genome, [Interval("chr1", 640, 1_664), Interval("chr4", 0, 2_000)])
    assert result.write(tmp_path / "maps.npz") == [tmp_path / "maps.npz"]
    with np.load(tmp_path / "maps.npz") as arrays:
        assert arrays["targets"].tolist() == ["one", "two"]
        assert sorted(set(arrays) - {"targets"}) == sorted(result.maps())
        for name, each in result.maps().items():
            assert np.array_equal(arrays[name], each, equal_nan=True)
            assert np.array_equal(each, each.transpose(0, 2, 1), equal_nan=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "maps.npz"]


def test_a_region_of_too_many_bins_is_no_array(tmp_path: Path) -> None:
    rows = [ContactRows("chr1", place, BIN, np.zeros((1, 1_000, 2), np.float32)) for place in range(0, 5_000, 1_000)]
    result = ContactPredictions(("one",), {"chr1": 5_000 * BIN}, rows)
    with pytest.raises(ConfigError, match=r"chr1 has 5,000 bins: too many for one array; write \.cool"):
        result.write(tmp_path / "a.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning:bioframe")
def test_cooltools_reads_the_coolers(model: Akita, genome: Genome, tmp_path: Path) -> None:
    cooltools = pytest.importorskip("cooltools")
    (path,) = map_regions(model, genome, regions_of(["chr1"]), ["one"]).write(tmp_path / "one.cool")
    table = cooltools.expected_cis(cooler.Cooler(str(path)), ignore_diags=2, smooth=False)
    table = table[table["region1"] == "chr1"].set_index("dist")
    expected = slow_maps(model, genome, "chr1", STARTS["chr1"])[0]
    for distance in range(2, 30):
        assert table["balanced.sum"][distance] == pytest.approx(np.nansum(np.diagonal(expected, distance)), abs=1e-4)


def test_nothing_is_left_when_prediction_or_writing_fails_midway(
    model: Akita, genome: Genome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> Iterator[ContactRows]:
        yield from predict_contacts(model, genome, regions_of(["chr4"]))
        raise InputError("half way")

    with pytest.raises(InputError, match="half way"):
        write_coolers(tmp_path / "maps", TARGETS, LENGTHS, failing())
    assert not (tmp_path / "maps").exists()
    with pytest.raises(InputError, match="past the end"):
        rows = predict_contacts(model, genome, [Interval("chr3", 0, 101)])
        write_coolers(tmp_path / "other", TARGETS, LENGTHS, rows)
    assert not (tmp_path / "other").exists()
    made = map_regions(model, genome, regions_of(["chr4"]))

    def full(path: Path, *_: Any, **__: Any) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zoo.writers.contacts.write_cooler", full)
    with pytest.raises(OutputError, match=rf"maps could not be written: the disk of {tmp_path} is full: make room"):
        made.write(tmp_path / "maps")
    assert not (tmp_path / "maps").exists()


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (("../out", "b"), "no file can be named after the target '../out'"),
        (("/abs", "b"), "no file can be named after the target '/abs'"),
        (("a", "A"), "differ in capital letters alone"),
    ],
)
def test_targets_that_cannot_name_files_are_refused(tmp_path: Path, targets: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        write_coolers(tmp_path / "maps", targets, LENGTHS, [])
    assert list(tmp_path.iterdir()) == []


# Contacts that are expected.


def expected_table(path: Path, values: Mapping[int, float], column: str = "balanced.avg") -> str:
    """Two regions, of which one has three times as many pairs; their mean is what was asked for."""
    rows = [f"chr1\tchr1\t{d}\t30\t{value * 1.2}" for d, value in values.items()]
    rows += [f"chr4\tchr4\t{d}\t10\t{value * 0.4}" for d, value in values.items()]
    head = f"region1\tregion2\tdist\tn_valid\t{column}"
    path.write_text("\n".join([head, "chr1\tchr1\t0\t30\t", "chr1\tchr1\t1\t0\t", *rows]) + "\n")
    return str(path)


@pytest.mark.parametrize("column", ["balanced.avg", "count.avg"])
def test_regions_of_a_table_are_averaged_by_their_pairs(tmp_path: Path, column: str) -> None:
    result = read_expected(expected_table(tmp_path / "e.tsv", {2: 10.0, 3: 5.0, 5: 1.0}, column))
    np.testing.assert_allclose(result.values, [np.nan, np.nan, 10, 5, np.nan, 1])
    np.testing.assert_allclose(result.at(np.array([3, 2, 2])), [5, 10, 10])
    for distance in (4, 6):
        with pytest.raises(InputError, match=f"no expected contacts for some distances up to {distance} bins"):
            result.at(np.array([2, distance]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        ("", "cannot be read as a table of expected contacts"),
        ("dist\tbalanced.avg\n2\t1\n", "has the columns dist, balanced.avg; needed are dist, n_valid and balanced.avg"),
        ("dist\tn_valid\n2\t1\n", "needed are dist, n_valid and balanced.avg or count.avg"),
        ("dist\tn_valid\tcount.avg\n2\t1\tmany\n", "a column holds something else than numbers"),
        ("dist\tn_valid\tcount.avg\n2\t0\t5\n", "no expected contacts in it"),
        (b"\x89HDF\r\n\xff\xfe\x00", "e.tsv"),
    ],
)
def test_what_is_no_table_of_expected_contacts_is_refused(
    tmp_path: Path, content: str | bytes | None, words: str
) -> None:
    path = tmp_path / "e.tsv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        read_expected(str(path))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


# The command line.


class Saved(NamedTuple):
    """Checkpoints: a model of the sequence alone, and one that reads two input tracks too."""

    alone: str
    with_inputs: str


@pytest.fixture(scope="module")
def saved(model: Akita, inputs_model: Akita, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    home, random = tmp_path_factory.mktemp("checkpoints"), torch.Generator().manual_seed(0)
    for name, each in (("akita.alone", model), ("akita.with_inputs", inputs_model)):
        rows = [TargetRow(target, target, "log(observed/expected)") for target in TARGETS]
        example = {"codes": torch.randint(0, 4, (4, LENGTH), generator=random).to(torch.uint8)}
        if each.inputs.names:
            example["inputs"] = torch.rand(4, len(each.inputs.names), LENGTH // each.inputs.size, generator=random)
        save(each, home / name, ModelFacts(name, "made"), rows, example)
    return Saved(f"local-dir:{home / 'akita.alone'}", f"local-dir:{home / 'akita.with_inputs'}")


def assert_holds(path: Path, model: Akita, genome: Genome, index: int, names: Sequence[str]) -> None:
    """A cooler has what is predicted for these whole contigs, and for no other one."""
    file = cooler.Cooler(str(path))
    for name in LENGTHS:
        result = file.matrix().fetch(name)
        if name not in names:
            assert not result.any()
            continue
        expected = slow_maps(model, genome, name, STARTS[name])[index]
        np.testing.assert_allclose(result, np.nan_to_num(expected), rtol=0, atol=1e-5)


def test_a_fasta_s_contigs_are_written_and_those_that_are_too_short_left_out(
    run_zoo: Run, saved: Saved, model: Akita, genome: Genome, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "maps"
    code, out, err = run_zoo("predict", saved.alone, str(genome.path), "-o", str(folder))
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        "zoo: not predicted, shorter than the 1,280 bases that the model reads: 1 contig, chr3",
        ENDS,
        f"{folder}: 2 files, 2 targets, 3 regions",
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["one.cool", "two.cool"]
    for index, target in enumerate(TARGETS):
        assert_holds(folder / f"{target}.cool", model, genome, index, ["chr1", "chr2", "chr4"])
    facts = cooler.Cooler(str(folder / "two.cool")).info["metadata"]
    assert facts == {
        "scale": LOG_SCALE,
        "target": "two",
        "written_by": "regzoo",
        "model": saved.alone,
        "genome": "genome.fa",
        "diagonal": 2,
        "description": "two",
        "unit": "log(observed/expected)",
    }


def test_one_target_is_written_to_a_file_that_ends_in_cool(
    run_zoo: Run, saved: Saved, model: Akita, genome: Genome, tmp_path: Path
) -> None:
    path = tmp_path / "a.cool"
    options = ["--contigs", "2", "chr4", "--targets", "two", "--batch-size", "3"]
    code, _, err = run_zoo("predict", saved.alone, str(genome.path), "-o", str(path), *options)
    assert (code, err) == (0, f"{ENDS}\n{path}: 1 file, 1 target, 2 regions\n")
    assert list(tmp_path.iterdir()) == [path]
    assert_holds(path, model, genome, 1, ["chr2", "chr4"])
    code, _, err = run_zoo("predict", saved.alone, str(genome.path), "-o", str(tmp_path / "b.cool"))
    assert code == 2
    assert "b.cool can hold one target, there are 2: name a folder, or choose one" in err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == [path]


def test_the_regions_of_a_bed_file_are_written_as_arrays(
    run_zoo: Run, saved: Saved, model: Akita, genome: Genome, tmp_path: Path
) -> None:
    bed, path = tmp_path / "regions.bed", tmp_path / "a.npz"
    bed.write_text("chr4\t700\t1000\t.\t0\t.\n1\t1000\t2500\t.\t0\t.\nchr1\t2000\t3500\tsecond\t0\t-\n")
    options = ["--genome", str(genome.path), "-o", str(path), "--step", "16"]
    code, _, err = run_zoo("predict", saved.alone, str(bed), *options)
    assert (code, err) == (0, f"{path}: 1 file, 2 targets, 3 regions\n")
    with np.load(path) as arrays:
        assert set(arrays) == {"targets", "chr1:960-3520", "chr4:640-1024"}
        expected = inside(slow_maps(model, genome, "chr1", [15, 31, 39]), 15, 55)
        np.testing.assert_allclose(arrays["chr1:960-3520"], expected, rtol=1e-5, atol=1e-6)
    assert sorted(tmp_path.iterdir()) == [path, bed]


def test_with_what_is_expected_contacts_are_written(
    run_zoo: Run, saved: Saved, model: Akita, genome: Genome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_distance = {distance: 100 / distance for distance in range(2, BINS)}
    table, path = expected_table(tmp_path / "e.tsv", by_distance), tmp_path / "a.cool"
    options = ["--contigs", "chr4", "--targets", "one", "--expected", table]
    code, _, err = run_zoo("predict", saved.alone, str(genome.path), "-o", str(path), *options)
    assert code == 0, err
    file = cooler.Cooler(str(path))
    assert file.info["metadata"]["scale"] == COUNT_SCALE
    predicted = slow_maps(model, genome, "chr4", STARTS["chr4"])[0]
    distance = np.abs(np.subtract.outer(np.arange(32), np.arange(32)))
    expected = np.nan_to_num(np.exp(predicted) * 100 / np.maximum(distance, 1))
    np.testing.assert_allclose(file.matrix().fetch("chr4"), expected, rtol=1e-5, atol=1e-6)
    (tmp_path / "a.cool").unlink()
    short = expected_table(tmp_path / "e.tsv", dict.fromkeys(range(2, BINS - 1), 1.0))
    monkeypatch.setattr(zoo.inference.contacts, "predict_batch", None)  # it is said before a window is predicted
    for name in ("a.cool", "maps"):
        code, _, err = run_zoo("predict", saved.alone, str(genome.path), "-o", str(tmp_path / name), *options)
        assert (code, err) == (2, f"zoo: {short}: no expected contacts for some distances up to 15 bins\n")
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [Path(short)]


@pytest.mark.filterwarnings("error")
def test_contacts_beyond_float32_are_refused(run_zoo: Run, saved: Saved, genome: Genome, tmp_path: Path) -> None:
    table, path = expected_table(tmp_path / "e.tsv", dict.fromkeys(range(2, BINS), 1e300)), tmp_path / "a.cool"
    options = ["--contigs", "chr4", "--targets", "one", "--expected", table]
    code, _, err = run_zoo("predict", saved.alone, str(genome.path), "-o", str(path), *options)
    assert (code, err.count("\n")) == (2, 1)
    assert f"contacts of chr4 are infinite once they are multiplied with {table}" in err
    assert not path.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:bioframe")
def test_a_table_that_cooltools_wrote_gives_contacts(
    run_zoo: Run, saved: Saved, model: Akita, genome: Genome, measured: str, tmp_path: Path
) -> None:
    cooltools = pytest.importorskip("cooltools")
    view = pd.DataFrame({"chrom": ["1"], "start": [0], "end": [5_003], "name": ["1"]})
    made = cooltools.expected_cis(cooler.Cooler(measured), view_df=view, ignore_diags=2, smooth=False)
    made.to_csv(tmp_path / "e.tsv", sep="\t", index=False)
    path = tmp_path / "a.cool"
    options = ["--contigs", "chr4", "--targets", "one", "--expected", str(tmp_path / "e.tsv"), "-o", str(path)]
    code, _, err = run_zoo("predict", saved.alone, str(genome.path), *options)
    assert code == 0, err
    predicted = slow_maps(model, genome, "chr4", STARTS["chr4"])[0]
    result, mean = cooler.Cooler(str(path)).matrix().fetch("chr4"), made.set_index("dist")["balanced.avg"]
    for distance in range(2, BINS):
        mask = ~np.isnan(np.diagonal(predicted, distance))
        expected = np.exp(np.diagonal(predicted, distance)[mask]) * mean[distance]
        np.testing.assert_allclose(np.diagonal(result, distance)[mask], expected, rtol=1e-4)


def test_existing_files_are_not_overwritten(run_zoo: Run, saved: Saved, genome: Genome, tmp_path: Path) -> None:
    for path, options in ((tmp_path / "a.cool", ["--targets", "one"]), (tmp_path / "maps" / "two.cool", [])):
        path.parent.mkdir(exist_ok=True)
        path.write_text("measured")
        output = path if options else path.parent
        code, _, err = run_zoo(
            "predict", saved.alone, str(genome.path), "-o", str(output), "--contigs", "chr2", *options
        )
        assert (code, err) == (2, f"zoo: {path} exists already: name another output, or remove it\n")
        assert path.read_text() == "measured"
    assert list((tmp_path / "maps").iterdir()) == [tmp_path / "maps" / "two.cool"]


def test_where_every_contig_is_too_short_nothing_is_written(
    run_zoo: Run, saved: Saved, genome: Genome, tmp_path: Path
) -> None:
    for output in ("maps", "a.cool", "a.npz"):
        options = ["--contigs", "chr3", "--targets", "one", "-o", str(tmp_path / output)]
        code, _, err = run_zoo("predict", saved.alone, str(genome.path), *options)
        assert code == 2
        assert err.splitlines() == [
            "zoo: windows of 1,280 bases are longer than every contig that is to be predicted: the longest of the "
            "genome has 5,003"
        ]
        assert list(tmp_path.iterdir()) == []


# Models that read input tracks.

SIZE = 16


@pytest.fixture(scope="module")
def inputs_model() -> Akita:
    return akita(inputs=InputSpec(("left", "right"), SIZE, (1, 0)), rc_average=True)


class Inputs(NamedTuple):
    """A table of two bigWigs, and what a window reads from a base on."""

    table: str
    values: InputValues


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder, rng = tmp_path_factory.mktemp("inputs"), np.random.default_rng(5)
    tracks = {
        track: {name: rng.uniform(0, 4, length) for name, length in LENGTHS.items()} for track in ("left", "right")
    }
    for track, contigs in tracks.items():
        with pyBigWig.open(str(folder / f"{track}.bw"), "w") as file:
            file.addHeader(list(LENGTHS.items()))
            for name, values in contigs.items():
                file.addEntries(name, 0, values=values.tolist(), span=1, step=1)
    (folder / "inputs.tsv").write_text("name\tpath\nleft\tleft.bw\nright\tright.bw\n")

    def input_values(name: str, first: int) -> Values:
        result = np.zeros((2, LENGTH // SIZE), np.float32)
        for row, contigs in enumerate(tracks.values()):
            for place in range(LENGTH // SIZE):
                here = contigs[name][max(first + place * SIZE, 0) : first + (place + 1) * SIZE]
                result[row, place] = here.mean() if len(here) else 0
        return result

    return Inputs(str(folder / "inputs.tsv"), input_values)


def test_input_tracks_are_read_for_every_window(
    run_zoo: Run, saved: Saved, inputs_model: Akita, genome: Genome, inputs: Inputs, tmp_path: Path
) -> None:
    bed, path = tmp_path / "a.bed", tmp_path / "a.npz"
    bed.write_text("chr4\t0\t2000\nchr1\t1000\t3500\n")
    options = ["--genome", str(genome.path), "-o", str(path), "--inputs", inputs.table, "--batch-size", "2"]
    code, _, err = run_zoo("predict", saved.with_inputs, str(bed), *options)
    assert code == 0, err
    wanted = {"chr1": (15, 55, [15, 23, 31, 39]), "chr4": (2, 30, [2, 10, 14])}
    with np.load(path) as arrays:
        for name, (first, last, starts) in wanted.items():
            result = arrays[f"{name}:{first * BIN}-{last * BIN}"]
            expected = inside(slow_maps(inputs_model, genome, name, starts, inputs.values), first, last)
            np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)
            none = slow_maps(inputs_model, genome, name, starts, lambda *_: np.zeros((2, LENGTH // SIZE), np.float32))
            assert not np.allclose(expected, inside(none, first, last), atol=1e-3, equal_nan=True)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (None, "the model reads 2 input tracks in addition to the sequence (left, right): name their table"),
        (
            "right left",
            "reads left, right in addition to the sequence, 16 bases per value; the table has right, left",
        ),
        ("left", "reads left, right in addition to the sequence, 16 bases per value; the table has left, 16 bases"),
        ("", "no target in it"),
        ("nothing", "nothing.bw: no such file"),
    ],
)
def test_a_table_of_other_tracks_is_refused(
    run_zoo: Run, saved: Saved, genome: Genome, inputs: Inputs, tmp_path: Path, table: str | None, words: str
) -> None:
    options, folder, output = [], tmp_path / "tables", tmp_path / "maps"
    if table is not None:
        folder.mkdir()
        rows = [f"{name}\t{Path(inputs.table).parent / name}.bw\n" for name in table.split()]
        (folder / "t.tsv").write_text("name\tpath\n" + "".join(rows))
        options = ["--inputs", str(folder / "t.tsv")]
    code, _, err = run_zoo("predict", saved.with_inputs, str(genome.path), "-o", str(output), *options)
    assert code == 2
    assert err.splitlines()[-1].startswith("zoo: ")
    assert words in err.splitlines()[-1]
    assert len(err.splitlines()) == 1
    assert not output.exists()


# Pictures.


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A balanced cooler of the genome, whose contigs it calls 1, 2, 3, 4."""
    path, rng = tmp_path_factory.mktemp("measured") / "made.cool", np.random.default_rng(6)
    names = {name[3:]: length for name, length in LENGTHS.items()}
    table = bins_of(names, BIN)
    table["weight"] = rng.uniform(0.5, 1.5, len(table))
    row, column = np.triu_indices(len(table))
    count = rng.poisson(3_000 / (1 + column - row))
    same = table["chrom"].to_numpy()[row] == table["chrom"].to_numpy()[column]
    pixels = pd.DataFrame({"bin1_id": row, "bin2_id": column, "count": count})[same & (count > 0)]
    cooler.create_cooler(str(path), table, pixels, ordered=True)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_region_is_drawn_with_what_was_measured_and_with_features(
    run_zoo: Run, saved: Saved, genome: Genome, measured: str, tmp_path: Path, ending: str
) -> None:
    (tmp_path / "genes.bed").write_text("chr1\t1500\t1700\nchr2\t0\t9\n")
    picture = tmp_path / f"region.{ending}"
    options = ["--plot", "1:1,000-3,000", "--measured", measured, "--bed", str(tmp_path / "genes.bed")]
    code, _, err = run_zoo("predict", saved.alone, str(genome.path), *options, "--smooth", "1", "-o", str(picture))
    assert (code, err) == (0, f"{picture}: 1:1000-3000, 2 targets\n")
    head = picture.read_bytes()[:200]
    assert head.startswith(b"\x89PNG") if ending == "png" else b"<?xml" in head
    if ending == "svg":
        text = picture.read_text()
        assert [word for word in ("measured", "one, predicted", "two, predicted", "genes") if word not in text] == []
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["genes.bed", picture.name])


def test_what_is_drawn_is_what_was_predicted_and_measured(
    run_zoo: Run,
    saved: Saved,
    model: Akita,
    genome: Genome,
    measured: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: dict[str, Any] = {}

    def draw(picture: Path, *values: Any) -> None:
        picture.write_text("drawn")
        names = ("contig", "start", "bin_size", "predicted", "measured", "features", "title", "note")
        drawn.update(zip(names, values, strict=True))

    monkeypatch.setattr(zoo.plots.contacts, "draw_contact_maps", draw)
    rows = ["chr1\t1500\t1700", "chr2\t1500\t1700", "chr1\t4000\t4100", "chr1\t10\t1000", "chr1\t2999\t4000"]
    (tmp_path / "a.bed").write_text("\n".join(rows) + "\n")
    options = ["--plot", "chr1:1,000-3,000", "--measured", measured, "--bed", str(tmp_path / "a.bed")]
    output = ["--targets", "two", "-o", str(tmp_path / "a.png")]
    code, _, err = run_zoo("predict", saved.alone, str(genome.path), *options, *output)
    assert code == 0, err
    assert (drawn["contig"], drawn["start"], drawn["bin_size"]) == ("chr1", 15 * BIN, BIN)
    predicted = inside(slow_maps(model, genome, "chr1", [15, 23, 31]), 15, 47)
    assert list(drawn["predicted"]) == ["two"]
    np.testing.assert_allclose(drawn["predicted"]["two"], predicted[1], rtol=1e-5, atol=1e-6)
    assert drawn["features"] == {
        str(tmp_path / "a.bed"): [Interval("chr1", 1_500, 1_700), Interval("chr1", 2_999, 4_000)]
    }
    # No pixel is poor: but for those that share a square with the diagonals that are left out none is coarse-grained.
    matrix = cooler.Cooler(measured).matrix().fetch("1")
    for distance in range(4, 32):
        whole = np.diagonal(matrix, distance)
        result = np.diagonal(drawn["measured"], distance)
        np.testing.assert_allclose(result, np.log(whole / whole.mean())[15 : 47 - distance], rtol=1e-4, atol=1e-5)
    plain = drawn["measured"]
    code, _, err = run_zoo("predict", saved.alone, str(genome.path), *options, *output, "--smooth", "2")
    assert code == 0, err
    assert np.array_equal(np.isnan(drawn["measured"]), np.isnan(plain))
    # A Gaussian of two bins takes the noise away.
    assert np.nanstd(np.diff(drawn["measured"])) < np.nanstd(np.diff(plain)) / 4


def test_a_failed_picture_leaves_the_old_one(run_zoo: Run, saved: Saved, genome: Genome, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_text("before")
    for option in ("--measured", "--bed"):
        nothing = str(tmp_path / "nothing")
        options = ["--plot", "chr1:1000-3000", option, nothing, "-o", str(picture)]
        code, _, err = run_zoo("predict", saved.alone, str(genome.path), *options)
        assert (code, picture.read_text()) == (2, "before")
        assert err == f"zoo: {nothing}: no such file\n"
        assert list(tmp_path.iterdir()) == [picture]


# Options that do not fit.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "contacts are not written to standard output: name a folder with -o"),
        (["-o", "x", "--contigs", "chr7"], "'chr7' is not in the genome"),
        (["-o", "x", "--targets", "nope"], "no target 'nope'; it has one, two"),
        (["-o", "x", "--targets", "one", "one"], "the target 'one' is chosen twice"),
        (["-o", "x", "--batch-size", "0"], "a batch size of 0 is too small"),
        (["-o", "x", "--step", "-1"], "a step of -1 is too small"),
        (["-o", "x", "--step", "half"], "half"),
        (["-o", "x", "--inputs", "t.tsv"], "t.tsv: no such file"),
        (["-o", "x", "--inverse-transform", "t.tsv"], "--inverse-transform is for models of tracks, and local-dir:"),
        (["-o", "x", "--sequence-column", "seq"], "--sequence-column is for models of labels, and local-dir:"),
        (["-o", "x", "--measured", "m.cool"], "--measured is for --plot REGION"),
        (["-o", "x", "--bed", "a.bed"], "--bed is for --plot REGION"),
        (["-o", "x", "--expected", "e.tsv"], "e.tsv: no such file"),
        (["-o", "no/x.cool", "--targets", "one"], "no/x.cool cannot be written: there is no folder no"),
        (["-o", "no/x.npz"], "no/x.npz cannot be written: there is no folder no"),
        (["-o", "x.txt", "--plot", "chr1:10-2000"], "x.txt does not end in .png, .svg, .pdf"),
        (["-o", "no/x.png", "--plot", "chr1:10-2000"], "no/x.png cannot be written: there is no folder no"),
        (["-o", "x.png", "--plot", "chr1:2000-10"], "the region 'chr1:2000-10' is empty or reversed"),
        (["-o", "x.png", "--plot", "chr9"], "not of the form chrIX:100,000-110,000"),
        (["-o", "x.png", "--plot", "chr9:1-2000"], "'chr9' is not in the genome"),
        (["-o", "x.png", "--plot", "chr1:4000-6000"], "reaches past the end of chr1"),
        (["-o", "x.png", "--plot", "chr3:0-50"], "windows of 1,280 bases are longer than every contig"),
        (["-o", "x.png", "--plot", "chr1:0-100"], "nothing is predicted for chr1:0-100: it lies too near the end"),
        (["-o", "x.png", "--plot", "chr1:2000-2010"], "or has too few bins of 64 bases"),
        (["-o", "x.png", "--plot", "chr1:0-128,064"], "which shows up to 2,000 bins of 64 bases and 12 targets"),
        (["-o", "x.png", "--plot", "chr1:10-2000", "--contigs", "chr1"], "not for BED or --plot"),
        (["-o", "x.png", "--plot", "chr1:10-2000", "--batch-size", "0"], "a batch size of 0"),
        (["-o", "x.png", "--plot", "chr1:10-2000", "--inputs", "t.tsv"], "t.tsv: no such file"),
        (["-o", "x.svg", "--plot", "chr1:10-2000", "--measured", "x.svg"], "x.svg is one of the files to be read"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(
    run_zoo: Run,
    saved: Saved,
    genome: Genome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run_zoo("predict", saved.alone, str(genome.path), *options)
    assert code == 2
    *before, last = err.splitlines()
    assert last.startswith("zoo: ")
    assert words in last
    assert before == []
    assert list(tmp_path.iterdir()) == []


def test_expected_contacts_are_for_coolers(run_zoo: Run, saved: Saved, genome: Genome, tmp_path: Path) -> None:
    table = expected_table(tmp_path / "e.tsv", dict.fromkeys(range(2, BINS), 1.0))
    options = ["--contigs", "chr2", "--expected", table, "-o", str(tmp_path / "a.npz")]
    assert run_zoo("predict", saved.alone, str(genome.path), *options)[::2] == (2, "zoo: --expected is for coolers\n")
    assert list(tmp_path.iterdir()) == [Path(table)]


def test_regions_without_a_prediction_are_noted_and_not_counted(
    run_zoo: Run, saved: Saved, genome: Genome, tmp_path: Path
) -> None:
    bed, path = tmp_path / "a.bed", tmp_path / "a.npz"
    bed.write_text("chr1\t0\t100\nchr1\t1000\t2500\nchr4\t700\t720\nchr3\t0\t60\nchr3\t60\t90\n")
    code, _, err = run_zoo("predict", saved.alone, str(bed), "--genome", str(genome.path), "-o", str(path))
    assert code == 0
    assert err.splitlines() == [
        "zoo: not predicted, shorter than the 1,280 bases that the model reads: 1 contig, chr3",
        "zoo: not predicted, too near the ends of their contigs or of too few bins: 2 regions, "
        "chr1:0-100, chr4:700-720",
        ENDS,
        f"{path}: 1 file, 2 targets, 1 region",
    ]
    with np.load(path) as arrays:
        assert list(arrays) == ["targets", "chr1:960-2560"]


def test_small_regions_that_touch_are_predicted_together(
    run_zoo: Run, saved: Saved, genome: Genome, tmp_path: Path
) -> None:
    """None of them has a pair that is predicted by itself."""
    bed, path = tmp_path / "a.bed", tmp_path / "a.npz"
    bed.write_text("".join(f"chr1\t{start}\t{start + 64}\n" for start in range(1_280, 1_920, 64)))
    code, _, err = run_zoo("predict", saved.alone, str(bed), "--genome", str(genome.path), "-o", str(path))
    assert (code, err) == (0, f"{path}: 1 file, 2 targets, 10 regions\n")
    with np.load(path) as arrays:
        assert list(arrays) == ["targets", "chr1:1280-1920"]
        assert np.isfinite(arrays["chr1:1280-1920"]).any()


def test_bed_without_a_genome_and_regions_past_an_end_are_refused(
    run_zoo: Run, saved: Saved, genome: Genome, tmp_path: Path
) -> None:
    bed = tmp_path / "a.bed"
    bed.write_text("chr1\t0\t100\n")
    code, _, err = run_zoo("predict", saved.alone, str(bed), "--genome", str(genome.path), "-o", str(tmp_path / "maps"))
    assert (code, err.count("\n")) == (2, 1)
    assert "nothing is predicted for chr1:0-100: it lies too near the end of its contig" in err
    bed.write_text("chr1\t0\t2000\nchr1\t4000\t6000\n")
    for options, words in (
        ([], "a.bed holds intervals: name the genome with --genome"),
        (["--genome", str(genome.path)], "a.bed: the interval chr1:4000-6000 reaches past the end of chr1"),
        (["--genome", str(genome.path), "--resize"], "--resize is for models of labels"),
        (["--genome", str(genome.path), "--contigs", "chr1"], "--contigs is for a FASTA as INPUT"),
    ):
        code, _, err = run_zoo("predict", saved.alone, str(bed), "-o", str(tmp_path / "maps"), *options)
        assert (code, err.count("\n")) == (2, 1)
        assert words in err
        assert list(tmp_path.iterdir()) == [bed]


def test_a_measured_map_of_other_bins_or_another_assembly_is_refused(
    run_zoo: Run, saved: Saved, genome: Genome, measured: str, tmp_path: Path
) -> None:
    coarse, longer = tmp_path / "coarse.mcool", tmp_path / "longer.cool"
    cooler.zoomify_cooler(measured, str(coarse), [64, 128], chunksize=1_000_000)
    table = bins_of({"chr1": 6_000}, BIN).assign(weight=1.0)
    pixels = pd.DataFrame({"bin1_id": range(50), "bin2_id": range(2, 52), "count": 5})
    cooler.create_cooler(str(longer), table, pixels, ordered=True)
    for uri, words in (
        (f"{coarse}::resolutions/128", ["has bins of 128 bases, the model's have 64; there are", "resolutions/64"]),
        (str(coarse), ["several maps, of which one must be named", f"{coarse}::resolutions/64"]),
        (str(longer), ["of another assembly than the genome: chr1 has 6,000 bases there and 5,003 in the FASTA"]),
    ):
        options = ["--plot", "chr1:1000-3000", "--measured", uri, "-o", str(tmp_path / "a.png")]
        code, _, err = run_zoo("predict", saved.alone, str(genome.path), *options)
        assert (code, err.count("\n")) == (2, 1)
        assert [word for word in words if word not in err] == []
    assert sorted(tmp_path.iterdir()) == [coarse, longer]
