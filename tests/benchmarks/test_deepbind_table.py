"""The DeepBind table: recorded scores of other seeds belong to the present configuration, and means of its rows."""

import json

import pytest
from accuracy.bench_deepbind import HEADER, SEED_SCORES, drop_old_recipes, mean_row
from common import RECORDED

RECORD = json.loads((RECORDED / SEED_SCORES).read_text())


@pytest.mark.parametrize("experiment", RECORD)
def test_recorded_scores_are_of_the_present_configuration(experiment: str) -> None:
    """A renamed key of the YAML file changes the recipe: rewrite the recipes in deepbind_seeds.json then."""
    assert drop_old_recipes(experiment, RECORD[experiment]) == RECORD[experiment]


def test_scores_of_another_recipe_are_dropped() -> None:
    seeds = {**RECORD["usf1_hepg2"], "2": {"recipe": "0" * 16, "auroc": 0.5}}
    assert set(drop_old_recipes("usf1_hepg2", seeds)) == set(seeds) - {"2"}


def test_means_are_over_columns_of_scores_and_say_when_rows_are_missing() -> None:
    rows: list[list[object]] = [
        ["a", 10, "", "", "m", 0.5, 0.75, 0.75, 3, 0.25],
        ["b", 20, "", "", "n", 1.0, 0.25, 0.25, 1, -0.75],
    ]
    means = dict(zip(HEADER, mean_row("mean", rows, 3), strict=True))
    assert means["experiment"] == "mean (2 of 3)"
    assert (means["published AUROC"], means["ours AUROC"], means["ours - published"]) == (0.75, 0.5, -0.25)
    assert (means["training peaks"], means["best motif AUROC"], means["seeds"]) == ("", "", "")
