"""Training with a compiled network, by `torch.compile`."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from zoo.errors import ConfigError, one_line
from zoo.models._base import SequenceModel

__all__ = ["compile_network", "explaining_compiler"]


def compile_network(model: SequenceModel) -> None:
    """Compile the trunk and the head, which hold all of the arithmetic, in place; names of weights stay.

    They are compiled when the first batch comes, and again for a batch of another size.

    Raises:
        ConfigError: torch cannot compile for the CPU here, where there is neither a GPU nor a C++ compiler.
    """
    if not torch.cuda.is_available() and not any(map(shutil.which, ("c++", "g++", "clang++"))):
        raise ConfigError("--compile true needs a C++ compiler on a CPU (g++ or clang++): install one, or leave it out")
    for part in (model.trunk, model.head):
        part.compile()


@contextmanager
def explaining_compiler() -> Iterator[None]:
    """Make one sentence of an error of the compiler.

    Raises:
        ConfigError: the network cannot be compiled.
    """
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        raise ConfigError(
            f"the network cannot be compiled ({one_line(error)[:300]}): leave out --compile true"
        ) from None
