"""DeepBind: motif filters, pooled over the sequence, one score (Alipanahi 2015, doi:10.1038/nbt.3300).

Shapes: B batch, L input bases, M ensemble members, S strands, F pooled features of a member, T targets, W windows.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from zoo.batch import InputSpec
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.nn.configs import check_dropout, check_positive, config_of
from zoo.nn.ensemble import EnsembleHead, EnsembleLinear
from zoo.nn.inputs import as_channels, check_inputs
from zoo.nn.maxima import Highest
from zoo.nn.motifs import MotifConfig, MotifTrunk
from zoo.nn.scale import TargetScaleConfig
from zoo.nn.stages import Stage, stages_of
from zoo.outputs import Labels

__all__ = ["DeepBind"]

# Windows that are scored at once when a long sequence is scanned: bounds the memory, not the result.
_WINDOWS_AT_ONCE = 2048


class DeepBind(SequenceModel):
    """One convolution of motif filters, rectified, pooled, and weighed by one or two dense layers: (B, 4, L) -> (B, T).

    The defaults are the published ChIP-seq models: 16 filters of 24 bases, 1,569 parameters. The trunk gives the pooled
    features (B, S, M, F), with S = 2 strands for `best_score`, otherwise 1.

    Args:
        targets: names of the T targets.
        length: bases L that the model reads at once.
        motifs: the motif filters.
        hidden: ReLU units between the pooled features and the targets; 0 for none.
        dropout: dropout of pooled features.
        hidden_dropout: dropout of hidden units.
        scan: take sequences of any length: those longer than `length` are scored in all windows of that length, and
            the highest score counts, as in the published release 0.11. Otherwise `length` is exact.
        ensemble_members: nets M whose scores are averaged; each is trained on its own loss.
        target_scale: for measurements, mean and standard deviation of each target in training; None for labels.
        inputs: tracks that are read in addition to the sequence, as further channels of the convolution.
        loss: `binary_cross_entropy` (probabilities) or `mean_squared_error` (scores as they are).

    Raises:
        ConfigError: sizes of which no net can be built.
    """

    unknown_base: ClassVar[float] = 0.25
    scores_windows: ClassVar[bool] = True

    def __init__(
        self,
        targets: Sequence[str],
        length: int,
        motifs: MotifConfig = MotifConfig(),  # noqa: B008  (immutable)
        hidden: int = 0,
        dropout: float = 0.0,
        hidden_dropout: float = 0.0,
        scan: bool = False,
        ensemble_members: int = 1,
        target_scale: TargetScaleConfig | None = None,
        inputs: InputSpec = InputSpec(),  # noqa: B008
        loss: str = "binary_cross_entropy",
    ) -> None:
        motifs = config_of(MotifConfig, motifs, "motifs")
        inputs = config_of(InputSpec, inputs, "inputs")
        target_scale = target_scale and config_of(TargetScaleConfig, target_scale, "target_scale")
        super().__init__(Labels(tuple(targets)), length, loss, inputs)
        motifs.check()
        check_positive({"ensemble_members": ensemble_members})
        check_dropout({"dropout": dropout, "hidden_dropout": hidden_dropout})
        if hidden < 0:
            raise ConfigError(f"hidden must be 0 or more, not {hidden}")
        if motifs.pooling == "positions" and scan:
            raise ConfigError("motifs.pooling positions needs sequences of one length: it does not go with scan")
        if self.inputs.names and scan and self.inputs.size > 1:
            raise ConfigError("scan needs inputs of 1 base per value: its windows begin at every base")
        check_inputs(self.inputs, length)
        self.scan = scan
        self.trunk = MotifTrunk(motifs, length, ensemble_members, self.inputs, self.unknown_base)
        layers: list[nn.Module] = [nn.Dropout(dropout)]
        features = self.trunk.feature_count
        if hidden:
            layers += [EnsembleLinear(ensemble_members, features, hidden), nn.ReLU(), nn.Dropout(hidden_dropout)]
        layers.append(EnsembleLinear(ensemble_members, hidden or features, len(targets)))
        self.head = MotifHead(nn.Sequential(*layers), self.scale_targets(target_scale))
        self.best_window = Highest(1)

    @property
    def reads_both_strands(self) -> bool:
        """Whether filters read both strands."""
        return bool(self.hparams["motifs"]["strands"] != "forward")

    @property
    def min_length(self) -> int:
        """One base when scanning: a window may be shorter than `length`, never longer."""
        return 1 if self.scan else self.length

    @property
    def max_length(self) -> int | None:
        """None when scanning."""
        return None if self.scan else self.length

    def forward(self, onehot: Tensor, inputs: Tensor | None = None) -> Tensor:
        """One-hot (B, 4, L), and inputs (B, I, L / size) -> raw (B, T); of longer sequences the highest of all windows.

        Every window is padded for itself, so a filter that extends over its edge reads unknown bases there, not the
        neighbours; hence each is convolved for itself. (Sharing the work by running sums along the filters gives the
        same numbers, but was measured five times slower.)
        """
        is_exported = self.scan and torch.compiler.is_exporting()
        if not is_exported and onehot.shape[2] <= self.length:
            return super().forward(onehot, inputs)
        x = as_channels(onehot, inputs, self.inputs.size)
        if is_exported:
            scores = self._window_scores(_windows_of_any(x, self.length))
        else:
            windows = x.unfold(2, self.length, 1).transpose(1, 2)  # (B, W, 4 + I, length)
            step = max(1, _WINDOWS_AT_ONCE // len(x))
            scores = torch.cat([self._window_scores(some) for some in torch.split(windows, step, dim=1)], 1)
        best: Tensor = self.best_window(scores)
        return best

    def _window_scores(self, windows: Tensor) -> Tensor:
        """Windows (B, W, 4 + I, length) -> raw (B, W, T)."""
        flat = windows.flatten(0, 1)  # (B W, 4 + I, length)
        raw = super().forward(flat[:, :4], flat[:, 4:] if self.inputs.names else None)
        return raw.view(*windows.shape[:2], raw.shape[-1])


def _windows_of_any(x: Tensor, length: int) -> Tensor:
    """All windows of `length` bases of sequences, or a shorter sequence as its only window, in one graph for both.

    (B, C, L) -> (B, W, C, min(L, length)).
    """
    last = torch.sym_max(x.shape[2] - length, 0)  # type: ignore[no-untyped-call]
    width = torch.sym_min(x.shape[2], length)  # type: ignore[no-untyped-call]
    # The last window comes twice: of a size that may be 1, torch.export would keep only one case.
    starts = torch.arange(last + 2, device=x.device).clamp(max=last)
    index = starts[:, None] + torch.arange(width, device=x.device)
    return x.transpose(1, 2)[:, index].transpose(2, 3)  # (B, L, C) -> (B, W, width, C) -> (B, W, C, width)


class MotifHead(EnsembleHead):
    """Pooled features (B, S, M, F) -> raw (B, T): the higher score of the strands, the mean over ensemble members.

    Args:
        layers: dense layers of all members.
        scale: scale of the targets.
    """

    def __init__(self, layers: nn.Module, scale: nn.Module) -> None:
        super().__init__()
        self.layers, self.scale = layers, scale
        self.best_strand = Highest(1)

    def stages(self) -> list[Stage]:
        """List the dense layers."""
        return stages_of(self.layers)

    def member_outputs(self, features: Tensor) -> Tensor:
        """Pooled features (B, S, M, F) -> each member's raw output (B, M, T)."""
        raw: Tensor = self.scale(self.best_strand(self.layers(features)))  # (B, S, M, T) -> (B, M, T)
        return raw
