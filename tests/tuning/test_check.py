"""Options that a search may change: the validation split is the same with any value of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from made.runs import make_runs

from zoo.data.base import GenomicDataModule
from zoo.data.genome_split import SplitRules
from zoo.data.peaks.rules import PeakRules
from zoo.training.signatures import resolve_class

# Values that differ from those of the configurations.
VALUES = {"batch_size": 5, "epoch_size": 7, "shift": 256, "reverse_complement": False, "stride": 9, "input_noise": 0.5}


def val_arrays(config: dict[str, Any], **changed: Any) -> list[np.ndarray[Any, Any]]:
    """Codes and targets of the validation split."""
    cls: Any = resolve_class(config["class_path"])
    arguments = {**config["init_args"], **changed}
    for option, rules in (("rules", PeakRules), ("split", SplitRules)):
        if option in arguments:
            arguments[option] = rules(**arguments[option])
    data: GenomicDataModule = cls(**arguments)
    data.prepare_data()
    data.setup("fit")
    batches = list(data.val_dataloader())
    codes, targets = (np.concatenate([batch[index].numpy() for batch in batches]) for index in (0, 1))
    count = len(data.dataset("val"))  # type: ignore[attr-defined]
    return [codes[:count], targets[:count]]


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_runs(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("name", ["mlp", pytest.param("basset", marks=pytest.mark.slow), "basenji", "akita"])
def test_options_of_training_leave_the_validation_split_as_it_is(name: str, configs: dict[str, Path]) -> None:
    config = yaml.safe_load(configs[name].read_text())["data"]
    expected = val_arrays(config)
    cls: Any = resolve_class(config["class_path"])
    assert {"batch_size", "epoch_size"} <= cls.train_options <= VALUES.keys()
    for option in cls.train_options:
        for one, other in zip(expected, val_arrays(config, **{option: VALUES[option]}), strict=True):
            np.testing.assert_array_equal(one, other, err_msg=option)
