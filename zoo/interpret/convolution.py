"""A convolution of references in full, and of mutants as the reference plus what the filters read differently.

Shapes: R references, P positions, C channels, N mutants, n positions of a window, K taps of a filter.
"""

from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.interpret.products import Product
from zoo.interpret.transform import Transform, transform_for
from zoo.interpret.windows import Groups, Window, Workspace, difference, gather, groups_of, trimmed

__all__ = ["Convolution"]

# Fewer mutants are convolved plainly: transforming the filters would take longer.
_FEWEST = 16
_FREQUENCIES = 8


@dataclass
class Convolution:
    """A convolution along positions: (R, P, C) -> (R, P', C').

    Attributes:
        weight: (C', C, K).
        bias: (C',).
        stride: positions by which it moves.
        dilation: positions from one tap to the next.
        padding: positions that are added before and after.
        fill: values there (C,); None for 0.
        grid: width of the pool that follows: windows of mutants then hold whole cells of it.
    """

    weight: Tensor
    bias: Tensor
    stride: int = 1
    dilation: int = 1
    padding: tuple[int, int] = (0, 0)
    fill: Tensor | None = None
    grid: int = 1
    _taps: Tensor | None = field(default=None, repr=False)
    _changes: Workspace = field(default_factory=Workspace, repr=False)
    _space: Workspace = field(default_factory=Workspace, repr=False)
    _transformed: dict[int, list[Product]] = field(default_factory=dict, repr=False)

    @property
    def width(self) -> int:
        """Taps K."""
        return self.weight.shape[2]

    def reference(self, x: Tensor, tracks: Tensor | None) -> tuple[Tensor, Tensor]:
        """Convolve references in full."""
        before, after = self.padding
        if self.fill is not None and (before or after):
            ends = self.fill.expand(len(x), 1, -1)
            x = torch.cat([ends.expand(-1, before, -1), x, ends.expand(-1, after, -1)], 1)
            before = after = 0
        elif before != after:
            x = F.pad(x, (0, 0, before, after))
            before = after = 0
        # As an image of one row, channels last: about twice as fast as conv1d on a CPU, the same numbers.
        image = x.contiguous().unsqueeze(1).permute(0, 3, 1, 2)  # (R, C, 1, P)
        kernel = self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        y = F.conv2d(image, kernel, self.bias, (1, self.stride), (0, before), (1, self.dilation))
        out = y.permute(0, 2, 3, 1).flatten(0, 1).contiguous()  # (R, P', C')
        return out, out

    def mutate(self, window: Window, before: Tensor, kept: Tensor) -> Window:
        """Convolve mutants: the reference's result in every window reached, plus the filters on what changed."""
        stride, grid, reach = self.stride, self.grid, self.dilation * (self.width - 1)
        delta = difference(window, before, self._changes)
        first = (window.starts + self.padding[0] - reach + stride - 1) // stride
        last = (window.starts + self.padding[0] + window.width - 1) // stride
        starts = first // grid * grid
        width = -(-int((last + 1 - starts).max()) // grid) * grid
        starts, width = trimmed(starts, width, kept.shape[1], grid)
        # Mutants that lie alike on the grids of stride and pool are computed together.
        lead = window.starts + self.padding[0] - starts * stride
        by, lead = replace(window, values=delta, starts=starts).grouped_by(lead)
        values = gather(kept, by.starts, by.rows, width, self._space)
        self._add(values, by.values, groups_of(lead))
        return replace(by, values=values)

    def _add(self, values: Tensor, delta: Tensor, groups: Groups) -> None:
        """Add the convolution of changes (n, N, C) to windows (m, N, C'), in place; groups have a lead each."""
        count, mutants = delta.shape[:2]
        is_plain = self.stride == 1 and self.dilation == 1 and mutants >= _FEWEST
        transform = transform_for(count, self.width) if is_plain else None
        if transform is not None:
            self._add_transformed(values, delta, groups, transform)
            return
        for lead, of in groups:
            for tap in range(self.width):
                self._add_tap(values, delta, lead - tap * self.dilation, of, tap)

    def _add_tap(self, values: Tensor, delta: Tensor, lead: int, of: slice, tap: int) -> None:
        """Add what one tap reads: at position t of the change it counts for that of (lead + t) / stride."""
        matrix = self._tap_matrices()[tap]
        count, size, stride = len(delta), len(values), self.stride
        first = -lead if lead < 0 else (-lead) % stride
        first += (-(first + lead)) % stride
        last = min(count, (size - 1) * stride - lead + 1)
        if stride == 1 and of == slice(0, delta.shape[1]) and first < last:
            rows = delta[first:last].view(-1, delta.shape[2])
            values[first + lead : last + lead].view(-1, values.shape[2]).addmm_(rows, matrix)
            return
        for at in range(first, last, stride):
            values[(at + lead) // stride, of].addmm_(delta[at, of], matrix)

    def _add_transformed(self, values: Tensor, delta: Tensor, groups: Groups, transform: Transform) -> None:
        """Add the convolution by way of the frequency domain."""
        count, mutants, channels = delta.shape
        filters = self._transformed_taps(count, transform)
        product = self._space.empty("product", (len(filters), mutants, values.shape[2]), delta)  # (m, N, C')
        forward, changes = transform.forward.to(delta.device), delta.view(count, -1)
        # Some frequencies at once, whose values stay in the processor's cache.
        for first in range(0, len(filters), _FREQUENCIES):
            some = slice(first, first + _FREQUENCIES)
            spectrum = self._space.empty("spectrum", (len(forward[some]), mutants * channels), delta)
            torch.mm(forward[some], changes, out=spectrum)
            for index, of_frequency in enumerate(filters[some]):
                product[first + index] = of_frequency(spectrum[index].view(mutants, channels))
        back = transform.back.to(delta.device)
        for lead, of in groups:
            begin = lead - (self.width - 1)  # the first position that the change reaches
            first, last = max(begin, 0), min(begin + len(back), len(values))
            if first < last:
                target, source = values[first:last, of], product[:, of]
                target.view(last - first, -1).addmm_(back[first - begin : last - begin], source.view(len(source), -1))

    def _tap_matrices(self) -> Tensor:
        """The weight as one matrix for each tap, (K, C, C')."""
        if self._taps is None:
            self._taps = self.weight.permute(2, 1, 0).contiguous()
        return self._taps

    def _transformed_taps(self, count: int, transform: Transform) -> list[Product]:
        """The filters in the frequency domain, m matrices, for windows of so many positions."""
        if count not in self._transformed:
            # A convolution in torch's sense reads its taps backwards.
            taps = transform.taps.flip(1).to(self.weight.device)
            matrices = taps @ self.weight.permute(2, 0, 1).reshape(self.width, -1)  # (K, C' C)
            self._transformed[count] = [Product(matrix) for matrix in matrices.view(-1, *self.weight.shape[:2])]
        return self._transformed[count]
