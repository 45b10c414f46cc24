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
# # Contact maps (Hi-C)
#
# You learn to predict a contact map from sequence, to draw it, to write it as `.cool`, and what its values mean.
#
# **You need** the extras `contacts` and `plots`: `pip install '.[contacts,plots]'`. The model `akita.yeast` comes with
# the zoo. The genome is that of a **simulated** laboratory, which `zoo example --lab` writes together with a contact
# map.

# %%
import contextlib
import os
import sys
import tempfile

import cooler
import matplotlib.pyplot as plt
import numpy as np

import zoo
from zoo.cli import main
from zoo.datasets.lab_example import write_lab_example

work = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
os.chdir(work.name)  # everything is written there, and removed with it
_ = write_lab_example("lab")  # in a shell: zoo example --lab

# %% [markdown]
# ## Predict
#
# The model reads 160,000 bases at once and predicts all pairs of 2,000-base bins within 128,000 bases. Longer regions
# are covered by overlapping windows, whose predictions are averaged. Each value is **log(observed / expected)**: 0 is
# what is usual for two bins at this distance, +0.7 twice as many contacts, -0.7 half as many. The fall of contacts
# with the distance is therefore not in the map.

# %%
genome = zoo.Genome("lab/genome.fa")
predicted = zoo.predict("akita.yeast", genome, "chr8:60,001-260,000")
contact_map = predicted.to_numpy()[0]
print(predicted)
print(
    f"{np.isnan(contact_map).mean():.0%} of the pairs are too far from "
    "each other for one window, and not predicted"
)

# %% [markdown]
# ## Draw
#
# `zoo predict --plot` draws the measured map next to the predicted one, on one scale. `main([...])` runs the command in
# this process; in a shell, write the words after `zoo`.

# %%
region = "chr8:60,000-260,000"
words = ["predict", "akita.yeast", "lab/genome.fa", "--plot", region]
words += ["--measured", "lab/contacts.cool", "-o", "map.png"]
with contextlib.redirect_stderr(sys.stdout):
    assert main(words) == 0
picture = plt.imread("map.png")
height, width = picture.shape[:2]
plt.figure(figsize=(width / 120, height / 120), dpi=120, layout="constrained")
plt.imshow(picture)
plt.axis("off")
plt.show()

# %% [markdown]
# The two have little in common, as they should: the model learnt what yeast DNA does in yeast; here domains end at
# simulated CTCF sites, which yeast does not have. **A model is for the species and cells that it was trained on**; to
# predict this laboratory's maps, [fine-tune](finetune.html) it on them (README: the four fine-tunings of the simulated
# laboratory). The correlation over all pairs that are predicted and have contacts says the same in one
# number.

# %%
counts = (
    cooler.Cooler("lab/contacts.cool")
    .matrix(balance=False)
    .fetch(region.replace(",", ""))
)
distance = np.abs(
    np.subtract.outer(np.arange(len(counts)), np.arange(len(counts)))
)
expected = np.array(
    [np.diagonal(counts, offset).mean() for offset in range(len(counts))]
)
with np.errstate(divide="ignore"):
    measured_map = np.log(counts / expected[distance])
known = np.isfinite(contact_map) & np.isfinite(measured_map) & (distance > 1)
correlation = np.corrcoef(contact_map[known], measured_map[known])[0, 1]
print(
    f"Pearson r of predicted and measured, "
    f"{known.sum() // 2:,} pairs of bins: {correlation:.2f}"
)

# %% [markdown]
# ## Write and read `.cool`
#
# One file for each target. It opens in cooler, cooltools and HiGlass. `--expected table.tsv` of `zoo predict` writes
# contacts instead of log(observed/expected).

# %%
paths = predicted.write("maps")
written = cooler.Cooler(str(paths[0]))
print(
    paths[0],
    "with",
    f"{written.info['nnz']:,}",
    "pairs of",
    f"{written.binsize:,}-base bins",
)
read_back = written.matrix(balance=False).fetch(region.replace(",", ""))
predicted_pairs = np.isfinite(contact_map)
print(
    "largest difference from the prediction:",
    np.abs(read_back - contact_map)[predicted_pairs].max(),
)
written.pixels(join=True)[:5]

# %% [markdown]
# A `.cool` file holds only pairs that have a value, so a reader that fills gaps with 0 shows pairs that were not
# predicted as "usual". `zoo predict -o maps.npz` writes arrays, in which they are NaN.
#
# ## Limits
#
# - Pairs farther apart than the window, and contacts between chromosomes, are not predicted.
# - The ends of contigs, which windows read only as context, have no prediction.
# - Maps are smoothed as in training (a Gaussian of 1.5 bins for `akita.yeast`).
# - Sequence alone explains a part of a yeast map: the card, `zoo info akita.yeast`, has the scores on held-out
#   chromosomes, and `akita.yeast_position` reads the position on the chromosome as well.
#
# ## What to try next
#
# - `zoo predict akita.yeast genome.fa -o yeast/` with the real yeast genome (`zoo data get yeast_contacts`).
# - `zoo predict akita.human_1mb ...`: the published human model, 1 Mb at once.

# %% tags=["hide"]
# What the tests of this page read.
is_same = bool(
    np.allclose(
        read_back[predicted_pairs], contact_map[predicted_pairs], atol=1e-6
    )
)
is_symmetric = bool(np.allclose(contact_map, contact_map.T, equal_nan=True))
