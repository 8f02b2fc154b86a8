"""The first prompt: what object could it mean? One hypothesis per scale, and how believable each one is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from engines.base import Image
from engines.grabcut.regions import Field, Region, clip_window, empty_mask, fill_holes, grow, iou, thumbnail, touching
from engines.grabcut.view import GetView, Seed, View, gaussian, soft_disc

SCALES = (0.04, 0.065, 0.1, 0.16, 0.25, 0.4)
"""Radii of the object around a click that are tried, as parts of the image's long side."""
VIEW_AREA = 14_000
WINDOW_RADII = 4.5
ROUNDS = 2
"""Rounds of colour models and cut."""

# Fitted by ridge regression (demeaned per image) to the IoU of candidates from jittered clicks; groups of images were
# held out in turn to choose the features.
RANK_WEIGHTS = {
    "ring_overlap": -0.169,
    "rest_overlap": -0.164,
    "rim_overlap": -0.202,
    "borders_touched": -0.058,
    "border_share": -0.071,
    "agreement": 0.108,
    "agreement_second": 0.425,
    "scale": 0.792,
    "inner_contrast": 0.093,
    "log_area": 0.027,
}


@dataclass
class Hypothesis:
    """One reading of the first prompt: base mask, features, rank (for choosing) and score (expected IoU)."""

    mask: Region
    features: dict[str, float]
    rank: float = 0.0
    score: float = 0.0


def guess_scales(
    base: Image, seed: Seed, view: GetView, run: Callable[..., Iterable[Hypothesis]], data_weight: float
) -> list[Hypothesis]:
    """Return one hypothesis per scale, the most believable first.

    Each scale is cut in a window in proportion to it, so that a small object is seen as finely as a large one, and
    nothing far away enters its colour models. Hypotheses that other scales arrive at too are more believable.

    Args:
        base: the image, RGB uint8 [H, W, 3].
        seed: the first positive click or strokes.
        view: makes (or finds) the view of a window.
        run: `map`, or a pool's.
        data_weight: of the unaries against smoothness.
    """
    long_side = max(base.shape[:2])
    radii = [scale * long_side + seed.radius for scale in SCALES]
    found = list(run(lambda radius: _guess(base, seed, radius, view, data_weight), radii))
    thumbnails = [thumbnail(item.mask) for item in found]
    for i, item in enumerate(found):
        others = sorted((iou(thumbnails[i], other) for j, other in enumerate(thumbnails) if j != i), reverse=True)
        item.features["agreement"], item.features["agreement_second"] = others[0], others[1]
        item.features["scale"] = SCALES[i]
        item.rank = sum(weight * item.features[name] for name, weight in RANK_WEIGHTS.items())
        item.score = _expected_iou(item.features)
    return sorted(found, key=lambda item: -item.rank)


def _guess(base: Image, seed: Seed, radius: float, view: GetView, data_weight: float) -> Hypothesis:
    height, width = base.shape[:2]
    x0, y0, x1, y1 = seed.bounds()
    reach = WINDOW_RADII * radius
    window = clip_window(x0 - reach, y0 - reach, x1 + reach + 1, y1 + reach + 1, width, height)
    if (window[2] - window[0]) * (window[3] - window[1]) > 0.7 * width * height:
        window = (0, 0, width, height)
    small = view(window, VIEW_AREA)
    region = _cut_scale(small, small.distance(seed), radius * small.scale, data_weight)
    return Hypothesis(small.paste(region, empty_mask(base)), describe(small, region))


def _cut_scale(view: View, distance: Field, radius: float, data_weight: float) -> Region:
    core = distance <= max(float(distance.min()), 1.0, 0.25 * radius)
    # A window's border that is not the image's is too far away to belong to an object of this scale.
    outside = np.zeros_like(core)
    left, top, right, bottom = view.inner_borders()
    outside[:, 0], outside[0] = left, outside[0] | top
    outside[:, -1] |= right
    outside[-1] |= bottom
    outside &= ~core
    nearby = 0.15 + gaussian(5 * radius, distance)
    weight_in, weight_out = soft_disc(distance, radius), (1 - soft_disc(distance, 1.5 * radius)) * nearby
    prior = 1.5 * np.clip((1.6 * radius - distance) / radius, -2, 1)
    region = core
    for turn in range(ROUNDS):
        unary = view.log_odds(weight_in, weight_out) + prior * (0.7 if turn else 1)
        region = touching(view.cut(unary, core, outside, data_weight), core)
        weight_in = region * (0.3 + gaussian(3 * radius, distance))
        weight_out = ~region * nearby
    return fill_holes(region, 0.3)


def describe(view: View, region: Region) -> dict[str, float]:
    """Return what tells an object from a piece of one or a piece of everything; overlaps are Bhattacharyya's."""
    area = max(1, int(np.count_nonzero(region)))
    ring = grow(region, 0.25 * area**0.5) & ~region
    rim = region & grow(~region, 0.12 * area**0.5)
    inside, around = view.histogram(region), view.histogram(ring)
    left, top, right, bottom = view.inner_borders()
    edges = ((left, region[:, 0]), (right, region[:, -1]), (top, region[0]), (bottom, region[-1]))
    touched = [0.0 if inner else float(line.mean()) for inner, line in edges]
    image_area = view.base_size[0] * view.base_size[1] * view.fx * view.fy
    contrast = float(view.gradient[region].mean()) if region.any() else 0.0
    return {
        "ring_overlap": float(np.sqrt(inside * around).sum()) if ring.any() else 1.0,
        "rest_overlap": float(np.sqrt(inside * view.histogram(~region)).sum()),
        "rim_overlap": float(np.sqrt(view.histogram(rim) * around).sum()) if ring.any() else 1.0,
        "borders_touched": sum(share > 0.02 for share in touched),
        "border_share": sum(touched),
        "inner_contrast": min(contrast, 3.0),
        "log_area": float(np.log(area / image_area + 1e-4)),
    }


def _expected_iou(features: dict[str, float]) -> float:
    """Return the IoU to expect (regressed on held-out groups: correlation .71, mean error .18)."""
    return float(np.clip(0.517 + 0.505 * features["agreement_second"] - 0.547 * features["rim_overlap"], 0.05, 0.98))
