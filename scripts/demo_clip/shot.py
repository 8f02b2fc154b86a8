"""Facts of the shot that its parts share: size, rate, time, and the small maths they all use."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

WIDTH, HEIGHT = 1280, 720
RATE = Fraction(24000, 1001)
FRAMES = 96
KEYFRAMES = (0, 48, 95)
"""The frames that get a mask: start, middle and end, as README advises."""
SEED = 20240731
SHUTTER = 0.5
"""Fraction of a frame's time that the shutter is open: 180 degrees."""
SUBFRAMES = 5
"""Samples accumulated over the open shutter: motion blur."""
BLINK_EVERY = 24
BLINK_FIRST = 12
BLINK_FRAMES = 3
"""The tower's beacon lights up for 3 frames, first at frame 12, then every 24; a tick sounds at each first frame."""


def blinks(frames: int) -> range:
    """Return the frames at which the beacon lights up and a tick sounds."""
    return range(BLINK_FIRST, frames, BLINK_EVERY)


def smoothstep(x: NDArray[Any], low: float, high: float) -> Array:
    """Return 0 at or before `low`, 1 at or after `high`, and a cubic between (high < low falls instead of rises)."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def drift(t: float, periods: tuple[float, ...], phase: float = 0.0) -> float:
    """Return smooth, never repeating motion within about -1 .. 1 at `t` frames, from sines of these periods."""
    waves = [np.sin(2 * np.pi * t / period + phase * (i + 1)) for i, period in enumerate(periods)]
    return float(np.mean(waves))
