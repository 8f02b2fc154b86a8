"""A box or a rough mask: prompts that say how far the object reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from engines.base import Image
from engines.grabcut.candidates import VIEW_AREA, Hypothesis, describe
from engines.grabcut.refine import MARGIN, refine
from engines.grabcut.regions import Field, Region, Window, clip_window, drop_crumbs, empty_mask, fill_holes, mask_window
from engines.grabcut.view import GetView, View, soft_disc

BOX_MARGIN = 0.15
BOX_STARTS = ((0.5, 0.5), (0.5, 1.5), (0.8, 0.5), (0.8, 1.5))
"""Ellipse (as a part of the box) that starts the object's colours, and how much the position in the box counts."""
BOX_ROUNDS = 3
BOX_AREA = 36_000


def guess_box(
    base: Image, box: Window, view: GetView, run: Callable[..., Iterable[Hypothesis]], data_weight: float
) -> Hypothesis:
    """Return what fills the box, refined.

    A few starts are tried. An object touches all four sides of its box, so of their results the one is taken whose own
    box is nearest to the one given, and whose colours differ from its surroundings.
    """
    height, width = base.shape[:2]
    x0, y0, x1, y1 = box
    mx, my = BOX_MARGIN * (x1 - x0), BOX_MARGIN * (y1 - y0)
    small = view(clip_window(x0 - mx, y0 - my, x1 + mx, y1 + my, width, height), BOX_AREA)
    u, v = _box_coordinates(small, box)
    inside = np.maximum(np.abs(u), np.abs(v)) <= 1
    if not inside.any():
        inside[small.nearest((x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2)] = True

    def start(ellipse_prior: tuple[float, float]) -> Hypothesis:
        region = _cut_box(small, inside, np.hypot(u, v), *ellipse_prior, data_weight)
        item = _alone(small.paste(region, empty_mask(base)), describe(small, region))
        item.rank = _fit(region, inside) - 0.5 * item.features["rim_overlap"]
        return item

    best = max(run(start, BOX_STARTS), key=lambda item: item.rank)
    mask = refine(best.mask, (), view, data_weight)
    limit = empty_mask(base)
    limit[y0:y1, x0:x1] = True
    mask &= limit
    return Hypothesis(mask if mask.any() else limit, best.features, score=best.score)


def _box_coordinates(view: View, box: Window) -> tuple[Field, Field]:
    """Return each working pixel's position in the box, -1 .. 1 from side to side."""
    left, top = view.to_work(box[0] - 0.5, box[1] - 0.5)
    right, bottom = view.to_work(box[2] - 0.5, box[3] - 0.5)
    u = (view.xx - (left + right) / 2) / max((right - left) / 2, 0.5)
    v = (view.yy - (top + bottom) / 2) / max((bottom - top) / 2, 0.5)
    return u.astype(np.float32), v.astype(np.float32)


def _cut_box(
    view: View, inside: Region, radial: Field, ellipse: float, prior_weight: float, data_weight: float
) -> Region:
    prior = prior_weight * np.clip(1.2 - 1.3 * radial, -1, 1)
    weight_in = inside * soft_disc(radial, ellipse)
    weight_out = np.where(inside, 0.3 * (1 - soft_disc(radial, 1.2)), 1.0)
    nowhere = np.zeros_like(inside)
    region = fallback = inside & (radial <= max(1.0, float(radial.min())))
    for _ in range(BOX_ROUNDS):
        found = view.cut(view.log_odds(weight_in, weight_out) + prior, nowhere, ~inside, data_weight)
        if np.count_nonzero(found) < 0.02 * np.count_nonzero(inside):
            region = fallback
            break
        region = found
        weight_in, weight_out = region * 1.0, ~region * 1.0
    return fill_holes(drop_crumbs(region), 0.02)


def _fit(region: Region, inside: Region) -> float:
    """Return the IoU of the region's bounding box with the box."""
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    if not len(rows):
        return 0.0
    area = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return float(area / max(np.count_nonzero(inside), 1))


def guess_mask(mask: Region, view: GetView, data_weight: float) -> Hypothesis:
    """Return a rough base mask with its edge moved to the image's, where there is one within reach."""
    refined = refine(mask, (), view, data_weight)
    small = view(mask_window(refined, [], MARGIN), VIEW_AREA)
    return _alone(refined, describe(small, small.shrink(refined)))


def _alone(mask: Region, features: dict[str, float]) -> Hypothesis:
    return Hypothesis(mask, features, score=float(np.clip(1 - 0.55 * features["rim_overlap"], 0.05, 0.95)))
