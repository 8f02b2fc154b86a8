"""Smoothing without lag: a straight line fitted around each frame, with Gaussian weights (Cleveland 1979).

The same weight for before and after, so nothing moves in time; steady velocity passes through unchanged, at the ends
of a stretch too, where a plain average would pull inwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from errors import ParameterError
from tracking_export.tracks import Tracks

Array = NDArray[np.float64]

_LEAST_WEIGHT = 0.05


def smooth(tracks: Tracks, frames: float) -> Tracks:
    """Return new tracks with smoothed positions; each visible stretch by itself, the rest unchanged.

    Args:
        tracks: stay as they are.
        frames: the Gaussian's standard deviation; 0 changes nothing. Surer frames count for more.

    Raises:
        ParameterError: a negative number of frames.
    """
    check_frames(frames)
    xy = tracks.xy.copy()
    for point in range(tracks.count):
        for span in tracks.spans(point):
            rows = slice(span.start, span.stop)
            weights = np.maximum(tracks.confidence[rows, point], _LEAST_WEIGHT).astype(np.float64)
            xy[rows, point] = local_linear(tracks.xy[rows, point], weights, frames)
    return tracks.with_points(xy=xy)


def check_frames(frames: float) -> None:
    """Raise ParameterError where a smoothing is not a number of frames."""
    if not 0 <= frames < np.inf:
        raise ParameterError(f"smoothing must be 0 frames or more, not {frames}")


def local_linear(values: Array, weights: Array, sigma: float) -> Array:
    """Return values [T, D] smoothed along T; rows of weight 0 do not count and are filled in.

    Args:
        values: float64 [T, D].
        weights: float64 [T], 0 or more, not all 0 within three sigma of any row that matters.
        sigma: frames.
    """
    length, radius = len(values), int(np.ceil(3 * sigma))
    if sigma == 0 or length < 3:
        return values.copy()
    sums = np.zeros((3, length))
    moments = np.zeros((2, length, values.shape[1]))
    for offset in range(-min(radius, length - 1), min(radius, length - 1) + 1):
        here = slice(max(0, -offset), length - max(0, offset))
        there = slice(max(0, offset), length - max(0, -offset))
        weight = weights[there] * np.exp(-0.5 * (offset / sigma) ** 2)
        # Differences to the frame itself keep the digits of large coordinates.
        change = values[there] - values[here]
        for power in range(3):
            sums[power, here] += weight * offset**power
        moments[0, here] += weight[:, None] * change
        moments[1, here] += (weight * offset)[:, None] * change
    return values + _intercept(sums, moments)


def _intercept(sums: Array, moments: Array) -> Array:
    zeroth, first, second = sums[:, :, None]
    determinant = zeroth * second - first**2
    is_line = determinant > 1e-9 * np.maximum(zeroth * second, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        line = (second * moments[0] - first * moments[1]) / determinant
        mean = np.where(zeroth > 0, moments[0] / zeroth, 0.0)
    return np.where(is_line, line, mean)
