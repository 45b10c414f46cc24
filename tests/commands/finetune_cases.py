"""A case for every argument of `zoo finetune`."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from commands.desk import Desk, case
from made.bases import save_base, write_data

from zoo.genome.sequence import decode


def planned(desk: Desk, *words: str) -> dict[str, Any]:
    """The configuration of a plan, for a small Basset or Basenji."""
    if not Path("bound.fa").exists():
        write_data(Path())
        save_base(Path(), "basset")
        save_base(Path(), "basenji")
    config: dict[str, Any] = yaml.safe_load(desk.run("finetune", *words, "--print_config"))
    return config


BASSET, BASENJI = "local-dir:bases/basset.base", "local-dir:bases/basenji.base"


@case("model", "finetune")
def model_is_what_the_run_begins_with(desk: Desk) -> None:
    assert planned(desk, BASSET, "bound.fa")["transfer"]["trunk_from"] == BASSET
    assert "there is no model 'basset.none'" in desk.refused("finetune", "basset.none", "bound.fa")


@case("data", "finetune")
def data_are_files_of_any_kind(desk: Desk) -> None:
    assert planned(desk, BASSET, "bound.fa")["data"]["init_args"]["fasta"] == {"bound": "bound.fa"}
    assert planned(desk, BASSET, "activity.tsv")["data"]["init_args"]["label_columns"] == ["activity"]


@case("--genome", "finetune")
def genome_is_where_peaks_and_tracks_lie(desk: Desk) -> None:
    data = planned(desk, BASENJI, "signal.bw", "--genome", "genome.fa")["data"]["init_args"]
    assert (data["genome"], data["bigwigs"]) == ("genome.fa", {"signal": "signal.bw"})
    assert "leave out --genome" in desk.refused("finetune", BASSET, "bound.fa", "--genome", "genome.fa")


@case("--negatives", "finetune")
def negatives_are_a_class_of_their_own(desk: Desk) -> None:
    rows = np.random.default_rng(1).integers(0, 4, (20, 100)).astype(np.uint8)
    Path("other.fa").write_text("".join(f">{index}\n{decode(row)}\n" for index, row in enumerate(rows)))
    data = planned(desk, BASSET, "bound.fa", "--negatives", "other.fa")["data"]["init_args"]
    assert (data["negative_class"], data["shuffles"]) == ("other", 0)


@case("--targets", "finetune")
def targets_are_columns_of_a_table(desk: Desk) -> None:
    planned(desk, BASSET, "bound.fa")
    rows = [line.split("\t") for line in Path("activity.tsv").read_text().splitlines()]
    more = ["\t".join([*row, "other" if i == 0 else str(i % 7)]) for i, row in enumerate(rows)]
    Path("two.tsv").write_text("\n".join(more) + "\n")
    assert planned(desk, BASSET, "two.tsv")["data"]["init_args"]["label_columns"] == ["activity", "other"]
    chosen = planned(desk, BASSET, "two.tsv", "--targets", "other")
    assert chosen["data"]["init_args"]["label_columns"] == ["other"]
    assert "no column 'third'" in desk.refused("finetune", BASSET, "two.tsv", "--targets", "third")


@case("--strict-split", "finetune")
def strict_split_refuses_what_the_base_may_have_seen(desk: Desk) -> None:
    planned(desk, BASSET, "bound.fa")
    refusal = desk.refused("finetune", BASSET, "bound.fa", "--strict-split")
    assert "whether basset.base has seen these data in training is not known" in refusal


@case("--mode", "finetune")
def mode_is_what_is_trained(desk: Desk) -> None:
    for mode in ("head", "last:2", "lora", "full"):
        assert planned(desk, BASSET, "bound.fa", "--mode", mode)["transfer"]["mode"] == mode


@case("--name", "finetune")
def name_is_that_of_the_new_model(desk: Desk) -> None:
    assert planned(desk, BASSET, "bound.fa")["name"] == "basset.bound"
    assert planned(desk, BASSET, "bound.fa", "--name", "basset.mine")["name"] == "basset.mine"
