"""Two processes compute what one does: gradients, batch norms and their statistics, and losses of missing values."""

import os
import socket
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

from zoo.metrics.base import LossMean
from zoo.nn.losses import LOSSES, LossSum
from zoo.nn.parallel import broadcast_buffers, mean_over_processes, share_batch_norms

SHARES = (slice(0, 6), slice(6, 10))
NET_LOSS = LOSSES["binary_cross_entropy"].function


def net(momentum: float | None = 0.1) -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6, momentum=momentum), nn.ReLU(), nn.Conv1d(6, 5, 3), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(5 * 16, 3), nn.BatchNorm1d(3, affine=False)).double()


def rows() -> tuple[Tensor, Tensor]:
    """Ten rows; a third of the targets are missing, more of them in the first share."""
    torch.manual_seed(1)
    target = torch.rand(10, 3).round()
    target[torch.rand(10, 3) < torch.linspace(0.6, 0.1, 10)[:, None]] = torch.nan
    return torch.randn(10, 4, 20).double(), target.double()


def work(rank: int, port: int, folder: str) -> None:
    """Train one step as one of two processes, and keep gradients and buffers."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    for momentum in (0.1, None):
        model = net(momentum)
        share_batch_norms(model)
        x, target = rows()
        wrapped = nn.parallel.DistributedDataParallel(model)
        loss = NET_LOSS(wrapped(x[SHARES[rank]]), target[SHARES[rank]])
        mean_over_processes(loss).backward()  # type: ignore[no-untyped-call]
        mean = LossMean()
        mean.update(*loss)
        share_batch_norms(model, shared=False)
        state = [parameter.grad for parameter in model.parameters()], dict(model.named_buffers()), mean.compute()
        torch.save(state, Path(folder) / f"{momentum}_{rank}.pt")
    own = nn.BatchNorm1d(2)
    own.running_mean.fill_(rank)  # type: ignore[union-attr]
    broadcast_buffers(own)
    assert own.running_mean.eq(0).all()  # type: ignore[union-attr]
    dist.destroy_process_group()
    # DistributedDataParallel keeps gloo's threads: one that frees a tensor while Python shuts down aborts the process.
    os._exit(0)


@pytest.mark.slow
def test_two_processes_have_the_gradients_and_statistics_of_one(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(work, (port, str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]
    for momentum in (0.1, None):
        model = net(momentum)
        x, target = rows()
        loss = NET_LOSS(model(x), target).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        for rank in (0, 1):
            gradients, buffers, mean = torch.load(tmp_path / f"{momentum}_{rank}.pt", weights_only=True)
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                assert torch.allclose(parameter.grad, gradient, rtol=1e-4, atol=1e-6)  # type: ignore[arg-type]
            for name, buffer in model.named_buffers():
                assert torch.allclose(buffer, buffers[name].to(buffer.dtype), rtol=1e-5, atol=1e-7)
            assert float(mean) == pytest.approx(float(loss.detach()), rel=1e-5)


def test_one_process_needs_no_group_and_computes_what_it_did() -> None:
    model, (x, target) = net(), rows()
    plain = model(x)
    again = net()
    share_batch_norms(again)
    assert torch.equal(plain, again(x))
    loss = NET_LOSS(plain, target)
    assert torch.equal(mean_over_processes(loss), loss.mean())
    share_batch_norms(again, shared=False)
    assert [type(layer) for layer in again.modules()] == [type(layer) for layer in model.modules()]


def test_the_mean_loss_of_an_epoch_is_over_its_values_not_its_batches() -> None:
    mean = LossMean()
    mean.update(*LossSum(torch.tensor(6.0), torch.tensor(3)))
    mean.update(*LossSum(torch.tensor(1.0), torch.tensor(1)))
    assert float(mean.compute()) == 7 / 4
    mean.update(*LossSum(torch.tensor(torch.nan), torch.tensor(1)))
    assert mean.compute().isnan()
    mean.reset()
    assert mean.compute().isnan()
