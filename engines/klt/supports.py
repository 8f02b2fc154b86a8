"""Points of our own that all others lean on: a new grid of corners every so often, followed as the user's points are.

A point that is lost is expected where the supports that moved with it before say, from where they were then to where
they are now; so nothing adds up, however long it is gone. A point leans on generations that were sown after its own
query only: its track is the same whatever other points are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]

EVERY = 32
"""Frames from one generation to the next."""
GENERATIONS = 3
"""That live at a time."""
CELLS = 96
"""Supports of a generation, about."""
LAGS = (4, 12, 32)
"""Frames over which motion is compared, to tell what a point moved with."""
_SMALL = 320
_CORNER = 1e-5
"""Least eigenvalue of a corner."""
_NEAR = 40.0
"""Pixels within which a support counts fully."""
_ROUNDS = 4


def sow(grey: Grey, columns: int, rows: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the best corner of each cell of a grid, float32 [columns * rows, 2], and whether it is one."""
    factor = min(1.0, _SMALL / max(grey.shape))
    small = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    strength = cv2.cornerMinEigenVal(small, 5)
    points, good = np.zeros((columns * rows, 2), np.float32), np.zeros(columns * rows, bool)
    ys, xs = (
        np.linspace(0, side, parts + 1).astype(int) for side, parts in zip(small.shape, (rows, columns), strict=True)
    )
    for place in range(columns * rows):
        row, column = divmod(place, columns)
        cell = strength[ys[row] : ys[row + 1], xs[column] : xs[column + 1]]
        if cell.size:
            y, x = np.unravel_index(int(cell.argmax()), cell.shape)
            good[place] = cell[y, x] > _CORNER
            points[place] = (xs[column] + x + 0.5) / factor - 0.5, (ys[row] + y + 0.5) / factor - 0.5
    return points, good


def grid(width: int, height: int) -> tuple[int, int]:
    """Return columns and rows of cells that are about square."""
    columns = int(np.clip(round((CELLS * width / height) ** 0.5), 1, CELLS))
    return columns, max(1, CELLS // columns)


@dataclass(frozen=True, eq=False)
class Expected:
    """Where points are expected.

    Attributes:
        places: float32 [N, 2].
        linear: float32 [N, 2, 2], how the picture around them was bent since.
        weight: float32 [N], how many supports agree, those near by counting fully.
    """

    places: Floats
    linear: Floats
    weight: Floats


def expect(points: Floats, then: Floats, now: Floats, weight: Floats) -> Expected:
    """Carry points by the supports' motion: a robust affine map around each.

    Args:
        points: float32 [N, 2], where the points were.
        then: float32 [N, S, 2], where supports were at that time.
        now: float32 [S, 2], where they are.
        weight: float32 [N, S], 0 for supports that do not count.
    """
    offset = then - points[:, None]
    shift = now[None] - then
    far = np.sqrt((offset**2).sum(2))
    start = weight / (1 + (far / _NEAR) ** 2)
    terms = np.concatenate([np.ones((*far.shape, 1), np.float32), offset / _NEAR], axis=2)
    ridge = np.diag([1e-4, 0.02, 0.02]).astype(np.float32)
    # The first guess is a weighted median: a mean would follow whatever stands out.
    solved = np.zeros((len(points), 3, 2), np.float32)
    solved[:, 0] = _median(shift, start)
    for turn in range(_ROUNDS):
        off = np.sqrt(((shift - terms @ solved) ** 2).sum(2))
        scale = 1.5 + 0.06 * far if turn else 3 + 0.3 * far
        kept = start / (1 + (off / scale) ** 2) ** 2
        weighted = np.swapaxes(terms * kept[..., None], 1, 2)
        solved = np.linalg.solve(weighted @ terms + ridge, weighted @ shift)
    linear = np.eye(2, dtype=np.float32) + np.swapaxes(solved[:, 1:], 1, 2) / _NEAR
    return Expected(
        (points + solved[:, 0]).astype(np.float32), linear.astype(np.float32), kept.sum(axis=1).astype(np.float32)
    )


def _median(values: Floats, weight: Floats) -> Floats:
    """Return the weighted median of each coordinate of values [N, S, 2]."""
    order = np.argsort(values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, 1)
    share = np.cumsum(np.take_along_axis(np.repeat(weight[..., None], 2, 2), order, 1), axis=1)
    place = (share < share[:, -1:] / 2).sum(axis=1, keepdims=True)
    return np.take_along_axis(ranked, np.minimum(place, values.shape[1] - 1), 1)[:, 0]
