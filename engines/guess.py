"""A guess at what a clip is about, where the user has said nothing: what moves against the camera, near the centre."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Box, Image

_WORKING_SIDE = 320
_MOVES = 0.75
"""Pixels, at the working size, that something must move against the camera to count."""
_SMALLEST = 0.003
"""Share of the picture below which what moves is not taken for the subject."""


def guess_box(first: Image, later: Image) -> Box:
    """Return a box around the likely subject of `first`.

    Args:
        first: the frame to look at, RGB uint8 [H, W, 3].
        later: a frame some tenths of a second later, of the same size; the same frame when there is no other.
    """
    height, width = first.shape[:2]
    scale = min(1.0, _WORKING_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if min(size) < 16:
        return Box(0, 0, width - 1, height - 1)
    weight = _subject(_own_motion(_grey(first, size), _grey(later, size)))
    x0, x1 = _extent(weight.sum(axis=0))
    y0, y1 = _extent(weight.sum(axis=1))
    across, down = width / size[0], height / size[1]
    right, bottom = min((x1 + 1) * across - 1, width - 1), min((y1 + 1) * down - 1, height - 1)
    return Box(x0 * across, y0 * down, right, bottom)


def _subject(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the moving region that matters most, float32 [h, w]; the middle where nothing stands out."""
    level = max(_MOVES, float(np.quantile(motion, 0.5)) * 3, float(motion.max()) * 0.25)
    moving = cv2.morphologyEx((motion > level).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    bump = _centre((motion.shape[1], motion.shape[0]))
    count, labels = cv2.connectedComponents(moving)
    if count < 2 or moving.mean() < _SMALLEST:
        return bump
    scores = [float((bump * motion)[labels == label].sum()) for label in range(1, count)]
    return (labels == 1 + int(np.argmax(scores))).astype(np.float32)


def _grey(image: Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY))


def _centre(size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a bump over the middle of the picture, float32 [h, w]: subjects are seldom at its edge."""
    x = (np.arange(size[0]) + 0.5) / size[0] - 0.5
    y = (np.arange(size[1]) + 0.5) / size[1] - 0.5
    return np.exp(-0.5 * ((x[None, :] / 0.25) ** 2 + (y[:, None] / 0.3) ** 2)).astype(np.float32)


def _own_motion(first: NDArray[np.uint8], later: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return by how many pixels each place moves otherwise than the camera does, float32 [h, w]."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(first, later, None)
    grid = np.mgrid[4 : first.shape[0] : 8, 4 : first.shape[1] : 8].reshape(2, -1)
    there = grid[::-1].T.astype(np.float32)
    camera, _ = cv2.estimateAffine2D(there, there + flow[grid[0], grid[1]], ransacReprojThreshold=1.0)
    if camera is None:
        return np.zeros(first.shape, np.float32)
    y, x = np.indices(first.shape, np.float32)
    expected = np.stack([x, y, np.ones_like(x)], axis=-1) @ camera.T.astype(np.float32)
    own = np.linalg.norm(flow - (expected - np.stack([x, y], axis=-1)), axis=-1)
    return np.asarray(cv2.GaussianBlur(own.astype(np.float32), (0, 0), 2), np.float32)


def _extent(weights: NDArray[np.float32]) -> tuple[int, int]:
    """Return the first and last index between which most of the weight lies."""
    share = np.cumsum(weights) / weights.sum()
    return int(np.searchsorted(share, 0.01)), int(np.searchsorted(share, 0.99))
