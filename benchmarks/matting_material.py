"""What the matting benchmark scores: pictures with true alpha, and masks that are exact, degraded or tracker-like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

VIDEOS = ("dancer1_composite", "furball_composite")
CODEC_NOISE = 9 / 255


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture: rgb uint8 [H, W, 3], true alpha float32 [H, W], the region that is scored bool [H, W]."""

    name: str
    rgb: NDArray[np.uint8]
    alpha: Floats
    scored: NDArray[np.bool_]


def stills(root: Path) -> Iterator[Shot]:
    """Yield the stills of alphamatting.com; scored is the unknown region of their narrow trimap."""
    folder = root / "alphamatting27"
    for path in sorted((folder / "image").glob("*.png")):
        trimap = _read(folder / "trimap1" / path.name, cv2.IMREAD_GRAYSCALE)
        yield Shot(path.stem, _rgb(path), _grey(folder / "alpha" / path.name), np.equal(trimap, 128))


def video(root: Path, name: str) -> Iterator[Shot]:
    """Yield a composite's frames; scored is everything within 20 px of a soft or hard edge of the true alpha."""
    for path in sorted((root / name / "alpha").glob("*.png")):
        alpha = _grey(path)
        alpha[alpha < CODEC_NOISE] = 0
        frame = next((root / name / "frames").glob(path.stem + ".*"))
        edge = (cv2.dilate(alpha, _disc(1)) > 0) & (cv2.erode(alpha, _disc(1)) < 1)
        yield Shot(path.stem, _rgb(frame), alpha, cv2.dilate(edge.astype(np.uint8), _disc(20)) > 0)


def exact(alpha: Floats) -> Mask:
    """Return the mask of what is at least half opaque."""
    return np.where(alpha >= 0.5, np.uint8(255), np.uint8(0))


def degraded(alpha: Floats, seed: int, time: float = 0.0) -> Mask:
    """Return the mask opened by 4 px and moved by a smooth random field of 3 px, which itself moves over time."""
    mask = cv2.morphologyEx(exact(alpha), cv2.MORPH_OPEN, _disc(4)).astype(np.float32)
    # Two fields and the angle between them: the same strength at any time, a new field after about ten frames.
    fields = [_field(mask.shape, seed + k) for k in (0, 1000)]
    dx, dy = math.cos(time / 6) * fields[0] + math.sin(time / 6) * fields[1]
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    moved = cv2.remap(mask, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.where(moved > 127, np.uint8(255), np.uint8(0))


def trackerlike(alpha: Floats, seed: int, time: float = 0.0) -> Mask:
    """Return what trackers do to a mask: by seed a 320-px mask scaled up, a dilated one or a polygon. Held out."""
    mask = exact(alpha)
    height, width = mask.shape
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(2))
    if seed % 3 == 0:
        small = cv2.resize(mask, None, fx=320 / max(mask.shape), fy=320 / max(mask.shape), interpolation=cv2.INTER_AREA)
        return cv2.resize(cv2.medianBlur(exact(small / np.float32(255)), 3), (width, height))
    if seed % 3 == 1:
        # Breathes by a pixel from frame to frame; still pictures alternate between wider and narrower.
        radius = 3 + round(math.sin(time))
        return cv2.erode(opened, _disc(radius)) if seed % 2 else cv2.dilate(opened, _disc(radius))
    contours, _ = cv2.findContours(opened, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    polygons = [cv2.approxPolyDP(c, 4, True) for c in contours if cv2.contourArea(c) > 100]
    return cv2.fillPoly(np.zeros_like(mask), [p for p in polygons if len(p) > 2], 255)


def composite(subject: Shot, background: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Return a composite and the foreground it was made of, float32 [H, W, 3] 0..1.

    The true foreground is the picture where it is opaque, and elsewhere the colour of the nearest opaque pixel (a
    little smoothed), so that it is known wherever the composite is soft.
    """
    rgb = subject.rgb.astype(np.float32) / 255
    opaque = cv2.erode((subject.alpha > 0.99).astype(np.uint8), _disc(1))
    _, labels = cv2.distanceTransformWithLabels(1 - opaque, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colours = np.zeros((int(labels.max()) + 1, 3), np.float32)
    colours[labels[opaque > 0]] = rgb[opaque > 0]
    foreground = np.where(opaque[..., None] > 0, rgb, cv2.blur(colours[labels], (3, 3)))
    height, width = subject.alpha.shape
    behind = cv2.resize(background, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    alpha = subject.alpha[..., None]
    return foreground * alpha + behind * (1 - alpha), foreground


def _field(shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    coarse = (shape[0] // 30 + 3, shape[1] // 30 + 3)
    parts = [
        cv2.resize(rng.standard_normal(coarse).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    ]
    return np.stack([3 * part / part.std() for part in parts])


def _disc(radius: int) -> Mask:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def _rgb(path: Path) -> NDArray[np.uint8]:
    return np.ascontiguousarray(_read(path, cv2.IMREAD_COLOR)[..., ::-1])


def _grey(path: Path) -> Floats:
    return np.divide(_read(path, cv2.IMREAD_GRAYSCALE), 255, dtype=np.float32)


def _read(path: Path, mode: int) -> NDArray[np.uint8]:
    image: NDArray[np.uint8] | None = cv2.imread(str(path), mode)
    if image is None:
        raise OSError(f"cannot read {path}")
    return image
