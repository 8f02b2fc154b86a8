"""How sure a mask is, and where an object that was lost may be seen again."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Image, Mask
from engines.flow.appearance import BINS, ColourModel, colour_bins, histogram
from engines.flow.quality import Quality
from engines.flow.reference import Models
from engines.flow.texture import Sums, Texture
from engines.flow.view import view_around

Array = NDArray[np.float32]
Region = NDArray[np.bool_]

SCALE = 10.0
"""Log-odds that count as fairly certain."""
LOST = 0.1
"""A mask that overlaps less than this with what looks like the object, and mostly looks unlike it, is lost."""
SAME_COLOURS = 0.85
"""Least similarity of colours (Bhattacharyya coefficient) at which something is taken for the object again."""
CERTAIN = 0.5
"""Least mean certainty of it."""
SAME_SIZE = (0.35, 2.0)
"""Range of its size, in sizes at the keyframe."""


def similarity(inside: Region, bins: NDArray[np.int32], colours: ColourModel) -> float:
    """Return the Bhattacharyya coefficient, 0 .. 1, of a region's colours and the object's at the keyframes."""
    return float(np.sqrt(histogram(bins[inside]) * colours.inside).sum())


def certainty(odds: Array, region: Region) -> float:
    """Return the mean of log-odds over a region, squashed to -1 (background) .. 1 (object); 0 for no pixels."""
    return float(np.tanh(odds[region] / SCALE).mean()) if region.any() else 0.0


def confidence(fit: float, colours: float, inside: float, outside: float) -> float:
    """Return the overlap with the truth to be expected, 0 .. 1.

    A linear fit over six clips; leaving each out in turn, it correlates with the true overlap at 0.88.

    Args:
        fit: overlap of the mask with what the texture classifier takes for the object.
        colours: similarity of the mask's colours to the keyframes'.
        inside: certainty over the mask.
        outside: certainty over the part of the band that was left out, about -1 where it looks like background.
    """
    return float(np.clip(0.18 * fit + 0.62 * colours + 0.33 * inside - 1.01 * outside - 1.05, 0, 1))


def find_again(image: Image, models: Sequence[Models], weights: Sequence[float], quality: Quality) -> Mask | None:
    """Return a rough full-size mask of what in the whole frame looks most like the object, or None."""
    full = image.shape[1], image.shape[0]
    view = view_around((0, 0, *full), full, 0.0, quality.flow_side)
    lab = cv2.cvtColor(view.image(image), cv2.COLOR_RGB2LAB)
    size = sum(model.frame.size * weight for model, weight in zip(models, weights, strict=True)) * sum(view.scale) / 2
    sums = Sums.combine([(model.texture, weight) for model, weight in zip(models, weights, strict=True)])
    score = Texture.of(lab, size).score(sums.solve(), (view.width, view.height))
    colours = ColourModel.mean([model.colour for model in models], weights)
    bins = colour_bins(lab, BINS)
    odds = quality.texture * np.clip(score, -1, 1) + quality.colour * colours.log_odds(bins)
    candidates = _parts(cv2.GaussianBlur(odds, (0, 0), 1.0) > 0, size)
    alike = [p for p in candidates if similarity(p, bins, colours) >= SAME_COLOURS and certainty(odds, p) >= CERTAIN]
    if not alike:
        return None
    best = max(alike, key=lambda part: float(odds[part].sum()))
    return view.paste(best.astype(np.float32), full)


def _parts(region: Region, size: float) -> list[Region]:
    """Return the connected parts of about the object's size."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    ratio = np.sqrt(stats[:, cv2.CC_STAT_AREA]) / size
    fits = (ratio >= SAME_SIZE[0]) & (ratio <= SAME_SIZE[1])
    return [labels == label for label in range(1, count) if fits[label]]
