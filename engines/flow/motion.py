"""Dense optical flow between two frames, computed once and used by every object."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Image

Field = NDArray[np.float32]

FLOW_SIDE = 480
"""Long side, in pixels, of the frames that the flow is computed on."""
MIN_SIDE = 32
"""Shorter sides are enlarged to this: the flow's coarsest level needs a few patches."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Where the pixels of a frame were in the neighbouring one.

    `offset` is float32 [h, w, 2] in full-size pixels (x, y): content at p now was at p + offset(p) there. `error` is
    float32 [h, w], the forward-backward disagreement in full-size pixels. Both on a reduced grid of the whole frame.
    """

    offset: Field
    error: Field

    @classmethod
    def none(cls, like: Motion) -> Motion:
        """Return no motion at all, on the same grid."""
        return cls(np.zeros_like(like.offset), np.zeros_like(like.error))


class MotionEstimator:
    """DIS optical flow (Kroeger et al., ECCV 2016) both ways between two frames at reduced size."""

    def __init__(self, side: int = FLOW_SIDE) -> None:
        """Take the long side of the frames that the flow is computed on."""
        self._side = side
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._small: dict[int, NDArray[np.uint8]] = {}
        self._pair: tuple[int, int] = (-1, -1)
        self._motion: Motion | None = None

    def between(self, there: int, image_there: Image, here: int, image_here: Image) -> Motion:
        """Return the motion from frame `here` to frame `there`; the latest pair is remembered."""
        if self._motion is None or self._pair != (there, here):
            small = {there: self._reduce(there, image_there), here: self._reduce(here, image_here)}
            self._small = small
            size = image_here.shape[1], image_here.shape[0]
            self._motion = self._estimate(small[there], small[here], size)
            self._pair = (there, here)
        return self._motion

    def _reduce(self, index: int, image: Image) -> NDArray[np.uint8]:
        if index in self._small:
            return self._small[index]
        height, width = image.shape[:2]
        scale = min(1.0, self._side / max(width, height))
        size = max(MIN_SIDE, round(width * scale)), max(MIN_SIDE, round(height * scale))
        return cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)

    def _estimate(self, there: NDArray[np.uint8], here: NDArray[np.uint8], full: tuple[int, int]) -> Motion:
        back = self._dis.calc(here, there, None)
        forth = self._dis.calc(there, here, None)
        height, width = here.shape
        grid_x, grid_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        landed = cv2.remap(
            forth, grid_x + back[..., 0], grid_y + back[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        scale = np.array([full[0] / width, full[1] / height], np.float32)
        error = np.linalg.norm((back + landed) * scale, axis=2).astype(np.float32)
        return Motion(back * scale, error)
