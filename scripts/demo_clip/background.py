"""The background: SpaceX's launch pad at dusk, out of focus, panning, with clouds, steam and a blinking beacon."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demo_clip.shot import BLINK_FRAMES, FRAMES, HEIGHT, WIDTH, Array, Picture, blinks, drift, smoothstep

PLATE_SCALE = 2.5
TOP = 292
"""Row of the enlarged photograph at the frame's top: both the masts' tips and the lamps are in the picture."""
DEFOCUS = 4.5
"""Radius of the lens's blur disc in pixels."""
TILE = 1024
BEACONS = ((200.5, 123.0), (446.5, 123.0))
"""The masts' tips in the photograph."""


def _disc(radius: float) -> Array:
    """Return a normalised disc kernel with a soft rim, slightly brighter there, as a real lens blurs."""
    size = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-size : size + 1, -size : size + 1]
    distance = np.hypot(x, y)
    disc = np.clip(radius + 0.5 - distance, 0, 1) * (0.85 + 0.15 * (distance / radius) ** 2)
    return np.asarray(disc / disc.sum(), np.float32)


def _noise_tile(rng: np.random.Generator, slope: float) -> Array:
    """Return cloud-like noise [TILE, TILE] that tiles, zero mean and unit deviation, spectrum 1 / f**slope."""
    fy, fx = np.meshgrid(np.fft.fftfreq(TILE), np.fft.rfftfreq(TILE), indexing="ij")
    frequency = np.hypot(fx, 1.6 * fy) + 1.5 / TILE  # wider than high, as clouds lie
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE))) / frequency**slope
    noise = np.fft.irfft2(spectrum, (TILE, TILE))
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


@dataclass(frozen=True, eq=False)
class Background:
    """The enlarged, defocused photograph (RGB float32 [H, W, 3], 0..1, linear light) and two tiles of noise."""

    plate: Array
    clouds: Array
    steam: Array

    def render(self, t: float) -> Array:
        """Return RGB float32 [H, W, 3], 0..255, of the background at `t` frames."""
        x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
        pan, tilt = _camera(t)
        # The two big towers at the sides stand nearer, so they pass faster than the masts and the rocket.
        near = smoothstep(x + pan, 350.0, 235.0) + smoothstep(x + pan, 1320.0, 1390.0)
        plate_x, plate_y = x + pan + 0.3 * (pan - 105.0) * near, y + TOP + tilt
        light = cv2.remap(self.plate, plate_x, plate_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        light = light * self._cloud(x + pan, y + tilt, t) + self._beacon(x, y, t)
        light = light + self._steam(x + pan, y + tilt, t)
        return np.asarray(255.0 * np.clip(light, 0, 1) ** (1 / 2.2), np.float32)

    def _cloud(self, x: Array, y: Array, t: float) -> Array:
        """Return what thin clouds let through and catch of the light, [H, W, 3]."""
        cloud = _sample(self.clouds, 0.55 * x + 0.9 * t, 0.9 * y)
        bank = smoothstep(cloud, -0.2, 2.2)[..., None]
        low = smoothstep(y, 60.0, 560.0)[..., None]
        lit = np.array([0.75, 0.45, 0.35], np.float32) + low * np.array([1.1, 0.25, 0.0], np.float32)
        return np.asarray(1.0 + 0.12 * cloud[..., None] + 1.3 * bank * lit, np.float32)

    def _steam(self, x: Array, y: Array, t: float) -> Array:
        """Return the light of the steam that the rocket vents and the wind carries to the right, [H, W, 3]."""
        swirl = 22.0 * _sample(self.clouds, 0.5 * x - 1.1 * t, 0.5 * y + 0.4 * t)
        wisps = _sample(self.steam, x - 5.2 * t + swirl, y + 1.3 * t + swirl)
        fine = _sample(self.steam, 1.9 * x - 8.0 * t, 1.9 * y + 1.9 * t)
        source_x, source_y = 805.0, 720.0
        along = np.clip((x - source_x + 60.0) / 420.0, 0.0, 2.5)
        middle = source_y - 190.0 * along**0.7
        spread = 60.0 + 120.0 * along
        plume = np.exp(-(((y - middle) / spread) ** 2)) * smoothstep(x, source_x - 130.0, source_x + 20.0)
        density = plume * np.exp(-0.5 * along) * smoothstep(wisps + 0.2 * fine, -1.4, 3.2)
        glow = smoothstep(y, 320.0, 720.0)[..., None]
        tint = np.array([0.10, 0.13, 0.19], np.float32) + glow * np.array([0.62, 0.33, 0.10], np.float32)
        return np.asarray(0.75 * density[..., None] * tint, np.float32)

    def _beacon(self, x: Array, y: Array, t: float) -> Array:
        """Return the light of the masts' red beacons, [H, W, 3]."""
        light = np.zeros((HEIGHT, WIDTH), np.float32)
        level = beacon_level(t)
        if level > 0:
            pan, tilt = _camera(t)
            for photo_x, photo_y in BEACONS:
                distance = np.hypot(x - (PLATE_SCALE * photo_x - pan), y - (PLATE_SCALE * photo_y - TOP - tilt))
                light += level * (1.6 * smoothstep(distance, 9.5, 5.5) + 0.45 * np.exp(-distance / 20.0))
        return light[..., None] * np.array([1.0, 0.16, 0.10], np.float32)


def beacon_level(t: float) -> float:
    """Return how bright the beacons are at `t` frames, 0 .. 1: on at once with a blink's frame, then fading."""
    for first in blinks(FRAMES):
        if first <= t < first + BLINK_FRAMES:
            return 1.0 - 0.75 * (t - first) / BLINK_FRAMES
    return 0.0


def _camera(t: float) -> tuple[float, float]:
    """Return how far the camera has panned and tilted at `t` frames: a slow truck to the left, by hand."""
    pan = 222.0 - 2.1 * t + 7.0 * drift(t, (57.0, 31.0), 0.7) + 0.7 * drift(t, (9.0, 6.1), 0.2)
    return pan, 2.2 * drift(t, (67.0, 41.0), 2.9) + 0.5 * drift(t, (8.3, 5.7), 1.2)


def _sample(tile: Array, x: Array, y: Array) -> Array:
    """Return the tile's values at any x and y; it repeats."""
    return np.asarray(cv2.remap(tile, np.mod(x, TILE), np.mod(y, TILE), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def build(photo: Picture, seed: int) -> Background:
    """Enlarge and defocus the launch pad (RGB uint8 [427, 640, 3]), in linear light so that lamps turn to discs."""
    big = cv2.resize(photo, None, fx=PLATE_SCALE, fy=PLATE_SCALE, interpolation=cv2.INTER_CUBIC)
    light = (big.astype(np.float32) / 255.0) ** 2.2
    lamps = smoothstep(light.max(-1), 0.75, 1.0)[..., None]
    plate = cv2.filter2D(light * (1.0 + 3.0 * lamps), -1, _disc(DEFOCUS), borderType=cv2.BORDER_REFLECT)
    rng = np.random.default_rng(seed)
    return Background(1.35 * plate, _noise_tile(rng, 1.75), _noise_tile(rng, 1.8))
