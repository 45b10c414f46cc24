"""Tracks that are read in addition to the sequence, in every architecture: used, reverse-complemented, checked."""

from typing import Any

import pytest
import torch
from made.sizes import merged
from test_contract import LENGTH, SMALL
from torch import Tensor

from zoo.batch import Batch, InputSpec
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import complement_codes
from zoo.hub.architectures import architectures, load_architecture
from zoo.models._base import SequenceModel

# Bases per value that each architecture can read.
SIZES = {"mlp": 10, "deepbind": 5, "basset": 10, "basenji": 4, "basenji_labels": 4, "akita": 10}
PAIRED = ("plus", "minus", "cover")
# Nets whose predictions for both strands are equal, or each other's reverse complement.
BLIND: dict[str, list[dict[str, Any]]] = {
    "deepbind": [{"motifs": {"strands": strands}} for strands in ("best_score", "best_filter")],
    "basset": [
        {"rc_average": True},
        {"rc_equivariant": True, "conv": {"filters": (6,), "widths": (9,), "pools": (4,)}, "hidden": (8,)},
    ],
    "basenji": [{"rc_average": True}],
    "basenji_labels": [{"rc_average": True}],
    "akita": [{"rc_average": True}, {"rc_average": True, "inputs_join": "pairs"}],
}


def build(architecture: str, **options: Any) -> SequenceModel:
    torch.manual_seed(0)
    inputs = InputSpec(PAIRED, SIZES[architecture], (1, 0, 2))
    arguments = merged(SMALL.get(architecture, {}), {"inputs": inputs} | options)
    model = load_architecture(architecture)(targets=["one", "two"], length=LENGTH, **arguments)  # type: ignore[call-arg]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def batch_of(model: SequenceModel, rows: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(1)
    codes = torch.randint(0, 4, (rows, LENGTH), generator=random).to(torch.uint8)
    return codes, torch.rand(rows, 3, LENGTH // model.inputs.size, generator=random)


@pytest.mark.parametrize("architecture", architectures())
def test_inputs_are_read_and_their_weights_learn(architecture: str) -> None:
    model = build(architecture).eval()
    codes, inputs = batch_of(model, 8)
    with torch.inference_mode():
        predicted = model.predict(codes, inputs)
        for track in range(3):
            changed = inputs.clone()
            changed[:, track] += 1
            assert not torch.allclose(model.predict(codes, changed), predicted, atol=1e-6)
        assert len(model.features(codes, inputs)) == 8
    model.train()
    target = torch.rand(8, *model.output.shape).round()
    model.training_loss(Batch(codes, target, inputs)).mean().backward()  # type: ignore[no-untyped-call]
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still
    again = type(model)(**model.arguments)
    again.load_state_dict(model.state_dict(), strict=True)
    assert again.inputs == model.inputs


@pytest.mark.parametrize(
    ("architecture", "options"), [(name, options) for name, choices in BLIND.items() for options in choices]
)
def test_the_other_strand_reads_the_partners_of_the_inputs(architecture: str, options: dict[str, Any]) -> None:
    model = build(architecture, **options).eval()
    codes, inputs = batch_of(model, 4)
    other = inputs.flip(-1)[:, [1, 0, 2]]
    with torch.inference_mode():
        forward = model.predict(codes, inputs)
        backward = model.output.reverse_complement(model.predict(complement_codes(codes), other))
        swapped = model.output.reverse_complement(model.predict(complement_codes(codes), inputs.flip(-1)))
    assert torch.allclose(forward, backward, atol=1e-5)
    assert not torch.allclose(forward, swapped, atol=1e-5)


@pytest.mark.parametrize("architecture", architectures())
def test_inputs_that_are_missing_or_of_another_shape_are_named(architecture: str) -> None:
    model = build(architecture).eval()
    codes, inputs = batch_of(model, 2)
    for call in (model.predict, model.features):
        with pytest.raises(InputError, match="reads 3 tracks in addition to the sequence: plus, minus, cover"):
            call(codes)
        with pytest.raises(InputError, match="have the shape"):
            call(codes, inputs[:, :2])


@pytest.mark.parametrize("architecture", architectures())
def test_inputs_that_do_not_fit_are_refused(architecture: str) -> None:
    with pytest.raises(ConfigError, match=r"inputs of 7 bases per value"):
        build(architecture, inputs=InputSpec(("a",), 7))
    with pytest.raises(ConfigError, match="each the other's partner"):
        build(architecture, inputs=InputSpec(("a", "b", "c"), SIZES[architecture], (1, 2, 0)))
    with pytest.raises(ConfigError, match=r"inputs has no key 'name'; its keys are names, size, strand_pairs"):
        build(architecture, inputs={"name": ["a"]})


def test_windows_of_a_scanned_sequence_have_their_own_inputs() -> None:
    model = load_architecture("deepbind")(  # type: ignore[call-arg]
        targets=["a"], length=20, motifs={"width_bases": 6}, scan=True, inputs=InputSpec(("a", "b"))
    ).eval()
    random = torch.Generator().manual_seed(1)
    codes = torch.randint(0, 4, (3, 33), generator=random).to(torch.uint8)
    inputs = torch.rand(3, 2, 33, generator=random)
    with torch.inference_mode():
        windows = [model.predict(codes[:, i : i + 20], inputs[..., i : i + 20]) for i in range(14)]
        assert torch.allclose(model.predict(codes, inputs), torch.stack(windows).amax(0), atol=1e-6)


def test_values_of_several_bases_are_the_same_as_one_for_each_base() -> None:
    for architecture in ("basset", "deepbind"):
        coarse, fine = (build(architecture, inputs=InputSpec(PAIRED, size, (1, 0, 2))).eval() for size in (10, 1))
        codes, inputs = batch_of(coarse, 3)
        with torch.inference_mode():
            expected = fine.predict(codes, inputs.repeat_interleave(10, -1))
            assert torch.equal(coarse.predict(codes, inputs), expected)
