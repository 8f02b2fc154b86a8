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

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Alpha, FrameSource, GuideSource, Image, Mask
from engines.tiles import Run, Slices, enlarge, runs, shrink, side_by_side

Floats = NDArray[np.float32]

REFERENCE = 800
"""Long side in pixels of the pictures that the lengths below are meant for; they grow with the picture."""
COARSE = 400
"""About the long side of the coarse grid, on which the wide filters run and everything smooth is computed."""
WIDE, MEDIUM, NARROW = (24, 48), 12, 8
"""Radii of the filters."""
BAND_IN, BAND_OUT, TAPER = 12, 24, 4
"""How far from the mask's edge, inwards and outwards, alpha may differ from the mask, and how softly that ends."""
EPS_WIDE, EPS_NARROW = 1e-4 * 255**2, 5e-5 * 255**2
SURE_OUT, SURE_IN = 25 / 255, 230 / 255
CLIP = 0.02
"""Alpha this near to 0 or 1 is 0 or 1: filters leave noise in solid areas, and a compositor sees it."""
FIT_EXACT, FIT_TRACKED = (-0.1, 0.2), (0.2, 0.5)
"""Share of the mask's edge that the picture explains: below the first all 'tracked', above the second all 'clean'."""
EXPLAINED = (0.3, 0.85)
TILE = 128
SMALL = 1.3
"""Up to this multiple of the reference size the narrow filter uses every pixel."""
EDGE = 0.7
"""Softness of a mask's own edge, where the picture has none."""
FIT_WINDOW = 32


@dataclass(frozen=True, eq=False)
class _Part:
    """The part of a frame around the mask's edge, and its coarse grid."""

    rgb: Image
    mask: Mask
    coarse: Floats
    """The mask on the coarse grid, 0..1."""
    depth: Floats
    """Coarse grid: distance from where the mask is unsure, positive inside, at the reference size."""
    factor: int
    """Pixels per cell of the coarse grid."""
    unit: float
    """Pixels per pixel of the reference size."""
    reach: float
    """Width of the band relative to the normal one."""


@dataclass(frozen=True, eq=False)
class _Tile:
    """Full size, without margin: the mask, its own edge a little softened, and the filter's answer."""

    where: Slices
    mask: Floats
    edge: Floats
    filtered: Floats


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
        result = (mask >= 128).astype(np.float32)
        factor = max(1, round(max(mask.shape) / COARSE))
        unit = max(mask.shape) / REFERENCE
        coarse = _unit(shrink(mask, factor))
        depth = _depth(coarse)
        if depth is None:
            return result
        depth *= factor / unit
        reach = self.band / unit / BAND_OUT if self.band else 1 + 0.5 * (1 - min(1.0, confidence))
        near = (depth < BAND_IN * reach + TAPER) & (depth > -BAND_OUT * reach - TAPER)
        small, full = _boxes(near, factor, round(WIDE[1] * unit / factor))
        part = _Part(rgb[full], mask[full], coarse[small], depth[small], factor, unit, reach)
        self._fill(result[full], part, confidence)
        return result

    def _fill(self, result: Floats, part: _Part, confidence: float) -> None:
        """Write the band's alpha into `result`."""
        free, floor = _limits(part.depth, part.reach)
        rgb = shrink(part.rgb, part.factor)
        clean = self._clean(part, rgb, confidence)
        guess = _cascade(part, rgb, free, floor)
        # The filter is linear, so that blending before it costs half of blending after it.
        tiles = _tiles(part, cv2.merge([guess, clean]), free > 0)
        maps = cv2.merge([clean * (1 - _explained(part, tiles)), free, floor])

        def fill(tile: _Tile) -> None:
            own, free, floor = cv2.split(enlarge(maps, part.factor, tile.where))
            alpha = (tile.filtered + (tile.edge - tile.filtered) * own) * free + floor
            result[tile.where] = _contrast(1 - _toe(1 - _toe(alpha)), self.sharpness)

        side_by_side(fill, tiles)

    def _clean(self, part: _Part, rgb: Image, confidence: float) -> Floats:
        """Return how far to keep to the mask's edge, 0..1 on the coarse grid."""
        if self.detail != "auto":
            return np.full_like(part.coarse, self.detail == "clean")
        unit = part.unit / part.factor
        narrow = _filter(rgb, part.coarse, NARROW * unit, EPS_NARROW)
        blurred = cv2.GaussianBlur(part.coarse, (0, 0), 3 * unit)
        error, worst = (cv2.GaussianBlur((part.coarse - x) ** 2, (0, 0), FIT_WINDOW * unit) for x in (narrow, blurred))
        return _ramp(1 - error / (worst + 1e-5), *(FIT_EXACT if confidence >= 1 else FIT_TRACKED))


def _unit(mask: Mask) -> Floats:
    result: Floats = mask.astype(np.float32) / np.float32(255)
    return result


def _blur(image: Floats, radius: float) -> Floats:
    size = 2 * max(1, round(radius)) + 1
    result: Floats = cv2.blur(image, (size, size))
    return result


def _filter(rgb: Image, values: Floats, radius: float, eps: float, step: int = 1) -> Floats:
    """Return a guided filter's answer, 0..1, with its coefficients from every `step`-th pixel."""
    height, width = values.shape
    # OpenCV squeezes a remainder into the last cells, and counts the radius in the cells that it works on.
    whole = (0, -height % step, 0, -width % step, cv2.BORDER_REPLICATE)
    rgb, values = cv2.copyMakeBorder(rgb, *whole), cv2.copyMakeBorder(values, *whole)
    answer = cv2.ximgproc.guidedFilter(rgb, values, max(1, round(radius / step)), eps, scale=1 / step)
    return np.clip(answer[:height, :width], 0, 1)


def _contrast(values: Floats, factor: float) -> Floats:
    return np.clip((values - 0.5) * factor + 0.5, 0, 1)


def _toe(values: Floats) -> Floats:
    """Take values up to CLIP to 0 and leave those from 3 CLIP on as they are."""
    return np.minimum(values, np.maximum(1.5 * (values - CLIP), 0))


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
    sides = ((y, y + height, near.shape[0]), (x, x + width, near.shape[1]))
    small = [slice(max(0, first - margin), min(count, last + margin)) for first, last, count in sides]
    # The last cells go on to the frame's border.
    full = [
        slice(cells.start * factor, None if cells.stop == count else cells.stop * factor)
        for cells, (_, _, count) in zip(small, sides, strict=True)
    ]
    return (small[0], small[1]), (full[0], full[1])


def _limits(depth: Floats, reach: float) -> tuple[Floats, Floats]:
    """Return how freely alpha may differ from the mask, 1 in the band to 0, and what it is where it may not."""
    inside = _ramp(depth, BAND_IN * reach, BAND_IN * reach + TAPER)
    outside = _ramp(-depth, BAND_OUT * reach, BAND_OUT * reach + TAPER)
    return 1 - inside - outside, inside


def _cascade(part: _Part, rgb: Image, free: Floats, floor: Floats) -> Floats:
    """Return the mask pulled onto the picture's edges, on the coarse grid."""
    unit = part.unit / part.factor
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


def _tiles(part: _Part, maps: Floats, active: NDArray[np.bool_]) -> list[_Tile]:
    """Return the tiles that the band touches, filtered at full size; maps are guess and weight of the mask."""
    radius = NARROW * part.unit
    # Small frames can afford every pixel, and large ones lose nothing by every n-th.
    step = part.factor if part.unit > SMALL else 1
    # In whole cells, so that neighbouring runs filter the same cells and no seam shows.
    halo = (2 * max(1, round(radius / part.factor)) + 2) * part.factor
    # A cell reaches into its neighbours when it is scaled up.
    reached = cv2.dilate(active.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0

    def make(run: Run) -> _Tile:
        mask = _unit(part.mask[run.outer])
        edge = cv2.GaussianBlur(mask, (0, 0), max(0.3, EDGE * part.unit))
        guess, clean = cv2.split(enlarge(maps, part.factor, run.outer))
        blend = guess + (mask - guess) * clean
        filtered = _filter(part.rgb[run.outer], blend, radius, EPS_NARROW, step)
        return _Tile(run.inner, mask[run.cut], edge[run.cut], filtered[run.cut])

    return side_by_side(make, runs(reached, part.factor, part.mask.shape, TILE, halo))


def _explained(part: _Part, tiles: list[_Tile]) -> Floats:
    """Return, on the coarse grid, how far to trust the filter's answer over the mask's own edge, 0..1."""
    # Outside the tiles the mask is 0 or 1 and needs no explaining.
    error, square = np.zeros_like(part.coarse), part.coarse**2
    for tile in tiles:
        top, left = (side.start // part.factor for side in tile.where)
        miss = shrink((tile.mask - tile.filtered) ** 2, part.factor)
        cells = (slice(top, top + miss.shape[0]), slice(left, left + miss.shape[1]))
        error[cells], square[cells] = miss, shrink(tile.mask**2, part.factor)
    return _ramp(_share(part.coarse, square, error, MEDIUM * part.unit / part.factor), *EXPLAINED)
