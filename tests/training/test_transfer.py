"""What begins with another model's weights equals it at first, and only what its mode names is trained."""

from typing import Any

import pytest
import torch
from lightning import Trainer
from test_contract import build, codes_of
from torch import Tensor
from torch.utils.data import DataLoader

from zoo.batch import Batch
from zoo.errors import ConfigError
from zoo.hub.architectures import architectures
from zoo.models._base import SequenceModel
from zoo.models.basset import Basset
from zoo.models.deepbind import DeepBind
from zoo.nn.adapters import add_adapters, merge_adapters
from zoo.nn.conv_stack import ConvStackConfig
from zoo.nn.motifs import MotifConfig
from zoo.training.optimizers import OptimizerPlan, use_optimizers
from zoo.training.take import named_stages, take_head, take_trunk
from zoo.training.transfer import Transfer, TransferOptions, apply_mode

MODES = ("full", "head", "last:1", "lora")
LAST_TWO = (("head", "0"), ("trunk", "blocks.1"))
NEW = ["red", "two", "blue"]
STACK = ConvStackConfig((8, 6), (5, 3), (4, 2), pool_first=True)


def ensemble(**options: Any) -> SequenceModel:
    torch.manual_seed(1)
    return Basset(["one", "two"], 100, STACK, (7,), ensemble_members=2, **options).eval()


def child_of(source: SequenceModel, targets: list[str]) -> SequenceModel:
    torch.manual_seed(5)
    return type(source)(**{**source.arguments, "targets": targets}).eval()


def begun(source: SequenceModel, mode: str, targets: list[str] = NEW, **options: Any) -> tuple[SequenceModel, Transfer]:
    model = child_of(source, targets)
    modules = take_trunk(model, source) + take_head(model, source, targets=options.get("head") == "copy")
    return model, apply_mode(model, modules, TransferOptions("base", mode=mode, **options))


def trained(model: SequenceModel, transfer: Transfer, epochs: int = 2) -> dict[str, Tensor]:
    """Train for some steps; the weights before, those that are frozen and those that are not under the same names."""
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 4, (8, model.length), dtype=torch.uint8, generator=generator)
    target = torch.rand((8, *model.output.shape), generator=generator).round()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    plan = OptimizerPlan({"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.003}}, rates=transfer.rates)
    use_optimizers(model, plan)
    batches: Any = DataLoader([Batch(codes, target)], batch_size=None)  # type: ignore[arg-type]
    options: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = Trainer(max_epochs=epochs, accelerator="cpu", callbacks=transfer.callbacks, **options)
    trainer.fit(model, batches)
    return before


def changed(model: SequenceModel, before: dict[str, Tensor]) -> set[str]:
    return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("architecture", architectures())
def test_at_first_features_are_those_of_the_base_and_with_its_head_predictions_too(
    architecture: str, mode: str
) -> None:
    source = build(architecture).eval()
    codes = codes_of(source, 4)
    model, _ = begun(source, mode)
    assert torch.equal(model.features(codes), source.features(codes))
    copied, _ = begun(source, mode, ["one", "two"], head="copy")
    assert torch.equal(copied.predict(codes), source.predict(codes))
    some, _ = begun(source, mode, ["two"], head="copy")  # a smaller product may be rounded otherwise
    assert torch.allclose(some.predict(codes), source.predict(codes)[:, 1:], rtol=1e-5)


@pytest.mark.parametrize("architecture", architectures())
def test_merged_factors_compute_what_they_did_and_leave_the_names_of_the_weights(architecture: str) -> None:
    source = build(architecture).eval()
    model, transfer = begun(source, "lora", batch_statistics="frozen")
    assert transfer.adapters is not None
    before = trained(model.train(), transfer)
    moved = {name for name in changed(model, before) if name.startswith("trunk")}
    assert {name.rsplit(".", 1)[1] for name in moved} >= {"up", "down"}
    assert not [name for name in moved if name.endswith("original")], "a weight with factors was trained itself"
    model.eval()
    codes = codes_of(source, 4)
    expected = model.predict(codes)
    rebuilt = child_of(source, NEW)
    add_adapters(rebuilt, transfer.adapters)
    rebuilt.load_state_dict(model.state_dict(), strict=True)
    merge_adapters(rebuilt)
    assert sorted(rebuilt.state_dict()) == sorted(child_of(source, NEW).state_dict())
    assert torch.equal(rebuilt.eval().predict(codes), expected)
    assert not torch.equal(rebuilt.features(codes), source.features(codes))


def test_a_product_of_factors_is_added_to_each_kind_of_weight() -> None:
    """Against W + alpha / r * up @ down written out, for a convolution, a dense layer and those of an ensemble."""
    torch.manual_seed(0)
    source = DeepBind(["one"], 40, MotifConfig(6, 5), hidden=4, ensemble_members=2).eval()
    model, transfer = begun(source, "lora", ["one"], lora_rank=2, lora_alpha=3.0)
    trained(model.train(), transfer)
    filters = model.trunk.parametrizations.filters  # type: ignore[union-attr]
    up, down = filters[0].up, filters[0].down  # type: ignore[index, union-attr]
    assert up.shape == (1, 12, 2)
    product = torch.einsum("ur,ri->ui", up[0], down[0]).view(12, 4, 5)
    assert torch.allclose(model.trunk.filters, filters.original + 3.0 / 2 * product, atol=1e-6)  # type: ignore
    dense = model.head.get_submodule("layers.1.parametrizations.weight")
    up, down = dense[0].up, dense[0].down  # type: ignore[index]
    assert up.shape == (2, 4, 2)  # members, units, rank
    product = torch.einsum("mur,mri->miu", up, down)
    weight = model.head.get_submodule("layers.1").weight
    assert torch.allclose(weight, dense.original + 3.0 / 2 * product, atol=1e-6)  # type: ignore


@pytest.mark.parametrize(
    ("mode", "options", "trunk"),
    [
        ("head", {}, set()),
        ("last:1", {}, {"head.members.0.0", "head.members.1.0"}),
        ("last:2", {}, {f"{part}.members.{i}.{name}" for i in (0, 1) for part, name in LAST_TWO}),
    ],
)
def test_frozen_blocks_stay_as_they_were_and_all_others_move(
    mode: str, options: dict[str, Any], trunk: set[str]
) -> None:
    source = ensemble()
    model, transfer = begun(source, mode, batch_statistics="frozen", **options)
    before = trained(model.train(), transfer)
    weights = {name for name, _ in model.named_parameters()}
    new = {name for name in weights if name.startswith(("head.members.0.1", "head.members.1.1"))}
    assert len(new) == 4
    expected = new | {name for name in weights if any(name.startswith(f"{module}.") for module in trunk)}
    assert changed(model, before) == expected


def test_statistics_move_only_where_they_are_to() -> None:
    for statistics in ("frozen", "updated"):
        model, transfer = begun(ensemble(), "full", batch_statistics=statistics)
        moved = changed(model, trained(model.train(), transfer))
        assert any("running_mean" in name for name in moved) == (statistics == "updated")


def test_rates_fall_from_block_to_block_towards_the_input() -> None:
    _, transfer = begun(ensemble(), "full", trunk_rate=0.5, rate_decay=0.1)
    by_block = {
        ("head.members.0.0", "head.members.1.0"): 0.5,
        ("trunk.members.0.blocks.1", "trunk.members.1.blocks.1"): 0.05,
        ("trunk.members.0.blocks.0", "trunk.members.1.blocks.0"): 0.005,
    }
    assert transfer.rates == pytest.approx({name: rate for names, rate in by_block.items() for name in names})


def test_blocks_are_trained_one_after_the_other_from_the_last_one() -> None:
    model, transfer = begun(ensemble(), "full", frozen_epochs=1, unfreeze_epochs=1, batch_statistics="frozen")
    moved = {name[: name.index(".", 13)] for name in changed(model, trained(model.train(), transfer, epochs=2))}
    assert moved == {"head.members.0", "head.members.1"}  # the dense layer in the second epoch, the trunk not yet
    model, transfer = begun(ensemble(), "full", frozen_epochs=1, unfreeze_epochs=1, batch_statistics="frozen")
    moved = {name.split(".norm")[0].split(".conv")[0] for name in changed(model, trained(model.train(), transfer, 3))}
    assert "trunk.members.0.blocks.1" in moved
    assert "trunk.members.0.blocks.0" not in moved


@pytest.mark.parametrize("architecture", architectures())
def test_every_weight_is_in_one_stage(architecture: str) -> None:
    model = build(architecture)
    stages = named_stages(model, {"trunk", "head"})
    names = [name for stage in stages for name in stage]
    of_stage = [[name for name, _ in model.get_submodule(one).named_parameters(one)] for one in names]
    weights = [name for names in of_stage for name in names]
    assert sorted(weights) == sorted(name for name, _ in model.named_parameters())


def test_the_members_of_an_ensemble_are_frozen_together() -> None:
    assert named_stages(ensemble(), {"trunk"}) == [
        ["trunk.members.0.blocks.0", "trunk.members.1.blocks.0"],
        ["trunk.members.0.blocks.1", "trunk.members.1.blocks.1"],
    ]


def test_what_does_not_fit_is_refused() -> None:
    source = ensemble()
    with pytest.raises(ConfigError, match="no target 'red'; it has one, two"):
        begun(source, "full", ["red"], head="copy")
    with pytest.raises(ConfigError, match="this model is a DeepBind, the other a Basset"):
        take_head(DeepBind(["one"], 40), source, targets=False)
    with pytest.raises(ConfigError, match="last:9: 3 blocks were taken"):
        begun(source, "last:9")
    larger = Basset(["one"], 140, STACK, (7,), ensemble_members=2)
    take_trunk(larger, source)
    with pytest.raises(ConfigError, match=r"head cannot be taken: members\.0\.0\.0\.weight has the shape \(7, "):
        take_head(larger, source, targets=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "last"}, "full, head, last:N"),
        ({"mode": "last:0"}, "full, head, last:N"),
        ({"rate_decay": 0.0}, "rate_decay lies above 0"),
        ({"unfreeze_epochs": -1}, "unfreeze_epochs is a number from 0 up"),
        ({"mode": "head", "unfreeze_epochs": 1}, "mode head leaves the trunk as it is for good: leave out unfreeze"),
        ({"mode": "lora", "trunk_rate": 0.0}, "trunk_rate 0 freezes what transfer.mode lora would train"),
        ({"mode": "lora", "rate_decay": 0.5}, "lora trains all factors"),
        ({"mode": "head", "train_mode": True, "batch_statistics": "frozen"}, "leave out one of the two"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TransferOptions("base", **options).check()


def test_options_without_a_model_to_take_from_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"transfer\.mode and transfer\.lora_rank needs transfer\.trunk_from"):
        TransferOptions(mode="lora", lora_rank=4).check()
