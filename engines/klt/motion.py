"""Where positions go from one frame to the next: Lucas and Kanade's tracker, started from rough dense flow."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]

WINDOW, LEVELS = 21, 2
"""Of Lucas and Kanade's tracker, as OpenCV has it: pixels, and levels of the pyramid beyond the first."""
FORTH_AND_BACK = 1.0
"""Pixels that a point may be off when it is followed to the next frame and back."""
ROUGH = 512
"""Long side of the pictures that rough motion is looked for in: fast motion is too far for Lucas and Kanade."""
_LIGHT = 12.0
"""Pixels over which light is evened out."""
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 0.03)


def evened(grey: Grey) -> Grey:
    """Return a picture of even light, uint8 [H, W]: Lucas and Kanade take light for motion."""
    size = grey.shape[1], grey.shape[0]
    small = cv2.resize(grey, (max(1, size[0] // 4), max(1, size[1] // 4)), interpolation=cv2.INTER_AREA)
    ground = cv2.resize(cv2.GaussianBlur(small, (0, 0), _LIGHT / 4), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(grey, 1.0, ground, -1.0, 128.0), np.uint8)


class Motion:
    """The way from one frame to the next.

    Args:
        before: uint8 [H, W], evened.
        after: the next one.
    """

    def __init__(self, before: Grey, after: Grey) -> None:
        self._before, self._after = before, after
        self._factor = min(1.0, ROUGH / max(before.shape))
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        # One scale finer than the preset for small things; no smoothing, which takes as long and blurs their edges.
        dis.setFinestScale(1)
        dis.setVariationalRefinementIterations(0)
        self._flow = dis.calc(_shrunk(before, self._factor), _shrunk(after, self._factor), None)

    def roughly(self, points: Floats) -> Floats:
        """Return where points float32 [N, 2] go by rough dense flow."""
        if not len(points):
            return points.copy()
        at = (points + 0.5) * self._factor - 0.5
        found = cv2.remap(self._flow, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(points + found[:, 0] / self._factor, np.float32)

    def follow(self, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Return where points float32 [N, 2] go, and which of them come back where they were."""
        if not len(points):
            return points.copy(), np.zeros(0, bool)
        rough = self.roughly(points)
        options = {
            "winSize": (WINDOW, WINDOW), "maxLevel": LEVELS, "criteria": _CRITERIA,
            "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
        }  # fmt: skip
        there, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
            self._before, self._after, points, rough.copy(), **options
        )
        home, back, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
            self._after, self._before, there, points + (there - rough), **options
        )
        good = (found[:, 0] > 0) & (back[:, 0] > 0) & (np.abs(home - points).max(axis=1) < FORTH_AND_BACK)
        good &= np.isfinite(there).all(axis=1)
        return np.where(good[:, None], there, rough).astype(np.float32), good


def _shrunk(picture: Grey, factor: float) -> Grey:
    if factor <= 0.5:
        # Halving is quick, and leaves less to average.
        picture, factor = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), 2 * factor
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.uint8)
