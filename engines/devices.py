"""The device that neural engines run on: CUDA, then MPS, then CPU."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from functools import cache

_PATIENCE = 10.0
"""Seconds that the driver's program may take; the first call wakes the driver up."""


def device_name() -> str:
    """Return 'cuda (name)', 'mps' or 'cpu'; torch is loaded only where it is installed."""
    if importlib.util.find_spec("torch") is None:
        return "cpu (torch is not installed)"
    import torch

    if torch.cuda.is_available():
        return f"cuda ({torch.cuda.get_device_name()})"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@cache
def job_devices() -> tuple[str, ...]:
    """Return the devices that each run one job at a time: 'cuda:N' of NVIDIA's GPUs, or 'cpu' where there is none.

    Asks the driver's own program, as torch would take seconds and memory in every process that only wants to know.
    """
    if importlib.util.find_spec("torch") is None:
        return ("cpu",)
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        numbers = [part.strip() for part in chosen.split(",")]
        return tuple(f"cuda:{number}" for number in numbers if number and number != "-1") or ("cpu",)
    return tuple(f"cuda:{number}" for number in range(_gpu_count())) or ("cpu",)


def _gpu_count() -> int:
    """Return how many GPUs NVIDIA's driver lists; 0 where there is no such driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
