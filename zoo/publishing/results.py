"""Scores in the form that the Hugging Face Hub shows beside a data set: `.eval_results/`."""

import yaml

from zoo.hub.config import CheckpointConfig

__all__ = ["RESULTS", "evaluation_results"]

RESULTS = ".eval_results/regzoo.yaml"


def evaluation_results(config: CheckpointConfig) -> str:
    """The scores of the test split as YAML; empty where the card does not name one data set on the Hub.

    Args:
        config: configuration of the checkpoint.
    """
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    facts = config.facts
    scores = facts.run.metrics.get("test", {}) if facts.run else {}
    if len(facts.datasets) != 1 or not scores:
        return ""
    note = f"test split, mean over {len(facts.targets)} targets" if len(facts.targets) > 1 else "test split"
    entries = [
        EvalResultEntry(dataset_id=facts.datasets[0], task_id=metric, value=round(value, 4), notes=note)
        for metric, value in scores.items()
        if metric != "loss"
    ]
    return yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False)
