"""The picture around each point as it was where the user clicked, and how to find it again, turned and scaled.

Inverse compositional alignment (Baker and Matthews, "Lucas-Kanade 20 Years On", IJCV 2004) of all patches at once, on
patches of zero mean and unit norm, so that light does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

HALF = 10
"""Pixels from the middle of a patch to its edge."""
SIDE = 2 * HALF + 1
_STEPS = 4
_Y, _X = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1].astype(np.float32)
GRID = np.stack([_X.ravel(), _Y.ravel()], axis=1)
"""float32 [P, 2], offsets of a patch's pixels."""
_WEIGHT = np.exp(-(GRID**2).sum(1) / (2 * (0.6 * HALF) ** 2)).astype(np.float32)
"""The middle counts more: a point near an edge belongs to one side of it."""
_FLAT = 6.0
"""Standard deviation in grey levels below which a patch says nothing."""


def sample(grey: NDArray[np.uint8], centres: Floats, linear: Floats) -> Floats:
    """Return the pixels around each centre, float32 [N, P], the patch's grid bent by `linear` [N, 2, 2]."""
    at = np.matmul(linear, GRID.T) + centres[..., None]
    found = cv2.remap(grey, at[:, 0], at[:, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.astype(np.float32).reshape(len(centres), -1)


def normalised(values: Floats) -> Floats:
    """Return patches of weighted mean 0 and weighted norm 1."""
    centred = values - (values * _WEIGHT).sum(1, keepdims=True) / _WEIGHT.sum()
    norm = np.sqrt((centred**2 * _WEIGHT).sum(1, keepdims=True))
    return np.asarray(centred / np.maximum(norm, 1e-3), np.float32)


@dataclass(eq=False)
class Patches:
    """Templates of N points.

    Attributes:
        values: float32 [N, P], normalised.
        steepest: float32 [N, P, 6], how each pixel changes with the parameters of an affine map.
        inverse: float32 [N, 6, 6], of the Gauss-Newton matrix.
        clear: bool [N], whether there is anything to recognise.
    """

    values: Floats
    steepest: Floats
    inverse: Floats
    clear: NDArray[np.bool_]

    @classmethod
    def cut(cls, grey: NDArray[np.uint8], centres: Floats) -> Patches:
        """Cut the templates out of a frame."""
        count = len(centres)
        linear = np.tile(np.eye(2, dtype=np.float32), (count, 1, 1))
        raw = sample(grey, centres, linear)
        spread = np.sqrt(((raw - raw.mean(1, keepdims=True)) ** 2 * _WEIGHT).sum(1) / _WEIGHT.sum())
        values = normalised(raw)
        picture = values.reshape(count, SIDE, SIDE)
        gx = np.gradient(picture, axis=2).reshape(count, -1, 1)
        gy = np.gradient(picture, axis=1).reshape(count, -1, 1)
        x, y = GRID[:, :1] / HALF, GRID[:, 1:] / HALF
        steepest = np.concatenate([gx, gy, gx * x, gx * y, gy * x, gy * y], axis=2)
        matrix = np.matmul(np.swapaxes(steepest * _WEIGHT[:, None], 1, 2), steepest)
        ridge = 0.002 * np.trace(matrix, axis1=1, axis2=2)[:, None, None] / 6 + 1e-6
        # The shape of a patch is told worse than its place: it is held back more.
        held = np.diag([0.2, 0.2, 3, 3, 3, 3]).astype(np.float32)
        inverse = np.linalg.inv(matrix + ridge * held)
        return cls(values, steepest.astype(np.float32), inverse.astype(np.float32), spread > _FLAT)

    def take(self, chosen: NDArray[np.intp]) -> Patches:
        """Return some of the templates."""
        return Patches(self.values[chosen], self.steepest[chosen], self.inverse[chosen], self.clear[chosen])

    def likeness(self, grey: NDArray[np.uint8], centres: Floats, linear: Floats) -> Floats:
        """Return the weighted normalised cross-correlation with what is there now, float32 [N], -1..1."""
        return np.asarray((normalised(sample(grey, centres, linear)) * self.values * _WEIGHT).sum(1), np.float32)

    def align(self, grey: NDArray[np.uint8], centres: Floats, linear: Floats) -> tuple[Floats, Floats, Floats]:
        """Return centres and linear parts that fit better where there are such, and the likeness of each."""
        best = (centres, linear, np.full(len(centres), -1, np.float32))
        now, bent = centres, linear
        for step in range(_STEPS + 1):
            there = normalised(sample(grey, now, bent))
            likeness = (there * self.values * _WEIGHT).sum(1)
            better = likeness > best[2]
            best = (
                np.where(better[:, None], now, best[0]),
                np.where(better[:, None, None], bent, best[1]),
                np.where(better, likeness, best[2]).astype(np.float32),
            )
            if step < _STEPS:
                off = (there - self.values) * _WEIGHT
                slope = np.matmul(off[:, None], self.steepest)[:, 0]
                now, bent = _compose(now, bent, np.matmul(self.inverse, slope[..., None])[..., 0])
        return best


def _compose(centres: Floats, linear: Floats, step: Floats) -> tuple[Floats, Floats]:
    """Undo a step of the template in the map from template to frame; steps that leave reason are cut."""
    shift = np.clip(step[:, :2], -3, 3)
    bend = np.clip(step[:, 2:].reshape(-1, 2, 2) / HALF, -0.15, 0.15)
    back = np.linalg.inv(np.eye(2, dtype=np.float32) + bend)
    moved = linear @ back
    return (centres - (moved @ shift[..., None])[..., 0]).astype(np.float32), moved.astype(np.float32)
