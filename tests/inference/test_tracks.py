"""Tracks predicted along a genome: bin by bin what the model gives, written as bigWig, drawn; refusals."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyBigWig
import pytest
import torch
from numpy.typing import NDArray

from zoo.api import predict
from zoo.errors import ConfigError, InputError, OutputError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode
from zoo.hub.checkpoint import save
from zoo.hub.example import example_for
from zoo.hub.facts import ModelFacts
from zoo.hub.targets import TargetRow
from zoo.inference.labels import predict_sequences
from zoo.inference.tracks import TrackPredictions, TrackPredictor
from zoo.models._base import SequenceModel
from zoo.models.basenji import Basenji
from zoo.models.mlp import MLP
from zoo.nn.trunk import TrunkConfig
from zoo.outputs import Tracks
from zoo.writers.tracks import TrackSegment, write_tracks

LENGTHS = {"chr1": 5003, "chr2": 640, "chr3": 100}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Genome:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    sequences = {name: decode(rng.integers(0, 4, length).astype(np.uint8)) for name, length in LENGTHS.items()}
    path.write_text("".join(f">{name}\n{text}\n" for name, text in sequences.items()))
    return Genome(path)


@pytest.fixture(scope="module")
def model() -> Basenji:
    """16-base bins, 20 of them predicted of 24; what a bin needs of its surroundings lies within the crop."""
    torch.manual_seed(0)
    result = Basenji(
        ["plus", "minus", "both"],
        length=384,
        strand_pairs=[1, 0, 2],
        trunk=TrunkConfig(
            stem_filters=6,
            stem_width_bases=7,
            tower_filters=[8],
            tower_width=3,
            tower_pools=[8],
            residual_filters=4,
            dilations=[1],
        ),
        head_filters=8,
        crop_bins=2,
    )
    with torch.no_grad():
        for parameter in result.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return result.eval()


def predict_regions(
    model: SequenceModel, genome: Genome, regions: list[Interval], targets: list[str] | None = None
) -> TrackPredictions:
    return TrackPredictor(model, targets).predict(genome, regions)


def predict_tracks(
    model: SequenceModel, genome: Genome, regions: list[Interval], **options: Any
) -> Iterator[TrackSegment]:
    predictor = TrackPredictor(model, **options)
    yield from predictor.stream(predictor.plan(genome, regions))


def slow(model: Basenji, genome: Genome, chrom: str) -> NDArray[np.float32]:
    """Each bin of a contig from a window of its own, of which it is the middle (T, P)."""
    columns = []
    for start in range(0, LENGTHS[chrom], 16):
        window = Interval(chrom, start - 32 - 160, start - 32 - 160 + 384)
        codes = torch.from_numpy(genome.codes(window).copy())[None]
        with torch.inference_mode():
            columns.append(model.predict(codes)[0, :, 10].numpy())
    return np.stack(columns, 1)


@pytest.mark.slow
@pytest.mark.parametrize("chrom", LENGTHS)
@pytest.mark.parametrize("trim", [None, 0, 9])
def test_every_bin_is_what_the_model_gives_for_a_window_around_it(
    model: Basenji, genome: Genome, chrom: str, trim: int | None
) -> None:
    region = Interval(chrom, 0, LENGTHS[chrom])
    stretches = list(predict_tracks(model, genome, [region], batch_size=3, trim=trim))
    assert stretches[0].start == 0
    result = np.concatenate([stretch.values for stretch in stretches], 1)
    np.testing.assert_allclose(result, slow(model, genome, chrom), rtol=1e-4, atol=1e-6)


def test_where_windows_begin_does_not_matter_and_neither_does_the_batch(model: Basenji, genome: Genome) -> None:
    region = Interval("chr1", 0, 5003)
    whole = predict_regions(model, genome, [region]).segments[0].values
    for phase, batch_size in ((1, 16), (8, 1), (15, 7)):
        parts = [each.values for each in predict_tracks(model, genome, [region], phase=phase, batch_size=batch_size)]
        np.testing.assert_allclose(np.concatenate(parts, 1), whole, rtol=1e-4, atol=1e-6)


def test_regions_are_sorted_joined_where_they_overlap_and_widened_to_whole_bins(model: Basenji, genome: Genome) -> None:
    regions = [
        Interval("2", 100, 200),
        Interval("chr1", 4900, 5003),
        Interval("chr1", 40, 60),
        Interval("chr1", 55, 90, strand="-"),
    ]
    result = predict_regions(model, genome, regions, ["both"])
    assert [(each.contig, each.start, each.values.shape) for each in result.segments] == [
        ("chr1", 32, (1, 4)),
        ("chr1", 4896, (1, 7)),
        ("chr2", 96, (1, 7)),
    ]
    whole = predict_regions(model, genome, [Interval("chr1", 0, 5003)]).segments[0].values
    np.testing.assert_allclose(result.segments[0].values[0], whole[2, 2:6], rtol=1e-4, atol=1e-6)


def test_the_bigwigs_hold_every_bin_and_nothing_else(model: Basenji, genome: Genome, tmp_path: Path) -> None:
    regions = [Interval("chr1", 160, 1600), Interval("chr1", 4000, 5003), Interval("chr3", 0, 100)]
    result = predict_regions(model, genome, regions)
    paths = result.write(tmp_path / "tracks")
    assert [path.name for path in paths] == ["plus.bw", "minus.bw", "both.bw"]
    for row, path in enumerate(paths):
        with pyBigWig.open(str(path)) as file:
            assert file.chroms() == LENGTHS
            for name, length in LENGTHS.items():
                expected = np.full(length, np.nan, np.float32)
                for each in result.segments:
                    if each.contig == name:
                        values = np.repeat(each.values[row], 16)[: length - each.start]
                        expected[each.start : each.start + len(values)] = values
                np.testing.assert_array_equal(file.values(name, 0, length, numpy=True), expected)


def test_predict_gives_tracks_for_a_model_of_tracks(model: Basenji, genome: Genome) -> None:
    result = predict(model, genome, [Interval("chr3", 0, 100)])
    assert isinstance(result, TrackPredictions)
    assert [each.values.shape for each in result.segments] == [(3, 7)]


def test_nothing_is_left_when_prediction_fails_midway(model: Basenji, genome: Genome, tmp_path: Path) -> None:
    def failing() -> Iterator[TrackSegment]:
        yield from predict_tracks(model, genome, [Interval("chr1", 0, 800)])
        raise InputError("half way")

    with pytest.raises(InputError, match="half way"):
        write_tracks(tmp_path / "tracks", model.output.targets, genome.contigs, failing())
    assert not (tmp_path / "tracks").exists()
    with pytest.raises(InputError, match="past the end"):
        regions = [Interval("chr3", 0, 101)]
        write_tracks(tmp_path / "other", model.output.targets, genome.contigs, predict_tracks(model, genome, regions))
    assert not (tmp_path / "other").exists()


def test_a_caller_is_left_alone_between_batches(model: Basenji, genome: Genome) -> None:
    model.train()
    first, second = (predict_tracks(model, genome, [Interval("chr1", 0, 5003)], batch_size=2) for _ in range(2))
    next(first)
    next(second)
    del first, second  # in an order of its own, each ends where it had come to
    assert not torch.is_inference_mode_enabled()
    assert model.training
    model.eval()


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
        write_tracks(tmp_path / "tracks", targets, LENGTHS, [])
    assert list(tmp_path.iterdir()) == []


def test_files_that_exist_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.bw").write_text("measured")
    with pytest.raises(OutputError, match=r"a\.bw exists already"):
        write_tracks(tmp_path, ["a", "b"], LENGTHS, [])
    assert (tmp_path / "a.bw").read_text() == "measured"


def test_more_files_than_may_be_open_are_refused(tmp_path: Path) -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))\n"
        "from zoo.writers.tracks import write_tracks\n"
        "import sys\n"
        "print(len(write_tracks(sys.argv[1], list(map(str, range(20))), {'c': 10}, [])))\n"
        "write_tracks(sys.argv[1] + '/more', list(map(str, range(500))), {'c': 10}, [])"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "t")], capture_output=True, text=True)
    assert done.stdout == "20\n"
    assert "500 files would be open at once, where 128 may be" in done.stderr
    assert not (tmp_path / "t" / "more").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"targets": ["plus", "plus"]}, "the target 'plus' is chosen twice"),
        ({"targets": ["plus", "nope"]}, "no target 'nope'; it has plus, minus, both"),
        ({"trim": 10}, "of windows of 20 bins, 10 cannot be cut off on each side"),
        ({"batch_size": 0}, "a batch size of 0 is too small"),
    ],
)
def test_what_cannot_be_is_refused(model: Basenji, genome: Genome, options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        list(predict_tracks(model, genome, [Interval("chr1", 0, 100)], **options))


def test_regions_outside_the_genome_are_refused(model: Basenji, genome: Genome) -> None:
    with pytest.raises(InputError, match="'chr9' is not in the genome"):
        list(predict_tracks(model, genome, [Interval("chr9", 0, 10)]))
    with pytest.raises(InputError, match="reaches past the end of chr3, which has 100 bases"):
        list(predict_tracks(model, genome, [Interval("chr3", 0, 101)]))
    with pytest.raises(InputError, match="no region to predict"):
        list(predict_tracks(model, genome, []))
    with pytest.raises(ConfigError, match="predicts labels, not tracks"):
        list(predict_tracks(MLP(["a"], 20), genome, [Interval("chr1", 0, 20)]))


# The command line.


@pytest.fixture(scope="module")
def checkpoint(model: Basenji, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("checkpoints") / "basenji.tiny"
    rows = [TargetRow(name, name, "coverage") for name in model.output.targets]
    codes = torch.randint(0, 4, (8, 384), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    save(model, folder, ModelFacts("basenji.tiny", "made"), rows, {"codes": codes})
    return f"local-dir:{folder}"


def test_a_fasta_s_contigs_and_a_bed_file_s_regions_are_written(
    run_zoo: Run, checkpoint: str, model: Basenji, genome: Genome, tmp_path: Path
) -> None:
    code, _, err = run_zoo(
        "predict", checkpoint, str(genome.path), "-o", str(tmp_path / "whole"), "--contigs", "2", "chr3"
    )
    assert code == 0
    assert err.splitlines() == [
        "zoo: shorter than the 384 bases that the model reads, and padded with N: 1 contig, chr3",
        f"{tmp_path / 'whole'}: 3 bigWig files, 2 regions, 47 bins of 16 bases",  # 640 bases, and 7 bins
    ]
    with pyBigWig.open(str(tmp_path / "whole/plus.bw")) as file:
        result = file.values("chr2", 0, 640, numpy=True)[::16]
    np.testing.assert_allclose(result, slow(model, genome, "chr2")[0], rtol=1e-4, atol=1e-6)
    bed = tmp_path / "regions.bed"
    bed.write_text("chr2\t32\t64\nchr1\t10\t20\n")
    code, _, _ = run_zoo(
        "predict", checkpoint, str(bed), "--genome", str(genome.path), "-o", str(tmp_path / "part"), "--targets", "both"
    )
    assert code == 0
    assert [path.name for path in (tmp_path / "part").iterdir()] == ["both.bw"]
    with pyBigWig.open(str(tmp_path / "part/both.bw")) as file:
        assert [entry[:2] for entry in file.intervals("chr2")] == [(32, 48), (48, 64)]


def test_scale_and_soft_clip_of_a_table_are_inverted(
    run_zoo: Run, checkpoint: str, model: Basenji, genome: Genome, tmp_path: Path
) -> None:
    for name in ("plus", "minus"):
        (tmp_path / f"{name}.bw").write_text("")  # it is not read
    lines = ["name\tpath\tscale\tsoft_clip", "minus\tminus.bw\t-0.5\t", "plus\tplus.bw\t\t0.25"]
    (tmp_path / "targets.tsv").write_text("\n".join(lines) + "\n")
    options = ["--contigs", "chr2", "--targets", "plus", "minus", "--inverse-transform", str(tmp_path / "targets.tsv")]
    code, _, err = run_zoo("predict", checkpoint, str(genome.path), *options, "-o", str(tmp_path / "tracks"))
    assert code == 0, err
    expected = slow(model, genome, "chr2")
    over = np.maximum(expected[0] - 0.25, 0)
    assert over.max() > 0
    for name, values in (("plus", expected[0] + over * (over + 1)), ("minus", expected[1] / -0.5)):
        with pyBigWig.open(str(tmp_path / "tracks" / f"{name}.bw")) as file:
            result = file.values("chr2", 0, 640, numpy=True)[::16]
        np.testing.assert_allclose(result, values, rtol=1e-4, atol=1e-5)
    (tmp_path / "targets.tsv").write_text("\n".join(lines[:2]) + "\n")
    code, _, err = run_zoo("predict", checkpoint, str(genome.path), *options, "-o", str(tmp_path / "other"))
    assert (code, "has no target 'plus', which is predicted" in err) == (2, True)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_region_is_drawn_with_what_was_measured(
    run_zoo: Run, checkpoint: str, genome: Genome, tmp_path: Path, ending: str
) -> None:
    with pyBigWig.open(str(tmp_path / "plus.bw"), "w") as file:
        file.addHeader(list(LENGTHS.items()))
        file.addEntries("chr1", 0, values=[3.0] * 500, span=10, step=10)
    (tmp_path / "targets.tsv").write_text("name\tpath\nplus\tplus.bw\n")
    picture = tmp_path / f"region.{ending}"
    options = ["--plot", "1:1,000-1,500", "--measured", str(tmp_path / "targets.tsv"), "-o", str(picture)]
    code, _, err = run_zoo("predict", checkpoint, str(genome.path), *options, "--targets", "plus", "minus")
    assert (code, err.strip()) == (0, f"{picture}: 1:1000-1500, 2 targets")
    head = picture.read_bytes()[:200]
    assert head.startswith(b"\x89PNG") if ending == "png" else b"<?xml" in head
    if ending == "svg":
        text = picture.read_text()
        assert "measured" in text
        assert "predicted" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "name a folder with -o"),
        (["-o", "x.txt", "--plot", "chr1:10-20"], "x.txt does not end in .png, .svg, .pdf"),
        (["-o", "x.png", "--plot", "chr1:20-10"], "the region 'chr1:20-10' is empty or reversed"),
        (["-o", "x.png", "--plot", "chr9"], "not of the form chrIX:100,000-110,000"),
        (["-o", "x.png", "--plot", "chr3:50-150"], "reaches past the end of chr3"),
        (["-o", "x.png", "--plot", "chr1:10-20", "--contigs", "chr1"], "not for BED or --plot"),
        (["-o", "x.png", "--plot", "chr1:10-20", "--batch-size", "0"], "a batch size of 0 is too small"),
        (["-o", "no/x.png", "--plot", "chr1:10-20"], "no/x.png cannot be written: there is no folder no"),
        (["-o", "x.png", "--plot", "chr1:1-10,000,003"], "has 10,000,002 bases: a picture shows up to 10,000,000"),
        (["-o", "x.svg", "--plot", "chr1:1-9", "--measured", "x.svg"], "x.svg is one of the files to be read"),
        (["-o", "x", "--measured", "t.tsv"], "--measured is for --plot"),
        (["-o", "x", "--inverse-transform", "t.tsv"], "t.tsv: no such file"),
        (["-o", "x.png", "--plot", "chr1:10-20", "--inverse-transform", "t.tsv"], "--inverse-transform is for bigWigs"),
        (["-o", "x", "--sequence-column", "seq"], "--sequence-column is for models of labels"),
        (["-o", "x", "--contigs", "chr7"], "'chr7' is not in the genome"),
        (["-o", "x", "--targets", "nope"], "no target 'nope'"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(
    run_zoo: Run,
    checkpoint: str,
    genome: Genome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run_zoo("predict", checkpoint, str(genome.path), *options)
    assert code == 2
    assert err.startswith("zoo: ")
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_bins_that_regions_share_are_counted_once(model: Basenji, genome: Genome) -> None:
    regions = [Interval("chr1", 5, 20), Interval("chr1", 10, 40), Interval("chr2", 0, 1), Interval("chr1", 100, 101)]
    assert TrackPredictor(model).plan(genome, regions).rows == 3 + 1 + 1


def test_a_failed_picture_leaves_the_old_one(run_zoo: Run, checkpoint: str, genome: Genome, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_text("before")
    options = ["--plot", "chr1:1000-1500", "--measured", str(tmp_path / "nothing.tsv"), "-o", str(picture)]
    code, _, err = run_zoo("predict", checkpoint, str(genome.path), *options)
    assert (code, picture.read_text()) == (2, "before")
    assert "nothing.tsv: no such file" in err
    assert list(tmp_path.iterdir()) == [picture]


def test_of_much_that_is_predicted_few_examples_are_stored() -> None:
    trunk = TrunkConfig(
        stem_filters=2, stem_pool=2, tower_filters=[2], tower_pools=[2], residual_filters=2, dilations=[1]
    )
    net = Basenji([str(i) for i in range(3000)], 1024, trunk, head_filters=2, crop_bins=8)
    assert example_for(net, 1024)["codes"].shape == (1, 1024)  # 720,000 values for each
    assert len(example_for(Basenji(["a"], 1024, trunk, head_filters=2, crop_bins=8), 1024)["codes"]) == 8


def test_what_was_measured_on_another_assembly_is_refused(
    run_zoo: Run, checkpoint: str, genome: Genome, tmp_path: Path
) -> None:
    with pyBigWig.open(str(tmp_path / "plus.bw"), "w") as file:
        file.addHeader([("chr1", 4000)])
        file.addEntries("chr1", 0, values=[3.0] * 400, span=10, step=10)
    (tmp_path / "targets.tsv").write_text("name\tpath\nplus\tplus.bw\n")
    options = ["--plot", "chr1:1000-1500", "--measured", str(tmp_path / "targets.tsv"), "-o", str(tmp_path / "a.png")]
    code, _, err = run_zoo("predict", checkpoint, str(genome.path), *options)
    assert code == 2
    assert "plus.bw is of another assembly than the genome: chr1 has 4,000 bases there and 5,003 in the FASTA" in err


def test_tracks_of_sequences_are_a_table_of_bins(model: Basenji, tmp_path: Path) -> None:
    found = predict_sequences(model, ["ACGT" * 96, "TTGA" * 96])
    found.write(tmp_path / "x.tsv")
    frame = pd.read_csv(tmp_path / "x.tsv", sep="\t")
    assert list(frame) == ["name", "bin_start", "bin_end", *model.output.targets]
    bins = found.values.shape[2]
    assert frame["name"].tolist() == ["sequence_1"] * bins + ["sequence_2"] * bins
    assert isinstance(model.output, Tracks)
    size, crop = model.output.bin_size, model.output.crop
    assert frame["bin_start"].tolist() == [crop + size * i for i in range(bins)] * 2
    assert (frame["bin_end"] - frame["bin_start"]).unique().tolist() == [size]
    for index, target in enumerate(model.output.targets):
        np.testing.assert_allclose(frame[target], found.values[:, index].reshape(-1), rtol=1e-6)
    pd.testing.assert_frame_equal(found.to_dataframe(), frame, check_dtype=False, rtol=1e-6)


def test_options_for_tracks_do_not_fit_labels(run_zoo: Run, tiny_checkpoint: Path, genome: Genome) -> None:
    code, _, err = run_zoo(
        "predict", f"local-dir:{tiny_checkpoint / 'mlp.tiny'}", str(genome.path), "--plot", "chr1:1-2"
    )
    assert code == 2
    assert "--plot is for models of tracks or contacts, and local-dir:" in err
    assert "mlp.tiny predicts labels;" in err
