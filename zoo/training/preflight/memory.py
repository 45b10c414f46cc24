"""Memory of one training step, counted on a copy of the model whose tensors have shapes and no values.

Shapes: B sequences of a batch, L bases, I input tracks, P values of each, T targets.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from zoo.batch import Batch
from zoo.models._base import SequenceModel
from zoo.training.optimizers import OptimizerPlan, use_optimizers
from zoo.training.preflight.report import Report

__all__ = ["check_memory", "free_memory", "made_batch", "step_bytes"]

# Fraction of the free memory from which a warning is due: allocators and libraries need some too.
_MOST = 0.9
_MEMINFO = Path("/proc/meminfo")
_SMALLER = (
    "set --data.batch_size to less, with --trainer.accumulate_grad_batches for steps as before, or "
    "--model.trunk.checkpointing true where the model has it"
)


def made_batch(model: SequenceModel, size: int, device: str | torch.device = "cpu") -> Batch:
    """Make a batch of random sequences and targets that the loss of a model can learn.

    Args:
        model: the model.
        size: number of sequences, B.
        device: device of the tensors.
    """
    shape = (size, *model.output.shape)
    target = torch.rand(shape, device=device)
    if model.loss.classifies or model.loss.counts:
        target = target.round()
    inputs = model.inputs
    tracks = torch.rand(size, len(inputs.names), model.length // inputs.size, device=device) if inputs.names else None
    return Batch(torch.randint(0, 4, (size, model.length), device=device, dtype=torch.uint8), target, tracks)


def step_bytes(model: SequenceModel, size: int, plan: OptimizerPlan | None = None) -> tuple[int, int]:
    """Count the memory of a training step in float32, without computing it.

    Args:
        model: the model; a copy is used.
        size: sequences of the batch.
        plan: the optimizer; None for AdamW.

    Returns:
        Bytes of what is kept for the backward pass, and bytes of weights, gradients and the optimizer's state.
    """
    copied = deepcopy(model).to("meta").train()
    kept: dict[int, Any] = {}  # storages, kept so that no two have one id

    def keep(tensor: Tensor) -> Tensor:
        """Note the storage of a tensor that the backward pass needs."""
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    weights = {one.untyped_storage()._cdata for one in copied.parameters()}
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = copied.training_loss(made_batch(copied, size, "meta")).mean()
    activations = sum(storage.nbytes() for key, storage in kept.items() if key not in weights)
    loss.backward()  # type: ignore[no-untyped-call]
    use_optimizers(copied, OptimizerPlan(plan.optimizer, None, plan.groups, plan.rates) if plan else OptimizerPlan())
    configured: Any = copied.configure_optimizers()
    optimizer = configured["optimizer"]
    optimizer.step()
    states = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor)]
    gradients = [one.grad for one in copied.parameters() if one.grad is not None]
    tensors = [*copied.parameters(), *copied.buffers(), *gradients, *states]
    return activations, sum(one.numel() * one.element_size() for one in tensors)


def free_memory(device: torch.device) -> int | None:
    """Free memory of a device in bytes; None where it is not known."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "cpu" and _MEMINFO.is_file():
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return None


def check_memory(model: SequenceModel, size: int, plan: OptimizerPlan | None, trainer: Trainer, report: Report) -> bool:
    """Report the memory of a training step, against what the device has free.

    Args:
        model: the model.
        size: sequences of the batch of one process.
        plan: the optimizer; None for AdamW.
        trainer: the run's trainer, for its device, precision and number of processes.
        report: where findings are added.

    Returns:
        Whether a step fits.
    """
    device, precision = trainer.strategy.root_device, str(trainer.precision)
    activations, rest = step_bytes(model, size, plan)
    if "16" in precision:
        activations //= 2  # but for what batch norms and losses keep in float32
    total, free = activations + rest, free_memory(device)
    report.facts["memory"] = {"activations": activations, "weights": rest, "free": free}
    detail = (
        f"about {total / 1e9:.2f} GB for a step of {size:,} in {precision}: {activations / 1e9:.2f} GB of values for "
        f"the backward pass, {rest / 1e9:.2f} GB of weights, gradients and optimizer"
    )
    # The processes of a CPU share its memory; a GPU is that of one.
    needed = total * (trainer.world_size if device.type == "cpu" else 1)
    if free is None:
        report.ok("memory", detail)
        return True
    detail += f"; {device.type} has {free / 1e9:.1f} GB free"
    if needed > _MOST * free:
        report.warn("memory", detail, _SMALLER)
        return False
    report.ok("memory", detail)
    return True
