"""Where networks run."""

import torch

from partonic.errors import ConfigError

__all__ = ["check_device", "chosen_device"]


def chosen_device(name: str) -> str:
    """Return the device that is meant by a setting: ``auto`` is ``cuda`` if there is one, else ``cpu``.

    Raises:
        ConfigError: if it is not there.
    """
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    check_device(chosen)
    return chosen


def check_device(device: str) -> None:
    """Check that a device is there.

    Raises:
        ConfigError: if it is not.
    """
    if device != "cpu" and not torch.cuda.is_available():
        raise ConfigError(f"the device '{device}' was asked for, but this machine has no CUDA device; use 'cpu'")
