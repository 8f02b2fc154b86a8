"""The edge of a mask, cut anew at a finer scale."""

from __future__ import annotations

import numpy as np

from engines.base import Point
from engines.grabcut.regions import Region, fill_holes, iou, mask_window, signed_distance, touching
from engines.grabcut.view import GetView, Seed, View, gaussian

MARGIN = 0.2
REFINE_AREA = 30_000
REFINE_BAND = 0.12
"""Half-width of the band that a refinement may change, as a part of the square root of the mask's area."""


def refine(
    mask: Region, points: tuple[Point, ...], view: GetView, data_weight: float, band: float = REFINE_BAND
) -> Region:
    """Return the mask with its edge cut anew in a band, in its own window and so at a finer scale."""
    if not mask.any() or mask.all():
        return mask
    small = view(mask_window(mask, [], MARGIN), REFINE_AREA)
    old = small.shrink(mask)
    if not old.any() or old.all():
        return mask
    depth = signed_distance(old)
    width = max(1.5, band * float(np.sqrt(np.count_nonzero(old))))
    colour = small.log_odds(old, ~old * (0.15 + gaussian(4 * width, depth)))
    inside, outside = click_pixels(small, points)
    outside_band, inside_band = (depth < -width) & ~inside, (depth > width) & ~outside
    unary = colour + np.clip(depth / width, -1, 1)
    new = small.cut(unary, inside | inside_band, outside | outside_band, data_weight)
    anchor = inside if inside.any() else old & (depth >= depth.max())
    new = touching(new, anchor | inside_band) if new.any() else new
    if iou(new, old) < 0.5:
        return mask
    return small.paste(fill_holes(new, 0.02), mask)


def click_pixels(view: View, points: tuple[Point, ...]) -> tuple[Region, Region]:
    """Return the pixels at positive and at negative clicks; where two are close, the later one counts."""
    inside = np.zeros((view.h, view.w), np.bool_)
    outside = inside.copy()
    for point in points:
        at = view.distance(Seed((((point.x, point.y),),))) < 1.5
        inside[at], outside[at] = point.positive, not point.positive
    return inside, outside
