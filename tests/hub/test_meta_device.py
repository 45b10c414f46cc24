"""Models without memory: what a prediction takes is counted as on paper, and limits hold to the last unit."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from zoo.errors import ConfigError, IntegrityError
from zoo.hub.meta_device import build_on_meta, check_work
from zoo.hub.weights import TensorForm, forms_of
from zoo.models.akita import Akita
from zoo.models.deepbind import DeepBind
from zoo.models.mlp import MLP
from zoo.nn.motifs import MotifConfig

SEQUENCES, BASES, HIDDEN, TARGETS = 3, 20, 8, ["a", "b"]
# Of two products of matrices, each number is a multiplication and an addition.
FLOPS = 2 * SEQUENCES * (4 * BASES * HIDDEN + HIDDEN * len(TARGETS))


def mlp() -> MLP:
    with torch.device("meta"):
        return MLP(TARGETS, BASES, hidden=(HIDDEN,)).eval()


@pytest.mark.parametrize("spare", [0, -1])
def test_multiplications_are_counted_as_on_paper(spare: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.meta_device._MOST_FLOPS", FLOPS + spare)
    if spare < 0:
        with pytest.raises(IntegrityError, match=f"more than {FLOPS - 1:,} multiplications"):
            check_work(mlp(), {"codes": (SEQUENCES, BASES)}, 0)
    else:
        check_work(mlp(), {"codes": (SEQUENCES, BASES)}, 0)


def test_memory_is_what_is_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    onehot = 4 * SEQUENCES * BASES * 4  # bytes of float32
    monkeypatch.setattr("zoo.hub.meta_device._MOST_BYTES", onehot - 1)
    with pytest.raises(IntegrityError, match="bytes of memory"):
        check_work(mlp(), {"codes": (SEQUENCES, BASES)}, 0)
    monkeypatch.setattr("zoo.hub.meta_device._MOST_BYTES", 3 * onehot + 8 * SEQUENCES * BASES)
    check_work(mlp(), {"codes": (SEQUENCES, BASES)}, 0)


def test_memory_that_is_given_back_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    # Windows of a scanned sequence are scored in pieces: of twice the sequence, twice the pieces, not twice the memory.
    with torch.device("meta"):
        model = DeepBind(["a"], 30, MotifConfig(filters=4, width_bases=6), scan=True).eval()
    monkeypatch.setattr("zoo.hub.meta_device._MOST_BYTES", 12_000_000)
    check_work(model, {"codes": (1, 4_000)}, 0)
    check_work(model, {"codes": (1, 40_000)}, 0)


def test_a_contact_map_that_its_file_could_not_hold_is_never_made() -> None:
    arguments = {
        "targets": ["a"],
        "length": 1 << 28,
        "trunk": {"stem_pool": 1, "tower_filters": [1], "tower_pools": [1]},
    }
    with pytest.raises(IntegrityError, match="far more than are stored"):
        build_on_meta(Akita, arguments, {"x": TensorForm("F32", (1_000_000,))}, stored=4_000_000)


def test_limits_hold_for_the_check_alone() -> None:
    forms = forms_of(mlp().state_dict())
    arguments: dict[str, Any] = {"targets": TARGETS, "length": BASES, "hidden": [HIDDEN]}
    build_on_meta(MLP, arguments, forms, 1_000)
    with pytest.raises(ConfigError):
        build_on_meta(MLP, {**arguments, "hidden": ["8"]}, forms, 1_000)
    model = MLP(TARGETS, 1_000_000, hidden=(64,))  # of 256 MB, which no limit stops
    assert model.val_scores.targets == tuple(TARGETS)


def test_models_are_checked_in_several_threads_at_once() -> None:
    forms = forms_of(mlp().state_dict())
    arguments: dict[str, Any] = {"targets": TARGETS, "length": BASES, "hidden": [HIDDEN]}

    def build(number: int) -> str:
        model = build_on_meta(MLP, arguments, forms, 1_000) if number % 2 else MLP(**arguments)
        return next(model.parameters()).device.type

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(build, range(400))) == ["cpu", "meta"] * 200
