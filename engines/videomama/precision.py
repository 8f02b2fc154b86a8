"""In what numbers the networks compute. Light: the models of memory and time ask too."""

from __future__ import annotations

from engines.neural.precision import cpu_has_bf16


def settled(device: str, precision: str) -> str:
    """Return the precision, fp32, bf16 or fp16, on a device that is 'cuda…', 'mps' or 'cpu'.

    fp16 is what the weights are stored in and what the authors compute in; bf16 has three bits less.
    """
    if precision == "auto":
        if device.startswith("cuda"):
            return "fp16"
        return "bf16" if device == "cpu" and cpu_has_bf16() else "fp32"
    return "fp32" if precision == "fp16" and device == "cpu" else precision


def of_codec(device: str, precision: str) -> str:
    """Return the precision of the VAE, whose answer is the alpha: on a GPU never bf16, whose steps would show."""
    return "fp16" if precision == "bf16" and device.startswith("cuda") else precision
