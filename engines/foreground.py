"""The foreground's own colours behind a soft edge: blur-fusion, for every engine's alpha.

Forte, "Approximate Fast Foreground Colour Estimation" (ICIP 2021): foreground and background are alpha-weighted means of
their neighbourhood, corrected so that they explain the picture; once with a wide radius, once with a narrow one.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WIDE, NARROW = 45, 6
REFERENCE = 800
"""Long side in pixels of the pictures that the radii are meant for."""
TINY = 1e-5


def estimate_foreground(rgb: Floats, alpha: Floats) -> Floats:
    """Return the foreground's straight colours, float32 [H, W, 3] 0..1.

    Args:
        rgb: the picture, float32 [H, W, 3] 0..1.
        alpha: float32 [H, W] 0..1.

    Where alpha is 1 it is the picture itself, where alpha is 0 it is the colour of the nearest foreground, so that
    scaling and filtering the result draw no background into the edge.
    """
    height, width = alpha.shape
    scale = max(height, width) / REFERENCE
    shrink = max(1, round(8 * scale))
    small = (max(1, width // shrink), max(1, height // shrink))
    weighted = cv2.resize(rgb * alpha[..., None], small, interpolation=cv2.INTER_AREA)
    whole = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    radius = max(1, round(WIDE * scale / shrink))
    front = _mean(weighted, cover, radius)
    back = _mean(whole - weighted, 1 - cover, radius)
    front = cv2.resize(front, (width, height), interpolation=cv2.INTER_LINEAR)
    back = cv2.resize(back, (width, height), interpolation=cv2.INTER_LINEAR)
    narrow = max(1, round(NARROW * scale))
    a = alpha[..., None]
    front = np.clip(front + a * (rgb - a * front - (1 - a) * back), 0, 1)
    front, back = _mean(front * a, alpha, narrow), _mean(back * (1 - a), 1 - alpha, narrow)
    result: Floats = np.clip(front + a * (rgb - a * front - (1 - a) * back), 0, 1)
    return result


def _mean(weighted: Floats, weight: Floats, radius: int) -> Floats:
    size = (2 * radius + 1, 2 * radius + 1)
    total: Floats = cv2.blur(weighted, size) / (cv2.blur(weight, size)[..., None] + TINY)
    return total
