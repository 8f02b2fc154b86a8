"""Matting by guided filters: a mask's edge takes the shape of the picture's own. No weights, any CPU."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from engines.base import Alpha, FrameSource, GuideSource, Image, Mask

REFERENCE = 800
EPS = 1e-4 * 255 * 255


class GuidedMatter:
    """Guide masks -> alpha, frame by frame: a frame's alpha depends on its own picture and guide only."""

    def __init__(self, band: float = 0.0, detail: str = "auto", sharpness: float = 1.0) -> None:
        self.band = band
        self.detail = detail
        self.sharpness = sharpness

    def matte(self, source: FrameSource, guides: GuideSource, start: int, stop: int) -> Iterator[tuple[int, Alpha]]:
        """Yield (frame index, alpha float32 [H, W] 0..1) for every frame of `start` .. `stop`, in order."""
        for index in range(start, stop):
            guide = guides.read(index)
            yield index, self.alpha(source.read(index), guide.mask, guide.confidence)

    def alpha(self, rgb: Image, mask: Mask, confidence: float) -> Alpha:
        """Return alpha float32 [H, W] 0..1 of one frame."""
        scale = max(mask.shape) / REFERENCE
        tracked = self.detail == "tracked" or (self.detail == "auto" and confidence < 1)
        stages = ((24, 2.0), (12, 1.6), (6, 1.0)) if tracked else ((7, 1.0),)
        alpha: Alpha = mask.astype(np.float32) / 255
        for radius, contrast in stages:
            alpha = cv2.ximgproc.guidedFilter(rgb, alpha, max(1, round(radius * scale)), EPS)
            alpha = np.clip((alpha - 0.5) * contrast + 0.5, 0, 1)
        return alpha
