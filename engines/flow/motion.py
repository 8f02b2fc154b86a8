"""Dense optical flow between two frames, computed once and used by every object."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Image

Field = NDArray[np.float32]

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
    """DIS optical flow (Kroeger et al., ECCV 2016) both ways between two frames, reduced, in a thread of its own.

    Flow depends on no mask, so the next pair's can be prepared while the masks of the present frame are made.
    """

    def __init__(self, side: int) -> None:
        """Take the long side of the frames that the flow is computed on."""
        self._side = side
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._small: dict[int, NDArray[np.uint8]] = {}
        self._pairs: dict[tuple[int, int], Future[Motion]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="flow")

    def __enter__(self) -> MotionEstimator:
        return self

    def __exit__(self, *error: object) -> None:
        self._worker.shutdown(cancel_futures=True)

    def prepare(self, there: int, image_there: Image, here: int, image_here: Image) -> None:
        """Begin to compute the motion from frame `here` to frame `there`; the latest two pairs are remembered."""
        if (there, here) not in self._pairs:
            self._pairs = dict(list(self._pairs.items())[-1:])
            self._pairs[there, here] = self._worker.submit(self._estimate, there, image_there, here, image_here)

    def between(self, there: int, image_there: Image, here: int, image_here: Image) -> Motion:
        """Return the motion from frame `here` to frame `there`."""
        self.prepare(there, image_there, here, image_here)
        return self._pairs[there, here].result()

    def _reduce(self, index: int, image: Image) -> NDArray[np.uint8]:
        if index in self._small:
            return self._small[index]
        height, width = image.shape[:2]
        scale = min(1.0, self._side / max(width, height))
        size = max(MIN_SIDE, round(width * scale)), max(MIN_SIDE, round(height * scale))
        return cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)

    def _estimate(self, there: int, image_there: Image, here: int, image_here: Image) -> Motion:
        self._small = {there: self._reduce(there, image_there), here: self._reduce(here, image_here)}
        full = image_here.shape[1], image_here.shape[0]
        return estimate_motion(self._dis, self._small[there], self._small[here], full)


def estimate_motion(
    dis: cv2.DISOpticalFlow, there: NDArray[np.uint8], here: NDArray[np.uint8], full: tuple[int, int]
) -> Motion:
    """Return the motion between two reduced grey frames (uint8 [h, w]) in pixels of the full size (width, height)."""
    back, forth = dis.calc(here, there, None), dis.calc(there, here, None)
    height, width = here.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    landed = cv2.remap(forth, x + back[..., 0], y + back[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    scale = np.array([full[0] / width, full[1] / height], np.float32)
    gap = (back + landed) * scale
    return Motion(back * scale, cv2.magnitude(gap[..., 0], gap[..., 1]))
