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
# # Publish
#
# You learn what a checkpoint needs before others can use it, and how it goes to the Hugging Face Hub.
#
# **You need** the extra `train`: `pip install '.[train]'`. This page sends nothing: it runs what works without a
# network, and shows the commands that need the Hub and an account as text.

# %%
import contextlib
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml

import zoo
from zoo.cli import main
from zoo.hub.cards import render_folder
from zoo.hub.config import read_config
from zoo.publishing.obstacles import obstacles

work = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
os.chdir(work.name)  # everything is written there, and removed with it


def command(*words):
    """Run `zoo WORDS` in this process; shows its messages too."""
    with contextlib.redirect_stderr(sys.stdout):
        assert main(words) == 0


# %% [markdown]
# ## A model to publish
#
# A toy: a few epochs on 200 random sequences with an E-box, told apart from their shuffles. It is good for nothing but
# this page.

# %%
rng = np.random.default_rng(0)
letters = rng.choice(list("ACGT"), (200, 101))
letters[:, 46:56] = list("GTCACGTGAC")
Path("ebox.fa").write_text(
    "".join(
        f">ebox_{number}\n{''.join(row)}\n"
        for number, row in enumerate(letters)
    )
)
words = [
    "train",
    "deepbind.sequences",
    "--data.fasta",
    "{bound: ebox.fa}",
    "--name",
    "deepbind.toy",
]
words += [
    "--data.val_fraction",
    "0.25",
    "--data.test_fraction",
    "0.25",
    "--trainer.max_epochs",
    "8",
]
words += ["--data.batch_size", "16"]
command(*words)
folder = Path("checkpoints/deepbind.toy")
sorted(path.name for path in folder.iterdir())

# %% [markdown]
# ## What is missing
#
# `zoo push` refuses a model of which a stranger could not know what it is. It names everything at once; `obstacles` is
# the same check without the push.

# %%
before = obstacles(folder, read_config(folder), "deepbind.toy")
print("\n".join(before))

# %% [markdown]
# ## State the facts
#
# `zoo card NAME` writes them into `config.json` and renders the card again; weights are not touched. A text of your own
# below the last line of the card stays when it is rendered.

# %%
command(
    *(
        "card",
        "deepbind.toy",
        "--summary",
        "E-boxes in random DNA",
        "--species",
        "synthetic construct",
    ),
    *(
        "--assay",
        "none: simulated sequences",
        "--licence",
        "CC-BY-4.0",
        "--source",
        "Our laboratory",
    ),
    *(
        "--use",
        "Showing how a model is published",
        "--limits",
        "A toy of random sequences; no biology",
    ),
    *("--data", "200 random sequences with an E-box, generated"),
)
after = obstacles(folder, read_config(folder), "deepbind.toy")
print("still missing:", after or "nothing")

# %% [markdown]
# ## The card
#
# It is a Markdown file whose first lines, between `---`, the Hub reads: licence, tags, and scores (`model-index`).

# %%
card = render_folder(folder)
front_matter = yaml.safe_load(card.split("---\n")[1])
print(card.split("---\n")[1])

# %% [markdown]
# The rest is for people: here down to the files of its data.

# %%
print(card.split("---\n", 2)[2].partition("Files of the data")[0])

# %% [markdown]
# ## Verify
#
# The stored example must come out as stored, here and with whoever loads it.

# %%
command("verify", "deepbind.toy")

# %% [markdown]
# ## Push (not executed on this page)
#
# The next commands talk to the Hub, even `--dry-run`, which asks what the repository already holds. They were **not
# run** here: there is no account, and building documentation should publish nothing. In a shell:
#
# ```bash
# hf auth login                                                      # once; or HF_TOKEN
# zoo push deepbind.toy --repo our-lab/deepbind.toy --public --dry-run   # what would be sent; nothing is
# zoo push deepbind.toy --repo our-lab/deepbind.toy --public             # or --private
# ```
#
# `zoo push` checks and verifies the checkpoint as above, sends what is new as **one commit**, downloads that commit
# into an empty cache, compares every byte, verifies it there, and only then tags it (v1, v2, ...) and says
# "published". Anyone then loads it, without an account if it is public:
#
# ```python
# model = zoo.load("hf-hub:our-lab/deepbind.toy@v1")  # a tag can be moved by its owner; a commit cannot
# ```
#
# Until then, a folder can be copied and loaded as it is. Nothing in it is executed, wherever it came from.

# %%
copied = zoo.load(f"local-dir:{folder}")
zoo.predict(copied, "ebox.fa").to_dataframe().head()

# %% [markdown]
# ## What to try next
#
# - `zoo card` with `--citation` and `--datasets`; write a paragraph below the last line of the card and render it
#   again.
# - Put another file into the folder, or change a byte of the weights: what do `obstacles` and `zoo verify` say?
# - `zoo push --pin` lets a short name stand for exactly what was published.

# %% tags=["hide"]
# What the tests of this page read.
licence = front_matter["license"]
