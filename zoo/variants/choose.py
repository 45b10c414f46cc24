"""The scores of each kind of output."""

from collections.abc import Sequence

from zoo.errors import ConfigError
from zoo.models._base import SequenceModel
from zoo.outputs import Contacts, Labels, Tracks
from zoo.utils.text import counted
from zoo.variants.contacts import ContactScores
from zoo.variants.scores import LabelScores, Scores
from zoo.variants.tracks import TrackScores

__all__ = ["scores_for"]


def scores_for(model: SequenceModel, names: Sequence[str] | None = None, within: int | None = None) -> Scores:
    """The scores of a model's variants.

    Args:
        model: the model.
        names: the scores that are wanted; None for all that it has.
        within: of tracks, bases on either side of the change in which bins count; None for all.

    Raises:
        ConfigError: a model that reads input tracks, a score that it does not have, or `within` for one that predicts
            no tracks.
    """
    if model.inputs.names:
        raise ConfigError(
            f"the model reads {counted(len(model.inputs.names), 'input track')} in addition to the sequence, which a "
            "variant may change too: it cannot score variants"
        )
    kind = model.output.kind
    if kind == Tracks.kind:
        return TrackScores(model, names, within)
    if within is not None:
        raise ConfigError(f"within is for models of tracks; this one predicts {kind}")
    return {Labels.kind: LabelScores, Contacts.kind: ContactScores}[kind](model, names)
