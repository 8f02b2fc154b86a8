"""Colours of object and background: histograms overall, and by place on the object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.flow.view import View

Array = NDArray[np.float32]
Lab = NDArray[np.uint8]
Region = NDArray[np.bool_]

LIMIT = 3.0
"""Log-odds of one colour cue stay within this, so that none overrules the others alone."""
BINS = 32
"""Bins per axis of the histogram of colours."""
FLOOR = 1e-4
"""Share of pixels that counts as never seen."""
CELLS, COARSE = 12, 12
"""Places per axis, and colour bins per axis at each place."""
REACH = 2.0
"""Half-width of the grid of places in object sizes."""
PLACE_FLOOR = 0.3
"""Pixels that count as never seen at a place."""


@dataclass(frozen=True)
class ObjectFrame:
    """An object's own coordinates: its centre and its size (square root of the area), in full-size pixels."""

    x: float
    y: float
    size: float

    @classmethod
    def of(cls, inside: Region, view: View) -> ObjectFrame:
        """Measure a mask in a view."""
        moments = cv2.moments(inside.astype(np.uint8), binaryImage=True)
        area = max(moments["m00"], 1.0)
        scale_x, scale_y = view.scale
        x = view.x0 + (moments["m10"] / area + 0.5) / scale_x
        y = view.y0 + (moments["m01"] / area + 0.5) / scale_y
        return cls(x, y, max(1.0, float(np.sqrt(area / (scale_x * scale_y)))))

    def cells(self, view: View) -> NDArray[np.int32]:
        """Return the place of each pixel of a view in the grid around the object: int32 [height, width]."""
        scale_x, scale_y = view.scale
        u = (view.x0 + (np.arange(view.width) + 0.5) / scale_x - self.x) / self.size
        v = (view.y0 + (np.arange(view.height) + 0.5) / scale_y - self.y) / self.size
        column, row = (np.clip((axis / REACH + 1) * (CELLS / 2), 0, CELLS - 1).astype(np.int32) for axis in (u, v))
        return row[:, None] * CELLS + column[None, :]


def colour_bins(lab: Lab, count: int) -> NDArray[np.int32]:
    """Return each pixel's bin of `count`³; the chroma axes cover the middle half of Lab, where colours are."""
    lightness = lab[..., 0].astype(np.int32) * count // 256
    chroma = (np.clip(lab[..., 1:].astype(np.int32), 64, 191) - 64) * count // 128
    return (lightness * count + chroma[..., 0]) * count + chroma[..., 1]


def count_smoothly(bins: NDArray[np.int32], shape: tuple[int, ...], sigmas: Sequence[float]) -> Array:
    """Return the histogram of `bins` over a table of `shape`, smoothed along each axis, flattened."""
    table = np.bincount(bins.ravel(), minlength=int(np.prod(shape))).astype(np.float32).reshape(shape)
    for axis, sigma in enumerate(sigmas):
        moved = np.ascontiguousarray(np.moveaxis(table, axis, 0))
        kernel = cv2.getGaussianKernel(2 * int(3 * sigma) + 1, sigma, cv2.CV_32F)
        flat = moved.reshape(shape[axis], -1)
        flat = cv2.sepFilter2D(flat, -1, np.ones(1, np.float32), kernel, borderType=cv2.BORDER_CONSTANT)
        table = np.moveaxis(flat.reshape(moved.shape), 0, axis)
    return np.ascontiguousarray(table).ravel()


def histogram(bins: NDArray[np.int32]) -> Array:
    """Return the smoothed histogram of colours with the sum 1, or empty for no pixels: float32 [BINS³]."""
    counts = count_smoothly(bins, (BINS, BINS, BINS), (1.0, 1.0, 1.0))
    return counts / np.float32(max(float(counts.sum()), 1e-6))


@dataclass(frozen=True, eq=False)
class ColourModel:
    """Smoothed Lab histograms of object and background, each with the sum 1 (or empty)."""

    inside: Array
    outside: Array

    @classmethod
    def learn(cls, bins: NDArray[np.int32], inside: Region, outside: Region) -> ColourModel:
        """Count the colours of two regions."""
        return cls(*(histogram(bins[region]) for region in (inside, outside)))

    @classmethod
    def mean(cls, models: Sequence[ColourModel], weights: Sequence[float]) -> ColourModel:
        """Return the weighted mean of several models."""
        pairs = list(zip(models, weights, strict=True))
        inside: Array = sum((m.inside * np.float32(w) for m, w in pairs), np.zeros_like(models[0].inside))
        outside: Array = sum((m.outside * np.float32(w) for m, w in pairs), np.zeros_like(models[0].outside))
        return cls(inside, outside)

    def log_odds(self, bins: NDArray[np.int32]) -> Array:
        """Return float32 [...] for each bin, positive where the object has more of that colour."""
        table = np.log((self.inside + FLOOR) / (self.outside + FLOOR))
        return np.clip(table, -LIMIT, LIMIT)[bins]


class PlaceModel:
    """Log-odds per place on the object and colour: a bilateral grid.

    After Maerki et al., Bilateral Space Video Segmentation, CVPR 2016; only ever filled from a keyframe, so that it
    cannot learn from its own mistakes.
    """

    def __init__(self, lab: Lab, inside: Region, cells: NDArray[np.int32]) -> None:
        """Learn from a keyframe."""
        bins = self._bins(lab, cells)
        shape, sigmas = (CELLS, CELLS, COARSE, COARSE, COARSE), (1.0, 1.0, 0.7, 0.7, 0.7)
        counts = [count_smoothly(bins[region], shape, sigmas) for region in (inside, ~inside)]
        odds = np.log((counts[0] + PLACE_FLOOR) / (counts[1] + PLACE_FLOOR))
        self._odds: Array = np.clip(odds, -LIMIT, LIMIT)

    def log_odds(self, lab: Lab, cells: NDArray[np.int32]) -> Array:
        """Return float32 [h, w] for a picture whose places were found by the object's present frame."""
        return self._odds[self._bins(lab, cells)]

    @staticmethod
    def _bins(lab: Lab, cells: NDArray[np.int32]) -> NDArray[np.int32]:
        return cells * COARSE**3 + colour_bins(lab, COARSE)
