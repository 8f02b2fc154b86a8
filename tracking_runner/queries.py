"""Many points at once: a grid over the frame or a region, or spread over a mask, along its edge and inside."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Mask
from errors import PromptError

Positions = list[tuple[float, float]]
_MOST = 5000
"""Points of one grid or mask."""


def grid(region: tuple[float, float, float, float], count: int) -> Positions:
    """Return `count` x `count` or so points over a region, in cells as square as can be.

    Args:
        region: x0, y0, x1, y1 in pixels.
        count: points along the longer side.

    Raises:
        PromptError: a region without area, or a count that is none.
    """
    x0, y0, x1, y1 = region
    width, height = x1 - x0, y1 - y0
    if not (width > 0 and height > 0):
        raise PromptError("the region of the grid has no area; give its left, top, right and bottom edge")
    if not 1 <= count <= 70:
        raise PromptError(f"a grid has 1 to 70 points along its longer side, not {count}")
    cell = max(width, height) / count
    columns, rows = max(1, round(width / cell)), max(1, round(height / cell))
    xs, ys = (np.arange(n) + 0.5 for n in (columns, rows))
    return [(float(x0 + x * width / columns), float(y0 + y * height / rows)) for y in ys for x in xs]


def spread(mask: Mask, count: int) -> Positions:
    """Return well-spread points on a mask, uint8 [H, W]: a third of them just inside its edge, the rest inside.

    Each next point is the one farthest from those before it, so that fewer points are the beginning of more.

    Raises:
        PromptError: an empty mask, or a count that is none.
    """
    inside = mask > 127
    if not inside.any():
        raise PromptError("the mask is empty: there is nothing to put points on")
    if not 1 <= count <= _MOST:
        raise PromptError(f"a mask is filled with 1 to {_MOST} points, not {count}")
    padded = cv2.copyMakeBorder(inside.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    margin = min(3.0, float(depth.max()) / 2)
    edge = (depth >= margin) & (depth < margin + 2)
    along = _farthest(np.argwhere(edge), round(count / 3), []) if edge.any() else []
    rest = _farthest(np.argwhere(depth >= min(margin + 2, float(depth.max()))), count - len(along), along)
    return [(float(x), float(y)) for y, x in (*along, *rest)]


def _farthest(candidates: NDArray[np.intp], count: int, taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return up to `count` of the candidates, [N, 2], each the farthest from all before it."""
    if count < 1 or not len(candidates):
        return []
    places = candidates[:: max(1, len(candidates) // 20_000)].astype(np.float32)
    distance = np.full(len(places), np.inf, np.float32)
    for other in taken:
        distance = np.minimum(distance, ((places - np.array(other, np.float32)) ** 2).sum(1))
    chosen: list[tuple[int, int]] = []
    place = int(distance.argmax()) if taken else len(places) // 2
    while len(chosen) < count and distance[place] >= 1:
        chosen.append((int(places[place, 0]), int(places[place, 1])))
        distance = np.minimum(distance, ((places - places[place]) ** 2).sum(1))
        place = int(distance.argmax())
    return chosen
