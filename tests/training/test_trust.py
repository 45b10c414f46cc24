"""A configuration that came with a checkpoint may only train; --trust lets it do all that one of the user's own can."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from made.hostile import HOSTILE, HOSTILE_TEXTS, MARKER, TRAINS, hostile_text, write_hostile_module

from zoo.cli import main
from zoo.genome.sequence import decode
from zoo.hub.registry import shipped_folder
from zoo.training.allowed import Allowed
from zoo.training.given import holds_collection
from zoo.training.options import option_types
from zoo.training.parse import parse
from zoo.training.run import train
from zoo.utils.download import sha256_of

SAID = "a configuration that came with a checkpoint may name only models and data of zoo"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    write_hostile_module(tmp_path)
    rng = np.random.default_rng(0)
    rows = [f"{decode(rng.integers(0, 4, 24).astype(np.uint8))}\t{rng.normal() * 100}\n" for _ in range(80)]
    Path("t.tsv").write_text("sequence\ty\n" + "".join(rows))
    Path("own.yaml").write_text(yaml.safe_dump(TRAINS))
    folder_of("theirs", yaml.safe_dump(TRAINS))
    for name in ("hostile.yaml", "hostilefile"):
        shutil.copy(name, "theirs")
    yield
    for name in ("hostile", "zoo_hostile"):
        sys.modules.pop(name, None)


def folder_of(name: str, recipe: str) -> Path:
    """A folder that looks like a checkpoint, with a recipe."""
    folder = Path(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "recipe.yaml").write_text(recipe)
    return folder


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one sentence with which a command is refused; nothing was run and nothing written."""
    capsys.readouterr()
    before = sorted(Path.cwd().rglob("*"))
    assert main(list(words)) == 2
    out, err = capsys.readouterr()
    assert err.startswith("zoo: ")
    assert err.count("\n") == 1, err
    assert not out
    assert not Path(MARKER).exists()
    assert "hostile" not in sys.modules
    assert sorted(Path.cwd().rglob("*")) == before
    return err


@pytest.mark.parametrize("name", [*HOSTILE, *HOSTILE_TEXTS])
def test_a_hostile_recipe_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder_of("theirs", hostile_text(name))
    message = refusal(capsys, "train", "theirs")
    assert "theirs" in message or message == "zoo: data.fasta: hostile.Own: no such file\n"


@pytest.mark.parametrize("options", [["--print_config"], ["--help"]])
@pytest.mark.parametrize("name", ["model", "data"])
def test_help_and_print_config_import_nothing(
    name: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of("theirs", hostile_text(name))
    assert SAID in refusal(capsys, "train", "theirs", *options)


def test_a_file_whose_name_is_the_text_of_a_recipe_is_not_read_in_its_place() -> None:
    text = "{trainer: {max_epochs: 1}}"
    folder_of("theirs", text)
    Path(text).write_text("trainer: {max_epochs: 7}")
    cli = parse(["own.yaml", "--config", "theirs/recipe.yaml"])
    assert cli.trainer.max_epochs == 1


def test_the_sentence_names_file_key_class_and_cure(capsys: pytest.CaptureFixture[str]) -> None:
    folder_of("theirs", hostile_text("callback after a good one"))
    message = refusal(capsys, "train", "theirs/recipe.yaml")
    assert message.startswith(f"zoo: theirs/recipe.yaml: trainer.callbacks[1] names 'hostile.Own': {SAID}")
    assert message.endswith("read the file, and add --trust true if you trust who wrote it\n")


def test_signs_of_a_terminal_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    folder_of("theirs", yaml.safe_dump({**TRAINS, "model": "\x1b[2J.hostile"}))
    assert "\x1b" not in refusal(capsys, "train", "theirs")


def test_config_prints_it_and_imports_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    text = hostile_text("model")
    folder_of("theirs", text)
    assert main(["config", "theirs"]) == 0
    assert capsys.readouterr().out == text
    assert "hostile" not in sys.modules


def linked(target: str, name: str) -> str:
    Path(name).symlink_to(Path(target).absolute())
    return name


def in_cache() -> str:
    folder = Path(os.environ["ZOO_CACHE"]) / "models/mlp.a"
    folder.mkdir(parents=True)
    (folder / "more.yaml").write_text(hostile_text("model"))
    return str(folder / "more.yaml")


def of_the_hub() -> str:
    """The layout of the Hub's cache: a snapshot is links into blobs."""
    blob, snapshot = (
        Path("elsewhere/models--them--theirs/blobs/0a"),
        Path("elsewhere/models--them--theirs/snapshots/1b"),
    )
    blob.parent.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    blob.write_text(hostile_text("model"))
    (snapshot / "recipe.yaml").symlink_to("../../blobs/0a")
    return str(snapshot)


def copied(name: str, beside: str | None = None) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy("theirs/recipe.yaml", path)
    if beside:
        (path.parent / beside).write_text("{}")
    return name


def deep_in_a_checkpoint() -> str:
    Path("theirs/model.safetensors").touch()
    return copied("theirs/more/yet/mine.yaml")


PLACES: dict[str, Callable[[], str]] = {
    "a folder": lambda: "theirs",
    "a folder with a prefix": lambda: "local-dir:theirs",
    "its file": lambda: "theirs/recipe.yaml",
    "a whole path": lambda: str(Path("theirs/recipe.yaml").absolute()),
    "a path with dots": lambda: "theirs/../theirs/./recipe.yaml",
    "a link to the file": lambda: linked("theirs/recipe.yaml", "mine.yaml"),
    "a link to a link": lambda: linked(linked("theirs/recipe.yaml", "one.yaml"), "two.yaml"),
    "a link to the folder": lambda: linked("theirs", "mine"),
    "a file in a linked folder": lambda: f"{linked('theirs', 'mine')}/recipe.yaml",
    "a link in the folder that leads out": lambda: (
        linked("mine.yaml", "theirs/theirs.yaml") and copied("mine.yaml") and "theirs/theirs.yaml"
    ),
    "a copy beside a config.json": lambda: copied("copy/mine.yaml", "config.json"),
    "a copy of the same name": lambda: copied("copy/recipe.yaml"),
    "a copy of that name in capitals": lambda: copied("copy/Recipe.YAML"),
    "a copy among the checkpoints": lambda: copied("checkpoints/mine.yaml"),
    "a copy below the folder": deep_in_a_checkpoint,
    "a file in the cache": in_cache,
    "a snapshot of the Hub": of_the_hub,
    "a blob of the Hub": lambda: of_the_hub() and "elsewhere/models--them--theirs/blobs/0a",
}


@pytest.mark.parametrize("option", ["", "--config"])
@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_configuration_is_known_wherever_it_lies(
    place: str, option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(Path("cache").absolute()))
    folder_of("theirs", hostile_text("model"))
    named = PLACES[place]()
    words = ["own.yaml", option, named] if option else [named]
    assert f"zoo: {named}: model names 'hostile.Model': {SAID}" in refusal(capsys, "train", *words)


def test_a_folder_is_known_from_inside(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of("theirs", hostile_text("model"))
    monkeypatch.chdir("theirs")
    shutil.copy("../t.tsv", ".")
    for named in (".", "recipe.yaml", "./recipe.yaml"):
        assert SAID in refusal(capsys, "train", named)


def test_its_folder_is_not_worked_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files there cannot stand for those of the user, nor modules for those that are imported late."""
    folders: list[object] = []
    monkeypatch.setattr(os, "chdir", folders.append)
    parse(["theirs"])
    assert not folders


@pytest.mark.slow
def test_what_the_user_wrote_is_trusted() -> None:
    Path("mine.yaml").write_text(hostile_text("callback"))
    assert train(["mine.yaml"]).name == "mlp.a"
    assert Path(MARKER).exists()


@pytest.mark.parametrize(
    ("option", "content"),
    [
        ("--trainer", "callbacks: [hostile.Own]"),
        ("--data", "class_path: hostile.Data"),
        ("--trainer.callbacks", "[hostile.Own]"),
        ("--trainer.callbacks", "- hostile.Own"),
        ("--model", "# " + 100_000 * "x" + "\nclass_path: hostile.Model"),
    ],
)
def test_a_file_of_the_folder_is_no_value_of_an_option(
    option: str, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("theirs/more.txt").write_text(content)
    message = refusal(capsys, "train", "own.yaml", option, "theirs/more.txt")
    assert message.startswith(f"zoo: {option} theirs/more.txt: the file came with a checkpoint, and would be read")


def test_data_in_the_folder_are_read() -> None:
    shutil.copy("t.tsv", "theirs/t.tsv")
    assert parse(["own.yaml", "--data.table", "theirs/t.tsv"]).config.data.init_args.table == "theirs/t.tsv"
    for text in (
        ">chr1 a: b\n" + "ACGT" * 30_000,
        "chr1\t10\t20\n",
        "\x1f\x8b\x08",
        "a,b\n1,2\n",
        "##fileformat=VCFv4.2\n#CHROM\n",
    ):
        Path("theirs/data").write_text(text)
        assert not holds_collection(Path("theirs/data"))


def test_numbers_are_read_as_the_run_reads_them() -> None:
    Path("theirs/recipe.yaml").write_text(yaml.safe_dump(TRAINS).replace("lr: 0.01", "lr: 1e-5"))
    assert parse(["theirs"]).optimizer_plan.optimizer["init_args"]["lr"] == 1e-5  # type: ignore[index]


def test_a_word_that_is_the_name_of_a_file_is_not_taken(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ddp").write_text("hostile.Own")
    folder_of("theirs", yaml.safe_dump({**TRAINS, "trainer": {**TRAINS["trainer"], "strategy": "auto"}}))
    assert parse(["theirs"]).trainer
    folder_of("theirs", yaml.safe_dump({**TRAINS, "trainer": {**TRAINS["trainer"], "strategy": "ddp"}}))
    assert "trainer.strategy is 'ddp', the name of a file here" in refusal(capsys, "train", "theirs")
    Path("ddp").unlink()
    Path("ddp").mkdir()
    assert parse(["theirs"]).trainer


def test_options_are_the_users_own() -> None:
    train(["theirs", "--trainer.callbacks", "[{class_path: hostile.Own}]"])
    assert Path(MARKER).exists()


def test_trust_lets_a_recipe_run(capsys: pytest.CaptureFixture[str]) -> None:
    folder_of("theirs", hostile_text("callback"))
    for wrong in ("false", "yes", "1"):
        assert main(["train", "theirs", "--trust", wrong]) == 2
    assert main(["train", "theirs", "--trust", "true", "--trust", "false"]) == 2
    assert not Path(MARKER).exists()
    assert main(["train", "theirs", "--trust=true"]) == 0
    assert Path(MARKER).exists()


def test_no_file_sets_trust(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("mine.yaml", "theirs/recipe.yaml"):
        Path(name).write_text(hostile_text("trust"))
        assert f"{name}: trust is an option of the command line" in refusal(capsys, "train", name)
        assert f"{name}: trust is" in refusal(capsys, "train", "own.yaml", "--config", name)


@pytest.mark.slow
def test_a_run_with_a_class_of_ones_own_is_repeated_with_trust(capsys: pytest.CaptureFixture[str]) -> None:
    first = train(["own.yaml", "--trainer.callbacks", "[{class_path: hostile.Own}]"])
    sys.modules.pop("hostile")
    Path(MARKER).unlink()
    assert "callbacks[0] names 'hostile.Own'" in refusal(capsys, "train", str(first), "--name", "mlp.b")
    second = train([str(first), "--name", "mlp.b", "--trust", "true"])
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()
    assert "trust: false" in (second / "recipe.yaml").read_text()
    assert "--trust" not in (second / "recipe.yaml").read_text().splitlines()[0]


@pytest.mark.slow
def test_a_run_of_known_classes_is_repeated_without_trust() -> None:
    callbacks = """[{class_path: lightning.pytorch.callbacks.EMAWeightAveraging, init_args: {decay: 0.9}},
    {class_path: EarlyStopping, init_args: {monitor: val_loss}}, {class_path: BackboneFinetuning},
    {class_path: zoo.training.callbacks.MaxNorm, init_args: {max_norm: 3}}]"""
    own = ["own.yaml", "--trainer.callbacks", callbacks.replace("{class_path: BackboneFinetuning},", "")]
    first = train([*own, "--trainer.strategy", "auto", "--param_groups.rates", "{trunk: 0.5}"])
    second = train([str(first), "--name", "mlp.b"])
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()


@pytest.mark.parametrize("config", sorted(shipped_folder("configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_configuration_needs_no_trust(config: Path) -> None:
    assert Allowed(option_types(), [Path()]).first_refused(yaml.safe_load(config.read_text())) is None


@pytest.mark.slow
def test_only_a_run_that_the_command_names_is_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    precious = train(["own.yaml", "--name", "mlp.precious"])
    folder_of("theirs", yaml.safe_dump({**TRAINS, "name": "mlp.precious"}))
    for option in ("--overwrite", "--resume"):
        assert "add --name mlp.precious" in refusal(capsys, "train", "theirs", option, "true")
    train(["theirs", "--overwrite", "true", "--name", "mlp.precious"])
    train([str(precious), "--overwrite", "true"])


def test_a_folder_that_is_named_is_written_into(capsys: pytest.CaptureFixture[str]) -> None:
    folder_of("theirs", hostile_text("runs elsewhere"))
    assert "add --runs FOLDER" in refusal(capsys, "train", "theirs")
    assert train(["theirs", "--runs", str(Path("r").absolute())]) == Path("checkpoints/mlp.a")


@pytest.mark.slow
def test_a_first_line_that_is_no_command_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    folder = train(["own.yaml"])
    recipe, config = folder / "recipe.yaml", folder / "config.json"
    before = sha256_of(recipe)
    recipe.write_text("# zoo train 'own (version 1); `zoo train` of this file repeats it\n" + recipe.read_text())
    config.write_text(config.read_text().replace(before, sha256_of(recipe)))
    assert train([str(folder), "--name", "mlp.b"]).name == "mlp.b"


def test_an_option_of_two_lines_stays_in_the_first_line_of_the_recipe() -> None:
    folder = train(["own.yaml", "--param_groups.rates", "{trunk:\n  0.5}"])
    assert yaml.safe_load((folder / "recipe.yaml").read_text())["param_groups"]["rates"] == {"trunk": 0.5}


def test_a_recipe_may_name_a_genome_and_peaks() -> None:
    arguments = {"genome": "/somewhere/genome.fa", "peaks": ["/somewhere/a.bed"], "rules": {"length": 100}}
    data = {"class_path": "zoo.data.peaks.PeakDataModule", "init_args": arguments}
    assert Allowed(option_types(), [Path.cwd()]).first_refused({"data": data}) is None
