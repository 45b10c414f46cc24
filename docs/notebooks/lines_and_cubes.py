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
# # A line cannot fit a cube
#
# You learn why a model needs hidden layers: a linear model learns neither a curve nor what depends on two inputs
# together, however long it is trained.
#
# **You need** the extra `train`: `pip install '.[train]'`. Data are generated with fixed seeds.

# %%
import os
import tempfile
import warnings
from pathlib import Path

import lightning
import matplotlib.pyplot as plt
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import zoo
from zoo.data.sequences import SequenceDataModule
from zoo.models.mlp import MLP
from zoo.utils.lightning_output import quiet_lightning

quiet_lightning()
warnings.filterwarnings("ignore", ".*does not have many workers.*")
work = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
os.chdir(work.name)
QUIET = {
    "accelerator": "cpu",
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}
QUIET |= {"enable_checkpointing": False}

# %% [markdown]
# ## Numbers: y = x³
#
# 512 points of a cube, with noise of standard deviation 0.05.

# %%
NOISE = 0.05
rng = np.random.default_rng(0)
x = torch.from_numpy(rng.uniform(-1, 1, (512, 1)).astype(np.float32))
y = x**3 + torch.from_numpy(rng.normal(0, NOISE, (512, 1)).astype(np.float32))

# %% [markdown]
# A LightningModule says what the loss of a batch is and which optimizer lowers it; the Trainer does the rest. `Fit`
# takes any network.


# %%
class Fit(lightning.LightningModule):
    """A network that learns y from x by squared error."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def training_step(self, batch, index):
        """Mean squared error of a batch."""
        inputs, wanted = batch
        loss = nn.functional.mse_loss(self.network(inputs), wanted)
        self.log("loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self):
        """Adam with one learning rate."""
        return torch.optim.Adam(self.parameters(), lr=0.01)


class Losses(Callback):
    """Keep the training loss of each epoch."""

    def __init__(self):
        self.values = []

    def on_train_epoch_end(self, trainer, pl_module):
        """Add that of this epoch."""
        self.values.append(float(trainer.callback_metrics["loss"]))


def fit(network):
    """Train a network; returns its loss in each epoch."""
    lightning.seed_everything(1, verbose=False)
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()
    losses = Losses()
    batches = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    lightning.Trainer(max_epochs=60, callbacks=[losses], **QUIET).fit(
        Fit(network), batches
    )
    return losses.values


line = nn.Linear(1, 1)
mlp = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1))
line_losses, mlp_losses = fit(line), fit(mlp)

# %% [markdown]
# The best of all lines can be computed directly, by least squares. No training gets a line below its loss (dashed). No
# model at all gets far below the noise (dotted).

# %%
design = np.column_stack([x[:, 0], np.ones(len(x))])
_, residual, *_ = np.linalg.lstsq(design, y[:, 0].numpy(), rcond=None)
best_line = float(residual[0]) / len(x)
grid = torch.linspace(-1, 1, 200)[:, None]
figure, (curves, losses) = plt.subplots(
    1, 2, figsize=(9, 3.4), layout="constrained"
)
curves.scatter(x, y, s=4, color="0.75", label="data")
with torch.no_grad():
    curves.plot(grid, line(grid), label="line")
    curves.plot(grid, mlp(grid), label="MLP")
curves.set_xlabel("x")
curves.set_ylabel("y")
curves.legend(frameon=False)
losses.plot(range(1, 61), line_losses, label="line")
losses.plot(range(1, 61), mlp_losses, label="MLP")
losses.axhline(best_line, color="k", ls="--", lw=1, label="best line")
losses.axhline(NOISE**2, color="k", ls=":", lw=1, label="noise")
losses.set_yscale("log")
losses.set_xlabel("epoch")
losses.set_ylabel("mean squared error")
losses.legend(frameon=False)
plt.show()

# %%
print(
    f"line {line_losses[-1]:.4f} (best possible {best_line:.4f}), "
    f"MLP {mlp_losses[-1]:.4f} (noise {NOISE**2:.4f})"
)

# %% [markdown]
# ## Sequences: two bases together
#
# Sequences of 20 bases are positive if **exactly one** of the bases 6 and 13 is a purine (A or G). Each of the two
# bases alone says nothing: half of the sequences with a purine there are positive. A linear model adds up what single
# bases say, and 0 + 0 is 0.

# %%
rng = np.random.default_rng(1)
letters = rng.choice(list("ACGT"), (4000, 20))
purine = np.isin(letters, ["A", "G"])
label = purine[:, 5] ^ purine[:, 12]
rows = [
    f"{''.join(row)}\t{int(one)}\n"
    for row, one in zip(letters, label, strict=True)
]
Path("pairs.tsv").write_text("sequence\tpositive\n" + "".join(rows))
share = {base: label[letters[:, 5] == base].mean() for base in "ACGT"}
print(
    "positive, by base 6:",
    ", ".join(f"{base} {value:.2f}" for base, value in share.items()),
)

# %% [markdown]
# The zoo's `MLP` with and without a hidden layer, on the same training data, scored on the same held-out sequences with
# 95 % bootstrap intervals. Without a hidden layer, an MLP is a logistic regression.


# %%
def train(hidden):
    """Train an MLP; returns its evaluation on the test split."""
    lightning.seed_everything(1, verbose=False)
    data = SequenceDataModule(
        table="pairs.tsv",
        label_columns=["positive"],
        strands="forward",
        test_fraction=0.25,
    )
    model = MLP(["positive"], 20, hidden=hidden, dropout=0.0)
    lightning.Trainer(max_epochs=25, limit_val_batches=0, **QUIET).fit(
        model, datamodule=data
    )
    return zoo.evaluate(model, data)


linear, two_layers = train(hidden=[]), train(hidden=[64])
for name, result in (("linear", linear), ("one hidden layer", two_layers)):
    print(
        f"{name}: AUROC {result.means['auroc']} "
        f"of {result.units} test sequences"
    )

# %%
plt.figure(figsize=(4, 3), layout="constrained")
for position, result in enumerate((linear, two_layers)):
    score = result.means["auroc"]
    plt.bar(
        position, score.value, color=["0.7", "tab:blue"][position], width=0.6
    )
    plt.plot([position] * 2, [score.low, score.high], color="k")
plt.axhline(0.5, color="k", ls=":", lw=1)
plt.xticks([0, 1], ["linear", "one hidden layer"])
plt.ylabel("test AUROC (dotted: chance)")
plt.title("exactly one purine of two", fontsize=10)
plt.show()

# %% [markdown]
# ## What to try next
#
# - Give the linear model the product of the two inputs as a third input: then it can learn the pair, because **you**
#   did the hidden layer's work. For the cube, give it x³.
# - Four hidden units instead of 64: does every seed learn it?
# - [Learning rate and activation](learning_rate.html) shows what decides whether a network learns what it could.

# %% tags=["hide"]
# What the tests of this page read.
line_loss, mlp_loss = line_losses[-1], mlp_losses[-1]
linear_auroc, mlp_auroc = linear.value("auroc"), two_layers.value("auroc")
