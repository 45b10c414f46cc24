"""Front matter of a card: what the Hugging Face Hub reads of it, as YAML."""

import re
from typing import Any

import yaml

from zoo.hub.config import CheckpointConfig
from zoo.hub.facts import NOT_STATED

__all__ = ["base_repository", "front_matter", "licence_id"]

# Licences that the Hub knows by these ids, which are SPDX's in lower case.
_HUB_LICENCES = frozenset(
    """
    apache-2.0 mit bsd-2-clause bsd-3-clause bsl-1.0 isc mpl-2.0 unlicense wtfpl zlib artistic-2.0 ecl-2.0 epl-1.0
    epl-2.0 eupl-1.1 eupl-1.2 gpl-2.0 gpl-3.0 agpl-3.0 lgpl-2.1 lgpl-3.0 afl-3.0 cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0
    cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 pddl odc-by odbl
    """.split()  # noqa: SIM905  (a list of them takes forty lines)
)
# Metric of a run -> its id in the Hub's list of metrics.
_HUB_METRICS = {
    "auroc": "roc_auc",
    "auprc": "average_precision",
    "pearson": "pearsonr",
    "r2": "r_squared",
    "mse": "mse",
}
_REPOSITORY = re.compile(r"hf-hub:([\w.-]+/[\w.-]+)@.+", re.ASCII)


def front_matter(config: CheckpointConfig, base: str = "") -> list[str]:
    """The lines of the front matter.

    Args:
        config: configuration of the checkpoint.
        base: repository `org/name` of the model that it was fine-tuned from; empty where there is none on the Hub.
    """
    facts = config.facts
    tags = ["genomics", "dna", "regulatory-genomics", "pytorch-lightning", config.architecture]
    content: dict[str, Any] = {
        "license": licence_id(facts.licence),
        "library_name": "regzoo",
        "tags": [*tags, *([_slug(facts.species)] if facts.species and "," not in facts.species else [])],
    }
    if content["license"] == "other":
        content["license_name"] = _slug(facts.licence)
    if facts.datasets:
        content["datasets"] = list(facts.datasets)
    if base := base or base_repository(config):
        content |= {"base_model": base, "base_model_relation": "finetune"}
    if results := _model_index(config):
        content["model-index"] = results
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
    return ["---", *text.splitlines(), "---", ""]


def licence_id(licence: str) -> str:
    """The Hub's id of a licence: `unknown` where it is not stated, `other` for one that the Hub has no id of."""
    if licence.strip() in ("", NOT_STATED):
        return "unknown"
    return licence.lower() if licence.lower() in _HUB_LICENCES else "other"


def base_repository(config: CheckpointConfig) -> str:
    """The repository of the model that a checkpoint was fine-tuned from, where its name says one; else empty."""
    base = config.facts.run.base if config.facts.run else None
    match = _REPOSITORY.fullmatch(base.name) if base else None
    return match[1] if match else ""


def _model_index(config: CheckpointConfig) -> list[dict[str, Any]]:
    """The scores of the test split in the form that the Hub shows on the page of a model."""
    facts = config.facts
    scores = facts.run.metrics.get("test", {}) if facts.run else {}
    if not scores:
        return []
    metrics = [
        {"type": _HUB_METRICS.get(name, name), "name": f"test {name}", "value": round(value, 4)}
        for name, value in scores.items()
    ]
    dataset = {"type": facts.datasets[0] if facts.datasets else _slug(facts.name), "name": _data_name(config)}
    task = {"type": "other", "name": facts.summary}
    return [
        {"name": facts.name, "results": [{"task": task, "dataset": {**dataset, "split": "test"}, "metrics": metrics}]}
    ]


def _data_name(config: CheckpointConfig) -> str:
    """A name of the data: the beginning of what the card says of them."""
    return config.facts.data.split(", ")[0].strip() or "own data"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "other"
