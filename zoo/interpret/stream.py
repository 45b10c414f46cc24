"""Mutants of everything that a source holds, sequence by sequence."""

from collections.abc import Iterator, Sequence

from zoo.genome.sequence import UNKNOWN
from zoo.inference.engine import check_finite, check_input_table
from zoo.inference.regions import choose_targets
from zoo.inference.site_codes import SiteCodes
from zoo.inference.sources import SiteSource, Source
from zoo.inference.windowing import Windowing
from zoo.interpret.effects import Summary
from zoo.interpret.mutagenesis import MutantKinds, mutate
from zoo.interpret.predictor import MutantPredictor
from zoo.interpret.result import NamedMutants
from zoo.models._base import SequenceModel

__all__ = ["MutantStream"]


class MutantStream:
    """Predicts the mutants of sequences, in their order and in bounded memory.

    Args:
        model: a loaded model; it is used on the device it is on, and left as it was.
        kinds: which mutants.
        targets: names of the targets wanted; None for all.
        bins: bins [first, last) of a track or contact map that count; None for all.

    Raises:
        ConfigError: a target or bins that the model does not have, or deletions of a model that reads tracks.
    """

    def __init__(
        self,
        model: SequenceModel,
        kinds: MutantKinds = MutantKinds(),  # noqa: B008  (immutable)
        targets: Sequence[str] | None = None,
        bins: tuple[int, int] | None = None,
    ) -> None:
        self.model, self.kinds = model, kinds
        self.targets = tuple(choose_targets(model.output, targets))
        self._summary = Summary(model.output, [model.output.targets.index(name) for name in self.targets], bins)
        kinds.check(model)

    def of(self, source: Source, windowing: Windowing, notes: list[str]) -> Iterator[NamedMutants]:
        """Predict the mutants of each sequence of a source.

        Args:
            source: the sequences.
            windowing: whether sequences of other lengths are cut or padded.
            notes: what is cut, padded or read as N is said here, when the last one was predicted.

        Raises:
            InputError: sequences that cannot be read, or of a length that the model does not take.
            ConfigError: a prediction that is NaN or infinite, or input tracks that are missing or not read.
        """
        check_input_table(self.model, source.inputs if isinstance(source, SiteSource) else None)
        predictor = MutantPredictor(self.model)
        for block in source.blocks(self.model, windowing, notes):
            for index, name in enumerate(block.names):
                following = block.codes.base_after(index) if isinstance(block.codes, SiteCodes) else UNKNOWN
                inputs = None if block.inputs is None else block.inputs[index]
                codes = block.codes[index]
                mutants = mutate(predictor, codes, self._summary, self.kinds, following, inputs)
                for effects in (mutants.reference, mutants.substitutions, mutants.deletions, mutants.tiles):
                    if effects is not None:
                        check_finite(effects.change[None], [name], "32")
                columns = {column: cells[index] for column, cells in block.columns.items()}
                yield NamedMutants(name, columns or {"name": name}, mutants)
