"""The foreground's own colours behind a soft edge: blur-fusion, for every engine's alpha.

Forte, "Approximate Fast Foreground Colour Estimation" (ICIP 2021): foreground and background are alpha-weighted means
of their neighbourhood, corrected so that they explain the picture; first with a wide radius, then with narrower ones.
All but the last pass run on a coarse grid, and the last one only around soft pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.tiles import Run, enlarge, runs, shrink, side_by_side

Floats = NDArray[np.float32]

RADII, LAST = (45, 20, 8), 3
REFERENCE = 800
"""Long side in pixels of the pictures that the radii are meant for."""
CELL = 4
"""Side of the coarse grid's cells at that size."""
TILE = 96
TINY = 1e-4


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
    weighted = cv2.multiply(whole, _triple(cover))
    for place in places:
        mean = shrink(cv2.multiply(rgb[place.inner], _triple(alpha[place.inner])), factor)
        top, left = (side.start // factor for side in place.inner)
        weighted[top : top + mean.shape[0], left : left + mean.shape[1]] = mean
    front, back = _coarse(whole, weighted, cover, unit / factor)
    height, width = alpha.shape
    result = enlarge(front, factor, (slice(0, height), slice(0, width)))
    result = cv2.copyTo(rgb, (alpha >= 1).astype(np.uint8), result)

    def fill(place: Run) -> None:
        ends = (enlarge(colours, factor, place.outer) for colours in (front, back))
        result[place.inner] = _fine(rgb[place.outer], alpha[place.outer], *ends, radius=radius)[place.cut]

    side_by_side(fill, places)
    return result


def _coarse(whole: Floats, weighted: Floats, cover: Floats, unit: float) -> tuple[Floats, Floats]:
    """Return foreground and background on the coarse grid, from wide to narrow."""
    first, *narrower = (max(1, round(radius * unit)) for radius in RADII)
    nothing = np.zeros_like(whole)
    front, back = _means(weighted, whole - weighted, cover, first, (nothing, nothing))
    for radius in narrower:
        front, back = _pass(whole, _triple(cover), front, back, radius)
    return front, back


def _fine(rgb: Floats, alpha: Floats, front: Floats, back: Floats, *, radius: int) -> Floats:
    front, back = _pass(rgb, _triple(alpha), front, back, radius)
    return _explain(rgb, _triple(alpha), front, back)


def _pass(rgb: Floats, alpha: Floats, front: Floats, back: Floats, radius: int) -> tuple[Floats, Floats]:
    weighted = cv2.multiply(_explain(rgb, alpha, front, back), alpha)
    rest = cv2.subtract(back, cv2.multiply(back, alpha))
    return _means(weighted, rest, cv2.extractChannel(alpha, 0), radius, (front, back))


def _explain(rgb: Floats, alpha: Floats, front: Floats, back: Floats) -> Floats:
    """Return the foreground corrected by what it and the background leave unexplained of the picture."""
    mixture = cv2.add(back, cv2.multiply(alpha, cv2.subtract(front, back)))
    return np.clip(cv2.add(front, cv2.multiply(alpha, cv2.subtract(rgb, mixture))), 0, 1)


def _means(
    front: Floats, back: Floats, alpha: Floats, radius: int, before: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Return the means of colours weighted with alpha and with 1 - alpha; those `before` where there is no weight."""
    size = (2 * radius + 1, 2 * radius + 1)
    weight = _triple(cv2.blur(alpha, size))
    # Sliding sums may end a hair below 0, where a division would blow them up.
    weights = np.maximum(weight, 0) + TINY, np.maximum(1 - weight, 0) + TINY
    first, second = (
        cv2.divide(cv2.scaleAdd(old, TINY, cv2.blur(colours, size)), total)
        for colours, old, total in zip((front, back), before, weights, strict=True)
    )
    return first, second


def _triple(grey: Floats) -> Floats:
    triple: Floats = cv2.merge([grey, grey, grey])
    return triple
