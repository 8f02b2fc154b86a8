"""Motion of a plane through a shot: one 3x3 matrix a frame, with how good it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tracking_export.coordinates import Points, picture_corners
from tracking_export.tracks import Tracks, visible_spans


class MotionKind(StrEnum):
    """What a motion can follow, from least to most."""

    STEADY = "steady"
    SIMILARITY = "similarity"
    CORNER_PIN = "corner-pin"


POINTS_NEEDED = {MotionKind.STEADY: 1, MotionKind.SIMILARITY: 2, MotionKind.CORNER_PIN: 4}
"""How many points a frame must share with another one for each kind."""


@dataclass(frozen=True, eq=False)
class Motion:
    """How things move from a reference frame to each frame of a range, in our pixel coordinates.

    Attributes:
        kind: what was asked for.
        matrices: float64 [T, 3, 3]; takes (x, y, 1) on the reference frame to each frame. A frame that could not be
            solved holds its nearest solved neighbour's.
        points: float64 [P, 2] on the reference frame: one pivot, or the four corners TL, TR, BR, BL of a pin.
        reference: index in the source of the reference frame.
        first_frame: index in the source of the first matrix.
        residual: float32 [T], RMS distance in pixels (of their height, where they are not square) between the points
            that were used and where the matrix puts them; NaN where nothing was solved.
        confidence: float32 [T], 0..1: the share of points that agree, their confidence, and half for every step down
            from the kind that was asked for; 0 where nothing was solved.
        used: uint8 [T]: 4 a homography, 2 a similarity, 1 a translation, 0 not solved: the number of points it takes.
        note: one line on frames that got less than what was asked for, and what they need; empty if none did.
        stabilises: whether it takes each frame back (`stabilise`), instead of following it.
        pixel_aspect: a pixel's width divided by its height. Matrices and points are in pixels as they are; rotation
            and scale are those of the picture as it is shown, where alone a thing that turns keeps its shape.
    """

    kind: MotionKind
    matrices: NDArray[np.float64]
    points: Points
    reference: int
    first_frame: int
    residual: NDArray[np.float32]
    confidence: NDArray[np.float32]
    used: NDArray[np.uint8]
    note: str = ""
    stabilises: bool = False
    pixel_aspect: float = 1.0

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Return which frames have a motion of their own: bool [T]."""
        return self.used > 0

    def path(self, points: Points | None = None) -> Points:
        """Return where points of the reference frame (default: the pivot or corners) lie: float64 [T, P, 2]."""
        return apply(self.matrices, self.points if points is None else points)

    def parameters(self) -> tuple[Points, NDArray[np.float64], NDArray[np.float64]]:
        """Return position [T, 2] of the first point, rotation [T] and scale [T].

        Rotation is in degrees, clockwise as seen (y is down), without jumps of whole turns. Exact for translations
        and similarities; of a homography it is the affine part at the pivot.
        """
        linear = jacobian(as_shown(self.matrices, self.pixel_aspect), self.points[0] * (self.pixel_aspect, 1))
        # The nearest similarity of a 2x2 matrix: the mean of its diagonal and of its antisymmetric part.
        real = (linear[:, 0, 0] + linear[:, 1, 1]) / 2
        imaginary = (linear[:, 1, 0] - linear[:, 0, 1]) / 2
        angle = np.degrees(np.unwrap(np.arctan2(imaginary, real)))
        return self.path()[:, 0], angle, np.hypot(real, imaginary)


def as_shown(matrices: NDArray[np.float64], pixel_aspect: float) -> NDArray[np.float64]:
    """Return matrices [..., 3, 3] of such pixels as they are of square ones; with 1 / pixel_aspect, the way back."""
    wide = np.array([pixel_aspect, 1.0, 1.0])
    result: NDArray[np.float64] = wide[:, None] * matrices / wide
    return result


def apply(matrices: NDArray[np.float64], points: Points) -> Points:
    """Move points [P, 2] by matrices [T, 3, 3]: float64 [T, P, 2]."""
    moved = np.einsum("tij,pj->tpi", matrices, np.column_stack([points, np.ones(len(points))]))
    result: Points = moved[..., :2] / moved[..., 2:]
    return result


def jacobian(matrices: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the linear part at a point: float64 [T, 2, 2]."""
    moved = matrices @ np.array([point[0], point[1], 1.0])
    numerator = matrices[:, :2, :2] * moved[:, None, 2:] - moved[:, :2, None] * matrices[:, 2:, :2]
    result: NDArray[np.float64] = numerator / (moved[:, 2] ** 2)[:, None, None]
    return result


def corner_pin_of(motion: Motion, corners: Points) -> Motion:
    """Return the same motion with other corners, float64 [4, 2] TL, TR, BR, BL on the reference frame."""
    return replace(motion, kind=MotionKind.CORNER_PIN, points=np.asarray(corners, np.float64))


def moved_picture(motion: Motion, width: int, height: int) -> Points:
    """Return where the whole reference picture's corners go: float64 [T, 4, 2], TL, TR, BR, BL."""
    return motion.path(picture_corners(width, height))


_NAMES = {1: ("Steady",), 4: ("Top left", "Top right", "Bottom right", "Bottom left")}


def as_tracks(motion: Motion, like: Tracks) -> Tracks:
    """Return the pivot or the four corners as tracks, for formats that carry points and nothing else.

    Frames that were not solved are not visible; confidence is the motion's.
    """
    path = motion.path()
    count = path.shape[1]
    return replace(
        like,
        names=_NAMES[count],
        colours=(),
        groups=(motion.kind.value,) * count,
        first_frame=motion.first_frame,
        xy=path,
        visible=np.repeat(motion.solved[:, None], count, axis=1),
        confidence=np.repeat(motion.confidence[:, None], count, axis=1),
    )


def describe(used: NDArray[np.uint8], kind: MotionKind, first_frame: int) -> str:
    """Return one line on the frames that got less than `kind`, or nothing."""
    needed = POINTS_NEEDED[kind]
    short = visible_spans(used < needed)
    if not short:
        return ""
    first, last = short[0].start + first_frame, short[0].stop - 1 + first_frame
    where = f"frames {first} to {last}" if last > first else f"frame {first}"
    more = f" and {len(short) - 1} more ranges" if len(short) > 1 else ""
    shape = ", not in a line," if needed > 2 else ""
    title = {MotionKind.STEADY: "steady track", MotionKind.CORNER_PIN: "corner pin"}.get(kind, kind.value)
    points = "one point or more" if needed == 1 else f"{needed} points or more"
    return f"{where}{more}: a {title} needs {points}{shape} that a neighbouring frame shares"
