"""Texts of a run are filled with values of the data, and with nothing else."""

from pathlib import Path

import pytest

from zoo.data.sequences import SequenceDataModule
from zoo.errors import ConfigError
from zoo.training.card_text import fill


@pytest.mark.parametrize(
    "text", ["{targets:>99999999999}", "{targets!r}", "{targets.__class__}", "{0}", "{", "{x:{y}}"]
)
def test_a_text_is_filled_with_values_alone(text: str, tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("sequence\ty\n" + "ACGTACGT\t1\n" * 9)
    data = SequenceDataModule(table=str(table), label_columns=["y"], classify=False)
    assert fill("Of {targets} {{}}", data) == "Of y {}"
    with pytest.raises(ConfigError, match="the data has no value for"):
        fill(text, data)
