"""A case for every argument of the verbs but `predict` and `data`, which have files of their own."""

import json
import re
import shutil
from pathlib import Path

import pytest
from commands.desk import Desk, case
from made.deltas import fine_tuned, save_delta, save_whole

from zoo import __version__
from zoo.errors import IntegrityError
from zoo.hub.registry import shipped_folder
from zoo.models.mlp import MLP

EXAMPLES = ["ebox.fa", "genome.fa", "peaks.bed", "variants.vcf"]


def listed(desk: Desk, *options: str) -> list[str]:
    return [line.split("\t")[0] for line in desk.run("list", *options).splitlines()[1:]]


@case("words", "list")
def words_narrow_the_list(desk: Desk) -> None:
    both = ["deepbind.D00328.003", "deepbind.D00328.018"]
    assert listed(desk, "deepbind.D00328.*") == listed(desk, "CTCF") == both
    assert listed(desk, "ctcf", "GM12801") == both[1:]


@case("--json", "list")
def json_holds_all_facts(desk: Desk) -> None:
    (one,) = json.loads(desk.run("list", "--json", "deepbind.encode_usf1_h1hesc"))
    assert (one["targets"], one["cell_type"], one["length"], one["run"]["seed"]) == (["USF1"], "H1-hESC", 101, 1)
    assert Path(one["folder"]).name == one["name"]
    assert [m["folder"] for m in json.loads(desk.run("list", "--json", "CTCF"))] == [None, None]


@case("--tsv", "list")
def tsv_is_printed_on_a_terminal_too(desk: Desk) -> None:
    into_a_pipe = desk.run("list", "CTCF")
    desk.monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert desk.run("list", "CTCF", "--tsv") == into_a_pipe != desk.run("list", "CTCF")


@case("--search", "list")
def search_narrows_the_list(desk: Desk) -> None:
    assert 0 < len(listed(desk, "--search", "ctcfl")) < len(listed(desk)) / 10


@case("--species", "list")
def species_narrows_the_list(desk: Desk) -> None:
    assert len(listed(desk, "deepbind.D*", "--species", "yeast")) == 4


@case("name", "info")
def info_is_of_the_name(desk: Desk) -> None:
    assert desk.run("info", "deepbind.D00328.003").startswith("# deepbind.D00328.003\n")
    assert "there is no model" in desk.refused("info", "deepbind.nothing")


@case("--json", "info")
def json_holds_the_targets_and_arguments_too(desk: Desk) -> None:
    details = json.loads(desk.run("info", "--json", "deepbind.encode_usf1_h1hesc"))
    assert details["arguments"]["length"] == 101
    assert [row["name"] for row in details["target_rows"]] == details["targets"] == ["USF1"]
    assert json.loads(desk.run("info", "--json", "deepbind.D00328.003"))["species"] == "Homo sapiens"


@case("names", "verify")
def verify_is_of_every_name(desk: Desk) -> None:
    names = list(desk.made.models.values())
    assert [line.split(": ")[0] for line in desk.run("verify", *names).splitlines()] == names
    assert "there is no model" in desk.refused("verify", "mlp.nothing")
    assert "name the models to verify" in desk.refused("verify")


@case("--all", "verify")
def all_are_the_models_here(desk: Desk) -> None:
    folder = Path(desk.made.models["labels"].removeprefix("local-dir:"))
    shutil.copytree(folder, Path("checkpoints") / folder.name)
    desk.monkeypatch.setattr("zoo.hub.registry.shipped_folder", lambda name: Path(name).resolve())
    assert desk.run("verify", "--all").splitlines()[-1] == "1 model verified"
    damaged = shutil.copytree(folder, Path("checkpoints") / "mlp.damaged")
    text = (damaged / "config.json").read_text().replace('"mlp.labels"', '"mlp.damaged"')
    (damaged / "config.json").write_text(text)
    (damaged / "targets.tsv").write_text("other")
    code, out, err = desk.run_zoo("verify", "--all")
    assert (code, out.count("reproduced"), err.splitlines()[-1]) == (2, 1, "zoo: 1 of 2 models failed: mlp.damaged")
    (damaged / "config.json").write_text("{")
    code, out, err = desk.run_zoo("verify", "--all")
    assert (code, out.count("reproduced")) == (2, 1)
    assert "mlp.damaged/config.json cannot be read: it is not JSON" in err
    assert err.splitlines()[-1].startswith("zoo: 1 of 2 models failed: local-dir:")


@case("--published", "verify")
def published_are_those_of_others(desk: Desk) -> None:
    assert "--published belongs to --all" in desk.refused("verify", "mlp.promoter_ecoli", "--published")
    names: list[str] = []

    def verify(name: str, device: str, precision: str) -> None:
        names.append(name)
        raise IntegrityError(name)

    desk.monkeypatch.setattr("zoo.hub.load.verify", verify)
    desk.monkeypatch.setattr("zoo.hub.registry.shipped_folder", lambda name: Path(name).resolve())
    err = desk.run_zoo("verify", "--all", "--published")[2]
    assert err.splitlines()[-1].startswith(f"zoo: {len(names)} of {len(names)} models failed: ")
    assert sum(name.startswith("deepbind.D") for name in names) == 927


@case("--device", "verify")
def device_is_where_it_is_computed(desk: Desk) -> None:
    assert "reproduced, largest" in desk.run("verify", desk.made.models["labels"], "--device", "cpu")
    assert "is no device" in desk.refused("verify", desk.made.models["labels"], "--device", "tpu9")


@case("--precision", "verify")
def precision_has_its_own_tolerance(desk: Desk) -> None:
    text = desk.run("verify", desk.made.models["labels"], "--precision", "bf16")
    assert "reproduced in bf16 on cpu, largest difference " in text
    assert "(allowed 0.1)" in text
    assert "(allowed 0.0001)" in desk.run("verify", desk.made.models["labels"])


@case("name", "merge")
@case("--output", "merge")
def merge_writes_the_delta_of_that_name_whole(desk: Desk) -> None:
    source = MLP(["one", "two"], 40, hidden=(20,)).eval()
    save_delta(fine_tuned(source, "head"), Path("mlp.tuned"), save_whole(source, Path("mlp.base")), "head")
    assert desk.run("merge", "local-dir:mlp.tuned", "-o", "mlp.merged") == "mlp.merged\n"
    assert Path("mlp.merged/model.safetensors").is_file()
    assert "is no delta: its weights are stored whole already" in desk.refused("merge", "local-dir:mlp.base", "-o", "x")
    assert "mlp.base exists already" in desk.refused("merge", "local-dir:mlp.tuned", "-o", "mlp.base")


@case("name", "export")
@case("--output", "export")
def export_writes_the_model_of_that_name_as_the_ending_says(desk: Desk) -> None:
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    name = desk.made.with_inputs["labels"]
    for output, magic in (("a.pt2", b"PK"), ("a.onnx", b"\x08")):
        first, reads, *_, compared = desk.run("export", name, "-o", output).splitlines()
        assert first == f"{output}: {Path(output).stat().st_size:,} bytes"
        assert reads.startswith("reads sequence (batch, 4, 20) and inputs (batch, 2, 5), float32; ")
        assert "8 stored predictions and in random batches of 3 x 20 bases, 1 x 20 bases" in compared
        assert Path(output).read_bytes().startswith(magic)
    assert "a.onnx exists already" in desk.refused("export", name, "-o", "a.onnx")
    assert "ends in .onnx (ONNX) or .pt2" in desk.refused("export", name, "-o", "a.pt")


# train: its own arguments; the keys of a configuration are tested with the configurations.


@case("config", "train")
def config_is_the_first_argument_and_keys_follow(desk: Desk) -> None:
    calls: list[list[str]] = []

    def train(words: list[str]) -> str:
        calls.append(words)
        return "saved"

    desk.monkeypatch.setattr("zoo.training.run.train", train)
    arguments = "{genome: in.fa, table: in.fa}"
    Path("run.yaml").write_text(f"data: {{class_path: zoo.data.peaks.PeakDataModule, init_args: {arguments}}}")
    assert desk.run("train", "run.yaml", "--data.batch_size", "8") == "saved\n"
    assert desk.run("train", "basset.peaks", "--data.genome=in.fa", "--data.table=in.fa") == "saved\n"
    assert calls == [
        ["run.yaml", "--data.batch_size", "8"],
        ["basset.peaks", "--data.genome", "in.fa", "--data.table", "in.fa"],
    ]


@case("--help", "train")
def help_of_train_lists_the_keys(desk: Desk) -> None:
    assert "--trainer.max_epochs" in desk.run("train", "--help")


# check: what it finds is tested with the library.


def checked(desk: Desk, *options: str) -> str:
    """What is printed of a run in order, but that its validation and test sets are small."""
    texts = [f"{number:014b}".replace("0", "A").replace("1", "C") for number in range(64)]
    Path("check.tsv").write_text("sequence\ta\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(texts)))
    words = ["check", "deepbind.sequences", "--data.table", "check.tsv", "--data.label_columns", "[a]"]
    return desk.run(*words, "--data.batch_size", "8", "--name", "deepbind.x", *options)


@case("config", "check")
def check_is_of_the_configuration_and_keys_follow(desk: Desk) -> None:
    assert "6 batches of 8" in checked(desk, "--time", "false")
    assert "3 batches of 16" in checked(desk, "--time", "false", "--data.batch_size", "16")


@case("--time", "check")
def time_can_be_left_out(desk: Desk) -> None:
    assert "\ntime\t" not in checked(desk, "--time", "false").replace("ok\t", "\n")
    assert "s per batch of 8 on cpu" in checked(desk, "--trainer.accelerator", "cpu")


@case("--strict", "check")
def strict_lets_warnings_count(desk: Desk) -> None:
    checked(desk, "--time", "false")
    words = ["check", "deepbind.sequences", "--data.table", "check.tsv", "--data.label_columns", "[a]", "--strict"]
    code, out, err = desk.run_zoo(*words, "--name", "deepbind.x", "--time", "false")
    assert (code, "warning\tsplits" in out, err.startswith("zoo: 0 errors and ")) == (2, True, True)


@case("--output", "check")
def the_report_is_written_too(desk: Desk) -> None:
    printed = checked(desk, "--time", "false", "--output", "report.tsv")
    assert Path("report.tsv").read_text() == printed
    checked(desk, "--time", "false", "--output", "report.json")
    assert json.loads(Path("report.json").read_text())["counts"]["error"] == 0
    words = ["check", "deepbind.sequences", "--data.table", "check.tsv", "-o"]
    assert ".json or as .tsv" in desk.refused(*words, "report.txt")
    assert "check.tsv" in desk.refused(*words, "check.tsv")


# benchmark, card.


@case("name", "benchmark")
def name_chooses_the_benchmark_and_the_rest_is_its(desk: Desk) -> None:
    scripts = Path("benchmarks/accuracy")
    scripts.mkdir(parents=True)
    (scripts / "bench_mine.py").write_text("def main(arguments):\n    print('ran', *arguments)\n")
    desk.monkeypatch.setattr("zoo.hub.registry.shipped_folder", lambda _: Path("benchmarks"))
    assert desk.run("benchmark", "mine", "--seed", "3") == "ran --seed 3\n"
    assert "there is no benchmark 'other'" in desk.refused("benchmark", "other")


@case("--help", "benchmark")
def help_of_a_benchmark_is_its_script_s(desk: Desk) -> None:
    scripts = Path("benchmarks/accuracy")
    scripts.mkdir(parents=True)
    (scripts / "bench_mine.py").write_text("def main(arguments):\n    print('ran', *arguments)\n")
    desk.monkeypatch.setattr("zoo.hub.registry.shipped_folder", lambda _: Path("benchmarks"))
    assert desk.run("benchmark", "mine", "--help") == "ran --help\n"
    assert "NAME is one of mine" in desk.run("benchmark", "--help")


@case("--version", "")
def version_is_printed(desk: Desk) -> None:
    assert desk.run("--version").startswith(f"zoo {__version__}")


@case("shell", "completion")
def shell_has_its_own_script(desk: Desk) -> None:
    pytest.importorskip("argcomplete")
    scripts = [desk.run("completion", shell) for shell in ("bash", "zsh", "fish")]
    assert all("zoo" in script for script in scripts)
    assert scripts[2] not in scripts[:2]


# site.


def titles(folder: str) -> list[str]:
    """The title of a site, and the names of the models in it."""
    text = (Path(folder) / "index.html").read_text()
    return [*re.findall("<h1>(.*)</h1>", text), *re.findall('<a href="models/(.*).html">', text)]


@case("names", "site")
@case("--output", "site")
def site_is_of_the_names_in_that_folder(desk: Desk) -> None:
    assert desk.run("site", desk.made.models["labels"], "deepbind.D00328.*", "-o", "a/site") == "a/site/index.html\n"
    assert titles("a/site")[1:] == ["mlp.labels", "deepbind.D00328.003", "deepbind.D00328.018"]
    assert "there is no model" in desk.refused("site", "mlp.nothing", "-o", "b")
    assert "in.fa is no folder" in desk.refused("site", "-o", "in.fa")


@case("--title", "site")
def title_is_that_of_the_site(desk: Desk) -> None:
    desk.run("site", "deepbind.D00328.003", "-o", "one")
    desk.run("site", "deepbind.D00328.003", "-o", "two", "--title", "Our <lab>")
    assert (titles("one")[0], titles("two")[0]) == ("Models of regulatory DNA", "Our &lt;lab&gt;")


@case("--home", "site")
def home_is_linked_from_every_page(desk: Desk) -> None:
    pages = {"index.html": "", "models/mlp.labels.html": "../"}
    for number, (home, is_path) in enumerate((("../docs/index.html", True), ("https://a.b/c?d=1&e=2", False))):
        desk.run("site", desk.made.models["labels"], "-o", f"site{number}", "--home", home)
        for page, root in pages.items():
            link = home.replace("&", "&amp;")
            expected = f'<a href="{root * is_path}{link}">Documentation</a>'
            assert expected in Path(f"site{number}", page).read_text()
    desk.run("site", desk.made.models["labels"], "-o", "plain")
    assert "Documentation" not in Path("plain/index.html").read_text()
    for home in ("javascript:alert(1)", "//a.b/c", "/etc/passwd", "a b"):
        assert "is no link" in desk.refused("site", desk.made.models["labels"], "-o", "x", "--home", home)


@case("--overwrite", "site")
def only_overwrite_writes_over_an_earlier_site(desk: Desk) -> None:
    desk.run("site", "deepbind.D00328.003", "-o", "site")
    assert "site exists already" in desk.refused("site", "deepbind.D00328.018", "-o", "site")
    desk.run("site", "deepbind.D00328.018", "-o", "site", "--overwrite")
    assert titles("site")[1:] == ["deepbind.D00328.018"]


# config, example.


@case("name", "config")
def name_of_a_configuration_prints_it(desk: Desk) -> None:
    rows = [line.split("\t") for line in desk.run("config").splitlines()]
    assert rows[0] == ["configuration", "purpose"]
    assert ["basset.peaks", "Your own peak files, merged by `zoo data peaks`."] in rows
    text = desk.run("config", "basset.peaks")
    assert text == (shipped_folder("configs") / "basset.peaks.yaml").read_text()
    assert "the nearest names are basset.peaks" in desk.refused("config", "basset.peeks")


@case("--output", "example")
def output_is_the_folder_of_the_examples(desk: Desk) -> None:
    assert desk.run("example", "-o", "a/b").splitlines() == [f"a/b/{name}" for name in EXAMPLES]
    assert [path.name for path in sorted(Path("a/b").iterdir())] == EXAMPLES
    name = "deepbind.encode_usf1_h1hesc"
    out = desk.run("predict", name, "a/b/peaks.bed", "--genome", "a/b/genome.fa", "--resize")
    assert len(out.splitlines()) == 1 + len(Path("a/b/peaks.bed").read_text().splitlines())
    desk.run("example")
    assert [path.name for path in sorted(Path("examples").iterdir())] == EXAMPLES


@case("--lab", "example")
def lab_writes_the_files_of_a_simulated_laboratory(desk: Desk) -> None:
    files = ["genome.fa", "peaks.narrowPeak", "bound.fa", "signal.bw", "contacts.cool"]
    assert desk.run("example", "--lab").splitlines() == [f"lab/{name}" for name in files]
    Path("lab/genome.fa").write_text("mine\n")
    assert "lab/genome.fa exists and is another file" in desk.refused("example", "--lab")
    desk.run("example", "--lab", "--overwrite", "-o", "lab")


@case("--overwrite", "example")
def only_overwrite_writes_over_another_file(desk: Desk) -> None:
    Path("peaks.bed").write_text("mine\n")
    assert "peaks.bed exists and is another file" in desk.refused("example", "-o", ".")
    desk.run("example", "-o", ".", "--overwrite")
    assert Path("peaks.bed").read_bytes() == (shipped_folder("examples") / "peaks.bed").read_bytes()
    desk.run("example", "-o", ".")  # nothing that is there would change
