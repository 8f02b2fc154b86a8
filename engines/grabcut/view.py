"""A window of the image at a working size: colours, histograms, and a graph cut over unaries of our own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Image
from engines.grabcut.regions import Field, Region, Window
from engines.strokes import draw_line

PALETTE = 64
"""Colours (with their surroundings) that a window is told apart by."""
PALETTE_SAMPLES = 2000
PALETTE_SIGMA = 8.0
"""How far colours of the palette share their counts, in (scaled) Lab units."""
LOG_ODDS_LIMIT = 3.0
"""No colour alone says more than this, in nats."""
SCORE_LIMIT, SCORE_STEPS = 6.0, 4.0
"""Unaries are clipped to ± the first and stored in 8 bits with this many steps a nat."""
GMM_DISTANCE = 32
EDGE_CHROMA = 3.0


def soft_disc(distance: Field, radius: float) -> Field:
    """Return 1 inside `radius`, 0 outside, with a smooth step of a fifth of it."""
    return np.asarray(1 / (1 + np.exp(np.clip((distance - radius) / (0.2 * radius), -30, 30))), np.float32)


def gaussian(size: float, distance: Field) -> Field:
    """Return exp(-(distance / size)^2)."""
    return np.asarray(np.exp(-np.square(distance / size)), np.float32)


@dataclass(frozen=True)
class Seed:
    """What a prompt marks: polylines of (x, y) in base pixels, and how thick they are drawn."""

    lines: tuple[tuple[tuple[float, float], ...], ...]
    radius: float = 0.0

    def bounds(self) -> tuple[float, float, float, float]:
        """Return x0, y0, x1, y1 of what is marked."""
        xs, ys = zip(*(xy for line in self.lines for xy in line), strict=True)
        return min(xs) - self.radius, min(ys) - self.radius, max(xs) + self.radius, max(ys) + self.radius


class View:
    """One window of the base image, scaled down to at most `area` pixels.

    Colours are told apart by a palette: k-means over Lab with a blurred copy beside it, so that an entry stands for a
    colour and its surroundings. Colour models are histograms over the palette, hence cheap to weigh by position.
    """

    def __init__(self, base: Image, window: Window, area: int) -> None:
        self.window = window
        self.base_size = base.shape[1], base.shape[0]
        x0, y0, x1, y1 = window
        crop = base[y0:y1, x0:x1]
        scale = min(1.0, math.sqrt(area / (crop.shape[0] * crop.shape[1])))
        self.w, self.h = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
        self.fx, self.fy = self.w / crop.shape[1], self.h / crop.shape[0]
        small = cv2.resize(crop, (self.w, self.h), interpolation=cv2.INTER_AREA)
        lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        self._build_palette(lab)
        self._build_edges(lab)
        self.yy, self.xx = np.mgrid[: self.h, : self.w].astype(np.float32)

    @property
    def scale(self) -> float:
        """Working pixels per base pixel."""
        return math.sqrt(self.fx * self.fy)

    def _build_palette(self, lab: NDArray[np.float32]) -> None:
        colour = lab * np.array([1.4, 2, 2], np.float32)
        near, around = cv2.GaussianBlur(colour, (0, 0), 0.7), cv2.GaussianBlur(colour, (0, 0), 3)
        features = np.concatenate([near, 0.5 * around], axis=2).reshape(-1, 6)
        chosen = np.random.default_rng(0).permutation(len(features))[:PALETTE_SAMPLES]
        size = min(PALETTE, len(chosen))
        centres = features[:1]
        if size > 1:
            cv2.setRNGSeed(1)
            stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 6, 0)
            _, _, centres = cv2.kmeans(features[chosen], size, None, stop, 1, cv2.KMEANS_PP_CENTERS)
        distance = features @ (centres.T * -2) + np.square(centres).sum(1)
        self.palette = distance.argmin(1)
        apart = np.square(centres[:, None] - centres[None]).sum(2)
        self._share = np.exp(-apart / (2 * PALETTE_SIGMA**2)).astype(np.float32)

    def _build_edges(self, lab: NDArray[np.float32]) -> None:
        chroma = (lab[..., 1:] - lab[..., 1:].reshape(-1, 2).mean(0)).reshape(-1, 2)
        main = np.linalg.eigh(chroma.T @ chroma)[1][:, 1]
        # An eigenvector's sign is the library's choice; the cut does not see it, replays must not either.
        main = main * (1 if main[np.abs(main).argmax()] > 0 else -1)
        across = 128 + EDGE_CHROMA * (chroma @ main).reshape(self.h, self.w)
        self._edge = np.clip(np.dstack([lab[..., 0] * 2, across]), 0, 255).astype(np.uint8)
        gx, gy = cv2.Sobel(lab, cv2.CV_32F, 1, 0), cv2.Sobel(lab, cv2.CV_32F, 0, 1)
        self.gradient = np.sqrt((np.square(gx) + np.square(gy)).sum(2))
        self.gradient /= self.gradient.mean() + 1e-3

    def to_work(self, x: float, y: float) -> tuple[float, float]:
        """Convert base to working coordinates."""
        return (x - self.window[0] + 0.5) * self.fx - 0.5, (y - self.window[1] + 0.5) * self.fy - 0.5

    def nearest(self, x: float, y: float) -> tuple[int, int]:
        """Return (row, column) of the working pixel nearest to a base position."""
        wx, wy = self.to_work(x, y)
        return min(max(round(wy), 0), self.h - 1), min(max(round(wx), 0), self.w - 1)

    def distance(self, seed: Seed) -> Field:
        """Return the distance to what the seed marks, in working pixels; 0 on it."""
        if len(seed.lines) == 1 and len(seed.lines[0]) == 1 and seed.radius == 0:
            x, y = self.to_work(*seed.lines[0][0])
            return np.asarray(np.hypot(self.xx - x, self.yy - y), np.float32)
        free = np.ones((self.h, self.w), np.uint8)
        for line in seed.lines:
            draw_line(free, [self.to_work(*xy) for xy in line], seed.radius * self.scale, 0)
        return np.asarray(cv2.distanceTransform(free, cv2.DIST_L2, 5), np.float32)

    def shrink(self, mask: Region) -> Region:
        """Return the window of a base mask at the working size."""
        x0, y0, x1, y1 = self.window
        crop = mask[y0:y1, x0:x1].astype(np.uint8) * 255
        return np.asarray(cv2.resize(crop, (self.w, self.h), interpolation=cv2.INTER_AREA) > 127)

    def enlarge(self, region: Region) -> Region:
        """Return a working region at the window's size in the base image."""
        x0, y0, x1, y1 = self.window
        soft = cv2.resize(region.astype(np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        return np.asarray(soft > 0.5)

    def paste(self, region: Region, mask: Region) -> Region:
        """Return a copy of the base mask with the window replaced by a working region."""
        x0, y0, x1, y1 = self.window
        result = mask.copy()
        result[y0:y1, x0:x1] = self.enlarge(region)
        return result

    def inner_borders(self) -> tuple[bool, bool, bool, bool]:
        """Say which of the left, top, right and bottom border are not the image's own."""
        x0, y0, x1, y1 = self.window
        return x0 > 0, y0 > 0, x1 < self.base_size[0], y1 < self.base_size[1]

    def histogram(self, weights: NDArray[Any]) -> NDArray[np.float32]:
        """Return the smoothed histogram over the palette, float32 [K] summing to 1."""
        counts = np.bincount(self.palette, weights.ravel(), len(self._share)).astype(np.float32)
        counts = self._share @ counts
        return np.asarray(counts / (counts.sum() + 1e-9), np.float32)

    def log_odds(self, inside: NDArray[Any], outside: NDArray[Any]) -> Field:
        """Return how much each pixel's colour speaks for `inside` (weights) against `outside`, in nats."""
        odds = np.log((self.histogram(inside) + 3e-3) / (self.histogram(outside) + 3e-3))
        odds = np.clip(odds, -LOG_ODDS_LIMIT, LOG_ODDS_LIMIT)
        return np.asarray(odds[self.palette].reshape(self.h, self.w), np.float32)

    def cut(self, unary: Field, inside: Region, outside: Region, data_weight: float) -> Region:
        """Return the minimum cut of `unary` (log-odds), hard labels and contrast-sensitive smoothness.

        OpenCV offers max-flow through grabCut only. It is given an image whose first channel is the unary and whose
        others are the colours, with frozen one-component models that differ in that channel alone: their log-ratio is
        then linear in the unary, and grabCut's own pairwise term (Rother et al. 2004) does the rest.
        """
        level = np.clip(128 + np.round(np.clip(unary, -SCORE_LIMIT, SCORE_LIMIT) * SCORE_STEPS), 0, 255)
        stacked = np.dstack([level.astype(np.uint8), self._edge])
        labels = np.where(unary > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        labels[outside] = cv2.GC_BGD
        labels[inside] = cv2.GC_FGD
        if labels.size == 1:
            # A graph without edges is refused by OpenCV; there is nothing to cut either.
            return np.asarray((labels & 1) > 0)
        variance = 2 * GMM_DISTANCE * SCORE_STEPS / data_weight
        models = _gaussian_model(128 - GMM_DISTANCE, variance), _gaussian_model(128 + GMM_DISTANCE, variance)
        cv2.grabCut(stacked, labels, None, *models, 1, cv2.GC_EVAL_FREEZE_MODEL)
        return np.asarray((labels & 1) > 0)


def _gaussian_model(mean: float, variance: float) -> NDArray[np.float64]:
    """Return a grabCut model (5 weights, 5 means, 5 covariances) of one component that looks at channel 0 only."""
    model = np.zeros((1, 65))
    model[0, 0] = 1
    model[0, 5:8] = mean, 128, 128
    model[0, 20:29] = np.diag([variance, 1e6, 1e6]).ravel()
    return model


GetView = Callable[[Window, int], View]
"""Makes, or finds, the view of a window at a number of working pixels."""
