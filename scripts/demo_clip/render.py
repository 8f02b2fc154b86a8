"""One frame of the shot: subject and hair over the background, with motion blur, grain, and the exact alpha."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demo_clip import background, hair, subject
from demo_clip.shot import HEIGHT, SEED, SHUTTER, SUBFRAMES, WIDTH, Array, Picture

SOFTNESS = 0.55
"""Deviation in pixels of the lens's softness on the subject."""
GRAIN = 2.0
"""Deviation of the sensor's noise in 8-bit steps, mid-tones."""


@dataclass(frozen=True, eq=False)
class Shot:
    """Everything that is built once and rendered frame by frame."""

    body: subject.Cutout
    hair: hair.Hair
    background: background.Background

    def frame(self, index: int) -> tuple[Picture, Picture]:
        """Return frame `index`: RGB uint8 [H, W, 3] and its true alpha uint8 [H, W].

        Colours mix in display light, as compositors and matting papers mix them: I = F a + B (1 - a), exactly, before
        grain and rounding.
        """
        layer = np.zeros((HEIGHT, WIDTH, 4), np.float32)
        plate = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        for step in range(SUBFRAMES):
            t = index + SHUTTER * step / SUBFRAMES
            pose = subject.Pose.at(t)
            layer += _over(self.hair.render(t, pose), self.body.render(pose)) / SUBFRAMES
            plate += self.background.render(t) / SUBFRAMES
        layer = cv2.GaussianBlur(layer, (0, 0), SOFTNESS).astype(np.float32)
        alpha = np.round(np.clip(layer[..., 3], 0, 255))
        picture = layer[..., :3] + (1.0 - layer[..., 3:] / 255.0) * plate
        return _expose(picture, index), alpha.astype(np.uint8)


def _over(front: Array, back: Array) -> Array:
    """Return premultiplied RGBA `front` over `back`, 0..255."""
    return front + (1.0 - front[..., 3:] / 255.0) * back


def _expose(picture: Array, index: int) -> Picture:
    """Add vignette and grain, and round to uint8."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j].astype(np.float32)
    shaded = picture * (1.0 - 0.13 * (x**2 + y**2) ** 1.2 / 2.3)[..., None]
    rng = np.random.default_rng([SEED, index])
    noise = rng.standard_normal((HEIGHT, WIDTH, 3), np.float32)
    noise = 0.75 * noise.mean(-1, keepdims=True) * np.sqrt(3.0) + 0.35 * noise
    noise = cv2.GaussianBlur(noise, (0, 0), 0.6) * 2.1
    level = GRAIN * (0.55 + 0.9 * np.sqrt(np.clip(shaded / 255.0, 0, 1)) * (1.0 - np.clip(shaded / 255.0, 0, 1)))
    return np.asarray(np.clip(np.round(shaded + level * noise), 0, 255), np.uint8)


def build(portrait: Picture, pad: Picture) -> Shot:
    """Build the shot from the two photographs (RGB uint8)."""
    body = subject.cut_out(portrait)
    return Shot(body, hair.grow(body, SEED), background.build(pad, SEED + 1))
