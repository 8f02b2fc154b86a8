"""Brush strokes into masks, the same for every segmenter: what a user paints is there, literally."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Stroke


def paint(mask: NDArray[np.uint8], strokes: Iterable[Stroke]) -> None:
    """Paint (1) and erase (0) strokes in `mask`, uint8 [H, W], in their order."""
    limit = 4.0 * max(mask.shape)
    for stroke in strokes:
        line = [(float(np.clip(x, -limit, limit)), float(np.clip(y, -limit, limit))) for x, y in stroke.points]
        draw_line(mask, line, min(stroke.radius, limit), int(stroke.positive))


def draw_line(image: NDArray[np.uint8], line: list[tuple[float, float]], radius: float, value: int) -> None:
    """Draw a polyline with round ends and the given half-width into `image`, to a sixteenth of a pixel."""
    points = np.round(np.array(line) * 16).astype(np.int32)
    # OpenCV's disc of radius r covers the pixels whose centres are within r; lines are 2r + 1 wide to match it.
    cv2.polylines(image, [points], False, value, max(1, round(2 * radius + 1)), cv2.LINE_8, 4)
    for x, y in points.tolist():
        cv2.circle(image, (x, y), round(radius * 16), value, -1, cv2.LINE_8, 4)
