"""Procedural hair: strands that grow from the portrait's hair, bend with the wind and are thinner than a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demo_clip.shot import HEIGHT, WIDTH, Array, drift
from demo_clip.subject import DETAIL, HAIR_LINE, Cutout, Pose

SUPERSAMPLE = 2
"""Strands are drawn as lines one pixel wide at this many times the frame's size: about half a pixel of hair."""
JOINTS = 9
PARTING = 0.36
"""Where on that line the hair parts and falls to either side."""
SHIFT = 4
"""Fractional bits of the points that OpenCV draws."""
TAPER = ((0, 6, 1.0), (5, 8, 0.7), (7, JOINTS, 0.42))
"""Joints (from, to) and the opacity of that piece of a strand: hair thins towards its tip."""


@dataclass(frozen=True)
class Lock:
    """A kind of lock: how many, of how many strands, how long (photograph pixels), how far off the head's line."""

    count: int
    strands: int
    length: tuple[float, float]
    lift: tuple[float, float]
    depth: float
    spread: float
    flex: float


LOCKS = (
    Lock(count=430, strands=9, length=(8, 20), lift=(-0.12, 0.40), depth=17.0, spread=3.0, flex=0.30),
    Lock(count=100, strands=12, length=(18, 36), lift=(-0.05, 0.55), depth=11.0, spread=3.6, flex=0.75),
    Lock(count=36, strands=8, length=(30, 52), lift=(0.05, 0.65), depth=9.0, spread=2.4, flex=1.05),
    Lock(count=90, strands=1, length=(22, 58), lift=(0.10, 1.00), depth=5.0, spread=0.0, flex=1.15),
)


@dataclass(frozen=True, eq=False)
class Hair:
    """Every strand at rest: N roots [N, 2], joint angles [N, JOINTS], lengths, flexibility, colours 0..255 [N, 3]."""

    roots: Array
    angles: Array
    lengths: Array
    flex: Array
    colours: Array
    opacity: Array

    def joints(self, t: float) -> Array:
        """Return the joints [N, JOINTS + 1, 2] in the photograph's coordinates, bent by the wind at `t` frames."""
        along = np.linspace(0.15, 1.0, JOINTS, dtype=np.float32)[None]
        wind = _wind(t, self.roots)[:, None] * self.flex[:, None] * along
        # The wind blows from the left and a little upwards, and turns a strand by how far it stands across it.
        torque = -np.sin(self.angles) - 0.25 * np.cos(self.angles)
        angles = self.angles + wind * torque
        steps = (self.lengths / JOINTS)[:, None, None] * np.stack([np.cos(angles), np.sin(angles)], -1)
        return np.concatenate([self.roots[:, None], self.roots[:, None] + np.cumsum(steps, 1)], 1).astype(np.float32)

    def render(self, t: float, pose: Pose) -> Array:
        """Return premultiplied RGBA float32 [H, W, 4], 0..255, of the hair at `t` frames."""
        points = pose.forward(self.joints(t))
        fixed = np.round((points * SUPERSAMPLE + (SUPERSAMPLE - 1) / 2) * (1 << SHIFT)).astype(np.int32)
        canvas = np.zeros((HEIGHT * SUPERSAMPLE, WIDTH * SUPERSAMPLE, 4), np.uint8)
        inks = np.column_stack([self.colours, np.full(len(fixed), 255.0)]) * self.opacity[:, None]
        for start, stop, thin in TAPER:
            for piece, ink in zip(fixed[:, start : stop + 1], (inks * thin).tolist(), strict=True):
                # Drawn with premultiplied colours, OpenCV's anti-aliasing is the 'over' operator.
                cv2.polylines(canvas, [piece], False, ink, 1, cv2.LINE_AA, SHIFT)
        return cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)


def _wind(t: float, roots: Array) -> Array:
    """Return the wind's strength [N] at `t` frames: gusts that travel across the head, and flutter."""
    travel = 0.11 * roots[:, 0] + 0.05 * roots[:, 1]
    gust = 0.55 + 0.45 * drift(t, (71.0, 43.0, 29.0), 1.1)
    flutter = 0.30 * np.sin(2 * np.pi * t / 13.0 - travel) + 0.16 * np.sin(2 * np.pi * t / 7.1 - 1.9 * travel + 1.0)
    return np.asarray(gust * (1.0 + flutter), np.float32)


def grow(cutout: Cutout, seed: int) -> Hair:
    """Grow the strands along the hair's outline; the same seed grows the same hair."""
    rng = np.random.default_rng(seed)
    parts = [_grow_lock(lock, cutout, rng) for lock in LOCKS]
    return Hair(*(np.concatenate(field) for field in zip(*parts, strict=True)))


def _grow_lock(lock: Lock, cutout: Cutout, rng: np.random.Generator) -> tuple[Array, ...]:
    """Return roots, angles, lengths, flexibility, colours and opacity of one kind of lock.

    The strands of a lock share its direction, length and curl with small differences, so that the edge has tufts and
    gaps instead of a brush's even rim.
    """
    n, each = lock.count * lock.strands, lock.strands
    along = np.repeat(rng.uniform(0.0, 1.0, lock.count), each) + rng.normal(0.0, lock.spread / 420.0, n)
    along = np.clip(along, 0.0, 1.0)
    edge, outward = _outline_at(along)
    depth = np.repeat(rng.uniform(0.1, 1.0, lock.count), each) + rng.normal(0.0, 0.08, n)
    roots = (edge - (lock.depth * depth * _fullness(along))[:, None] * outward).astype(np.float32)
    side = np.where(along < PARTING, -1.0, 1.0)
    lift = np.repeat(rng.uniform(*lock.lift, lock.count), each) + rng.normal(0.0, 0.07, n)
    start = np.arctan2(outward[:, 1], outward[:, 0]) + side * (np.pi / 2 - lift)
    curl = side * (np.repeat(rng.normal(0.2, 0.75, lock.count), each) + rng.normal(0.0, 0.16, n))
    strand = np.linspace(0.0, 1.0, JOINTS)[None]
    phase = np.repeat(rng.uniform(0.0, 2 * np.pi, lock.count), each) + rng.normal(0.0, 0.4, n)
    wave = 0.20 * np.sin(strand * rng.uniform(2.5, 6.0, n)[:, None] + phase[:, None]) * strand
    angles = start[:, None] + curl[:, None] * strand**1.2 + wave
    lengths = np.repeat(rng.uniform(*lock.length, lock.count), each) * rng.uniform(0.75, 1.1, n) * _fullness(along)
    flex = lock.flex * np.repeat(rng.uniform(0.7, 1.2, lock.count), each)
    fields = (roots, angles, lengths, flex, _colours(cutout, roots, rng), rng.uniform(0.6, 1.0, n))
    return tuple(np.asarray(field, np.float32) for field in fields)


def _outline_at(along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points [N, 2] and outward normals [N, 2] at fractions `along` of the hair's outline."""
    line = np.array(HAIR_LINE, np.float64)
    fine = np.linspace(0, 1, 400)
    arc = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    curve = np.stack([np.interp(fine, arc / arc[-1], line[:, axis]) for axis in (0, 1)], -1)
    padded = np.pad(curve, ((12, 12), (0, 0)), mode="edge")
    curve = np.stack([np.convolve(padded[:, axis], np.full(25, 1 / 25), "valid") for axis in (0, 1)], -1)
    tangent = np.gradient(curve, axis=0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], -1) / np.hypot(*tangent.T)[:, None]
    pick = [np.interp(along, fine, values[:, axis]) for values in (curve, normal) for axis in (0, 1)]
    return np.stack(pick[:2], -1), np.stack(pick[2:], -1)


def _fullness(along: np.ndarray) -> np.ndarray:
    """Return a third at the ears .. 1 over the crown: hair keeps short, and off the face, where it ends."""
    return np.asarray(0.33 + 0.67 * np.clip(np.minimum(along, 1.0 - along) / 0.14, 0.0, 1.0))


def _colours(cutout: Cutout, roots: Array, rng: np.random.Generator) -> np.ndarray:
    """Return each strand's colour: the portrait's at its root, varied, some of them catching the pad's lights."""
    at = roots * DETAIL + (DETAIL - 1) / 2
    base = cv2.remap(cutout.colour, at[:, None, 0].copy(), at[:, None, 1].copy(), cv2.INTER_LINEAR)[:, 0]
    varied = base * rng.uniform(0.75, 1.35, (len(roots), 1)) * rng.normal(1.0, 0.03, (len(roots), 3))
    glint = np.array([74.0, 50.0, 24.0]) * rng.beta(1.2, 4.0, (len(roots), 1))
    return np.clip(varied + glint, 0, 255)
