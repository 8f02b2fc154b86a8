"""The picture around each point as it was where the user clicked, and how to find it again, turned and scaled.

Inverse compositional alignment (Baker and Matthews, "Lucas-Kanade 20 Years On", IJCV 2004) of all patches at once, with
gain and offset of the light taken out. A patch is seen through five windows: all of it, and its four halves. Where
something covers one side of a point, the other half still tells where it is, and that it is there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]
Grey = NDArray[np.uint8]

HALF = 10
"""Pixels from the middle of a patch to its edge."""
SIDE = 2 * HALF + 1
CLEAR = 5.0
"""Standard deviation in grey levels from which a patch can be recognised."""
_Y, _X = (part.ravel() for part in np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1].astype(np.float32))
GRID = np.stack([_X, _Y], axis=1)
"""float32 [P, 2], offsets of a patch's pixels."""
_ROUND = np.exp(-(_X**2 + _Y**2) / (2 * (0.6 * HALF) ** 2))
"""The middle counts more: a point near an edge belongs to one side of it."""
_WINDOWS = np.stack([_ROUND, *(_ROUND / (1 + np.exp((side - 0.5) / 0.5)) for side in (_X, -_X, _Y, -_Y))], axis=1)
WINDOWS = np.ascontiguousarray(_WINDOWS / _WINDOWS.sum(axis=0), np.float32)
"""float32 [P, 5], weights of sum 1."""
_HALF_COUNTS = np.array([1, 0.85, 0.85, 0.85, 0.85], np.float32)
"""The best of several is good by chance too."""
_NOISE = 12.0
"""Variance, in grey levels squared, below which differences mean nothing."""
_BASIS = np.stack([np.ones_like(_X), _X / HALF, _Y / HALF], axis=1)
_HELD = np.array([1, 0.3, 0.3, 1, 0.3, 0.3], np.float32)
"""How firmly place and shape are held where the picture says little: in grey levels squared per pixel squared."""
_LIGHT = 45.0
"""Grey levels by which the mean of a patch may differ before that speaks against it."""


def sample(grey: Grey, centres: Floats, linear: Floats) -> Floats:
    """Return the pixels around each centre, float32 [N, P], the patch's grid bent by `linear` [N, 2, 2]."""
    if not len(centres):
        return np.zeros((0, len(GRID)), np.float32)
    x = linear[:, 0] @ GRID.T + centres[:, :1]
    y = linear[:, 1] @ GRID.T + centres[:, 1:]
    return cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


@dataclass(eq=False)
class Look:
    """What patches are like, beside others, through the best window of each.

    Attributes:
        likeness: float32 [N], up to 1; like SSIM without its term of brightness (Wang et al. 2004), so that two flat
            patches are alike and a flat and a rich one are not.
        window: which, [N].
    """

    likeness: Floats
    window: Indices

    @classmethod
    def of(cls, there: Floats, values: Floats) -> Look:
        """Compare patches float32 [N, P] each."""
        mean, own = there @ WINDOWS, values @ WINDOWS
        var = np.maximum((there * there) @ WINDOWS - mean**2, 0)
        own_var = np.maximum((values * values) @ WINDOWS - own**2, 0)
        both = (there * values) @ WINDOWS - mean * own
        gain = np.clip(np.sqrt((own_var + _NOISE) / (var + _NOISE)), 0.6, 1.6)
        alike = (2 * gain * both + _NOISE) / (gain**2 * var + own_var + _NOISE)
        alike = alike * np.exp(-(((mean - own) / _LIGHT) ** 2) / 2) ** 0.5 * _HALF_COUNTS
        window = alike.argmax(axis=1)
        return cls(alike[np.arange(len(window)), window].astype(np.float32), window)


def difference(there: Floats, values: Floats, window: Indices) -> Floats:
    """Return how patches differ from templates, light evened out, weighted by a window each: float32 [N, P]."""
    weight = WINDOWS.T[window]
    mean, own = (there * weight).sum(1, keepdims=True), (values * weight).sum(1, keepdims=True)
    there, values = there - mean, values - own
    gain = np.sqrt(((values**2 * weight).sum(1) + _NOISE) / ((there**2 * weight).sum(1) + _NOISE))
    return (np.clip(gain, 0.6, 1.6)[:, None] * there - values) * weight


@dataclass(eq=False)
class Patches:
    """Templates of N points.

    Attributes:
        values: float32 [N, P], grey levels.
        gx, gy: float32 [N, P], their slope.
        inverse: float32 [N, 5, 6, 6], of the Gauss-Newton matrix through each window.
        clear: bool [N], whether there is anything to recognise.
    """

    values: Floats
    gx: Floats
    gy: Floats
    inverse: Floats
    clear: NDArray[np.bool_]

    @classmethod
    def empty(cls, count: int) -> Patches:
        """Return room for templates."""
        values, gx, gy = np.zeros((3, count, SIDE * SIDE), np.float32)
        return cls(values, gx, gy, np.zeros((count, WINDOWS.shape[1], 6, 6), np.float32), np.zeros(count, bool))

    @classmethod
    def cut(cls, grey: Grey, centres: Floats, linear: Floats) -> Patches:
        """Cut the templates out of a frame, the grid bent by `linear` [N, 2, 2]."""
        count = len(centres)
        values = sample(grey, centres, linear)
        picture = values.reshape(count, SIDE, SIDE)
        gx = np.asarray(np.gradient(picture, axis=2)).reshape(values.shape)
        gy = np.asarray(np.gradient(picture, axis=1)).reshape(values.shape)
        steepest = np.concatenate([gx[..., None] * _BASIS, gy[..., None] * _BASIS], axis=2)
        inverse = np.empty((count, WINDOWS.shape[1], 6, 6), np.float32)
        for place, weight in enumerate(WINDOWS.T):
            matrix = np.matmul(np.swapaxes(steepest * weight[:, None], 1, 2), steepest)
            inverse[:, place] = np.linalg.inv(matrix + np.diag(_HELD))
        spread = np.sqrt(np.maximum((values**2) @ WINDOWS[:, 0] - (values @ WINDOWS[:, 0]) ** 2, 0))
        return cls(values, gx.astype(np.float32), gy.astype(np.float32), inverse, spread > CLEAR)

    def take(self, chosen: Indices) -> Patches:
        """Return some of the templates."""
        return Patches(*(getattr(self, part.name)[chosen] for part in fields(self)))

    def put(self, rows: Indices, others: Patches) -> None:
        """Replace some of the templates."""
        for part in fields(self):
            getattr(self, part.name)[rows] = getattr(others, part.name)

    def look(self, grey: Grey, centres: Floats, linear: Floats) -> tuple[Look, Floats]:
        """Return how alike what is there now is, and the patches themselves."""
        there = sample(grey, centres, linear)
        return Look.of(there, self.values), there

    def align(self, grey: Grey, centres: Floats, linear: Floats, steps: int = 3) -> Aligned:
        """Return centres and linear parts that fit better where there are such, and the likeness of each."""
        look, there = self.look(grey, centres, linear)
        best = Aligned(centres.copy(), linear.copy(), look.likeness.copy(), there)
        rows, now, bent = np.arange(len(centres)), centres, linear
        for _ in range(steps):
            if not len(rows):
                break
            off = difference(there, self.values[rows], look.window)
            slope = np.concatenate([(off * self.gx[rows]) @ _BASIS, (off * self.gy[rows]) @ _BASIS], axis=1)
            # Parameters are ordered as steepest is: three of x, three of y.
            step = np.matmul(self.inverse[rows, look.window], slope[..., None])[..., 0]
            now, bent = _compose(now, bent, step)
            there = sample(grey, now, bent)
            look = Look.of(there, self.values[rows])
            better = look.likeness > best.likeness[rows]
            best.centres[rows[better]], best.linear[rows[better]] = now[better], bent[better]
            best.likeness[rows[better]], best.there[rows[better]] = look.likeness[better], there[better]
            going = np.abs(step).max(axis=1) > 0.02
            rows, now, bent, there = rows[going], now[going], bent[going], there[going]
            look = Look(look.likeness[going], look.window[going])
        return best


@dataclass(eq=False)
class Aligned:
    """Where patches fit: centres [N, 2], linear parts [N, 2, 2], likeness [N], and the pixels there [N, P]."""

    centres: Floats
    linear: Floats
    likeness: Floats
    there: Floats


def _compose(centres: Floats, linear: Floats, step: Floats) -> tuple[Floats, Floats]:
    """Undo a step of the template in the map from template to frame; steps that leave reason are cut."""
    shift = np.clip(step[:, [0, 3]], -3, 3)
    bend = np.clip(step[:, [1, 2, 4, 5]].reshape(-1, 2, 2) / HALF, -0.1, 0.1)
    back = np.linalg.inv(np.eye(2, dtype=np.float32) + bend)
    moved = linear @ back
    return (centres - (moved @ shift[..., None])[..., 0]).astype(np.float32), moved.astype(np.float32)
