"""The device that neural engines run on: CUDA, then MPS, then CPU."""

from __future__ import annotations

import importlib.util


def device_name() -> str:
    """Return 'cuda (name)', 'mps' or 'cpu'; torch is loaded only where it is installed."""
    if importlib.util.find_spec("torch") is None:
        return "cpu (torch is not installed)"
    import torch

    if torch.cuda.is_available():
        return f"cuda ({torch.cuda.get_device_name()})"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def job_devices() -> tuple[str, ...]:
    """Return the devices that each run one job at a time; every engine there is computes on the CPU."""
    return ("cpu",)
