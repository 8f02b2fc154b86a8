"""Tracks drawn over a frame: a dot where a point is seen, a trail of where it was, a ring where it is only guessed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tracking_export.tracks import Tracks

TRAIL = 24
"""Frames that a trail is long."""
_REFERENCE = 720
"""Height in pixels of the pictures that a dot of radius 4 is meant for."""
_PARTS = 16
"""OpenCV draws to a sixteenth of a pixel."""


def draw_tracks(rgb: NDArray[np.float32], tracks: Tracks, index: int) -> NDArray[np.float32]:
    """Return a copy of a frame with the tracks over it.

    Args:
        rgb: float32 [H, W, 3], 0..1.
        tracks: of frames that have `index` among them.
        index: of the frame in the source.
    """
    row = index - tracks.first_frame
    scale = max(0.5, min(rgb.shape[:2]) / _REFERENCE)
    colours, cover = np.zeros(rgb.shape, np.uint8), np.zeros(rgb.shape[:2], np.uint8)
    for point in range(tracks.count):
        _draw(colours, cover, tracks, point, row, scale)
    share = (cover.astype(np.float32) / 255)[..., None]
    return np.asarray(rgb * (1 - share) + colours.astype(np.float32) / 255 * share, np.float32)


def _draw(
    colours: NDArray[np.uint8], cover: NDArray[np.uint8], tracks: Tracks, point: int, row: int, scale: float
) -> None:
    thickness = max(1, round(2 * scale))
    for before in range(max(0, row - TRAIL), row):
        if tracks.visible[before, point] and tracks.visible[before + 1, point]:
            fade = 1 - (row - before) / (TRAIL + 1)
            first, second = (_fixed(tracks.xy[step, point]) for step in (before, before + 1))
            for image, value in ((colours, tracks.colours[point]), (cover, (round(200 * fade),))):
                cv2.line(image, first, second, value, thickness, cv2.LINE_AA, 4)
    if not np.isfinite(tracks.xy[row, point]).all() or tracks.confidence[row, point] == 0:
        return
    width = -1 if tracks.visible[row, point] else thickness
    level = round(255 * max(0.35, float(tracks.confidence[row, point])))
    for image, value in ((colours, tracks.colours[point]), (cover, (level,))):
        cv2.circle(image, _fixed(tracks.xy[row, point]), round(4 * scale * _PARTS), value, width, cv2.LINE_AA, 4)


def _fixed(xy: NDArray[np.float64]) -> tuple[int, int]:
    """Return a position as OpenCV draws it; one far outside is drawn far outside, whatever OpenCV's integers hold."""
    x, y = np.clip(xy, -30_000, 60_000)
    return round(float(x) * _PARTS), round(float(y) * _PARTS)
