"""Raw outputs of mutants on one strand, by what changes in the network.

Shapes: R references, L bases, N mutants, n bases that change, I input tracks.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.interpret.lowering import Net, lower
from zoo.interpret.operations import Trace, run_layers
from zoo.interpret.reach import by_phase, mutants_at_once
from zoo.interpret.threads import Threads, part_sizes
from zoo.interpret.windows import Index, Window
from zoo.models._base import SequenceModel
from zoo.models._inference import InferenceModel
from zoo.nn.ensemble import EnsembleTrunk, SeparateHeads

__all__ = ["Network", "References", "network_of"]


@dataclass(frozen=True)
class References:
    """Reference sequences, computed in full.

    Attributes:
        raw: raw output (R, ...).
        kept: for each net what its layers read and keep, and what its ending reads and keeps.
    """

    raw: Tensor
    kept: list[tuple[Trace, Tensor, Any]]


class Network:
    """The nets of a model as layers that compute mutants; weights are those of the moment it is built.

    Args:
        model: in evaluation mode.
        nets: the ensemble members, whose raw outputs are averaged, or the only net.
    """

    def __init__(self, model: SequenceModel, nets: list[Net]) -> None:
        self.model, self.nets = model, nets
        self._threads = Threads()

    def references(self, codes: Tensor, inputs: Tensor | None = None) -> References:
        """Compute references in full.

        Args:
            codes: uint8 (R, L).
            inputs: float32 (R, I, L / size), of a model that reads tracks.
        """
        bases = self.model.encode(codes).transpose(1, 2).contiguous()  # (R, 4, L) -> (R, L, 4)
        raw, kept = [], []
        for net in self.nets:
            x, trace = run_layers(net.layers, bases, inputs)
            output, of_ending = net.ending.reference(x, inputs)
            raw.append(output)
            kept.append((trace, x, of_ending))
        return References(_mean(raw), kept)

    def mutants(self, references: References, codes: Tensor, starts: Index, rows: Index) -> Tensor:
        """Compute the raw output of mutants (N, ...).

        Args:
            references: their references.
            codes: uint8 (N, n): the bases that each has from its start on.
            starts: first of these bases (N,); what lies before or past the sequence is ignored.
            rows: reference of each (N,).
        """
        at_once = min(mutants_at_once(trace, codes.shape[1]) for trace, _, _ in references.kept)

        def some(part: slice) -> Tensor:
            """Compute a part of the mutants."""
            return self._some(references, codes[part], starts[part], rows[part])

        return torch.cat(self._threads.map(some, part_sizes(len(rows), at_once, codes.device), codes.device))

    def _some(self, references: References, codes: Tensor, starts: Index, rows: Index) -> Tensor:
        """Compute mutants together."""
        order = by_phase(self.nets[0].layers, starts)
        starts, rows = starts[order], rows[order]
        codes = codes[torch.from_numpy(order).to(codes.device)]
        values = self.model.encode(codes).permute(2, 0, 1).contiguous()  # (N, 4, n) -> (n, N, 4)
        raw = []
        for net, (trace, read, of_ending) in zip(self.nets, references.kept, strict=True):
            window = Window(values, starts, rows, order)
            for layer, before, kept in trace:
                window = layer.mutate(window, before, kept)
            output, computed = net.ending.mutate(window, read, of_ending)
            raw.append(output[torch.from_numpy(np.argsort(computed)).to(output.device)])
        return _mean(raw)


def network_of(model: SequenceModel) -> Network | None:
    """The network of a model, or None where mutants have to be predicted in full: see `zoo.interpret.lowering`.

    That is also so where a model's own `forward` does more than its trunk and head.
    """
    own = type(model).forward is not InferenceModel.forward and not model.scores_windows
    if own or model._forward_hooks or model._forward_pre_hooks:
        return None
    trunk, head = model.trunk, model.head
    pairs = [(trunk, head)]
    if type(trunk) is EnsembleTrunk and type(head) is SeparateHeads:
        pairs = list(zip(trunk.members, head.members, strict=True))
    nets = [lower(*pair) for pair in pairs]
    return Network(model, [net for net in nets if net]) if all(nets) else None


def _mean(raw: list[Tensor]) -> Tensor:
    """Mean raw output of ensemble members."""
    return raw[0] if len(raw) == 1 else torch.stack(raw).mean(0)
