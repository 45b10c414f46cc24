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
# # Predict
#
# You learn to load a model by its name and to predict for sequences, for sites of a genome, and along a whole contig.
#
# **You need** the zoo with the extras `tracks` and `plots`: `pip install '.[tracks,plots]'`. The models and the example
# files come with it; nothing is downloaded. The examples are random DNA in which some sites were written: they show how
# things work, not biology.

# %%
import contextlib
import os
import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np

import zoo
from zoo.cli import main

work = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
os.chdir(work.name)  # everything is written there, and removed with it


def command(*words):
    """Run `zoo WORDS` in this process; shows its messages too."""
    with contextlib.redirect_stderr(sys.stdout):
        assert main(words) == 0


# %% [markdown]
# ## Find a model
#
# All models that have a word among their facts; in a shell, `zoo list usf1`.

# %%
for facts in zoo.list_models("usf1"):
    print(f"{facts.name}: {facts.summary}")

# %% [markdown]
# ## Sequences
#
# USF1 binds the E-box `CACGTG`. This model reads 101 bases. A prediction is the probability that a sequence is a peak
# of the experiment, **if peaks and their dinucleotide-preserving shuffles are equally frequent**, as in its training.
# In a genome peaks are rare, so it is not the share of such sites that are bound: use it to compare sequences.

# %%
model = zoo.load("deepbind.encode_usf1_h1hesc")
bound, not_bound = "GTCACGTGAC" * 10 + "A", "ACGTTTACGA" * 10 + "A"
zoo.predict(model, [bound, not_bound]).to_dataframe()

# %% [markdown]
# ## A FASTA file
#
# `zoo example` writes small files. (`command(...)` runs `zoo ...` in this process; in a shell, write the words without
# quotes and commas.) In `ebox.fa`, each sequence with an E-box is followed by a shuffle of it, which has
# the same dinucleotides but not the site.

# %%
command("example")
fasta = zoo.predict(model, "examples/ebox.fa")
fasta.write("ebox.tsv")  # also .csv and .parquet
colours = [
    "tab:blue" if name.startswith("ebox") else "0.7" for name in fasta.names
]
plt.figure(figsize=(7, 2.6), layout="constrained")
plt.bar(fasta.names, fasta.to_numpy()[:, 0], color=colours)
plt.xticks(rotation=45, ha="right", fontsize=8)
plt.ylabel("probability")
plt.title("USF1: sequences with an E-box and their shuffles")
plt.show()

# %% [markdown]
# ## Sites of a genome
#
# A BED file and the genome. These sites have 210 bases; `resize=True` takes the 101 bases around each centre.

# %%
genome = zoo.Genome("examples/genome.fa")
sites = zoo.predict(model, genome, "examples/peaks.bed", resize=True)
sites.to_dataframe()

# %% [markdown]
# `tile` predicts windows along a region instead. At the E-boxes the probability
# is nearly 1; elsewhere it rises where random DNA resembles one.

# %%
windows = zoo.predict(model, genome, "chr1:1-5,900", tile=10)
middles = np.array(windows.columns["start"]) + model.length // 2
plt.figure(figsize=(8, 2.4), layout="constrained")
plt.fill_between(middles, windows.to_numpy()[:, 0], lw=0)
for site in zoo.read_bed("examples/peaks.bed"):
    plt.axvspan(
        site.start,
        site.end,
        color="tab:orange" if "ebox" in site.name else "0.7",
        alpha=0.4,
        lw=0,
    )
plt.xlabel("base of chr1")
plt.ylabel("probability")
plt.title(
    "windows of 101 bases; orange: sites with an E-box, grey: other sites"
)
plt.show()

# %% [markdown]
# ## Tracks along a contig
#
# `basenji.yeast` predicts nine tracks of yeast in bins of 16 bases. From the command line it writes a bigWig for each
# target, which genome browsers open. The contig is shorter than the 8,192 bases that the model reads, so it is padded
# with N, and the command says so.

# %%
command("predict", "basenji.yeast", "examples/genome.fa", "-o", "tracks")
sorted(path.name for path in os.scandir("tracks"))

# %% [markdown]
# The same in Python; `targets.tsv` of the model says in which unit each target is.

# %%
tracks = zoo.predict(
    "basenji.yeast",
    genome,
    targets=["mnase", "slic_cage_plus", "slic_cage_minus"],
)
frame = tracks.to_dataframe()
figure, axes = plt.subplots(
    len(tracks.targets), 1, figsize=(8, 4), sharex=True, layout="constrained"
)
for axis, target in zip(axes, tracks.targets, strict=True):
    axis.fill_between(frame["start"], frame[target], step="post", lw=0)
    axis.set_title(target, loc="left", fontsize=9)
axes[-1].set_xlabel("base of chr1")
figure.suptitle("basenji.yeast along random DNA")
plt.show()

# %% [markdown]
# `zoo predict basenji.yeast genome.fa --plot chr1:1,000-2,000 -o region.png` draws a region directly, with
# `--measured` next to your own bigWigs.
#
# ## Embeddings
#
# `zoo.embed` gives the output of a model's trunk: what its last layers see. Here 200 random sequences, half of them
# with an E-box, are drawn along the two directions in which their embeddings differ most.

# %%
rng = np.random.default_rng(0)
letters = rng.choice(list("ACGT"), (200, 101))
letters[:100, 46:56] = list("GTCACGTGAC")
embeddings = zoo.embed(model, ["".join(row) for row in letters]).reshape(
    200, -1
)
centred = embeddings - embeddings.mean(0)
directions = np.linalg.svd(centred, full_matrices=False)[2]
first, second = (centred @ directions[:2].T).T
plt.figure(figsize=(4.5, 3.5), layout="constrained")
plt.scatter(first[:100], second[:100], s=12, label="with an E-box")
plt.scatter(first[100:], second[100:], s=12, label="random", color="0.6")
plt.xlabel("first principal component")
plt.ylabel("second principal component")
plt.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Verify
#
# Each checkpoint holds an example with its predictions. `zoo verify` computes them again: that shows that weights, code
# and machine still give what was published. It does not show that a model is right; its card has its scores.

# %%
difference = zoo.verify("deepbind.encode_usf1_h1hesc")
command("verify", "deepbind.encode_usf1_h1hesc")

# %% [markdown]
# ## What to try next
#
# - `zoo info deepbind.encode_usf1_h1hesc` prints the card: use, limits, data and scores.
# - Predict for your own FASTA or BED; `--tile 10 --best` gives the best window of each sequence.
# - [Fine-tune](finetune.html) a model on your own assay.

# %% tags=["hide"]
# What the tests of this page read.
ebox_scores = fasta.to_numpy()[::2, 0]
shuffle_scores = fasta.to_numpy()[1::2, 0]
separation = abs(first[:100].mean() - first[100:].mean()) / first[100:].std()
