"""Akita: the published sizes, a port of other hands with the same weights, symmetry, the ways to make pairs."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from akita_torch import Akita as Port
from akita_torch import AkitaConfig
from lightning import Trainer
from made.sizes import merged
from torch import Tensor, nn

from zoo.batch import Batch, InputSpec
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import complement_codes
from zoo.models.akita import Akita
from zoo.models.basenji import Basenji
from zoo.nn.layers import ACTIVATIONS, BATCH_NORM_EPS
from zoo.nn.maps import COMBINATIONS, PairedInputs
from zoo.outputs import Contacts
from zoo.training.callbacks import FreezeModules
from zoo.training.optimizers import OptimizerPlan, use_optimizers
from zoo.training.take import take_trunk

SMALL: dict[str, Any] = {
    "trunk": {
        "stem_filters": 8,
        "tower_filters": [8, 10],
        "tower_pools": [5, 2],
        "residual_filters": 6,
        "dilations": [1, 2],
    },
    "pair_map": {"reduced_filters": 6, "filters": 6, "residual_filters": 4, "dilations": [1, 2]},
    "crop_bins": 2,
}
LENGTH = 20 * 14  # fourteen bins of twenty bases, of which ten are predicted


def small(seed: int = 0, **options: Any) -> Akita:
    """A small net with no parameter at zero."""
    torch.manual_seed(seed)
    model = Akita(["a", "b"], LENGTH, **merged(SMALL, options))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def codes(rows: int = 3, length: int = LENGTH) -> Tensor:
    return torch.randint(0, 5, (rows, length), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


def test_the_defaults_are_the_published_net() -> None:
    model = Akita(["HFF", "H1hESC", "GM12878", "IMR90", "HCT116"])
    assert sum(p.numel() for p in model.parameters()) == 746_149
    assert sum(b.numel() for name, b in model.named_buffers() if "running" in name) == 5_504
    assert model.output == Contacts(model.output.targets, bins=448, bin_size=2048, crop=65_536, diagonal=2)
    assert model.output.shape == (5, 99_681)
    convolutions = [
        (tuple(layer.weight.shape), layer.dilation[0])
        for layer in model.modules()
        if isinstance(layer, nn.Conv1d | nn.Conv2d)
    ]
    residual = [((48, 96, 3), (96, 48, 1), step) for step in (1, 2, 3, 5, 9, 16, 29, 50)]
    squares = [((24, 48, 3, 3), (48, 24, 1, 1), step) for step in (1, 2, 3, 5, 9, 16)]
    assert convolutions == [
        ((96, 4, 11), 1),
        *[((96, 96, 5), 1)] * 10,
        *((shape, step) for wide, back, dilation in residual for shape, step in ((wide, dilation), (back, 1))),
        ((64, 96, 5), 1),
        ((48, 65, 3, 3), 1),
        *((shape, step) for wide, back, dilation in squares for shape, step in ((wide, dilation), (back, 1))),
        ((5, 48, 1), 1),
    ]
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.0735)}
    dropout = [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)]
    assert dropout == [0.4] * 8 + [0.1] * 6


@pytest.mark.slow
def test_a_port_of_other_hands_with_the_same_weights_gives_the_same_map() -> None:
    torch.manual_seed(0)
    port = Port(AkitaConfig(augment_rc=False, augment_shift=0)).eval()
    ours = Akita(list("abcde"), 2048 * 68).eval()
    theirs = [value for name, value in port.state_dict().items() if not name.endswith("num_batches_tracked")]
    names = [name for name in ours.state_dict() if not name.endswith("num_batches_tracked")]
    assert len(names) == len(theirs)
    with torch.no_grad():
        for name, value in zip(names, theirs, strict=True):
            noise = 0.1 * torch.rand_like(value) if value.ndim == 1 else 0
            value.copy_(value + noise)
            ours.state_dict()[name].copy_(value.reshape(ours.state_dict()[name].shape))
        for layer in port.modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                layer.eps = BATCH_NORM_EPS
        onehot = ours.encode(codes(1, ours.length)).double()
        ours.double(), port.double()
        # It leaves out the ReLU before pairs are made, which the authors have.
        expected = port.head(port.trunk(onehot).relu()).transpose(1, 2)
        found = ours(onehot)
    assert found.shape == (1, 5, 2 * 3 // 2)
    assert found.std() > 1e-3
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_the_map_is_symmetric_by_construction(combine: str) -> None:
    model = small(pair_map={"combine": combine})
    with torch.no_grad():
        onehot = model.encode(codes())
        whole = model.head.full_map(model.trunk(onehot))
        raw = model(onehot)
    assert whole.shape == (3, 2, 10, 10)
    assert whole.std() > 1e-3
    assert torch.equal(whole, whole.transpose(-2, -1))
    assert isinstance(model.output, Contacts)
    maps = model.output.contact_maps(raw)
    there = ~torch.isnan(maps)
    assert there.sum() == 3 * 2 * 2 * 8 * 9 // 2
    assert torch.equal(maps[there], whole[there])


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_pairs_by_hand(combine: str) -> None:
    model = small(pair_map={"combine": combine})
    x = torch.tensor([[[1.0, 4.0, 9.0]]])  # one channel of three bins
    pairs = model.trunk.pair_map.pairs(x)
    expected = {
        "mean": [[1, 2.5, 5], [2.5, 4, 6.5], [5, 6.5, 9]],
        "max": [[1, 4, 9], [4, 4, 9], [9, 9, 9]],
        "geometric_mean": [[1, 2, 3], [2, 4, 6], [3, 6, 9]],
        "dot": [[1, 4, 9], [4, 16, 36], [9, 36, 81]],
        "concatenate": [[1, 1, 1], [4, 4, 4], [9, 9, 9]],
    }[combine]
    assert torch.allclose(pairs[0, 0], torch.tensor(expected, dtype=torch.float32), atol=1e-5)
    assert pairs[0, -1].tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    if combine == "concatenate":
        assert torch.equal(pairs[0, 1], pairs[0, 0].T)


@pytest.mark.parametrize("combine", COMBINATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_way_to_make_pairs_learns_behind_every_activation(combine: str, activation: str) -> None:
    """GELUs leave negative values, of whose product there is no root."""
    model = small(pair_map={"combine": combine}, trunk={"activation": activation}).train()
    loss = model.training_loss(Batch(codes(), torch.ones(3, 2, 36))).mean()
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_a_reverse_complement_flips_the_map_both_ways() -> None:
    model = small(rc_average=True)
    assert isinstance(model.output, Contacts)
    with torch.no_grad():
        forward, backward = model.predict(codes()), model.predict(complement_codes(codes()))
    assert torch.allclose(
        model.output.contact_maps(forward), model.output.contact_maps(backward).flip(-1, -2), equal_nan=True, atol=1e-6
    )
    assert (forward - backward).abs().max() > 1e-3


def test_checkpointing_changes_no_gradient() -> None:
    gradients = []
    for checkpointing in (False, True):
        model = small(trunk={"checkpointing": checkpointing, "dropout": 0.0}, pair_map={"dropout": 0.0}).train()
        model.training_loss(Batch(codes(), torch.ones(3, 2, 36))).mean().backward()  # type: ignore[no-untyped-call]
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
        counts = [b for name, b in model.named_buffers() if name.endswith("num_batches_tracked")]
        assert {int(count) for count in counts} == {1}
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)


def moved_by_an_input(model: Akita, size: int) -> tuple[Contacts, Tensor, Tensor]:
    """What is predicted before and after one input changes in the fourth bin that is predicted, on both strands."""
    assert isinstance(model.output, Contacts)
    inputs = torch.rand(1, 2, LENGTH // size)
    with torch.no_grad():
        before = model.predict(codes(1), inputs)
        changed = inputs.clone()
        changed[0, 0, 100 // size : 120 // size] += 5
        after = model.predict(codes(1), changed)
        turned = model.predict(complement_codes(codes(1)), changed.flip(-1)[:, [1, 0]])
    assert torch.allclose(model.output.reverse_complement(turned), after, atol=1e-6)
    return model.output, before, after


def with_inputs(size: int, **options: Any) -> Akita:
    return small(inputs=InputSpec(("up", "down"), size, (1, 0)), rc_average=True, **options)


@pytest.mark.parametrize("size", [2, 10, 20])
def test_tracks_beside_the_sequence_are_read_where_they_lie(size: int) -> None:
    """A change of one value changes the pixels of its bin first of all; on the other strand, of the mirrored bin."""
    moved = torch.zeros(10)
    for seed in range(8):  # of one net with random weights, chance would decide
        output, before, after = moved_by_an_input(with_inputs(size, seed=seed), size)
        per_bin = output.contact_maps((after - before).abs())[0, 0].nan_to_num().sum(0)
        assert per_bin[3] > 0
        moved += per_bin / per_bin.sum()
    assert moved[2:5].sum() > 1.2 * moved[7:].sum()


@pytest.mark.parametrize("size", [4, 5, 20])
def test_inputs_of_pairs_are_read_where_they_lie(size: int) -> None:
    """Without convolutions of the map that reach further, a bin's inputs change the pixels of its row and column."""
    model = with_inputs(size, inputs_join="pairs", pair_map={"dilations": []})
    output, before, after = moved_by_an_input(model, size)
    moved = output.contact_maps((after - before).abs())[0, 0] > 1e-6
    there = ~torch.isnan(output.contact_maps(before))[0, 0]
    row = torch.arange(10) == 3
    assert torch.equal(moved, there & (row | row[:, None]))


def test_inputs_of_pairs_by_hand() -> None:
    """Each pair by itself, in float64: means and differences of the two bins, their distance, its logarithm."""
    torch.manual_seed(0)
    net = PairedInputs(2, 3, pool=2).double()
    with torch.no_grad():
        assert not net(torch.rand(1, 2, 8).double()).any()  # it begins as nothing
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
        inputs = torch.rand(2, 2, 8).double()
        found = net(inputs)
        assert found.shape == (2, 3, 4, 4)
        bins = inputs.view(2, 2, 4, 2).mean(-1)
        for i in range(4):
            for j in range(4):
                left, right, distance = bins[0, :, i], bins[0, :, j], abs(i - j)
                near = torch.tensor([2 * distance / 3 - 1, 2 * math.log2(1 + distance) / math.log2(4) - 1])
                read = torch.cat([(left + right) / 2, (left - right).abs(), near.double()])
                assert torch.allclose(net.layers(read[None, :, None, None])[0, :, 0, 0], found[0, :, i, j])
        # Pairs (i, j) and (j, i) are summed in another order on some processors.
        assert torch.allclose(found, found.transpose(-2, -1), rtol=0, atol=1e-12)


def test_tracks_that_are_missing_or_wrong_are_named() -> None:
    model = small(inputs=InputSpec(("one", "two"), 20))
    with pytest.raises(InputError, match="reads 2 tracks in addition to the sequence: one, two"):
        model.predict(codes())
    with pytest.raises(InputError, match=r"\(3, 2, 14\)"):
        model.predict(codes(), torch.zeros(3, 2, 15))
    with pytest.raises(InputError, match=r"not \(3, 0, 14\)|not \(3, 0"):
        small().predict(codes(), torch.zeros(3, 1, 14))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"trunk": {"tower_pools": [5, 3]}},
            "bins of 30 bases, which do not divide .* 280 bases; they divide 300",
        ),
        ({"crop_bins": 7}, "280 bases make 14 bins: after cropping 7 on each side nothing is left"),
        ({"crop_bins": 6}, "nothing is left from the diagonal 2 on"),
        ({"pair_map": {"combine": "sum"}}, r"pair_map\.combine must be one of concatenate, mean.* not 'sum'"),
        (
            {"inputs": {"names": ["one"], "size": 4}},
            "fit nowhere: .* a position has 2, 10, 20 bases",
        ),
        ({"inputs": {"names": ["one"], "size": 20, "strand_pairs": [1]}}, "each the other's partner"),
        (
            {"inputs": {"names": ["one"], "size": 6}, "inputs_join": "pairs"},
            "6 bases per value do not divide bins of 20 bases",
        ),
        ({"inputs_join": "bins"}, "inputs_join must be trunk or pairs, not 'bins'"),
        ({"trunk": {"fine_after": 3}}, r"trunk\.fine_after must lie between 0 and the 2 tower_filters, not 3"),
        ({"trunk": {"dilations": [0]}}, r"trunk\.dilations must be 1 or more"),
        ({"pair_map": {"dropout": 1.0}}, r"pair_map\.dropout must lie in"),
    ],
)
def test_sizes_that_do_not_fit_are_one_sentence(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        small(**options)


def basenji(**options: Any) -> Basenji:
    sizes = {
        "stem_filters": 8,
        "stem_width_bases": 11,
        "stem_pool": 2,
        "tower_filters": [8],
        "tower_pools": [5],
        "residual_filters": 4,
        "dilations": [1, 2],
        "activation": "relu",
    }
    torch.manual_seed(3)
    return Basenji(["t"], LENGTH, **merged({"trunk": sizes, "crop_bins": 0}, options))


FINE = merged(SMALL, {"trunk": {"fine_filters": 4, "fine_dilations": [1, 2], "fine_after": 1}})


def test_a_trunk_of_tracks_begins_a_model_of_contacts() -> None:
    source = basenji()
    with torch.no_grad():
        for parameter in source.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model = Akita(["a"], LENGTH, **FINE)
    modules = take_trunk(model, source)
    assert modules == [f"trunk.sequence.blocks.{index}" for index in range(4)]
    trainer = Trainer(logger=False, enable_checkpointing=False)
    freezing = FreezeModules(modules)
    freezing.setup(trainer, model, "fit")
    onehot = model.encode(codes())
    source.eval(), model.eval()
    with torch.no_grad():
        assert torch.equal(model.trunk.sequence.blocks[:4](onehot), source.trunk(onehot))
    model.train()
    batch = Batch(codes(), torch.ones(3, 1, 36))
    freezing.on_train_batch_start(trainer, model, batch, 0)
    kept = {name: value.clone() for name, value in model.trunk.sequence.blocks[:4].state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    model.training_loss(batch).mean().backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    after = model.trunk.sequence.blocks[:4].state_dict()
    assert all(torch.equal(value, after[name]) for name, value in kept.items())
    assert [p.requires_grad for p in model.trunk.sequence.blocks[4].parameters()] == [True] * 3


def test_what_is_taken_learns_at_its_own_rate() -> None:
    model = Akita(["a"], LENGTH, **FINE)
    modules = take_trunk(model, basenji())
    optimizer = {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.5, "weight_decay": 0.1}}
    use_optimizers(model, OptimizerPlan(optimizer, rates=dict.fromkeys(modules, 0.1)))
    configured: Any = model.configure_optimizers()
    groups = configured["optimizer"].param_groups
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(rates) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        assert rates[id(parameter)] == pytest.approx(
            0.05 if name.startswith("trunk.sequence.blocks.") and int(name.split(".")[3]) < 4 else 0.5
        ), name


def test_a_trunk_that_does_not_fit_is_refused() -> None:
    model = Akita(["a"], LENGTH, **SMALL)
    with pytest.raises(
        ConfigError, match=r"blocks\.2\.\S+ has the shape \(\S+ .* in the trunk of the Basenji and \S+ .*in this model"
    ):
        take_trunk(model, basenji())


def test_the_file_holds_one_architecture(tmp_path: Path) -> None:
    from zoo.hub.architectures import load_architecture

    assert load_architecture("akita") is Akita
