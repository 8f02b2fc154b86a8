"""A box or a rough mask: prompts that say how far the object reaches."""

from __future__ import annotations

import numpy as np

from engines.base import Image
from engines.grabcut.candidates import VIEW_AREA, Hypothesis, describe
from engines.grabcut.refine import refine
from engines.grabcut.regions import Region, Window, clip_window, drop_crumbs, empty_mask, fill_holes, mask_window
from engines.grabcut.view import GetView, soft_disc

BOX_MARGIN = 0.35
BOX_ELLIPSE = 0.92
BOX_ROUNDS = 3


def guess_box(base: Image, box: Window, view: GetView, area: int, data_weight: float) -> Hypothesis:
    """Return what fills the box: an ellipse in it starts the colours of the object, its surroundings the rest."""
    height, width = base.shape[:2]
    x0, y0, x1, y1 = box
    mx, my = BOX_MARGIN * (x1 - x0), BOX_MARGIN * (y1 - y0)
    small = view(clip_window(x0 - mx, y0 - my, x1 + mx, y1 + my, width, height), area)
    left, top = small.to_work(x0 - 0.5, y0 - 0.5)
    right, bottom = small.to_work(x1 - 0.5, y1 - 0.5)
    rx, ry = max((right - left) / 2, 0.5), max((bottom - top) / 2, 0.5)
    u, v = (small.xx - (left + right) / 2) / rx, (small.yy - (top + bottom) / 2) / ry
    inside = np.maximum(np.abs(u), np.abs(v)) <= 1
    radial = np.hypot(u, v).astype(np.float32)
    prior = np.clip(1.2 * (1 - radial / BOX_ELLIPSE), -1, 1)
    weight_in = inside * soft_disc(radial, BOX_ELLIPSE * 0.75)
    weight_out = np.where(inside, soft_disc(-radial + 2, 1.0) * 0.3, 1.0)
    region = inside & (radial <= BOX_ELLIPSE)
    for _ in range(BOX_ROUNDS):
        region = small.cut(small.log_odds(weight_in, weight_out) + prior, np.zeros_like(inside), ~inside, data_weight)
        if np.count_nonzero(region) < 0.05 * np.count_nonzero(inside):
            region = inside & (radial <= BOX_ELLIPSE)
            break
        weight_in, weight_out = region * 1.0, (~region) * 1.0
    mask = small.paste(fill_holes(drop_crumbs(region), 0.02), empty_mask(base))
    return _alone(mask, describe(small, region))


def guess_mask(mask: Region, view: GetView, data_weight: float) -> Hypothesis:
    """Return a rough base mask with its edge moved to the image's, where there is one within reach."""
    refined = refine(mask, (), view, data_weight)
    small = view(mask_window(refined, [], 0.2), VIEW_AREA)
    return _alone(refined, describe(small, small.shrink(refined)))


def _alone(mask: Region, features: dict[str, float]) -> Hypothesis:
    return Hypothesis(mask, features, score=float(np.clip(1 - 0.55 * features["rim_overlap"], 0.05, 0.95)))
