"""Matting by guided filters: a mask's edge takes the shape of the picture's own. No weights, any CPU.

Two answers are computed and blended by how well each explains its surroundings:

- clean: a narrow colour guided filter (He, Sun, Tang, "Guided Image Filtering", TPAMI 2013) of the mask. Where its linear
  colour model explains the mask badly, the mask's own edge stays.
- tracked: a cascade of guided filters, wide to narrow, with more contrast in between. It pulls an edge that is a few
  pixels off, or opened, onto the picture's edge, which a narrow filter cannot.

The guide is the picture at 0..255: OpenCV's filter clamps determinants and is useless for colours in 0..1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Alpha, FrameSource, GuideSource, Image, Mask

Floats = NDArray[np.float32]

REFERENCE = 800
"""Long side in pixels of the pictures that the lengths below are meant for; they grow with the picture."""
COARSE, MIDDLE = 200, 400
"""Long sides at which the wide filters run."""
WIDE = (24, 48)
MEDIUM, NARROW = 12, 6
BAND_IN, BAND_OUT = 12, 24
"""How far from a tracked mask's edge alpha may differ from it."""
TAPER = 4
"""Width over which the band ends."""
FIT_WINDOW = 32
EPS_WIDE, EPS_NARROW = 1e-4 * 255**2, 1e-5 * 255**2
SURE_OUT, SURE_IN = 25, 230
CLIP = 0.02
"""Alpha this near to 0 or 1 is 0 or 1: the filters leave noise in solid areas, and compositors see it."""
TILE = 160


@dataclass(frozen=True, eq=False)
class _Frame:
    """One frame on three grids: its own, and two coarser ones for the wide filters."""

    rgb: Image
    mask: Floats
    scale: float

    def shrunk(self, long_side: int) -> tuple[Image, Floats]:
        height, width = self.mask.shape
        factor = min(1.0, long_side / max(height, width))
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        return tuple(cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (self.rgb, self.mask))


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
        """Return alpha float32 [H, W] 0..1 of one frame.

        Args:
            rgb: uint8 [H, W, 3].
            mask: uint8 [H, W], 0..255.
            confidence: 1 for a mask that is exact, less for one that was tracked.
        """
        m = mask.astype(np.float32) / 255
        scale = max(mask.shape) / REFERENCE
        frame = _Frame(rgb, m, scale)
        coarse_rgb, coarse_mask = frame.shrunk(COARSE)
        depth = _depth(coarse_mask) * (max(mask.shape) / max(coarse_mask.shape)) / scale
        if not np.isfinite(depth).all():
            return m
        reach = 1.0 if not self.band else self.band / scale / BAND_OUT
        wide = _wide(coarse_rgb, coarse_mask, depth, reach)
        middle_rgb, _ = frame.shrunk(MIDDLE)
        guess = cv2.resize(wide, middle_rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        factor = max(middle_rgb.shape) / max(mask.shape) * scale
        guess = _contrast(cv2.ximgproc.guidedFilter(middle_rgb, guess, max(1, round(MEDIUM * factor)), EPS_NARROW), 1.6)
        guess = _limit(guess, depth, BAND_IN * reach, BAND_OUT * reach)
        guess = cv2.resize(guess, m.shape[::-1], interpolation=cv2.INTER_LINEAR)
        radius = max(1, round(NARROW * scale))
        both = cv2.ximgproc.guidedFilter(rgb, cv2.merge([m, guess]), radius, EPS_NARROW)
        both = np.clip(both, 0, 1)
        narrow, tracked = both[..., 0].copy(), both[..., 1].copy()
        tracked = _limit(tracked, depth, BAND_IN * reach, BAND_OUT * reach)
        clean = _explained(m, narrow, scale)
        lo, hi = (0.0, 0.3) if confidence >= 1 else (0.2, 0.5)
        if self.detail == "auto":
            k = _ramp(_fit(m, narrow, scale), lo, hi)
        else:
            k = np.full(m.shape, float(self.detail == "clean"), np.float32)
        alpha = tracked + (clean - tracked) * k
        alpha = (alpha - CLIP) / (1 - 2 * CLIP)
        return np.clip((alpha - 0.5) * self.sharpness + 0.5, 0, 1).astype(np.float32)


def _contrast(x, c):
    return np.clip((x - 0.5) * c + 0.5, 0, 1).astype(np.float32)


def _ramp(x, lo, hi):
    return np.clip((x - lo) / (hi - lo), 0, 1).astype(np.float32)


def _depth(mask: Floats) -> Floats:
    """Return the signed distance in coarse pixels from where the mask is unsure; positive inside."""
    k = np.ones((3, 3), np.uint8)
    inside = (cv2.erode(mask, k) > SURE_IN / 255).astype(np.uint8)
    outside = (cv2.dilate(mask, k) < SURE_OUT / 255).astype(np.uint8)
    if inside.all() or outside.all():
        return np.full(mask.shape, np.inf, np.float32)
    return cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(outside, cv2.DIST_L2, 5)


def _limit(x, depth, di, do):
    d = cv2.resize(depth, x.shape[::-1], interpolation=cv2.INTER_LINEAR)
    ki = _ramp(d, di, di + TAPER)
    ko = _ramp(-d, do, do + TAPER)
    return (x * (1 - ki) * (1 - ko) + ki).astype(np.float32)


def _wide(rgb, mask, depth, reach):
    factor = max(mask.shape) / REFERENCE
    q = np.zeros_like(mask)
    thin = np.clip(depth.max() / 12, 0.25, 1)
    for r in WIDE:
        q += cv2.ximgproc.guidedFilter(rgb, mask, max(1, round(r * factor * reach * thin)), EPS_WIDE) / len(WIDE)
    q = np.clip(q, 0, 1)
    k = _ramp(_r2(mask, q, max(1, round(24 * factor))), 0, 0.5)
    q = mask + (q - mask) * k
    return _limit(_contrast(q, 2), depth, BAND_IN * reach, BAND_OUT * reach)


def _blur(x, r):
    return cv2.blur(x, (2 * r + 1, 2 * r + 1))


def _r2(m, q, r):
    mean = _blur(m, r)
    v = _blur(m * m, r) - mean * mean
    return 1 - np.where(v > 1e-4, _blur((m - q) ** 2, r) / np.maximum(v, 1e-4), 0)


def _explained(m, q, scale):
    size = (max(1, round(m.shape[1] / scale / 2)), max(1, round(m.shape[0] / scale / 2)))
    f = lambda x: cv2.resize(x, size, interpolation=cv2.INTER_AREA)
    r = 6
    mean = _blur(f(m), r)
    v = _blur(f(m * m), r) - mean * mean
    k = 1 - np.where(v > 1e-4, _blur(f((m - q) ** 2), r) / np.maximum(v, 1e-4), 0)
    k = cv2.resize(_ramp(k, 0.3, 0.85), m.shape[::-1], interpolation=cv2.INTER_LINEAR)
    edge = cv2.GaussianBlur(m, (0, 0), 0.7 * scale)
    return edge + (q - edge) * k


def _fit(m, q, scale):
    size = (max(1, round(m.shape[1] / scale / 8)), max(1, round(m.shape[0] / scale / 8)))
    flat = (cv2.GaussianBlur(m, (0, 0), 3 * scale) - m) ** 2
    f = lambda x: cv2.GaussianBlur(cv2.resize(x, size, interpolation=cv2.INTER_AREA), (0, 0), FIT_WINDOW / 8)
    return cv2.resize(1 - f((m - q) ** 2) / (f(flat) + 1e-5), m.shape[::-1], interpolation=cv2.INTER_LINEAR)
