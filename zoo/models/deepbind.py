"""DeepBind: motif detectors, pooled over the sequence, one score (Alipanahi 2015, doi:10.1038/nbt.3300).

Shapes: B batch, L input bases, M members, K detectors of each, m their width, P = L + m - 1 positions, S strands that
are read, F pooled features of a member, T targets.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.batch import Batch
from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.nn.layers import with_spare_channel
from zoo.outputs import Labels

__all__ = ["DeepBind"]

Pooling = Literal["max", "max_mean", "positions"]
Strands = Literal["forward", "best_score", "best_detector"]

# Windows that are scored at once when a long sequence is scanned: bounds the memory, not the result.
_WINDOWS_AT_ONCE = 2048


class DeepBind(SequenceModel):
    """One convolution whose filters are motif detectors, rectified, pooled, and weighed by one or two dense layers.

    The sequence is padded with width - 1 unknown bases (0.25 of each) on both sides, so that a motif may hang over an
    end. The defaults are those of the published ChIP-seq models: 16 detectors of 24 bases, 1,569 parameters.

    Args:
        targets: names of the T targets.
        length: bases L that the model reads at once.
        detectors: number K of motif detectors.
        width: bases m of a detector.
        pool: bases over which a detector's scores are first pooled, by their maximum; 1 as published.
        pooling: what is kept of those, rectified: the highest (`max`), the highest and the mean (`max_mean`), both as
            published, or each in its place (`positions`), for sequences that are aligned and read on one strand.
        strands: `forward` reads one strand (RNA, oriented promoters); `best_score` scores both and takes the higher
            score, as published; `best_detector` takes each pooled feature from the strand where it is higher.
        hidden: ReLU units between the pooled features and the targets; 0 for none.
        members: number M of independent nets whose scores are averaged; each is trained on its own loss.
        detector_dropout: share of detectors left out in training.
        dropout: share of pooled features left out in training.
        hidden_dropout: share of hidden units left out in training.
        scan: take sequences of any length: those longer than `length` are scored in all windows of that length, and
            the highest score counts, as in the published release 0.11. Otherwise `length` is exact.
        loss: `binary_cross_entropy` (probabilities) or `mean_squared_error` (scores as they are).
    """

    unknown_base: ClassVar[float] = 0.25

    def __init__(
        self,
        targets: Sequence[str],
        length: int,
        detectors: int = 16,
        width: int = 24,
        pool: int = 1,
        pooling: Pooling = "max",
        strands: Strands = "best_score",
        hidden: int = 0,
        members: int = 1,
        detector_dropout: float = 0.0,
        dropout: float = 0.0,
        hidden_dropout: float = 0.0,
        scan: bool = False,
        loss: str = "binary_cross_entropy",
    ) -> None:
        super().__init__(Labels(tuple(targets)), length, loss)
        self.width, self.pool, self.pooling, self.strands, self.scan = width, pool, pooling, strands, scan
        self.members = members
        self.detectors = nn.Parameter(torch.empty(members * detectors, 4, width))
        self.thresholds = nn.Parameter(torch.zeros(members * detectors))
        nn.init.kaiming_uniform_(self.detectors, a=5**0.5)  # torch's own rule for convolutions
        positions = -(-(length + width - 1) // pool)
        for value, choices in ((pooling, get_args(Pooling)), (strands, get_args(Strands))):
            if value not in choices:
                raise ConfigError(f"{value!r} is none of {', '.join(choices)}")
        if pooling == "positions" and strands != "forward":
            raise ConfigError("pooling by positions is for sequences of one strand: set strands to forward")
        if pooling == "positions" and scan:
            raise ConfigError("pooling by positions needs sequences of one length: it does not go with scan")
        self.features = features = detectors * {"max": 1, "max_mean": 2, "positions": positions}[pooling]
        self.detector_dropout = nn.Dropout2d(detector_dropout) if detector_dropout else nn.Identity()
        layers: list[nn.Module] = [nn.Dropout(dropout)]
        if hidden:
            layers += [MemberLinear(members, features, hidden), nn.ReLU(), nn.Dropout(hidden_dropout)]
        self.head = nn.Sequential(*layers, MemberLinear(members, hidden or features, len(targets)))

    @property
    def min_length(self) -> int:
        """One base when scanning: a window may be shorter than `length`, never longer."""
        return 1 if self.scan else self.length

    @property
    def max_length(self) -> int | None:
        """None when scanning."""
        return None if self.scan else self.length

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, L) -> raw (B, T)."""
        return self._member_scores(x).mean(1) if x.shape[2] <= self.length else self._scan(x)

    def training_loss(self, batch: Batch) -> Tensor:
        """The mean of the members' own losses: training the average would make them lean on each other."""
        scores = self._member_scores(self.encode(batch.codes))  # (B, M, T)
        return self.loss.function(scores, batch.target.unsqueeze(1).expand_as(scores), self.target_weight())

    def _member_scores(self, x: Tensor) -> Tensor:
        """Each member's score of whole sequences: (B, 4, L) -> (B, M, T)."""
        kernels, thresholds = self._stranded()
        padded = F.pad(x, (self.width - 1, self.width - 1), value=self.unknown_base)
        padded, kernels = with_spare_channel(padded, kernels)
        # In two dimensions, channels last: a third faster than conv1d on a CPU, the same numbers.
        image, filters = (t.unsqueeze(2).to(memory_format=torch.channels_last) for t in (padded, kernels))
        scores = F.conv2d(image, filters, thresholds)  # (B, S M K, 1, P)
        if self.pool > 1:
            scores = F.max_pool2d(scores, (1, self.pool), ceil_mode=True)  # (B, S M K, 1, P / pool)
        scores = self.detector_dropout(scores).squeeze(2)
        if self.pooling == "positions":
            kept = scores.relu()
        else:
            highest = scores.max(2).values.relu()
            kept = highest if self.pooling == "max" else torch.stack([highest, scores.relu().mean(2)], 2)
        features = kept.reshape(len(x), -1, self.members, self.features)  # (B, S, M, F)
        return self._weigh(features)

    def _weigh(self, features: Tensor) -> Tensor:
        """Each member's score of its features: (B, S, M, F) -> (B, M, T)."""
        if self.strands == "best_detector":
            features = features.amax(1, keepdim=True)
        scores: Tensor = self.head(features)  # (B, S, M, T)
        return scores.amax(1)

    def _stranded(self) -> tuple[Tensor, Tensor]:
        """Detectors (S M K, 4, m) and thresholds (S M K,) for each strand that is read.

        A detector's score on the other strand is its reverse complement's on this one.
        """
        if self.strands == "forward":
            return self.detectors, self.thresholds
        kernels = torch.cat([self.detectors, self.detectors.flip(1, 2)])
        return kernels, torch.cat([self.thresholds, self.thresholds])

    def _scan(self, x: Tensor) -> Tensor:
        """The highest score of any window: (B, 4, L) with L > length -> (B, T).

        Every window is padded for itself, so a detector that hangs over its edge sees unknown bases there, not the
        neighbours; hence each is convolved for itself. (Sharing the work by running sums along the detectors gives
        the same numbers, but was measured five times slower.)
        """
        windows = x.unfold(2, self.length, 1).transpose(1, 2)  # (B, W, 4, length)
        step = max(1, _WINDOWS_AT_ONCE // len(x))
        best = []
        for some in torch.split(windows, step, dim=1):
            scores = self._member_scores(some.flatten(0, 1)).mean(1)  # (B * w, T)
            best.append(scores.view(*some.shape[:2], -1).amax(1))
        return torch.stack(best).amax(0)


class MemberLinear(nn.Module):
    """A linear layer for each member: (..., M, inputs) -> (..., M, outputs)."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5  # torch's own rule for nn.Linear
        self.weight = nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(members, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(..., M, inputs) -> (..., M, outputs)."""
        return torch.einsum("...mi,mio->...mo", x, self.weight) + self.bias
