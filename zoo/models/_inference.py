"""The half of SequenceModel that predicts: from codes to the trunk's features, raw output and natural units.

Shapes: B batch, L input bases, I input tracks, T targets.
"""

from typing import ClassVar

from lightning import LightningModule
from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.errors import ConfigError, InputError
from zoo.genome.sequence import one_hot, reverse_complement_one_hot
from zoo.nn.inputs import reverse_complement_inputs
from zoo.nn.losses import find_loss
from zoo.nn.scale import TargetTransform
from zoo.outputs import Output
from zoo.utils.text import some_of

__all__ = ["InferenceModel"]


class InferenceModel(LightningModule):
    """A trunk and a head that read one-hot DNA and predict one `Output`.

    Args:
        output: what is predicted.
        length: bases that the model reads.
        loss: a name in `zoo.nn.losses.LOSSES`; it fixes the activation too.
        inputs: tracks that are read in addition to the sequence.

    Raises:
        ConfigError: a length below 1, or an unknown loss.
    """

    # What the four channels hold at an N.
    unknown_base: ClassVar[float] = 0.0
    # Whether predictions are averaged with those for the reverse complement; an architecture may make it an argument.
    rc_average: bool = False

    # Whether sequences longer than `length`, where they are taken, have the highest raw output of all their windows.
    scores_windows: ClassVar[bool] = False

    # `forward` is `head(trunk(onehot, inputs))`; an architecture sets both.
    trunk: nn.Module
    head: nn.Module

    def __init__(self, output: Output, length: int, loss: str, inputs: InputSpec) -> None:
        super().__init__()
        if length < 1:
            raise ConfigError(f"a model cannot read {length} bases")
        self.output = output
        self.length = length
        self.inputs = inputs
        self.loss = find_loss(loss)
        # Units in which targets are learnt; None for their own.
        self.target_transform: TargetTransform | None = None

    @property
    def reads_both_strands(self) -> bool:
        """Whether the reverse complement of a sequence has, by construction, the same part in its prediction."""
        return self.rc_average

    @property
    def min_length(self) -> int:
        """The shortest sequence the model takes."""
        return self.length

    @property
    def max_length(self) -> int | None:
        """The longest sequence the model takes; None when there is no limit."""
        return self.length

    def activation(self, raw: Tensor) -> Tensor:
        """Turn raw output into natural units, shape unchanged."""
        values = self.loss.activation(raw)
        return values if self.target_transform is None else self.target_transform.inverse(values)

    def encode(self, codes: Tensor) -> Tensor:
        """Turn codes (B, L) uint8 into the model's one-hot input (B, 4, L)."""
        return one_hot(codes, self.unknown_base)

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Raw output (B, *output.shape) for one-hot (B, 4, L), and inputs (B, I, L / size) if it reads any."""
        raw: Tensor = self.head(self.trunk(onehot, inputs))
        return raw

    def raw(self, codes: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Raw output (B, *output.shape) for codes (B, L), and inputs (B, I, L / size) if it reads any."""
        return self._raw(self.encode(codes), inputs)

    def _raw(self, onehot: Tensor, inputs: Tensor | None) -> Tensor:
        """Raw output for one-hot (B, 4, L): `forward`, with its hooks."""
        raw: Tensor = self(onehot) if inputs is None else self(onehot, inputs)
        return raw

    def features(self, codes: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Compute the trunk's output: an embedding of the sequence.

        The given strand alone is read: features of the two strands are not averaged, also where predictions are.

        Args:
            codes: uint8 (B, L) on the model's device.
            inputs: float32 (B, I, L / size), the tracks that are read in addition, in the order of `inputs.names`.

        Returns:
            float32 (B, ...); the architecture says which axes follow.

        Raises:
            InputError: a length that the model does not take, or tracks that are missing or of another shape.
        """
        self.check_length(codes.shape[1])
        self.check_inputs(codes, inputs)
        features: Tensor = self.trunk(self.encode(codes), inputs)
        return features

    def predict(self, codes: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Predict in natural units, averaged over both strands where the model says so.

        Args:
            codes: uint8 (B, L) on the model's device.
            inputs: float32 (B, I, L / size), the tracks that are read in addition, in the order of `inputs.names`.

        Returns:
            float32 (B, *output.shape).

        Raises:
            InputError: a length that the model does not take, or tracks that are missing or not its own.
        """
        self.check_length(codes.shape[1])
        self.check_inputs(codes, inputs)
        return self.predict_onehot(self.encode(codes), inputs)

    def predict_onehot(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Predict as `predict` does, for one-hot bases, whose shapes are not checked: what exported files compute.

        Args:
            onehot: float32 (B, 4, L), as `encode` makes it.
            inputs: as of `predict`.

        Returns:
            float32 (B, *output.shape).
        """
        return self._predicted(self._raw(onehot, inputs), onehot, inputs)

    def _predicted(self, raw: Tensor, onehot: Tensor, inputs: Tensor | None) -> Tensor:
        """The prediction for bases whose raw output on the given strand is known."""
        # In float32 whatever the precision: in bf16 the probabilities near 1 would be ties.
        forward = self.activation(raw.float())
        if not self.rc_average:
            return forward
        if inputs is not None:
            inputs = reverse_complement_inputs(inputs, self.inputs)
        backward = self.activation(self._raw(reverse_complement_one_hot(onehot), inputs).float())
        return (forward + self.output.reverse_complement(backward)) / 2

    def check_length(self, length: int) -> None:
        """Refuse a sequence that is too short or too long, in one sentence."""
        if length < self.min_length or (self.max_length is not None and length > self.max_length):
            takes = (
                f"at least {self.min_length}" if self.max_length is None else f"{self.min_length} to {self.max_length}"
            )
            takes = str(self.length) if self.min_length == self.max_length else takes
            raise InputError(f"the sequence has {length} bases; the model takes {takes}")

    def check_inputs(self, codes: Tensor, inputs: Tensor | None) -> None:
        """Refuse tracks that are missing, or not those that the model reads."""
        names, size = self.inputs.names, self.inputs.size
        if not names and inputs is None:
            return
        if inputs is None:
            raise InputError(f"the model reads {len(names)} tracks in addition to the sequence: {some_of(names)}")
        if names and codes.shape[1] % size:
            raise InputError(
                f"{codes.shape[1]} bases are no multiple of the {size} bases per value of the model's tracks"
            )
        expected = (len(codes), len(names), codes.shape[1] // size)
        if tuple(inputs.shape) != expected:
            raise InputError(
                f"the tracks read in addition to the sequence have the shape {tuple(inputs.shape)}, not {expected}"
            )
