"""Parameters that every neural engine has."""

from __future__ import annotations

from engines.spec import Param

DEVICE = Param(
    "device", "auto", "Where it computes; auto is CUDA, then MPS, then the CPU.", choices=("auto", "cuda", "mps", "cpu")
)
PRECISION = Param(
    "precision",
    "auto",
    "Of matrix products; auto is bf16 on CUDA GPUs and CPUs that have it, fp32 elsewhere.",
    choices=("auto", "fp32", "bf16", "fp16"),
)
