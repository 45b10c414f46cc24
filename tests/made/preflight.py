"""Small runs whose data are checked before they start."""

from pathlib import Path

from zoo.training.preflight.check import check_arguments
from zoo.training.preflight.report import Report

__all__ = ["REST", "checked", "details"]

# A configuration without its name, model and data.
REST = """
optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.1}}
trainer: {max_epochs: 3, accelerator: cpu, devices: 1}
card: {summary: s, use: u, limits: l, data: d}
"""


def checked(model: str, data: str, *options: str) -> Report:
    """Check a run, without timing it; it is written to `run.yaml` of the working folder.

    Args:
        model: the arguments of the model as YAML, with its class path.
        data: the same of the data.
        options: further options of the run.
    """
    Path("run.yaml").write_text(f"{REST}{model}\n{data}\n")
    return check_arguments(["run.yaml", *options], time=False)


def details(report: Report, level: str, what: str = "") -> list[str]:
    """Details of the findings of a level, and of those whose heading holds a text."""
    return [one.detail for one in report.findings if one.level == level and what in one.what]
