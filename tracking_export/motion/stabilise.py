"""Stabilising: the motion taken back, wholly (locked to the reference frame) or down to a smooth path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tracking_export.coordinates import picture_corners
from tracking_export.motion.estimate import translation
from tracking_export.motion.homography import from_four
from tracking_export.motion.result import Motion, MotionKind, as_shown
from tracking_export.motion.smoothing import check_frames, local_linear

Array = NDArray[np.float64]


def stabilise(motion: Motion, width: int, height: int, smoothing: float = 0.0) -> Motion:
    """Return the motion that holds each frame still.

    Args:
        motion: a match-move, as solved.
        width: of the picture, pixels.
        height: of the picture, pixels.
        smoothing: 0 locks every frame to the reference frame; otherwise the movement stays, smoothed by a Gaussian of
            this many frames, and only what differs from it is taken out.

    Returns:
        A motion from each frame to its stabilised place. A corner pin's points become the picture's own corners, so
        that it pins the footage itself. Residual, confidence and note stay those of the solve.

    Raises:
        ParameterError: negative smoothing.
    """
    check_frames(smoothing)
    wanted = _smooth_path(motion, smoothing) if smoothing else np.eye(3)[None]
    matrices = wanted @ np.linalg.inv(motion.matrices)
    matrices = matrices / matrices[:, 2:, 2:]
    points = picture_corners(width, height) if motion.kind is MotionKind.CORNER_PIN else motion.points
    return replace(motion, matrices=matrices, points=points, stabilises=not motion.stabilises)


def _smooth_path(motion: Motion, frames: float) -> Array:
    weights = motion.solved.astype(np.float64)
    if motion.kind is MotionKind.CORNER_PIN:
        path = motion.path()
        smoothed = local_linear(path.reshape(len(path), 8), weights, frames).reshape(path.shape)
        return np.stack([from_four(motion.points, corners, np.arange(4)[None])[0] for corners in smoothed])
    position, angle, scale = motion.parameters()
    values = local_linear(np.column_stack([position, np.radians(angle), np.log(scale)]), weights, frames)
    turn = np.exp(values[:, 3] + 1j * values[:, 2])
    around = np.tile(np.eye(3), (len(turn), 1, 1))
    around[:, 0, 0] = around[:, 1, 1] = turn.real
    around[:, 1, 0], around[:, 0, 1] = turn.imag, -turn.imag
    around = as_shown(around, 1 / motion.pixel_aspect)
    result: Array = translation(values[:, :2]) @ around @ translation(-motion.points[:1])
    return result
