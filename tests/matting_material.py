"""Small pictures with true alpha: a disc with procedural hair over a textured background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Guide, Mask


@dataclass(frozen=True)
class Scene:
    rgb: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    foreground: NDArray[np.float32]
    mask: NDArray[np.uint8]

    @property
    def moved(self) -> NDArray[np.uint8]:
        """The mask as a tracker leaves it: without its hair, and 4 px to the right."""
        opened = cv2.morphologyEx(self.mask, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
        return np.roll(opened, 4, axis=1)


def hairy_disc(height: int = 360, width: int = 480, seed: int = 1) -> Scene:
    """Return a reddish disc with hair over a bluish background, drawn 4 times as large and averaged."""
    rng = np.random.default_rng(seed)
    big = np.zeros((4 * height, 4 * width), np.uint8)
    centre, radius = np.array([2 * width, 2 * height]), int(1.1 * height)
    cv2.circle(big, (int(centre[0]), int(centre[1])), radius, 255, -1, cv2.LINE_AA)
    for angle in rng.uniform(0, 2 * np.pi, 160):
        bend, length = rng.uniform(-0.3, 0.3), rng.uniform(0.08, 0.2) * height
        steps = np.linspace(0, 1, 8)[:, None]
        turn = angle + bend * steps
        points = centre + (radius - 4 + length * steps) * np.hstack([np.cos(turn), np.sin(turn)])
        cv2.polylines(big, [points.astype(np.int32)], False, 255, 5, cv2.LINE_AA)
    alpha = cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    foreground = _texture(rng, (height, width), (0.75, 0.45, 0.25))
    behind = _texture(rng, (height, width), (0.2, 0.35, 0.6))
    picture = foreground * alpha[..., None] + behind * (1 - alpha[..., None])
    mask = np.where(alpha >= 0.5, 255, 0).astype(np.uint8)
    return Scene(np.round(picture * 255).astype(np.uint8), alpha, foreground, mask)


def _texture(
    rng: np.random.Generator, shape: tuple[int, int], colour: tuple[float, float, float]
) -> NDArray[np.float32]:
    grain = cv2.GaussianBlur(rng.standard_normal((*shape, 3)).astype(np.float32), (0, 0), 4)
    return np.clip(np.array(colour, np.float32) + 0.05 * grain / grain.std(), 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Clip:
    """A clip of scenes as an engine sees it: FrameSource and GuideSource in one pair."""

    scenes: tuple[Scene, ...]

    def __len__(self) -> int:
        return len(self.scenes)

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.scenes[0].mask.shape
        return width, height

    def read(self, index: int) -> NDArray[np.uint8]:
        return self.scenes[index].rgb


@dataclass(frozen=True)
class Guides:
    scenes: tuple[Scene, ...]

    def read(self, index: int) -> Guide:
        scene = self.scenes[index]
        return Guide(scene.mask, 1.0) if index == 0 else Guide(scene.moved, 0.6)

    def objects(self) -> list[int]:
        return [1]

    def keyframes(self, object_id: int) -> list[int]:
        return [0]

    def keyframe(self, object_id: int, index: int) -> Mask:
        return self.scenes[index].mask
