"""The foreground's own colours behind a soft edge: blur-fusion, for every engine's alpha.

Forte, "Approximate Fast Foreground Colour Estimation" (ICIP 2021): foreground and background are alpha-weighted means of
their neighbourhood, corrected so that they explain the picture; first with a wide radius, then with narrower ones. All
but the last pass run on a coarse grid, and the last one only around soft pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.tiles import enlarge, runs, shrink

Floats = NDArray[np.float32]

RADII, LAST = (45, 20, 8), 3
REFERENCE = 800
"""Long side in pixels of the pictures that the radii are meant for."""
CELL = 4
"""Side of the coarse grid's cells at that size."""
TILE = 96
TINY = 1e-5


def estimate_foreground(rgb: Floats, alpha: Floats) -> Floats:
    """Return the foreground's straight colours, float32 [H, W, 3] 0..1.

    Args:
        rgb: the picture, float32 [H, W, 3] 0..1.
        alpha: float32 [H, W] 0..1.

    Where alpha is 1 that is the picture itself; where it is 0, the colour of the foreground nearby, so that scaling and
    filtering the result draw no background into the edge, and black far away from any.
    """
    unit = max(alpha.shape) / REFERENCE
    factor = max(1, round(CELL * unit))
    radius = max(1, round(LAST * unit))
    cover = shrink(alpha, factor)
    # Cells with both in them, and their neighbours: elsewhere alpha is 0 or 1 all over the reach of the last pass.
    mixed = cv2.dilate(((cover > 0) & (cover < 1)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    places = list(runs(mixed, factor, alpha.shape, TILE, radius))
    whole = shrink(rgb, factor)
    weighted = whole * cover[..., None]
    for place in places:
        mean = shrink(rgb[place.inner] * alpha[place.inner][..., None], factor)
        top, left = (side.start // factor for side in place.inner)
        weighted[top : top + mean.shape[0], left : left + mean.shape[1]] = mean
    front, back = _coarse(whole, weighted, cover, unit / factor)
    height, width = alpha.shape
    result = enlarge(front, factor, (slice(0, height), slice(0, width)))
    for place in runs(cover >= 1, factor, alpha.shape, TILE, 0):
        result[place.inner] = np.where(alpha[place.inner][..., None] >= 1, rgb[place.inner], result[place.inner])
    for place in places:
        ends = (enlarge(colours, factor, place.outer) for colours in (front, back))
        result[place.inner] = _fine(rgb[place.outer], alpha[place.outer], *ends, radius=radius)[place.cut]
    return result


def _coarse(whole: Floats, weighted: Floats, cover: Floats, unit: float) -> tuple[Floats, Floats]:
    """Return foreground and background on the coarse grid, from wide to narrow."""
    first, *narrower = (max(1, round(radius * unit)) for radius in RADII)
    front, back = _mean(weighted, cover, first), _mean(whole - weighted, 1 - cover, first)
    for radius in narrower:
        front = _explain(whole, cover[..., None], front, back)
        front, back = _fuse(front, back, cover, radius)
    return front, back


def _fine(rgb: Floats, alpha: Floats, front: Floats, back: Floats, *, radius: int) -> Floats:
    front = _explain(rgb, alpha[..., None], front, back)
    front, back = _fuse(front, back, alpha, radius)
    return _explain(rgb, alpha[..., None], front, back)


def _explain(rgb: Floats, alpha: Floats, front: Floats, back: Floats) -> Floats:
    """Return the foreground corrected by what it and the background leave unexplained of the picture."""
    return np.clip(front + alpha * (rgb - alpha * front - (1 - alpha) * back), 0, 1)


def _fuse(front: Floats, back: Floats, alpha: Floats, radius: int) -> tuple[Floats, Floats]:
    a = alpha[..., None]
    return _mean(front * a, alpha, radius), _mean(back * (1 - a), 1 - alpha, radius)


def _mean(weighted: Floats, weight: Floats, radius: int) -> Floats:
    size = (2 * radius + 1, 2 * radius + 1)
    mean: Floats = cv2.blur(weighted, size) / (cv2.blur(weight, size)[..., None] + TINY)
    return mean
