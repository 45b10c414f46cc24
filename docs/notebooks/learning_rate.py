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
# # Learning rate and activation
#
# You learn what the two choices do that decide most often whether a network learns: the size of the optimizer's steps,
# and the function between the layers.
#
# **You need** PyTorch and matplotlib. Data are generated; seeds are fixed.

# %%
import math

import matplotlib.pyplot as plt
import torch
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-1, 1, 128)[:, None]
y = x**3
# Of all lines, 0.6 x comes closest to the cube on [-1, 1].
LINE = float(((y - 0.6 * x) ** 2).mean())

# %% [markdown]
# ## One network, several learning rates
#
# Gradient descent takes a step against the gradient in each epoch; the learning rate is the step's length for a
# gradient of one. The network, its random weights and the data are the same each time.


# %%
def network(activation, hidden_layers=2, units=32, seed=0):
    """Dense layers with an activation behind each but the last."""
    torch.manual_seed(seed)
    layers = [nn.Linear(1, units), activation()]
    for _ in range(hidden_layers - 1):
        layers += [nn.Linear(units, units), activation()]
    return nn.Sequential(*layers, nn.Linear(units, 1))


def descend(model, rate, epochs=400, momentum=0.0):
    """Gradient descent; returns the mean squared error of each epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)
    losses = []
    for _ in range(epochs):
        loss = nn.functional.mse_loss(model(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


RATES = (0.0003, 0.01, 0.1, 10.0)
by_rate = {rate: descend(network(nn.ReLU), rate) for rate in RATES}

# %%
figure, axes = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
for rate, losses in by_rate.items():
    shown = [min(loss, 10) if math.isfinite(loss) else 10 for loss in losses]
    axes.plot(shown, label=f"rate {rate:g}")
axes.axhline(LINE, color="k", ls=":", lw=1, label="best line")
axes.set_yscale("log")
axes.set_xlabel("epoch")
axes.set_ylabel("mean squared error (cut at 10)")
figure.legend(loc="outside right upper", frameon=False)
plt.show()

# %% [markdown]
# The smallest rate hardly moves; the next two learn, the larger one faster; with the largest, each step overshoots so
# far that the next gradient is larger still, and the loss explodes or ends as NaN. A loss that grows is cured by a
# smaller rate, one that falls slowly and steadily by a larger one.

# %%
for rate, losses in by_rate.items():
    print(
        f"rate {rate:g}: first loss {losses[0]:.3g}, "
        f"last {losses[-1]:.3g}, highest {max(losses):.3g}"
    )

# %% [markdown]
# ## One rate, several activations
#
# Without an activation, layers multiply to one matrix: the network stays a line. ReLU and tanh bend it. Sigmoid could
# bend it too, but learns slowly: in these epochs it does not get below the line. Momentum, which keeps nine tenths of
# the last step, speeds all of them up. Each has the learning rate, of three, that gives it the lowest last loss.

# %%
ACTIVATIONS = {
    "none": nn.Identity,
    "ReLU": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
by_activation = {}
for name, activation in ACTIVATIONS.items():
    runs = {
        rate: descend(network(activation), rate, momentum=0.9)
        for rate in (0.03, 0.1, 0.3)
    }
    best_rate = min(
        runs,
        key=lambda rate: (
            runs[rate][-1] if math.isfinite(runs[rate][-1]) else math.inf
        ),
    )
    by_activation[name] = runs[best_rate]
    print(
        f"{name}: last loss {runs[best_rate][-1]:.2g} "
        f"with rate {best_rate:g}; the best line has {LINE:.2g}"
    )

# %%
figure, axes = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
for name, losses in by_activation.items():
    axes.plot(losses, label=name)
axes.axhline(LINE, color="k", ls=":", lw=1, label="best line")
axes.set_yscale("log")
axes.set_xlabel("epoch")
axes.set_ylabel("mean squared error")
figure.legend(loc="outside right upper", frameon=False)
plt.show()

# %% [markdown]
# ## Why saturation slows
#
# A layer learns from the gradient that comes back through all layers behind it, and each activation multiplies it by
# its slope. The slope of a sigmoid is 1/4 at most, and almost 0 where it is saturated; that of tanh is 1 at most, that
# of ReLU 1 or 0. In a deep network the slopes multiply.

# %%
points = torch.linspace(-6, 6, 241, requires_grad=True)
figure, (left, right) = plt.subplots(
    1, 2, figsize=(9, 3.4), layout="constrained"
)
for name, activation in list(ACTIVATIONS.items())[1:]:
    (slope,) = torch.autograd.grad(activation()(points).sum(), points)
    left.plot(points.detach(), slope, label=name)
left.set_xlabel("input of the activation")
left.set_ylabel("slope")
left.legend(frameon=False)

DEPTH = 6
gradients = {}
for name, activation in list(ACTIVATIONS.items())[1:]:
    norms = torch.zeros(DEPTH + 1)
    for seed in range(10):  # the mean over ten random networks
        deep = network(activation, DEPTH, seed=seed)
        nn.functional.mse_loss(deep(x), y).backward()
        norms += (
            torch.stack(
                [
                    layer.weight.grad.norm()
                    for layer in deep
                    if isinstance(layer, nn.Linear)
                ]
            )
            / 10
        )
    gradients[name] = norms
    right.plot(range(1, DEPTH + 2), norms, marker="o", label=name)
right.set_yscale("log")
right.set_xlabel("layer (1 is next to the input)")
right.set_ylabel("gradient norm before training")
plt.show()

# %%
for name, norms in gradients.items():
    print(
        f"{name}: the gradient of layer 1 is "
        f"{norms[0] / norms[-1]:.1g} times that of the last layer"
    )

# %% [markdown]
# The first layers of a deep sigmoid network get almost no gradient: they stay as they were drawn. That is why the
# networks of the zoo have ReLU-like activations, and sigmoids only at the very end, where they make a probability.
#
# ## What to try next
#
# - Adam (`torch.optim.Adam`) scales each weight's step by its past gradients: which rates work now?
# - A batch norm before each sigmoid keeps its input near 0. Does layer 1 learn?
# - `zoo tune` searches the learning rate of a run of `zoo train` on validation data.
# - [A convolution filter is a learned PWM](filters_are_motifs.html).

# %% tags=["hide"]
# What the tests of this page read.
too_small, right_rate, too_large = (
    by_rate[RATES[0]],
    by_rate[RATES[2]],
    by_rate[RATES[3]],
)
last_loss = {name: losses[-1] for name, losses in by_activation.items()}
first_to_last = {
    name: float(norms[0] / norms[-1]) for name, norms in gradients.items()
}
best_line = LINE
