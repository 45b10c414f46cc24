"""Devices by name."""

import torch

from zoo.errors import ConfigError

__all__ = ["find_device"]


def find_device(name: str) -> str:
    """Find a device that torch has here.

    Args:
        name: `cpu`, `cuda`, `cuda:1`, `mps`; `auto` for an accelerator if there is any.

    Raises:
        ConfigError: there is no such device.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return accelerator.type if accelerator else "cpu"
    try:
        torch.zeros(1, device=name).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(f"there is no device {name!r} here ({str(error).splitlines()[0]})") from None
    return name
