"""A small classifier of colour and texture around each pixel: random features and ridge regression.

Random rectified features (Rahimi and Recht, NeurIPS 2007) of blurred colours make a linear model flexible enough; its
least-squares solution needs only sums over pixels, so that a keyframe's are kept and each frame's background added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

REDUCE = 2
"""The classifier sees every second pixel each way."""
SIGMAS = (0.1, 0.25, 0.5)
"""Blurs of the surroundings in object sizes."""
INPUTS = 3 * (1 + len(SIGMAS)) + 2
HIDDEN = 64
RIDGE = 1e-3

_RANDOM = np.random.default_rng(7)
_WEIGHTS = (0.5 * _RANDOM.normal(size=(INPUTS, HIDDEN))).astype(np.float32)
_BIAS = _RANDOM.normal(size=HIDDEN).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over pixels that a least-squares fit needs: features by features, and features by target."""

    square: NDArray[np.float64]
    target: NDArray[np.float64]

    @classmethod
    def over(cls, features: Array, target: float) -> Sums:
        """Return the means over features [n, d] that all have the same target; zero for none."""
        if not len(features):
            size = features.shape[1]
            return cls(np.zeros((size, size)), np.zeros(size))
        square = cv2.gemm(features, features, 1.0 / len(features), None, 0.0, flags=cv2.GEMM_1_T)
        return cls(
            square.astype(np.float64), cv2.reduce(features, 0, cv2.REDUCE_AVG, dtype=cv2.CV_64F).ravel() * target
        )

    @classmethod
    def combine(cls, parts: Sequence[tuple[Sums, float]]) -> Sums:
        """Return the weighted sum of several."""
        square = np.sum([part.square * weight for part, weight in parts], axis=0)
        return cls(square, np.sum([part.target * weight for part, weight in parts], axis=0))

    def solve(self) -> Array:
        """Return the weights, float32 [d], that fit the targets best."""
        size = len(self.square)
        damped = self.square + RIDGE * max(np.trace(self.square) / size, 1e-6) * np.eye(size)
        _, weights = cv2.solve(damped, self.target[:, None], flags=cv2.DECOMP_CHOLESKY)
        return np.asarray(weights, np.float32).ravel()


@dataclass(frozen=True, eq=False)
class Texture:
    """Features of a picture on the reduced grid: float32 [h * w, d], row by row."""

    features: Array
    shape: tuple[int, int]

    @classmethod
    def of(cls, lab: NDArray[np.uint8], object_size: float) -> Texture:
        """Describe a picture (Lab uint8 [H, W, 3]) in which the object is about `object_size` pixels large."""
        inputs = _inputs(lab, max(4.0, object_size / REDUCE))
        flat = inputs.reshape(-1, INPUTS)
        features = np.empty((len(flat), 1 + INPUTS + HIDDEN), np.float32)
        features[:, 0] = 1
        features[:, 1 : 1 + INPUTS] = flat
        # OpenCV multiplies on this one core; the threads of numpy's BLAS would fight with those of flow and decoding.
        np.maximum(cv2.gemm(flat, _WEIGHTS, 1.0, None, 0.0) + _BIAS, 0, out=features[:, 1 + INPUTS :])
        return cls(features, (inputs.shape[0], inputs.shape[1]))

    def pick(self, region: NDArray[np.bool_], step: int = 1) -> Array:
        """Return the features of every `step`-th pixel of a region, bool [H, W], that lies in it as a whole."""
        size = self.shape[1], self.shape[0]
        whole = cv2.resize(region.astype(np.float32), size, interpolation=cv2.INTER_AREA).ravel() > 0.6
        return self.features[whole][::step]

    def score(self, weights: Array, size: tuple[int, int]) -> Array:
        """Return about -1 (background) .. 1 (object) per pixel at full working size (width, height)."""
        return cv2.resize(
            np.einsum("nd,d->n", self.features, weights).reshape(self.shape), size, interpolation=cv2.INTER_LINEAR
        )


def _inputs(lab: NDArray[np.uint8], unit: float) -> Array:
    """Return colour, its blurs and the local contrast at two scales, float32 [h, w, INPUTS], each of order 1."""
    height, width = lab.shape[:2]
    size = max(8, width // REDUCE), max(8, height // REDUCE)
    colour = cv2.resize(lab, size, interpolation=cv2.INTER_AREA).astype(np.float32) - 128
    colour *= np.array([1 / 50, 1 / 18, 1 / 18], np.float32)
    blurred = [_blur(colour, sigma * unit) for sigma in SIGMAS]
    detail = np.abs(colour[..., 0] - blurred[0][..., 0])
    contrast = [3 * _blur(detail, sigma * unit)[..., None] for sigma in (SIGMAS[0], SIGMAS[1])]
    return np.concatenate([colour, *blurred, *contrast], axis=2)


def _blur(image: Array, sigma: float) -> Array:
    """Return the image blurred; wide blurs at reduced size, which is next to the same and many times faster."""
    factor = int(sigma / 3)
    if factor < 2:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    height, width = image.shape[:2]
    size = max(1, width // factor), max(1, height // factor)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / factor), (width, height), interpolation=cv2.INTER_LINEAR)
