"""Small operations on masks and windows."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Image, Point

Field = NDArray[np.float32]
"""float32 [h, w]: a weight, distance or log-odds per pixel."""
Region = NDArray[np.bool_]
"""bool [h, w]."""
Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the base image, half-open."""


def clip_window(x0: float, y0: float, x1: float, y1: float, width: int, height: int) -> Window:
    """Return the smallest window of whole pixels around the given extent, inside the image."""
    return max(0, math.floor(x0)), max(0, math.floor(y0)), min(width, math.ceil(x1)), min(height, math.ceil(y1))


def empty_mask(base: Image) -> Region:
    """Return a mask of the base image with nothing in it."""
    return np.zeros(base.shape[:2], np.bool_)


def iou(a: Region, b: Region) -> float:
    """Return intersection over union; 1 for two empty masks."""
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 1.0


def touching(region: Region, mark: Region) -> Region:
    """Return the components of `region` that overlap `mark`."""
    _, labels = cv2.connectedComponents(region.astype(np.uint8))
    found = np.unique(labels[mark & region])
    return np.asarray(np.isin(labels, found[found > 0]))


def fill_holes(region: Region, largest: float) -> Region:
    """Fill holes of up to `largest` times the region's area."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~region).astype(np.uint8), connectivity=4)
    height, width = region.shape
    x, y, w, h, area = stats[:count].T
    hole = (x > 0) & (y > 0) & (x + w < width) & (y + h < height) & (area < largest * np.count_nonzero(region))
    hole[0] = False
    return np.asarray(region | hole[labels])


def drop_crumbs(region: Region) -> Region:
    """Drop components below a tenth of the largest one."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0
    keep = area >= 0.1 * area.max() if area.max() else area > 0
    keep[0] = False
    return np.asarray(keep[labels])


def grow(region: Region, radius: float) -> Region:
    """Return the region dilated by a disc (of at least 2 pixels)."""
    size = 2 * max(2, int(radius)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(region.astype(np.uint8), kernel) > 0)


def thumbnail(mask: Region) -> Region:
    """Return a mask 160 pixels wide, good enough to compare with others."""
    size = 160, max(1, 160 * mask.shape[0] // mask.shape[1])
    return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)


def pixel(mask: Region, point: Point) -> tuple[int, int]:
    """Return (row, column) of the pixel under a point."""
    return min(max(round(point.y), 0), mask.shape[0] - 1), min(max(round(point.x), 0), mask.shape[1] - 1)


def mask_window(mask: Region, extent: list[tuple[float, float]], margin: float) -> Window:
    """Return the window around a mask and further positions, with a margin in parts of its longer side."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    xs, ys = [px for px, _ in extent], [py for _, py in extent]
    if w:
        xs, ys = [*xs, x, x + w], [*ys, y, y + h]
    more = margin * max(max(xs) - min(xs), max(ys) - min(ys)) + 8
    height, width = mask.shape
    return clip_window(min(xs) - more, min(ys) - more, max(xs) + more + 1, max(ys) + more + 1, width, height)


def signed_distance(region: Region) -> Field:
    """Return the distance to the region's edge, positive inside; 0 everywhere for a region without an edge."""
    if region.all() or not region.any():
        return np.zeros(region.shape, np.float32)
    inside = region.astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return np.asarray(distance, np.float32)
