"""Texts of a run: those of its card, with values of the data filled in."""

import re
from dataclasses import dataclass
from string import Formatter

from zoo.data.base import GenomicDataModule
from zoo.errors import ConfigError
from zoo.hub.facts import NOT_STATED
from zoo.utils.text import quoted

__all__ = ["CardText", "fill", "fill_card", "split_datasets"]

_DATA_SET = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)


@dataclass
class CardText:
    """Text of the card. `{key}` is filled from the data module's `card_values`.

    Args:
        summary: one line: what the model predicts.
        species: Latin name.
        assay: what the training data measured.
        cell_type: cell types or tissue of the training data.
        licence: licence of the weights.
        source: who made them.
        use: what it is meant for.
        limits: where it fails, and what it must not be used for.
        data: where the training data comes from, with its reference and licence.
        citation: how to cite the model, as BibTeX; its braces stay as they are.
        datasets: ids of the training data on the Hugging Face Hub, such as org/name, separated by commas.
    """

    summary: str = "{targets}"
    species: str = ""
    assay: str = ""
    cell_type: str = ""
    licence: str = NOT_STATED
    source: str = NOT_STATED
    use: str = ""
    limits: str = ""
    data: str = ""
    citation: str = ""
    datasets: str = ""


def fill_card(card: CardText, data: GenomicDataModule) -> dict[str, str]:
    """The texts of a card with values of the data filled in; errors as of `fill`."""
    return {key: text if key == "citation" else fill(text, data) for key, text in vars(card).items()}


def split_datasets(text: str) -> tuple[str, ...]:
    """Split the ids of data sets on the Hugging Face Hub.

    Raises:
        ConfigError: one that is no id.
    """
    names = tuple(filter(None, re.split(r"[,\s]+", text)))
    if wrong := [name for name in names if not _DATA_SET.fullmatch(name)]:
        raise ConfigError(f"card.datasets: {quoted(wrong[0])} is no id of the Hugging Face Hub, such as org/name")
    return names


def fill(text: str, data: GenomicDataModule) -> str:
    """Fill `{key}` in a text of a configuration from the data's own values.

    Raises:
        ConfigError: a key for which the data have no value, or more than a key in braces.
    """
    try:
        for _, key, form, conversion in Formatter().parse(text):
            if key is not None and (form or conversion or key not in data.card_values):
                raise KeyError(f"{key}:{form}" if form else key)
        return text.format(**data.card_values)
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"{text!r}: the data has no value for {error}; it has {', '.join(data.card_values)}"
        ) from None
