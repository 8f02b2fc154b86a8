"""One steady track from many: it moves as most points do and does not jump when points appear or vanish.

It is the sum of steps, each the mean step of the points seen on both frames. While the same points are seen, steps
add up to the mean displacement itself, so noise does not pile up; where the set changes, only steps change, never
the position. Points that go their own way lose their weight for good; single wrong steps are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from errors import ParameterError
from tracking_export.coordinates import Points
from tracking_export.motion.chain import DEFAULT_TOLERANCE, hold_unsolved, middle, reference_row
from tracking_export.motion.estimate import translation, tukey
from tracking_export.motion.result import Motion, MotionKind, describe
from tracking_export.tracks import Tracks

Array = NDArray[np.float64]

_REACH = 64
"""Frames back at which a frame looks for points it shares, when the last ones share none."""
_PASSES = 3
_SPREADS = 4.0
"""Deviations of the typical point beyond which a point counts for nothing."""


def steady_track(tracks: Tracks, reference: int | None = None, tolerance: float = DEFAULT_TOLERANCE) -> Motion:
    """Return the common movement of most points as translations; the pivot is the visible points' middle.

    Args:
        tracks: one point or more.
        reference: index in the source; by default the frame with the most visible points, the earliest of them.
        tolerance: pixels: steps that differ by less are never left out.

    Returns:
        A motion. Its residual tells how far points stray from moving along, RMS; large where the scene turns, zooms or
        has depth. Frames without visible points are not solved; where no point leads across a hole, it goes on from
        where it was, and `note` says so.

    Raises:
        ParameterError: a reference outside the tracks or without visible points, or a tolerance that is not above 0.
    """
    if not tolerance > 0:
        raise ParameterError(f"the tolerance must be above 0 pixels, not {tolerance}")
    row = reference_row(tracks, reference)
    weights = _mean_confidence(tracks)
    for _ in range(_PASSES):
        path, broken = _integrate(tracks, weights, tolerance)
        strays = _strays(tracks, path)
        weights = _mean_confidence(tracks) * _trust(strays, tracks.visible, tolerance)
    solved: NDArray[np.bool_] = np.any(tracks.visible, axis=1)
    path = hold_unsolved(path - path[row], solved)
    residual, confidence = _quality(tracks, strays, weights)
    return Motion(
        kind=MotionKind.STEADY,
        matrices=translation(path),
        points=middle(tracks, row),
        reference=row + tracks.first_frame,
        first_frame=tracks.first_frame,
        residual=residual,
        confidence=confidence,
        used=solved.astype(np.uint8),
        note=_note(tracks, solved, broken),
    )


def _mean_confidence(tracks: Tracks) -> Array:
    seen = np.maximum(tracks.visible.sum(axis=0), 1)
    mean = np.where(tracks.visible, tracks.confidence, 0).sum(axis=0, dtype=np.float64) / seen
    result: Array = np.maximum(mean, 0.05)
    return result


def _integrate(tracks: Tracks, weights: Array, tolerance: float) -> tuple[Points, list[int]]:
    """Return the path [T, 2] and the rows to which no point leads from before."""
    path = np.zeros((tracks.length, 2))
    broken = []
    rows = np.flatnonzero(tracks.visible.any(axis=1)).tolist()
    for at, row in enumerate(rows[1:], 1):
        for earlier in _earlier(rows, at, row):
            both = tracks.visible[earlier] & tracks.visible[row]
            if both.any():
                steps = tracks.xy[row, both] - tracks.xy[earlier, both]
                path[row] = path[earlier] + _mean_step(steps, weights[both], tolerance)
                break
        else:
            path[row] = path[rows[at - 1]]
            broken.append(row)
    return path, broken


def _earlier(rows: list[int], at: int, row: int) -> Iterator[int]:
    for earlier in rows[at - 1 :: -1] if at else ():
        if row - earlier > _REACH and earlier != rows[at - 1]:
            return
        yield earlier


def _mean_step(steps: Points, weights: Array, tolerance: float) -> Array:
    if weights.sum() <= 0:  # only strays are left to go by
        weights = np.ones(len(steps))
    counted = steps[weights > 0]
    away = np.linalg.norm(steps - np.median(counted, axis=0), axis=1)
    limit = max(tolerance, 3 * 1.4826 * float(np.median(away[weights > 0])))
    kept = weights * (away <= limit)
    result: Array = np.average(steps, axis=0, weights=kept if kept.sum() > 0 else weights)
    return result


def _strays(tracks: Tracks, path: Points) -> Array:
    """Return how far each point is from moving along with the path: float64 [T, N], NaN where not visible."""
    offsets = np.where(tracks.visible[..., None], tracks.xy - path[:, None], np.nan)
    seen = tracks.visible.any(axis=0)
    usual = np.full((tracks.count, 2), np.nan)
    usual[seen] = np.nanmedian(offsets[:, seen], axis=0)
    result: Array = np.linalg.norm(offsets - usual, axis=2)
    return result


def _trust(strays: Array, visible: NDArray[np.bool_], tolerance: float) -> Array:
    """Return weights [N]: 1 for points that move along, 0 for those that go their own way."""
    counts = np.maximum(visible.sum(axis=0), 1)
    spread = np.sqrt((np.where(visible, strays, 0.0) ** 2).sum(axis=0) / counts)
    seen = visible.any(axis=0)
    result: Array = tukey(spread, max(tolerance, _SPREADS * float(np.median(spread[seen]))))
    return result


def _quality(tracks: Tracks, strays: Array, weights: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    counted = tracks.visible & (weights > 0)
    seen = counted.sum(axis=1)
    squares = np.where(counted, strays, 0.0) ** 2
    with np.errstate(invalid="ignore"):
        residual = np.sqrt(squares.sum(axis=1) / seen)
    sure = np.where(counted, tracks.confidence, 0).sum(axis=1)
    confidence = sure / np.maximum(tracks.visible.sum(axis=1), 1)
    return residual.astype(np.float32), confidence.astype(np.float32)


def _note(tracks: Tracks, solved: NDArray[np.bool_], broken: list[int]) -> str:
    if broken:
        frame = broken[0] + tracks.first_frame
        return f"no point leads across to frame {frame}: track one that is visible on both sides of the hole"
    return describe(solved.astype(np.uint8), MotionKind.STEADY, tracks.first_frame)
