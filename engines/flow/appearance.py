"""What a keyframe says about colours: histograms of object and background, overall and by place on the object."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Bins = NDArray[np.int32]
LogOdds = NDArray[np.float32]


@dataclass(frozen=True)
class Frame2D:
    """The object's own coordinate frame in a picture: centre and size (square root of its area), in full pixels."""

    x: float
    y: float
    size: float


L_BINS, AB_BINS = 32, 32
PLACE_CELLS, PLACE_L, PLACE_AB = 12, 12, 12
PLACE_REACH = 2.0


def colour_bins(lab: NDArray[np.uint8], light: int, chroma: int) -> Bins:
    """Return the histogram bin of each pixel; the chroma axes cover the middle half of Lab, where colours are."""
    a = (np.clip(lab[..., 1:].astype(np.int32), 64, 191) - 64) * chroma // 128
    return ((lab[..., 0].astype(np.int32) * light // 256) * chroma + a[..., 0]) * chroma + a[..., 1]


def blur_axes(table: NDArray[np.float32], sigmas: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the table smoothed by a Gaussian along each axis in turn."""
    for axis, sigma in enumerate(sigmas):
        if sigma <= 0:
            continue
        shape = np.moveaxis(table, axis, 0).shape
        flat = np.ascontiguousarray(np.moveaxis(table, axis, 0)).reshape(shape[0], -1)
        flat = cv2.GaussianBlur(flat, (1, 2 * int(3 * sigma) + 1), 0.001, sigmaY=sigma, borderType=cv2.BORDER_CONSTANT)
        table = np.moveaxis(flat.reshape(shape), 0, axis)
    return np.ascontiguousarray(table)


class ColourModel:
    """Smoothed Lab histograms of object and background."""

    def __init__(self, lab: NDArray[np.uint8], inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> None:
        bins = colour_bins(lab, L_BINS, AB_BINS)
        self.fg = self._histogram(bins[inside])
        self.bg = self._histogram(bins[outside])

    @staticmethod
    def _histogram(bins: Bins) -> NDArray[np.float32]:
        counts = np.bincount(bins, minlength=L_BINS * AB_BINS * AB_BINS).astype(np.float32)
        counts = blur_axes(counts.reshape(L_BINS, AB_BINS, AB_BINS), (1.0, 1.0, 1.0)).ravel()
        return counts / max(float(counts.sum()), 1e-6)


def log_ratio(fg: NDArray[np.float32], bg: NDArray[np.float32], floor: float) -> LogOdds:
    return np.log((fg + floor) / (bg + floor))


class PlaceModel:
    """Colour histograms per place on the object, in the object's own coordinates: a bilateral grid.

    After Maerki et al., Bilateral Space Video Segmentation, CVPR 2016, but only ever filled from a keyframe, so that it
    cannot drift.
    """

    def __init__(self, lab, inside, outside, u, v) -> None:
        bins = self.bins(lab, u, v)
        self.fg = self._grid(bins[inside])
        self.bg = self._grid(bins[outside])
        floor = 0.3
        self.odds = np.log((self.fg + floor) / (self.bg + floor))

    @staticmethod
    def bins(lab, u, v):
        cells = PLACE_CELLS
        iu = np.clip(((u / PLACE_REACH + 1) * (cells / 2)).astype(np.int32), 0, cells - 1)
        iv = np.clip(((v / PLACE_REACH + 1) * (cells / 2)).astype(np.int32), 0, cells - 1)
        return (iv * cells + iu) * (PLACE_L * PLACE_AB * PLACE_AB) + colour_bins(lab, PLACE_L, PLACE_AB)

    @staticmethod
    def _grid(bins):
        shape = (PLACE_CELLS, PLACE_CELLS, PLACE_L, PLACE_AB, PLACE_AB)
        counts = np.bincount(bins.ravel(), minlength=int(np.prod(shape))).astype(np.float32).reshape(shape)
        return blur_axes(counts, (1.0, 1.0, 0.7, 0.7, 0.7)).ravel()
