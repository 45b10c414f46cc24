"""Licences of the models that a training begins with."""

import re

from zoo.errors import ConfigError, ZooError
from zoo.hub.config import read_config
from zoo.hub.load import resolve

__all__ = ["check_licences"]

_NO_DERIVATIVES = re.compile(r"\bND\b|no.?deriv", re.IGNORECASE)
# So that checkpoints which name each other end somewhere.
_LONGEST_LINEAGE = 20


def check_licences(name: str) -> None:
    """Refuse a model of which no derived model may be made, or that began with such a one that is here.

    Args:
        name: name of the model, as it is loaded.

    Raises:
        ConfigError: its licence, or that of a model before it, forbids derived models.
        UnknownNameError: there is no model of that name.
    """
    first = config = read_config(resolve(name))
    for _ in range(_LONGEST_LINEAGE):
        if _NO_DERIVATIVES.search(config.facts.licence):
            subject = config.facts.name if config is first else f"{config.facts.name}, with which {name} began,"
            raise ConfigError(
                f"{subject} has the licence {config.facts.licence}, which forbids models that are derived from it: "
                "take another"
            )
        run = config.facts.run
        if run is None or run.base is None:
            return
        try:
            config = read_config(resolve(run.base.name))
        except ZooError:  # not here: its licence is not known
            return
