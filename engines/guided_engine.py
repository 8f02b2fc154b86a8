"""Matting by guided filters: a mask's edge takes the shape of the picture's own. No weights, any CPU.

Two answers are computed and blended by how well the picture explains the mask around each pixel:

- clean: a narrow colour guided filter (He, Sun, Tang, "Guided Image Filtering", TPAMI 2013) of the mask. Where its
  linear colour model explains the mask badly, the mask's own edge stays.
- tracked: a cascade of guided filters, wide to narrow, with more contrast in between. It pulls an edge that is a few
  pixels off, or lacks its hair, onto the picture's edge, which a narrow filter cannot; but it closes small holes.

The guide is the picture at 0..255: OpenCV's filter clamps small determinants and fails for colours in 0..1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Alpha, FrameSource, GuideSource, Image, Mask

Floats = NDArray[np.float32]
Slices = tuple[slice, slice]

REFERENCE = 800
"""Long side in pixels of the pictures that the lengths below are meant for; they grow with the picture."""
COARSE = 400
"""About the long side of the coarse grid, on which the wide filters run and everything smooth is computed."""
WIDE, MEDIUM, NARROW = (24, 48), 12, 6
"""Radii of the filters."""
BAND_IN, BAND_OUT, TAPER = 12, 24, 4
"""How far from the mask's edge, inwards and outwards, alpha may differ from the mask, and how softly that ends."""
EPS_WIDE, EPS_NARROW = 1e-4 * 255**2, 1e-5 * 255**2
SURE_OUT, SURE_IN = 25 / 255, 230 / 255
CLIP = 0.02
"""Alpha this near to 0 or 1 is 0 or 1: filters leave noise in solid areas, and a compositor sees it."""
FIT_EXACT, FIT_TRACKED = (0.0, 0.3), (0.2, 0.5)
"""Share of the mask's edge that the picture explains: below the first all 'tracked', above the second all 'clean'."""
EXPLAINED = (0.3, 0.85)
TILE = 128
EDGE = 0.7
"""Softness of a mask's own edge, where the picture has none."""
FIT_WINDOW = 32


@dataclass(frozen=True, eq=False)
class _Part:
    """The part of a frame around the mask's edge, and its coarse grid."""

    rgb: Image
    mask: Floats
    coarse: Floats
    """The mask on the coarse grid."""
    depth: Floats
    """Coarse grid: distance from where the mask is unsure, positive inside, at the reference size."""
    unit: float
    """Pixels per pixel of the reference size."""
    reach: float
    """Width of the band relative to the normal one."""

    @property
    def coarse_unit(self) -> float:
        return self.unit * max(self.coarse.shape) / max(self.mask.shape)


class GuidedMatter:
    """Guide masks -> alpha, frame by frame: a frame's alpha depends on its own picture and guide only.

    Args:
        band: half-width in pixels of the band outside the mask's edge in which alpha is unknown (inside it is half as
            wide); 0 follows the guide's confidence. Soft mask values widen it in either case.
        detail: 'clean' keeps to the mask's edge, 'tracked' moves it to the picture's, 'auto' decides by region.
        sharpness: contrast of the soft edge.
    """

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
        factor = max(1, round(max(mask.shape) / COARSE))
        unit = max(mask.shape) / REFERENCE
        reach = self.band / unit / BAND_OUT if self.band else 1 + 0.5 * (1 - min(1.0, confidence))
        result = (mask >= 128).astype(np.float32)
        coarse = _shrink(mask.astype(np.float32) / 255, factor)
        depth = _depth(coarse)
        if depth is not None:
            depth *= factor / unit
            near = (depth < BAND_IN * reach + TAPER) & (depth > -BAND_OUT * reach - TAPER)
            small, full = _boxes(near, factor, round(WIDE[1] * unit / factor))
            part = _Part(rgb[full], mask[full].astype(np.float32) / 255, coarse[small], depth[small], unit, reach)
            result[full] = self._finish(part, confidence)
        return result

    def _finish(self, part: _Part, confidence: float) -> Floats:
        free, floor = _limits(part.depth, part.reach)
        narrow, tracked = _narrow(part, _cascade(part, free, floor), free > 0)
        keep, clean = _explained(part, narrow, confidence)
        if self.detail != "auto":
            clean = np.full_like(clean, self.detail == "clean")
        maps = _resize(cv2.merge([keep, clean, free, floor]), part.mask.shape, cv2.INTER_LINEAR)
        keep, clean, free, floor = cv2.split(maps)
        edge = cv2.GaussianBlur(part.mask, (0, 0), max(0.3, EDGE * part.unit))
        alpha = edge + (narrow - edge) * keep
        alpha = (tracked + (alpha - tracked) * clean) * free + floor
        alpha = _contrast((alpha - CLIP) / (1 - 2 * CLIP), self.sharpness)
        return alpha


def _shrink(image: NDArray[Any], factor: int) -> NDArray[Any]:
    height, width = image.shape[:2]
    return _resize(image, (max(1, round(height / factor)), max(1, round(width / factor))), cv2.INTER_AREA)


def _resize(image: NDArray[Any], shape: tuple[int, ...], how: int) -> NDArray[Any]:
    result: NDArray[Any] = cv2.resize(image, (shape[1], shape[0]), interpolation=how)
    return result


def _blur(image: Floats, radius: float) -> Floats:
    size = 2 * max(1, round(radius)) + 1
    result: Floats = cv2.blur(image, (size, size))
    return result


def _filter(rgb: Image, values: Floats, radius: float, eps: float) -> Floats:
    return np.clip(cv2.ximgproc.guidedFilter(rgb, values, max(1, round(radius)), eps), 0, 1)


def _contrast(values: Floats, factor: float) -> Floats:
    return np.clip((values - 0.5) * factor + 0.5, 0, 1)


def _ramp(values: Floats, low: float, high: float) -> Floats:
    return np.clip((values - low) / (high - low), 0, 1)


def _depth(mask: Floats) -> Floats | None:
    """Return the signed distance from where a mask is unsure, positive inside; None where it has no edge."""
    neighbours = np.ones((3, 3), np.uint8)
    inside = (cv2.erode(mask, neighbours) > SURE_IN).astype(np.uint8)
    outside = (cv2.dilate(mask, neighbours) < SURE_OUT).astype(np.uint8)
    if inside.all() or outside.all():
        return None
    depth: Floats = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(outside, cv2.DIST_L2, 5)
    return depth


def _boxes(near: NDArray[np.bool_], factor: int, margin: int) -> tuple[Slices, Slices]:
    """Return the box around `near` on the coarse grid, widened, and the same box on the frame's."""
    x, y, width, height = cv2.boundingRect(near.astype(np.uint8))
    ends = ((y, y + height, near.shape[0]), (x, x + width, near.shape[1]))
    small = tuple(slice(max(0, a - margin), min(end, b + margin)) for a, b, end in ends)
    full = tuple(
        slice(s.start * factor, None if s.stop == end else s.stop * factor)
        for s, (_, _, end) in zip(small, ends, strict=True)
    )
    return small, full


def _limits(depth: Floats, reach: float) -> tuple[Floats, Floats]:
    """Return how freely alpha may differ from the mask, 1 in the band to 0, and what it is where it may not."""
    inside = _ramp(depth, BAND_IN * reach, BAND_IN * reach + TAPER)
    outside = _ramp(-depth, BAND_OUT * reach, BAND_OUT * reach + TAPER)
    return 1 - inside - outside, inside


def _cascade(part: _Part, free: Floats, floor: Floats) -> Floats:
    """Return the mask pulled onto the picture's edges, on the coarse grid."""
    rgb = _resize(part.rgb, part.coarse.shape, cv2.INTER_AREA)
    unit = part.coarse_unit
    # Windows much wider than the object would drown it in background.
    thin = min(1.0, max(0.25, float(part.depth.max()) / BAND_IN))
    wide = [_filter(rgb, part.coarse, radius * unit * part.reach * thin, EPS_WIDE) for radius in WIDE]
    guess = np.mean(wide, axis=0)
    error = (part.coarse - guess) ** 2
    trust = _ramp(_share(part.coarse, part.coarse**2, error, WIDE[0] * unit), 0, 0.5)
    guess = _contrast(part.coarse + (guess - part.coarse) * trust, 2) * free + floor
    return _contrast(_filter(rgb, guess, MEDIUM * unit, EPS_NARROW), 1.6) * free + floor


def _share(mask: Floats, square: Floats, error: Floats, radius: float) -> Floats:
    """Return the share of a mask's local variance that an approximation with that squared error explains."""
    variance = _blur(square, radius) - _blur(mask, radius) ** 2
    return np.where(variance > 1e-4, 1 - _blur(error, radius) / np.maximum(variance, 1e-4), 1).astype(np.float32)


def _explained(part: _Part, narrow: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return, on the coarse grid, how far to trust the narrow filter, and the mask's edge as a whole, 0..1."""
    shape, unit = part.coarse.shape, part.coarse_unit
    error = _resize((part.mask - narrow) ** 2, shape, cv2.INTER_AREA)
    square = _resize(part.mask**2, shape, cv2.INTER_AREA)
    keep = _ramp(_share(part.coarse, square, error, MEDIUM * unit), *EXPLAINED)
    soft = cv2.GaussianBlur(part.coarse, (0, 0), 3 * unit)
    # The mean over each coarse pixel of (mask - soft)², which a blurred mask would leave unexplained.
    edge = square - 2 * soft * part.coarse + soft**2
    error, edge = (cv2.GaussianBlur(x, (0, 0), FIT_WINDOW * unit) for x in (error, edge))
    clean = _ramp(1 - error / (edge + 1e-5), *(FIT_EXACT if confidence >= 1 else FIT_TRACKED))
    return keep, clean


def _narrow(part: _Part, guess: Floats, active: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return mask and guess after the narrow guided filter at full size, in the tiles with an active coarse pixel."""
    both = cv2.merge([part.mask, _resize(guess, part.mask.shape, cv2.INTER_LINEAR)])
    result = both.copy()
    for inner, outer in _tiles(active, part.mask.shape, 2 * max(1, round(NARROW * part.unit))):
        filtered = _filter(part.rgb[outer], both[outer], NARROW * part.unit, EPS_NARROW)
        rows, columns = (slice(i.start - o.start, i.stop - o.start) for i, o in zip(inner, outer, strict=True))
        result[inner] = filtered[rows, columns]
    return cv2.split(result)


def _tiles(active: NDArray[np.bool_], shape: tuple[int, ...], halo: int) -> Iterator[tuple[Slices, Slices]]:
    """Yield runs of tiles with an active pixel in them, without and with a margin."""
    height, width = shape
    # A coarse pixel reaches one further when it is scaled up.
    y, x = np.nonzero(cv2.dilate(active.astype(np.uint8), np.ones((3, 3), np.uint8)))
    touched = np.zeros((-(-height // TILE), -(-width // TILE)), np.int8)
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        rows = np.minimum((y + dy) * height // active.shape[0], height - 1) // TILE
        touched[rows, np.minimum((x + dx) * width // active.shape[1], width - 1) // TILE] = 1
    for row, line in enumerate(touched):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], line, [0]))))
        for first, last in zip(edges[::2] * TILE, edges[1::2] * TILE, strict=True):
            top, bottom = row * TILE, min(height, row * TILE + TILE)
            left, right = int(first), min(width, int(last))
            inner = (slice(top, bottom), slice(left, right))
            outer = (
                slice(max(0, top - halo), min(height, bottom + halo)),
                slice(max(0, left - halo), min(width, right + halo)),
            )
            yield inner, outer
