"""A case for every argument of `zoo predict`, for each kind of model that has it."""

from pathlib import Path
from typing import Any

import cooler
import numpy as np
import pandas as pd
import pyBigWig
from commands.desk import SEQUENCES, Desk, case
from made.contacts import bins_of
from made.models import CONTIGS

from zoo.commands.predict.options import KINDS
from zoo.data.tracks.inputs import InputTracks
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval

EVERY_KIND = tuple(f"predict {kind}" for kind in KINDS)
OF_REGIONS = tuple(f"predict {kind}" for kind in ("tracks", "contacts"))


@case("name", *EVERY_KIND)
def name_chooses_the_model(desk: Desk, kind: str) -> None:
    assert list(desk.predict(kind))[-2:] == (["one", "two"])
    assert "there is no model 'mlp.nothing'" in desk.refused("predict", "mlp.nothing", desk.source(kind))


@case("input", *EVERY_KIND)
def input_is_predicted(desk: Desk, kind: str) -> None:
    before = desk.predict(kind)
    letters = SEQUENCES[1] if kind == "labels" else "ACCA" * 320
    Path("other.fa").write_text(f">chr1\n{letters}\n")
    after = desk.predict(kind, source="other.fa")
    assert len(str(after)) != len(str(before))
    assert "nothing.fa: no such file" in desk.refused("predict", desk.made.models[kind], "nothing.fa")


@case("--output", *EVERY_KIND)
def output_names_what_is_written(desk: Desk, kind: str) -> None:
    path = {"labels": "table.tsv", "tracks": "folder", "contacts": "maps"}[kind]
    desk.run("predict", desk.made.models[kind], desk.source(kind), "-o", path)
    if kind == "labels":
        assert Path(path).read_text() == desk.run("predict", desk.made.models[kind], "in.fa")
        return
    ending = {"tracks": "bw", "contacts": "cool"}[kind]
    assert sorted(file.name for file in Path(path).iterdir()) == [f"one.{ending}", f"two.{ending}"]
    assert "not written to standard output" in desk.refused("predict", desk.made.models[kind], desk.source(kind))


@case("--genome", *EVERY_KIND)
def genome_is_read_for_bed(desk: Desk, kind: str) -> None:
    bed = "a.bed" if kind == "labels" else "regions.bed"
    result = desk.predict(kind, "--genome", str(desk.made.genome), source=bed)
    assert "holds intervals: name the genome with --genome" in desk.refused("predict", desk.made.models[kind], bed)
    if kind == "labels":
        genome = Genome(desk.made.genome)
        sites = [Interval("chr1", 100, 120), Interval("chr2", 60, 80)]
        Path("same.fa").write_text("".join(f">s\n{genome.sequence(site)}\n" for site in sites))
        assert result["one"] == desk.predict(kind, source="same.fa")["one"]
    elif kind == "tracks":
        assert np.flatnonzero(~np.isnan(result["one"]["chr1"])).tolist() == list(range(992, 3008))
    else:
        assert list(result["one"]) == ["chr1:960-3008"]
    if kind != "labels":
        words = ["--genome", str(desk.made.genome), "--plot", "chr1:1000-3000", "-o", "a.png"]
        assert "leave out --genome" in desk.refused("predict", desk.made.models[kind], bed, *words)


@case("--targets", *EVERY_KIND)
def targets_are_chosen_in_their_order(desk: Desk, kind: str) -> None:
    whole, chosen = desk.predict(kind), desk.predict(kind, "--targets", "two")
    assert [name for name in chosen if name != "name"] == ["two"]
    np.testing.assert_equal(chosen["two"], whole["two"])
    words = ["-o", "new", "--targets", "three"]
    assert "no target 'three'; it has one, two" in desk.refused(
        "predict", desk.made.models[kind], desk.source(kind), *words
    )


@case("--inputs", *EVERY_KIND)
def inputs_are_read_or_refused(desk: Desk, kind: str) -> None:
    ending = {"labels": ".tsv", "tracks": "", "contacts": ".npz"}[kind]
    options = ["--genome", str(desk.made.genome), "--inputs", desk.made.inputs, "-o", f"new{ending}"]
    bed = "a.bed" if kind == "labels" else "regions.bed"
    opened: list[str] = []

    class Recording(InputTracks):
        def __init__(self, table: str, *others: Any, **more: Any) -> None:
            opened.append(table)
            super().__init__(table, *others, **more)

    desk.monkeypatch.setattr("zoo.data.tracks.inputs.InputTracks", Recording)
    desk.run("predict", desk.made.with_inputs[kind], bed, *options)
    assert opened == [desk.made.inputs]  # tests/inference/test_inputs.py compares the values
    err = desk.refused("predict", desk.made.models[kind], bed, *options[:4], "-o", f"other{ending}")
    assert "the model reads the sequence alone: leave out --inputs" in err
    err = desk.refused("predict", desk.made.with_inputs[kind], bed, *options[:2], "-o", f"other{ending}")
    assert "name their table with --inputs" in err


@case("--device", *EVERY_KIND)
def device_is_where_the_model_is_loaded(desk: Desk, kind: str) -> None:
    devices = desk.devices()
    desk.predict(kind, "--device", "cpu")
    assert devices == ["cpu"]
    words = ["--device", "abacus", "-o", "new"]
    assert "no device 'abacus'" in desk.refused("predict", desk.made.models[kind], desk.source(kind), *words)


@case("--devices", *EVERY_KIND)
def devices_share_the_batches(desk: Desk, kind: str) -> None:  # tests/inference/test_processes.py has two
    before = desk.predict(kind)
    assert list(desk.predict(kind, "--devices", "1")) == list(before)
    words = [desk.source(kind), "-o", "new", "--devices", "0"]
    assert "--devices is a number from 1 up, not 0" in desk.refused("predict", desk.made.models[kind], *words)


@case("--batch-size", *EVERY_KIND)
def batch_size_is_that_of_every_batch(desk: Desk, kind: str) -> None:
    batches = desk.record(kind)
    Path("in.fa").write_text("".join(f">s{i}\n{SEQUENCES[i % 2]}\n" for i in range(7)))
    before = desk.predict(kind)
    first = len(batches)
    after = desk.predict(kind, "--batch-size", "3")
    sizes = [size for size, _ in batches[first:]]
    assert max(sizes) == 3
    assert sum(sizes) == sum(size for size, _ in batches[:first])
    assert list(after) == list(before)
    words = ["--batch-size", "0", "-o", "new"]
    err = desk.refused("predict", desk.made.models[kind], desk.source(kind), *words)
    assert "a batch size of 0 is too small" in err


@case("--precision", *EVERY_KIND)
def precision_is_that_of_the_arithmetic(desk: Desk, kind: str) -> None:
    batches = desk.record(kind)
    desk.predict(kind)
    assert {lower for _, lower in batches} == {False}
    batches.clear()
    desk.predict(kind, "--precision", "bf16")
    assert {lower for _, lower in batches} == {True}


# predict: labels.


@case("--resize", "predict labels")
def resize_takes_the_length_of_the_model(desk: Desk, kind: str) -> None:
    Path("wide.bed").write_text("chr1\t50\t170\tsite\n")
    words = ["--genome", str(desk.made.genome)]
    result = desk.predict(kind, *words, "--resize", source="wide.bed")
    assert result["one"] == desk.predict(kind, *words, source="a.bed")["one"][:1]
    assert "cuts or pads to 20 bases" in desk.refused("predict", desk.made.models[kind], "wide.bed", *words)
    Path("other.fa").write_text(f">a\nCC{SEQUENCES[0]}GG\n>b\n{SEQUENCES[1][1:-1]}\n")
    Path("same.fa").write_text(f">a\n{SEQUENCES[0]}\n>b\nN{SEQUENCES[1][1:-1]}N\n")
    assert desk.predict(kind, "--resize", source="other.fa") == desk.predict(kind, source="same.fa")
    err = desk.refused("predict", desk.made.models[kind], "other.fa")
    assert "2 of 2 sequences do not have the 20 bases that the model takes, but 18 to 24 bases (a, b): --resize" in err
    words = ["--resize", "--tile", "3"]
    assert "choose one" in desk.refused("predict", desk.made.models[kind], "other.fa", *words)


@case("--tile", "predict labels")
def tile_predicts_windows(desk: Desk, kind: str) -> None:
    text = SEQUENCES[0] + SEQUENCES[1]
    Path("long.fa").write_text(f">a\n{text}\n")
    Path("cut.fa").write_text("".join(f">a\n{text[start : start + 20]}\n" for start in (0, 8, 16, 20)))
    result = desk.predict(kind, "--tile", "8", source="long.fa")
    assert list(result) == ["name", "start", "end", "one", "two"]
    assert (result["start"], result["end"]) == (["0", "8", "16", "20"], ["20", "28", "36", "40"])
    cut = desk.predict(kind, source="cut.fa")
    assert result["name"] == cut["name"]
    for target in ("one", "two"):  # up to the order of sums, which may differ between windows and sequences
        np.testing.assert_allclose(np.float64(result[target]), np.float64(cut[target]), rtol=1e-5)
    assert "from 1 up, not 0" in desk.refused("predict", desk.made.models[kind], "long.fa", "--tile", "0")


@case("--best", "predict labels")
def best_is_the_highest_window(desk: Desk, kind: str) -> None:
    Path("long.fa").write_text(f">a\n{SEQUENCES[0] + SEQUENCES[1]}\n>b\n{SEQUENCES[1]}\n")
    words = ["--tile", "8", "--targets", "two"]
    every, best = (desk.predict(kind, *words, *more, source="long.fa") for more in ([], ["--best"]))
    highest = max(range(4), key=lambda i: float(every["two"][i]))
    assert best == {name: [cells[highest], cells[4]] for name, cells in every.items()}
    assert "name the step" in desk.refused("predict", desk.made.models[kind], "long.fa", "--best")


@case("--keep", "predict labels")
def keep_writes_columns_of_the_table(desk: Desk, kind: str) -> None:
    rows = [f"{name}\t{sequence}\t{number}" for name, sequence, number in zip("ab", SEQUENCES, "78", strict=True)]
    Path("in.tsv").write_text("\n".join(["id\tsequence\tscore", *rows]) + "\n")
    plain, kept = desk.predict(kind, source="in.tsv"), desk.predict(kind, "--keep", "score", source="in.tsv")
    assert list(kept) == ["name", "score", "one", "two"]
    assert kept == {**plain, "score": ["7", "8"]}
    assert desk.predict(kind, "--keep", "all", source="in.tsv") == kept
    name = desk.made.models[kind]
    assert "no column 'mark' to --keep; it has id, sequence, score" in desk.refused(
        "predict", name, "in.tsv", "--keep", "mark"
    )
    assert "is no table" in desk.refused("predict", name, "in.fa", "--keep", "score")
    err = desk.refused("predict", name, "a.bed", "--genome", str(desk.made.genome), "--keep", "score")
    assert "--keep is for a table" in err


@case("--sequence-column", "predict labels")
def sequence_column_is_read(desk: Desk, kind: str) -> None:
    Path("in.tsv").write_text(f"sequence\tother\n{SEQUENCES[0]}\t{SEQUENCES[1]}\n")
    whole = desk.predict(kind)
    assert desk.predict(kind, source="in.tsv")["one"] == whole["one"][:1]
    assert desk.predict(kind, "--sequence-column", "other", source="in.tsv")["one"] == whole["one"][1:]
    name, words = desk.made.models[kind], ["--sequence-column", "other"]
    assert "in.fa is FASTA" in desk.refused("predict", name, "in.fa", *words)
    err = desk.refused("predict", name, "a.bed", "--genome", str(desk.made.genome), *words)
    assert "--sequence-column is for a table of sequences" in err


# predict: tracks and contacts.


@case("--contigs", *OF_REGIONS)
def contigs_are_those_predicted(desk: Desk, kind: str) -> None:
    result = desk.predict(kind, "--contigs", "2")["one"]
    if kind == "tracks":
        assert [contig for contig, values in result.items() if not np.isnan(values).all()] == ["chr2"]
    else:
        assert list(result) == ["chr2:128-1152"]
    name, words = desk.made.models[kind], ["--contigs", "chr2", "-o", "new.png"]
    for other in (["--genome", str(desk.made.genome)], ["--plot", "chr1:1000-3000"]):
        err = desk.refused("predict", name, "regions.bed" if "--genome" in other else "in.fa", *other, *words)
        assert "--contigs is for a FASTA as INPUT" in err


@case("--plot", *OF_REGIONS)
def plot_draws_a_region(desk: Desk, kind: str) -> None:
    contig, start, *_ = desk.plot(kind)
    assert contig == "chr1"
    assert (int(start) if kind == "contacts" else int(start[0])) == {"tracks": 992, "contacts": 960}[kind]
    assert Path("a.png").read_text() == "drawn"


@case("--measured", *OF_REGIONS)
def measured_values_are_drawn(desk: Desk, kind: str) -> None:
    if kind == "tracks":
        with pyBigWig.open("one.bw", "w") as file:
            file.addHeader(list(CONTIGS.items()))
            file.addEntries("chr1", 0, values=[2.0] * 5_003, span=1, step=1)
        Path("table.tsv").write_text("name\tpath\none\tone.bw\n")
        measured = desk.plot(kind, "--measured", "table.tsv")[3]
        assert list(measured) == ["one"]
        assert set(measured["one"].tolist()) == {2.0}
        assert desk.plot(kind)[3] == {}
    else:
        assert desk.plot(kind)[4] is None
        assert np.isfinite(desk.plot(kind, "--measured", write_cooler())[4]).any()
    words = ["-o", "new", "--measured", "table.tsv"]
    err = desk.refused("predict", desk.made.models[kind], str(desk.made.genome), *words)
    assert "--measured is for --plot" in err


def write_cooler() -> str:
    """A balanced cooler of the genome with random contacts."""
    rng = np.random.default_rng(6)
    table = bins_of(CONTIGS, 64).assign(weight=1.0)
    row, column = np.triu_indices(len(table))
    count = rng.poisson(3_000 / (1 + column - row))
    same = table["chrom"].to_numpy()[row] == table["chrom"].to_numpy()[column]
    pixels = pd.DataFrame({"bin1_id": row, "bin2_id": column, "count": count})[same & (count > 0)]
    cooler.create_cooler("measured.cool", table, pixels, ordered=True)
    return "measured.cool"


@case("--same-scale", "predict tracks")
def same_scale_is_drawn(desk: Desk, kind: str) -> None:
    assert [desk.plot(kind)[6], desk.plot(kind, "--same-scale")[6]] == [False, True]
    assert desk.plot(kind)[5] == {"one": "unit", "two": "unit"}
    words = ["-o", "new", "--same-scale"]
    assert "--same-scale is for --plot" in desk.refused(
        "predict", desk.made.models[kind], str(desk.made.genome), *words
    )


@case("--inverse-transform", "predict tracks")
def inverse_transform_changes_the_bigwigs(desk: Desk, kind: str) -> None:
    for name in ("one", "two"):
        Path(f"{name}.bw").touch()  # not read
    Path("table.tsv").write_text("name\tpath\tscale\none\tone.bw\t0.5\ntwo\ttwo.bw\t\n")
    before, after = desk.predict(kind), desk.predict(kind, "--inverse-transform", "table.tsv")
    np.testing.assert_allclose(after["one"]["chr1"], before["one"]["chr1"] * 2, rtol=1e-5)
    np.testing.assert_array_equal(after["two"]["chr1"], before["two"]["chr1"])
    words = ["--inverse-transform", "table.tsv", "--plot", "chr1:1000-3000", "-o", "a.png"]
    assert "is for bigWigs" in desk.refused("predict", desk.made.models[kind], str(desk.made.genome), *words)


@case("--expected", "predict contacts")
def expected_contacts_scale_the_coolers(desk: Desk, kind: str) -> None:
    rows = [f"chr1\tchr1\t{distance}\t10\t5.0" for distance in range(2, 40)]
    Path("expected.tsv").write_text("\n".join(["region1\tregion2\tdist\tn_valid\tbalanced.avg", *rows]) + "\n")
    options = [desk.made.models[kind], str(desk.made.genome), "--contigs", "chr2", "--targets", "one"]
    desk.run("predict", *options, "-o", "log.cool")
    desk.run("predict", *options, "-o", "contacts.cool", "--expected", "expected.tsv")
    log, contacts = (cooler.Cooler(path).pixels()[:]["count"].to_numpy() for path in ("log.cool", "contacts.cool"))
    np.testing.assert_allclose(contacts, 5 * np.exp(log), rtol=1e-5)
    for words in (["-o", "a.npz"], ["-o", "a.png", "--plot", "chr1:1000-3000"]):
        plain = [word for word in options if "--plot" not in words or word not in ("--contigs", "chr2")]
        assert "--expected is for coolers" in desk.refused("predict", *plain, *words, "--expected", "expected.tsv")


@case("--step", "predict contacts")
def step_is_that_of_the_windows(desk: Desk, kind: str) -> None:
    batches = desk.record(kind)
    desk.predict(kind, "--contigs", "chr1")
    usual = len(batches)
    desk.predict(kind, "--contigs", "chr1", "--step", "4")
    assert (usual, len(batches) - usual) == (9, 16)
    words = ["--step", "17", "-o", "new"]
    assert "choose a smaller --step" in desk.refused("predict", desk.made.models[kind], str(desk.made.genome), *words)


@case("--bed", "predict contacts")
def bed_intervals_are_drawn(desk: Desk, kind: str) -> None:
    assert desk.plot(kind)[5] == {}
    assert desk.plot(kind, "--bed", "regions.bed")[5] == {"regions.bed": [Interval("chr1", 1000, 3000)]}
    words = ["-o", "new", "--bed", "regions.bed"]
    assert "--bed is for --plot" in desk.refused("predict", desk.made.models[kind], str(desk.made.genome), *words)


@case("--smooth", "predict contacts")
def smooth_filters_the_measured_map(desk: Desk, kind: str) -> None:
    path = write_cooler()
    plain, smooth = (desk.plot(kind, "--measured", path, *more)[4] for more in ([], ["--smooth", "2"]))
    assert np.nanstd(np.diff(smooth)) < np.nanstd(np.diff(plain)) / 2
    words = ["-o", "a.png", "--plot", "chr1:1000-3000", "--smooth", "2"]
    err = desk.refused("predict", desk.made.models[kind], str(desk.made.genome), *words)
    assert "--smooth is for the map that is --measured" in err
