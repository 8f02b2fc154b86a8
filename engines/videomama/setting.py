"""How much goes through the network at once, and what is tried when a GPU's memory does not suffice. No numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace

STEP = 64
"""Sides of the network's pictures are multiples of this: the VAE halves three times, the U-Net three times more."""
CHUNK = 8
"""Frames that are decoded together, as the authors do it: the decoder mixes them, so that another number shows."""
SHORTEST = 4
"""Windows are not made shorter than this: with fewer frames there is little motion left to see."""
SIZES = (768, 512)
"""Working sizes that are tried; below them the network sees too little."""


@dataclass(frozen=True)
class Setting:
    """What decides a run's memory."""

    length: int
    """Frames of a window."""
    size: int
    """Long side of the network's pictures."""
    turns: bool
    """One of the two networks in memory at a time."""

    def lighter(self) -> tuple[Setting, str] | None:
        """Return the next setting to try and what to tell the user; None where nothing is left.

        First what changes no result, then shorter windows, then smaller pictures.
        """
        if not self.turns:
            return replace(self, turns=True), "its two networks take turns in memory, which is a little slower"
        if self.length > SHORTEST:
            length = max(SHORTEST, self.length // 2)
            return replace(self, length=length), f"it goes on with windows of {length} frames (batch_size={length})"
        for size in SIZES:
            if size < self.size:
                return replace(self, size=size), f"it goes on with a working size of {size} pixels (size={size})"
        return None


def working_size(size: tuple[int, int], long_side: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (width, height) of a frame scaled up or down to that long side, and of the network's picture around it."""
    scale = long_side / max(size)
    inner = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    return inner, (-(-inner[0] // STEP) * STEP, -(-inner[1] // STEP) * STEP)
