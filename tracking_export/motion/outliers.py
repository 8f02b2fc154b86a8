"""Outliers: points that for a while do not move as their neighbours do.

A point's step is compared with the median step of its nearest neighbours, or with its own steps before and after
where it has too few. Steps that differ too much add up to how far it is off; of all the places it jumps between, the
one where it spends most frames is taken for right, and the frames elsewhere are marked as not visible.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from errors import ParameterError
from tracking_export.tracks import Tracks

Array = NDArray[np.float64]

NEIGHBOURS = 8
_LEAST_NEIGHBOURS = 3
_OWN_STEPS = 3
"""Of a point's own steps on either side, where it has too few neighbours."""
_SPREADS = 4.0
_BLOCK = 512
"""Points whose neighbours are looked for at a time, so that memory does not grow with the square of their number."""


def reject_outliers(tracks: Tracks, tolerance: float = 3.0) -> Tracks:
    """Return new tracks in which outlying frames are not visible; positions and confidence stay.

    Args:
        tracks: stay as they are.
        tolerance: pixels a frame that a step may always differ; more where all of them do.

    Raises:
        ParameterError: a tolerance that is not above 0.
    """
    if not tolerance > 0:
        raise ParameterError(f"the tolerance must be above 0 pixels, not {tolerance}")
    surprises = _surprises(tracks)
    size = np.linalg.norm(surprises, axis=2)
    jumps = np.where((size > _limits(size, tolerance)[:, None])[..., None], surprises, 0.0)
    visible = tracks.visible.copy()
    for point in range(tracks.count):
        for span in tracks.spans(point):
            visible[span.start : span.stop, point] = _usual(jumps[span.start : span.stop - 1, point], tolerance)
    return tracks.with_points(visible=visible)


def _limits(size: Array, tolerance: float) -> Array:
    """Return what each step [T - 1] may differ by: more where most points do, or where few always do."""
    usual = _median(size)
    crowds = np.isfinite(size).sum(axis=1) > _LEAST_NEIGHBOURS
    medians = [_median(row) if crowd else usual for row, crowd in zip(size, crowds, strict=True)]
    result: Array = np.maximum(tolerance, _SPREADS * 1.4826 * np.array(medians))
    return result


def _median(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def _surprises(tracks: Tracks) -> Array:
    """Return each step minus what was to be expected: float64 [T - 1, N, 2], NaN where there is no step."""
    steps = np.diff(tracks.xy, axis=0)
    steps[~(tracks.visible[1:] & tracks.visible[:-1])] = np.nan
    expected = np.full_like(steps, np.nan)
    for row in range(len(steps)):
        known = np.flatnonzero(np.isfinite(steps[row, :, 0]))
        if len(known) > _LEAST_NEIGHBOURS:
            expected[row, known] = _neighbours_step(tracks.xy[row, known], steps[row, known])
        else:
            for point in known:
                expected[row, point] = _own_step(steps[:, point], row)
    result: Array = steps - expected
    return result


def _neighbours_step(xy: Array, steps: Array) -> Array:
    count = min(NEIGHBOURS, len(xy) - 1)
    result = np.empty_like(steps)
    for start in range(0, len(xy), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(xy)))
        away = np.linalg.norm(xy[block, None] - xy[None], axis=2)
        away[np.arange(len(block)), block] = np.inf
        nearest = np.argpartition(away, count - 1, axis=1)[:, :count]
        result[block] = np.median(steps[nearest], axis=1)
    return result


def _own_step(steps: Array, row: int) -> Array:
    around = [*range(max(0, row - _OWN_STEPS), row), *range(row + 1, min(len(steps), row + 1 + _OWN_STEPS))]
    near = steps[around]
    near = near[np.isfinite(near[:, 0])]
    return np.median(near, axis=0) if len(near) else steps[row]


def _usual(jumps: Array, tolerance: float) -> NDArray[np.bool_]:
    """Return on which rows of a stretch, one more than its jumps, the point is where it mostly is."""
    places = np.concatenate([np.zeros((1, 2)), np.cumsum(jumps, axis=0)])
    choices = np.unique(places, axis=0)
    near = np.linalg.norm(places[:, None] - choices[None], axis=2) <= tolerance
    result: NDArray[np.bool_] = near[:, int(near.sum(axis=0).argmax())]
    return result
