"""A case for every argument of `zoo variants`."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pysam
from commands.desk import Desk, case

from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.genome.sequence import decode, encode, reverse_complement
from zoo.hub.background import Background, read_background
from zoo.variants.outputs import PairOutputs
from zoo.variants.scorer import VariantScorer

Rows = list[dict[str, str]]
NOT_NUMBERS = ("chrom", "pos", "id", "ref", "alt", "strand", "note")


def other(base: str) -> str:
    return "ACGT"["ACGT".index(base) - 1]


def variants(desk: Desk, path: str = "v.tsv") -> str:
    """Write a substitution, a deletion and an insertion of the genome."""
    bases = Genome(desk.made.genome).sequence(Interval("chr1", 2_000, 2_004))
    rows = [(2_001, bases[0], other(bases[0])), (2_001, bases[:3], bases[0]), (2_001, bases[0], f"{bases[0]}ACCA")]
    Path(path).write_text("chrom\tpos\tref\talt\n" + "".join(f"chr1\t{p}\t{ref}\t{alt}\n" for p, ref, alt in rows))
    return path


def scored(desk: Desk, *options: str, kind: str = "labels", path: str = "", name: str = "") -> Rows:
    words = [] if "--genome" in options else ["--genome", str(desk.made.genome)]
    text = desk.run("variants", name or desk.made.models[kind], path or variants(desk), *words, *options)
    header, *rows = [line.split("\t") for line in text.splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


def refused(desk: Desk, *options: str, name: str = "") -> str:
    words = ["--genome", str(desk.made.genome), *options]
    return desk.refused("variants", name or desk.made.models["labels"], variants(desk), *words)


def numbers(rows: Rows) -> Any:
    return np.array([[float(row[name]) for name in row if name not in NOT_NUMBERS] for row in rows])


@case("name", "variants")
def name_is_the_model(desk: Desk) -> None:
    for kind, score in (("labels", "log_odds"), ("tracks", "log2_ratio"), ("contacts", "mean_change")):
        rows = scored(desk, kind=kind)
        assert list(rows[0])[6:9] == ["note", f"{score}:one", f"{score}:two"]
        assert np.isfinite(numbers(rows)).all()
    assert "there is no model 'mlp.nothing'" in refused(desk, name="mlp.nothing")
    with_inputs = desk.made.with_inputs["labels"]
    assert "the model reads 2 input tracks in addition to the sequence" in refused(desk, name=with_inputs)


@case("variants", "variants")
def variants_are_a_vcf_or_a_table(desk: Desk) -> None:
    table = scored(desk)
    lines = Path("v.tsv").read_text().splitlines()[1:]
    body = ["\t".join([*line.split("\t")[:2], ".", *line.split("\t")[2:], ".", ".", "."]) for line in lines]
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    Path("v.vcf").write_text(head + "\n".join(body) + "\n")
    assert scored(desk, path="v.vcf") == table
    genome = Genome(desk.made.genome)
    pairs = "name\tref_sequence\talt_sequence\n"
    text = genome.sequence(Interval("chr1", 1_990, 2_010))
    pairs += f"a\t{text}\t{text[:10]}{other(text[10])}{text[11:]}\n"
    Path("pairs.tsv").write_text(pairs)
    out = desk.run("variants", desk.made.models["labels"], "pairs.tsv").splitlines()
    assert out[1].split("\t")[7:] == list(table[0].values())[7:]
    assert "nothing.tsv: no such file" in desk.refused("variants", desk.made.models["labels"], "nothing.tsv")


@case("--genome", "variants")
def genome_is_that_of_the_variants(desk: Desk) -> None:
    model = desk.made.models["labels"]
    assert "--genome names the FASTA of the genome" in desk.refused("variants", model, variants(desk))
    Path("pairs.tsv").write_text(f"ref_sequence\talt_sequence\n{'ACGT' * 5}\t{'ACGT' * 4}AAAA\n")
    words = ["--genome", str(desk.made.genome)]
    assert "leave out --genome" in desk.refused("variants", model, "pairs.tsv", *words)
    Path("other.fa").write_text(f">chr1\n{'ACCA' * 800}\n")
    rows = scored(desk, "--genome", "other.fa", path="o.tsv") if other_variants() else []
    assert rows[0]["note"] == ""


def other_variants() -> bool:
    Path("o.tsv").write_text("chrom\tpos\tref\talt\n1\t2001\tA\tG\n")
    return True


@case("--output", "variants")
def output_is_a_table_or_the_vcf_again(desk: Desk) -> None:
    model, words = desk.made.models["labels"], ["--genome", str(desk.made.genome)]
    out = desk.run("variants", model, variants(desk), *words)
    desk.run("variants", model, "v.tsv", *words, "-o", "scores.tsv")
    assert Path("scores.tsv").read_text() == out
    assert "records of a VCF are written again only of a VCF" in refused(desk, "-o", "new.vcf")
    assert "tables end in" in refused(desk, "-o", "new.doc")
    variants_are_a_vcf_or_a_table(desk)
    for name in ("new.vcf", "new.vcf.gz", "new.bcf"):
        desk.run("variants", model, "v.vcf", *words, "-o", name)
        with pysam.VariantFile(name) as file:
            records = list(file)
        assert [record.alts for record in records] == [(row["alt"],) for row in scored(desk)]
        values = [record.info["ZOO_log_odds_one"][0] for record in records]
        assert np.allclose(values, [float(row["log_odds:one"]) for row in scored(desk)], atol=1e-6)
    code, _, err = desk.run_zoo("variants", model, "new.vcf", *words, "-o", "again.VCF")
    assert (code, Path("again.VCF").read_text()) == (0, Path("new.vcf").read_text())
    assert "zoo: new.vcf has ZOO_log_odds_one, ZOO_log_odds_two, " in err


@case("--hold", "variants")
def hold_is_the_side_that_stays(desk: Desk) -> None:
    left, right, both = (numbers(scored(desk, "--hold", side)) for side in ("left", "right", "both"))
    assert np.array_equal(left[0], right[0])  # a substitution moves nothing
    assert not np.allclose(left[1:], right[1:])
    assert np.allclose((left + right) / 2, both, rtol=1e-5, atol=1e-6)
    assert np.array_equal(numbers(scored(desk)), both)


@case("--shifts", "variants")
def shifts_are_a_mean(desk: Desk) -> None:
    single = [numbers(scored(desk, "--shifts", shift)) for shift in ("-2", "0", "1")]
    mean = numbers(scored(desk, "--shifts", "-2", "0", "1"))
    assert np.allclose(np.mean(single, 0), mean, rtol=1e-5, atol=1e-6)
    assert not np.allclose(single[0], single[1])
    assert "shifts are numbers of bases, at most 2" in refused(desk, "--shifts", "3")


@case("--both-strands", "variants")
def both_strands_are_averaged(desk: Desk) -> None:
    genome = Genome(desk.made.genome)
    window = encode(genome.sequence(Interval("chr1", 1_990, 2_010)))
    forward = numbers(scored(desk, "--scores", "ref"))[0]
    Path("in.fa").write_text(f">a\n{decode(reverse_complement(window))}\n")
    backward = [float(values[0]) for name, values in desk.predict("labels").items() if name in ("one", "two")]
    both = numbers(scored(desk, "--scores", "ref", "--both-strands"))[0]
    assert np.allclose((forward + backward) / 2, both, rtol=1e-5)
    assert not np.allclose(forward, both)


@case("--scores", "variants")
def scores_are_those_that_are_named(desk: Desk) -> None:
    rows = scored(desk, "--scores", "alt", "ref")
    assert list(rows[0])[7:] == ["alt:one", "alt:two", "ref:one", "ref:two"]
    assert "the model has no score 'jsd': it has log_odds, difference" in refused(desk, "--scores", "jsd")


@case("--targets", "variants")
def targets_are_those_that_are_named(desk: Desk) -> None:
    rows = scored(desk, "--targets", "two", "--scores", "alt")
    assert list(rows[0])[7:] == ["alt:two"]
    assert [row["alt:two"] for row in rows] == [row["alt:two"] for row in scored(desk, "--scores", "alt")]
    assert "three" in refused(desk, "--targets", "three")


@case("--within", "variants")
def within_are_the_bins_near_the_change(desk: Desk) -> None:
    near, all_bins = (numbers(scored(desk, *words, kind="tracks")) for words in (["--within", "40"], []))
    assert not np.allclose(near, all_bins)
    assert "within is for models of tracks; this one predicts labels" in refused(desk, "--within", "40")


@case("--plot", "variants")
def plot_draws_a_region_or_both_alleles(desk: Desk) -> None:
    calls: dict[str, tuple[Any, ...]] = {}
    for name in ("draw_effects", "draw_allele_tracks", "draw_allele_maps"):

        def draw(picture: Path, *values: Any, name: str = name) -> None:
            picture.write_text("drawn")
            calls[name] = values

        desk.monkeypatch.setattr(f"zoo.variants.picture.{name}", draw)
    text = Path(variants(desk)).read_text().replace("ref\talt", "ref\talt\tid")
    lines = [f"{line}\tv{number}" if number else line for number, line in enumerate(text.splitlines())]
    Path("ids.tsv").write_text("\n".join(lines) + "\n")
    words = ["ids.tsv", "--genome", str(desk.made.genome), "-o", "a.png", "--plot"]
    desk.run("variants", desk.made.models["labels"], *words, "1:1,990-2,001")
    region, positions, names, effects, score, title = calls["draw_effects"]
    assert (region, positions, names, score) == (("chr1", 1_990, 2_001), [2_000] * 3, ["v1", "v2", "v3"], "log_odds")
    assert np.allclose(effects["one"], [float(row["log_odds:one"]) for row in scored(desk)], rtol=1e-5, atol=1e-6)
    assert title.endswith(", 1:1,990-2,001")
    for kind, name in (("tracks", "draw_allele_tracks"), ("contacts", "draw_allele_maps")):
        desk.run("variants", desk.made.models[kind], *words, "v1")
        alleles, position = calls[name][2], calls[name][3]
        assert (list(alleles), position) == (["one", "two"], 2_000)
        difference = np.nansum(alleles["one"][1] - alleles["one"][0])
        rows = scored(desk, kind=kind)
        if kind == "tracks":
            assert np.isclose(difference, float(rows[0]["sum_difference:one"]), rtol=1e-3, atol=1e-4)
        else:
            changed = np.nanmax(np.abs(alleles["one"][1] - alleles["one"][0]))
            assert np.isclose(changed, float(rows[0]["max_change:one"]), rtol=1e-4)
    Path("coordinates.tsv").write_text(Path("ids.tsv").read_text().replace("v1", "chr1:2001-A-C"))
    desk.run("variants", desk.made.models["tracks"], "coordinates.tsv", *words[1:], "chr1:2001-A-C")
    assert calls["draw_allele_tracks"][3] == 2_000
    label = ["variants", desk.made.models["labels"], *words]
    assert "of labels, give a region" in desk.refused(*label, "v1")
    assert "no variant there can be scored" in desk.refused(*label, "1:10-20")
    assert "no variant has the ID 'v9'" in desk.refused("variants", desk.made.models["tracks"], *words, "v9")
    assert "--plot writes a picture" in refused(desk, "--plot", "chr1:1-9", "-o", "a.tsv")
    assert "leave out --devices" in refused(desk, "--plot", "chr1:1-9", "-o", "a.png", "--devices", "2")


@case("--resume", "variants")
def resume_goes_on_with_what_is_there(desk: Desk) -> None:
    desk.monkeypatch.setattr("zoo.variants.sources._BLOCK", 1)  # three blocks
    expected = desk.run("variants", desk.made.models["labels"], variants(desk), "--genome", str(desk.made.genome))
    words = ["v.tsv", "--genome", str(desk.made.genome), "-o", "out.tsv", "--resume"]
    batches = record(desk)
    rank = VariantScorer._of_outputs

    def stopping(scorer: VariantScorer, *rest: Any) -> Any:
        if len(batches) > 1:
            raise KeyboardInterrupt
        return rank(scorer, *rest)

    with desk.monkeypatch.context() as patch:
        patch.setattr("zoo.variants.scorer.VariantScorer._of_outputs", stopping)
        assert desk.run_zoo("variants", desk.made.models["labels"], *words)[0] != 0
    assert not Path("out.tsv").exists()
    assert len(list(Path("out.tsv.parts").glob("*.npz"))) == 1
    batches.clear()
    err = desk.refused("variants", desk.made.models["labels"], *words, "--hold", "left")
    assert "out.tsv.parts holds scores of another model, genome or options" in err
    code, _, err = desk.run_zoo("variants", desk.made.models["labels"], *words)
    assert (code, Path("out.tsv").read_text()) == (0, expected)
    assert "1 allele of an earlier command" in err
    assert len(batches) == 4  # of a deletion and an insertion, with either side held
    assert not Path("out.tsv.parts").exists()
    assert "--resume is for a file as output" in refused(desk, "--resume")


@case("--device", "variants")
def device_is_where_the_model_is_loaded(desk: Desk) -> None:
    devices = desk.devices()
    scored(desk, "--device", "cpu")
    assert devices == ["cpu"]
    assert "no device 'abacus'" in refused(desk, "--device", "abacus")


@case("--devices", "variants")
def devices_share_the_batches(desk: Desk) -> None:  # tests/variants/test_processes.py has two
    assert scored(desk, "--devices", "1") == scored(desk)
    assert "--devices is a number from 1 up, not 0" in refused(desk, "--devices", "0")


def record(desk: Desk) -> list[tuple[int, str]]:
    """Batches that will be scored: their sizes and precisions."""
    batches: list[tuple[int, str]] = []

    class Recording(PairOutputs):
        """Notes each batch."""

        def compute(self, reference: Any, *rest: Any) -> Any:
            batches.append((len(reference), self.precision))
            return super().compute(reference, *rest)

    desk.monkeypatch.setattr("zoo.variants.scorer.PairOutputs", Recording)
    return batches


@case("--batch-size", "variants")
def batch_size_is_that_of_every_batch(desk: Desk) -> None:
    before, batches = scored(desk), record(desk)
    assert np.allclose(numbers(scored(desk, "--batch-size", "2")), numbers(before), rtol=1e-5, atol=1e-6)
    assert {size for size, _ in batches} == {2}
    assert "a batch size of 0 is too small" in refused(desk, "--batch-size", "0")


@case("--precision", "variants")
def precision_is_that_of_the_arithmetic(desk: Desk) -> None:
    batches = record(desk)
    exact, rough = numbers(scored(desk)), numbers(scored(desk, "--precision", "bf16"))
    assert {precision for _, precision in batches} == {"32", "bf16"}
    assert np.allclose(exact, rough, atol=0.2)


def mine(desk: Desk, kind: str = "labels") -> str:
    """A copy of a model, which may be changed."""
    source = Path(desk.made.models[kind].removeprefix("local-dir:"))
    if not Path(source.name).exists():
        shutil.copytree(source, source.name)
    Path("vary.fa").write_text(f">a\n{Genome(desk.made.genome).sequence(Interval('chr1', 0, 3_000))}\n")
    return f"local-dir:{source.name}"


def background_of(desk: Desk, kind: str = "labels", *words: str) -> Background:
    name = mine(desk, kind)
    desk.run("background", name, "vary.fa", *words)
    background = read_background(Path(name.removeprefix("local-dir:")))
    assert background is not None
    return background


@case("name", "background")
def name_is_the_model_that_is_changed(desk: Desk) -> None:
    for kind, score in (("labels", "log_odds"), ("tracks", "log2_ratio"), ("contacts", "mean_change")):
        assert background_of(desk, kind, "--variants", "20").score == score
    rows = scored(desk, name=mine(desk))
    assert list(rows[0])[-4:] == ["percentile:one", "percentile:two", "z_score:one", "z_score:two"]
    assert all(0 <= float(row["percentile:one"]) <= 100 for row in rows)
    assert "percentile:one" not in scored(desk, "--scores", "ref", name=mine(desk))[0]
    assert "percentile:two" in scored(desk, "--targets", "two", name=mine(desk))[0]
    assert "there is no model 'mlp.nothing'" in desk.refused("background", "mlp.nothing")
    words = ("background", desk.made.with_inputs["labels"], "vary.fa")
    assert "the model reads 2 input tracks in addition to the sequence" in desk.refused(*words)


@case("sequences", "background")
def sequences_are_those_that_are_varied(desk: Desk) -> None:
    assert background_of(desk).source == "sequences of vary.fa"
    Path("short.fa").write_text(">a\nACGT\n")
    assert "no sequence has the 20 bases" in desk.refused("background", mine(desk), "short.fa")
    assert "nothing.fa: no such file" in desk.refused("background", mine(desk), "nothing.fa")
    assert "it is not known on which data local-dir:mlp.labels was trained: name data" in desk.refused(
        "background", mine(desk)
    )


@case("--variants", "background")
def variants_are_their_number(desk: Desk) -> None:
    assert background_of(desk, "labels", "--variants", "12").variants == 12
    assert background_of(desk).variants == 4_000
    assert "9 variants say nothing" in desk.refused("background", mine(desk), "vary.fa", "--variants", "9")


@case("--seed", "background")
def seed_draws_others(desk: Desk) -> None:
    first, again, other = (background_of(desk, "labels", "--seed", seed).mean.tolist() for seed in ("1", "1", "2"))
    assert first == again != other
    assert background_of(desk).mean.tolist() == first


@case("--device", "background")
def device_is_where_it_is_computed(desk: Desk) -> None:
    assert background_of(desk, "labels", "--device", "cpu").variants == 4_000
    assert "no device 'abacus'" in desk.refused("background", mine(desk), "vary.fa", "--device", "abacus")
