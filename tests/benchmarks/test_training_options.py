"""The options by which rows of the tables differ are options of the configurations, and change nothing else."""

from typing import Any

import pytest
from accuracy.bench_akita import MODELS
from accuracy.bench_basenji import CHECKPOINT, NETWORKS
from accuracy.bench_deepbind import experiment_command
from accuracy.bench_promoters import OVERLAP, fold_options
from common import training_command

from zoo.datasets.promoters import PromoterDataModule
from zoo.training.parse import parse

ROWS = [*MODELS.values(), *((CHECKPOINT, options) for options in NETWORKS.values())]


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Join the keys of nested dictionaries with dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


@pytest.mark.parametrize(("config", "options"), [row for row in ROWS if row[1]])
def test_options_of_a_row_change_what_they_name(config: str, options: list[str]) -> None:
    base, changed = (parse(training_command(config, extra, 1)) for extra in ([], options))
    before, after = flatten(base.model.arguments), flatten(changed.model.arguments)
    names = [name.removeprefix("--model.") for name in options[::2] if name.startswith("--model.")]
    assert {name for name in before | after if before.get(name) != after.get(name)} - {"inputs.names"} == set(names)


@pytest.mark.public_data
def test_options_of_other_tables_are_options() -> None:
    parse(experiment_command("usf1_hepg2", 2))
    options = ["--data.name", "ecoli", *fold_options("deepbind.fold1", 1, OVERLAP["grouped"], 2)]
    data = parse(training_command("deepbind.promoters", options, 1)).datamodule
    assert isinstance(data, PromoterDataModule)
    assert (data.fold, data.shared_kmer) == (1, OVERLAP["grouped"])
