"""Configurations by name: shipped ones everywhere, files of the user's own, and what is refused."""

import shutil
from pathlib import Path

import pytest

from zoo.errors import ConfigError, UnknownNameError
from zoo.hub.configs import config_names, config_purpose, config_text, find_config
from zoo.hub.registry import shipped_folder
from zoo.training.recipe import recipe

SHIPPED = shipped_folder("configs")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", config_names())
def test_a_shipped_configuration_is_found_by_name_and_as_cards_write_it(name: str) -> None:
    assert find_config(name) == find_config(f"configs/{name}.yaml") == SHIPPED / f"{name}.yaml"
    assert recipe([name]) == recipe([str(SHIPPED / f"{name}.yaml")])
    assert len(config_purpose(name)) <= 80 - len(max(config_names(), key=len)) - 2


@pytest.mark.parametrize("text", ["basset.peaks.yaml", "other/basset.peaks.yaml", "../configs/basset.peaks.yaml", ""])
def test_other_paths_are_files_alone(text: str) -> None:
    with pytest.raises(UnknownNameError, match="there is no file"):
        find_config(text)


def test_a_file_at_a_path_comes_first() -> None:
    Path("configs").mkdir()
    for path in ("configs/basset.peaks.yaml", "mine.yaml"):
        Path(path).write_text("name: basset.mine")
        assert find_config(path) == Path(path)


def test_a_file_that_is_called_like_a_configuration_is_refused_with_both_spellings() -> None:
    Path("basset.peaks").write_text("name: basset.mine")
    with pytest.raises(ConfigError, match=r"\./basset\.peaks for the file, or configs/basset\.peaks\.yaml"):
        find_config("basset.peaks")
    assert find_config("./basset.peaks") == Path("basset.peaks")


def test_a_folder_that_is_called_like_a_configuration_is_refused_too() -> None:
    folder = Path("basset.peaks")
    folder.mkdir()
    (folder / "recipe.yaml").write_text("name: basset.mine")
    with pytest.raises(ConfigError, match=r"\./basset\.peaks for the folder, or configs/basset\.peaks\.yaml"):
        find_config("basset.peaks")
    assert find_config("./basset.peaks") == find_config("local-dir:basset.peaks") == folder / "recipe.yaml"


def test_a_file_that_is_no_text_is_refused() -> None:
    Path("a.yaml").write_bytes(bytes(range(256)))
    with pytest.raises(ConfigError, match=r"a\.yaml: this is not YAML"):
        config_text("a.yaml")


def test_near_names_are_offered() -> None:
    with pytest.raises(UnknownNameError, match=r"'configs/basset\.peeks\.yaml'.*the nearest names are basset\.peaks"):
        find_config("configs/basset.peeks.yaml")


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("bound.fa", "deepbind.sequences --data.fasta '{NAME: bound.fa}'"),
        ("bound.fasta.gz", "deepbind.sequences --data.fasta '{NAME: bound.fasta.gz}'"),
        ("activity.csv", "deepbind.sequences --data.table activity.csv --data.label_columns"),
        ("a.narrowPeak.gz", "basset.peaks --data.genome FILE --data.peaks '[a.narrowPeak.gz]'"),
        ("one.bw", "basenji.tracks --data.genome FILE --data.targets_table FILE"),
        ("one.mcool", "akita.contacts --data.genome FILE --data.coolers '{NAME: one.mcool}'"),
    ],
)
def test_a_file_of_data_is_no_configuration_and_the_option_that_takes_it_is_named(file: str, command: str) -> None:
    Path(file).write_bytes(b">a\nACGT\n\x00")
    with pytest.raises(ConfigError) as error:
        config_text(file)
    assert str(error.value).startswith(f"{file} is not a configuration, a YAML file with keys such as")
    assert f"as in zoo train {command}" in str(error.value)


def test_a_model_is_no_configuration_and_its_command_is_named() -> None:
    with pytest.raises(ConfigError, match=r"a model, .*trained by zoo train .*deepbind\.encode.* --data\.experiment"):
        find_config("deepbind.encode_usf1_h1hesc")
    with pytest.raises(ConfigError, match=r"is the name of a model, .* were published by others"):
        find_config("deepbind.D00328.003")
    folder = Path("checkpoints/basset.mine")
    shutil.copytree(shipped_folder("checkpoints") / "deepbind.encode_usf1_h1hesc", folder)
    config = (folder / "config.json").read_text().replace('"deepbind.encode_usf1_h1hesc"', '"basset.mine"')
    (folder / "config.json").write_text(config)
    (folder / "recipe.yaml").write_text("name: basset.mine")
    with pytest.raises(ConfigError, match=r"zoo train checkpoints/basset\.mine --name NAME repeats its run"):
        find_config("basset.mine")


def test_a_folder_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(UnknownNameError, match=r"^there is no folder 'nope'$"):
        find_config("local-dir:nope")
