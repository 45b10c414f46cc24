"""A case for every argument of `zoo mutagenesis`."""

from pathlib import Path
from typing import Any

import numpy as np
from commands.desk import SEQUENCES, Desk, case

Rows = dict[tuple[str, ...], list[float]]


def mutants(desk: Desk, *options: str, kind: str = "labels", source: str = "in.fa", leading: int = 1) -> Rows:
    """Name, mutant, position, ref, alt -> values, of what is printed."""
    lines = desk.run("mutagenesis", desk.made.models[kind], source, *options).splitlines()[1:]
    cells = [line.split("\t") for line in lines]
    return {tuple(row[: leading + 4]): list(map(float, row[leading + 4 :])) for row in cells}


def kinds(rows: Rows) -> dict[str, int]:
    names = [key[-4] for key in rows]
    return {name: names.count(name) for name in dict.fromkeys(names)}


@case("name", "mutagenesis")
@case("input", "mutagenesis")
def every_sequence_has_its_substitutions(desk: Desk) -> None:
    rows = mutants(desk)
    assert kinds(rows) == {"reference": 2, "substitution": 2 * 60}
    changed = SEQUENCES[1][:5] + "G" + SEQUENCES[1][6:]
    Path("changed.fa").write_text(f">whole\n{SEQUENCES[1]}\n>changed\n{changed}\n")
    (whole, mutant) = (float(value) for value in desk.predict("labels", source="changed.fa")["one"])
    assert abs(rows["s1", "reference", "0", "", ""][0] - whole) < 1e-6
    assert abs(rows["s1", "substitution", "5", SEQUENCES[1][5], "G"][0] - (mutant - whole)) < 1e-6
    assert "there is no model" in desk.refused("mutagenesis", "mlp.nothing", "in.fa")
    assert "no such file" in desk.refused("mutagenesis", desk.made.models["labels"], "nothing.fa").lower()


@case("--output", "mutagenesis")
def output_is_a_table_or_arrays(desk: Desk) -> None:
    name = desk.made.models["labels"]
    table = desk.run("mutagenesis", name, "in.fa")
    assert desk.run("mutagenesis", name, "in.fa", "-o", "a.tsv") == ""
    assert Path("a.tsv").read_text() == table
    desk.run("mutagenesis", name, "in.fa", "-o", "a.npz")
    with np.load("a.npz") as arrays:
        assert arrays["names"].tolist() == ["s0", "s1"]
        assert arrays["sequences"].tolist() == SEQUENCES
        assert (arrays["reference"].shape, arrays["substitutions"].shape) == ((2, 2), (2, 20, 4, 2))
    assert "tables end in" in desk.refused("mutagenesis", name, "in.fa", "-o", "a.xyz")
    calls: list[Any] = []

    def draw(picture: Path, *values: Any) -> None:
        picture.write_text("drawn")
        calls.append(values)

    desk.monkeypatch.setattr("zoo.plots.mutagenesis.draw_mutagenesis", draw)
    words = ["mutagenesis", name, "in.fa", "-o", "a.png"]
    desk.run(*words, "--targets", "two", "--span", "3-9")
    ((sequences, title),) = calls
    assert [(one.name, one.start, one.letters) for one in sequences] == [
        (f"s{index}", 3, text[3:9]) for index, text in enumerate(SEQUENCES)
    ]
    assert title.endswith(": two")
    with np.load("a.npz") as arrays:
        assert np.allclose(sequences[1].change, arrays["substitutions"][1, 3:9, :, 1], atol=1e-6)
    Path("a.png").unlink()
    assert "a picture is of one target, and there are 2" in desk.refused(*words)
    assert "leave out --deletions and --tile" in desk.refused(*words, "--targets", "two", "--deletions")
    Path("many.fa").write_text("".join(f">s{index}\n{SEQUENCES[0]}\n" for index in range(9)))
    err = desk.refused("mutagenesis", name, "many.fa", "-o", "a.png", "--targets", "two")
    assert "a picture has room for 8 sequences" in err


@case("--genome", "mutagenesis")
def genome_has_the_sites(desk: Desk) -> None:
    genome = str(desk.made.genome)
    of_bed = mutants(desk, "--genome", genome, source="a.bed", leading=4)
    assert kinds(of_bed) == {"reference": 2, "substitution": 120}
    of_region = mutants(desk, "--genome", genome, source="chr1:100-120", leading=4)
    first = [values for key, values in of_bed.items() if key[0] == "chr1"]
    assert list(of_region.values()) == first
    err = desk.refused("mutagenesis", desk.made.models["labels"], "a.bed")
    assert "a.bed holds intervals: name the genome with --genome" in err


@case("--targets", "mutagenesis")
def targets_are_chosen(desk: Desk) -> None:
    whole, chosen = mutants(desk), mutants(desk, "--targets", "two")
    assert {key: values[1:] for key, values in whole.items()} == chosen
    assert "no target 'three'" in desk.refused("mutagenesis", desk.made.models["labels"], "in.fa", "--targets", "three")


@case("--inputs", "mutagenesis")
def inputs_are_read_or_refused(desk: Desk) -> None:
    genome = ["--genome", str(desk.made.genome)]
    name, other = desk.made.with_inputs["labels"], desk.made.models["labels"]
    out = desk.run("mutagenesis", name, "a.bed", *genome, "--inputs", desk.made.inputs)
    predicted = desk.run("predict", name, "a.bed", *genome, "--inputs", desk.made.inputs)
    reference = [line.split("\t") for line in out.splitlines() if "\treference\t" in line]
    expected = [line.split("\t")[4:] for line in predicted.splitlines()[1:]]
    np.testing.assert_allclose(np.array([row[8:] for row in reference], float), np.array(expected, float), atol=1e-5)
    err = desk.refused("mutagenesis", name, "in.fa", "--inputs", desk.made.inputs)
    assert "--inputs needs coordinates" in err
    assert "name their table with --inputs" in desk.refused("mutagenesis", name, "a.bed", *genome)
    err = desk.refused("mutagenesis", other, "a.bed", *genome, "--inputs", desk.made.inputs)
    assert "the model reads the sequence alone: leave out --inputs" in err
    err = desk.refused("mutagenesis", name, "a.bed", *genome, "--inputs", desk.made.inputs, "--deletions")
    assert "deletions would move bases away from the tracks" in err


@case("--resize", "mutagenesis")
def resize_cuts_or_pads(desk: Desk) -> None:
    Path("long.fa").write_text(f">s0\nAC{SEQUENCES[0]}GT\n")
    assert "24 bases" in desk.refused("mutagenesis", desk.made.models["labels"], "long.fa")
    whole = {key: values for key, values in mutants(desk).items() if key[0] == "s0"}
    assert mutants(desk, "--resize", source="long.fa") == whole


@case("--span", "mutagenesis")
def span_has_the_positions(desk: Desk) -> None:
    whole, some = mutants(desk), mutants(desk, "--span", "3-5")
    subset = {key: values for key, values in whole.items() if key[1] == "substitution" and key[2] in ("3", "4")}
    assert list(subset) == [key for key in some if key[1] == "substitution"]
    np.testing.assert_allclose([some[key] for key in subset], list(subset.values()), atol=1e-6)
    for wrong, message in (("3", "FIRST-LAST"), ("5-5", "one or more"), ("3-21", "ends past the sequence's 20")):
        assert message in desk.refused("mutagenesis", desk.made.models["labels"], "in.fa", "--span", wrong)


@case("--bins", "mutagenesis")
def bins_are_summed(desk: Desk) -> None:
    words = ["--genome", str(desk.made.genome), "--span", "200-201"]
    for kind, source, bins in (("tracks", "chr1:0-384", 20), ("contacts", "chr1:0-1280", 16)):
        arguments: dict[str, Any] = {"kind": kind, "source": source, "leading": 4}
        whole = mutants(desk, *words, **arguments)
        assert mutants(desk, *words, "--bins", f"0-{bins}", **arguments) == whole
        assert mutants(desk, *words, "--bins", "2-9", **arguments) != whole
    assert "predicts labels" in desk.refused("mutagenesis", desk.made.models["labels"], "in.fa", "--bins", "0-1")


@case("--deletions", "mutagenesis")
def deletions_are_refilled(desk: Desk) -> None:
    rows = mutants(desk, "--deletions")
    assert kinds(rows) == {"reference": 2, "substitution": 120, "deletion": 40}
    Path("deleted.fa").write_text(f">d\n{SEQUENCES[0][:7]}{SEQUENCES[0][8:]}N\n>s\n{SEQUENCES[0]}\n")
    deleted, whole = (float(value) for value in desk.predict("labels", source="deleted.fa")["one"])
    assert abs(rows["s0", "deletion", "7", SEQUENCES[0][7], "-"][0] - (deleted - whole)) < 1e-6


@case("--tile", "mutagenesis")
def tiles_are_replaced(desk: Desk) -> None:
    rows = mutants(desk, "--tile", "8")
    tiles = [key[2:] for key in rows if key[:2] == ("s0", "tile")]
    bases = SEQUENCES[0]
    assert tiles == [("0", bases[:8], "N" * 8), ("8", bases[8:16], "N" * 8), ("16", bases[16:], "NNNN")]
    assert "a tile has 1 base or more" in desk.refused(
        "mutagenesis", desk.made.models["labels"], "in.fa", "--tile", "0"
    )


@case("--fill", "mutagenesis")
def fill_is_of_tiles(desk: Desk) -> None:
    unknown, shuffled = (mutants(desk, "--tile", "8", "--fill", fill) for fill in ("N", "shuffle"))
    assert unknown == mutants(desk, "--tile", "8")
    assert {key[4] for key in shuffled if key[1] == "tile"} == {"shuffle"}
    assert (
        unknown["s0", "tile", "0", SEQUENCES[0][:8], "N" * 8]
        != shuffled["s0", "tile", "0", SEQUENCES[0][:8], "shuffle"]
    )
    assert "with --tile" in desk.refused("mutagenesis", desk.made.models["labels"], "in.fa", "--fill", "N")


@case("--device", "mutagenesis")
def device_is_where_the_model_is_loaded(desk: Desk) -> None:
    devices = desk.devices()
    mutants(desk, "--device", "cpu")
    assert devices == ["cpu"]
    assert "is no device" in desk.refused("mutagenesis", desk.made.models["labels"], "in.fa", "--device", "tpu9")
