"""Similarities and homographies from one reference frame to all others, through neighbours where points are gone.

A frame is solved against the reference itself as long as it shares enough points with it, so that errors do not add
up; then against the last frame that could be, and so on. Frames beyond a hole are tried from its other side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from errors import ParameterError
from tracking_export.coordinates import Points
from tracking_export.motion.estimate import Fit, estimate
from tracking_export.motion.result import POINTS_NEEDED, Motion, MotionKind, as_shown, describe
from tracking_export.tracks import Tracks

DEFAULT_TOLERANCE = 3.0
"""Pixels beyond which a point does not agree with a motion."""
_REACH = 32
"""Solved frames that a frame is tried against before it stays unsolved."""
_TRIES = 4
"""Of those, bases that give less than was asked for: where points are few or in a line, others seldom give more."""
_LEAST_WEIGHT = 0.05


def similarity(
    tracks: Tracks,
    reference: int | None = None,
    pivot: tuple[float, float] | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Motion:
    """Return position, rotation and scale of most points, from the reference frame to every other.

    Args:
        tracks: two points or more; with one, or where two coincide, position only.
        reference: index in the source; by default the frame with the most visible points, the earliest of them.
        pivot: the point on the reference frame that position is told of; by default the visible points' middle.
        tolerance: pixels beyond which a point does not agree.

    Raises:
        ParameterError: a reference outside the tracks or without visible points, or a tolerance that is not above 0.
    """
    row = reference_row(tracks, reference)
    points = middle(tracks, row) if pivot is None else np.array([pivot], np.float64)
    return _Chain(tracks, MotionKind.SIMILARITY, tolerance).solve(row, points)


def corner_pin(
    tracks: Tracks, corners: Points, reference: int | None = None, tolerance: float = DEFAULT_TOLERANCE
) -> Motion:
    """Return the motion of a plane, told by four corners of it that may lie anywhere, outside the picture too.

    Args:
        tracks: four points or more on one plane, no three of four in a line; with two or three, and for points in a
            line, it moves as a similarity, with one as a translation (`Motion.used` and `note` say where).
        corners: float64 [4, 2] on the reference frame: top left, top right, bottom right, bottom left.
        reference: index in the source; by default the frame with the most visible points, the earliest of them.
        tolerance: pixels beyond which a point does not agree.

    Raises:
        ParameterError: corners that are no quadrangle, or as for `similarity`.
    """
    points = np.asarray(corners, np.float64)
    if points.shape != (4, 2) or not np.isfinite(points).all():
        raise ParameterError("a corner pin needs four corners: top left, top right, bottom right, bottom left")
    sides = np.roll(points, -1, axis=0) - points
    turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    if not ((turns > 0).all() or (turns < 0).all()):
        raise ParameterError("the four corners must go round a convex quadrangle: move the one that is inside")
    return _Chain(tracks, MotionKind.CORNER_PIN, tolerance).solve(reference_row(tracks, reference), points)


def reference_row(tracks: Tracks, reference: int | None) -> int:
    """Return the row of the reference frame; raises ParameterError where it is outside or shows no point."""
    counts = tracks.visible.sum(axis=1)
    if reference is None:
        row = int(counts.argmax())
    elif reference in tracks.frames:
        row = reference - tracks.first_frame
    else:
        last = tracks.frames.stop - 1
        raise ParameterError(f"frame {reference} is not within the tracks, {tracks.first_frame} to {last}")
    if counts[row] == 0:
        raise ParameterError(f"no point is visible on frame {row + tracks.first_frame}; choose another reference frame")
    return row


def middle(tracks: Tracks, row: int) -> Points:
    """Return the mean of the visible points of a row, by their confidence: float64 [1, 2]."""
    seen = tracks.visible[row]
    weights = np.maximum(tracks.confidence[row, seen], _LEAST_WEIGHT).astype(np.float64)
    return np.average(tracks.xy[row, seen], axis=0, weights=weights)[None]


def hold_unsolved(values: NDArray[np.float64], solved: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return values [T, ...] with those of unsolved rows replaced by the nearest solved row's, the earlier on a tie."""
    rows = np.flatnonzero(solved)
    at = np.searchsorted(rows, np.arange(len(values)))
    before, after = rows[np.maximum(at - 1, 0)], rows[np.minimum(at, len(rows) - 1)]
    index = np.arange(len(values))
    nearest = np.where(np.abs(after - index) < np.abs(index - before), after, before)
    held: NDArray[np.float64] = values[nearest]
    return held


@dataclass(eq=False)
class _Chain:
    tracks: Tracks
    kind: MotionKind
    tolerance: float
    matrices: NDArray[np.float64] = field(init=False)
    residual: NDArray[np.float32] = field(init=False)
    confidence: NDArray[np.float32] = field(init=False)
    used: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise ParameterError(f"the tolerance must be above 0 pixels, not {self.tolerance}")
        length = self.tracks.length
        self.matrices = np.tile(np.eye(3), (length, 1, 1))
        self.residual = np.full(length, np.nan, np.float32)
        self.confidence = np.zeros(length, np.float32)
        self.used = np.zeros(length, np.uint8)

    def solve(self, reference: int, points: Points) -> Motion:
        """Solve all rows outwards from the reference, then those left over from the other side."""
        tracks = self.tracks
        self.used[reference] = POINTS_NEEDED[self.kind]
        self.residual[reference] = 0
        self.confidence[reference] = tracks.confidence[reference, tracks.visible[reference]].mean()
        everything = range(tracks.length)
        self._sweep(everything[reference + 1 :], reference)
        self._sweep(everything[:reference][::-1], reference)
        while any(self._sweep(rows, None) for rows in (everything[::-1], everything)):
            pass
        return Motion(
            kind=self.kind,
            matrices=hold_unsolved(self.matrices, self.used > 0),
            points=points,
            reference=reference + tracks.first_frame,
            first_frame=tracks.first_frame,
            residual=self.residual,
            confidence=self.confidence,
            used=self.used,
            note=describe(self.used, self.kind, tracks.first_frame),
            pixel_aspect=float(tracks.pixel_aspect),
        )

    def _sweep(self, rows: range, reference: int | None) -> bool:
        """Solve the unsolved of these rows in order; return whether any was."""
        base, found = reference, False
        recent: list[int] = []
        for row in rows:
            if self.used[row] == 0:
                bases = list(dict.fromkeys([*self._anchors(reference, base), *recent[::-1]]))
                chosen = self._solve_row(row, bases)
                found |= chosen is not None
                base = chosen if chosen is not None else base
            if self.used[row]:
                recent = [*recent[1 - _REACH :], row]
        return found

    @staticmethod
    def _anchors(reference: int | None, base: int | None) -> Iterator[int]:
        for row in (reference, base):
            if row is not None:
                yield row

    def _solve_row(self, row: int, bases: list[int]) -> int | None:
        """Solve a row against the first of the bases that is good enough, or the best; return which."""
        needed, visible = POINTS_NEEDED[self.kind], self.tracks.visible
        best: tuple[int, int, Fit] | None = None
        tries = 0
        shared = {base: int(np.count_nonzero(visible[base] & visible[row])) for base in bases}
        enough = min(2 * needed, max(shared.values(), default=0))
        # First those that share plenty of points: a few left over from long ago make a motion jump.
        for base in sorted(bases, key=lambda base: shared[base] < enough):
            fit = self._fit(base, row) if shared[base] else None
            if fit is not None:
                level = min(fit.level, int(self.used[base]))
                if best is None or level > best[0]:
                    best = (level, base, fit)
                tries += 1
                if level == needed or tries == _TRIES:
                    break
        if best is None:
            return None
        self._keep(row, *best)
        return best[1]

    def _fit(self, base: int, row: int) -> Fit | None:
        tracks = self.tracks
        both = tracks.visible[base] & tracks.visible[row]
        trust = np.minimum(tracks.confidence[base, both], tracks.confidence[row, both]).astype(np.float64)
        weights = np.maximum(trust, _LEAST_WEIGHT)
        aspect = float(tracks.pixel_aspect)
        before, after = (tracks.xy[index, both] * (aspect, 1) for index in (base, row))
        fit = estimate(POINTS_NEEDED[self.kind], before, after, weights, self.tolerance)
        return fit and replace(fit, matrix=as_shown(fit.matrix, 1 / aspect))

    def _keep(self, row: int, level: int, base: int, fit: Fit) -> None:
        matrix = fit.matrix @ self.matrices[base]
        self.matrices[row] = matrix / matrix[2, 2]
        self.used[row] = level
        self.residual[row] = fit.rms
        steps = [4, 2, 1].index(level) - [4, 2, 1].index(POINTS_NEEDED[self.kind])
        self.confidence[row] = min(fit.agreement * 0.5**steps, float(self.confidence[base]))
