"""Gaps: filled with cubic Hermite curves that leave and arrive at the speed the point had."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from errors import ParameterError
from tracking_export.tracks import Tracks

Array = NDArray[np.float64]

_ROWS = 6
"""Frames on either side of a gap that speed is measured over."""
_CURVED = 5
"""Of those, how many a parabola takes: with fewer, noise would bend it."""


def fill_gaps(tracks: Tracks, longest: int) -> Tracks:
    """Return new tracks with gaps of up to `longest` frames filled; those at the ends stay.

    Filled frames are visible, with half the confidence of the gap's less sure end.

    Args:
        tracks: stay as they are.
        longest: frames; 0 changes nothing.

    Raises:
        ParameterError: a negative length.
    """
    if longest < 0:
        raise ParameterError(f"the longest gap must be 0 frames or more, not {longest}")
    xy, visible, confidence = tracks.xy.copy(), tracks.visible.copy(), tracks.confidence.copy()
    for point in range(tracks.count):
        spans = tracks.spans(point)
        for before, after in pairwise(spans):
            rows = range(before.stop, after.start)
            if len(rows) > longest:
                continue
            xy[rows, point] = _hermite(tracks.xy[:, point], before, after)
            visible[rows, point] = True
            confidence[rows, point] = min(confidence[before.stop - 1, point], confidence[after.start, point]) / 2
    return tracks.with_points(xy=xy, visible=visible, confidence=confidence)


def _hermite(xy: Array, before: range, after: range) -> Array:
    start, end = before.stop - 1, after.start
    length = end - start
    chord = (xy[end] - xy[start]) / length
    leaving = _speed(xy[before[-_ROWS:]], chord)
    arriving = -_speed(xy[after[:_ROWS]][::-1], -chord)
    t = (np.arange(1, length) / length)[:, None]
    result: Array = (
        (1 + 2 * t) * (1 - t) ** 2 * xy[start]
        + t * (1 - t) ** 2 * length * leaving
        + t**2 * (3 - 2 * t) * xy[end]
        + t**2 * (t - 1) * length * arriving
    )
    return result


def _speed(xy: Array, otherwise: Array) -> Array:
    """Return pixels a frame on the last row: of a parabola through all rows, a line through few, else `otherwise`."""
    if len(xy) < 2:
        return otherwise
    at = np.arange(1 - len(xy), 1)
    powers = np.vander(at, 3 if len(xy) >= _CURVED else 2, increasing=True)
    result: Array = np.linalg.lstsq(powers, xy, rcond=None)[0][1]
    return result
