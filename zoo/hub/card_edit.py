"""State facts that a card lacks: the licence, the source, what the model is for. Nothing here imports torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.hub.cards import read_notes, render_card
from zoo.hub.config import parse_config
from zoo.hub.folder import CARD, CONFIG, TARGETS, checkpoint_text
from zoo.utils.atomic import whole_files

__all__ = ["state_facts"]


def state_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write facts into `config.json` of a checkpoint and render its card; weights are not touched.

    Args:
        folder: the checkpoint.
        facts: key of `config.json` -> its new value, such as the text of the licence.

    Raises:
        IntegrityError: a broken folder, or a value that `config.json` may not hold.
        OutputError: the folder cannot be written.
    """
    content = {**json.loads(checkpoint_text(folder, CONFIG)), **facts}
    config = parse_config(content, str(folder / CONFIG))
    card = render_card(config, checkpoint_text(folder, TARGETS), read_notes(folder))
    with whole_files([folder / CONFIG, folder / CARD]) as (config_file, card_file):
        config_file.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        card_file.write_text(card, encoding="utf-8")
