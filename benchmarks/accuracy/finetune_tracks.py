"""Fine-tuning on tracks that a base never saw: SLIC-CAGE, with a basenji.yeast that was trained without it.

SLIC-CAGE, nanoCAGE and STRIPE-seq all measure transcription starts, each by its own chemistry: the case of a laboratory
with its own assay, in a species for which a model of others is there.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from accuracy.finetune_runs import base_checkpoint, train_mode
from common import run_facts, write_results
from lightning import Trainer

from zoo.datasets.yeast import YeastDataModule
from zoo.hub.loading import load_folder
from zoo.hub.registry import shipped_folder

__all__ = ["tracks_table"]

ASSAY = "slic_cage"
OTHERS = ["mnase", "nanocage", "stripe_ypd", "stripe_diamide"]
# Those of configs/basenji.yeast.yaml, without the assay's.
_WEIGHTS, _SPREAD = "[0.037, 1.53, 1.55, 0.78, 0.78, 0.67, 0.66]", "[60,4,4,4,4,4,4]"
_SHIFTS = ["--data.resolution", "4", "--data.shift", "3584"]
_METRIC = "pearson_log1p"
# Learning rate from scratch: that of configs/basenji.yeast.yaml.
SCRATCH_RATE = 6.0e-3


def tracks_table(modes: Sequence[str]) -> str:
    """Train the runs that are missing, score them on the test split and write the table.

    Args:
        modes: rows, keys of `MODES`.
    """
    base = base_folder()
    full = shipped_folder("checkpoints") / "basenji.yeast"
    folders = {"basenji.yeast, trained on all tracks": full}
    words = ["--data", "zoo.datasets.yeast.YeastDataModule", "--data.assays", f"[{ASSAY}]", *_SHIFTS]
    for mode in modes:
        folders[f"fine-tuned, {mode}"] = train_mode(base, mode, words, f"basenji.{ASSAY}", SCRATCH_RATE)
    facts = {name: run_facts(folder) for name, folder in folders.items()}
    rows: list[list[object]] = []
    for name, folder in folders.items():
        scores = _scores(folder)
        rows.append([name, facts[name]["seconds"], *scores.values(), mean(scores.values())])
    header = ["run", "seconds", *(f"{target} r of log1p" for target in YeastDataModule(assays=[ASSAY]).targets), "mean"]
    return write_results("finetune_tracks", header, rows, {"base": run_facts(base), **facts})


def base_folder() -> Path:
    words = ["--data.assays", f"[{','.join(OTHERS)}]", "--target_weights", _WEIGHTS]
    words += ["--model.target_scale.spread", _SPREAD, "--name", "basenji.yeast_no_slic"]
    words += ["--card.summary", "Nucleosomes and transcription starts along yeast DNA, without those of SLIC-CAGE"]
    return base_checkpoint("basenji.yeast_no_slic", ["basenji.yeast", *words])


def _scores(folder: Path) -> dict[str, float]:
    """Test Pearson r of log1p of each strand of the assay; NaN where there is none."""
    model = load_folder(folder)
    data = YeastDataModule(assays=[ASSAY] if len(model.output.targets) == 2 else None)
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    trainer.test(model, datamodule=data, verbose=False)
    values = dict(zip(model.output.targets, model.target_scores[_METRIC], strict=True))
    own = {target: values[target] for target in YeastDataModule(assays=[ASSAY]).targets}
    return {target: math.nan if score is None else score for target, score in own.items()}
