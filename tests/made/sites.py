"""The whole site, but of the shipped models only one of each look: written in seconds."""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from zoo.hub.config import CheckpointConfig
from zoo.hub.registry import read_checkpoints

__all__ = ["SHIPPED", "write_small_site"]

SHIPPED = ("akita.yeast", "basenji.yeast", "deepbind.encode_usf1_h1hesc", "mlp.promoter_ecoli")


def _read_some(folder: Path, broken: list[Path]) -> Iterator[tuple[Path, CheckpointConfig]]:
    return ((path, config) for path, config in read_checkpoints(folder, broken) if path.name in SHIPPED)


def write_small_site(folder: Path) -> None:
    """Write it; all published models and all tables are in it."""
    from zoo.site import models
    from zoo.site.build import build_site

    with mock.patch.object(models, "read_checkpoints", _read_some):
        report = build_site(folder)
    assert (report.drawn, report.left_out) == (len(SHIPPED), 0)
