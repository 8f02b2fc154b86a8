"""The subject: NASA's portrait cut out, its colours carried past the edge, graded for dusk, and set in motion.

Coordinates here are those of the 512x512 photograph; `Pose` carries them into the frame and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demo_clip.shot import HEIGHT, WIDTH, Array, Picture, drift, smoothstep

PHOTO_SCALE = 1.6
DETAIL = 2
"""The photograph is kept at twice its size, so that sampling it does not soften it further."""
PHOTO_LEFT, PHOTO_TOP = 178.0, 26.0
"""Frame pixel of the photograph's corner in the rest pose."""
NECK = (222.0, 178.0)

# Traced by hand around suit, collar ring, hair and helmet, clockwise from the lower left.
OUTLINE = (
    (20, 530), (23, 466), (24, 430), (20, 401), (24, 352), (27, 332), (38, 308), (41, 290), (53, 267), (71, 243),
    (96, 223), (114, 207), (112, 192), (117, 185), (125, 178), (134, 165), (151, 152), (169, 148), (185, 149),
    (185, 140), (182, 131), (172, 123), (158, 100), (153, 71), (160, 54), (178, 42), (192, 33), (203, 22), (218, 16),
    (236, 19), (259, 28), (279, 38), (294, 56), (302, 80), (298, 103), (290, 118), (276, 134), (267, 134), (261, 154),
    (255, 167), (263, 176), (285, 201), (303, 227), (305, 234), (321, 243), (339, 263), (348, 281), (357, 312),
    (363, 341), (379, 346), (410, 343), (439, 352), (468, 377), (486, 406), (495, 439), (504, 470), (511, 530),
)  # fmt: skip
HAIR_LINE = OUTLINE[OUTLINE.index((172, 123)) : OUTLINE.index((276, 134)) + 1]
"""The part of the outline that is hair, from the left ear over the crown to the right one."""
HAIR_FADE = 9.0
"""Photograph pixels over which the body fades out under the procedural strands."""


@dataclass(frozen=True)
class Pose:
    """Where the subject is at one moment: sway of the body, breath, and a turn of the head."""

    x: float
    y: float
    angle: float
    scale: float
    head_angle: float
    head_x: float
    head_turn: float
    breath: float

    @classmethod
    def at(cls, t: float) -> Pose:
        """Return the pose at `t` frames."""
        return cls(
            x=46.0 * drift(t, (133.0, 67.0), 2.6) - 0.15 * t + 14.0,
            y=4.0 * drift(t, (83.0, 37.0), 1.3) + 0.6 * drift(t, (11.0, 7.3), 2.0),
            angle=np.radians(1.8) * drift(t, (141.0, 73.0), 2.2),
            scale=1.0 + 0.022 * drift(t, (210.0,), -0.9),
            head_angle=np.radians(5.5) * drift(t, (88.0, 51.0), 0.9),
            head_x=4.0 * drift(t, (97.0, 43.0), 0.2),
            head_turn=4.5 * drift(t, (110.0, 58.0), 1.7),
            breath=1.6 * drift(t, (74.0,), 0.5),
        )

    @cached_property
    def matrix(self) -> Array:
        """The rigid part, photograph -> frame, as a 2x3 matrix about the waist."""
        waist = np.array([250.0, 470.0])
        scale = PHOTO_SCALE * self.scale
        linear = scale * np.array([[np.cos(self.angle), -np.sin(self.angle)], [np.sin(self.angle), np.cos(self.angle)]])
        target = waist * PHOTO_SCALE + (PHOTO_LEFT + self.x, PHOTO_TOP + self.y)
        return np.hstack([linear, (target - linear @ waist)[:, None]]).astype(np.float32)

    def _bend(self, points: Array) -> Array:
        """Return the non-rigid displacement [..., 2] of photograph points: nod, turn of the face, breath."""
        x, y = points[..., 0], points[..., 1]
        head = smoothstep(y, 214.0, 140.0)
        dx, dy = x - NECK[0], y - NECK[1]
        sin, cos = np.sin(self.head_angle), np.cos(self.head_angle) - 1.0
        # A turned head moves its near parts, the face, further than its silhouette.
        near = np.exp(-(((x - 226.0) / 42.0) ** 2) - ((y - 112.0) / 52.0) ** 2)
        chest = np.exp(-(((x - 200.0) / 170.0) ** 2) - ((y - 300.0) / 110.0) ** 2)
        bend_x = head * (cos * dx - sin * dy + self.head_x) + self.head_turn * near + 0.008 * self.breath * chest * dx
        return np.stack([bend_x, head * (sin * dx + cos * dy) - self.breath * chest], -1).astype(np.float32)

    def forward(self, points: Array) -> Array:
        """Carry photograph points [..., 2] into the frame."""
        moved = points + self._bend(points)
        return np.asarray(moved @ self.matrix[:, :2].T + self.matrix[:, 2], np.float32)

    def backward_map(self, width: int = WIDTH, height: int = HEIGHT) -> Array:
        """Return the photograph point [H, W, 2] that each frame pixel shows."""
        step = 8
        columns, rows = np.meshgrid(np.arange(0, width + step, step), np.arange(0, height + step, step))
        inverse = cv2.invertAffineTransform(self.matrix)
        rigid = np.stack([columns, rows], -1).astype(np.float32) @ inverse[:, :2].T + inverse[:, 2]
        points = np.asarray(rigid, np.float32)
        for _ in range(4):  # the bend is gentle: a fixed point is reached to a hundredth of a pixel
            points = rigid - self._bend(points)
        # The grid is at every 8th pixel, first at 0, so it is sampled, not resized (which shifts by half a cell).
        gx, gy = np.meshgrid(np.arange(width, dtype=np.float32) / step, np.arange(height, dtype=np.float32) / step)
        return np.asarray(cv2.remap(points.astype(np.float32), gx, gy, cv2.INTER_LINEAR), np.float32)


@dataclass(frozen=True, eq=False)
class Cutout:
    """The photograph at DETAIL times its size: colours float32 [H, W, 3] 0..255, valid past the edge, and alpha."""

    colour: Array
    alpha: Array

    def render(self, pose: Pose) -> Array:
        """Return premultiplied RGBA float32 [H, W, 4], 0..255, of the posed subject."""
        # Pixel centres: photograph point p is at DETAIL * p + (DETAIL - 1) / 2 in the enlarged picture.
        grid = pose.backward_map() * DETAIL + (DETAIL - 1) / 2
        # A bottom row that repeats keeps the waist from ever showing a gap.
        x, y = grid[..., 0].copy(), grid[..., 1].copy()
        colour = cv2.remap(self.colour, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.remap(self.alpha, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.dstack([np.clip(colour, 0, 255) * alpha[..., None], 255.0 * alpha]).astype(np.float32)


def cut_out(photo: Picture) -> Cutout:
    """Cut the portrait (RGB uint8 [512, 512, 3]) out of its studio, and grade it for dusk."""
    big = cv2.resize(photo, None, fx=DETAIL, fy=DETAIL, interpolation=cv2.INTER_LANCZOS4)
    alpha = _edge(big)
    colour = _spread(big.astype(np.float32), alpha)
    sharp = colour + 0.5 * (colour - cv2.GaussianBlur(colour, (0, 0), 1.6))
    return Cutout(colour=_grade(sharp, alpha), alpha=alpha)


def _edge(big: NDArray[Any]) -> Array:
    """Return the body's alpha: the traced outline, pulled onto the picture's edges within a narrow band."""
    outline = np.zeros(big.shape[:2], np.uint8)
    cv2.fillPoly(outline, [np.round(np.array(OUTLINE) * DETAIL * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    labels = np.where(outline > 127, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[cv2.erode(outline, disc, borderValue=255) > 127] = cv2.GC_FGD
    labels[cv2.dilate(outline, disc) < 128] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(big, labels, (0, 0, 1, 1), *models, 3, cv2.GC_INIT_WITH_MASK)
    inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    # Smooth the contour, then draw it one pixel further in: the studio's light bled over the edge.
    crisp = smoothstep(cv2.GaussianBlur(inside, (0, 0), 2.5), 0.5, 0.82)
    depth = cv2.distanceTransform((crisp > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / DETAIL
    near_hair = np.zeros_like(inside)
    line = np.array(HAIR_LINE[1:-2]) * DETAIL  # without its ends, so that ears and cheeks stay solid
    cv2.polylines(near_hair, [line], False, 1.0, int(2.6 * HAIR_FADE * DETAIL))
    fade = smoothstep(np.asarray(depth, np.float32), -1.0, HAIR_FADE)
    return np.asarray(crisp * (1.0 - cv2.GaussianBlur(near_hair, (0, 0), 5.0) * (1.0 - fade)), np.float32)


def _spread(colour: Array, alpha: Array) -> Array:
    """Carry the colours of sure pixels outwards over the studio's, from fine to coarse neighbourhoods."""
    sure = cv2.erode((alpha > 0.98).astype(np.float32), np.ones((5, 5)), borderValue=1.0)
    result, known = colour * sure[..., None], sure
    for sigma in (2.0, 5.0, 14.0, 40.0):
        weight = cv2.GaussianBlur(sure, (0, 0), sigma)
        mean = cv2.GaussianBlur(colour * sure[..., None], (0, 0), sigma) / np.maximum(weight, 1e-4)[..., None]
        fill = (1.0 - known) * smoothstep(weight, 0.0, 0.08)
        result, known = result + mean * fill[..., None], known + fill
    return result


def _grade(colour: Array, alpha: Array) -> Array:
    """Turn studio light into dusk: darker, cooler, with the pad's lights as a warm rim."""
    unit = np.clip(colour / 255.0, 0, 1)
    cool = np.array([0.80, 0.84, 0.95], np.float32)
    graded = 0.94 * unit**1.12 * cool
    height = cv2.GaussianBlur(alpha, (0, 0), 12.0)
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) * 12.0
    thin = np.clip(1.0 - (height - 0.5) / 0.5, 0, 1)
    rim = thin * (0.35 + np.clip(-slope_x, 0, 1))
    warm = np.array([1.0, 0.72, 0.42], np.float32)
    shade = 1.0 - 0.25 * np.clip(slope_x * thin, 0, 1)
    lit = graded * shade[..., None] + (0.34 * rim[..., None]) * warm * (0.25 + graded)
    return np.asarray(np.clip(lit, 0, 1) * 255.0, np.float32)
