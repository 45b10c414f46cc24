# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Fine-tune
#
# You learn to train a model on your own assay, beginning with the weights of another one, to read what was chosen for
# you, and to judge the result.
#
# **You need** the extra `train`: `pip install '.[train]'`. Data are those of a **simulated** laboratory, whose protein
# binds AP-1 sites (`ATGACTCAT`) in random DNA: they come with the zoo, and nothing is downloaded.

# %%
import contextlib
import csv
import os
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import yaml

import zoo
from zoo.cli import main

work = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
os.chdir(work.name)  # everything is written there, and removed with it


def command(*words):
    """Run `zoo WORDS` in this process; shows its messages too."""
    with contextlib.redirect_stderr(sys.stdout):
        assert main(words) == 0


command("example", "--lab")

# %% [markdown]
# ## One command
#
# A model and a file. `bound.fa` has sequences of 101 bases that are bound; negatives are shuffles of them, for none
# were given. The model learnt another protein, USF1. The plan says what was chosen and why, and each choice can be
# changed by an option of `zoo train`: here the epochs, of which there are fewer than it would choose, to keep this
# page quick.

# %%
EPOCHS = "12"
command(
    "finetune",
    "deepbind.encode_usf1_h1hesc",
    "lab/bound.fa",
    "--name",
    "deepbind.lab",
    "--trainer.max_epochs",
    EPOCHS,
)

# %% [markdown]
# In Python: `zoo.finetune("deepbind.encode_usf1_h1hesc", "lab/bound.fa", name="deepbind.lab")`. Peaks, bigWigs and
# contact maps go the same way, with `genome="lab/genome.fa"`.
#
# ## The learning curve
#
# The run keeps a table of each epoch (and draws `runs/deepbind.lab/learning_curve.png`). A training loss that falls
# while the validation loss rises would say that the model learns its sequences by heart; the weights that are kept are
# those of the epoch with the best validation score.


# %%
def read_curve(name, metric):
    """A metric of each epoch of a run."""
    with Path(f"runs/{name}/log_0/metrics.csv").open() as file:
        return [
            float(row[metric]) for row in csv.DictReader(file) if row[metric]
        ]


figure, (losses, scores) = plt.subplots(
    1, 2, figsize=(9, 3), layout="constrained"
)
for metric in ("train_loss", "val_loss"):
    losses.plot(
        range(1, 1 + len(read_curve("deepbind.lab", metric))),
        read_curve("deepbind.lab", metric),
        label=metric,
    )
scores.plot(
    range(1, 1 + len(read_curve("deepbind.lab", "val_auroc"))),
    read_curve("deepbind.lab", "val_auroc"),
)
losses.set_ylabel("binary cross-entropy")
losses.legend(frameon=False)
scores.set_ylabel("validation AUROC")
for axes in (losses, scores):
    axes.set_xlabel("epoch")
plt.show()

# %% [markdown]
# ## Scores, with intervals
#
# Of a name alone, `zoo.evaluate` repeats the test of its run: on sequences that were not used for training, nor for
# the choice of the epoch. The interval says how much the score would vary with other test sequences of this kind;
# it does not say how it varies with the seed of the training.

# %%
finetuned = zoo.evaluate("deepbind.lab")
print(finetuned)

# %% [markdown]
# ## Was the other model of use?
#
# The honest comparison is the same network, data, splits and epochs, from random weights. `recipe.yaml` in the
# checkpoint is the whole configuration; its section `transfer` is all that names the other model.

# %%
recipe = yaml.safe_load(
    Path("checkpoints/deepbind.lab/recipe.yaml").read_text()
)
del recipe["transfer"]
recipe["name"] = "deepbind.scratch"
Path("scratch.yaml").write_text(yaml.safe_dump(recipe))
with Path("scratch.log").open("w") as log, contextlib.redirect_stderr(log):
    _ = main(["train", "scratch.yaml"])
scratch = zoo.evaluate("deepbind.scratch")
for name, result in (
    ("fine-tuned", finetuned),
    ("from random weights", scratch),
):
    print(f"{name}: test AUROC {result.means['auroc']}, one seed")

# %%
figure, (curves, bars) = plt.subplots(
    1, 2, figsize=(9, 3), layout="constrained"
)
for name, label in (
    ("deepbind.lab", "fine-tuned"),
    ("deepbind.scratch", "from random weights"),
):
    values = read_curve(name, "val_auroc")
    curves.plot(range(1, 1 + len(values)), values, label=label)
curves.set_xlabel("epoch")
curves.set_ylabel("validation AUROC")
curves.legend(frameon=False)
for position, result in enumerate((finetuned, scratch)):
    score = result.means["auroc"]
    bars.errorbar(
        position,
        score.value,
        [[score.value - score.low], [score.high - score.value]],
        fmt="o",
        capsize=4,
    )
bars.set_xticks([0, 1], ["fine-tuned", "from random weights"])
bars.set_xlim(-0.5, 1.5)
bars.set_ylabel("test AUROC, 95 % interval")
plt.show()

# %% [markdown]
# Do not expect fine-tuning to win here. This task is one word in random DNA, which the network learns within a few
# epochs from nothing; the model of USF1 knows one other word, and its weights change more slowly, on purpose.
# Fine-tuning pays where the data are real and few and the model knows much: the README has the table of
# `basset.encode_tf` on five real experiments with 100 to 10,000 sequences. **Make this comparison on your own data**;
# it is one more run.
#
# ## Use it
#
# The result is a checkpoint like any other.

# %%
model = zoo.load("deepbind.lab")
background = "GCTAAGCTTGCATGCCTGCAGGTCGACTCTAGAGGATCCCCGGGTACC"
with_site, without = (
    f"{background[:46]}{word}{background[:46]}"
    for word in ("ATGACTCAT", "AAGTCTCTA")
)
zoo.predict(model, [with_site, without]).to_dataframe()

# %% [markdown]
# ## What to try next
#
# - Leave out `--trainer.max_epochs`. Does the difference stay? With other seeds (`--seed_everything 2`)?
# - `--mode head`, `last:1`, `lora`: train less. `--delta true` stores only what differs.
# - `zoo finetune basset.encode_tf lab/peaks.narrowPeak --genome lab/genome.fa` (one to two minutes), or the bigWig and
#   the contact map in `lab/`.
# - [Publish](publish.html) the result.

# %% tags=["hide"]
# What the tests of this page read.
finetuned_auroc, scratch_auroc = (
    finetuned.value("auroc"),
    scratch.value("auroc"),
)
finetuned_interval = finetuned.means["auroc"].low, finetuned.means["auroc"].high
site_minus_none = float(
    np.subtract(*zoo.predict(model, [with_site, without]).to_numpy()[:, 0])
)
