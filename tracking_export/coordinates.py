"""Where each program has its origin. Ours: (0, 0) is the centre of the top-left pixel, x right, y down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""float64 [..., 2], (x, y)."""


def corner_down(xy: Points) -> Points:
    """Origin at the top-left pixel's outer corner, y down, pixels: After Effects."""
    return np.asarray(xy, np.float64) + 0.5


def corner_up(xy: Points, height: int) -> Points:
    """Origin at the bottom-left pixel's outer corner, y up, pixels: Nuke, Shake, 3DEqualizer."""
    return np.stack([xy[..., 0] + 0.5, height - (xy[..., 1] + 0.5)], axis=-1)


def centre_up(xy: Points, height: int) -> Points:
    """Origin at the bottom-left pixel's centre, y up, pixels: PFTrack."""
    return np.stack([xy[..., 0], height - 1 - xy[..., 1]], axis=-1)


def unit_up(xy: Points, width: int, height: int) -> Points:
    """0..1 over the picture's outer edges, y up: Blender, Fusion."""
    return np.stack([(xy[..., 0] + 0.5) / width, 1 - (xy[..., 1] + 0.5) / height], axis=-1)


def unit_down(xy: Points, width: int, height: int) -> Points:
    """0..1 over the picture's outer edges, y down: TAP-Vid."""
    return np.stack([(xy[..., 0] + 0.5) / width, (xy[..., 1] + 0.5) / height], axis=-1)


def signed_unit(xy: Points, width: int, height: int) -> Points:
    """-1..1 between the centres of the outermost pixels, y down: SynthEyes."""
    # A picture one pixel wide has no extent between centres: everything lies in the middle.
    spans = np.array([max(width - 1, 1), max(height - 1, 1)], np.float64)
    centred = np.array([0.0 if width > 1 else 1.0, 0.0 if height > 1 else 1.0])
    return 2 * xy / spans - 1 + centred


def picture_corners(width: int, height: int) -> Points:
    """Return the picture's outer corners in our coordinates: float64 [4, 2], TL, TR, BR, BL."""
    left, top, right, bottom = -0.5, -0.5, width - 0.5, height - 0.5
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def corner_pin_order(corners: Points) -> Points:
    """Reorder corners [T, 4, 2] from TL, TR, BR, BL to TL, TR, BL, BR: After Effects' Corner Pin."""
    return corners[:, [0, 1, 3, 2]]
