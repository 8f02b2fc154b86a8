"""The random numbers of the network: a function of seed, frame and purpose, whatever batch, range or device."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch

PURPOSES = ("picture", "mask", "answer")
"""What is drawn for each frame: sampling of the two codes, and what the network turns into its answer."""


def draw(seed: int, index: int, purpose: str, shape: Sequence[int]) -> Any:
    """Return normal noise, float32 on the CPU, for frame `index` of the clip.

    Windows that share a frame share its noise, so that they differ by what they see alone.
    """
    told = hashlib.blake2b(f"{seed} {index} {purpose}".encode(), digest_size=8).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(told, "little") >> 1)
    return torch.randn(tuple(shape), generator=generator)
