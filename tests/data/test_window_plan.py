"""Windows that fit nowhere are refused with options of windows that do."""

import re
from typing import Any

import pytest

from zoo.data.genome_split import SplitRules
from zoo.data.window_dataset import WindowShape
from zoo.data.window_plan import WindowPlan, plan_windows
from zoo.errors import ConfigError

# As configs/akita.contacts.yaml has them.
LENGTH, BIN, CROP, STRIDE, JITTER = 1_024_000, 2_000, 32, 128, 11


def plan(contigs: dict[str, int], length: int, crop: int, stride: int = STRIDE, **rules: Any) -> WindowPlan:
    split = SplitRules(**rules).for_windows(length)
    return plan_windows(contigs, split, WindowShape.of(length, BIN, crop, BIN), stride, JITTER, [])


@pytest.mark.parametrize(
    ("contigs", "rules", "options"),
    [
        # Blocks of four windows: each contig is one.
        (dict.fromkeys("abcd", 300_000), {}, (256_000, 32, 64)),
        # One contig: of four blocks of 256,000 bases, each takes four windows of 64,000.
        ({"chr1": 890_000}, {}, (64_000, 8, 16)),
        # Held-out contigs are shorter than the others.
        ({"a": 890_000, "b": 150_000, "c": 140_000}, {"val": ["b"], "test": ["c"]}, (256_000, 32, 64)),
        ({"a": 890_000, "b": 110_000, "c": 100_000}, {"val": ["b"], "test": ["c"]}, (128_000, 16, 32)),
        ({"a": 5_000, "b": 5_000, "c": 5_000}, {}, None),
    ],
)
def test_windows_that_fit_are_proposed(
    contigs: dict[str, int], rules: dict[str, Any], options: tuple[int, int, int] | None
) -> None:
    with pytest.raises(ConfigError) as error:
        plan(contigs, LENGTH, CROP, **rules)
    found = re.search(r"fit: --data\.length (\d+) --data\.crop (\d+) --data\.stride (\d+)$", str(error.value))
    assert (options is None) == (found is None)
    if found is None:
        assert "set --data.length to less" in str(error.value)
        return
    assert tuple(map(int, found.groups())) == options
    assert set(plan(contigs, *map(int, found.groups()), **rules).tiles.split.tolist()) == {0, 1, 2}
