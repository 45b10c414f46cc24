"""The contract between data and models: a batch, and the specification of what a DataModule holds."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from torch import Tensor

__all__ = ["Batch", "DataSpec", "InputSpec", "Kind"]

# The kinds of output, as `zoo.outputs.Output.kind` names them.
Kind = Literal["labels", "tracks", "contacts"]


class Batch(NamedTuple):
    """Sequences with their measured targets. Shapes: B sequences, L bases, I input tracks, P values of each.

    Attributes:
        codes: uint8 (B, L): codes of bases, not one-hot: 1 byte per base is moved to the device instead of 16.
        target: float32 (B, *output.shape); NaN where nothing was measured.
        inputs: float32 (B, I, P), tracks that the model reads in addition to the sequence; None without any.
        difference_weight: for training on pairs, rows 2 i and 2 i + 1 being both alleles of a sequence: weight of the
            loss of their differences, relative to that of their means, float32 (); None where rows are no pairs.
    """

    codes: Tensor
    target: Tensor
    inputs: Tensor | None = None
    difference_weight: Tensor | None = None


@dataclass(frozen=True)
class InputSpec:
    """Tracks that a model reads in addition to the sequence.

    Attributes:
        names: names of the tracks (I); empty where the model reads the sequence alone.
        size: bases per value.
        strand_pairs: for each track the index of its partner on the other strand, its own index without a partner (I).
    """

    names: tuple[str, ...] = ()
    size: int = 1
    strand_pairs: tuple[int, ...] = ()


@dataclass(frozen=True)
class DataSpec:
    """Specification of a DataModule, read from headers and tables alone; a model is built and checked against it.

    Attributes:
        kind: kind of the targets.
        targets: names of the targets (T).
        length: bases of every sequence.
        bin_size: bases per bin of the targets; None for labels.
        crop: bins at each end of a sequence that are context only: no target is measured there.
        diagonal: first diagonal of a contact map that is a target; None for other kinds.
        strand_pairs: for each target the index of its partner on the other strand, its own index without a partner
            (T); empty where targets do not depend on the strand.
        inputs: tracks in `Batch.inputs`.
    """

    kind: Kind
    targets: tuple[str, ...]
    length: int
    bin_size: int | None = None
    crop: int = 0
    diagonal: int | None = None
    strand_pairs: tuple[int, ...] = ()
    inputs: InputSpec = field(default_factory=InputSpec)
