"""How a picture moves from one frame to the next, around any position: from a grid of features of its own.

Points lean on this field and not on each other, so that a point's track does not depend on which others were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]

WINDOW, LEVELS = 21, 4
"""Of Lucas and Kanade's tracker, as OpenCV has it: pixels, and levels of the pyramid beyond the first."""
FORTH_AND_BACK = 1.0
"""Pixels that a point may be off when it is followed to the next frame and back."""
FEATURES, SPACING = 260, 12
"""Features of a frame, and their least distance in pixels."""
NEIGHBOURS = 12
ROUGH = 320
"""Long side of the pictures that rough motion is looked for in."""
_LIGHT = 12.0
"""Pixels over which light and contrast are evened out."""
_NEAR = 24.0
"""Pixels within which a feature counts fully."""
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.02)


def evened(grey: Grey) -> Grey:
    """Return a picture of even light and contrast, uint8 [H, W]: Lucas and Kanade take light for motion."""
    values = grey.astype(np.float32)
    mean = cv2.GaussianBlur(values, (0, 0), _LIGHT)
    spread = np.sqrt(np.maximum(cv2.GaussianBlur(values * values, (0, 0), _LIGHT) - mean * mean, 0))
    return np.clip(128 + 45 * (values - mean) / (spread + 10), 0, 255).astype(np.uint8)


def follow(before: Grey, after: Grey, points: Floats, guess: Floats | None = None) -> tuple[Floats, NDArray[np.bool_]]:
    """Return where points of one frame are in the next, and which of them come back where they were.

    Args:
        before: the frame, uint8 [H, W].
        after: the next one.
        points: float32 [N, 2], (x, y).
        guess: where they may be; where they are if not given.

    Returns:
        float32 [N, 2] and bool [N].
    """
    if not len(points):
        return points.copy(), np.zeros(0, bool)
    flags = cv2.OPTFLOW_USE_INITIAL_FLOW if guess is not None else 0
    options = {"winSize": (WINDOW, WINDOW), "maxLevel": LEVELS, "criteria": _CRITERIA}
    start = points if guess is None else guess.copy()
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, start, flags=flags, **options)  # type: ignore[call-overload]
    home, back, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
        after, before, there, points.copy(), flags=cv2.OPTFLOW_USE_INITIAL_FLOW, **options
    )
    good = (found[:, 0] > 0) & (back[:, 0] > 0) & (np.abs(home - points).max(axis=1) < FORTH_AND_BACK)
    return np.asarray(there, np.float32), np.asarray(good & np.isfinite(there).all(axis=1))


@dataclass(frozen=True, eq=False)
class Field:
    """Features of a frame and where they went: float32 [F, 2] each."""

    before: Floats
    after: Floats

    @classmethod
    def between(cls, before: Grey, after: Grey) -> Field:
        """Look at two frames."""
        quality = cv2.goodFeaturesToTrack(before, FEATURES, 0.003, SPACING, blockSize=7)
        points = np.zeros((0, 2), np.float32) if quality is None else quality[:, 0].astype(np.float32)
        there, good = follow(before, after, points, _roughly(before, after, points))
        return cls(points[good], there[good])

    def around(self, points: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return the motion around positions: affine maps of the nearest features, outliers left out.

        Args:
            points: float32 [N, 2].

        Returns:
            linear parts float32 [N, 2, 2], where each position itself goes, float32 [N, 2], and whether there are
            features enough to tell, bool [N]; where not, nothing moves.
        """
        count = len(points)
        linear, target = np.tile(np.eye(2, dtype=np.float32), (count, 1, 1)), points.copy()
        if not count or len(self.before) < 4:
            return linear, target, np.zeros(count, bool)
        distance = np.linalg.norm(points[:, None] - self.before[None], axis=2)
        nearest = np.argsort(distance, axis=1, kind="stable")[:, : min(NEIGHBOURS, len(self.before))]
        far = np.take_along_axis(distance, nearest, 1)
        shift = (self.after - self.before)[nearest]
        weight = _NEAR / (_NEAR + far)
        # Of features on both sides of an edge those count that move as the nearest ones do.
        middle = np.median(shift[:, :5], axis=1)
        off = np.linalg.norm(shift - middle[:, None], axis=2)
        weight = weight * (off < 2 + 0.1 * far)
        return (*_fit(self.before[nearest] - points[:, None], shift, weight, points), weight.sum(axis=1) > 0.5)


def _roughly(before: Grey, after: Grey, points: Floats) -> Floats:
    """Return where points may be, by dense flow of small pictures: fast motion is too far for Lucas and Kanade."""
    factor = ROUGH / max(before.shape)
    small = [
        cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for picture in (before, after)
    ]
    flow = _dis().calc(*small, None)  # type: ignore[call-overload]
    at = (points + 0.5) * factor - 0.5
    found = cv2.remap(flow, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(points + found[:, 0] / factor, np.float32)


@cache
def _dis() -> cv2.DISOpticalFlow:
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)


def _fit(offset: Floats, shift: Floats, weight: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Return the affine maps that fit weighted shifts best, held near a mere translation where features are few."""
    ones = np.ones((*offset.shape[:2], 1), np.float32)
    terms = np.concatenate([ones, offset / _NEAR], axis=2)
    weighted = terms * weight[..., None]
    normal = np.einsum("nki,nkj->nij", weighted, terms) + np.diag([1e-4, 1.0, 1.0])
    right = np.einsum("nki,nkd->nid", weighted, shift)
    solved = np.linalg.solve(normal, right)
    linear = np.eye(2) + np.swapaxes(solved[:, 1:], 1, 2) / _NEAR
    return linear.astype(np.float32), (points + solved[:, 0]).astype(np.float32)
