"""A case for every argument of `zoo evaluate`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
from commands.desk import Desk, case
from made.models import CONTIGS

LENGTH = 20


def sequences(count: int = 12, length: int = LENGTH, seed: int = 0) -> list[str]:
    rows = np.random.default_rng(seed).choice(list("ACGT"), (count, length))
    return ["".join(row) for row in rows]


def fasta(name: str, rows: list[str]) -> str:
    Path(name).write_text("".join(f">{index}\n{row}\n" for index, row in enumerate(rows)))
    return name


def labelled(header: str = "sequence\tone\ttwo") -> str:
    """A table of sequences with labels 0 and 1 of both targets."""
    lines = (f"{row}\t{index % 2}\t{index // 2 % 2}\n" for index, row in enumerate(sequences()))
    Path("t.tsv").write_text(f"{header}\n{''.join(lines)}")
    return "t.tsv"


def evaluated(desk: Desk, *words: str, kind: str = "labels") -> dict[str, Any]:
    """The JSON of an evaluation on the processor."""
    device = [] if "--device" in words else ["--device", "cpu"]
    desk.run("evaluate", desk.made.models[kind], *words, *device, "-o", "e.json")
    content: dict[str, Any] = json.loads(Path("e.json").read_text())
    return content


def tracks(desk: Desk) -> list[str]:
    """A bigWig for the target one, and the genome."""
    with pyBigWig.open("one.bw", "w") as file:
        file.addHeader(list(CONTIGS.items()))
        for name, size in CONTIGS.items():
            values = np.random.default_rng(0).uniform(0, 4, size // 4)
            file.addEntries(name, 0, values=values.tolist(), span=4, step=4)
    return ["one.bw", "--genome", str(desk.made.genome)]


@case("name", "evaluate")
def the_model_is_named(desk: Desk) -> None:
    assert evaluated(desk, labelled())["model"] == desk.made.models["labels"]
    assert "there is no model" in desk.refused("evaluate", "deepbind.nothing", "t.tsv")


@case("files", "evaluate")
def files_are_the_data(desk: Desk) -> None:
    content = evaluated(desk, labelled())
    assert (content["targets"], content["units"], content["data"]) == (["one", "two"], 12, "t.tsv")
    assert content["split"] == "all"  # the table has no column of splits
    assert "no.fa: no such file" in desk.refused("evaluate", desk.made.models["labels"], "no.fa")


@case("--data", "evaluate")
def data_is_the_same_as_files(desk: Desk) -> None:
    assert evaluated(desk, "--data", labelled()) == evaluated(desk, labelled())


@case("--output", "evaluate")
def output_is_written(desk: Desk) -> None:
    desk.run("evaluate", desk.made.models["labels"], labelled(), "-o", "e.tsv", "--device", "cpu")
    assert Path("e.tsv").read_text().startswith("target\tmetric\tvalue\tlow\thigh\tobserved\none\tauroc\t")
    assert ".json, .tsv, .csv" in desk.refused("evaluate", desk.made.models["labels"], "t.tsv", "-o", "e.txt")


@case("--negatives", "evaluate")
def negatives_are_counted_as_zero(desk: Desk) -> None:
    content = evaluated(desk, f"one={fasta('a.fa', sequences())}", "--negatives", fasta("n.fa", sequences(seed=1)))
    assert (content["units"], content["targets"]) == (24, ["one"])
    assert "not evaluated: 1 target of the model that the data do not have, two" in content["notes"]
    without = evaluated(desk, "one=a.fa")
    assert "negatives: a dinucleotide-preserving shuffle of each sequence, for none were given" in without["notes"]


@case("--genome", "evaluate")
def genome_is_that_of_the_windows(desk: Desk) -> None:
    assert evaluated(desk, *tracks(desk), kind="tracks")["unit"].startswith("window of")
    assert "add its FASTA file with --genome" in desk.refused("evaluate", desk.made.models["tracks"], "one.bw")


@case("--contigs", "evaluate")
def contigs_restrict_the_windows(desk: Desk) -> None:
    words = tracks(desk)
    everywhere, there = (evaluated(desk, *words, *more, kind="tracks") for more in ([], ["--contigs", "chr1"]))
    assert 0 < there["units"] < everywhere["units"]


@case("--blacklist", "evaluate")
def blacklisted_regions_do_not_count(desk: Desk) -> None:
    words = tracks(desk)
    Path("b.bed").write_text("chr1\t0\t1000\n")
    whole, less = (evaluated(desk, *words, *more, kind="tracks") for more in ([], ["--blacklist", "b.bed"]))
    assert less["observed"][0] < whole["observed"][0]


@case("--inputs", "evaluate")
def inputs_are_of_models_that_read_some(desk: Desk) -> None:
    words = tracks(desk)
    model = desk.made.with_inputs["tracks"]
    desk.run("evaluate", model, *words, "--inputs", desk.made.inputs, "--device", "cpu", "-o", "e.json")
    assert json.loads(Path("e.json").read_text())["targets"] == ["one"]
    Path("e.json").unlink()
    assert "name their table with --inputs" in desk.refused("evaluate", model, *words)
    alone = desk.made.models["tracks"]
    assert "reads the sequence alone" in desk.refused("evaluate", alone, *words, "--inputs", desk.made.inputs)


@case("--match", "evaluate")
def match_pairs_other_names(desk: Desk) -> None:
    content = evaluated(desk, labelled("sequence\tx\ttwo"), "--match", "x=one")
    assert content["targets"] == ["one", "two"]
    assert "x is taken for the target one" in content["notes"]
    assert "--match y: write NAME=TARGET" in desk.refused(
        "evaluate", desk.made.models["labels"], "t.tsv", "--match", "y"
    )


@case("--targets", "evaluate")
def targets_are_chosen(desk: Desk) -> None:
    whole, two = evaluated(desk, labelled()), evaluated(desk, "t.tsv", "--targets", "two")
    assert two["targets"] == ["two"]
    assert two["scores"]["auroc"] == whole["scores"]["auroc"][1:]


@case("--split", "evaluate")
def split_is_of_data_that_have_them(desk: Desk) -> None:
    words = ["train", "val", "test", "test"] * 3
    lines = (f"{row}\t{i // 4 % 2}\t{word}\n" for i, (row, word) in enumerate(zip(sequences(), words, strict=True)))
    Path("s.tsv").write_text("sequence\tone\tsplit\n" + "".join(lines))
    units = [evaluated(desk, "s.tsv", *more)["units"] for more in ([], ["--split", "val"], ["--split", "all"])]
    assert units == [6, 3, 12]
    refused = desk.refused("evaluate", desk.made.models["labels"], labelled(), "--split", "val")
    assert "--split val is for data that have splits" in refused


@case("--measurements", "evaluate")
def measurements_are_scored_by_correlation(desk: Desk) -> None:
    assert "auroc" in evaluated(desk, labelled())["scores"]
    assert "pearson" in evaluated(desk, labelled(), "--measurements")["scores"]
    words = [f"one={fasta('a.fa', sequences())}", "--measurements"]
    assert "--measurements is not for data of this kind" in desk.refused("evaluate", desk.made.models["labels"], *words)


@case("--resize", "evaluate")
def resize_cuts_and_pads(desk: Desk) -> None:
    long = [f"AC{row}GT" for row in sequences()]
    whole = evaluated(desk, f"one={fasta('a.fa', sequences())}", "--negatives", fasta("n.fa", sequences(seed=1)))
    words = f"one={fasta('l.fa', long)}", "--negatives", "n.fa"
    assert evaluated(desk, *words, "--resize")["scores"] == whole["scores"]
    Path("e.json").unlink()
    assert "the sequence has 24 bases; the model takes 20" in desk.refused(
        "evaluate", desk.made.models["labels"], *words
    )


@case("--smooth", "evaluate")
def smooth_is_of_contact_maps(desk: Desk) -> None:
    refused = desk.refused("evaluate", desk.made.models["labels"], labelled(), "--smooth", "1")
    assert "--smooth is not for data of this kind" in refused


@case("--bootstrap", "evaluate")
def bootstrap_is_the_number_of_resamples(desk: Desk) -> None:
    without = evaluated(desk, labelled(), "--bootstrap", "0")
    assert (without["resamples"], without["means"]["auroc"]["low"]) == (0, None)
    refused = desk.refused("evaluate", desk.made.models["labels"], "t.tsv", "--bootstrap", "-1")
    assert "numbers from 0 up" in refused


@case("--confidence", "evaluate")
def confidence_widens_intervals(desk: Desk) -> None:
    narrow, wide = (evaluated(desk, labelled(), "--confidence", value)["means"]["auroc"] for value in ("0.5", "0.99"))
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


@case("--seed", "evaluate")
def seed_gives_other_resamples(desk: Desk) -> None:
    first, again, other = (evaluated(desk, labelled(), "--seed", value)["means"] for value in ("1", "1", "2"))
    assert first == again != other


@case("--device", "evaluate")
def device_is_where_the_model_runs(desk: Desk) -> None:
    assert evaluated(desk, labelled(), "--device", "cpu")["units"] == 12
    assert "no device 'abacus'" in desk.refused("evaluate", desk.made.models["labels"], "t.tsv", "--device", "abacus")


@case("--devices", "evaluate")
def devices_share_the_data(desk: Desk) -> None:  # tests/evaluation/test_run.py has two
    refused = desk.refused("evaluate", desk.made.models["labels"], labelled(), "--devices", "0", "--device", "cpu")
    assert "devices is a number from 1 up" in refused


@case("--batch-size", "evaluate")
def batch_size_is_that_of_the_data(desk: Desk) -> None:
    sizes: list[int] = []
    from zoo.data.labels import LabelsDataModule

    test_loader = LabelsDataModule.test_dataloader

    def recording(self: Any) -> Any:
        loader = test_loader(self)
        sizes.extend(len(batch.codes) for batch in loader)
        return loader

    desk.monkeypatch.setattr(LabelsDataModule, "test_dataloader", recording)
    evaluated(desk, labelled(), "--batch-size", "5")
    assert sizes == [5, 5, 2]
    refused = desk.refused("evaluate", desk.made.models["labels"], "t.tsv", "--batch-size", "0")
    assert "batch" in refused


@case("--precision", "evaluate")
def precision_is_that_of_the_arithmetic(desk: Desk) -> None:
    exact, rough = (evaluated(desk, *tracks(desk), "--precision", value, kind="tracks") for value in ("32", "bf16"))
    assert exact["means"]["pearson"]["value"] != rough["means"]["pearson"]["value"]
    assert abs(exact["means"]["pearson"]["value"] - rough["means"]["pearson"]["value"]) < 0.05


@case("--strict-split", "evaluate")
def strict_split_refuses_what_is_not_known(desk: Desk) -> None:  # tests/hub/test_seen.py has what is known
    refused = desk.refused("evaluate", desk.made.models["labels"], labelled(), "--strict-split")
    assert "--strict-split: whether mlp.labels has seen these data in training is not known" in refused
