"""DataModule of labelled sequences that are evaluated, not learnt."""

from collections.abc import Iterator
from typing import Any

from zoo.data.labelled import Labelled
from zoo.data.sequences.module import SequenceDataModule
from zoo.errors import InputError

__all__ = ["EvaluatedSequences"]


class EvaluatedSequences(SequenceDataModule):
    """Labelled sequences, of which a target may have one value alone: it has no score then."""

    resize_option = "--resize"

    def problems(self, data: Labelled[Any]) -> Iterator[InputError]:
        """Refuse nothing for what could not be learnt."""
        return iter(())
