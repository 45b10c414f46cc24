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
# # A convolution filter is a learned PWM
#
# You learn that the first layer of DeepBind computes what a position weight matrix computes, that it learns its
# matrices from labels alone, and how far each gets on promoters.
#
# **You need** the extra `train`: `pip install '.[train]'`. Data are promoters of *E. coli* and other
# fragments of its genome (Umarov & Solovyev 2017, doi:10.1371/journal.pone.0171410), fetched once from the network or
# `ZOO_MIRROR`.

# %%
import contextlib
import tempfile
import warnings
from pathlib import Path

import lightning
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from torch import nn

import zoo
from zoo.data.sequences import SequenceDataModule
from zoo.datasets.promoters import PromoterDataModule
from zoo.errors import DownloadError
from zoo.models.deepbind import DeepBind
from zoo.nn.motifs import MotifConfig
from zoo.utils.lightning_output import quiet_lightning

quiet_lightning()
warnings.filterwarnings("ignore", ".*does not have many workers.*")
# Transcription starts at the base with index 60 of 81.
BASES, LENGTH, START = "ACGT", 81, 60

# %% [markdown]
# ## Data
#
# Where the public files cannot be had, this page runs on **generated** promoters: random DNA with a -35 box (`TTGACA`)
# and a -10 box (`TATAAT`), 15 to 19 bases apart, some of whose bases are drawn anew. Titles say which data they show.


# %%
def generate(count, rng):
    """Random DNA with both boxes, a quarter of their bases drawn anew."""
    codes = rng.integers(0, 4, (count, LENGTH)).astype(np.uint8)
    minus_10 = START - 12 + rng.integers(-2, 3, count)
    minus_35 = minus_10 - 6 - rng.integers(15, 20, count)
    for box, starts in (("TTGACA", minus_35), ("TATAAT", minus_10)):
        columns = starts[:, None] + np.arange(6)
        word = np.broadcast_to(
            [BASES.index(base) for base in box], columns.shape
        )
        codes[np.arange(count)[:, None], columns] = np.where(
            rng.random(columns.shape) < 0.25,
            codes[np.arange(count)[:, None], columns],
            word,
        )
    return codes


def write_generated(folder):
    """Write 800 generated promoters and 2,400 random sequences."""
    rng = np.random.default_rng(0)
    classes = {
        "promoter": generate(800, rng),
        "other": rng.integers(0, 4, (2400, LENGTH)),
    }
    for name, some in classes.items():
        lines = (
            f">{number}\n{''.join(BASES[code] for code in row)}\n"
            for number, row in enumerate(some)
        )
        Path(folder, f"{name}.fa").write_text("".join(lines))
    return {name: f"{folder}/{name}.fa" for name in classes}


OPTIONS = {"val_fraction": 0.15, "strands": "forward", "folds": 5, "fold": 0}
data, source = PromoterDataModule("ecoli", **OPTIONS), "E. coli"
try:
    data.prepare_data()
except DownloadError:
    print(
        "The public promoters cannot be had here: "
        "what follows is of GENERATED promoters."
    )
    work = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    data, source = (
        SequenceDataModule(
            write_generated(work.name), negative_class="other", **OPTIONS
        ),
        "generated",
    )
data.setup("fit")
print("\n".join(data.describe()))

# %% [markdown]
# Everything is learnt on the training split, filters are compared on the validation split, and the test split is scored
# once.

# %%
codes, is_promoter, split = (
    data.data.codes,
    data.data.labels[:, 0] == 1,
    data.data.split,
)
TRAIN, VAL, TEST = 0, 1, 2
promoters, others = (
    codes[(split == TRAIN) & is_promoter],
    codes[(split == TRAIN) & ~is_promoter],
)


def onehot(some):
    """Codes (N, L) -> (N, 4, L); an N is a quarter of each base."""
    table = np.vstack([np.eye(4), np.full(4, 0.25)]).astype(np.float32)
    return torch.from_numpy(table[some].transpose(0, 2, 1).copy())


# %% [markdown]
# ## The PSSM: counting
#
# Promoters are aligned at the transcription start. How often each base occurs in each column, against how often it
# occurs in other fragments, is a log odds matrix (position-specific scoring matrix). Its information, in bits, shows
# where promoters agree: around -35 and -10.


# %%
def log_odds(aligned, background):
    """Log2 odds (4, W) of aligned codes (N, W), with a pseudocount of 1."""
    counts = (
        np.stack([(aligned == base).sum(0) for base in range(4)])
        + 4 * background[:, None]
    )
    return np.log2(counts / counts.sum(0) / background[:, None])


def information(matrix, background):
    """Heights of the letters of a logo (4, W), in bits."""
    frequencies = background[:, None] * 2**matrix
    frequencies = frequencies / frequencies.sum(0)
    return frequencies * np.clip(
        (frequencies * np.log2(frequencies / background[:, None])).sum(0),
        0,
        None,
    )


def draw_logo(axes, heights, first=0):
    """Draw letters of heights (4, W), the largest on top."""
    font = FontProperties(family="DejaVu Sans", weight="bold")
    colours = dict(
        zip(BASES, ("#2a9d3a", "#2458c5", "#e8a317", "#d0312d"), strict=True)
    )
    for column in range(heights.shape[1]):
        bottom = 0.0
        for base in np.argsort(heights[:, column]):
            shape = TextPath((0, 0), BASES[base], size=1, prop=font)
            box = shape.get_extents()
            fit = Affine2D().translate(-box.x0, -box.y0)
            fit = fit.scale(
                0.9 / box.width, max(heights[base, column], 1e-6) / box.height
            )
            shape = fit.translate(first + column - 0.45, bottom).transform_path(
                shape
            )
            axes.add_patch(PathPatch(shape, color=colours[BASES[base]], lw=0))
            bottom += heights[base, column]
    axes.set_xlim(first - 0.5, first + heights.shape[1] - 0.5)
    axes.set_ylim(0, heights.sum(0).max() * 1.05)
    axes.set_ylabel("bits")
    axes.spines[["top", "right"]].set_visible(False)


background = np.bincount(others.ravel(), minlength=4)[:4] / (others < 4).sum()
aligned = log_odds(promoters, background)
figure, axes = plt.subplots(figsize=(10, 2.4), layout="constrained")
draw_logo(axes, information(aligned, background), first=-START)
axes.set_xlabel("base, relative to the transcription start")
axes.set_title(
    f"{source} promoters of the training split, aligned at the start",
    fontsize=10,
)
plt.show()

# %% [markdown]
# The -10 box is not at the same distance from the start in each promoter, so the columns blur it. Aligning the boxes
# sharpens it: begin with the best window of the matrix above, take each promoter's best site near it, count again, and
# repeat.

# %%
WIDTH, NEAR = 12, 6


def scan(matrix, some):
    """Scores (N, P) of a matrix (4, W) at each position of codes (N, L)."""
    values = np.vstack([matrix, matrix.mean(0)])
    windows = np.lib.stride_tricks.sliding_window_view(
        some, matrix.shape[1], axis=1
    )  # (N, P, W)
    return values[windows, np.arange(matrix.shape[1])].sum(2)


bits = information(aligned, background).sum(0)
begin = int(np.convolve(bits, np.ones(WIDTH), "valid").argmax())
pssm = aligned[:, begin : begin + WIDTH]
window = slice(max(begin - NEAR, 0), begin + NEAR + 1)
for _ in range(20):
    best = scan(pssm, promoters)[:, window].argmax(1) + window.start
    pssm = log_odds(
        promoters[
            np.arange(len(promoters))[:, None], best[:, None] + np.arange(WIDTH)
        ],
        background,
    )
print(
    f"the best site begins {np.mean(START - best):.1f} bases "
    "before the start, on average"
)

# %% [markdown]
# ## The same thing twice
#
# Scoring every position with a PSSM is a convolution of the one-hot sequence: the matrix is the filter. The two give
# the same numbers, up to rounding.

# %%
filters = nn.Conv1d(4, 1, WIDTH, bias=False)
with torch.no_grad():
    filters.weight[0] = torch.from_numpy(pssm)
    by_convolution = filters(onehot(codes[split == TEST]))[:, 0].numpy()
largest_difference = float(
    np.abs(by_convolution - scan(pssm, codes[split == TEST])).max()
)
print(
    "largest difference between the scan and the convolution: "
    f"{largest_difference:.2g}"
)

# %% [markdown]
# So a network whose first layer is a convolution begins with PSSMs; only their numbers come from gradient descent on
# labels, not from counting aligned sites.
#
# ## DeepBind: learning
#
# 16 filters as wide as the PSSM, the highest score of each in every 7 bases, one hidden layer. Nobody tells it where a
# box is, nor that there are two.

# %%
lightning.seed_everything(1, verbose=False)
motifs = MotifConfig(
    filters=16,
    width_bases=12,
    strands="forward",
    pooling="positions",
    pool_bases=7,
)
model = DeepBind(["promoter"], LENGTH, motifs, hidden=32, dropout=0.4)
trainer = lightning.Trainer(
    max_epochs=25,
    accelerator="cpu",
    logger=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    enable_checkpointing=False,
    limit_val_batches=0,
)
with contextlib.redirect_stdout(None):
    trainer.fit(model, datamodule=data)

# %% [markdown]
# ## Both on the test split
#
# Four scores of each test sequence: the best site of the PSSM anywhere, the best one near -10, the sum over all 81
# aligned columns, and DeepBind. Intervals are 95 % bootstrap intervals; the resamples are the same for all, so that
# differences can be compared.

# %%
test = codes[split == TEST]
truth = is_promoter[split == TEST]
sites = scan(pssm, test)
scores = {
    "PSSM, best site": sites.max(1),
    "PSSM, best site near -10": sites[:, window].max(1),
    "81 aligned columns": scan(aligned, test)[:, 0],
    "DeepBind": zoo.predict(model.eval(), test).to_numpy()[:, 0],
}


def auroc(truth, score):
    """Share of pairs (positive, negative) that are in the right order."""
    _, index, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[index]
    positive = int(truth.sum())
    return (ranks[truth].sum() - positive * (positive + 1) / 2) / (
        positive * (len(truth) - positive)
    )


rng = np.random.default_rng(0)
samples = rng.integers(0, len(truth), (500, len(truth)))
value = {name: auroc(truth, score) for name, score in scores.items()}
resampled = {
    name: np.array([auroc(truth[rows], score[rows]) for rows in samples])
    for name, score in scores.items()
}
interval = {
    name: np.quantile(values, [0.025, 0.975])
    for name, values in resampled.items()
}
for name in scores:
    print(
        f"{name}: AUROC {value[name]:.3f} "
        f"[{interval[name][0]:.3f}, {interval[name][1]:.3f}]"
    )
gain = np.quantile(
    resampled["DeepBind"] - resampled["81 aligned columns"], [0.025, 0.975]
)
print(
    "DeepBind minus 81 aligned columns: "
    f"between {gain[0]:+.3f} and {gain[1]:+.3f} (95 %)"
)

# %%
figure, axes = plt.subplots(figsize=(7, 2.4), layout="constrained")
for row, name in enumerate(reversed(scores)):
    low, high = interval[name]
    axes.errorbar(
        value[name],
        row,
        xerr=[[value[name] - low], [high - value[name]]],
        fmt="o",
        capsize=4,
    )
axes.set_yticks(range(len(scores)), reversed(scores))
axes.set_xlabel(
    f"test AUROC, {truth.sum()} promoters and {(~truth).sum()} others"
)
axes.set_title(f"{source} promoters", fontsize=10)
plt.show()

# %% [markdown]
# ## The most predictive filter
#
# Two questions to each filter, on the validation split: how well does its best site alone tell promoters (AUROC of the
# filter as a PSSM), and how much does the network lose without it? Several filters often learn parts of one box, so
# that the loss of one is made up for by the others; the first question finds it all the same.

# %%
validation, wanted = codes[split == VAL], is_promoter[split == VAL]
weights = model.trunk.filters.detach().numpy()  # (filters, 4, width)
alone = [auroc(wanted, scan(weight, validation).max(1)) for weight in weights]
with torch.no_grad():
    features = model.trunk(onehot(validation))  # (B, 1, 1, filters x positions)
    per_filter = features.view(len(features), len(weights), -1)
    whole = auroc(wanted, model.head(features)[:, 0].numpy())
    fall = []
    for number in range(len(weights)):
        without = per_filter.clone()
        without[:, number] = per_filter[:, number].mean(0)
        fall.append(
            whole
            - auroc(wanted, model.head(without.view_as(features))[:, 0].numpy())
        )
chosen = int(np.argmax(alone))
weight = weights[chosen]
print(
    f"filter {chosen} alone: validation AUROC {alone[chosen]:.3f}, "
    f"the whole network {whole:.3f}"
)
print(f"the network without filter {chosen}: {whole - fall[chosen]:.3f}")

# %% [markdown]
# Its logo is made as for published DeepBind models: the best site of the filter in each training promoter, where it
# scores more than half of its highest score. These sites are counted, as those of the PSSM were. `TATAAT` is the -10
# box, `TTGACA` the -35 box.

# %%
learnt = scan(weight, promoters)
at = learnt.argmax(1)
strong = learnt.max(1) > 0.5 * learnt.max()
columns = at[strong][:, None] + np.arange(weight.shape[1])
counted = log_odds(
    promoters[strong][np.arange(strong.sum())[:, None], columns], background
)
figure, (top, bottom) = plt.subplots(
    2, 1, figsize=(6, 4.2), layout="constrained"
)
draw_logo(top, information(pssm, background))
top.set_title(
    f"PSSM of the -10 box, counted in aligned {source} promoters", fontsize=10
)
draw_logo(bottom, information(counted, background))
bottom.set_title(
    f"DeepBind's filter {chosen}, sites of {strong.sum()} {source} promoters",
    fontsize=10,
)
plt.show()

# %% [markdown]
# Where do these sites lie? The filter was told nothing about positions.

# %%
figure, axes = plt.subplots(figsize=(7, 2.2), layout="constrained")
axes.hist(
    at[strong] + weight.shape[1] // 2 - START,
    bins=np.arange(-START, LENGTH - START, 2),
)
axes.set_xlabel(
    "middle of the filter's best site, relative to the transcription start"
)
axes.set_ylabel("promoters")
axes.set_title(f"{source} promoters", fontsize=10)
plt.show()

# %% [markdown]
# ## What was learnt, and what not
#
# - Both used that promoters are aligned: the matrix by its columns, the network by the order of its pooled scores. The
#   printed difference says how much more the network made of the same sequences.
# - A filter is a PSSM, a network is more: its hidden layer weighs several boxes and their positions together.
# - One seed, one split, small test set: read the intervals before you prefer one. Negatives are other fragments of the
#   genome, some of them overlapping each other; the scores are not those of a scan of a whole genome.
#
# ## What to try next
#
# - `PromoterDataModule("bsubtilis")` and the other sets: *B. subtilis* has the same boxes, mammals hardly any.
# - `pooling="max"`: the filter scans, and the position is lost. How much does that cost?
# - `zoo predict deepbind.promoter_ecoli`: the shipped model, three networks of 128 filters.
# - A line cannot fit a cube: [why the hidden layer](lines_and_cubes.html).

# %% tags=["hide"]
# What the tests of this page read.
pssm_auroc, aligned_auroc = (
    value["PSSM, best site near -10"],
    value["81 aligned columns"],
)
deepbind_auroc, filter_auroc = value["DeepBind"], alone[chosen]
consensus = "".join(BASES[base] for base in pssm.argmax(0))
