"""Where and how precisely a network computes, and what happens when a GPU's memory does not suffice."""

from __future__ import annotations

import ctypes
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from engines.neural.precision import cpu_has_bf16
from errors import EngineUnavailableError, ResourceError

DEVICES = ("auto", "cuda", "mps", "cpu")
"""What a `device` parameter may say."""
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
"""What a `precision` parameter may say."""


@dataclass(frozen=True)
class Compute:
    """A device and the precision that a network computes with there; weights stay in single precision."""

    device: str
    precision: str

    def autocast(self) -> AbstractContextManager[Any]:
        """Return a context in which matrix products and convolutions have the chosen precision."""
        if self.precision == "fp32":
            return nullcontext()
        if self.device.startswith("cuda"):
            _keep_casts()
        kind = torch.bfloat16 if self.precision == "bf16" else torch.float16
        return torch.autocast(self.device.partition(":")[0], dtype=kind)

    @contextmanager
    def inference(self, remedy: str = "choose a smaller model or working size, or device=cpu") -> Iterator[None]:
        """Compute without gradients, in the chosen precision, and say what to do when memory does not suffice.

        Args:
            remedy: what the user can do about it.

        Raises:
            ResourceError: the device is out of memory.
        """
        with no_memory(remedy), torch.inference_mode(), self.autocast():
            yield


@contextmanager
def no_memory(remedy: str) -> Iterator[None]:
    """Say what to do when a device's memory does not suffice for the block.

    Raises:
        ResourceError: it does not.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        free_memory()
        raise ResourceError(f"the memory of the GPU does not suffice; {remedy}") from None


def choose(device: str, precision: str, *, mps: bool = True) -> Compute:
    """Return where to compute.

    Args:
        device: one of DEVICES; 'auto' is CUDA, then MPS, then the CPU.
        precision: one of PRECISIONS; 'auto' is bf16 on CUDA GPUs and CPUs that have it, and fp32 elsewhere.
        mps: whether the network is known to be right on Apple's GPUs; if not, it computes on the CPU there.

    Raises:
        EngineUnavailableError: that device is not there.
    """
    cuda, apple = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        device = "cuda" if cuda else "mps" if apple else "cpu"
    if device == "mps" and not mps:
        device = "cpu"
    if (device == "cuda" and not cuda) or (device == "mps" and not apple):
        raise EngineUnavailableError(f"there is no {device} device here; choose device=auto or device=cpu")
    if precision == "auto":
        has_bf16 = (device == "cuda" and torch.cuda.is_bf16_supported()) or (device == "cpu" and cpu_has_bf16())
        precision = "bf16" if has_bf16 else "fp32"
    if precision == "fp16" and device == "cpu":
        precision = "fp32"  # half floats are slower there and miss operations
    return Compute(device, precision)


_thread = threading.local()


def _keep_casts() -> None:
    """Keep weights that autocast has converted from one step to the next, in this thread, until `free_memory`.

    torch forgets them when the outermost context ends, which here is after every frame: on a GPU, where a step is
    mostly launching, it took a fifth of SAM 2's time to convert them again.
    """
    if not getattr(_thread, "keeps", False):
        _thread.keeps = True
        torch.autocast_increment_nesting()


def free_memory() -> None:
    """Give memory that is held in reserve back: torch's to the device, the C library's to the system."""
    torch.clear_autocast_cache()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone; it keeps gigabytes of freed weights
        if trim is not None:
            trim(0)


@contextmanager
def kept_random_state() -> Iterator[None]:
    """Leave all global random states as they are, whatever the block imports or constructs."""
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
