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
# # Variants
#
# You learn to score the variants of a VCF, what the numbers mean, why the score of a deletion depends on where its
# window is held, and which bases of a sequence matter.
#
# **You need** the zoo with the extras `variants`, `tracks` and `plots`: `pip install '.[variants,tracks,plots]'`. The
# model and the example files come with it; nothing is downloaded. The examples are random DNA in which some sites were
# written: they show how things work, not biology.

# %%
import contextlib
import os
import sys
import tempfile
from pathlib import Path

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


def show(picture):
    """Show a picture that was written."""
    figure, axes = plt.subplots(
        figsize=(
            12,
            12 * plt.imread(picture).shape[0] / plt.imread(picture).shape[1],
        )
    )
    axes.imshow(plt.imread(picture))
    axes.axis("off")
    figure.tight_layout(pad=0)
    plt.show()


# %% [markdown]
# ## A VCF
#
# `zoo example` writes a genome of 6,000 bases and a VCF of it. USF1 binds the E-box `CACGTG`; three of the variants
# break one, and three are in random DNA.

# %%
command("example")
print(Path("examples/variants.vcf").read_text())

# %% [markdown]
# ## Scores
#
# The model reads a window around each variant, with either allele. Each allele is a row, also the one that cannot be
# scored, whose note says why. In a shell: `zoo variants NAME variants.vcf --genome genome.fa -o scores.tsv`.

# %%
scores = zoo.score_variants(
    "deepbind.encode_usf1_h1hesc", "examples/variants.vcf", "examples/genome.fa"
)
table = scores.to_dataframe()
table[["id", "ref", "alt", "note", "log_odds:USF1", "percentile:USF1"]]

# %% [markdown]
# - `log_odds` is log(p / (1 - p)) of the alternative minus that of the reference. It counts a change from .99 to .9 as
#   much as one from .5 to .08, which the difference of probabilities does not.
# - `percentile` is the share of random substitutions, in peaks of this experiment, that matter less. `breaks_ebox_a`
#   changes the motif to one that is nearly as good; losing or splitting it is beyond all random substitutions.
#
# The scores of different models, and of different targets, are not on one scale; their percentiles are.

# %%
broken = table[table["id"].str.contains("ebox")].set_index("id")[
    "log_odds:USF1"
]
random_dna = table[table["id"] == "background"]["log_odds:USF1"]
print(
    f"E-boxes {broken.max():.2f} and below; random DNA {random_dna.min():.2f} to {random_dna.max():.2f}"
)

# %%
command(
    *(
        "variants",
        "deepbind.encode_usf1_h1hesc",
        "examples/variants.vcf",
        "--genome",
        "examples/genome.fa",
    ),
    *("--plot", "chr1:900-5,200", "-o", "effects.png"),
)
show("effects.png")

# %% [markdown]
# ## Which side is held?
#
# A window has 101 bases, and a deletion takes some of them: others must come in at one end. With the left side held
# they come in at the right end, and all bases behind the deletion move. A model that has learnt *where* in a peak a
# motif lies sees that. Neither side is right: on the other strand of the genome, left is right. The default is the mean
# of both, which does not depend on the strand.

# %%
genome = zoo.Genome("examples/genome.fa")
deletions = [
    (
        "chr1",
        position,
        genome.sequence(zoo.Interval("chr1", position - 1, position + 5)),
        base,
    )
    for position in range(1_100, 1_160)
    for base in [genome.sequence(zoo.Interval("chr1", position - 1, position))]
]
by_side = {
    side: zoo.score_variants(
        "basset.encode_tf",
        deletions,
        genome,
        hold=side,
        targets=["usf1_h1hesc"],
    ).score("log_odds")[:, 0]
    for side in ("left", "right", "both")
}
fig, ax = plt.subplots(figsize=(4.5, 4.5))
ax.scatter(by_side["left"], by_side["right"], s=12)
ax.axline((0, 0), slope=1, color="0.6", linewidth=0.8)
ax.set(
    xlabel="log-odds, left side held",
    ylabel="log-odds, right side held",
    title="60 deletions of five bases",
)
plt.show()
largest = np.abs(by_side["left"] - by_side["right"]).max()
print(f"the side that is held changes the score by up to {largest:.2f}")

# %% [markdown]
# ## Which bases matter?
#
# In-silico mutagenesis changes every base to every other. Letters are as high as the prediction falls, on average, by
# the three other bases; below, the change by each. In a shell: `zoo mutagenesis NAME sequences.fa -o logos.png`.

# %%
command(
    "mutagenesis",
    "deepbind.encode_usf1_h1hesc",
    "examples/ebox.fa",
    "-o",
    "logos.png",
)
show("logos.png")

# %%
mutants = zoo.saturation_mutagenesis(
    "deepbind.encode_usf1_h1hesc", "examples/ebox.fa"
)
loss = (
    -mutants[0].substitutions.change.sum((1, 2)) / 3
)  # of each position of the first sequence
site = np.sort(np.argsort(loss)[-6:])
site_letters = "".join("ACGTN"[code] for code in mutants[0].codes[site])
print(
    f"the six positions that matter most, {site[0]} to {site[-1]}, read {site_letters}"
)
