"""A window onto the full frame at working size: everything about one object on one frame happens inside it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Image, Mask
from engines.flow.motion import Field, Motion

BoundingBox = tuple[int, int, int, int]
"""(x0, y0, x1, y1), half-open."""
MIN_WORK = 16
"""Shortest side of the working image in pixels; smaller windows are enlarged."""


@dataclass(frozen=True)
class View:
    """Columns x0 <= x < x1 and rows y0 <= y < y1 of the full frame, worked on at width x height."""

    x0: int
    y0: int
    x1: int
    y1: int
    width: int
    height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Return working pixels per full-size pixel, (x, y)."""
        return self.width / (self.x1 - self.x0), self.height / (self.y1 - self.y0)

    def image(self, full: Image) -> Image:
        """Return the window's part of a full-size image or mask at working size."""
        part = full[self.y0 : self.y1, self.x0 : self.x1]
        grows = self.width > self.x1 - self.x0
        return cv2.resize(part, (self.width, self.height), interpolation=cv2.INTER_LINEAR if grows else cv2.INTER_AREA)

    def sample(self, field: Field, full: tuple[int, int]) -> Field:
        """Return a field on a reduced grid of the whole frame (of full size (width, height)) at working resolution."""
        scale_x, scale_y = self.scale
        ratio_x, ratio_y = field.shape[1] / full[0], field.shape[0] / full[1]
        matrix = np.array(
            [
                [ratio_x / scale_x, 0, (self.x0 + 0.5 / scale_x) * ratio_x - 0.5],
                [0, ratio_y / scale_y, (self.y0 + 0.5 / scale_y) * ratio_y - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(field, matrix, (self.width, self.height), flags=flags, borderMode=cv2.BORDER_REPLICATE)

    def warp(self, mask: Mask, motion: Motion) -> NDArray[np.float32]:
        """Return the mask of the neighbouring frame moved into this window: float32 [height, width], 0..1."""
        full = mask.shape[1], mask.shape[0]
        scale_x, scale_y = self.scale
        size = max(1, round(full[0] * min(1.0, scale_x))), max(1, round(full[1] * min(1.0, scale_y)))
        reduced = cv2.resize(mask, size, interpolation=cv2.INTER_AREA) if size != full else mask
        offset = self.sample(motion.offset, full)
        x = np.arange(self.width, dtype=np.float32)[None, :] / scale_x + (self.x0 + 0.5 / scale_x)
        y = np.arange(self.height, dtype=np.float32)[:, None] / scale_y + (self.y0 + 0.5 / scale_y)
        map_x = (x + offset[..., 0]) * (size[0] / full[0]) - 0.5
        map_y = (y + offset[..., 1]) * (size[1] / full[1]) - 0.5
        moved = cv2.remap(reduced, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return moved.astype(np.float32) / 255

    def paste(self, work: NDArray[np.float32], full: tuple[int, int]) -> Mask:
        """Return a full-size uint8 mask with the window filled from float32 [height, width], 0..1, the rest empty."""
        out = np.zeros((full[1], full[0]), np.uint8)
        size = self.x1 - self.x0, self.y1 - self.y0
        part = cv2.resize(work, size, interpolation=cv2.INTER_LINEAR if size[0] >= self.width else cv2.INTER_AREA)
        out[self.y0 : self.y1, self.x0 : self.x1] = np.clip(part * 255 + 0.5, 0, 255).astype(np.uint8)
        return out


def view_around(box: BoundingBox, full: tuple[int, int], margin: float, side: int) -> View:
    """Return the view of a box (x0, y0, x1, y1) widened by `margin` of its longer side, at most `side` pixels long."""
    pad = max(8, round(margin * max(box[2] - box[0], box[3] - box[1])))
    x0, y0 = max(0, box[0] - pad), max(0, box[1] - pad)
    x1, y1 = min(full[0], box[2] + pad), min(full[1], box[3] + pad)
    scale = min(1.0, side / max(x1 - x0, y1 - y0))
    return View(x0, y0, x1, y1, max(MIN_WORK, round((x1 - x0) * scale)), max(MIN_WORK, round((y1 - y0) * scale)))


def bounding_box(mask: NDArray[np.bool_]) -> BoundingBox | None:
    """Return (x0, y0, x1, y1), half-open, around the true pixels, or None where there are none."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
